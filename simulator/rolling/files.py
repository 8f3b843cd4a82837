"""Studies and tapes as files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from simulator.config.errors import ConfigError, NeoboxError, Problems
from simulator.config.extension import KEY, read_extended
from simulator.config.tape import KEYS, ROWS
from simulator.dataset.files import write_text

__all__ = ["RollError", "list_text", "moved", "study_text", "table_text", "tree_of", "write_file"]

FILES: Final = ("ratings_table", "correlations")
"""Keys of a study that may name a file."""


class RollError(NeoboxError):
    """A book that its base case does not carry to the month that is asked for."""

    exit_code = 2


def table_text(table: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table as CSV, without columns that are blank throughout."""
    columns = [one for one in ROWS[table].model_fields if any(one in cells for cells in rows)]
    columns = columns or [KEYS[table]]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def list_text(told: Sequence[tuple[str, str, str]]) -> str:
    """Return what is to be replaced as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["where", "now", "replace_by"])
    writer.writerows(told)
    return stream.getvalue()


def tree_of(study: Path) -> dict[str, Any]:
    """Read the keys of a study file that has loaded, those of the study it extends among them."""
    problems = Problems()
    tree = dict(read_extended(study, problems).tree)
    if problems:
        raise ConfigError(problems.found)
    tree.pop(KEY, None)
    return tree


def moved(tree: Mapping[str, Any], folder: Path, to: Path) -> dict[str, Any]:
    """Return keys of a study such that the files they name are found from another folder."""
    found = dict(tree)
    for key in FILES:
        if isinstance(found.get(key), str) and found[key]:
            found[key] = os.path.relpath(folder / found[key], to)
    return found


def study_text(tree: Mapping[str, Any]) -> str:
    """Return the keys of a study as YAML."""
    return str(yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True))


def write_file(path: Path, text: str) -> None:
    """Write a file and its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RollError(f"{path}: could not write: {reason}; choose another --out") from error
