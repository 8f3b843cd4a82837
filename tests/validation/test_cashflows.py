"""Loans and boxes month by month, against exact arithmetic done elsewhere.

Each case is run by the kernels that simulate; the package holds its months and figures,
worked out in fractions or decimals without rounding to floating point on the way.
"""

from __future__ import annotations

import csv
import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulator.selfcheck import cashflows, kind_of, run_case
from simulator.selfcheck.folder import SHIPPED, check_folder, numbers
from simulator.selfcheck.months import Result

FOLDER = SHIPPED
PRINTED = 5.1e-11  # half the last digit of the tables
FILES = ("cashflows.json", "structures.json")
CASE = {
    one["id"]: one for file in FILES for one in json.loads((FOLDER / file).read_text())["cases"]
}


@cache
def result(name: str) -> Result:
    return run_case(CASE[name]["params"], CASE[name]["kind"])


@pytest.mark.nojit
@pytest.mark.parametrize("name", CASE)
def test_figures(name: str) -> None:
    case, found = CASE[name], dict(numbers(result(name).figures))
    for path, expected in numbers(case["expected"]):
        allowed = case["tol"]["abs"] + case["tol"]["rel"] * abs(expected)
        assert abs(found[path] - expected) <= allowed, (path, found[path], expected)


@pytest.mark.nojit
@pytest.mark.parametrize("name", [name for name, one in CASE.items() if "csv" in one["params"]])
def test_months(name: str) -> None:
    case = CASE[name]
    with (FOLDER / case["params"]["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in rows[0]:
        expected = np.array([float(row[column]) for row in rows])
        allowed = case["tol"]["abs"] + case["tol"]["rel"] * np.abs(expected) + PRINTED
        gap = np.abs(result(name).columns[column] - expected) - allowed
        assert (gap <= 0.0).all(), (column, int(gap.argmax()) + 1)


@pytest.mark.nojit
def test_a_case_tells_its_kind_by_its_parameters() -> None:
    for one in CASE.values():
        if one["kind"] != "level_loan_in_cents":  # a manner of printing the same loan
            assert kind_of(one["params"]) == one["kind"]
    assert set(cashflows.CASES) == {one["kind"] for one in CASE.values()}
    with pytest.raises(ValueError, match="no kind of case"):
        kind_of({"colour": "blue"})


@pytest.mark.nojit
def test_a_folder_of_cases_is_run_and_told(tmp_path: Path) -> None:
    tables = {one["params"]["csv"] for one in CASE.values() if "csv" in one["params"]}
    for name in (*FILES, *tables):
        shutil.copy(FOLDER / name, tmp_path)
    verdicts = {one.id: one for one in check_folder(tmp_path)}
    assert set(verdicts) == set(CASE)
    assert all(one.kind and one.passed for one in verdicts.values())
    assert {name: one.kind for name, one in verdicts.items()} == {
        name: one["kind"] for name, one in CASE.items()
    }


@pytest.mark.nojit
def test_a_wrong_number_and_an_unknown_kind_show(tmp_path: Path) -> None:
    case = CASE["W01"]
    off = {**case["expected"], "last_payment": case["expected"]["last_payment"] + 0.01, "colour": 7}
    params = {key: value for key, value in case["params"].items() if key != "csv"}
    text = {
        "cases": [
            {"id": "off", "params": params, "expected": off, "tol": case["tol"]},
            {"id": "other", "params": {"strike": 100}, "expected": {"price": 1}, "tol": {}},
        ]
    }
    (tmp_path / "cases.json").write_text(json.dumps(text), encoding="utf-8")
    wrong, other = check_folder(tmp_path)
    assert not wrong.passed
    assert wrong.where == "last_payment"
    assert wrong.missing == ("colour",)
    assert (other.kind, other.found) == ("", {})
