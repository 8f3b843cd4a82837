"""The parameter table of the package, and the values a study takes from it.

``parameters.csv`` has one row per number: its id carries the element (``dem.ap_mult.min``), its
columns are the three sets of values, unit, domain, meaning and source.  Values stand in the units
the model computes with.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from simulator.config.consistency import contradictions
from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Document, Location
from simulator.config.schema import ParameterBlock

NOT_READ: Final = frozenset(
    {
        "cp.cycle_ar",
        *(f"cp.pf_season.y{year}" for year in range(1, 7)),
        "dem.uncontracted_share",
        "loan.tail_balloon",
    }
)
"""Ids that no code reads: kept for their sources, refused in studies."""
NOT_READ_SAID: Final = "not read by this version"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the model."""

    id: str
    low: float
    base: float
    stress: float
    unit: str
    minimum: float
    maximum: float
    description: str
    basis: str
    source: str

    @property
    def read(self) -> bool:
        """Whether the model reads it."""
        return self.id not in NOT_READ

    def value(self, column: str) -> float:
        """Return the value of a set: ``low``, ``base`` or ``stress``."""
        return {"low": self.low, "base": self.base, "stress": self.stress}[column]


def package_lines(name: str) -> list[str]:
    """Return the lines of a package table, without comments."""
    text = resources.files("simulator.config").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines(keepends=True) if not line.startswith("#")]


@cache
def parameter_table() -> Mapping[str, Parameter]:
    """Return the parameter table by id, in the order of ids."""
    rows = csv.DictReader(package_lines("parameters.csv"))
    table = [
        Parameter(
            id=row["id"],
            low=float(row["low"]),
            base=float(row["base"]),
            stress=float(row["stress"]),
            unit=row["unit"],
            minimum=float(row["minimum"] or "-inf"),
            maximum=float(row["maximum"] or "inf"),
            description=row["description"],
            basis=row["basis"],
            source=row["source"],
        )
        for row in rows
    ]
    return {one.id: one for one in sorted(table, key=lambda one: one.id)}


def resolve(
    block: ParameterBlock,
    document: Document | None = None,
    where: Location = ("parameters",),
    out: Problems | None = None,
) -> dict[str, float]:
    """Return every parameter of a run by id.

    The column of the whole set comes first, then that of the driver (the longest part of the id
    that is named wins), then single values.

    Parameters
    ----------
    block
        The block of the study.
    document, where
        Where the block stands, for messages.
    out
        Takes unknown ids, ids that no code reads and values outside their domain; those are left
        at their column.

    Examples
    --------
    >>> from simulator.config.schema import ParameterBlock
    >>> resolve(ParameterBlock(values={"dem.sigma": 0.25}))["dem.sigma"]
    0.25
    """
    table, problems = parameter_table(), Problems() if out is None else out
    places = document or Document("parameters", {})
    columns = _columns(block, places, where, problems)
    values = {
        name: one.value(columns.get(_longest(name, columns), block.set))
        for name, one in table.items()
    }
    for name, value in block.values.items():
        at = (*where, "values", name)
        if name not in table:
            mend = did_you_mean(name, table, "removing it")
            problems.add(
                places.place(at), _path(at), expected="a parameter id", got=repr(name), mend=mend
            )
        elif not table[name].read:
            _refuse_unread(problems, places, at)
        elif not table[name].minimum <= value <= table[name].maximum:
            one = table[name]
            problems.add(
                places.place(at),
                _path(at),
                expected=f"{one.minimum:g} to {one.maximum:g} ({one.unit})",
                got=f"{value:g}",
                mend="writing a value of its domain",
            )
        else:
            values[name] = value
    return values


def note_contradictions(
    values: Mapping[str, float], document: Document, where: Location, out: Problems
) -> None:
    """Note parameters that do not fit each other.

    Parameters
    ----------
    values
        All parameters by id.
    document, where
        The study, and the block of it that says them.
    out
        Takes the problems.
    """
    for name, expected, got in contradictions(values):
        at = (*where, "values", name)
        mend = "changing one of the two" if " " in expected else "changing it"
        out.add(document.place(at), _path(at), expected=expected, got=got, mend=mend)


def _columns(
    block: ParameterBlock, places: Document, where: Location, out: Problems
) -> dict[str, str]:
    """Return the column by prefix of ids."""
    table = parameter_table()
    families = {name.split(".")[0] for name in table}
    columns: dict[str, str] = {}
    for key, column in block.driver_sets.items():
        if key in DRIVER_PREFIXES:
            columns.update(dict.fromkeys(DRIVER_PREFIXES[key], column))
        elif key in families or any(_begins(name, key) for name in table):
            if not any(one.read for name, one in table.items() if _begins(name, key)):
                _refuse_unread(out, places, (*where, "driver_sets", key))
            columns[key] = column
        else:
            at = (*where, "driver_sets", key)
            known = sorted(families | set(DRIVER_PREFIXES))
            mend = did_you_mean(key, known, f"taking one of {', '.join(known)}")
            expected = "a driver or the first part of an id"
            out.add(places.place(at), _path(at), expected=expected, got=repr(key), mend=mend)
    return columns


def _refuse_unread(out: Problems, places: Document, at: Location) -> None:
    got = f"{str(at[-1])!r}, which is {NOT_READ_SAID}"
    out.add(places.place(at), _path(at), expected="a parameter in use", got=got, mend="removing it")


def _longest(name: str, prefixes: Mapping[str, str]) -> str:
    return max((one for one in prefixes if _begins(name, one)), key=len, default="")


def _begins(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def _path(where: Location) -> str:
    return ".".join(map(str, where))
