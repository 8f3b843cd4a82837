"""A folder of cases with the numbers that they must give: run, compared, told.

    {"cases": [{"id": ..., "params": {...}, "expected": {...}, "tol": {"abs": ..., "rel": ...}}]}

Any number of such JSON files; what is expected may be nested, and its numbers are known by their
path (``balance_after/12``).  ``csv`` among the parameters names a table of the months beside it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np

from simulator.config.errors import NeoboxError
from simulator.selfcheck import CASES, run_case
from simulator.selfcheck.months import Result

__all__ = ["Verdict", "check_folder", "numbers"]

PRINTED = 5.1e-11
"""Half the last digit that tables of months are printed with."""


class CaseError(NeoboxError):
    """A folder of cases that cannot be read."""

    exit_code = 2


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes
    ----------
    id : str
        As its file says.
    kind : str
        One of `CASES`; empty where no kind has its parameters.
    found : mapping of str to float
        What the engine gives, by path of what is expected.
    worst : float
        Largest deviation over what is allowed; at most 1 passes.
    where : str
        Path, or column and month, of the worst.
    missing : tuple of str
        Paths that are expected and that the engine's kind of case does not give.
    months : int
        Numbers of the table of months that were compared.
    reason : str
        Why it was not run.
    """

    id: str
    kind: str = ""
    found: Mapping[str, float] | None = None
    worst: float = 0.0
    where: str = ""
    missing: tuple[str, ...] = ()
    months: int = 0
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether every number that was compared is within its tolerance."""
        return self.worst <= 1.0


def numbers(values: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of nested values with the path to it; words and blanks are left out.

    Examples
    --------
    >>> dict(numbers({"a": 1, "b": {"12": 2.5}, "c": [3]}))
    {'a': 1.0, 'b/12': 2.5, 'c/0': 3.0}
    """
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from numbers(value, f"{path}/{name}" if path else str(name))
    elif isinstance(values, (list, tuple, np.ndarray)):
        for place, value in enumerate(values):
            yield from numbers(value, f"{path}/{place}")
    elif isinstance(values, SupportsFloat):
        yield path, float(values)


def check_folder(folder: Path) -> list[Verdict]:
    """Run every case of a folder.

    Parameters
    ----------
    folder : Path
        With one JSON file or more.

    Returns
    -------
    list of Verdict
        In the order of files and cases.

    Raises
    ------
    CaseError
        If there is no such folder, or a file is no file of cases.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise CaseError(f"{folder}: expected JSON files of cases, found none")
    return [verdict(case, folder) for file in files for case in cases_of(file)]


def cases_of(file: Path) -> list[dict[str, Any]]:
    """Return the cases of a file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["cases"]
        return [{"id": one["id"], **one} for one in found]
    except (ValueError, KeyError, TypeError) as error:
        raise CaseError(
            f'{file}: expected {{"cases": [{{"id", "params", "expected", "tol"}}]}} '
            f"({type(error).__name__}: {error}); mend by writing it so"
        ) from error


def verdict(case: Mapping[str, Any], folder: Path) -> Verdict:
    """Run one case and hold it against what is expected."""
    wanted = dict(numbers(case.get("expected", {})))
    kind, result, reason = best_kind(case.get("params", {}), wanted)
    if result is None:
        return Verdict(case["id"], reason=reason)
    tolerance = case.get("tol", {})
    absolute, relative = float(tolerance.get("abs", 0.0)), float(tolerance.get("rel", 0.0))
    given = dict(numbers(result.figures))
    found = {path: given[path] for path in wanted if path in given}
    worst, where = 0.0, ""
    for path, value in found.items():
        allowed = absolute + relative * abs(wanted[path])
        worst, where = max((worst, where), (gap(value - wanted[path], allowed), path))
    compared, table = 0, folder / str(case["params"].get("csv", ""))
    if table.is_file():
        for column, place, deviation, size in months_of(table, result):
            allowed = absolute + relative * size + PRINTED
            worst, where = max((worst, where), (gap(deviation, allowed), f"{column}, row {place}"))
            compared += 1
    missing = tuple(path for path in wanted if path not in given)
    return Verdict(case["id"], kind, found, worst, where, missing, compared)


def best_kind(
    params: Mapping[str, Any], wanted: Mapping[str, float]
) -> tuple[str, Result | None, str]:
    """Return the kind that gives most of what is wanted, its result, or why there is none."""
    best: tuple[str, Result | None] = ("", None)
    most, reason = 0, "no kind of case has its parameters"
    for kind, (_, keys) in CASES.items():
        if not keys <= params.keys():
            continue
        try:
            result = run_case(params, kind)
        except (KeyError, TypeError, ValueError) as error:  # parameters of some other kind
            reason = f"not a {kind} ({type(error).__name__}: {error})"
            continue
        gives = len(wanted.keys() & dict(numbers(result.figures)).keys())
        if gives > most:
            best, most = (kind, result), gives
    return *best, reason


def gap(deviation: float, allowed: float) -> float:
    """Return a deviation over what is allowed; infinite where a number is none."""
    if not np.isfinite(deviation):
        return float("inf")
    return abs(deviation) / allowed if allowed > 0.0 else float("inf") if deviation else 0.0


def months_of(table: Path, result: Result) -> Iterator[tuple[str, int, float, float]]:
    """Yield column, row, deviation and size of every number of a table that the case gives."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in rows[0].keys() & result.columns.keys():
        values = result.columns[column]
        for place, row in enumerate(rows):
            expected = float(row[column])
            there = float(values[place]) if place < len(values) else float("nan")
            yield column, place + 1, there - expected, abs(expected)
