"""`neobox run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from simulator.dataset.reading import open_run, read_status

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

SMALL = ("--set", "horizon_months=24", "--set", "drivers.compensator=false", "--block", "3")


def test_run_prints_headline_and_folder(call: Call, template: Path, tmp_path: Path) -> None:
    result = call("run", template, *SMALL, "--paths", 6, "--seed", 3, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "6 paths, seed 3" in result.stdout
    assert "expected loss" in result.stdout
    assert str(tmp_path / "run") in result.stdout
    run = open_run(tmp_path / "run")
    assert run.sizes["path"] == 6
    assert run.sizes["month"] == 24
    assert (
        "dem.sigma"
        in json.loads((tmp_path / "run" / "config.resolved.json").read_text())["inputs"][
            "parameters"
        ]
    )
    again = call("run", template, *SMALL, "--paths", 6, "--seed", 3, "--out", tmp_path / "run")
    assert again.exit_code == 0
    assert "the same run was there, finished" in again.stdout


def test_json_alone_on_stdout(call: Call, template: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = call("run", template, *SMALL, "--paths", 3, "--out", out, "--json", "--keep-paths")
    found = json.loads(result.stdout)
    assert found["paths"] == 3
    assert found["out"] == str(out)
    assert found["reused"] is False
    assert found["book"]["expected_loss"]["value"] >= 0.0
    assert "box_dscr" in open_run(out)


@pytest.mark.smoke
def test_end_to_end(call: Call, tmp_path: Path) -> None:
    assert call("init", tmp_path / "study").exit_code == 0
    study = tmp_path / "study" / "study.yaml"
    result = call("run", study, *SMALL, "--paths", 4, "--jobs", 2, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    told = call("explain", tmp_path / "run", "--path", 2, "--facility", "TERM-A")
    assert "bit for bit" in told.stdout, told.output


def test_wrong_study_writes_nothing(call: Call, template: Path, tmp_path: Path) -> None:
    result = call("run", template, "--set", "dem.sigma=-1", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "dem.sigma" in result.stderr
    assert not (tmp_path / "run").exists()
    assert call("run", tmp_path / "none.yaml", "--out", tmp_path / "run").exit_code == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--paths", "0"),
        ("--jobs", "-1"),
        ("--executor", "cloud"),
        ("--resume", "--overwrite"),
        ("--seed", "-3"),
    ],
)
def test_wrong_usage(call: Call, template: Path, tmp_path: Path, wrong: tuple[str, ...]) -> None:
    result = call("run", template, "--out", tmp_path / "run", *wrong)
    assert result.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_another_run_in_the_folder(call: Call, template: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert call("run", template, *SMALL, "--paths", 3, "--out", out).exit_code == 0
    result = call("run", template, *SMALL, "--paths", 4, "--out", out)
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert call("run", template, *SMALL, "--paths", 4, "--out", out, "--overwrite").exit_code == 0
    assert open_run(out).sizes["path"] == 4


def test_a_folder_of_something_else(call: Call, template: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = call("run", template, *SMALL, "--paths", 3, "--out", tmp_path)
    assert result.exit_code == 2
    assert "notes.txt" in result.stderr


def test_interrupted(
    call: Call, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulator.cli.progress import ProgressLine

    def interrupt(self: ProgressLine, progress: Any) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "run"
    command = ("run", template, *SMALL, "--paths", 6, "--chunk", 2, "--out", out)
    with monkeypatch.context() as patch:
        patch.setattr(ProgressLine, "__call__", interrupt)
        result = call(*command)
    assert result.exit_code == 130
    assert "1 of 3 chunks are safe" in result.stderr
    assert "--resume" in result.stderr
    assert not read_status(out).complete
    refused = call(*command)
    assert refused.exit_code == 2
    assert "--resume" in refused.stderr
    assert call(*command, "--resume").exit_code == 0
    assert open_run(out).sizes["path"] == 6


def test_full_disk(
    call: Call, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    result = call("run", template, *SMALL, "--paths", 3, "--out", tmp_path / "run")
    assert result.exit_code == 4
    assert "make room" in result.stderr


def test_folder_by_default(
    call: Call, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("run", template, *SMALL, "--paths", 3).exit_code == 0
    assert read_status(tmp_path / "results" / "study").complete
