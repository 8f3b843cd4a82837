"""Losses of lenders: exceedance curves, by facility, absorbed by equity first, convergence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from simulator.reports.figures.axis import money_axis, shortened
from simulator.reports.style import BLUES, EQUITY, INK, LENDERS, LINES, MEDIAN, line_style


def book_exceedance(table: xr.Dataset, axes: Axes, *, title: str = "") -> Axes:
    """Draw the exceedance curve of the book with its confidence band, probabilities in log."""
    x = table["book_loss"].values
    axes.fill_between(
        x,
        _positive(table["book_exceedance_lower"]),
        _positive(table["book_exceedance_upper"]),
        color=BLUES[1],
        linewidth=0,
        label="95% band, pointwise",
    )
    axes.plot(x, _positive(table["book_exceedance"]), color=LINES[0], label="book")
    axes.legend(loc="upper right")
    return _exceedance_axis(axes, table, title)


def facility_exceedance(
    table: xr.Dataset, axes: Axes, facilities: Sequence[str], *, title: str = ""
) -> Axes:
    """Draw the exceedance curves of several facilities with their confidence bands."""
    for i, name in enumerate(facilities):
        curve = table.sel(facility=name)
        style = line_style(i)
        x = curve["loss"].values
        axes.fill_between(
            x,
            _positive(curve["exceedance_lower"]),
            _positive(curve["exceedance_upper"]),
            color=style["color"],
            alpha=0.16,
            linewidth=0,
        )
        axes.plot(x, _positive(curve["exceedance"]), label=shortened(name), **style)
    axes.legend(loc="best")
    return _exceedance_axis(axes, table, title)


def _positive(values: xr.DataArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Probabilities as a log axis can show them: none at zero."""
    array = np.asarray(values.values, dtype=np.float64)
    return np.where(array > 0.0, array, np.nan)


def _exceedance_axis(axes: Axes, table: xr.Dataset, title: str) -> Axes:
    """Log axis in percent down to one path in all, or as far as weights reach; money below."""
    known = table["book_exceedance"].values
    lowest = min(1.0 / int(table.attrs["paths"]), float(np.min(known[known > 0.0], initial=1.0)))
    axes.set_yscale("log")
    axes.set_ylim(0.8 * lowest, 1.0)
    axes.yaxis.set_major_locator(LogLocator(10.0))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.10g}%"))
    money_axis(axes, "x")
    axes.set_xlim(left=0.0)
    axes.set_xlabel("loss, USD m (PV)")
    axes.set_ylabel("probability of a larger loss")
    axes.set_title(title)
    return axes


def facility_bars(
    table: xr.Dataset,
    axes: Axes,
    variable: str,
    facilities: Sequence[str],
    *,
    title: str = "",
    label: str = "",
) -> Axes:
    """Draw one bar per facility with ± 2 standard errors, the first on top."""
    picked = table[[variable, f"{variable}_se"]].sel(facility=list(facilities))
    values, errors = picked[variable].values, picked[f"{variable}_se"].values
    rows = np.arange(len(facilities))
    axes.barh(rows, values, height=0.62, color=BLUES[3])
    axes.errorbar(
        values, rows, xerr=2.0 * errors, fmt="none", ecolor=INK, elinewidth=1.0, capsize=2.5
    )
    axes.set_yticks(rows, [shortened(name) for name in facilities])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    money_axis(axes, "x")
    axes.set_xlim(left=min(0.0, float(axes.get_xlim()[0])))
    axes.set_xlabel(label)
    axes.set_title(title)
    return axes


def absorption(table: xr.Dataset, axes: Axes, *, title: str = "") -> Axes:
    """Stack the mean losses of equity and lenders, best paths first, with ± 2 standard errors."""
    base = np.zeros(table.sizes["bucket"])
    rows = np.arange(table.sizes["bucket"])
    for holder, colour, hatch in (("box equity", EQUITY, ""), ("lenders", LENDERS, "///")):
        values = table["mean_loss"].sel(holder=holder).values
        axes.bar(
            rows,
            values,
            0.66,
            bottom=base,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=holder,
        )
        base = base + values
        side = -0.12 if holder == "lenders" else 0.12
        axes.errorbar(
            rows + side,
            base,
            yerr=2.0 * table["mean_loss_se"].sel(holder=holder).values,
            fmt="none",
            ecolor=INK,
            elinewidth=1.0,
            capsize=2.5,
        )
    ends = zip(table["lower"].values, table["upper"].values, strict=True)
    axes.set_xticks(rows, [_slice(float(low), float(high)) for low, high in ends])
    axes.grid(visible=False, axis="x")
    money_axis(axes)
    axes.set_xlabel("paths ranked by combined loss")
    axes.set_ylabel("mean loss, USD m (PV)")
    axes.legend(loc="upper left")
    axes.set_title(title)
    return axes


def _slice(low: float, high: float) -> str:
    """Name a slice of paths from the best (0) to the worst (1)."""
    if low == 0.0:
        return f"best {high:.0%}"
    return f"worst {1 - low:.0%}" if high == 1.0 else f"{low:.0%} to {high:.0%}"


def convergence(table: xr.Dataset, axes: Axes, variable: str, *, title: str = "") -> Axes:
    """Draw a running estimate with ± 2 standard errors over the number of paths.

    `table` holds ``<variable>(paths)`` and ``<variable>_se``, at one level if it has any.
    """
    paths = table["paths"].values
    value, se = table[variable].values, table[f"{variable}_se"].values
    axes.fill_between(
        paths, value - 2 * se, value + 2 * se, color=BLUES[1], linewidth=0, label="± 2 SE"
    )
    axes.plot(paths, value, color=MEDIAN, label="running estimate")
    axes.axhline(float(value[-1]), color=INK, linewidth=0.7, linestyle=(0, (4, 3)))
    axes.set_xlim(0, float(paths[-1]))
    settled = slice(min(4, len(value) - 1), None)  # the first few would set the scale
    reach = 3 * np.nan_to_num(se)  # NaN where a single path is all there is
    low, high = float(np.min((value - reach)[settled])), float(np.max((value + reach)[settled]))
    if high > low:
        axes.set_ylim(min(low, float(value[-1])), max(high, float(value[-1])))
    money_axis(axes, "x")
    money_axis(axes)
    axes.set_xlabel("paths")
    axes.set_ylabel("USD m (PV)")
    axes.legend(loc="upper right", ncols=2)
    axes.set_title(title)
    return axes
