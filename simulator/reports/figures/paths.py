"""Sample paths, and shares of paths by month."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from simulator.analytics.frame import labels
from simulator.dataset.dims import MONTH
from simulator.reports.figures.axis import FROM_ZERO, PERCENT, date_axis, percent_axis, unit_of
from simulator.reports.style import BLUES, line_style

EXAMPLES: Final = 4
"""Paths that are drawn: the first ones, chosen by nothing."""


def sample_paths(
    market: xr.Dataset, fans: xr.Dataset, axes: Axes, series: str, *, title: str = "", **entity: str
) -> Axes:
    """Draw the first paths of a series over the band that holds 90% of all paths.

    Parameters
    ----------
    market : Dataset
        With ``<series>(path, month[, entity])`` and the coordinate ``date(month)``.
    fans : Dataset
        Its fans.
    axes : Axes
        Where to draw.
    series : str
        Name of the series.
    title : str
        Title of the panel.
    **entity : str
        Id along the entity dimension.

    Returns
    -------
    Axes
    """
    dates = market["date"].values
    if f"fan_{series}" in fans:
        band = fans[f"fan_{series}"].sel(entity)
        low, high = (band.sel(quantile=level).values for level in (0.05, 0.95))
        axes.fill_between(dates, low, high, color=BLUES[0], linewidth=0)
    lines = market[series].sel(entity)
    states = str(lines.attrs.get("flag_meanings", "")).split()
    drawn = "steps-post" if states else "default"
    for i in range(min(EXAMPLES, market.sizes["path"])):
        axes.plot(dates, lines.isel(path=i).values, drawstyle=drawn, **line_style(i))
    axes.set_xlim(dates[0], dates[-1])
    date_axis(axes)
    units = str(lines.attrs["units"])
    if series in PERCENT or units == "1/year":
        percent_axis(axes)
    if states:
        axes.set_yticks(range(len(states)), states)
    else:
        axes.set_ylabel(unit_of(series, units))
    if series in FROM_ZERO:
        axes.set_ylim(bottom=0.0)
    axes.set_title(title)
    return axes


def shares_of_paths(
    fans: xr.Dataset, axes: Axes, series: str, states: Sequence[str], *, title: str = ""
) -> Axes:
    """Draw the share of paths in some states of a code with ± 2 standard errors.

    Parameters
    ----------
    fans : Dataset
        With ``share_<series>(<series>_state, month[, entity])`` and ``share_<series>_se``.
    axes : Axes
        Where to draw.
    series : str
        Name of the code.
    states : sequence of str
        Which states; a code of yes and no needs no legend.
    title : str
        Title of the panel.

    Returns
    -------
    Axes
    """
    dates = fans["date"].values
    entity = [dim for dim in fans[f"share_{series}"].dims if dim not in (f"{series}_state", MONTH)]
    lines = [
        ({f"{series}_state": state, **dict(zip(entity, ids, strict=True))}, " ".join(ids) or state)
        for state in states
        for ids in product(*(labels(fans, str(dim)) for dim in entity))
    ]
    for i, (where, words) in enumerate(lines):
        share, error = (fans[f"share_{series}{part}"].sel(where).values for part in ("", "_se"))
        style = line_style(i)
        low = np.maximum(0.0, share - 2.0 * error)
        axes.fill_between(
            dates, low, share + 2.0 * error, color=style["color"], alpha=0.25, linewidth=0
        )
        axes.plot(dates, share, label=words, **style)
    axes.set_xlim(dates[0], dates[-1])
    date_axis(axes)
    axes.set_ylim(bottom=0.0)
    percent_axis(axes)
    axes.set_ylabel("share of paths ± 2 s.e.")
    if len(lines) > 1:
        axes.legend(loc="best")
    axes.set_title(title)
    return axes
