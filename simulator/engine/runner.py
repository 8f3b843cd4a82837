"""Running a plan: chunks of paths, cut into blocks of lanes, by workers, into a store.

A path depends on the study, the seed and its own number, so results are the same bit for bit
whatever the blocks, chunks, workers and the order in which they finish.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs
from simulator.dataset.files import writing
from simulator.dataset.layout import bytes_per_path
from simulator.dataset.manifest import ChunkRecord
from simulator.dataset.memory import MemoryStore
from simulator.dataset.plan import Chunk, RunPlan
from simulator.dataset.scratch import ChunkWriter
from simulator.dataset.store import RunStore
from simulator.dataset.variables import Kind
from simulator.engine.budget import MemoryBudget
from simulator.engine.cluster import cluster_of
from simulator.engine.executors import execute
from simulator.engine.results import Arrays
from simulator.engine.uncertainty import draw_parameters
from simulator.numerics.addressed import Addressed

__all__ = ["BLOCK_LANES", "Progress", "Runnable", "chunk_size", "run"]

BLOCK_LANES: Final = 128
"""Paths that a worker advances side by side."""

CHUNK_BYTES: Final = 64_000_000
"""Results of a chunk in memory, about; each worker holds one or two chunks."""

CHUNKS_PER_JOB: Final = 4
"""At least, so that workers finish at about the same time."""


class Runnable(Protocol):
    """A study made ready: a book (`engine.prepare`) or a pool (`engine.pool`)."""

    @property
    def inputs(self) -> ModelInputs | None:
        """The study, if its parameters are uncertain."""

    def drawn(self, values: NDArray[np.float64]) -> Runnable:
        """Return the study with its uncertain parameters (parameter,) at these values."""

    def outputs(self, paths: int) -> Addressed[Any]:
        """Allocate results of so many paths."""

    def state(self, lanes: int) -> Addressed[Any]:
        """Allocate the state of a block."""

    def run_block(
        self, state: Any, seed: int, paths: NDArray[np.int64], outputs: Any, offset: int
    ) -> None:
        """Run a block of paths to the horizon."""

    def scalars(self, outputs: Any) -> Arrays:
        """Return one number per path and entity."""

    def series(self, outputs: Any) -> Arrays:
        """Return one number per month, entity and path."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    paths, total : int
        Finished, and asked for.
    resumed : int
        Of those finished, how many an earlier run had left.
    seconds : float
        Since the first worker started.
    """

    paths: int
    total: int
    resumed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Paths per second of this run."""
        return (self.paths - self.resumed) / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def left(self) -> float:
        """Seconds still to go; infinite before the first result."""
        return (self.total - self.paths) / self.rate if self.rate > 0.0 else float("inf")


