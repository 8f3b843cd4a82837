"""Figures of the market, one for each driver: fans beside sample paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from simulator.analytics.frame import labels
from simulator.dataset.dims import GENERATION, HALL
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.months import BANDS
from simulator.reports.catalogue.sizes import BELOW_DATES
from simulator.reports.figures.fans import fan
from simulator.reports.figures.paths import EXAMPLES, sample_paths, shares_of_paths

__all__ = ["market_pictures"]

Draw = Callable[[Axes], Axes]

FAVOURITE: Final = "H100"
"""Generation that stands for all where one is drawn, if the study has it."""

SAMPLE: Final = f"{EXAMPLES} sample paths, 5% to 95% shaded"
LINES: Final = f"Lines are the first {EXAMPLES} paths of the run, chosen by nothing."


@dataclass(frozen=True, slots=True)
class Panels:
    """Makes panels of a market.

    Parameters
    ----------
    market : Dataset
        Its paths.
    fans : Dataset
        Its fans.
    """

    market: xr.Dataset
    fans: xr.Dataset

    def pair(
        self,
        series: str,
        title: str,
        *,
        reference: float | None = None,
        log: bool = False,
        **entity: str,
    ) -> tuple[Draw, Draw]:
        """Return a fan and the sample paths beside it."""
        draw = self.fan(series, title, reference=reference, **entity)
        beside = self.paths(series, SAMPLE, **entity)
        return (logarithmic(draw), logarithmic(beside)) if log else (draw, beside)

    def fan(
        self, series: str, title: str, *, reference: float | None = None, **entity: str
    ) -> Draw:
        """Return the fan of a quantity."""

        def draw(axes: Axes) -> Axes:
            where: dict[str, Any] = dict(entity)  # its keys are dimensions, none an option
            return fan(self.fans, axes, series, title=title, reference=reference, **where)

        return draw

    def paths(self, series: str, title: str, **entity: str) -> Draw:
        """Return sample paths."""
        return lambda axes: sample_paths(
            self.market, self.fans, axes, series, title=title, **entity
        )

    def shares(self, series: str, title: str, states: Sequence[str] = ("yes",)) -> Draw:
        """Return shares of paths in some states of a code."""
        return lambda axes: shares_of_paths(self.fans, axes, series, states, title=title)

    def generations(self, series: str) -> list[Draw]:
        """Return the fans of all generations, the cheapest first."""
        start = self.fans["fan_rental_price_contract_mean"].isel(month=0).values
        names = [labels(self.fans, GENERATION)[i] for i in np.argsort(start, kind="stable")]
        return [self.fan(series, name, generation=name) for name in names]


def logarithmic(draw: Draw) -> Draw:
    """Return a panel with a logarithmic vertical axis in plain numbers."""

    def drawn(axes: Axes) -> Axes:
        draw(axes)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(10.0, subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        return axes

    return drawn


def picture(name: str, title: str, panels: Sequence[Draw], columns: int = 2) -> Picture:
    """Lay panels out, with the legend of the fans below all of them; a lone panel has no fan."""
    return Picture(
        name,
        f"{title}. {BANDS} {LINES}",
        f"{title}: fan charts and sample paths by month.",
        panels,
        shared_legend=len(panels) > 1,
        columns=columns,
        width=10.4 / max(2, columns),
        height=2.6,
        bottom=BELOW_DATES,
    )


def market_pictures(market: xr.Dataset, fans: xr.Dataset) -> dict[str, Picture]:
    """Return a figure for each driver, and one for each price by generation.

    Parameters
    ----------
    market : Dataset
        From `simulator.simulate_market`.
    fans : Dataset
        From `simulator.analytics.market.market_fans`.

    Returns
    -------
    dict of str to Picture
        By the name of the driver's page in docs/drivers.
    """
    at = Panels(market, fans)
    names = labels(fans, GENERATION)
    gpu = FAVOURITE if FAVOURITE in names else names[0]
    tariffs = fans["fan_tariff_factor_mean"].isel(month=-1).values
    place = labels(fans, "jurisdiction")[int(np.argmax(tariffs))]
    drawn = [
        picture(
            "demand",
            "Demand for compute",
            [
                *at.pair("demand_index", "Compute demand (log scale)", reference=1.0, log=True),
                at.shares("air_pocket", "Paths in an air pocket"),
                at.paths("demand_growth_multiplier", "Growth against plan, sample paths"),
            ],
        ),
        picture(
            "efficiency",
            "Efficiency breakthroughs",
            [
                *at.pair("efficiency_offset", "Demand added or lost", reference=0.0),
                *at.pair("sentiment", "Spot prices moved by sentiment", reference=0.0),
            ],
        ),
        picture(
            "silicon",
            "Custom silicon and captive capacity",
            [
                *at.pair("custom_silicon_share", "Share of custom silicon"),
                at.shares("captive_offered", "Paths with captive capacity on offer"),
                at.paths("captive_release", "Capacity it adds, sample paths"),
            ],
        ),
        picture(
            "memory",
            "The memory cycle",
            [
                *at.pair("memory_price_index", "Memory price (log scale)", reference=1.0, log=True),
                *at.pair("memory_cost_factor", "Cost of an undelivered server", reference=1.0),
                at.shares("memory_regime", "State of the market", ("shortage", "balanced", "glut")),
                at.paths("memory_regime", "State of the market, sample paths"),
            ],
        ),
        picture(
            "supply",
            "Supply",
            [
                *at.pair("capacity_index", "Compute capacity (log scale)", reference=1.0, log=True),
                *at.pair("pipeline", "Capacity committed or on order"),
                *at.pair("tightness", "Tightness", reference=0.0),
            ],
        ),
        picture(
            "prices",
            "Rental prices",
            [
                *at.pair("rental_price_contract", f"{gpu}, one-year contract", generation=gpu),
                *at.pair("rental_price_spot", f"{gpu}, spot", generation=gpu),
                *at.pair("price_deviation", "What tightness and memory add (log)", reference=0.0),
                *at.pair("release_steps", "What newer generations take (log)"),
                *at.pair("utilisation", "Utilisation of the market"),
            ],
        ),
        picture(
            "collateral",
            "Resale values",
            at.pair(
                "resale_factor", f"{gpu}, against the resale curve", reference=1.0, generation=gpu
            ),
        ),
        picture("power", "Power", at.pair("power_price", "Power price, reference region")),
        picture(
            "delivery",
            "Delivery of sites",
            [at.shares("site_late", "A site due at t0 that still has no power")],
        ),
        picture("rates", "SOFR", at.pair("sofr", "SOFR")),
        picture(
            "spreads",
            "Credit spreads",
            [
                *at.pair("high_yield_spread", "High-yield spread", reference=800.0),
                at.shares("credit_market_shut", "Paths with the refinancing market shut"),
                at.paths("credit_market_shut", "Refinancing market shut, sample paths"),
            ],
        ),
        picture(
            "policy",
            "Policy events",
            [
                *at.pair("tariff_factor", f"Tariffs, {place}", reference=1.0, jurisdiction=place),
                *at.pair("resale_hit", f"Resale value lost, {place}", jurisdiction=place),
                at.shares("export_control", "Export control announced in the month"),
                at.paths("site_slip", f"Delay of sites, {place}, sample paths", jurisdiction=place),
            ],
        ),
        picture("easing", "Easing", [at.shares("easing", "Paths in which all constraints ease")]),
        picture("stress", "Stress of the sector", at.pair("stress", "Stress", reference=0.0)),
        picture(
            "contract_prices",
            "One-year contract prices",
            at.generations("rental_price_contract"),
            3,
        ),
        picture("spot_prices", "Spot prices", at.generations("rental_price_spot"), 3),
        picture(
            "resale_factors",
            "Resale values against the curve",
            at.generations("resale_factor"),
            3,
        ),
    ]
    if HALL in fans.dims:
        drawn.append(halls_picture(at))
    return {one.name: one for one in drawn}


def halls_picture(at: Panels) -> Picture:
    """Return rents and values of every kind of hall."""
    return picture(
        "halls",
        "Rents and values of data-centre halls",
        [
            panel
            for name in labels(at.fans, HALL)
            for panel in (
                *at.pair("hall_rent", f"{name}, rent", hall=name),
                *at.pair("hall_value_factor", f"{name}, value", reference=1.0, hall=name),
            )
        ],
    )
