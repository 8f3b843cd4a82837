"""What several figures share: date axes, units in words, short money, shortened names."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, YearLocator
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

UNITS: Final = {"1": "", "million USD": "USD m", "1/year": "per year", "bp": "basis points"}
WORDS: Final = {
    "tightness": "log of demand over capacity",
    "price_deviation": "log of price over reference",
    "book_dscr": "times",
    "box_dscr": "times",
    "boxes_in_default": "number of boxes",
    "demand_index": "times demand at t0",
    "demand_growth_multiplier": "times planned growth",
    "efficiency_offset": "log of demand",
    "sentiment": "log of spot prices",
    "captive_release": "log of capacity",
    "memory_price_index": "times the price at t0",
    "memory_cost_factor": "times the cost at t0",
    "capacity_index": "times capacity at t0",
    "pipeline": "log of capacity",
    "release_steps": "log of rental prices",
    "resale_factor": "times the expected value",
    "hall_value_factor": "times the expected value",
    "stress": "log points",
    "tariff_factor": "times the cost before",
    "site_slip": "months of delay a month",
}
PERCENT: Final = frozenset({"utilisation", "box_ltv", "custom_silicon_share", "resale_hit"})
FROM_ZERO: Final = frozenset(
    {
        "outstanding_debt",
        "cumulative_lender_loss",
        "cumulative_recoveries",
        "cumulative_distributions",
        "book_dscr",
    }
    | {"boxes_in_default", "box_dscr", "box_ltv"}
    | {"rental_price_contract", "rental_price_spot", "resale_factor", "resale_hit"}
    | {"hall_rent", "hall_value_factor"}
)


def unit_of(series: str, units: str) -> str:
    """Return the unit as the axis of a series says it, empty where its ticks do."""
    return WORDS.get(series, UNITS.get(units, units))


def date_axis(axes: Axes) -> Axes:
    """Mark each January with its year, at most eight of them."""
    low, high = axes.get_xlim()
    years = max(1, round((high - low) / 365.25))
    locator = YearLocator(base=1 + (years - 1) // 8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(DateFormatter("%Y"))  # type: ignore[no-untyped-call]
    axes.grid(visible=True, axis="x", linewidth=0.4)
    return axes


def percent_axis(axes: Axes, which: str = "y", decimals: int | None = None) -> Axes:
    """Label an axis of fractions in percent."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(PercentFormatter(1.0, decimals=decimals))
    return axes


def money_axis(axes: Axes, which: str = "y") -> Axes:
    """Group thousands on an axis of USD m."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_major_locator(MaxNLocator(6))
    return axes


def shortened(name: str, length: int = 26) -> str:
    """Cut a long id so that it fits beside a bar.

    >>> shortened("A name that is far too long for an axis", 12)
    'A name that…'
    """
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"


def words(code: str) -> str:
    """Turn the name of a code into words.

    >>> words("costs_and_rates")
    'costs and rates'
    """
    return code.replace("_", " ").replace("ltv or ltc", "LTV or LTC").replace("dscr", "DSCR")
