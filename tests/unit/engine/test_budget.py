"""Memory budgets: smaller chunks first, then fewer at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.api import plan_run, simulate
from simulator.config.study import load_study
from simulator.dataset.layout import bytes_per_path
from simulator.dataset.plan import Chunk
from simulator.engine import budget as budgets
from simulator.engine.budget import (
    COPIES,
    LEAST_CHUNK,
    PROCESS,
    TABLES,
    MemoryBudget,
    MemoryBudgetError,
    parse_bytes,
)
from simulator.engine.executors import execute
from simulator.engine.runner import CHUNK_BYTES

pytestmark = pytest.mark.nojit

STUDY = Path(__file__).resolve().parents[3] / "configs" / "credit-pool.yaml"
GB = 10**9


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2GB", 2 * GB),
        ("2g", 2 * GB),
        ("1.5 GiB", 3 << 29),
        ("512 MB", 512 * 10**6),
        ("700000000", 7 * 10**8),
    ],
)
def test_amounts(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize("text", ["", "much", "-2GB", "0GB", "2 iB", "2XB", "1e9"])
def test_no_amounts(text: str) -> None:
    with pytest.raises(MemoryBudgetError, match="such as 2GB"):
        parse_bytes(text)


@pytest.mark.parametrize("executor", ["threads", "processes", "serial", "dask", "dask://h:1"])
@pytest.mark.parametrize("jobs", [1, 4, 32])
@pytest.mark.parametrize("size", [GB, 3 * GB, 20 * GB])
def test_all_together_stays_within_it(executor: str, jobs: int, size: int) -> None:
    budget = MemoryBudget(size, executor, jobs)
    processes = 1 + jobs if executor in ("processes", "dask") else 1
    if processes * PROCESS + TABLES + COPIES * LEAST_CHUNK > size:
        with pytest.raises(MemoryBudgetError, match="fewer --jobs"):
            _ = budget.chunk_bytes
        return
    chunk = budget.chunk_bytes
    assert chunk >= LEAST_CHUNK
    workers = {"serial": 1, "dask://h:1": 2}.get(executor, jobs)
    at_once = budget.window(chunk) or workers
    assert 1 <= at_once <= workers
    assert processes * PROCESS + TABLES + at_once * COPIES * chunk <= size + COPIES * LEAST_CHUNK
    assert PROCESS + budget.threads * TABLES <= size


def test_chunks_of_a_resumed_run_are_kept_and_fewer_are_in_work() -> None:
    budget = MemoryBudget(GB, "threads", 8)
    assert budget.window(LEAST_CHUNK) is None
    assert budget.window(CHUNK_BYTES) == 2  # of eight
    assert budget.window(10 * GB) == 1


def test_too_little_says_how_much_is_needed() -> None:
    with pytest.raises(MemoryBudgetError, match=r"0\.30 GB .*about 0\.54 GB") as error:
        _ = MemoryBudget(3 * 10**8).chunk_bytes
    assert error.value.exit_code == 2
    assert "--jobs" not in str(error.value)


def test_plans_have_smaller_chunks_and_the_same_results(tmp_path: Path) -> None:
    study = load_study(STUDY)
    free = plan_run(study, paths=10**6, seed=1, jobs=8)
    held = plan_run(study, paths=10**6, seed=1, jobs=8, memory=6 * 10**8)
    per_path = bytes_per_path(free, "scalar") + bytes_per_path(free, "series")
    assert held.chunk < free.chunk
    assert held.chunk * per_path <= LEAST_CHUNK
    assert held.differences(free) == []
    with pytest.raises(MemoryBudgetError):
        simulate(study, paths=10, memory="100MB", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_no_more_chunks_are_in_work_than_there_is_room_for() -> None:
    import threading
    import time

    working, most, guard = 0, 0, threading.Lock()

    def work(chunk: Chunk) -> None:
        nonlocal working, most
        with guard:
            working += 1
            most = max(most, working)
        time.sleep(0.01)
        with guard:
            working -= 1

    chunks = [Chunk(index, index, 1) for index in range(20)]
    list(execute("threads", work, chunks, 8, 2))
    assert most == 2


def test_the_run_asks_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def window(self: MemoryBudget, chunk_bytes: int) -> int:
        asked.append(chunk_bytes)
        return 1

    monkeypatch.setattr(budgets.MemoryBudget, "window", window)
    plan = plan_run(load_study(STUDY), paths=4, seed=1, chunk=2)
    per_path = bytes_per_path(plan, "scalar") + bytes_per_path(plan, "series")
    simulate(STUDY, paths=4, chunk=2, block=2, jobs=2, memory=GB)
    assert asked == [2 * per_path]
