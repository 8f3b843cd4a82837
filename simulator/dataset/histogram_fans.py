"""Histograms of all series of a run: made from a pilot, fed with chunks, kept on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.fans import Fan, SeriesSource, row_count, row_groups
from simulator.dataset.files import replacing, write_pieces
from simulator.dataset.histogram import Histogram
from simulator.dataset.layout import as_bytes
from simulator.dataset.plan import WEIGHT, RunPlan
from simulator.dataset.variables import Variable

__all__ = ["HistogramFans", "histogram_fans"]

GROUP_BYTES = 1 << 22
"""Size of the table that a thread counts at once, beside workers that compute."""

PARTS = ("low", "width", "counts", "sums", "errors", "paths", "plain")


class HistogramFans:
    """Histograms by variable, and which chunks they hold.

    Parameters
    ----------
    plan : RunPlan
        The run.
    threads : int, optional
        By default one per core.
    """

    def __init__(self, plan: RunPlan, threads: int | None = None) -> None:
        self.plan = plan
        self.threads = threads or os.cpu_count() or 1
        self.chunks: set[int] = set()
        self.weighted = any(variable.name == WEIGHT for variable in plan.scalars)
        self.tables = {
            variable.name: Histogram.empty(row_count(plan, variable), weighted=self.weighted)
            for variable in plan.series
        }

    def set_edges(self, source: SeriesSource) -> None:
        """Choose all edges.

        Parameters
        ----------
        source : SeriesSource
            At least the paths of the pilot, first path first.
        """
        pilot = self.plan.pilot
        drawn = source.drawn().first(pilot)

        def choose(table: Histogram, rows: slice, values: NDArray[np.float32]) -> None:
            table.set_edges(rows, np.ascontiguousarray(values[:, :pilot]), drawn)

        self._over_rows(source, choose)

    def add(self, source: SeriesSource, chunks: Iterable[int]) -> None:
        """Count paths.

        Parameters
        ----------
        source : SeriesSource
            The paths of some chunks.
        chunks : iterable of int
            Their numbers.
        """
        weights = source.drawn().weights

        def count(table: Histogram, rows: slice, values: NDArray[np.float32]) -> None:
            table.add(rows, values, weights)

        self._over_rows(source, count)
        self.chunks |= set(chunks)

    def _over_rows(
        self,
        source: SeriesSource,
        treat: Callable[[Histogram, slice, NDArray[np.float32]], None],
    ) -> None:
        def run(task: tuple[str, slice]) -> None:
            name, rows = task
            values = np.empty((rows.stop - rows.start, source.paths), np.float32)
            source.rows(name, rows.start, values)
            treat(self.tables[name], rows, values)

        tasks = [
            (name, rows)
            for name, table in self.tables.items()
            for rows in row_groups(len(table.low), source.paths, GROUP_BYTES)
        ]
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(run, tasks))

    def fans(self) -> Iterator[tuple[Variable, Fan]]:
        """Yield the fan of each series."""
        for variable in self.plan.series:
            yield variable, self.tables[variable.name].fan()

    def save(self, path: Path) -> None:
        """Write all in one step, bound to the plan."""
        chunks = np.array(sorted(self.chunks), np.int64)
        pieces = [memoryview(self.plan.key.encode()), as_bytes(np.array([len(chunks)], np.int64))]
        pieces.append(as_bytes(chunks))
        for table in self.tables.values():
            pieces += [as_bytes(getattr(table, part)) for part in PARTS]
        with replacing(path) as file:
            write_pieces(file, pieces)

    def load(self, path: Path) -> bool:
        """Read what `save` wrote for the same plan.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        bool
            Whether there was one.
        """
        if not path.exists():
            return False
        with path.open("rb") as file:
            if file.read(len(self.plan.key)) != self.plan.key.encode():
                return False
            (length,) = np.frombuffer(file.read(8), np.int64)
            self.chunks = set(np.frombuffer(file.read(8 * int(length)), np.int64).tolist())
            for table in self.tables.values():
                for part in PARTS:
                    array = getattr(table, part)
                    file.readinto(as_bytes(array))
        return True


def histogram_fans(
    plan: RunPlan, source: SeriesSource, threads: int | None = None
) -> Iterator[tuple[Variable, Fan]]:
    """Make the fans of paths that are all at hand.

    Parameters
    ----------
    plan : RunPlan
        Which series.
    source : SeriesSource
        All paths.
    threads : int, optional
        By default one per core.

    Yields
    ------
    Variable
        In table order.
    Fan
        Its quantiles.
    """
    histograms = HistogramFans(plan, threads)
    histograms.set_edges(source)
    histograms.add(source, range(plan.chunk_count))
    yield from histograms.fans()
