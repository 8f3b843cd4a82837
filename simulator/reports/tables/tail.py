"""The tail: VaR and ES, who makes it up, the worst paths, and whether it has settled."""

from __future__ import annotations

import math
from typing import Final

from simulator.analytics.estimate import format_estimate, format_significant
from simulator.analytics.frame import estimate_at
from simulator.analytics.summary import Analysis
from simulator.reports.figures.axis import words
from simulator.reports.order import held
from simulator.reports.tables.lenders import book_and_facilities
from simulator.reports.tables.table import Table, level_name, reader_of

FEW: Final = 20


FEW_NOTE: Final = (
    f"† fewer than {FEW} paths lie beyond this level: read it as a rough indication and run more."
)


def tails(analysis: Analysis) -> Table:
    """VaR and ES at all levels."""
    read = reader_of(analysis, analysis.risk)
    levels = [float(level) for level in analysis.risk["level"].values]
    thin = [level for level in levels if (1.0 - level) * read.paths < FEW]
    names = [f"{m} {level_name(level)}" for m in ("VaR", "ES") for level in levels]
    columns = [f"{name} †" if name.split()[1] in map(level_name, thin) else name for name in names]
    rows = [
        [
            name,
            *(
                one.number(pre + measure, level=level)
                for measure in ("value_at_risk", "expected_shortfall")
                for level in levels
            ),
        ]
        for name, one, pre in book_and_facilities(analysis)
    ]
    return Table(
        "Value at risk and expected shortfall, PV in USD m",
        ("", *columns),
        rows,
        "VaR: smallest loss not exceeded with that probability, error from order statistics "
        "(Maritz-Jarrett). ES: mean of the losses beyond, error from the influence function."
        + (f" {FEW_NOTE}" if thin else ""),
        strong=1,
    )


def contributions(analysis: Analysis) -> Table:
    """Lay out who makes up expected loss and tail."""
    table = analysis.contributions.sel(level=0.99)
    names = ("expected_loss_contribution", "shortfall_contribution")
    totals = (
        float(analysis.risk["book_expected_loss"]),
        float(analysis.risk["book_expected_shortfall"].sel(level=0.99)),
    )
    rows = []
    for facility in held(analysis):
        cells = []
        for name, total in zip(names, totals, strict=True):
            part = estimate_at(table, name, facility=facility)
            share = (part.value / total, part.se / total) if total > 0.0 else (math.nan, math.nan)
            cells += [format_estimate(*part), format_estimate(*share, percent=True)]
        rows.append([facility, *cells])
    return Table(
        "What each facility adds to the book at the lender's share, PV in USD m",
        ("", "to expected loss", "of it", "to ES 99%", "of it"),
        rows,
        "Contributions (Euler) add up to the book's expected loss and expected shortfall.",
    )


def worst(analysis: Analysis) -> Table:
    """List the worst paths of the book."""
    columns: tuple[str, ...] = (
        *("path", "costliest facility", "its cause", "loss, USD m (PV)", "defaults"),
        *("first in month", "lost by box equity, USD m"),
    )
    rows = [
        [
            str(int(one["path"])),
            str(one["costliest"].values),
            words(str(one["cause"].values)),
            format_significant(float(one["book_lender_loss"]), 4),
            str(int(one["defaults"])),
            str(int(one["first_default_month"])),
            format_significant(float(one["equity_lost"]), 4),
        ]
        for one in (analysis.worst.isel(rank=i) for i in range(analysis.worst.sizes["rank"]))
    ]
    if not analysis.has_boxes:  # no causes, no equity
        kept = (0, 1, 3, 4, 5)
        columns = tuple(columns[i] for i in kept)
        rows = [[row[i] for i in kept] for row in rows]
    return Table(
        "The worst paths of the book, by number",
        columns,
        rows,
        "Single paths carry no standard error. The same study and seed give the same path under "
        "the same number.",
        words=3 if analysis.has_boxes else 2,
    )


def convergence(analysis: Analysis) -> Table:
    """Estimates after an eighth, a quarter, half and all of the paths."""
    table = analysis.convergence
    last = table.sizes["paths"]
    picks = sorted({max(1, round(last * share)) - 1 for share in (0.125, 0.25, 0.5, 1.0)})
    read = reader_of(analysis, table)
    sizes = [int(table["paths"].values[i]) for i in picks]
    return Table(
        "Estimates for the book after the first n paths, USD m",
        ("paths", "expected loss", f"ES {level_name(float(table.attrs['level']))}"),
        [
            [
                f"{n:,}",
                read.number("expected_loss", paths=n),
                read.number("expected_shortfall", paths=n),
            ]
            for n in sizes
        ],
    )
