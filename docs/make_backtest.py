"""The back-test of January 2024: rents of an H100 as simulated then, against what they did.

Used by make_pages.py, which writes docs/drivers/backtest.md and its figure.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simulator.analytics.estimate import format_significant
from simulator.dataset.order_statistics import LEVELS, quantiles_at
from simulator.reports.canvas import Picture
from simulator.reports.figures.axis import date_axis, percent_axis
from simulator.reports.style import BLUES, INK, LENDERS, MEDIAN

ROOT: Final = Path(__file__).resolve().parents[1]
STUDY: Final = ROOT / "configs" / "validation" / "backtest-2024.yaml"
DATA: Final = STUDY.with_suffix("")
GPU: Final = "H100"
OUTER, INNER = (0.05, 0.95), (0.25, 0.75)


@dataclass(frozen=True)
class Series:
    """Observations of one quantity beside the paths that were simulated for it.

    Attributes
    ----------
    name : str
        What it is.
    months : ndarray (n,)
        Months after t0 of the observations.
    observed : ndarray (n,)
        What came.
    paths : ndarray (month, path)
        What was simulated, by month 0..H; NaN where there is no value (a change at t0).
    """

    name: str
    months: NDArray[np.int64]
    observed: NDArray[np.float64]
    paths: NDArray[np.float64]

    def band(self, levels: tuple[float, float]) -> NDArray[np.float64]:
        """Return the lower and upper quantile by month, (2, month)."""
        ordered = np.sort(self.paths, axis=1)
        found = np.array([quantiles_at(lambda k, x=x: x[k - 1], len(x))[0] for x in ordered])
        return found[:, [LEVELS.index(level) for level in levels]].T

    def inside(self, levels: tuple[float, float]) -> NDArray[np.bool_]:
        """Return which observations lie in a band, its edges included."""
        low, high = self.band(levels)[:, self.months]
        return (low <= self.observed) & (self.observed <= high)

    @property
    def ranks(self) -> NDArray[np.float64]:
        """Share of paths below each observation."""
        return (self.paths[self.months] < self.observed[:, None]).mean(axis=1)


@dataclass(frozen=True)
class Backtest:
    """What was simulated from t0 on, and what came."""

    dates: NDArray[np.datetime64]  # (month,), ends of months 0..H
    contract: Series  # one-year contract price, USD per GPU-hour
    level: Series  # list price against simulated spot price
    spot_change: Series  # monthly log change of the list price against that of spot
    contract_change: Series  # the same against that of the contract price

    @property
    def series(self) -> tuple[Series, ...]:
        """All comparisons, in the order of the page."""
        return self.contract, self.level, self.spot_change, self.contract_change


def read_points(name: str, start: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return months after the start month and prices of a table of `DATA`."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    first = np.datetime64(start, "M")
    months = [(np.datetime64(row["month"], "M") - first).astype(int) for row in rows]
    return np.array(months, dtype=np.int64), np.array([float(row["price"]) for row in rows])


def compare(market: xr.Dataset) -> Backtest:
    """Hold a simulated market against the observations.

    Parameters
    ----------
    market : Dataset
        From `simulator.simulate_market` of `STUDY`.
    """
    start = str(market.attrs["start"])
    spot, contract = (
        market[f"rental_price_{kind}"].sel(generation=GPU).transpose("month", "path").values
        for kind in ("spot", "contract")
    )
    contract_months, contract_prices = read_points("contract_prices.csv", start)
    months, prices = read_points("list_prices.csv", start)
    if months[0] != 0 or (np.diff(months) != 1).any():
        raise ValueError("list prices: expected every month from t0 on")
    rebased = prices * (float(spot[0, 0]) / prices[0])
    changes = np.diff(np.log(prices))

    def monthly(paths: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.diff(np.log(paths.astype(np.float64)), axis=0, prepend=np.nan)

    return Backtest(
        dates=market["date"].values,
        contract=Series(
            "one-year contract price", contract_months, contract_prices, contract.astype(float)
        ),
        level=Series(
            "list price, rebased to t0, in the band of spot prices",
            months[1:],
            rebased[1:],
            spot.astype(float),
        ),
        spot_change=Series(
            "monthly change of the list price, in the band of spot changes",
            months[1:],
            changes,
            monthly(spot),
        ),
        contract_change=Series(
            "the same, in the band of contract changes", months[1:], changes, monthly(contract)
        ),
    )


def share_table(test: Backtest) -> str:
    """Return, as Markdown, what share of the observations fell inside the bands."""
    rows = [
        "| series | observations | inside 5-95% | inside 25-75% | below the median |",
        "|---|---:|---:|---:|---:|",
    ]
    for one in test.series:
        cells = [one.inside(OUTER), one.inside(INNER), one.ranks < 0.5]
        rows.append(
            f"| {one.name} | {len(one.observed)} | "
            + " | ".join(f"{int(cell.sum())} ({cell.mean():.0%})" for cell in cells)
            + " |"
        )
    rows.append("| expected if the model were right | | 90% | 50% | 50% |")
    return "\n".join(rows)


def share_sentence(test: Backtest) -> str:
    """Say, as Markdown, how many observations fell inside the 5-95% band."""
    told = []
    for one, words in zip(
        (test.contract, test.level, test.spot_change),
        (
            "one-year contract prices",
            "levels of the list price",
            "monthly changes of the list price",
        ),
        strict=True,
    ):
        inside = one.inside(OUTER)
        told.append(f"{inside.sum()} of {len(inside)} {words} ({inside.mean():.0%})")
    first, second, third = told
    return (
        f"**Inside the 5-95% band fell {first}, {second} and {third}.** "
        "Of a right model it would be 90%."
    )


def point_table(test: Backtest) -> str:
    """Return, as Markdown, the contract points and the year-ends of the list price."""
    rows = [
        "| month | series | observed | 5% | 25% | median | 75% | 95% | share of paths below |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    ends = [
        (test.contract, range(len(test.contract.months)), "one-year contract"),
        (test.level, [4, 10, 16, 20, 26, 31], "list, rebased"),
    ]
    for series, picked, name in ends:
        bands = (*series.band(OUTER), *series.band(INNER), series.band((0.5, 0.5))[0])
        low, high, lower, upper, middle = bands
        for i in picked:
            month = int(series.months[i])
            date = test.dates[month].astype("datetime64[M]")
            told = (series.observed[i], low[month], lower[month], middle[month], upper[month])
            cells = " | ".join(f"{value:.2f}" for value in (*told, high[month]))
            rows.append(f"| {date} | {name} | {cells} | {series.ranks[i]:.0%} |")
    return "\n".join(rows)


def volatility_table(test: Backtest) -> str:
    """Return, as Markdown, yearly volatilities: of the list, and of simulated paths."""
    last = int(test.spot_change.months[-1])
    rows = ["| series | yearly volatility of monthly log changes |", "|---|---:|"]
    observed = float(np.std(test.spot_change.observed, ddof=1) * np.sqrt(12.0))
    rows.append(f"| list price, {last} months | {observed:.0%} |")
    for name, series in (("spot", test.spot_change), ("contract", test.contract_change)):
        by_path = np.std(series.paths[1 : last + 1], axis=0, ddof=1) * np.sqrt(12.0)
        low, middle, high = np.quantile(by_path, [0.05, 0.5, 0.95])
        below = float((by_path < observed).mean())
        rows.append(
            f"| simulated {name} price, same months: median of paths (5% to 95%) "
            f"| {middle:.0%} ({low:.0%} to {high:.0%}); {format_significant(100 * below, 2)}% of "
            "paths were calmer than the list |"
        )
    return "\n".join(rows)


def bands(
    axes: Axes,
    test: Backtest,
    series: Series,
    title: str,
    unit: str,
    *,
    first: int = 0,
    label: str = "observed",
) -> Axes:
    """Draw 5-95% and 25-75% bands, the median, and the observations."""
    dates = test.dates[first:]
    for levels, colour, name in ((OUTER, BLUES[1], "5% to 95%"), (INNER, BLUES[3], "25% to 75%")):
        low, high = series.band(levels)[:, first:]
        axes.fill_between(dates, low, high, color=colour, linewidth=0, label=name)
    median = series.band((0.5, 0.5))[0][first:]
    axes.plot(dates, median, color="white", linewidth=3.2)
    axes.plot(dates, median, color=MEDIAN, linewidth=1.7, label="median")
    joined = len(series.months) > 3
    axes.plot(
        test.dates[series.months],
        series.observed,
        linestyle="-" if joined else "",
        linewidth=0.9,
        color=INK,
        marker="o",
        markersize=3.2 if joined else 7,
        markeredgecolor="white",
        markeredgewidth=0.7,
        label=label,
    )
    axes.set_xlim(test.dates[0], test.dates[-1])
    date_axis(axes)
    axes.set_ylabel(unit)
    if first == 0:  # prices, not changes
        axes.set_ylim(bottom=0.0)
    axes.set_title(title)
    return axes


def ranks(axes: Axes, test: Backtest) -> Axes:
    """Draw where in the simulated law each observation fell."""
    for level in (0.05, 0.95):
        axes.axhline(level, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.axhspan(0.05, 0.95, color=BLUES[0], linewidth=0)
    for series, marker, colour, size, name in (
        (test.level, "o", INK, 4, "list price level"),
        (test.contract, "D", LENDERS, 8, "one-year contract"),
    ):
        axes.plot(
            test.dates[series.months],
            series.ranks,
            marker,
            color=colour,
            markersize=size,
            markeredgecolor="white",
            label=name,
        )
    axes.set_xlim(test.dates[0], test.dates[-1])
    date_axis(axes)
    axes.set_ylim(0.0, 1.0)
    percent_axis(axes)
    axes.set_ylabel("share of paths below")
    axes.legend(loc="best")
    axes.set_title("Where the observations fell among the paths")
    return axes


def picture(test: Backtest) -> Picture:
    """Return the figure of the back-test."""
    rent = "USD per GPU-hour"
    panels: Sequence[Callable[[Axes], Axes]] = (
        lambda axes: bands(axes, test, test.contract, "H100, one-year contract", rent),
        lambda axes: bands(axes, test, test.level, "H100, list price in the band of spot", rent),
        lambda axes: bands(
            axes,
            test,
            test.spot_change,
            "Monthly change of the list price in the band of spot",
            "log change in a month",
            first=1,
        ),
        lambda axes: ranks(axes, test),
    )
    return Picture(
        "backtest",
        "H100 prices simulated from January 2024 and what came.",
        "Four panels: one-year contract price, list price and its monthly changes over the bands "
        "simulated from January 2024, and where each observation fell among the paths.",
        panels,
        columns=2,
        width=5.2,
        height=2.9,
        bottom=0.3,
        shared_legend=True,
    )
