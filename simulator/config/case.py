"""A study and its tape as far as they were read: what the cross-checks look at."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.config.errors import Problems
from simulator.config.loader import Document
from simulator.config.schema import StudyFile
from simulator.config.tape import Tape


@dataclass(frozen=True, slots=True)
class Case:
    """A study and its tape as far as they were read.

    Parameters
    ----------
    study, unsound
        The study, and its top-level keys that could not be read.
    document
        Where its keys stand.
    tape
        The tables.
    generations
        Known GPU generations.
    out
        Takes the problems.
    """

    study: StudyFile
    unsound: frozenset[str]
    document: Document
    tape: Tape
    generations: frozenset[str]
    out: Problems

    @staticmethod
    def names(document: Document, section: str) -> set[str] | None:
        """Return the names written below a key of the study; None if there is no such block."""
        tree = document.tree.get(section)
        return {str(name) for name in tree} if isinstance(tree, dict) else None

    def written(self, section: str) -> set[str] | None:
        """Return the names below a key of the study, sound or not; None if unknown."""
        if section in self.unsound:
            return None
        found = self.names(self.document, section)
        return set(getattr(self.study, section)) if found is None else found

    def fault(self, place: str, path: str, expected: str, got: object, mend: str) -> None:
        """Note a problem."""
        self.out.add(place, path, expected=expected, got=str(got), mend=mend)
