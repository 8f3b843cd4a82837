"""Figures by month: rental prices, the other markets, the book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import xarray as xr

from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.sizes import BELOW_DATES, MOST_PANELS
from simulator.reports.figures import fans
from simulator.reports.tables.fans import quantile_text

BANDS: Final = "Bands hold the middle 50, 80, 90 and 98% of paths month by month."


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
    ("cumulative_recoveries", "Recovered by lenders so far", None, None),
    ("cumulative_distributions", "Distributions to box equity so far", None, None),
    ("boxes_in_default", "Boxes in default", None, None),
)


def market(analysis: Analysis) -> Iterable[Picture | None]:
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
    if "fan_hall_rent" in run:
        halls = labels(run, "hall")[:MOST_PANELS]
        yield Picture(
            "hall_rent",
            f"Rent of data-centre halls. {BANDS}",
            f"Fan charts of rents. {_ends(run, 'hall_rent', 'hall', halls)}",
            [partial(fans.fan, run, series="hall_rent", title=name, hall=name) for name in halls],
            shared_legend=True,
            columns=min(3, len(halls)),
            width=10.4 / min(3, len(halls)),
            height=2.6,
            bottom=BELOW_DATES,
        )
    yield _fan_grid(
        run,
        "market",
        "The market. Tightness is the log of compute demand over capacity; 0 is balance.",
        [(series, title, line, None) for series, title, line in MARKET],
    )


def portfolio(analysis: Analysis) -> Iterable[Picture | None]:
    """Series of the book."""
    if not analysis.has_boxes:
        told = "The pool by month. Names in default are no longer outstanding."
        yield _fan_grid(analysis.run, "portfolio", told, PORTFOLIO)
        return
    yield _fan_grid(
        analysis.run,
        "portfolio",
        "The book by month. Coverage is over three months; the dashed line is cash flow equal to "
        "debt service, and the line ends when next to no debt is left. The loss so far counts a "
        "claim when its workout closes, and shrinks if a guarantor pays afterwards.",
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
        error = run[f"fan_{series}_se"].sel({entity: name} if entity else {})
        first = quantile_text(fan, error, 0.5, 0)
        low, middle, high = (quantile_text(fan, error, level, -1) for level in (0.05, 0.5, 0.95))
        text = f"median {first} in the first month, {middle} in "
        parts.append(f"{name} {text}the last (5% to 95%: {low} to {high}).".strip())
    return " ".join(parts)
