"""The study file, validated as a whole or as far as it is sound."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import ValidationError

from simulator.config.errors import Problems
from simulator.config.loader import Document, Location
from simulator.config.messages import note_errors
from simulator.config.schema import SCHEMA_NAME, StudyFile

_BY_ENTRY = ("generations", "sites", "counterparties", "sponsors", "drivers", "copula")
_BY_VALUE = ("parameters", "reference")
_STAND_IN: dict[str, Any] = {
    "schema": SCHEMA_NAME,
    "name": "unsound",
    "start": "2000-01",
    "tape": "unsound",
}


def read_study(document: Document, out: Problems) -> tuple[StudyFile, frozenset[str]]:
    """Validate a study; what is unsound is noted and left at its default.

    Parameters
    ----------
    document
        The study as read.
    out
        Takes the problems.

    Returns
    -------
    StudyFile
        The study without its unsound parts, so that the rest can be checked as well.
    frozenset of str
        Top-level keys that are unsound altogether.
    """
    try:
        return StudyFile.model_validate(document.tree), frozenset()
    except ValidationError as error:
        locations = note_errors(error, StudyFile, document.place, out)
    tree, unsound = copy.deepcopy(document.tree), set()
    for where in locations:
        unsound.update(_prune(tree, where))
    for key, value in _STAND_IN.items():
        if key not in tree:
            tree[key] = value
            unsound.add(key)
    try:
        return StudyFile.model_validate(tree), frozenset(unsound)
    except ValidationError:  # pragma: no cover - nothing is left to keep
        return StudyFile.model_validate(_STAND_IN), frozenset(StudyFile.model_fields)


def as_written(tree: dict[str, Any], otherwise: StudyFile) -> StudyFile:
    """Return the study as its file says it, before scenarios and changes from outside.

    Parameters
    ----------
    tree
        The file.
    otherwise
        What to take if the file is unsound: its faults are noted with the changed study.
    """
    try:
        return StudyFile.model_validate(tree)
    except ValidationError:
        return otherwise


def _prune(tree: dict[str, Any], where: Location) -> set[str]:
    """Remove the smallest part that can go, and return the top-level keys lost with it."""
    top = str(where[0]) if where else ""
    depth = 2 if top in _BY_ENTRY else 3 if top in _BY_VALUE else 1
    if len(where) < depth:
        depth = 1
    inner: Any = tree
    for part in where[: depth - 1]:
        inner = inner.get(part) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(str(where[depth - 1]), None)
    return {top} if depth == 1 else set()
