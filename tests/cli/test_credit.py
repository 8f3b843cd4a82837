"""Credit-only studies at the command line: the same verbs as for a book."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main

STUDY = Path(__file__).resolve().parents[2] / "configs" / "credit-pool.yaml"


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.nojit
def test_check_shows_names_and_tranches() -> None:
    told = invoke("check", str(STUDY))
    assert "25 names" in told
    assert "t copula, 8 degrees" in told
    assert "mezzanine" in told
    assert json.loads(invoke("check", str(STUDY), "--json"))["ok"]


@pytest.mark.nojit
def test_the_schema_is_its_own() -> None:
    schema = json.loads(invoke("schema", "--credit"))
    assert schema["title"] == "neobox credit-only study"
    assert "tranches" in schema["properties"]


def test_a_run_and_its_report(tmp_path: Path) -> None:
    out = tmp_path / "run"
    numbers = json.loads(invoke("run", str(STUDY), "--paths", "3000", "--out", str(out), "--json"))
    assert numbers["book"]["expected_loss"]["value"] > 0.0
    notes = numbers["notes"]
    assert set(notes) == {"first-loss", "mezzanine", "senior"}
    shares = [notes[name]["expected_loss_share"]["value"] for name in notes]
    assert shares == sorted(shares, reverse=True)
    total = sum(note["expected_loss"]["value"] for note in notes.values())
    assert total == pytest.approx(numbers["book"]["expected_loss"]["value"])
    invoke("report", str(out))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Notes and tranches" in page
    assert "Causes of default" not in page
    refused = CliRunner().invoke(
        main, ["explain", str(out), "--path", "1", "--facility", "Borrower 01"]
    )
    assert refused.exit_code == 2
    assert "credit-only" in refused.output


def test_a_run_by_importance_says_so(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = (
        "run",
        str(STUDY),
        "--paths",
        "2000",
        "--sampling",
        "importance",
        "--out",
        str(out),
    )
    told = invoke(*arguments)
    assert "importance sampling" in told
    assert "aimed at the 0.999 level" in told
    assert "use a plain run" in told
    numbers = json.loads(invoke(*arguments, "--json"))
    assert numbers["reused"]
    assert numbers["sampling"]["method"] == "importance"
    assert numbers["sampling"]["effective_paths"] > 200.0
    refused = CliRunner().invoke(main, ["run", str(STUDY), "--sampling", "quasi"])
    assert refused.exit_code == 2
    assert "writing importance" in refused.output
