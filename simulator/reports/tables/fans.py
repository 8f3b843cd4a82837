"""Tables of fans: quantiles after some years."""

from __future__ import annotations

import math
from collections.abc import Iterable

import xarray as xr

from simulator.analytics.estimate import decimals_of, format_number, format_significant
from simulator.reports.figures.axis import PERCENT, UNITS
from simulator.reports.tables.table import Table


def fan_table(
    run: xr.Dataset, series: Iterable[tuple[str, str, dict[str, str]]], subject: str = ""
) -> Table:
    """Median and 5% to 95% range after 1, 3 and 5 years and at the horizon, for several fans.

    Parameters
    ----------
    run : Dataset
        With the fans.
    series : iterable of (str, str, dict)
        Series, what to call it, and its position along an entity dimension.
    subject : str
        Begins the caption.
    """
    last = run.sizes["month"] - 1
    months = sorted({month for month in (11, 35, 59, last) if month <= last})
    dates = [str(run["date"].values[m].astype("datetime64[M]")) for m in months]
    rows = []
    for key, title, where in series:
        fan, error = run[f"fan_{key}"].sel(where), run[f"fan_{key}_se"].sel(where)
        units = str(fan.attrs.get("units", "1"))
        percent = key in PERCENT or units == "1/year"
        unit = ("%" if units == "1" else "% a year") if percent else UNITS.get(units, units)
        cells = []
        for month in months:
            low, middle, high = (
                quantile_text(fan, error, level, month, 100.0 if percent else 1.0)
                for level in (0.05, 0.5, 0.95)
            )
            cells.append(middle if low == "n/a" else f"{middle} ({low} to {high})")
        rows.append([f"{title}, {unit}" if unit else title, *cells])
    return Table(
        f"{subject}{': m' if subject else 'M'}edian (5% to 95%) at the end of the month",
        ("", *dates),
        rows,
        "Digits are cut to the standard error of each quantile.",
    )


def quantile_text(
    fan: xr.DataArray, error: xr.DataArray, level: float, month: int, scale: float = 1.0
) -> str:
    """Read one quantile with as many digits as its error supports.

    Parameters
    ----------
    fan, error : DataArray
        Quantiles by level and month, and their standard errors.
    level : float
        Of the quantile.
    month : int
        Position.
    scale : float
        Factor on both.
    """
    value = scale * float(fan.sel(quantile=level).isel(month=month))
    se = scale * float(error.sel(quantile=level).isel(month=month))
    if math.isnan(value):
        return "n/a"
    if not math.isfinite(se) or se <= 1e-9 * abs(value):
        return format_significant(value, 3)
    return format_number(value, decimals_of(se))
