"""`neobox sweep`: foretold, run, found again, interrupted, refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from simulator import open_sweep
from simulator.dataset.store import RunStore
from tests.unit.sweeps.samples import bytes_of, write_sweep

Call = Callable[..., Result]

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.mark.nojit
def test_a_dry_run_writes_nothing(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call("sweep", write_sweep(tmp_path), "--dry-run", "--out", out)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["point", "names.A.pd", "names.B.exposure_usd_m"]
    assert len([line for line in lines if "to run" in line]) == 6
    assert "as base" in lines[6]  # 6%, 30: the study as it is written
    assert "6 points and the base, 6 distinct runs of 300 paths, 6 to compute" in lines[-1]
    assert not out.exists()


@pytest.mark.nojit
@pytest.mark.parametrize("name", ["credit-pool", "neocloud-2026"])
def test_shipped_sweeps_are_sound(call: Call, tmp_path: Path, name: str) -> None:
    file = CONFIGS / "sweeps" / f"{name}.yaml"
    result = call("sweep", file, "--dry-run", "--json", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert len(told["runs"]) > 8
    assert told["seconds"] > 1.0
    assert told["disk_mb"] > 10.0


def test_a_sweep_and_again(call: Call, tmp_path: Path) -> None:
    file, out = write_sweep(tmp_path), tmp_path / "out"
    first = call("sweep", file, "--jobs", 2, "--out", out)
    assert first.exit_code == 0, first.output
    assert "6 runs, 0 of them found" in first.stdout
    before = bytes_of(out)
    again = json.loads(call("sweep", file, "--out", out, "--resume", "--json").stdout)
    assert (again["runs"], again["found"]) == (6, 6)
    assert bytes_of(out) == before
    book = open_sweep(again["out"])["book_expected_loss"].values.ravel()
    assert [one["measures"]["expected_loss"][0] for one in again["points"][1:]] == book.tolist()


def test_axes_on_the_command_line(call: Call, tmp_path: Path) -> None:
    write_sweep(tmp_path)
    asked = ("--set", "names.A.pd=1%,9%", "--set", "horizon_months=12", "--paths", 50, "--seed", 3)
    result = call("sweep", tmp_path / "pool.yaml", *asked, "--out", tmp_path / "out", "--json")
    points = json.loads(result.stdout)["points"]
    assert [one["coordinates"] for one in points] == [
        {},
        {"names.A.pd": "1%"},
        {"names.A.pd": "9%"},
    ]
    assert points[2]["changes"]["expected_loss"][0] > 0.0 > points[1]["changes"]["expected_loss"][0]
    run = open_sweep(tmp_path / "out" / "sweeps" / "pool")
    assert (run.attrs["seed"], run.attrs["paths"], run.sizes["month"]) == (3, 50, 12)


@pytest.mark.nojit
def test_faults_come_before_any_path(call: Call, tmp_path: Path) -> None:
    file = write_sweep(tmp_path)
    asked = ("--set", "names.A.pd=1%,400%", "--set", "copula.nuu=3", "--out", tmp_path / "out")
    result = call("sweep", file, *asked)
    assert result.exit_code == 2
    assert "--set names.A.pd: names.A.pd.0: expected" in result.output
    assert "--set copula.nuu" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    file, out, finished = write_sweep(tmp_path), tmp_path / "out", []

    def interrupt(store: RunStore, threads: int | None = None) -> None:
        finished.append(store)
        if len(finished) == 3:
            raise KeyboardInterrupt
        finalise(store, threads)

    finalise = RunStore.finalise
    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "finalise", interrupt)
        result = call("sweep", file, "--out", out, "--jobs", jobs)
    assert result.exit_code == 130
    assert "of 6 runs and finished chunks of others are safe" in result.output
    result = call("sweep", file, "--out", out)
    assert result.exit_code == 0
    assert call("sweep", file, "--out", tmp_path / "other").exit_code == 0
    assert bytes_of(out) == bytes_of(tmp_path / "other")


def test_a_full_disk_is_resumable(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_sweep(tmp_path)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        result = call("sweep", file, "--out", tmp_path / "out")
    assert result.exit_code == 4
    assert "No space left on device" in result.output
    assert call("sweep", file, "--out", tmp_path / "out").exit_code == 0
