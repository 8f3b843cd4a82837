"""A series is read whole, or every fault of it is told with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulator.calibration.series import Series, read_series
from simulator.config.errors import ConfigError

pytestmark = pytest.mark.nojit

Write = Callable[..., Path]


def read(path: Path, column: str | None = None, least: int = 3) -> Series:
    return read_series(path, column, least=least)


def test_months_days_comments_and_blanks(write: Write) -> None:
    path = write("# from a list", "month,H100,A100", "2025-01,3,1", "2025-02,,2", "2025-04,2.5,4")
    series = read(path, "A100")
    assert series.dates == ("2025-01", "2025-02", "2025-04")
    np.testing.assert_allclose(np.diff(series.years), [1 / 12, 2 / 12])
    two = read(path, "H100", least=2)
    assert two.values.tolist() == [3.0, 2.5]
    assert two.skipped == 1
    assert str(two) == "H100 of data.csv, 2 values (1 blank), 2025-01 to 2025-04"
    assert two.span == pytest.approx(0.25)
    days = read(
        write("day,x", "2026-01-01,1", "2026-01-02,.", "2026-01-05,2", "2026-01-06,NA"), least=2
    )
    np.testing.assert_allclose(np.diff(days.years), [4 / 365.25])


WRONG = {
    "no such file": ([], None, "a table, got no such file"),
    "column unknown": (
        ["month,H100,A100", "2025-01,1,2"],
        "H10",
        "writing 'H100' (did you mean that?)",
    ),
    "column not said": (
        ["month,H100,A100", "2025-01,1,2"],
        None,
        "got 2 columns and no --column, mend by --column with one of H100, A100",
    ),
    "no date": (["month,x", "January,1", "2025-02,2", "2025-03,3"], None, "data.csv:2: month:"),
    "thirteenth month": (["month,x", "2025-13,1", "2025-02,2"], None, "2025-13, mend by writing"),
    "not a number": (["month,x", "2025-01,1", "2025-02,cheap"], None, "data.csv:3: x: expected"),
    "negative": (["month,x", "2025-01,1", "2025-02,-2"], None, "a number above 0, got '-2'"),
    "infinite": (["month,x", "2025-01,1", "2025-02,inf"], None, "above 0, got 'inf'"),
    "backwards": (["month,x", "2025-02,1", "2025-01,2"], None, "a date after 2025-02, got 2025-01"),
    "twice": (["month,x", "2025-02,1", "2025-02,2"], None, "removing doubles"),
    "mixed": (["month,x", "2025-02,1", "2025-03-01,2"], None, "writing all dates alike"),
    "too short": (["month,x", "2025-01,1", "2025-02,2"], None, "at least 3 values, got 2"),
    "constant": (["month,x", "2025-01,2", "2025-02,2", "2025-03,2"], None, "a series that moves"),
    "semicolons": (["month;x", "2025-01;2"], None, "expected commas"),
    "dates only": (["month", "2025-01"], None, "one column of values, got 0 columns"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_fault_is_told_once_and_clearly(write: Write, tmp_path: Path, wrong: str) -> None:
    lines, column, said = WRONG[wrong]
    path = write(*lines) if lines else tmp_path / "data.csv"
    with pytest.raises(ConfigError) as caught:
        read(path, column)
    (problem,) = caught.value.problems
    assert said in str(problem)
    assert str(problem).startswith(str(path))
    assert caught.value.exit_code == 2


def test_all_faults_at_once(write: Write) -> None:
    path = write("month,x", "soon,1", "2025-02,dear", "2025-03,-1", "2025-01,3", "2025-01,4")
    with pytest.raises(ConfigError) as caught:
        read(path)
    places = [problem.place.rpartition(":")[2] for problem in caught.value.problems]
    assert places == ["2", "3", "4", "6"]
