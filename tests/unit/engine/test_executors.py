"""Executors: every chunk once, dead workers replaced, errors passed on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from simulator.dataset.plan import Chunk
from simulator.engine.executors import EXECUTORS, ExecutorError, execute

pytestmark = pytest.mark.nojit

CHUNKS = [Chunk(index, 10 * index, 10) for index in range(5)]


def square(chunk: Chunk) -> int:
    return chunk.first**2


def fail(chunk: Chunk) -> int:
    raise ValueError(f"chunk {chunk.index}")


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


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_every_chunk_once(name: str, jobs: int) -> None:
    assert sorted(execute(name, square, CHUNKS, jobs)) == [square(chunk) for chunk in CHUNKS]
    assert list(execute(name, square, [], jobs)) == []


@pytest.mark.parametrize("name", EXECUTORS)
def test_errors_come_through(name: str) -> None:
    with pytest.raises(ValueError, match="chunk"):
        list(execute(name, fail, CHUNKS, 2))


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    task: Callable[[Chunk], int] = partial(die_once, tmp_path / "died")
    found = sorted(execute("processes", task, CHUNKS, 2))
    assert found == [square(chunk) for chunk in CHUNKS]
    assert (tmp_path / "died").exists()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_workers_that_keep_dying() -> None:
    with pytest.raises(ExecutorError, match="died 3 times") as error:
        list(execute("processes", die, CHUNKS, 2))
    assert error.value.exit_code == 5


def test_what_cannot_be() -> None:
    with pytest.raises(ExecutorError, match="threads, processes, serial"):
        execute("cloud", square, CHUNKS, 1)
    with pytest.raises(ValueError, match="at least 1"):
        execute("threads", square, CHUNKS, 0)
