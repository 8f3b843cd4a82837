"""Scenarios: overlays that say only what differs from a study.

A scenario changes the world, never what was expected of it at t0: the reference path, planners'
growth and the default compensator stay those of the study as it is written, so that a bad scenario
is a surprise to everybody in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Document, Location, read_document
from simulator.config.schema import StudyFile

__all__ = ["Scenario", "lay", "lay_over", "read_scenario"]

SCHEMA_NAME: Final = "neobox.scenario/1"
OWN_KEYS: Final = ("schema", "name", "description", "set")
STUDY_KEYS: Final = (
    "parameters",
    "drivers",
    "correlations",
    "correlation_stress",
    "copula",
    "sofr_curve",
    "path",
    "uncertainty",
    "waterfall",
    "generations",
    "sites",
    "counterparties",
    "sponsors",
)
"""Keys of a study that a scenario may change."""

FROZEN: Final = frozenset(
    name.alias or key for key, name in StudyFile.model_fields.items()
).difference(STUDY_KEYS)
"""Keys of a study that a scenario leaves alone."""

WHOLE: Final = frozenset(
    {("path", "price"), ("path", "defaults"), ("sofr_curve",), ("jurisdictions",)}
)
"""Mappings that replace what stands there, instead of being merged with it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An overlay as read.

    Parameters
    ----------
    name, description
        As the file says; the name of the file if it gives none.
    document
        Its keys and where they stand.
    overrides
        Its block ``set``: values by dotted key, cells of the tape among them.
    places
        Where each of these stands.
    text
        The file, for the record of a run.
    """

    name: str
    description: str
    document: Document
    overrides: dict[str, Any]
    places: dict[str, str]
    text: str


def read_scenario(path: Path, out: Problems) -> Scenario:
    """Read an overlay; what is wrong with its own keys is noted.

    Parameters
    ----------
    path
        The file.
    out
        Takes the problems; the values are checked with the study they are laid over.
    """
    document = read_document(path, out, "a scenario file")
    tree = document.tree
    if tree and tree.get("schema") != SCHEMA_NAME:
        got = repr(tree.get("schema")) if "schema" in tree else "no such key"
        mend = f"writing schema: {SCHEMA_NAME}"
        out.add(document.place(("schema",)), "schema", expected=SCHEMA_NAME, got=got, mend=mend)
    for key in tree:
        if key not in OWN_KEYS and key not in STUDY_KEYS:
            out.add(
                document.place((key,)),
                key,
                expected="a key that a scenario may change",
                got=repr(key),
                mend=did_you_mean(key, (*OWN_KEYS, *STUDY_KEYS), _mend(key)),
            )
    overrides = tree.get("set") or {}
    if not isinstance(overrides, dict):
        expected = "values by dotted key"
        mend = "writing for example boxes.*.reserve_months: 6"
        out.add(document.place(("set",)), "set", expected=expected, got=str(overrides), mend=mend)
        overrides = {}
    for key in overrides:
        if key.partition(".")[0] in FROZEN:
            out.add(
                document.place(("set", key)),
                f"set.{key}",
                expected="a key that a scenario may change",
                got=repr(key),
                mend=_mend(key.partition(".")[0]),
            )
    name, description = tree.get("name") or path.stem, tree.get("description") or ""
    text = path.read_text(encoding="utf-8-sig") if document.tree else ""
    places = {key: document.place(("set", key)) for key in overrides}
    return Scenario(str(name), str(description), document, overrides, places, text)


def _mend(key: str) -> str:
    if key == "reference":
        return "leaving it to the study: no scenario changes what was expected at t0"
    return f"taking one of {', '.join(STUDY_KEYS)}"


def lay_over(document: Document, scenario: Scenario) -> None:
    """Change a study by an overlay; later ones win.

    Parameters
    ----------
    document
        The study, changed in place.
    scenario
        The overlay; of its blocks only what they say is changed.
    """
    for key in STUDY_KEYS:
        if key in scenario.document.tree:
            lay(document, key, scenario.document)


def lay(document: Document, key: str, source: Document) -> None:
    """Change a key of one document by what another says of it."""
    _lay(document.tree, key, (key,), source, document)


def _lay(
    tree: dict[str, Any], key: str, where: Location, source: Document, target: Document
) -> None:
    value: Any = source.tree
    for part in where:
        value = value[part]
    target.places[where] = source.place(where)
    if isinstance(value, dict) and isinstance(tree.get(key), dict) and where not in WHOLE:
        for inner in value:
            _lay(tree[key], inner, (*where, inner), source, target)
        return
    tree[key] = _copied(value)
    for inside in [one for one in source.places if one[: len(where)] == where]:
        target.places[inside] = source.place(inside)


def _copied(value: Any) -> Any:
    return (
        {key: _copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value
    )
