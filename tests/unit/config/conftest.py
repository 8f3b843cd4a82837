"""A study that can be bent: the invented deals of the template, written where a test wants them."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.config import ConfigError, Problem, Study, load_study
from simulator.config.tape import KEYS, ROWS
from simulator.config.template_rows import STUDY, TAPE


@dataclass
class Draft:
    """The study and the rows of its tape, as plain values."""

    folder: Path
    study: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(STUDY))
    tape: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: copy.deepcopy(TAPE))

    def row(self, table: str, name: str) -> dict[str, Any]:
        """Return the cells of one row."""
        return next(row for row in self.tape[table] if row[KEYS[table]] == name)

    def write(self) -> Path:
        """Write study and tape."""
        tape = self.folder / "tape"
        tape.mkdir(parents=True, exist_ok=True)
        for table, rows in self.tape.items():
            names = list(ROWS[table].model_fields)
            names += sorted({name for row in rows for name in row} - set(names))
            with (tape / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        path = self.folder / "study.yaml"
        path.write_text(yaml.safe_dump(self.study, sort_keys=False), encoding="utf-8")
        return path

    def load(self, overrides: Mapping[str, Any] | None = None) -> Study:
        """Write and load."""
        return load_study(self.write(), overrides)

    def problems(self, overrides: Mapping[str, Any] | None = None) -> tuple[Problem, ...]:
        """Write, load, and return what was wrong."""
        with pytest.raises(ConfigError) as caught:
            self.load(overrides)
        return caught.value.problems

    def problem(self, overrides: Mapping[str, Any] | None = None) -> Problem:
        """Return the one thing that was wrong."""
        found = self.problems(overrides)
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    return Draft(tmp_path)


@pytest.fixture
def make_draft(tmp_path: Path) -> Callable[[str], Draft]:
    return lambda name: Draft(tmp_path / name)
