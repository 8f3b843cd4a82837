"""What equity stands to get: spread of money multiples and profits by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from simulator.reports.figures.axis import percent_axis, shortened
from simulator.reports.style import BLUES, INK, LENDERS, MEDIAN


def spread(
    table: xr.Dataset,
    axes: Axes,
    variable: str,
    entity: str,
    names: Sequence[str],
    *,
    label: str,
    title: str = "",
    reference: float | None = None,
    percent: bool = False,
) -> Axes:
    """Draw, by name, the 5% to 95% range, the middle half and the median of a quantity."""
    rows = np.arange(len(names))
    picked = table[variable].sel({entity: list(names)})
    at = {level: picked.sel(probability=level).values for level in (0.05, 0.25, 0.5, 0.75, 0.95)}
    axes.barh(
        rows, at[0.95] - at[0.05], left=at[0.05], height=0.22, color=BLUES[1], label="5% to 95%"
    )
    axes.barh(
        rows, at[0.75] - at[0.25], left=at[0.25], height=0.56, color=BLUES[3], label="25% to 75%"
    )
    axes.plot(at[0.5], rows, "|", color="white", markersize=15, markeredgewidth=4.5)
    axes.plot(at[0.5], rows, "|", color=MEDIAN, markersize=14, markeredgewidth=2.4)
    axes.plot([], [], color=MEDIAN, linewidth=2.4, label="median")
    if reference is not None:
        axes.axvline(reference, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(rows, [shortened(name) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    if percent:
        percent_axis(axes, "x")
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    low, high = float(np.nanmin(at[0.05])), float(np.nanmax(at[0.95]))
    room = 0.04 * (high - low) if np.isfinite(high - low) and high > low else 0.5
    axes.set_xlim(0.0 if low >= 0.0 else low - room, high + room)
    axes.set_xlabel(label)
    axes.legend(loc="best")
    axes.set_title(title)
    return axes


def chances(
    table: xr.Dataset,
    axes: Axes,
    entity: str,
    names: Sequence[str],
    *,
    title: str = "",
) -> Axes:
    """Draw, by name, how likely a loss and a wipe-out are, with ± 2 standard errors."""
    rows = np.arange(len(names))
    picked = table.sel({entity: list(names)})
    for variable, label, marker, colour in (
        ("pnl_loss_probability", "loss after the hurdle rate", "o", BLUES[3]),
        ("wipe_out_probability", "wiped out", "D", LENDERS),
    ):
        axes.errorbar(
            picked[variable].values,
            rows,
            xerr=2.0 * picked[f"{variable}_se"].values,
            fmt=marker,
            color=colour,
            ecolor=INK,
            elinewidth=1.0,
            capsize=2.5,
            markersize=6,
            label=label,
        )
    axes.set_yticks(rows, [shortened(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=min(0.0, float(axes.get_xlim()[0])))
    percent_axis(axes, "x")
    axes.set_xlabel("probability")
    axes.legend(loc="best")
    axes.set_title(title)
    return axes
