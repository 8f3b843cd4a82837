"""A kill, a full disk or a power cut: nothing opens as whole, nothing that is done is lost."""

import errno
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.dataset import (
    RunError,
    RunIncompleteError,
    RunNotFoundError,
    RunPlan,
    RunStore,
    RunWriteError,
    accumulate,
    open_run,
)
from tests.unit.dataset.killed_writer import FOLD_PATHS, PLANS
from tests.unit.dataset.samples import Sample, bytes_below, plan_of, run

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")


@pytest.fixture(autouse=True)
def fold_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulate, "FOLD_PATHS", FOLD_PATHS)


def kill(folder: Path, plan: str, mode: str, moments: list[str]) -> list[str]:
    """Kill one writer per moment; its run is in a folder named by the moment."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.unit.dataset.killed_writer"]
    done = subprocess.run(
        [*command, str(folder), plan, mode, *moments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


def resume(directory: Path, plan: RunPlan) -> None:
    with RunStore.create(directory, plan, existing="resume") as store:
        Sample(plan).write(store)
        store.finalise(threads=2)


def check(directory: Path, plan: RunPlan, expected: dict[str, bytes]) -> str:
    """What a reader sees of a killed run, and that it can be finished to the same bytes."""
    try:
        open_run(directory)
        seen = "whole"
    except (RunIncompleteError, RunNotFoundError) as error:
        seen = type(error).__name__
    resume(directory, plan)
    assert bytes_below(directory) == expected
    return seen


@pytest.mark.parametrize(("name", "times"), [("exact", 10), ("histogram", 5)])
def test_killed_at_random_moments(tmp_path: Path, name: str, times: int) -> None:
    expected = bytes_below(run(tmp_path / "undisturbed", PLANS[name]))
    generator = random.Random(11)
    moments = [f"{generator.uniform(0.0, 0.4):.4f}" for _ in range(times)]
    kill(tmp_path / "killed", name, "after", moments)
    for moment in moments:
        check(tmp_path / "killed" / moment, PLANS[name], expected)


@pytest.mark.parametrize(("name", "stride"), [("exact", 6), ("histogram", 9)])
def test_killed_at_many_steps(tmp_path: Path, name: str, stride: int) -> None:
    expected = bytes_below(run(tmp_path / "undisturbed", PLANS[name]))
    moments = [str(step) for step in range(0, 110, stride)]
    fates = kill(tmp_path / "killed", name, "at", moments)
    assert set(fates) <= {"killed", "ended 0"}
    seen = [check(tmp_path / "killed" / moment, PLANS[name], expected) for moment in moments]
    for fate, view in zip(fates, seen, strict=True):
        assert view == "whole" if fate == "ended 0" else True
    assert seen[0] == "RunNotFoundError"
    assert seen.count("RunIncompleteError") > 8


class FullDisk:
    """Stands for `os.fsync` on a disk that is full after some calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, descriptor: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("calls", [0, 3, 5, 8, 13, 17])
def test_a_full_disk_says_what_to_do_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    plan = plan_of(chunk=300)
    expected = bytes_below(run(tmp_path / "undisturbed", plan))
    with RunStore.create(tmp_path / "run", plan) as store:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", FullDisk(calls))
            with pytest.raises(RunWriteError) as raised:
                Sample(plan).write(store)
            done = store.done
        message = str(raised.value)
        assert str(tmp_path / "run") in message
        assert "No space left on device" in message
        assert f"{done} of 4 chunks are safe" in message
        assert "--resume" in message
        assert not list((tmp_path / "run" / "scratch").glob(".*"))
    # per chunk two files, their names, and the manifest; at first, the manifest's name too
    assert done == max(calls - 1, 0) // 5
    with RunStore.create(tmp_path / "run", plan, existing="resume") as store:
        assert done <= store.done <= done + 1  # a record that was written but not confirmed
    resume(tmp_path / "run", plan)
    assert bytes_below(tmp_path / "run") == expected


def test_a_disk_that_fills_up_at_the_end_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(chunk=300)
    with RunStore.create(tmp_path / "run", plan) as store:
        Sample(plan).write(store)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", FullDisk(10))
            with pytest.raises(RunWriteError, match=r"4 of 4 chunks are safe; make room"):
                store.finalise()
        with pytest.raises(RunError, match="unfinished run, 4 of 4 chunks done"):
            open_run(tmp_path / "run")
        store.finalise()
    assert bytes_below(tmp_path / "run") == bytes_below(run(tmp_path / "other", plan))


@pytest.mark.parametrize("kind", ["scalar", "series"])
@pytest.mark.parametrize("harm", ["lost", "cut short", "changed"])
def test_a_chunk_that_a_power_cut_spoiled_is_computed_again(
    tmp_path: Path, kind: str, harm: str
) -> None:
    plan = plan_of()
    with RunStore.create(tmp_path / "run", plan) as store:
        Sample(plan).write(store)
    file = tmp_path / "run" / "scratch" / f"000003.{kind}"
    content = file.read_bytes()
    spoiled = {"cut short": content[:-100], "changed": content[:-1] + b"\xff"}
    file.unlink()
    if harm in spoiled:
        file.write_bytes(spoiled[harm])
    with RunStore.create(tmp_path / "run", plan, existing="resume") as store:
        assert [chunk.index for chunk in store.missing_chunks()] == [3]
    resume(tmp_path / "run", plan)
    assert bytes_below(tmp_path / "run") == bytes_below(run(tmp_path / "other", plan))


def test_series_of_folded_chunks_take_no_room(tmp_path: Path) -> None:
    plan = PLANS["histogram"]
    waiting = []
    with RunStore.create(tmp_path / "run", plan) as store:
        for chunk in store.missing_chunks():
            Sample(plan).write(store, [chunk])
            waiting.append(len(list((tmp_path / "run" / "scratch").glob("*.series"))))
    assert max(waiting) <= 3  # of 40 paths, in 90
    assert min(waiting) == 0


def test_folding_waits_for_the_pilot(tmp_path: Path) -> None:
    plan = PLANS["histogram"]
    expected = bytes_below(run(tmp_path / "forwards", plan))
    options: dict[str, Any] = {"existing": "resume"}
    with RunStore.create(tmp_path / "run", plan) as store:
        chunks = store.missing_chunks()[::-1]
        Sample(plan).write(store, chunks[:6])
        assert len(list((tmp_path / "run" / "scratch").glob("*.series"))) == 6
    with RunStore.create(tmp_path / "run", plan, **options) as store:
        Sample(plan).write(store, chunks[6:])
        store.finalise()
    assert bytes_below(tmp_path / "run") == expected
