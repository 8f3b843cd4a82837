"""A folder of cases with the numbers that they must give: run, compared, told.

    {"cases": [{"id": ..., "params": {...}, "expected": {...}, "tol": {"abs": ..., "rel": ...}}]}

Any number of such JSON files; what is expected may be nested, and its numbers are known by their
path (``balance_after/12``).  ``csv`` among the parameters names a table of the months beside it.

An exact number passes within its tolerance, an estimate within four standard errors; an expected
number that is an estimate itself has its error beside it (``P/value`` and ``P/se``).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, SupportsFloat

import numpy as np

from simulator.analytics import Estimate
from simulator.config.errors import NeoboxError
from simulator.selfcheck import CASES, Draws, kinds_of
from simulator.selfcheck.kinds import HIGHEST
from simulator.selfcheck.months import Result

__all__ = ["SHIPPED", "Verdict", "check_folder", "numbers"]

SHIPPED: Final = Path(__file__).parent / "cases"
"""Cases that come with the package."""

PRINTED = 5.1e-11
"""Half the last digit that tables of months are printed with, at most."""


class CaseError(NeoboxError):
    """A folder of cases that cannot be read."""

    exit_code = 2


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes
    ----------
    id, title : str
        As its file says.
    kind : str
        One of `CASES`; empty where no kind has its parameters.
    found : mapping of str to Estimate
        What the engine gives, by path of what is expected; an exact number has the error 0.
    expected : mapping of str to float
        What it should be, for the same paths.
    scores : mapping of str to float
        How many standard errors each estimate is off.
    stepped : frozenset of str
        Estimates whose scores are not normal.
    worst : float
        Largest deviation over what is allowed; at most 1 passes.
    where : str
        Path, or column and month, of the worst.
    missing : tuple of str
        Paths that are expected and that the engine's kind of case does not give.
    months : int
        Numbers of its table, and words, that were compared.
    reason : str
        Why it was not run.
    """

    id: str
    title: str = ""
    kind: str = ""
    found: Mapping[str, Estimate] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    stepped: frozenset[str] = frozenset()
    worst: float = 0.0
    where: str = ""
    missing: tuple[str, ...] = ()
    months: int = 0
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether every number that was compared is within its tolerance."""
        return self.worst <= 1.0

    @property
    def mean_square(self) -> float:
        """Mean of z squared over the estimates; NaN if there are none."""
        squares = [z * z for path, z in self.scores.items() if path not in self.stepped]
        return float(np.mean(squares)) if squares else math.nan


def estimates(values: Any, path: str = "") -> Iterator[tuple[str, Estimate]]:
    """Yield every number of nested values with the path to it; words and blanks are left out.

    A number without an error is exact: its error is 0.
    """
    if isinstance(values, Estimate):
        yield path, values
    elif isinstance(values, Mapping):
        for name, value in values.items():
            yield from estimates(value, f"{path}/{name}" if path else str(name))
    elif isinstance(values, (list, tuple, np.ndarray)):
        for place, value in enumerate(values):
            yield from estimates(value, f"{path}/{place}" if path else str(place))
    elif isinstance(values, SupportsFloat):
        yield path, Estimate(float(values), 0.0)


def numbers(values: Any) -> Iterator[tuple[str, float]]:
    """Yield the numbers themselves, without errors.

    Examples
    --------
    >>> dict(numbers({"a": 1, "b": {"12": 2.5}, "c": [3]}))
    {'a': 1.0, 'b/12': 2.5, 'c/0': 3.0}
    """
    for path, one in estimates(values):
        yield path, one.value


def words(values: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the words of nested values with the path to them.

    Examples
    --------
    >>> dict(words({"a": 1, "b": ["9ceaf053", 2]}))
    {'b/0': '9ceaf053'}
    """
    if isinstance(values, str):
        yield path, values
    elif isinstance(values, (Mapping, list, tuple)):
        inside = values.items() if isinstance(values, Mapping) else enumerate(values)
        for name, value in inside:
            yield from words(value, f"{path}/{name}" if path else str(name))


