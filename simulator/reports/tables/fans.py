"""Tables of fans: quantiles after some years."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import xarray as xr

from simulator.analytics.estimate import (
    decimals_of,
    format_estimate,
    format_number,
    format_significant,
)
from simulator.reports.figures.axis import PERCENT, UNITS
from simulator.reports.tables.table import Table

LEVELS: Final = (0.05, 0.5, 0.95)
"""Quantiles of a table."""


def fan_table(
    run: xr.Dataset, series: Iterable[tuple[str, str, dict[str, str]]], subject: str = ""
) -> Table:
    """5%, 50% and 95% points after 1, 3 and 5 years and at the horizon, for several fans.

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
        unit = ("a year" if units == "1/year" else "") if percent else UNITS.get(units, units)
        for level in LEVELS:
            cells = [
                format_estimate(
                    float(fan.sel(quantile=level).isel(month=month)),
                    float(error.sel(quantile=level).isel(month=month)),
                    percent=percent,
                )
                for month in months
            ]
            name = f"{title}, {unit}" if unit else title
            rows.append([name if level == LEVELS[0] else "", f"{level:.0%}", *cells])
    return Table(
        f"{subject}{': q' if subject else 'Q'}uantiles over paths at the end of the month, ± one "
        "standard error",
        ("", "", *dates),
        rows,
        "n/a: too few paths to say how far off the quantile may be.",
        words=1,
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
