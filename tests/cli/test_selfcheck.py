"""`neobox selfcheck`: a folder of cases in, a line a case and a file of numbers out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main

LOAN = {"P": 1_200.0, "nominal_rate": 0.12, "months": 12}


def write(folder: Path, total: float) -> Path:
    """Write one loan at 1% a month, and what its interest is said to come to."""
    case = {
        "id": "L1",
        "params": LOAN,
        "expected": {"total_interest": total},
        "tol": {"abs": 1e-4, "rel": 0.0},
    }
    (folder / "mine.json").write_text(json.dumps({"cases": [case]}), encoding="utf-8")
    return folder


def interest() -> float:
    """12 payments of 1,200 i/(1 - (1 + i)^-12), less the loan."""
    return 12 * 1_200.0 * 0.01 / (1.0 - 1.01**-12) - 1_200.0


def test_a_case_that_is_met(tmp_path: Path) -> None:
    found = tmp_path / "out" / "found.json"
    found.parent.mkdir()
    told = CliRunner().invoke(
        main,
        ["selfcheck", "--cases", str(write(tmp_path, interest())), "--json", str(found)],
    )
    assert told.exit_code == 0, told.output
    assert "1 of 1 cases run, 1 numbers compared, 0 cases beyond their tolerance" in told.output
    numbers = json.loads(found.read_text(encoding="utf-8"))["L1"]
    assert numbers["total_interest"] == pytest.approx(interest(), abs=1e-6)


def test_a_case_that_is_not(tmp_path: Path) -> None:
    folder = write(tmp_path, interest() + 0.01)
    told = CliRunner().invoke(main, ["selfcheck", "--cases", str(folder)])
    assert told.exit_code == 1
    assert "BEYOND" in told.output
    assert "total_interest" in told.output


def test_folders_that_hold_no_cases(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["selfcheck", "--cases", str(tmp_path)])
    assert told.exit_code == 2
    assert "expected JSON files of cases" in told.output
    (tmp_path / "broken.json").write_text("[1]", encoding="utf-8")
    told = CliRunner().invoke(main, ["selfcheck", "--cases", str(tmp_path)])
    assert told.exit_code == 2
    assert "broken.json" in told.output
    assert "Traceback" not in told.output


def test_the_cases_of_the_package(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    told = CliRunner().invoke(main, ["selfcheck", "--paths", "5000", "--json", str(found)])
    assert told.exit_code == 0, told.output
    assert "W22" in told.output
    assert "not run" not in told.output
    assert re.search(r"largest \|z\| [0-3]\.", told.output)
    numbers = json.loads(found.read_text(encoding="utf-8"))
    assert numbers["GPOOL-P3"]["defaults/mean"].keys() == {"value", "se"}


def test_a_pool_that_is_not_what_it_is_said_to_be(tmp_path: Path) -> None:
    """A wrong mean shows by its score, a kind outside of the model by its reason."""
    cases = [
        {"id": "pool", "params": {"N": 5, "PD": 0.1, "rho": 0.0}, "expected": {"mean": 0.6}},
        {
            "id": "root",
            "params": {"kappa": 1, "theta": 1, "sigma": 1, "x0": 1, "T": 1},
            "expected": {"mean": 1.0},
        },
    ]
    (tmp_path / "pools.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")
    told = CliRunner().invoke(
        main, ["selfcheck", "--cases", str(tmp_path), "--seed", "3", "--paths", "5000"]
    )
    assert told.exit_code == 1
    assert "BEYOND" in told.output
    assert "root         not run: no square-root (CIR) driver" in told.output
