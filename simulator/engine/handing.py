"""Chunks handed out to the workers of a Dask cluster, results as they come.

A bounded number of chunks is out at a time and results are let go of at once, so that neither the
client nor the scheduler grows with the number of paths.  Nothing is computed in the client.  The
study goes out once, as the result of a task: if the worker that holds it dies, the scheduler makes
it again, which it could not do for data that were scattered.

Dask hands the chunks of a worker that died to others, as often as its setting
``distributed.scheduler.allowed-failures`` says (3).
"""

from __future__ import annotations

import os
import pickle
import queue
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from simulator.dataset.plan import Chunk
from simulator.engine.cluster import ExecutorError, brief, differences, patience, worker_facts

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["on_cluster"]

Result = TypeVar("Result")

WINDOW: Final = 2
"""Chunks handed out at a time for each thread of a worker: one to compute, one to follow."""

TRIES: Final = 3
"""How often a chunk that came to nothing is handed out."""

WARNING: Final = "distributed.admin.large-graph-warning-threshold"
"""Setting of Dask: from which size on it warns of what goes out; the study has to, once."""

MEGABYTES: Final = 10_000_000

POLL: Final = 1.0
"""Seconds between looks at whether anybody is still there."""


_loaded: dict[bytes, Any] = {}


def compute_chunk(study: tuple[bytes, bytes], facts: Mapping[str, str], chunk: Chunk) -> Any:
    """Compute a chunk, in a worker.

    Parameters
    ----------
    study : (bytes, bytes)
        A name, and the pickled function of a chunk; as bytes, because arrays that Dask moves
        between workers may not be written to.
    facts : mapping of str to str
        Of the client.
    chunk : Chunk
        The chunk.
    """
    from distributed import get_worker

    worker = get_worker()  # an error outside of a worker
    if told := differences(worker_facts(), facts):
        raise ExecutorError(f"worker {worker.address} does not fit the client: {told}")
    name, content = study
    function = _loaded.get(name)
    if function is None:
        function = pickle.loads(content)
        _loaded.clear()  # one study at a time
        _loaded[name] = function
    return function(chunk)


def as_it_is(study: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Hold the study on a worker."""
    return study


def on_cluster(
    client: Client,
    function: Callable[[Chunk], Result],
    chunks: Sequence[Chunk],
    window: int | None = None,
) -> Generator[Result, None, None]:
    """Compute chunks on the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        What `connect` returned.
    function : callable
        What to compute; pickled.
    chunks : sequence of Chunk
        What to compute it for.
    window : int, optional
        Most chunks that are handed out at a time; by default two per thread of the cluster.

    Yields
    ------
    Result
        In the order in which they are done.

    Raises
    ------
    ExecutorError
        If a chunk's workers died again and again, or the cluster went away.
    """
    import cloudpickle
    import dask

    content = os.urandom(16), cloudpickle.dumps(function)
    with dask.config.set({WARNING: 2 * len(content[1]) + MEGABYTES}):
        study = client.submit(as_it_is, content, pure=False)
    with Handing(client, study, chunks) as handing:
        while handing.open:
            handing.fill(window or WINDOW * max(1, sum(client.nthreads().values())))
            if (done := handing.next()) is not None:
                yield done.pop()  # pop: this frame must not hold what its caller has dealt with


class Handing:
    """Chunks handed out to a cluster and not yet back.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    study : Future
        What `compute_chunk` takes.
    chunks : sequence of Chunk
        All to be handed out.
    """

    def __init__(self, client: Client, study: Future[Any], chunks: Sequence[Chunk]) -> None:
        self.client, self.study = client, study
        self.facts = worker_facts()
        self.waiting = iter(chunks)
        self.left = len(chunks)
        self.again: list[Chunk] = []
        self.failures: dict[int, int] = {}
        self.out: dict[Future[Any], Chunk] = {}
        self.done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self.alone_since: float | None = None

    def __enter__(self) -> Handing:
        return self

    def __exit__(self, *_: object) -> None:
        """Take back what has not been computed yet."""
        if self.out and self.client.status == "running":
            self.client.cancel(list(self.out), force=True)
        self.out.clear()

    @property
    def open(self) -> bool:
        """Whether results are still to come."""
        return self.left > 0

    def fill(self, window: int) -> None:
        """Hand out chunks until so many are out."""
        while len(self.out) < max(1, window):
            chunk = self.again.pop() if self.again else next(self.waiting, None)
            if chunk is None:
                return
            future = self.client.submit(compute_chunk, self.study, self.facts, chunk, pure=False)
            self.out[future] = chunk
            future.add_done_callback(self.done.put)

    def next(self) -> list[Any] | None:
        """Wait a little for a result: a list with it, or nothing yet."""
        try:
            future = self.done.get(timeout=POLL)
        except queue.Empty:
            self.look_around()
            return None
        chunk = self.out.pop(future, None)
        if chunk is None:
            return None
        self.alone_since = None
        result = self.result_of(future, chunk)
        if result is not None:
            self.left -= 1
        return result

    def result_of(self, future: Future[Any], chunk: Chunk) -> list[Any] | None:
        """Return a result in a list; None if the chunk is to be handed out again."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            return [future.result()]
        except KilledWorker as error:
            raise ExecutorError(
                f"paths {chunk.first} to {chunk.first + chunk.count - 1} killed "
                f"{error.allowed_failures + 1} workers, the last {error.last_worker.address}; see "
                "their logs, give them more memory, or ask for smaller chunks with --memory"
            ) from error
        except (CancelledError, OSError) as error:
            if future.status == "error":
                raise  # what the chunk itself ran into
            self.look_around(error)  # the cluster forgot it, or the way to its worker broke
            self.failures[chunk.index] = self.failures.get(chunk.index, 0) + 1
            if self.failures[chunk.index] >= TRIES:
                raise ExecutorError(
                    f"paths {chunk.first} to {chunk.first + chunk.count - 1} came to nothing "
                    f"{TRIES} times ({brief(error)}); see the logs of scheduler and workers"
                ) from error
            self.again.append(chunk)
            return None

    def look_around(self, error: BaseException | None = None) -> None:
        """Give up if the scheduler is gone, or all workers for too long."""
        address = self.client.scheduler.address if self.client.scheduler else "the scheduler"
        if self.client.status != "running":
            raise ExecutorError(
                f"the Dask scheduler at {address} went away; start it again, then run the same "
                "command with --resume"
            ) from error
        if self.client.nthreads():
            self.alone_since = None
            return
        now = time.monotonic()
        self.alone_since = self.alone_since or now
        if now - self.alone_since > patience():
            raise ExecutorError(
                f"all workers of the Dask scheduler at {address} are gone, for {patience():.0f} s; "
                f"start some (dask worker {address}), then run the same command with --resume"
            ) from error
