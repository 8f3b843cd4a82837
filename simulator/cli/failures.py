"""What goes wrong with runs, as one line and an exit code of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

__all__ = [
    "BREACHED",
    "IMPRECISE",
    "INFEASIBLE",
    "INTERRUPTED",
    "Failure",
    "told_as_failures",
    "unknown_facility",
]

UNEXPECTED, USAGE, BREACHED, RESUMABLE, INFEASIBLE, IMPRECISE, INTERRUPTED = 1, 2, 3, 4, 6, 7, 130

CODES: Final = {
    "RunExistsError": USAGE,
    "RunNotFoundError": USAGE,
    "RunBusyError": USAGE,
    "RunIncompleteError": RESUMABLE,
    "RunWriteError": RESUMABLE,
}
"""Exit codes of errors of a run's folder; all others are unexpected."""


class Failure(click.ClickException):
    """A message and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc] # click declares it for the class


@contextmanager
def told_as_failures() -> Iterator[None]:
    """Turn errors of a run's folder into failures."""
    from simulator.dataset.errors import RunError

    try:
        yield
    except RunError as error:
        raise Failure(str(error), CODES.get(type(error).__name__, UNEXPECTED)) from error


def unknown_facility(name: str, known: tuple[str, ...]) -> Failure:
    """Say that there is no such facility, and which there are."""
    from simulator.config.errors import did_you_mean

    near = did_you_mean(name, known, f"choosing one of {', '.join(known)}")
    return Failure(f"--facility: no facility {name!r} in the book; mend by {near}", USAGE)
