"""Who computes chunks: this thread, threads, processes, or the workers of a Dask cluster.

An executor takes a function and chunks and yields the results as they come, in any order.  Threads
are the default: the kernels release the interpreter's lock, arrays need not move, nothing has to
start.  Processes help where other Python code holds the lock; a killed one is replaced and its
chunks are computed again.  A cluster (`engine.cluster`) helps where one machine is not enough.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, Protocol, TypeVar

from simulator.dataset.plan import Chunk
from simulator.engine.cluster import ExecutorError, cluster_of, connect

__all__ = ["EXECUTORS", "ExecutorError", "execute", "reach"]

Result = TypeVar("Result")

TRIES: Final = 3
"""How often workers may die before the run gives up."""


class Executor(Protocol):
    """Applies a function to chunks with so many workers."""

    def __call__(
        self, function: Callable[[Chunk], Result], chunks: Sequence[Chunk], jobs: int
    ) -> Generator[Result, None, None]:
        """Yield the results in the order in which they are done."""
        ...


def serial(
    function: Callable[[Chunk], Result], chunks: Sequence[Chunk], jobs: int
) -> Generator[Result, None, None]:
    """Compute chunks one after another in the calling thread."""
    for chunk in chunks:
        yield function(chunk)


def threads(
    function: Callable[[Chunk], Result], chunks: Sequence[Chunk], jobs: int
) -> Generator[Result, None, None]:
    """Compute chunks in threads of this process."""
    if jobs == 1 or len(chunks) == 1:
        return serial(function, chunks, 1)
    return scattered("threading", function, chunks, jobs)


def processes(
    function: Callable[[Chunk], Result], chunks: Sequence[Chunk], jobs: int
) -> Generator[Result, None, None]:
    """Compute chunks in other processes; what a killed worker leaves undone is handed out again."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    numbered = Numbered(function)
    missing = {chunk.index: chunk for chunk in chunks}
    for attempt in range(1, TRIES + 1):
        try:
            for index, result in scattered("loky", numbered, list(missing.values()), jobs):
                del missing[index]
                yield result
            return
        except BrokenProcessPool as error:
            if attempt == TRIES:
                raise ExecutorError(
                    f"worker processes died {TRIES} times, the last with {len(missing)} chunks "
                    f"left ({error}); give them more memory or ask for fewer --jobs"
                ) from error


class Numbered:
    """A function of a chunk that also returns the number of the chunk; may be pickled."""

    def __init__(self, function: Callable[[Chunk], Any]) -> None:
        self.function = function

    def __call__(self, chunk: Chunk) -> tuple[int, Any]:
        """Compute a chunk."""
        return chunk.index, self.function(chunk)


def scattered(
    backend: str, function: Callable[[Chunk], Result], chunks: Sequence[Chunk], jobs: int
) -> Generator[Result, None, None]:
    """Hand chunks to the workers of a joblib backend, one at a time."""
    from joblib import Parallel, delayed

    parallel = Parallel(
        n_jobs=jobs,
        backend=backend,
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch="2*n_jobs",
    )
    results: Generator[Result, None, None] = parallel(delayed(function)(chunk) for chunk in chunks)
    try:
        for result in results:  # noqa: UP028 (it would pass on the close, of which joblib warns)
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.close()


EXECUTORS: Final[dict[str, Executor]] = {
    "threads": threads,
    "processes": processes,
    "serial": serial,
}
"""Executors of this machine by name."""


def reach(name: str, jobs: int) -> None:
    """Make sure that there are workers, before anything is prepared for them.

    Parameters
    ----------
    name : str
        Key of `EXECUTORS`, ``dask`` or ``dask://host:port``.
    jobs : int
        Workers, at least 1; those of a cluster that runs elsewhere are as many as it has.

    Raises
    ------
    ExecutorError
        If there is no such executor, or its workers are out of reach or do not fit.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    address = cluster_of(name)
    if address is not None:
        connect(address, jobs)
    elif name not in EXECUTORS:
        raise ExecutorError(
            f"no executor {name!r}; choose one of {', '.join(EXECUTORS)}, dask, dask://host:port"
        )


def execute(
    name: str,
    function: Callable[[Chunk], Result],
    chunks: Sequence[Chunk],
    jobs: int,
    window: int | None = None,
) -> Generator[Result, None, None]:
    """Compute chunks.

    Parameters
    ----------
    name : str
        Key of `EXECUTORS`, ``dask`` or ``dask://host:port``.
    function : callable
        What to compute; pickled unless for threads.
    chunks : sequence of Chunk
        What to compute it for.
    jobs : int
        Workers, at least 1.
    window : int, optional
        Most chunks in work at a time.

    Returns
    -------
    generator
        Results in the order in which they are done. Close it to stop the workers early.
    """
    reach(name, jobs)
    if not chunks:
        return serial(function, chunks, 1)
    address = cluster_of(name)
    if address is None:
        return EXECUTORS[name](function, chunks, min(jobs, window or jobs))
    from simulator.engine.handing import on_cluster

    return on_cluster(connect(address, jobs), function, chunks, window)
