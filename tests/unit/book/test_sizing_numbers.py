"""The table of docs/sizing.md: the questions of its script, each answered within its interval."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import simulator
from simulator.sizing import parse_target

ROOT = Path(__file__).parents[3]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def script() -> ModuleType:
    path = ROOT / "configs" / "sizing_numbers.py"
    spec = importlib.util.spec_from_file_location("sizing_numbers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = script()


def told() -> list[list[str]]:
    text = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    part = text.partition("## What the book could lend")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def numbers(text: str) -> list[float]:
    return [float(one) for one in NUMBER.findall(text)]


def test_the_table_answers_the_questions_of_the_script() -> None:
    asked = [
        [one.facility, one.solve_for, str(parse_target(one.target))] for one in SCRIPT.QUESTIONS
    ]
    assert [row[:3] for row in told()] == asked


def test_answers_lie_in_their_intervals() -> None:
    for _, _, _, _, answer, interval, _, runs in told():
        if "infeasible" not in answer:
            low, high = sorted(numbers(interval))
            assert low <= numbers(answer)[0] <= high, answer
        assert int(runs) >= 3


@pytest.mark.slow
def test_a_run_of_its_own_agrees() -> None:
    """The first question at fewer paths and another seed: the intervals meet."""
    one: Any = SCRIPT.QUESTIONS[0]
    found = simulator.size(
        SCRIPT.STUDY,
        facility=one.facility,
        target=one.target,
        solve_for=one.solve_for,
        paths=2_000,
        seed=2,
        jobs=2,
    )
    row = told()[0]
    low, high = sorted(numbers(row[5]))
    assert 100 * found.interval.low <= high
    assert 100 * found.interval.high >= low
