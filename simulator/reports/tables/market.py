"""Tables of the market: quantiles by month with their errors, as text, CSV and plain values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import xarray as xr

from simulator.analytics.estimate import format_estimate
from simulator.analytics.frame import labels
from simulator.dataset.dims import GENERATION, HALL
from simulator.reports.figures.axis import PERCENT, UNITS
from simulator.reports.tables.table import Table

__all__ = ["MAIN", "POINTS", "main_table", "market_csv", "market_object"]

JURISDICTION: Final = "jurisdiction"

POINTS: Final = (12, 24, 36, 60)
"""Months of a table."""

LEVELS: Final = (0.05, 0.5, 0.95)

MAIN: Final = (
    "demand_index",
    "capacity_index",
    "tightness",
    "utilisation",
    "rental_price_contract",
    "rental_price_spot",
    "resale_factor",
    "hall_rent",
    "hall_value_factor",
    "memory_cost_factor",
    "power_price",
    "sofr",
    "high_yield_spread",
)
"""Variables of the table, in order."""


def main_table(
    fans: xr.Dataset, generations: Sequence[str], months: Sequence[int] = POINTS
) -> Table:
    """Return the 5%, 50% and 95% points of the main variables with their standard errors.

    Parameters
    ----------
    fans : Dataset
        From `simulator.analytics.market.market_fans`.
    generations : sequence of str
        GPU generations whose prices are told.
    months : sequence of int
        Which months, those within the horizon.
    """
    held = [month for month in months if month <= int(fans["month"].values[-1])]
    rows: list[list[str]] = []
    entities = {GENERATION: generations, HALL: labels(fans, HALL) if HALL in fans.dims else ()}
    for name in MAIN:
        if f"fan_{name}" not in fans:  # there are no halls
            continue
        by = next((dim for dim in entities if dim in fans[f"fan_{name}"].dims), "")
        for where in [{by: one} for one in entities[by]] if by else [{}]:
            rows += quantile_rows(fans, name, where, held)
    dates = [str(fans["date"].sel(month=month).values.astype("datetime64[M]")) for month in held]
    return Table(
        "Quantiles over paths at the end of the month ± one standard error",
        ("", "", *(f"month {m} ({date})" for m, date in zip(held, dates, strict=True))),
        rows,
        words=1,
    )


def quantile_rows(
    fans: xr.Dataset, name: str, where: dict[str, str], months: Sequence[int]
) -> Iterator[list[str]]:
    """Yield one row per level of a variable, its name beside the first."""
    fan, error = fans[f"fan_{name}"].sel(where), fans[f"fan_{name}_se"].sel(where)
    units = str(fan.attrs["units"])
    percent = name in PERCENT or units == "1/year"
    unit = "" if percent else UNITS.get(units, units)
    title = " ".join([name.replace("_", " "), *where.values(), f"[{unit}]" if unit else ""]).strip()
    for level in LEVELS:
        at = [{"quantile": level, "month": month} for month in months]
        cells = [
            format_estimate(float(fan.sel(one)), float(error.sel(one)), percent=percent)
            for one in at
        ]
        yield [title if level == LEVELS[0] else "", f"{level:.0%}", *cells]


def named(fans: xr.Dataset) -> Iterator[tuple[str, str, dict[str, str], dict[str, xr.DataArray]]]:
    """Yield name, unit, entity and statistics by month of every variable.

    Statistics are named q05, mean or the state of a code, and each has a ``_se``.
    """
    for key in fans.data_vars:
        kind, _, name = str(key).partition("_")
        if kind not in ("fan", "share") or name.endswith(("_se", "_mean")):
            continue
        entity = next((d for d in (GENERATION, HALL, JURISDICTION) if d in fans[key].dims), "")
        for where in [{entity: one} for one in labels(fans, entity)] if entity else [{}]:
            picked = {part: fans[f"{key}{part}"].sel(where) for part in ("", "_se")}
            dim, names = (
                ("quantile", [f"q{100 * level:02.0f}" for level in fans["quantile"].values])
                if kind == "fan"
                else (f"{name}_state", labels(fans, f"{name}_state"))
            )
            found = {
                f"{one}{part}": values.isel({dim: i})
                for i, one in enumerate(names)
                for part, values in picked.items()
            }
            if kind == "fan":
                found |= {f"mean{part}": fans[f"{key}_mean{part}"].sel(where) for part in picked}
            yield name, str(fans[key].attrs["units"]), where, found


def market_csv(fans: xr.Dataset) -> str:
    """Return every variable by month: one line per variable, entity, month and statistic.

    Parameters
    ----------
    fans : Dataset
        From `simulator.analytics.market.market_fans`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("variable", "entity", "unit", "month", "date", "statistic", "value", "standard_error")
    )
    months = [int(month) for month in fans["month"].values]
    dates = [str(date) for date in fans["date"].values.astype("datetime64[D]")]
    for name, unit, where, found in named(fans):
        values = {one: array.values for one, array in found.items()}
        for i, month in enumerate(months):
            for one in values:
                if not one.endswith("_se"):
                    value, error = values[one][i], values[f"{one}_se"][i]
                    head = (name, *(where.values() or ("",)), unit, month, dates[i], one)
                    writer.writerow((*head, f"{value:.8g}", f"{error:.3g}"))
    return out.getvalue()


def market_object(fans: xr.Dataset, months: Sequence[int] = POINTS) -> dict[str, Any]:
    """Return every variable at some months as plain values for JSON.

    Parameters
    ----------
    fans : Dataset
        From `simulator.analytics.market.market_fans`.
    months : sequence of int
        Which months, those within the horizon.
    """
    held = [month for month in months if month <= int(fans["month"].values[-1])]
    variables: list[dict[str, Any]] = []
    for name, unit, where, found in named(fans):
        points = {
            month: {
                one: {
                    "value": float(array.sel(month=month)),
                    "se": finite(float(found[f"{one}_se"].sel(month=month))),
                }
                for one, array in found.items()
                if not one.endswith("_se")
            }
            for month in held
        }
        variables.append({"name": name, **where, "units": unit, "months": points})
    return {
        **{key: fans.attrs[key] for key in ("title", "paths", "seed", "start", "digest")},
        "variables": variables,
    }


def finite(value: float) -> float | None:
    """Return a number, None where there is none: too few paths for an error."""
    return value if value == value else None
