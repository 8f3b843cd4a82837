"""The progress line."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import progress
from simulator.cli.failures import Failure
from simulator.cli.progress import ProgressLine, ProgressLog
from simulator.engine.runner import Progress

pytestmark = pytest.mark.nojit


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def clock(monkeypatch: pytest.MonkeyPatch, *times: float) -> None:
    left = iter(times)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(left))


def test_a_terminal_gets_one_moving_line_after_two_seconds() -> None:
    stream = Terminal()
    line = ProgressLine(stream)
    line(Progress(100, 1000, 0, 1.0))
    assert stream.getvalue() == ""
    line(Progress(300, 1000, 0, 3.0))
    line.close()
    line.close()
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "30%  300 of 1,000 paths  100 paths/s  7 s left" in text
    assert text.startswith("\r[#########....")


def test_a_log_gets_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, 0.0, 4.0, 11.0, 12.0)
    stream: Any = io.StringIO()
    line = ProgressLine(stream)
    for paths in (100, 500, 600):
        line(Progress(paths, 1000, 0, 5.0))
    line.close()
    (written,) = stream.getvalue().splitlines()
    assert written.endswith("50%  500 of 1,000 paths  100 paths/s  5 s left")


def test_a_note_is_replaced_on_a_terminal() -> None:
    stream = Terminal()
    with ProgressLine(stream) as line:
        line.note("preparing base")
        line(Progress(300, 1000, 0, 3.0))
    assert stream.getvalue().startswith("\rpreparing base\x1b[K\r[###")
    assert stream.getvalue().endswith("left\x1b[K\n")


def test_a_note_goes_when_the_work_is_done_or_fails() -> None:
    stream = Terminal()
    line = ProgressLine(stream)
    line.note("preparing base")
    with pytest.raises(ValueError, match="wrong"), line:
        raise ValueError("wrong")
    assert stream.getvalue() == "\rpreparing base\x1b[K\r\x1b[K"


def test_a_note_is_a_line_of_a_log_and_nothing_if_quiet() -> None:
    stream, silent = io.StringIO(), Terminal()
    with ProgressLine(stream) as line:
        line.note("preparing base")
    (written,) = stream.getvalue().splitlines()
    assert written.endswith(" preparing base")
    with ProgressLine(silent, quiet=True) as line:
        line.note("preparing base")
    assert silent.getvalue() == ""


def test_the_end_of_a_long_run_is_told() -> None:
    stream: Any = io.StringIO()
    with ProgressLine(stream) as line:
        line(Progress(500, 1000, 0, 3.0))
        line(Progress(1000, 1000, 0, 5.0))
    (written,) = stream.getvalue().splitlines()
    assert written.endswith("100%  1,000 of 1,000 paths  200 paths/s  writing the results")


def test_no_rate_before_the_first_result() -> None:
    assert progress.told(Progress(500, 1000, 500, 0.0)) == " 50%  500 of 1,000 paths"


def test_a_log_file_is_added_to_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether there is a terminal, or nothing is to be printed: no control characters."""
    monkeypatch.setattr(
        progress.time,
        "monotonic",
        iter([0.0, 0.0, 0.0, 1.0, 1.0, 10.5, 10.5, 11.0, 11.0]).__next__,
    )
    path, screen = tmp_path / "logs" / "run.log", Terminal()
    with ProgressLog(path) as log, ProgressLine(screen, quiet=True, log=log) as line:
        line.note("preparing \x1b[31mbase\x07\r")
        for paths in (100, 200, 300, 1000):
            line(Progress(paths, 1000, 0, 5.0))
            assert path.read_text().endswith("\n")  # there before the next is told
    with ProgressLog(path) as log:
        log.say("again")
    lines = path.read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "preparing  [31mbase",
        "10%  100 of 1,000 paths  20 paths/s  45 s left",
        "30%  300 of 1,000 paths  60 paths/s  12 s left",
        "100%  1,000 of 1,000 paths  200 paths/s  writing the results",
        "again",
    ]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in lines)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", path.read_text())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (Failure("no room", 4), "failed: no room"),
        (ValueError("wrong"), "failed: wrong"),
    ],
)
def test_a_log_file_says_what_went_wrong(tmp_path: Path, error: BaseException, told: str) -> None:
    with pytest.raises(type(error)), ProgressLog(tmp_path / "log"):
        raise error
    assert (tmp_path / "log").read_text().rstrip("\n").endswith(" " + told)


def test_a_log_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=r"--log .*cannot be written") as error:
        ProgressLog(tmp_path / "file" / "log")
    assert error.value.exit_code == 2
