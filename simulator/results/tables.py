"""A run as plain tables: one row a path, one row a month of a fan, one row an estimate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.analytics.frame import labels
from simulator.analytics.summary import analyse
from simulator.dataset.dims import MONTH, PATH, QUANTILE

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Column", "PlainTable", "scalar_variables", "tables_of"]

BLOCK: Final = 65_536
"""Rows that are held at once."""

FAN: Final = "fan_"

Columns = list[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `units` are empty for text."""

    name: str
    units: str
    long_name: str


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table that is read block by block.

    Parameters
    ----------
    name : str
        Of its file or sheet.
    columns : sequence of Column
        From left to right.
    rows : int
        How many there are.
    blocks : callable
        Returns an iterator over blocks of rows, each a list of arrays (rows,), one a column.
    """

    name: str
    columns: Sequence[Column]
    rows: int
    blocks: Callable[[], Iterator[Columns]]


def tables_of(run: xr.Dataset) -> list[PlainTable]:
    """Return ``summary``, ``fans``, ``scalars`` and ``columns``, which says what all columns are.

    Parameters
    ----------
    run : Dataset
        A complete run.
    """
    tables = [summary_table(run), fans_table(run), scalars_table(run)]
    return [*tables, columns_table(tables)]


def in_memory(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> PlainTable:
    """Return a table of rows that are all there."""
    arrays = [
        np.array([row[i] for row in rows], dtype=None if rows else np.str_)
        for i in range(len(columns))
    ]
    return PlainTable(name, columns, len(rows), lambda: iter([arrays]))


def scalar_variables(run: xr.Dataset) -> list[str]:
    """Return the variables of a run that hold a number per path, by month or not by month."""
    return [str(name) for name in run if PATH in run[name].dims and MONTH not in run[name].dims]


def scalars_table(run: xr.Dataset) -> PlainTable:
    """Return one row a path, one column a variable and entity: ``lender_loss.CRWV_DDTL4``."""
    columns = [Column(PATH, "", "number of the path")]
    picks: list[tuple[str, int | None]] = []
    for name in scalar_variables(run):
        entity = next((str(one) for one in run[name].dims if one != PATH), None)
        units, long_name = (str(run[name].attrs.get(key, "")) for key in ("units", "long_name"))
        for i, label in enumerate(labels(run, entity) if entity else [""]):
            picks.append((name, i if entity else None))
            told = f"{long_name}: {label}" if entity else long_name
            columns.append(Column(f"{name}.{label}" if entity else name, units, told))
    paths = run.sizes[PATH]
    numbers = run[PATH].values if PATH in run.coords else np.arange(paths)

    def blocks() -> Iterator[Columns]:
        for first in range(0, paths, BLOCK):
            part = slice(first, min(first + BLOCK, paths))
            held = {name: run[name].isel({PATH: part}).values for name, _ in picks}
            yield [
                numbers[part],
                *(held[name] if i is None else held[name][:, i] for name, i in picks),
            ]

    return PlainTable("scalars", columns, paths, blocks)


def fans_table(run: xr.Dataset) -> PlainTable:
    """Return one row a series, entity and month: mean and quantiles, each with its error."""
    levels = [float(one) for one in run[QUANTILE].values] if QUANTILE in run.coords else []
    fans = [str(name) for name in run if QUANTILE in run[name].dims and f"{name}_mean" in run]
    columns = [
        Column("series", "", "name of the series"),
        Column("entity", "", "what it is of; empty if of all"),
        Column(MONTH, "month", "months since the end of the start month"),
        Column("date", "", "last day of the month"),
        Column("units", "", "of the series"),
        Column("mean", "in units", "mean over paths"),
        Column("mean_se", "in units", "standard error of the mean"),
        *(
            Column(f"q{100.0 * level:g}{suffix}", "in units", f"{told}{100.0 * level:g}% quantile")
            for level in levels
            for suffix, told in (("", ""), ("_se", "standard error of the "))
        ),
    ]
    months = run[MONTH].values
    dates = np.datetime_as_string(run["date"].values, unit="D")
    rows: list[list[Any]] = []
    for name in fans:
        entity = next((str(one) for one in run[name].dims if one not in (QUANTILE, MONTH)), None)
        parts = [
            part.transpose(..., MONTH)
            for part in (
                *(run[f"{name}_mean"], errors_of(run, f"{name}_mean")),
                *(run[name], errors_of(run, name)),
            )
        ]
        for i, label in enumerate(labels(run, entity) if entity else [""]):
            at = {entity: i} if entity else {}
            mean, mean_se, quantiles, errors = (part.isel(at).values for part in parts)
            both = np.stack([quantiles, errors], axis=1).reshape(-1, len(months))
            told = [name.removeprefix(FAN), label]
            units = str(run[name].attrs.get("units", ""))
            rows += [
                [*told, months[m], dates[m], units, mean[m], mean_se[m], *both[:, m]]
                for m in range(len(months))
            ]
    return in_memory("fans", columns, rows)


def errors_of(run: xr.Dataset, name: str) -> xr.DataArray:
    """Return the errors of a variable of fans; NaN in runs that were made without them."""
    return run[f"{name}_se"] if f"{name}_se" in run else run[name] * np.nan


def summary_table(run: xr.Dataset) -> PlainTable:
    """Return one row an estimate of the report, with its error (empty where there is none)."""
    columns = [
        Column("table", "", "part of the analysis"),
        Column("measure", "", "name of the estimate"),
        Column("of", "", "dimensions it is taken at"),
        Column("entity", "", "labels along these"),
        Column("level", "1", "confidence level, if the measure has one"),
        Column("value", "in units", "estimate"),
        Column("se", "in units", "Monte Carlo standard error"),
        Column("units", "", "of the estimate"),
        Column("long_name", "", "the measure in words"),
    ]
    tables = analyse(run)._asdict()
    del tables["run"]
    rows = [
        [name, *row] for name, table in tables.items() if table is not None for row in _rows(table)
    ]
    return in_memory("summary", columns, rows)


def _rows(table: xr.Dataset) -> Iterator[list[Any]]:
    """Yield every number of a table of analytics."""
    for variable in map(str, table):
        values = table[variable]
        if values.dtype.kind not in "fiub" or (
            variable.endswith("_se") and variable.removesuffix("_se") in table
        ):
            continue
        errors = table[f"{variable}_se"].values if f"{variable}_se" in table else None
        told = [str(values.attrs.get(key, "")) for key in ("units", "long_name")]
        axes = [str(dim) for dim in values.dims]
        names = [
            table[dim].values if dim in table.coords else range(table.sizes[dim]) for dim in axes
        ]
        for at in itertools.product(*(range(table.sizes[dim]) for dim in axes)):
            labelled = {dim: names[k][i] for k, (dim, i) in enumerate(zip(axes, at, strict=True))}
            level = float(labelled.pop("level", np.nan))
            yield [
                variable,
                ", ".join(labelled),
                ", ".join(map(str, labelled.values())),
                level,
                float(values.values[at]),
                np.nan if errors is None else float(errors[at]),
                *told,
            ]


def columns_table(tables: Sequence[PlainTable]) -> PlainTable:
    """Return units and meaning of every column of other tables."""
    columns = [
        Column("table", "", "name of the table"),
        Column("column", "", "name of the column"),
        Column("units", "", "its unit"),
        Column("long_name", "", "what it holds"),
    ]
    rows = [
        [table.name, one.name, one.units, one.long_name]
        for table in tables
        for one in table.columns
    ]
    return in_memory("columns", columns, rows)
