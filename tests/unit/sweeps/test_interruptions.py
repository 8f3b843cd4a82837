"""Kills, a full disk, a neighbour: a sweep loses nothing and ends with the bytes it would have."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import simulator
from simulator.config.study import load_study
from simulator.dataset import RunError, RunWriteError, open_run
from simulator.dataset.errors import RunNotFoundError
from simulator.sweeps.run import prepare_sweep, run_sweep
from tests.unit.sweeps.samples import SWEEP, bytes_of, write_sweep

ROOT = Path(__file__).parents[3]
KILLS = 30
THREE = SWEEP.replace("[3%, 6%]", "[3%, 6%, 9%]").replace(
    "  names.B.exposure_usd_m: {from: 10, to: 50, num: 3}\n", ""
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("sweep"), THREE)


@pytest.fixture(scope="module")
def expected(sweep: Path) -> dict[str, object]:
    """Bytes of an undisturbed sweep."""
    finish(sweep, sweep.parent / "undisturbed")
    return bytes_of(sweep.parent / "undisturbed")


def finish(sweep: Path, results: Path, jobs: int = 2) -> None:
    run_sweep(*prepare_sweep(sweep, out=results), jobs=jobs)


def halves(results: Path, expected: dict[str, object]) -> int:
    """Check that whatever opens is whole; return how many runs do not open."""
    refused = 0
    for folder in (results / "runs").glob("*"):
        try:
            open_run(folder).load()
        except RunError:
            refused += 1
            continue
        files = {f"runs/{folder.name}/{name}": held for name, held in bytes_of(folder).items()}
        whole = {
            name: held for name, held in files.items() if ".zarr/" in name or "run.json" in name
        }
        assert whole.items() <= expected.items()
    return refused


def test_killed_at_random_moments(sweep: Path, expected: dict[str, object], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.unit.sweeps.killed_sweep"]
    told = subprocess.run(
        [*command, str(sweep), str(tmp_path), "5", str(KILLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert sum(line.endswith("killed") for line in told) == KILLS
    assert {line.partition(" ")[2] for line in told} <= {"killed", "ended 0"}
    assert bytes_of(tmp_path / "first") == expected
    refused = 0
    for name in {line.split()[0] for line in told}:
        results = tmp_path / name
        refused += halves(results, expected)
        try:
            seen = simulator.open_sweep(results / "sweeps" / "small")
        except RunNotFoundError:
            pass  # killed before there was a catalogue
        else:
            rows = seen["book_expected_loss"].values[seen["finished"].values]
            assert rows.size == 0 or (rows > 0.0).all()
        finish(sweep, results)
        assert bytes_of(results) == expected
    assert refused > 0  # some kills came in the middle of a run


class FullDisk:
    """Stands for `os.fsync` on a disk that is full after some calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, descriptor: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("calls", [0, 2, 11, 25, 40])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_says_so_and_loses_nothing(
    sweep: Path,
    expected: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calls: int,
    jobs: int,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", FullDisk(calls))
        with pytest.raises(RunWriteError, match="No space left on device"):
            finish(sweep, tmp_path, jobs)
    halves(tmp_path, expected)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/run.json")}
    done = {path for path in before if '"complete"' in path.read_text()}
    finish(sweep, tmp_path, jobs)
    assert bytes_of(tmp_path) == expected
    for path in done:  # found, not computed again
        assert path.stat().st_mtime_ns == before[path]


def test_two_processes_share_one_folder(
    sweep: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "simulator", "sweep", str(sweep), "--out", str(tmp_path)]
    both = [
        subprocess.Popen([*command, "--json"], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)
    ]
    assert [one.communicate()[0] is not None and one.returncode for one in both] == [0, 0]
    assert bytes_of(tmp_path) == expected


def test_a_point_that_is_being_computed_is_waited_for(
    sweep: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    planned, folder = prepare_sweep(sweep, out=tmp_path)
    last = planned.points[-1]
    from simulator.api import compute, create_store
    from simulator.sweeps.plan import study_of

    study, plan = study_of(planned.sweep, last)
    store = create_store(study, plan, folder.run(last.key), "refuse")
    other = threading.Thread(target=run_sweep, args=(planned, folder))
    other.start()
    other.join(1.5)
    assert other.is_alive()
    compute(study, store)
    other.join(30.0)
    assert not other.is_alive()
    assert bytes_of(tmp_path) == expected


def test_a_study_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    file = write_sweep(tmp_path / "files")
    planned, folder = prepare_sweep(file, out=tmp_path / "out")
    pool = file.parent / "pool.yaml"
    pool.write_text(pool.read_text().replace("exposure_usd_m: 20", "exposure_usd_m: 21"))
    with pytest.raises(simulator.NeoboxError, match="not the study it was"):
        run_sweep(planned, folder)
    assert load_study(pool).digest != planned.base.plan.digest  # type: ignore[union-attr]
