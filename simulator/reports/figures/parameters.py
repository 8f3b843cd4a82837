"""What uncertain parameters do to losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from simulator.reports.figures.axis import money_axis, shortened
from simulator.reports.style import BLUES, INK


def effect_bars(
    table: xr.Dataset,
    axes: Axes,
    variable: str,
    parameters: Sequence[str],
    *,
    title: str = "",
    label: str = "",
) -> Axes:
    """Draw one bar per parameter to either side of 0 with ± 2 standard errors, the first on top."""
    picked = table[[variable, f"{variable}_se"]].sel(parameter=list(parameters))
    values, errors = picked[variable].values, picked[f"{variable}_se"].values
    rows = np.arange(len(parameters))
    axes.barh(rows, values, height=0.62, color=BLUES[3])
    axes.errorbar(
        values, rows, xerr=2.0 * errors, fmt="none", ecolor=INK, elinewidth=1.0, capsize=2.5
    )
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.set_yticks(rows, [shortened(name) for name in parameters])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    money_axis(axes, "x")
    axes.set_xlabel(label)
    axes.set_title(title)
    return axes
