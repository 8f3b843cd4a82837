"""YAML text to plain values with positions: YAML 1.2 core scalars, nothing else.

PyYAML composes the node graph; this module resolves the scalars itself, because YAML 1.1 turns
``no`` into false, ``12:30`` into 750 and ``1e6`` into text, and forgets where things stood.
Dates stay text, duplicate keys and tags are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from simulator.config.errors import Problems
from simulator.config.files_read import note_file

Location: TypeAlias = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_MOST_NODES = 200_000


@dataclass(slots=True)
class Document:
    """A YAML file as plain values, and where each of them stands.

    Parameters
    ----------
    file
        Name of the file, as the user wrote it.
    tree
        The mapping at the top.
    places
        Line and column (from 1) of every key or list item; text for values given elsewhere.
    """

    file: str
    tree: dict[str, Any]
    places: dict[Location, tuple[int, int] | str] = field(default_factory=dict)

    def place(self, where: Location) -> str:
        """Return where a location stands: its own place, or that of the nearest key around it."""
        while where and where not in self.places:
            where = where[:-1]
        place = self.places.get(where, (1, 1))
        return place if isinstance(place, str) else f"{self.file}:{place[0]}:{place[1]}"


def scalar(text: str) -> Any:
    """Return the value of a plain scalar under the YAML 1.2 core schema.

    Examples
    --------
    >>> [scalar(text) for text in ("1e6", "no", "0777", "2026-11", "true", "~")]
    [1000000.0, 'no', 777, '2026-11', True, None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 100 else math.inf
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return text


def read_document(path: Path, problems: Problems, what: str = "a study file") -> Document:
    """Read a YAML file; faults of the text are noted in `problems`, not raised.

    Parameters
    ----------
    path
        The file.
    problems
        Takes what is wrong with the file, its syntax and its keys.
    what
        What the file should be, for the message that it is missing.

    Returns
    -------
    Document
        Empty if the file cannot be read at all.
    """
    document = Document(str(path), {})
    note_file(path)
    try:
        root = composed(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        _refuse(problems, str(path), what, "nothing there", "giving its path")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(problems, str(path), "readable UTF-8 text", str(error), "saving it as UTF-8")
    except yaml.YAMLError as error:
        _refuse(
            problems,
            f"{path}:{_mark(error)}",
            "YAML",
            str(getattr(error, "problem", None) or error),
            "mending the syntax there",
        )
    else:
        if isinstance(root, yaml.MappingNode):
            document.places[()] = (root.start_mark.line + 1, root.start_mark.column + 1)
            document.tree = _Reader(document, problems).mapping(root, ())
        else:
            _refuse(problems, f"{path}:1:1", "a mapping of keys", "something else", "adding keys")
    return document


@lru_cache(maxsize=32)
def composed(text: str) -> yaml.Node | None:
    """Return the node graph of a YAML text, parsed once for all the points of a sweep."""
    root: yaml.Node | None = yaml.compose(text, Loader=yaml.BaseLoader)
    return root


def _refuse(problems: Problems, place: str, expected: str, got: str, mend: str) -> None:
    problems.add(place, "file", expected=expected, got=got, mend=mend)


def _mark(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"


class _Reader:
    """Walks the node graph of one document."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self.document = document
        self.problems = problems
        self.nodes = 0
        self.open: list[yaml.Node] = []

    def value(self, node: yaml.Node, where: Location) -> Any:
        """Return the value of a node, and note the places below it."""
        self.nodes += 1
        if any(node is parent for parent in self.open) or self.nodes > _MOST_NODES:
            self._fault(node, where, "a finite document", "an alias of itself", "writing it out")
            return None
        self.open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, where)
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, where)
            return self._scalar(node, where) if isinstance(node, yaml.ScalarNode) else None
        finally:
            self.open.pop()

    def mapping(self, node: yaml.MappingNode, where: Location) -> dict[str, Any]:
        """Return a mapping with text keys; a key that comes twice is refused."""
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, where, "a key of plain text", "a list or mapping", "naming it")
                continue
            inside = (*where, str(key.value))
            if key.value in result:
                first = self.document.place(inside).rsplit(":", 2)[-2]
                self._fault(
                    key, inside, "each key once", f"it again (line {first})", "removing one"
                )
                continue
            self.document.places[inside] = (key.start_mark.line + 1, key.start_mark.column + 1)
            result[str(key.value)] = self.value(value, inside)
        return result

    def _sequence(self, node: yaml.SequenceNode, where: Location) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            inside = (*where, index)
            self.document.places[inside] = (item.start_mark.line + 1, item.start_mark.column + 1)
            items.append(self.value(item, inside))
        return items

    def _scalar(self, node: yaml.ScalarNode, where: Location) -> Any:
        if node.tag != "tag:yaml.org,2002:str":
            self._fault(node, where, "a plain value", f"the tag {node.tag}", "removing the tag")
            return None
        return scalar(node.value) if node.style is None else node.value

    def _fault(self, node: yaml.Node, where: Location, expected: str, got: str, mend: str) -> None:
        mark = node.start_mark
        self.problems.add(
            f"{self.document.file}:{mark.line + 1}:{mark.column + 1}",
            dotted(where) or "file",
            expected=expected,
            got=got,
            mend=mend,
        )


def dotted(where: Location) -> str:
    """Return a location as a dotted key."""
    return ".".join(map(str, where))