def check_folder(folder: Path, draws: Draws | None = None) -> Iterator[Verdict]:
    """Run every case of a folder.

    Parameters
    ----------
    folder : Path
        With one JSON file or more.
    draws : Draws, optional
        Seed and paths of cases with random numbers.

    Yields
    ------
    Verdict
        One a case, in the order of files and cases, as soon as it is known.

    Raises
    ------
    CaseError
        If there is no such folder, or a file is no file of cases.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise CaseError(f"{folder}: expected JSON files of cases, found none")
    cases = [case for file in files for case in cases_of(file)]  # all are read before any is run
    for case in cases:
        yield verdict(case, replace(draws or Draws(), folder=folder).of(case["id"]))


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


def verdict(case: Mapping[str, Any], draws: Draws) -> Verdict:
    """Run one case and hold it against what is expected."""
    params, title = case.get("params") or {}, str(case.get("title", ""))
    wanted = dict(numbers(case.get("expected", {})))
    spoken = dict(words(case.get("expected", {})))
    draws = replace(draws, asked=tuple(wanted), words=spoken)
    kind, result, reason = best_kind(params, draws)
    if result is None:
        return Verdict(case["id"], title, reason=reason)
    tolerance = case.get("tol", {})
    absolute, relative = float(tolerance.get("abs", 0.0)), float(tolerance.get("rel", 0.0))
    given = given_by(result)
    found = {path: given[path] for path in wanted if path in given}
    scores: dict[str, float] = {}
    worst, where = 0.0, ""
    for path, one in found.items():
        deviation, allowed = one.value - wanted[path], absolute + relative * abs(wanted[path])
        if one.se > 0.0:
            error = math.hypot(one.se, reference_error(path, wanted))
            scores[path], allowed = deviation / error, HIGHEST * error
        worst, where = max((worst, where), (gap(deviation, allowed), path))
    compared, table = 0, draws.folder / str(params.get("csv", ""))
    if table.is_file() and result.columns:
        for column, place, deviation, size, printed in months_of(table, result):
            allowed = absolute + relative * size + printed
            worst, where = max((worst, where), (gap(deviation, allowed), f"{column}, row {place}"))
            compared += 1
    for path, said in words(result.figures):
        if path in spoken:
            differs = said.split() != spoken[path].lower().split()
            worst, where = max((worst, where), (float("inf") if differs else 0.0, path))
            compared += 1
    missing = tuple(path for path in wanted if path not in given)
    expected = {path: wanted[path] for path in found}
    return Verdict(
        case["id"],
        title,
        kind,
        found,
        expected,
        scores,
        result.stepped,
        worst,
        where,
        missing,
        compared,
    )


def reference_error(path: str, wanted: Mapping[str, float]) -> float:
    """Return the standard error that an expected number has itself, 0 if it is exact."""
    stem, _, last = path.rpartition("/")
    return wanted.get(f"{stem}/se", 0.0) if last == "value" else 0.0


def given_by(result: Result) -> dict[str, Estimate]:
    """Return the figures of a result by path, without those whose error is not known."""
    return {path: one for path, one in estimates(result.figures) if not math.isnan(one.se)}


def best_kind(params: Mapping[str, Any], draws: Draws) -> tuple[str, Result | None, str]:
    """Return the kind that gives most of what is asked, its result, or why there is none.

    Of kinds that take as much to be of, all are tried; a less particular one only if they fail.
    """
    reason = "no kind of case has its parameters"
    for rank in kinds_of(params, (*draws.asked, *draws.words)):
        best: tuple[str, Result | None] = ("", None)
        most = 0
        for name in rank:
            kind = CASES[name]
            if kind.reason:
                return "", None, kind.reason
            try:
                result = kind.result(params, draws)
            except (
                KeyError,
                TypeError,
                ValueError,
                NeoboxError,
            ) as error:  # parameters of some other kind
                reason = f"not a {name} ({type(error).__name__}: {error})"
                continue
            gives = len(set(draws.asked) & given_by(result).keys()) + len(result.columns)
            gives += len(draws.words.keys() & dict(words(result.figures)).keys())
            if gives > most:
                best, most = (name, result), gives
        if best[1] is not None:
            return *best, ""
    return "", None, reason


def gap(deviation: float, allowed: float) -> float:
    """Return a deviation over what is allowed; infinite where a number is none."""
    if not np.isfinite(deviation):
        return float("inf")
    return abs(deviation) / allowed if allowed > 0.0 else float("inf") if deviation else 0.0


def months_of(table: Path, result: Result) -> Iterator[tuple[str, int, float, float, float]]:
    """Yield column, row, deviation, size and what printing cut off, of every number of a table."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in rows[0].keys() & result.columns.keys():
        values = result.columns[column]
        for place, row in enumerate(rows):
            expected = float(row[column])
            there = float(values[place]) if place < len(values) else float("nan")
            cut = 0.51 * 10.0 ** -len(row[column].partition(".")[2])
            yield column, place + 1, there - expected, abs(expected), min(PRINTED, cut)