def chunk_size(
    path_bytes: int, paths: int, jobs: int, lanes: int = BLOCK_LANES, limit: int | None = None
) -> int:
    """Choose how many paths are computed and written at once.

    Parameters
    ----------
    path_bytes : int
        Results of a path.
    paths, jobs, lanes : int
        Paths asked for, workers, and paths of a block.
    limit : int, optional
        Bytes of a chunk, if it is to be smaller.

    Returns
    -------
    int
        Whole blocks: as many as fit `limit` (`CHUNK_BYTES` at most), fewer if there are few paths.

    Examples
    --------
    >>> chunk_size(20_000, 100_000, 2), chunk_size(20_000, 1_000, 2), chunk_size(20_000, 3, 1)
    (3200, 128, 128)
    """
    fits = min(limit or CHUNK_BYTES, CHUNK_BYTES) // max(1, path_bytes)
    shared = -(-paths // (CHUNKS_PER_JOB * jobs))
    blocks = max(1, min(fits // lanes, -(-shared // lanes)))
    return blocks * lanes


_worker = threading.local()


def ready(
    prepared: Runnable, key: str, lanes: int, values: NDArray[np.float64] | None, draw: int
) -> tuple[Runnable, Addressed[Any]]:
    """Return the study as a block needs it and this thread's state for it, made on first use.

    Parameters
    ----------
    prepared : Runnable
        The study.
    key : str
        Of the plan.
    lanes : int
        Paths of the block.
    values : ndarray (draw, parameter), optional
        Uncertain parameters.
    draw : int
        Which draw the block takes.
    """
    if getattr(_worker, "key", None) != (key, draw):
        _worker.key, _worker.states = (key, draw), {}
        _worker.prepared = prepared if values is None else prepared.drawn(values[draw])
    states: dict[int, Addressed[Any]] = _worker.states
    if lanes not in states:
        states[lanes] = _worker.prepared.state(lanes)
    return _worker.prepared, states[lanes]


@dataclass(frozen=True)
class ChunkTask:
    """Computes chunks of a run; may be pickled.

    Attributes
    ----------
    prepared : Runnable
        The study.
    key : str
        Of the plan.
    seed : int
        Of all random streams.
    lanes : int
        Paths of a block.
    writer : ChunkWriter, optional
        Where finished chunks go; without it, or where it is out of reach, their arrays are
        returned.
    values : ndarray (draw, parameter), optional
        Uncertain parameters.
    paths_per_draw : int
        Paths that share a draw of them.
    """

    prepared: Runnable
    key: str
    seed: int
    lanes: int
    writer: ChunkWriter | None
    values: NDArray[np.float64] | None = None
    paths_per_draw: int = 1

    def blocks(self, chunk: Chunk) -> Iterator[tuple[int, int, int]]:
        """Yield first path, number of paths and draw of each block; none spans two draws."""
        first, end = chunk.first, chunk.first + chunk.count
        while first < end:
            draw, last = 0, end
            if self.values is not None:
                draw = first // self.paths_per_draw
                last = min(end, (draw + 1) * self.paths_per_draw)
            lanes = min(self.lanes, last - first)
            yield first, lanes, draw
            first += lanes

    def __call__(self, chunk: Chunk) -> tuple[Chunk, Any]:
        """Compute a chunk: its record if it was written, else its scalars and series."""
        prepared = self.prepared
        outputs = prepared.outputs(chunk.count)
        for first, lanes, draw in self.blocks(chunk):
            drawn, state = ready(prepared, self.key, lanes, self.values, draw)
            numbers = np.arange(first, first + lanes, dtype=np.int64)
            drawn.run_block(state, self.seed, numbers, outputs, first - chunk.first)
        scalars = prepared.scalars(outputs.fields)
        if self.values is not None:
            paths = np.arange(chunk.first, chunk.first + chunk.count)
            scalars["parameter_value"] = self.values[paths // self.paths_per_draw]
        series = prepared.series(outputs.fields)
        if self.writer is None or not self.writer.in_reach:
            return chunk, (scalars, series)
        with writing(self.writer.directory.parent, "finished chunks are safe"):
            return chunk, self.writer.write(chunk, scalars, series)


def run(
    prepared: Runnable,
    plan: RunPlan,
    store: RunStore | MemoryStore,
    *,
    jobs: int = 1,
    executor: str = "threads",
    lanes: int = BLOCK_LANES,
    report: Callable[[Progress], None] | None = None,
    more: Callable[[], bool] | None = None,
    memory: int | None = None,
) -> None:
    """Compute the chunks that a store lacks, and finish it.

    Parameters
    ----------
    prepared : Runnable
        The study.
    plan : RunPlan
        The run; the store may cut it into other chunks.
    store : RunStore or MemoryStore
        Takes the chunks.
    jobs : int
        Workers.
    executor : {"threads", "processes", "serial", "dask", "dask://host:port"}
        What the workers are.
    lanes : int
        Paths of a block; more than `BLOCK_LANES` are not run at once.
    report : callable, optional
        Told after every chunk.
    more : callable, optional
        Asked once all chunks are there: whether it has let the store grow, so that there are
        others to compute.
    memory : int, optional
        Bytes that all of it may take, about; see `engine.budget`.
    """
    window, threads = None, None
    if memory is not None:
        budget = MemoryBudget(memory, executor, jobs)
        kinds: tuple[Kind, ...] = ("scalar", "series")
        window = budget.window(plan.chunk * sum(bytes_per_path(plan, kind) for kind in kinds))
        threads = min(budget.threads, os.cpu_count() or 1)
    compute_missing(prepared, plan, store, jobs, executor, lanes, report, window)
    while more is not None and more():
        compute_missing(prepared, store.plan, store, jobs, executor, lanes, report, window)
    store.finalise(threads)


def compute_missing(
    prepared: Runnable,
    plan: RunPlan,
    store: RunStore | MemoryStore,
    jobs: int,
    executor: str,
    lanes: int,
    report: Callable[[Progress], None] | None,
    window: int | None,
) -> None:
    """Compute the chunks that a store lacks, so many at a time; see `run`."""
    lanes = min(lanes, BLOCK_LANES)
    missing = store.missing_chunks()
    resumed = plan.paths - sum(chunk.count for chunk in missing)
    writer = store.writer if isinstance(store, RunStore) else None
    if writer is not None and cluster_of(executor) is not None:
        writer = writer.marked()
    values = None
    if prepared.inputs is not None:
        values = draw_parameters(prepared.inputs, plan.seed, plan.paths)
    task = ChunkTask(prepared, plan.key, plan.seed, lanes, writer, values, plan.paths_per_draw)
    start, paths = time.monotonic(), resumed
    with closing(execute(executor, task, missing, jobs, window)) as results:
        for chunk, result in results:
            if isinstance(store, RunStore) and isinstance(result, ChunkRecord):
                store.commit(result)
            else:
                store.write_chunk(chunk.index, *result)
            paths += chunk.count
            if report:
                report(Progress(paths, plan.paths, resumed, time.monotonic() - start))
