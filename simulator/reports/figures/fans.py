"""Fan charts: quantiles of a series by month."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simulator.reports.figures.axis import (
    FROM_ZERO,
    PERCENT,
    date_axis,
    money_axis,
    percent_axis,
    unit_of,
)
from simulator.reports.style import BLUES, INK, MEDIAN

BANDS: Final = ((0.01, 0.99), (0.05, 0.95), (0.10, 0.90), (0.25, 0.75))


def fan(
    dataset: xr.Dataset,
    axes: Axes,
    series: str,
    *,
    title: str = "",
    reference: float | None = None,
    clip: float | None = None,
    **entity: str,
) -> Axes:
    """Draw the fan of one series.

    Parameters
    ----------
    dataset : Dataset
        With ``fan_<series>(quantile, month[, entity])`` and the coordinate ``date(month)``.
    axes : Axes
        Where to draw.
    series : str
        Name of the series.
    title : str
        Title of the panel.
    reference : float, optional
        Level at which to draw a thin line, e.g. a coverage of 1.
    clip : float, optional
        Upper end of the axis at most; the title says so where the fan is cut.
    **entity : str
        Id along the entity dimension, e.g. ``generation="H100"``.

    Returns
    -------
    Axes
    """
    quantiles = dataset[f"fan_{series}"].sel(entity)
    dates = dataset["date"].values
    for (low, high), colour in zip(BANDS, BLUES, strict=True):
        axes.fill_between(
            dates,
            quantiles.sel(quantile=low).values,
            quantiles.sel(quantile=high).values,
            color=colour,
            linewidth=0,
            label=f"{low:.0%} to {high:.0%}",
        )
    median = quantiles.sel(quantile=0.5).values
    if reference is not None:
        axes.axhline(reference, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.plot(dates, median, color="white", linewidth=3.2, solid_capstyle="butt")
    axes.plot(dates, median, color=MEDIAN, linewidth=1.7, label="median")
    _axis(axes, series, str(dataset[f"fan_{series}"].attrs.get("units", "1")), dates)
    top = float(np.nanmax(quantiles.values)) if np.isfinite(quantiles.values).any() else 1.0
    if clip is not None and top > clip:
        axes.set_ylim(top=clip)
        title = f"{title} (axis cut at {clip:g})"
    axes.set_title(title)
    return axes


def _axis(axes: Axes, series: str, units: str, dates: NDArray[np.datetime64]) -> None:
    """Give the axes their units and dates."""
    axes.set_xlim(dates[0], dates[-1])
    date_axis(axes)
    if series in PERCENT or units == "1/year":
        percent_axis(axes)
    elif units == "million USD":
        money_axis(axes)
    axes.set_ylabel(unit_of(series, units))
    if series in FROM_ZERO:
        axes.set_ylim(bottom=0.0)
