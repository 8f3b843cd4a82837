"""Loans and boxes month by month, against exact arithmetic done elsewhere.

Each case is run by the kernels that simulate; `cases/` holds its months and figures, worked out in
fractions or decimals without rounding to floating point on the way.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.selfcheck import CASES, kind_of, run_case
from simulator.selfcheck.months import Result

FOLDER = Path(__file__).parent / "cases"
PRINTED = 5.1e-11  # half the last digit of the tables
CASE = {one["id"]: one for one in json.loads((FOLDER / "cashflows.json").read_text())["cases"]}


@cache
def result(name: str) -> Result:
    return run_case(CASE[name]["parameters"], CASE[name]["kind"])


def figures(values: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of nested figures with the path to it."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from figures(value, f"{path}/{name}")
    elif isinstance(values, (list, tuple)):
        for place, value in enumerate(values):
            yield from figures(value, f"{path}/{place}")
    else:
        yield path, float(values)


@pytest.mark.nojit
@pytest.mark.parametrize("name", CASE)
def test_figures(name: str) -> None:
    case, found = CASE[name], dict(figures(result(name).figures))
    for path, expected in figures(case["expected"]):
        allowed = case["absolute"] + case["relative"] * abs(expected)
        assert abs(found[path] - expected) <= allowed, (path, found[path], expected)


@pytest.mark.nojit
@pytest.mark.parametrize("name", [name for name, one in CASE.items() if one["table"]])
def test_months(name: str) -> None:
    case = CASE[name]
    with (FOLDER / case["table"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in rows[0]:
        expected = np.array([float(row[column]) for row in rows])
        allowed = case["absolute"] + case["relative"] * np.abs(expected) + PRINTED
        gap = np.abs(result(name).columns[column] - expected) - allowed
        assert (gap <= 0.0).all(), (column, int(gap.argmax()) + 1)


@pytest.mark.nojit
def test_a_case_tells_its_kind_by_its_parameters() -> None:
    for one in CASE.values():
        if one["kind"] != "level_loan_in_cents":  # a manner of printing the same loan
            assert kind_of(one["parameters"]) == one["kind"]
    assert set(CASES) == {one["kind"] for one in CASE.values()}
    with pytest.raises(ValueError, match="no kind of case"):
        kind_of({"colour": "blue"})
