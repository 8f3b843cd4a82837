"""Dask: chunks on workers only, dead workers replaced, strangers refused, clear messages."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from simulator.dataset.plan import Chunk
from simulator.engine import cluster, handing
from simulator.engine.cluster import (
    ExecutorError,
    cluster_of,
    connect,
    differences,
    disconnect,
    worker_facts,
)
from simulator.engine.executors import execute, reach

pytestmark = pytest.mark.nojit

CHUNKS = [Chunk(index, 10 * index, 10) for index in range(12)]
JOBS = 2


@pytest.fixture(scope="module", autouse=True)
def clusters() -> Iterator[None]:
    """One cluster for all tests, ended with them."""
    yield
    disconnect()


def square(chunk: Chunk) -> int:
    return chunk.first**2


SQUARES = [square(chunk) for chunk in CHUNKS]


def process_of(chunk: Chunk) -> int:
    time.sleep(0.05)
    return os.getpid()


def fail(chunk: Chunk) -> int:
    raise FileNotFoundError(f"chunk {chunk.index}")


def die_once(marker: Path, chunk: Chunk) -> int:
    """Kill this process, the first time that anybody gets to chunk 3."""
    if chunk.index == 3:
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return square(chunk)
        os.kill(os.getpid(), signal.SIGKILL)
    return square(chunk)


def die(chunk: Chunk) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def started(folder: Path, chunk: Chunk) -> int:
    (folder / str(chunk.index)).touch()
    return chunk.index


def test_addresses() -> None:
    assert cluster_of("dask://10.0.0.5:8786") == "tcp://10.0.0.5:8786"
    assert cluster_of("dask+tls://node-7:8786/") == "tls://node-7:8786"
    assert cluster_of("dask") == ""
    assert cluster_of("processes") is None
    for wrong in ("dask://", "dask://host", "dask://:8786", "dask://host:port"):
        with pytest.raises(ExecutorError, match="mend by writing dask://host:8786"):
            cluster_of(wrong)


def test_every_chunk_once_and_none_in_the_client() -> None:
    assert sorted(execute("dask", square, CHUNKS, JOBS)) == SQUARES
    assert list(execute("dask", square, [], JOBS)) == []
    workers = set(execute("dask", process_of, CHUNKS, JOBS))
    assert len(workers) == JOBS
    assert os.getpid() not in workers
    with pytest.raises(ValueError, match="worker"):
        handing.compute_chunk((b"", b""), worker_facts(), CHUNKS[0])


def test_errors_come_through() -> None:
    with pytest.raises(FileNotFoundError, match="chunk"):
        list(execute("dask", fail, CHUNKS, JOBS))


def test_few_chunks_are_out_at_a_time(tmp_path: Path) -> None:
    results = execute("dask", partial(started, tmp_path), CHUNKS, JOBS, 3)
    next(results)
    time.sleep(0.5)
    assert len(list(tmp_path.iterdir())) <= 3  # no other is handed out before the next is wanted
    results.close()
    time.sleep(0.2)
    assert len(list(tmp_path.iterdir())) <= 3


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    found = sorted(execute("dask", partial(die_once, tmp_path / "died"), CHUNKS, JOBS))
    assert found == SQUARES
    assert (tmp_path / "died").exists()


def test_a_worker_that_holds_the_study_may_die() -> None:
    """Both do, one after the other: the study is made again, and so is what was not yet fetched."""
    client = connect("", JOBS)
    results = execute("dask", square, CHUNKS, JOBS, 2)
    found = [next(results)]
    client.restart_workers(list(client.nthreads()), timeout=20)
    assert sorted(found + list(results)) == SQUARES


def test_workers_that_keep_dying() -> None:
    with pytest.raises(ExecutorError, match=r"paths 0 to 9 killed 4 workers") as error:
        list(execute("dask", die, CHUNKS[:1], JOBS))
    assert error.value.exit_code == 5
    assert "\n" not in str(error.value)


def test_strangers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {**worker_facts(), "numba": "0.1", "NUMBA_OPT": "1"}
    monkeypatch.setattr(cluster, "worker_facts", lambda: other)
    with pytest.raises(
        ExecutorError, match=r"(1 of 1|2 of 2) workers .* worker tcp://127"
    ) as error:
        reach("dask", JOBS)
    assert f"numba {worker_facts()['numba']} there, 0.1 here" in str(error.value)
    assert "NUMBA_OPT unset there, 1 here" in str(error.value)
    assert error.value.exit_code == 5


def test_strangers_that_come_later_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it is the client that has changed since the workers were looked at."""
    monkeypatch.setattr(handing, "worker_facts", lambda: {**worker_facts(), "sources": "other"})
    with pytest.raises(ExecutorError, match=r"worker tcp://\S+ does not fit .* other here"):
        list(execute("dask", square, CHUNKS, JOBS))


def test_differences() -> None:
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == ""
    assert (
        differences({"a": "1"}, {"a": "2", "b": "3"}) == "a 1 there, 2 here, b unset there, 3 here"
    )
    assert cluster.fault(ConnectionResetError(), {}) == ""  # a worker that is just going
    assert "is neobox installed there" in cluster.fault(ModuleNotFoundError("no simulator"), {})


def test_a_worker_in_this_process_is_none() -> None:
    assert "computes nothing itself" in cluster.fault(cluster.report_worker(), worker_facts())


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.PATIENCE, "1")
    with pytest.raises(ExecutorError, match=r"tcp://127\.0\.0\.1:9 .*mend by starting") as error:
        reach("dask://127.0.0.1:9", 1)
    assert error.value.exit_code == 5
    assert "\n" not in str(error.value)


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both while it starts and once all have gone."""
    client = connect("", JOBS)
    monkeypatch.setenv(cluster.PATIENCE, "0.5")
    results = execute("dask", process_of, CHUNKS, JOBS, 1)
    next(results)
    client.cluster.scale(0)
    client.sync(client.cluster._correct_state)
    with pytest.raises(ExecutorError, match=r"all workers .* are gone, .*--resume"):
        list(results)
    with pytest.raises(ExecutorError, match="has no workers, after 0 s"):
        reach("dask", JOBS)
    disconnect()
