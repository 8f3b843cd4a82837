"""Fans: quantiles by month of every series, over all paths.

Up to `RunPlan.exact_limit` paths they are exact order statistics; beyond, they are read off
integer histograms.  Neither depends on the size of chunks or the order in which they were done.
Paths count by their weights, if they carry any; errors are taken over draws of uncertain
parameters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.drawn import Drawn, Row, row_of
from simulator.dataset.layout import Array
from simulator.dataset.order_statistics import LEVELS, QUANTILE_NOTE
from simulator.dataset.plan import RunPlan
from simulator.dataset.variables import Variable

__all__ = ["Fan", "SeriesSource", "exact_fans", "row_groups"]

GROUP_BYTES = 1 << 25
"""Size of the table that a thread sorts at once."""


class SeriesSource(Protocol):
    """Where the series of all paths can be read row by row."""

    @property
    def paths(self) -> int:
        """Number of paths."""

    def drawn(self) -> Drawn:
        """Return how the paths were drawn."""

    def rows(self, name: str, start: int, out: Array) -> None:
        """Fill `out` (rows, paths) with rows of a variable; rows run over month and entity."""


@dataclass
class Fan:
    """Quantiles by month of one variable; rows run over month and entity.

    Attributes
    ----------
    quantiles, errors : ndarray (levels, rows)
        Order statistics and their standard errors, NaN where there are too few values.
    means, mean_errors : ndarray (rows,)
        Over valid paths, and their standard errors.
    counts : ndarray (rows,)
        Valid paths: those that are not NaN.
    attributes : dict
        How it was made.
    """

    quantiles: NDArray[np.float64]
    errors: NDArray[np.float64]
    means: NDArray[np.float64]
    mean_errors: NDArray[np.float64]
    counts: NDArray[np.int64]
    attributes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def empty(cls, rows: int, attributes: dict[str, Any]) -> Fan:
        """Return a fan to be filled."""
        return cls(
            np.full((len(LEVELS), rows), np.nan),
            np.full((len(LEVELS), rows), np.nan),
            np.full(rows, np.nan),
            np.full(rows, np.nan),
            np.zeros(rows, np.int64),
            attributes,
        )

    def set_row(self, row: int, found: Row) -> None:
        """Fill a row."""
        self.quantiles[:, row], self.errors[:, row] = found.quantiles, found.errors
        self.means[row], self.mean_errors[row] = found.mean, found.mean_error
        self.counts[row] = found.paths


def row_count(plan: RunPlan, variable: Variable) -> int:
    """Return the number of months times entities."""
    return plan.horizon * int(np.prod(plan.entities(variable)))


def row_groups(rows: int, paths: int, most: int = GROUP_BYTES) -> Iterator[slice]:
    """Cut rows into groups whose table keeps memory flat in the number of paths."""
    step = max(1, most // (4 * max(paths, 1)))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def exact_fans(
    plan: RunPlan, source: SeriesSource, threads: int | None = None
) -> Iterator[tuple[Variable, Fan]]:
    """Sort the paths of every month.

    Parameters
    ----------
    plan : RunPlan
        Which series.
    source : SeriesSource
        Their values.
    threads : int, optional
        Sorting releases the interpreter lock; by default one thread per core.

    Yields
    ------
    Variable
        In table order.
    Fan
        Its quantiles.
    """
    drawn = source.drawn()

    def sort(task: tuple[Variable, Fan, slice]) -> None:
        variable, fan, rows = task
        table = np.empty((rows.stop - rows.start, source.paths), np.float32)
        source.rows(variable.name, rows.start, table)
        for row, values in enumerate(table, start=rows.start):
            fan.set_row(row, row_of(values, drawn))

    weighted = "" if drawn.weights is None else ", by weight"
    attributes = {"method": f"exact: {QUANTILE_NOTE}{weighted}"}
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for variable in plan.series:
            rows = row_count(plan, variable)
            fan = Fan.empty(rows, dict(attributes))
            tasks = [(variable, fan, group) for group in row_groups(rows, source.paths)]
            list(pool.map(sort, tasks))
            yield variable, fan
