"""`neobox report`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from simulator.dataset.store import RunStore
from simulator.reports import Picture
from tests.unit.reports.synthetic import plan, write_run

Call = Callable[..., Result]


pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "base")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw blank figures."""
    monkeypatch.setattr(Picture, "render", lambda self, form="svg": f"<{form}>".encode())


def test_report_stands_in_the_runs_folder(call: Call, run: Path) -> None:
    result = call("report", run)
    assert result.exit_code == 0, result.output
    assert "expected loss         USD" in result.stdout
    assert str(run / "report.html") in result.stdout
    text = (run / "report.html").read_text(encoding="utf-8")
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert "Blanks filled by a rule" in text
    assert [path.name for path in run.iterdir() if path.name.endswith(".partial")] == []


def test_json_alone_on_stdout(call: Call, run: Path, tmp_path: Path, quick: None) -> None:
    out = tmp_path / "new" / "r.html"
    result = call("report", run, "--json", "--out", out)
    assert result.exit_code == 0
    numbers = json.loads(result.stdout)
    assert numbers["paths"] == 400
    assert numbers["book"]["expected_loss"]["se"] > 0
    assert set(numbers["facilities"]) >= {"Alder DDTL", "Fir notes"}
    assert result.stderr.strip() == str(out)
    assert out.is_file()


def test_figures(call: Call, run: Path, tmp_path: Path, quick: None) -> None:
    result = call(
        "report", run, "--out", tmp_path / "r.html", "--figures", tmp_path / "f", "--format", "svg"
    )
    assert result.exit_code == 0
    names = {path.name for path in (tmp_path / "f").iterdir()}
    assert {"exceedance.svg", "portfolio.svg", "rental_price_contract.svg"} <= names


def test_a_format_without_figures_is_refused(call: Call, run: Path) -> None:
    result = call("report", run, "--format", "svg")
    assert result.exit_code == 2
    assert "add --figures FOLDER" in result.stderr


def test_a_note_while_it_works(call: Call, run: Path, tmp_path: Path, quick: None) -> None:
    result = call("report", run, "--out", tmp_path / "r.html", "--figures", tmp_path / "f")
    for text in ("summing up the results", "writing the report", "drawing the figures"):
        assert text in result.stderr
    assert {path.suffix for path in (tmp_path / "f").iterdir()} == {".png"}


def test_ratings_of_the_users_own(call: Call, run: Path, tmp_path: Path, quick: None) -> None:
    scale = tmp_path / "scale.csv"
    scale.write_text("rating,expected_loss\nsafe,0.01%\nrisky,50%\n")
    result = call("report", run, "--out", tmp_path / "r.html", "--ratings", scale, "--json")
    assert json.loads(result.stdout)["book"]["implied_rating"] in {"safe", "risky"}
    assert "scale.csv" in (tmp_path / "r.html").read_text(encoding="utf-8")
    scale.write_text("rating,expected_loss\nsafe,1%\nrisky,\n")
    result = call("report", run, "--out", tmp_path / "r.html", "--ratings", scale)
    assert result.exit_code == 2
    assert "line 3: expected the columns rating and expected_loss" in result.stderr


def test_no_run(call: Call, tmp_path: Path) -> None:
    result = call("report", tmp_path / "nothing")
    assert result.exit_code == 2
    assert "no run here" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_unfinished_run(call: Call, tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "half", plan(10, "half")):
        pass
    result = call("report", tmp_path / "half")
    assert result.exit_code == 4
    assert "--resume" in result.stderr
    assert not (tmp_path / "half" / "report.html").exists()


def test_folder_that_cannot_be_written(call: Call, run: Path, tmp_path: Path, quick: None) -> None:
    (tmp_path / "file").write_text("")
    result = call("report", run, "--out", tmp_path / "file" / "r.html")
    assert result.exit_code == 1
    assert "could not write" in result.stderr
    assert "--out" in result.stderr


def test_variable_that_the_run_lacks(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import simulator.dataset.reading as reading

    whole = write_run(tmp_path / "whole", paths=20)
    opened = reading.open_run(whole).drop_vars("lender_loss")
    monkeypatch.setattr(reading, "open_run", lambda directory: opened)
    result = call("report", whole)
    assert result.exit_code == 2
    assert "no variable 'lender_loss'" in result.stderr
