"""Progress on standard error, one line that moves or a line now and then; and in a file."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO

import click

from simulator.cli.failures import USAGE, Failure

if TYPE_CHECKING:
    from simulator.api import Progress

__all__ = ["ProgressLine", "ProgressLog", "compiling", "duration"]

PATIENCE: Final = 2.0
"""Seconds a run may take without a word, on a terminal."""

LOG_EVERY: Final = 10.0
"""Seconds between lines of a log."""

WIDTH: Final = 30


CLEAR: Final = "\x1b[K"
"""Clears a terminal's line from the cursor on."""


class ProgressLine:
    """Tells how far a run is, and what is being done while there is nothing to count.

    Parameters
    ----------
    stream : text file, optional
        Standard error.
    quiet : bool
        Whether notes are left out.
    log : ProgressLog, optional
        Also gets notes and progress.

    Examples
    --------
    >>> with ProgressLine(quiet=True) as line:
    ...     line.note("reading the results")
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        log: ProgressLog | None = None,
    ) -> None:
        self.stream = stream or sys.stderr
        self.log = log
        self.quiet = quiet
        self.is_terminal = self.stream.isatty()
        self.last = time.monotonic()
        self.end = ""

    def __enter__(self) -> Self:
        """Return the line."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the moving line, so that an error stands on one of its own."""
        self.close()

    def note(self, text: str) -> None:
        """Say what is being done; on a terminal whatever comes next takes its place."""
        if self.log:
            self.log.say(text)
        if self.quiet:
            return
        if self.is_terminal:
            self._write(f"\r{text}{CLEAR}")
            self.end = f"\r{CLEAR}"
        else:
            self._write(f"{datetime.now():%H:%M:%S} {text}\n")

    def __call__(self, progress: Progress) -> None:
        """Tell, if it is time to."""
        if self.log:
            self.log(progress)
        now = time.monotonic()
        if self.is_terminal:
            if progress.seconds >= PATIENCE:
                filled = WIDTH * progress.paths // progress.total
                bar = "#" * filled + "." * (WIDTH - filled)
                self._write(f"\r[{bar}] {told(progress)}{CLEAR}")
                self.end = "\n"
        elif now - self.last >= LOG_EVERY or (
            progress.paths == progress.total and progress.seconds >= PATIENCE
        ):
            self.last = now
            self._write(f"{datetime.now():%H:%M:%S} {told(progress)}\n")

    def close(self) -> None:
        """End the moving line, if there is one; a note goes, progress stays."""
        if self.end:
            self._write(self.end)
            self.end = ""

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class ProgressLog:
    """A file of progress for runs that nobody watches: a line at a time, with date and time.

    Parameters
    ----------
    path : Path
        Appended to; its folder is made if it is not there.

    Raises
    ------
    Failure
        If it cannot be written.

    Notes
    -----
    Every line is in the file once it is said.  Progress is told with the first chunk, then every
    `LOG_EVERY` seconds, and at the end.
    """

    def __init__(self, path: Path) -> None:
        self.told_at = -LOG_EVERY
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("a", buffering=1, encoding="utf-8")
        except OSError as error:
            raise Failure(f"--log {path}: cannot be written: {error.strerror}", USAGE) from error

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Say what went wrong, if anything did, and close the file."""
        if isinstance(error, KeyboardInterrupt):
            self.say("interrupted")
        elif error is not None and not isinstance(error, click.exceptions.Exit):
            self.say(f"failed: {error.message if isinstance(error, Failure) else error}")
        self.file.close()

    def say(self, text: str) -> None:
        """Write lines; control characters become spaces."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        for line in text.splitlines():
            plain = "".join(letter if letter.isprintable() else " " for letter in line).rstrip()
            self.file.write(f"{now} {plain}\n")

    def __call__(self, progress: Progress) -> None:
        """Tell, if it is time to."""
        now = time.monotonic()
        if now - self.told_at >= LOG_EVERY or progress.paths == progress.total:
            self.told_at = now
            self.say(told(progress).lstrip())


def told(progress: Progress) -> str:
    """Return progress in words."""
    share = progress.paths / progress.total
    text = f"{share:4.0%}  {progress.paths:,} of {progress.total:,} paths"
    if progress.rate > 0.0:
        text += f"  {progress.rate:,.0f} paths/s"
        if progress.paths < progress.total:
            text += f"  {duration(progress.left)} left"
    return text + ("  writing the results" if progress.paths == progress.total else "")


def compiling(line: ProgressLine) -> None:
    """Note that the kernels are compiled first, if they have to be."""
    from simulator.engine.compilation import has_compiled

    if not has_compiled():
        line.note("compiling the kernels, once for this version (less than a minute)")


def duration(seconds: float) -> str:
    """Return a time span as a person would say it.

    Examples
    --------
    >>> duration(7.2), duration(95), duration(7300)
    ('7 s', '1 min 35 s', '2 h 01 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
