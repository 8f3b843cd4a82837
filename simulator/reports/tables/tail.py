"""The tail: VaR and ES, who makes it up, the worst paths, and whether it has settled."""

from __future__ import annotations

import math
from typing import Final

from simulator.analytics.estimate import format_estimate, format_significant
from simulator.analytics.frame import estimate_at
from simulator.analytics.sampling import sampling_facts
from simulator.analytics.summary import Analysis
from simulator.reports.figures.axis import words
from simulator.reports.order import held
from simulator.reports.tables.lenders import book_and_facilities
from simulator.reports.tables.table import Table, level_name, reader_of

FEW: Final = 20

FEW_NOTE: Final = (
    f"† fewer than {FEW} independent paths lie beyond this level: read it as a rough indication "
    "and run more."
)


def tails(analysis: Analysis) -> Table:
    """VaR and ES at all levels."""
    levels = [float(level) for level in analysis.risk["level"].values]
    rows, thin = [], False
    for name, one, pre in book_and_facilities(analysis):
        counts = one.values(f"{pre}tail_paths")
        few = [0.0 < count < FEW for count in counts]
        thin = thin or any(few)
        rows.append(
            [
                name,
                *(
                    one.number(pre + measure, level=level) + (" †" if marked else "")
                    for measure in ("value_at_risk", "expected_shortfall")
                    for level, marked in zip(levels, few, strict=True)
                ),
            ]
        )
    return Table(
        "Value at risk and expected shortfall, PV in USD m",
        ("", *(f"{m} {level_name(level)}" for m in ("VaR", "ES") for level in levels)),
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
        *("first in month", "lost by box equity, USD m", "weight"),
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
            format_significant(float(one["weight"]), 3),
        ]
        for one in (analysis.worst.isel(rank=i) for i in range(analysis.worst.sizes["rank"]))
    ]
    weighted = "path_weight" in analysis.run
    kept = (0, 1, 2, 3, 4, 5, 6) if analysis.has_boxes else (0, 1, 3, 4, 5)  # no causes, no equity
    kept = (*kept, 7) if weighted else kept
    columns = tuple(columns[i] for i in kept)
    rows = [[row[i] for i in kept] for row in rows]
    return Table(
        "The worst paths of the book, by number",
        columns,
        rows,
        "Single paths carry no standard error. The same study and seed give the same path under "
        "the same number."
        + (" A path of weight 0.1 stands for a tenth of one drawn plainly." if weighted else ""),
        words=3 if analysis.has_boxes else 2,
    )


def convergence(analysis: Analysis) -> Table:
    """Estimates after an eighth, a quarter, half and all of the paths, and how many it takes."""
    table = analysis.convergence
    last = table.sizes["paths"]
    picks = sorted({max(1, round(last * share)) - 1 for share in (0.125, 0.25, 0.5, 1.0)})
    read = reader_of(analysis, table)
    levels = [float(level) for level in table["level"].values]
    measures: list[tuple[str, str, dict[str, float]]] = [("expected loss", "expected_loss", {})]
    for name, key in (("VaR", "value_at_risk"), ("ES", "expected_shortfall")):
        measures += [(f"{name} {level_name(one)}", key, {"level": one}) for one in levels]
    rows = [
        [f"{n:,}", *(read.number(key, paths=n, **at) for _, key, at in measures)]
        for n in (int(table["paths"].values[i]) for i in picks)
    ]
    share = float(table.attrs["relative_error"])
    needed = [float(table[f"{key}_paths"].sel(at)) for _, key, at in measures]
    rows.append([f"paths needed for ±{share:.0%}", *map(paths_text, needed)])
    return Table(
        "Estimates for the book after the first n paths, USD m",
        ("paths", *(title for title, _, _ in measures)),
        rows,
        f"The last line says how many paths, drawn in the same way, would bring one standard error "
        f"down to {share:.0%} of the estimate: errors fall with the root of the paths. It is an "
        "estimate itself.",
    )


def paths_text(paths: float) -> str:
    """Return a number of paths in words, rounded as it is known.

    >>> paths_text(1_200_000.0), paths_text(float("inf"))
    ('1,200,000', 'n/a')
    """
    return f"{paths:,.0f}" if math.isfinite(paths) else "n/a"


def sampling(analysis: Analysis) -> Table:
    """Say how paths were drawn; no rows if plainly."""
    facts = sampling_facts(analysis.run)
    rows: list[list[str]] = []
    if facts is not None:
        effective = facts.effective_paths
        rows = [["method", facts.method]]
        if effective is not None:
            rows.append(["effective paths", f"{effective:,.0f} of {analysis.run.sizes['path']:,}"])
        if facts.effective_tail_paths is not None:
            rows.append(["of them in the tail", f"{facts.effective_tail_paths:,.0f}"])
        rows += [["remark", facts.note]] if facts.note else []
    return Table(
        "How paths were drawn",
        ("", ""),
        rows,
        "Effective paths: (Σw)²/Σw², what the weights leave for a mean to which all paths matter "
        "alike. Paths drawn for a tail are worth less there and more in the tail.",
        words=2,
    )
