"""Progress of a run on standard error: one line that moves, or a line now and then in a log."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from simulator.api import Progress

__all__ = ["ProgressLine"]

PATIENCE: Final = 2.0
"""Seconds a run may take without a word, on a terminal."""

LOG_EVERY: Final = 10.0
"""Seconds between lines of a log."""

WIDTH: Final = 30


class ProgressLine:
    """Tells how far a run is.

    Parameters
    ----------
    stream : text file, optional
        Standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.is_terminal = self.stream.isatty()
        self.last = time.monotonic()
        self.is_open = False

    def __call__(self, progress: Progress) -> None:
        """Tell, if it is time to."""
        now = time.monotonic()
        if self.is_terminal:
            if progress.seconds >= PATIENCE:
                filled = WIDTH * progress.paths // progress.total
                bar = "#" * filled + "." * (WIDTH - filled)
                self._write(f"\r[{bar}] {told(progress)}\x1b[K")
                self.is_open = True
        elif now - self.last >= LOG_EVERY:
            self.last = now
            self._write(f"{datetime.now():%H:%M:%S} {told(progress)}\n")

    def close(self) -> None:
        """End the moving line, if there is one."""
        if self.is_open:
            self._write("\n")
            self.is_open = False

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def told(progress: Progress) -> str:
    """Return progress in words."""
    share = progress.paths / progress.total
    text = f"{share:4.0%}  {progress.paths:,} of {progress.total:,} paths"
    if progress.rate > 0.0:
        text += f"  {progress.rate:,.0f} paths/s  {duration(progress.left)} left"
    return text


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
