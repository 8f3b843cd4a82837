"""Which figures a report holds, in order, with captions and words for those who cannot see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import numpy as np
import xarray as xr

from simulator.analytics.estimate import format_estimate, format_significant
from simulator.analytics.frame import estimate_at, labels
from simulator.analytics.summary import Analysis
from simulator.reports.canvas import Picture
from simulator.reports.figures import defaults, equity, fans, losses
from simulator.reports.figures.axis import shortened

BANDS: Final = "Bands hold the middle 50, 80, 90 and 98% of paths month by month."
BELOW_DATES: Final = 0.3  # inches: dates need no axis label
MOST_BARS: Final = 24
MOST_LINES: Final = 6
MOST_PANELS: Final = 9


def pictures(analysis: Analysis) -> dict[str, Picture]:
    """Return every figure that the run has the data for, by name, in the order of the report."""
    drawn = [
        _absorption(analysis),
        *_market(analysis),
        *_portfolio(analysis),
        _exceedance(analysis),
        _facilities(analysis),
        _causes(analysis),
        *_equity(analysis),
        *_names(analysis),
        _convergence(analysis),
    ]
    return {picture.name: picture for picture in drawn if picture is not None}


def by_risk(analysis: Analysis) -> list[str]:
    """Return the facilities, the largest expected loss first (ties in the order of the run)."""
    risk = analysis.risk
    order = np.argsort(-risk["expected_loss"].values, kind="stable")
    return [str(name) for name in risk["facility"].values[order]]


def _money(table: xr.Dataset, name: str, **selection: object) -> str:
    """Return an estimate of USD m in words."""
    return f"USD {format_estimate(*estimate_at(table, name, **selection))} m"


def _absorption(analysis: Analysis) -> Picture:
    """Equity before lenders."""
    worst = analysis.absorption.isel(bucket=-1)
    parts = ", ".join(
        f"{holder} {_money(worst, 'mean_loss', holder=holder)}"
        for holder in ("box equity", "lenders")
    )
    return Picture(
        "absorption",
        "Paths are ranked by the combined loss of all lenders and all box "
        "equity; each bar is the mean loss of a slice of them.",
        f"Stacked bars of mean losses by slice of paths. In the worst 1% of paths: {parts}.",
        [partial(losses.absorption, analysis.absorption, title="Mean loss by severity of path")],
        width=10.4,
        height=3.1,
    )


KINDS: Final = (("contract", "one-year contract"), ("spot", "spot"))
MARKET: Final = (
    ("tightness", "Tightness of compute", 0.0),
    ("utilisation", "Utilisation of the market", None),
    ("price_deviation", "Rental prices against their reference path (log)", 0.0),
    ("high_yield_spread", "High-yield spread", None),
    ("sofr", "SOFR", None),
    ("power_price", "Power price, reference region", None),
)
PORTFOLIO: Final = (
    ("outstanding_debt", "Debt outstanding in the book", None, None),
    ("book_dscr", "Debt service coverage of the book", 1.0, 5.0),
    ("cumulative_lender_loss", "Lenders' loss so far", None, None),
    ("cumulative_distributions", "Distributions to box equity so far", None, None),
    ("boxes_in_default", "Share of boxes in default", None, None),
)


def _market(analysis: Analysis) -> Iterable[Picture | None]:
    """Rental prices by generation, then the other market series."""
    run = analysis.run
    for kind, terms in KINDS:
        series = f"rental_price_{kind}"
        generations = labels(run, "generation")[:MOST_PANELS]
        if f"fan_{series}" not in run or not generations:
            continue
        yield Picture(
            series,
            f"Rental price by GPU generation, {terms}. {BANDS}",
            f"Fan charts of {kind} rental prices. " + _ends(run, series, "generation", generations),
            [
                partial(fans.fan, run, series=series, title=name, generation=name)
                for name in generations
            ],
            shared_legend=True,
            columns=min(3, len(generations)),
            width=10.4 / min(3, len(generations)),
            height=2.6,
            bottom=BELOW_DATES,
        )
    yield _fan_grid(
        run,
        "market",
        "The market. Tightness is the log of compute demand over capacity; 0 is balance.",
        [(series, title, line, None) for series, title, line in MARKET],
    )


def _portfolio(analysis: Analysis) -> Iterable[Picture | None]:
    """Series of the book."""
    yield _fan_grid(
        analysis.run,
        "portfolio",
        "The book by month. Coverage is over three months; the dashed line is cash flow equal to "
        "debt service.",
        PORTFOLIO,
    )


def _fan_grid(
    run: xr.Dataset,
    name: str,
    caption: str,
    series: Sequence[tuple[str, str, float | None, float | None]],
) -> Picture | None:
    """Panels of fans, those the run has."""
    held = [one for one in series if f"fan_{one[0]}" in run]
    if not held:
        return None
    return Picture(
        name,
        f"{caption} {BANDS}",
        " ".join(f"{title}: {_ends(run, key)}" for key, title, _, _ in held),
        [
            partial(fans.fan, run, series=key, title=title, reference=line, clip=clip)
            for key, title, line, clip in held
        ],
        shared_legend=True,
        columns=2,
        width=5.2,
        height=2.6,
        bottom=BELOW_DATES,
    )


def _ends(run: xr.Dataset, series: str, entity: str = "", names: Sequence[str] = ("",)) -> str:
    """Say where fans start and end."""
    parts = []
    for name in names:
        fan = run[f"fan_{series}"].sel({entity: name} if entity else {})
        first, last = (fan.isel(month=i).sel(quantile=[0.05, 0.5, 0.95]).values for i in (0, -1))
        low, middle, high = (format_significant(float(value), 3) for value in last)
        text = f"median {format_significant(float(first[1]), 3)} in the first month, {middle} in "
        parts.append(f"{name} {text}the last (5% to 95%: {low} to {high}).".strip())
    return " ".join(parts)


def _exceedance(analysis: Analysis) -> Picture:
    """Book and main facilities."""
    table, risk = analysis.exceedance, analysis.risk
    leading = by_risk(analysis)[:MOST_LINES]
    tail = _money(risk, "book_expected_shortfall", level=0.99)
    return Picture(
        "exceedance",
        "How likely a larger loss is (log axis). Left the book, right the facilities with the "
        "largest expected losses, each in full. Bands are 95% Wilson intervals, point by point.",
        "Loss exceedance curves of the book and of the main facilities. Mean loss of the book in "
        f"the worst 1% of paths: {tail}.",
        [
            partial(losses.book_exceedance, table, title="Book"),
            partial(losses.facility_exceedance, table, facilities=leading, title="Facilities"),
        ],
        columns=2,
        width=5.2,
        height=3.6,
    )


def _facilities(analysis: Analysis) -> Picture:
    """Draw what each facility adds to expected loss and tail."""
    table = analysis.contributions
    order = np.argsort(-table["expected_loss_contribution"].values, kind="stable")[:MOST_BARS]
    names = [str(name) for name in table["facility"].values[order]]
    leading = f"{names[0]} {_money(table, 'expected_loss_contribution', facility=names[0])}"
    return Picture(
        "facilities",
        "What each facility adds to the book, at the lender's share; lines are ± 2 standard "
        "errors. Left the bars add up to the expected loss, right to the 99% expected shortfall.",
        f"Bars of contributions to expected loss by facility, largest first: {leading}.",
        [
            partial(
                losses.facility_bars,
                table,
                variable="expected_loss_contribution",
                facilities=names,
                title="Contribution to expected loss",
                label="USD m (PV)",
            ),
            partial(
                losses.facility_bars,
                table.sel(level=0.99),
                variable="shortfall_contribution",
                facilities=names,
                title="Contribution to the 99% expected shortfall",
                label="USD m (PV)",
            ),
        ],
        columns=2,
        width=5.2,
        height=bar_height(len(names)),
        left=bar_margin(names),
    )


def bar_height(rows: int) -> float:
    """Return the height of a panel with as many bars [inches]."""
    return 1.2 + 0.26 * max(4, rows)


def bar_margin(names: Sequence[str]) -> float:
    """Return the room that names beside bars need [inches]."""
    return 0.3 + 0.082 * max(len(shortened(name)) for name in names)


def _causes(analysis: Analysis) -> Picture:
    """Probability of default and loss by cause."""
    names = by_risk(analysis)[:MOST_BARS]
    table = analysis.causes
    worst = str(table["cause"].values[int(np.argmax(table["book_expected_loss"].values))])
    return Picture(
        "causes",
        "Why facilities default: what took most contracted revenue in the month of default.",
        "Stacked bars of the probability of default by cause and facility. Costliest cause for "
        f"the book: {defaults.words(worst)}, {_money(table, 'book_expected_loss', cause=worst)}.",
        [
            partial(
                defaults.cause_bars,
                table,
                facilities=names,
                title="Probability of default by cause",
            ),
            partial(defaults.cause_losses, table, title="Expected loss of the book by cause"),
        ],
        columns=2,
        width=5.2,
        height=max(3.2, bar_height(len(names))),
        left=bar_margin([*names, *map(str, table["cause"].values)]),
        shared_legend=True,
    )


def _equity(analysis: Analysis) -> Iterable[Picture | None]:
    """Money multiples and internal rates of return of boxes."""
    boxes = labels(analysis.equity, "box")[:MOST_BARS]
    if not boxes:
        return
    medians = [
        estimate_at(analysis.equity, "moic", box=name, probability=0.5)
        for name in boxes[:MOST_LINES]
    ]
    middle = ", ".join(
        f"{name} {format_estimate(*one)}" for name, one in zip(boxes, medians, strict=False)
    )
    yield Picture(
        "equity",
        "What box equity gets back. Rates of return are over the paths on which one exists; the "
        "table says how many those are. Dashed: money back, and a return of zero.",
        f"Ranges of money multiples and rates of return by box. Median multiples: {middle}.",
        [
            partial(
                equity.spread,
                analysis.equity,
                variable="moic",
                entity="box",
                names=boxes,
                title="Money multiple",
                label="times contributions",
                reference=1.0,
            ),
            partial(
                equity.spread,
                analysis.equity,
                variable="irr",
                entity="box",
                names=boxes,
                title="Internal rate of return",
                label="per year, where defined",
                reference=0.0,
                percent=True,
            ),
        ],
        columns=2,
        width=5.2,
        height=bar_height(len(boxes)),
        left=bar_margin(boxes),
        shared_legend=True,
    )


def _names(analysis: Analysis) -> Iterable[Picture | None]:
    """Sponsors and counterparties: when they default."""
    panels, said = [], []
    for table, entity, title in (
        (analysis.sponsor_defaults, "sponsor", "Sponsors"),
        (analysis.counterparty_defaults, "counterparty", "Counterparties"),
    ):
        final = table["default_probability"].isel(year=-1).values
        order = np.argsort(-final, kind="stable")[:MOST_LINES]
        names = [str(name) for name in table[entity].values[order]]
        if not names:
            continue
        panels.append(
            partial(defaults.default_curves, table, entity=entity, names=names, title=title)
        )
        said.append(f"{names[0]} {format_significant(100 * float(final[order[0]]), 3)}%")
    if panels:
        yield Picture(
            "names",
            "Cumulative probability of default; bands are ± 2 standard errors. Of many names the "
            "six likeliest to default are drawn, the table has all.",
            f"Curves of cumulative default probability, highest at the horizon: {', '.join(said)}.",
            panels,
            columns=2,
            width=5.2,
            height=3.1,
        )


def _convergence(analysis: Analysis) -> Picture:
    """Draw expected loss and ES against the number of paths."""
    table = analysis.convergence
    last = table.isel(paths=-1)
    level = float(table.attrs["level"])
    return Picture(
        "convergence",
        "Have enough paths been run? Estimates for the book after the first n paths with ± 2 "
        "standard errors; the dashed line is the final value.",
        f"Running estimates settle at {_money(last, 'expected_loss')} expected loss and "
        f"{_money(last, 'expected_shortfall')} expected shortfall.",
        [
            partial(losses.convergence, table, variable="expected_loss", title="Expected loss"),
            partial(
                losses.convergence,
                table,
                variable="expected_shortfall",
                title=f"Expected shortfall {level:.0%}",
            ),
        ],
        columns=2,
        width=5.2,
        height=2.8,
    )
