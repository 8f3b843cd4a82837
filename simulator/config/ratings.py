"""Ratings to hazards: Moody's and S&P notches, words, and tables of the user's own.

The package table ``hazards.csv`` is fitted; a study may name its own table with the columns
``rating`` and ``y1, y2, ...`` (hazards per year) or ``pd1, pd2, ...`` (conditional yearly default
probabilities).  A notch that a table leaves out is interpolated in logs between its neighbours.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from simulator.config.errors import Problems
from simulator.config.parameters import package_lines
from simulator.config.tables import read_csv

Curves: TypeAlias = Mapping[int, tuple[float, ...]]
"""Hazards per year by notch (1 = Aaa)."""

MOODYS = (
    *("Aaa", "Aa1", "Aa2", "Aa3", "A1", "A2", "A3", "Baa1", "Baa2", "Baa3", "Ba1", "Ba2", "Ba3"),
    *("B1", "B2", "B3", "Caa1", "Caa2", "Caa3", "Ca", "C"),
)
SP = (
    *("AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-", "BB+", "BB", "BB-"),
    *("B+", "B", "B-", "CCC+", "CCC", "CCC-", "CC"),
)
_LETTERS = {"Aa": "Aa2", "Baa": "Baa2", "Ba": "Ba2", "Caa": "Caa2", "CCC/C": "CCC"}
_WORDS = {
    "investment-grade": "Baa1",
    "investment grade": "Baa1",
    "non-investment-grade": "Ba2",
    "speculative-grade": "Ba2",
}
NOTCHES: dict[str, int] = {
    **{name: number for number, name in enumerate(SP, start=1)},
    **{name: number for number, name in enumerate(MOODYS, start=1)},
    "D": 21,
}
NOTCHES.update({letter: NOTCHES[notch] for letter, notch in {**_LETTERS, **_WORDS}.items()})

LOWEST_INVESTMENT_GRADE = NOTCHES["Baa3"]
FLOOR = 0.0001
"""Smallest hazard per year: 1 bp."""


def notch(rating: str) -> int | None:
    """Return the notch of a rating, 1 for Aaa to 21 for C, None if it is not one.

    Examples
    --------
    >>> notch("Aa3"), notch("BBB-"), notch("investment-grade"), notch("Q1")
    (4, 10, 8, None)
    """
    text = rating.strip()
    return NOTCHES.get(text, NOTCHES.get(text.casefold()))


def package_curves() -> Curves:
    """Return the fitted curves of the package."""
    rows = csv.DictReader(package_lines("hazards.csv"))
    return {NOTCHES[row["rating"]]: _hazards(row, "y") for row in rows}


def user_curves(path: Path, out: Problems) -> Curves:
    """Return the curves of a user's table; what is wrong with it is noted in `out`."""
    columns = ["rating", "alias", "notch", "source"]
    columns += [f"{kind}{year}" for kind in ("y", "pd") for year in range(1, 31)]
    table = read_csv(path, columns, ["rating"], out)
    curves: dict[int, tuple[float, ...]] = {}
    for row in table.rows:
        number = notch(str(row.cells.get("rating", "")))
        try:
            given = _hazards(row.cells, "y") or tuple(
                -math.log1p(-p) for p in _hazards(row.cells, "pd")
            )
        except ValueError:
            given = ()
        if number is None:
            got = repr(row.cells.get("rating"))
            out.add(row.place, "rating", expected="a rating", got=got, mend="writing a notch")
        elif not given or not all(0 <= hazard < math.inf for hazard in given):
            expected = "hazards y1, y2, ... at least 0, or probabilities pd1, pd2, ... below 1"
            out.add(row.place, "y1", expected=expected, got="others", mend="writing 0.02 for 2%")
        else:
            curves[number] = given
    return curves


def _hazards(cells: Mapping[str, str], kind: str) -> tuple[float, ...]:
    years = [f"{kind}{year}" for year in range(1, 31)]
    return tuple(float(cells[year]) for year in years if cells.get(year))


def curve(curves: Curves, number: int) -> tuple[float, ...]:
    """Return the hazards of a notch, at least 1 bp, interpolated in logs where it is missing.

    Parameters
    ----------
    curves
        Hazards by notch; at least one.
    number
        The notch.
    """
    below = max((one for one in curves if one <= number), default=min(curves))
    above = min((one for one in curves if one >= number), default=max(curves))
    weight = (number - below) / (above - below) if above > below else 0.0
    years = max(len(curves[below]), len(curves[above]))
    low, high = (_floored(curves[one], years) for one in (below, above))
    if weight == 0.0:
        return tuple(low)
    return tuple(a ** (1 - weight) * b**weight for a, b in zip(low, high, strict=True))


def _floored(hazards: Sequence[float], years: int) -> list[float]:
    held = [*hazards, *[hazards[-1]] * (years - len(hazards))]
    return [max(FLOOR, hazard) for hazard in held]
