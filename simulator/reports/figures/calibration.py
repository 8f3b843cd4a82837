"""Calibrations: the data, the fit through them, and how firmly the data hold it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from simulator.calibration import (
    HazardCalibration,
    MemoryCalibration,
    PriceCalibration,
    RateCalibration,
)
from simulator.reports.figures.axis import date_axis, percent_axis
from simulator.reports.style import BLUES, INK, LINES, MEDIAN, MUTED, line_style

YEARS_FOR_JANUARIES: Final = 1.5
"""Years of a series from which on its axis marks Januaries only."""
LONG_WEEKEND: Final = 5.0
"""Days."""
MANY: Final = 120
"""Values above which a series is a line without dots."""
LOWEST: Final = -8.0
"""Log-likelihood below its maximum at which the axis of a profile ends."""
TALL: Final = 2.2
"""Height of a panel between its axes, in inches; distances below it are in inches too."""
SHADES: Final = ("#f3f4f6", "#fde3cf", BLUES[0])
"""Balanced, shortage, glut."""
GRADES: Final = {1: "AAA", 3: "AA", 6: "A", 9: "BBB", 12: "BB", 15: "B", 18: "CCC"}


def prices(found: PriceCalibration, axes: Axes) -> Axes:
    """Draw prices, their trend and two stationary standard deviations about it."""
    when = _dates(found.series.dates)
    low, high = (np.exp(found.trend + side * found.sd) for side in (-2.0, 2.0))
    label = "two standard deviations"
    axes.fill_between(when, low, high, color=BLUES[0], linewidth=0, label=label)
    axes.plot(when, np.exp(found.trend), color=LINES[0], linewidth=1.4, label="trend")
    _observed(axes, when, found.series.values)
    axes.set_ylabel("USD per GPU-hour")
    axes.set_ylim(0.0, 1.08 * max(float(high.max()), float(found.series.values.max())))
    axes.set_title(f"{found.series.column}: prices and fitted trend")
    _legend(axes)
    return _calendar(axes, found.series.span)


def reversion(found: PriceCalibration, axes: Axes) -> Axes:
    """Draw the profile log-likelihood of kappa, its 95% interval, and the base value."""
    estimate = found.estimates[0]
    low, high = (float(np.clip(end, found.kappas[0], found.kappas[-1])) for end in found.interval)
    axes.axvspan(low, high, color=BLUES[0], linewidth=0, label="95% interval")
    axes.plot(found.kappas, found.heights, color=LINES[0], label="profile log-likelihood")
    axes.axvline(estimate.value, color=INK, linewidth=1.0, label="estimate")
    axes.axvline(estimate.base, color=MEDIAN, linestyle="--", linewidth=1.4, label="base value")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(found.kappas[0], found.kappas[-1])
    axes.set_ylim(LOWEST, 0.5)
    axes.set_xlabel(f"{estimate.id}, per year")
    axes.set_ylabel("log-likelihood less maximum")
    axes.set_title("How firmly the series holds mean reversion")
    _legend(axes, below=0.42)
    return axes


def cycle(found: MemoryCalibration, axes: Axes) -> Axes:
    """Draw the memory price over the most likely regime of each month."""
    when = _dates(found.series.dates)
    month = when[1:]
    told: set[int] = set()
    for spell in found.spells:
        first = month[spell.first - 1] if spell.first else when[0]
        last = month[spell.first + spell.months - 1]
        name = ("balanced", "shortage", "glut")[spell.regime]
        axes.axvspan(
            first,
            last,
            color=SHADES[spell.regime],
            linewidth=0,
            label=None if spell.regime in told else name,
        )
        told.add(spell.regime)
    _observed(axes, when, found.series.values)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("index, log axis")
    axes.set_title(f"{found.series.column}: index and most likely regime")
    _legend(axes)
    return _calendar(axes, found.series.span)


def probabilities(found: MemoryCalibration, axes: Axes) -> Axes:
    """Draw the probability of each regime given all months."""
    when = _dates(found.series.dates)[1:]
    for i, name in enumerate(("balanced", "shortage", "glut")):
        axes.plot(when, found.probabilities[:, i], label=name, **line_style(i))
    axes.set_ylim(0.0, 1.02)
    percent_axis(axes)
    axes.set_title("Probability of each regime, given the whole series")
    _legend(axes)
    return _calendar(axes, found.series.span)


def rates(found: RateCalibration, axes: Axes) -> Axes:
    """Draw rates and their long-run level."""
    when = _dates(found.series.dates)
    _observed(axes, when, found.rates)
    label = "long-run level fitted"
    axes.axhline(found.mean, color=MEDIAN, linestyle="--", linewidth=1.4, label=label)
    low, high = float(found.rates.min()), float(found.rates.max())
    room = 0.25 * (high - low)
    if not low - room <= found.mean <= high + room:
        axes.set_ylim(low - room, high + room)
        axes.plot([], [], " ", label=f"(outside: {found.mean:.1%})")
    percent_axis(axes)
    axes.set_title(f"{found.series.column}: rates as seen")
    _legend(axes)
    return _calendar(axes, found.series.span)


def surprises(found: RateCalibration, axes: Axes) -> Axes:
    """Draw the steps that the fit did not expect beside the normal law."""
    bins = np.linspace(-5.0, 5.0, 41)
    shown = np.clip(found.surprises, -5.0, 5.0)
    label = "steps (ends: 5 and beyond)"
    axes.hist(shown, bins=bins.tolist(), density=True, color=BLUES[2], label=label)
    density = np.exp(-0.5 * bins**2) / math.sqrt(2 * math.pi)
    axes.plot(bins, density, color=INK, linewidth=1.2, label="normal")
    axes.set_xlabel("standard deviations")
    axes.set_ylabel("density")
    axes.set_title("Steps beside what the fit expects")
    _legend(axes, below=0.42)
    return axes


def hazards(found: HazardCalibration, axes: Axes) -> Axes:
    """Draw hazards by year for each letter: cells of the table as dots, the curve as a line."""
    years = np.arange(1, found.hazards.shape[1] + 1)
    for i, notch in enumerate(sorted(set(found.cells.notch.astype(int).tolist()))):
        style, here = line_style(i), found.cells.notch == notch
        name = GRADES.get(notch, f"notch {notch}")
        axes.plot(years, found.hazards[notch - 1], label=name, **style)
        axes.plot(found.cells.year[here], found.cells.hazard[here], "o", color=style["color"], ms=4)
    _hazard_axis(axes)
    axes.set_xticks(years)
    axes.set_xlabel("year")
    axes.set_title("Default hazards by year: averages (dots) and curve")
    _legend(axes, below=0.42)
    return axes


def notches(found: HazardCalibration, axes: Axes) -> Axes:
    """Draw the curve along the notches for three years."""
    places = np.arange(1, len(found.hazards) + 1)
    for i, year in enumerate((1, 3, 6)):
        style, here = line_style(i), found.cells.year == year
        axes.plot(places, found.hazards[:, year - 1], label=f"year {year}", **style)
        axes.plot(
            found.cells.notch[here], found.cells.hazard[here], "o", color=style["color"], ms=4
        )
    _hazard_axis(axes)
    axes.set_xticks(list(GRADES), list(GRADES.values()))
    axes.set_title("Along the ratings")
    _legend(axes)
    return axes


def _observed(axes: Axes, when: NDArray[np.datetime64], values: NDArray[np.float64]) -> None:
    """Draw values as they were seen; a line bridges weekends, but no longer gap."""
    gaps = np.diff(when).astype(float)
    wide = np.flatnonzero(gaps > np.maximum(LONG_WEEKEND, 1.5 * np.median(gaps))) + 1
    axes.plot(
        np.insert(when, wide, when[wide]),
        np.insert(values, wide, np.nan),
        color=MUTED if len(when) > MANY else INK,
        linewidth=1.0,
        marker="" if len(when) > MANY else "o",
        markersize=3.2,
        label="seen",
    )


def _legend(axes: Axes, *, below: float = 0.24) -> None:
    """Put the legend below the axis, where it hides nothing."""
    names = axes.get_legend_handles_labels()[1]
    place = (0.5, -below / TALL)
    axes.legend(loc="upper center", bbox_to_anchor=place, ncols=max(1, min(7, len(names))))


def _dates(dates: Sequence[str]) -> NDArray[np.datetime64]:
    return np.array([np.datetime64(one, "D") for one in dates])


def _calendar(axes: Axes, years: float) -> Axes:
    axes.margins(x=0.02)
    return date_axis(axes) if years >= YEARS_FOR_JANUARIES else axes


def _hazard_axis(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.set_ylabel("per year")
