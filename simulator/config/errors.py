"""What goes wrong before a run starts.

::

    NeoboxError          any error this package raises on purpose
    └── ConfigError      the study or its tape is wrong; holds every problem found

Each `Problem` is one line that says where, what, what was expected, what was found and how to
mend it.  Problems are collected and raised once, so that one look at the output is enough.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field


class NeoboxError(Exception):
    """Any error this package raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a study or tape.

    Parameters
    ----------
    place
        Where it stands: ``file:line:column``, ``file.csv:line`` or ``file.xlsx[sheet]!row n``.
    path
        What it is: dotted key of the study, or column of a table.
    expected, got, mend
        What should stand there, what does, and what to do about it.
    """

    place: str
    path: str
    expected: str
    got: str
    mend: str

    def __str__(self) -> str:
        """Return the problem as one line."""
        return (
            f"{self.place}: {self.path}: "
            f"expected {self.expected}, got {self.got}, mend by {self.mend}"
        )


class ConfigError(NeoboxError):
    """A study or tape that cannot be simulated.

    Parameters
    ----------
    problems
        All problems found, in the order of study, tables, cross-checks.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...]]]:
        return ConfigError, (self.problems,)


@dataclass(slots=True)
class Problems:
    """A growing list of problems; the same place and path is reported once.

    Parameters
    ----------
    found
        The problems.
    spoilt
        Places that something is wrong with, told or not.
    """

    found: list[Problem] = field(default_factory=list)
    spoilt: set[str] = field(default_factory=set)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, place: str, path: str, *, expected: str, got: object, mend: str) -> None:
        """Note a problem unless one at the same place and path is known."""
        self.spoilt.add(place)
        if (place, path) not in self._seen:
            self._seen.add((place, path))
            text = got if isinstance(got, str) else shown(got)
            self.found.append(Problem(place, path, expected, text, mend))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several problems."""
        for one in problems:
            self.add(one.place, one.path, expected=one.expected, got=one.got, mend=one.mend)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


class shown(str):
    """A value as messages print it: `repr`, at most 60 characters."""

    def __new__(cls, value: object) -> shown:
        """Return the printable form of `value`."""
        text = repr(value)
        return super().__new__(cls, text if len(text) <= 60 else text[:57] + "...")


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return how to mend an unknown word.

    Examples
    --------
    >>> did_you_mean("margn_bp", ["margin_bp", "floor"], "removing it")
    "writing 'margin_bp' (did you mean that?)"
    """
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    if not near:
        folded = {name.casefold(): name for name in known}
        near = [folded[hit] for hit in difflib.get_close_matches(word.casefold(), folded, n=1)]
    return f"writing {near[0]!r} (did you mean that?)" if near else otherwise
