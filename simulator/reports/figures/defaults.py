"""Why and when facilities and names default."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from simulator.reports.figures.axis import money_axis, percent_axis, shortened, words
from simulator.reports.style import BLUES, HATCHES, INK, LINES, line_style


def cause_bars(
    table: xr.Dataset, axes: Axes, facilities: Sequence[str], *, title: str = ""
) -> Axes:
    """Stack the probability of default of each facility by its cause."""
    rows = np.arange(len(facilities))
    base = np.zeros(len(facilities))
    for i, cause in enumerate(table["cause"].values):
        values = table["default_probability"].sel(facility=list(facilities), cause=cause).values
        axes.barh(
            rows,
            values,
            height=0.62,
            left=base,
            color=LINES[i],
            hatch=HATCHES[i],
            edgecolor="white",
            linewidth=0.6,
            label=words(str(cause)),
        )
        base = base + values
    axes.set_yticks(rows, [shortened(name) for name in facilities])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    percent_axis(axes, "x")
    axes.set_xlabel("probability of default within the horizon")
    axes.set_title(title)
    return axes


def cause_losses(table: xr.Dataset, axes: Axes, *, title: str = "") -> Axes:
    """Draw the expected loss of the book by cause with ± 2 standard errors."""
    values, errors = table["book_expected_loss"].values, table["book_expected_loss_se"].values
    rows = np.arange(table.sizes["cause"])
    axes.barh(rows, values, height=0.62, color=BLUES[3])
    axes.errorbar(
        values, rows, xerr=2.0 * errors, fmt="none", ecolor=INK, elinewidth=1.0, capsize=2.5
    )
    axes.set_yticks(rows, [words(str(cause)) for cause in table["cause"].values])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    money_axis(axes, "x")
    axes.set_xlim(left=0.0)
    axes.set_xlabel("expected loss of the book, USD m (PV)")
    axes.set_title(title)
    return axes


def default_curves(
    table: xr.Dataset, axes: Axes, entity: str, names: Sequence[str], *, title: str = ""
) -> Axes:
    """Draw cumulative probabilities of default by year with ± 2 standard errors."""
    years = np.concatenate(([0], table["year"].values))
    for i, name in enumerate(names):
        picked = table.sel({entity: name})
        values = np.concatenate(([0.0], picked["default_probability"].values))
        errors = np.concatenate(([0.0], picked["default_probability_se"].values))
        style = line_style(i)
        axes.fill_between(
            years, values - 2 * errors, values + 2 * errors, color=style["color"], alpha=0.16, lw=0
        )
        axes.plot(years, values, label=shortened(name), marker="o", markersize=2.5, **style)
    axes.set_xlim(0, float(years[-1]))
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(years)
    percent_axis(axes)
    axes.set_xlabel("years from the start")
    axes.set_ylabel("cumulative probability of default")
    axes.legend(loc="upper left")
    axes.set_title(title)
    return axes
