"""Single values changed from outside: ``--set key=value``, or the points of a sweep.

A key is a dotted path of the study (``horizon_months``, ``counterparties.Meta.rating``), a cell of
the tape (``debt.TERM-A.margin_bp``, ``boxes.*.reserve_months``) or the id of a parameter
(``dem.sigma``, short for ``parameters.values.dem.sigma``).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel

from simulator.config.errors import ConfigError, Problem, Problems, did_you_mean
from simulator.config.loader import Document, Location, scalar
from simulator.config.messages import model_at
from simulator.config.parameters import parameter_table
from simulator.config.schema import StudyFile
from simulator.config.tape import TABLES


@dataclass(slots=True)
class CellChange:
    """A new value of one column, for one row of a table or for all (``*``)."""

    key: str
    table: str
    row: str
    column: str
    value: Any
    said: str
    used: bool = field(default=False)


def parse_assignment(
    text: str, option: str = "--set", example: str = "dem.sigma=0.3"
) -> tuple[str, Any]:
    """Return key and value of ``key=value``; the value is read as YAML.

    Examples
    --------
    >>> parse_assignment("drivers.easing=true"), parse_assignment("dem.sigma=0.3")
    (('drivers.easing', True), ('dem.sigma', 0.3))
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            [Problem(option, text, "key=value", repr(text), f"writing for example {example}")]
        )
    return key.strip(), _plain(value.strip())


def _plain(text: str) -> Any:
    try:
        return _value(yaml.compose(text, Loader=yaml.BaseLoader)) if text else None
    except yaml.YAMLError:
        return text


def _value(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    if isinstance(node, yaml.ScalarNode):
        return scalar(node.value) if node.style is None else node.value
    return None


def apply_overrides(
    document: Document,
    overrides: Mapping[str, Any],
    out: Problems,
    places: Mapping[str, str] | None = None,
) -> list[CellChange]:
    """Set the overridden keys of a document and return the changes to its tape.

    Parameters
    ----------
    document
        Changed in place.
    overrides
        Values by dotted key.
    out
        Takes keys that name nothing.
    places
        Where keys stand that come from a file; the others were given with ``--set``.
    """
    cells, parameters = [], parameter_table()
    families = {name.partition(".")[0] for name in parameters}
    for key, value in overrides.items():
        said = (places or {}).get(key, f"--set {key}")
        table, _, rest = key.partition(".")
        row, _, column = rest.rpartition(".")
        if table in TABLES:
            cells.append(CellChange(key, table, row, column, value, said))
        elif not _known(table) and key in parameters:
            _assign(document, ("parameters", "values", key), said, value)
        elif not _known(table) and table in families:
            mend = did_you_mean(key, parameters, f"writing an id that begins with {table}.")
            out.add(said, key, expected="a parameter id", got=repr(key), mend=mend)
        else:
            _assign(document, _location(document.tree, key), said, value)
    return cells


def set_keys(
    document: Document,
    overrides: Mapping[str, Any],
    model: type[BaseModel],
    places: Mapping[str, str] | None = None,
) -> None:
    """Set the overridden keys of a document that has no tape and no parameters.

    Parameters
    ----------
    document
        Changed in place.
    overrides
        Values by dotted key.
    model
        What the document must look like.
    places
        Where keys stand that come from a file; the others were given with ``--set``.
    """
    for key, value in overrides.items():
        said = (places or {}).get(key, f"--set {key}")
        _assign(document, _location(document.tree, key, model), said, value)


def _known(name: str) -> bool:
    return any(name == (one.alias or at) for at, one in StudyFile.model_fields.items())


def _location(tree: Any, key: str, model: type[BaseModel] = StudyFile) -> Location:
    """Split a dotted key at the dots that separate levels (ids may hold dots themselves)."""
    where: Location = ()
    rest = key
    while rest:
        head, _, tail = rest.partition(".")
        if where and model_at(model, where) is None:
            present = [one for one in tree if rest.startswith(f"{one}.")] if tree else []
            head = max(present, key=len, default=rest)
            if head == rest and model_at(model, (*where, rest)) is not None:
                head = rest.rpartition(".")[0] or rest
            tail = rest[len(head) + 1 :]
        where, rest = (*where, head), tail
        tree = tree.get(head) if isinstance(tree, dict) else None
    return where


def _assign(document: Document, where: Location, said: str, value: Any) -> None:
    tree = document.tree
    for depth, part in enumerate(where[:-1], start=1):
        inner = tree.get(str(part))
        if not isinstance(inner, dict):
            inner = tree[str(part)] = {}
            document.places.setdefault(where[:depth], said)
        tree = inner
    tree[str(where[-1])] = copy.deepcopy(value)  # later keys may change what lies inside
    document.places[where] = said
