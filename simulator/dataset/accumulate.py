"""Series of a running simulation: kept until the end, or folded into histograms as they come.

Up to `RunPlan.exact_limit` paths (or when all paths are kept) the files of all chunks stay.
Beyond, finished chunks are counted into histograms every so often and their files go, so that disk
use stays bounded.  The histograms name the chunks they hold, in the same file: a kill between
saving them and removing the chunks' files neither loses a chunk nor counts it twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.dataset.fans import Fan, exact_fans
from simulator.dataset.files import remove
from simulator.dataset.layout import bytes_per_path
from simulator.dataset.plan import Chunk, RunPlan
from simulator.dataset.scratch import ChunkFiles, file_of
from simulator.dataset.variables import Variable

if TYPE_CHECKING:
    from simulator.dataset.histogram_fans import HistogramFans

__all__ = ["SeriesAccumulator", "disk_bytes"]

FOLD_PATHS = 262_144
"""Paths whose series may wait on disk."""


def disk_bytes(plan: RunPlan) -> int:
    """Return about how much room a run takes on disk while it is computed.

    Parameters
    ----------
    plan : RunPlan
        The run.

    Returns
    -------
    int
        Bytes, compression not counted on.
    """
    scalars = bytes_per_path(plan, "scalar") * plan.paths
    waiting = plan.paths
    if not plan.keep_paths and plan.paths > plan.exact_limit:
        waiting = min(plan.paths, FOLD_PATHS + plan.chunk)
    series = bytes_per_path(plan, "series") * waiting
    return 2 * scalars + series * (2 if plan.keep_paths else 1)  # chunks, then the same as results


class SeriesAccumulator:
    """Looks after the series files of finished chunks.

    Parameters
    ----------
    directory : Path
        Folder of the chunks' files.
    plan : RunPlan
        The run.
    """

    def __init__(self, directory: Path, plan: RunPlan) -> None:
        self.directory = directory
        self.plan = plan
        self.path = directory / "histograms"
        self.exact = plan.paths <= plan.exact_limit
        self.chunks = tuple(plan.chunks())
        self._histograms: HistogramFans | None = None
        if not self.exact and not plan.keep_paths:
            from simulator.dataset.histogram_fans import HistogramFans

            self._histograms = HistogramFans(plan)
            self._histograms.load(self.path)

    @property
    def folded(self) -> Collection[int]:
        """Numbers of the chunks that histograms already hold."""
        return self._histograms.chunks if self._histograms else frozenset()

    def offer(self, done: Collection[int]) -> None:
        """Fold finished chunks if enough of them wait.

        Parameters
        ----------
        done : collection of int
            Chunks in the manifest.
        """
        if self._histograms is None:
            return
        waiting = sum(self.chunks[index].count for index in done if index not in self.folded)
        if waiting >= FOLD_PATHS:
            self._fold(self._histograms, done)

    def _fold(self, histograms: HistogramFans, done: Collection[int]) -> None:
        pilot = [chunk for chunk in self.chunks if chunk.first < self.plan.pilot]
        if not histograms.chunks:
            if not {chunk.index for chunk in pilot} <= set(done):
                return
            histograms.set_edges(ChunkFiles(self.directory, self.plan, pilot))
        waiting = [self.chunks[index] for index in sorted(set(done) - histograms.chunks)]
        for batch in batches(waiting):
            source = ChunkFiles(self.directory, self.plan, batch)
            histograms.add(source, [chunk.index for chunk in batch])
        histograms.save(self.path)
        for index in histograms.chunks & set(done):
            remove(file_of(self.directory, "series", index))

    def fans(self, threads: int | None = None) -> Iterator[tuple[Variable, Fan]]:
        """Yield the fans of a run whose chunks are all done.

        Parameters
        ----------
        threads : int, optional
            By default one per core.

        Yields
        ------
        Variable
            In table order.
        Fan
            Its quantiles.
        """
        source = ChunkFiles(self.directory, self.plan, self.chunks)
        if self._histograms:
            self._fold(self._histograms, [chunk.index for chunk in self.chunks])
            yield from self._histograms.fans()
        elif self.exact:
            yield from exact_fans(self.plan, source, threads)
        else:
            from simulator.dataset.histogram_fans import histogram_fans

            yield from histogram_fans(self.plan, source, threads)


def batches(chunks: list[Chunk]) -> Iterator[list[Chunk]]:
    """Cut chunks into lists of about `FOLD_PATHS` paths, so that memory stays flat."""
    batch: list[Chunk] = []
    for chunk in chunks:
        batch.append(chunk)
        if sum(member.count for member in batch) >= FOLD_PATHS:
            yield batch
            batch = []
    if batch:
        yield batch
