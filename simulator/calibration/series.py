"""A dated series from a column of a CSV file; what is wrong with it is told all at once.

The first column holds dates, months (``2026-09``) or days (``2026-09-30``), rising. Blank cells,
``.`` and ``NA`` are missing values. Lines that begin with ``#`` are comments.
"""

from __future__ import annotations

import csv
import datetime
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.config.errors import ConfigError, Problems, did_you_mean
from simulator.config.tables import RawRow, read_csv

MISSING: Final = frozenset({".", "NA", "NaN", "nan"})
DAYS_A_YEAR: Final = 365.25
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Series:
    """Values and when they were seen; missing ones are left out.

    Parameters
    ----------
    file, column
        Where they stand.
    dates
        As written.
    years : array (time,)
        Time in years: months / 12, or days / 365.25.
    values : array (time,)
        The values.
    skipped
        Number of rows without a value.
    """

    file: str
    column: str
    dates: tuple[str, ...]
    years: NDArray[np.float64]
    values: NDArray[np.float64]
    skipped: int

    @property
    def span(self) -> float:
        """Years from the first value to the last."""
        return float(self.years[-1] - self.years[0])

    def __str__(self) -> str:
        """Return file, column, number of values, first and last date."""
        blank = f" ({self.skipped} blank)" if self.skipped else ""
        return (
            f"{self.column} of {Path(self.file).name}, {len(self.values)} values{blank},"
            f" {self.dates[0]} to {self.dates[-1]}"
        )


def read_series(
    path: str | Path,
    column: str | None,
    *,
    least: int,
    positive: bool = True,
    largest: float = math.inf,
    too_large: str = "",
    monthly: bool = False,
) -> Series:
    """Read one column.

    Parameters
    ----------
    path
        The file.
    column
        Name of the column; None for the only one.
    least
        Fewest values that can be fitted.
    positive
        Whether values must be above 0.
    largest, too_large
        Largest size of a value that makes sense, and how to mend a larger one.
    monthly
        Whether every month from first to last must have a value.

    Raises
    ------
    ConfigError
        With every problem found.
    """
    path, problems = Path(path), Problems()
    header = _header(path)
    table = read_csv(path, header, header[:1], problems)
    name = column or (header[1] if len(header) == 2 else "")
    if table.readable and name not in header[1:]:
        mend = did_you_mean(name, header[1:], _choice(header[1:]))
        got = repr(name) if column else f"{len(header) - 1} columns and no --column"
        problems.add(str(path), "column", expected="one column of values", got=got, mend=mend)
    if not table.readable or name not in header[1:]:
        raise ConfigError(tuple(problems))
    found = [_Row(row, header[0], name) for row in table.rows]
    seen = [one for one in found if one.check(problems, positive, largest, too_large)]
    _check_order(seen, problems, monthly=monthly)
    if not problems and len(seen) < least:
        got, mend = str(len(seen)), "giving a longer series"
        expected = f"at least {least} values"
        problems.add(str(path), name, expected=expected, got=got, mend=mend)
    if not problems and min(one.value for one in seen) == max(one.value for one in seen):
        expected, mend = "a series that moves", "choosing another column"
        problems.add(str(path), name, expected=expected, got="one value throughout", mend=mend)
    if problems:
        raise ConfigError(tuple(problems))
    return Series(
        file=str(path),
        column=name,
        dates=tuple(one.date for one in seen),
        years=np.array([one.years for one in seen]),
        values=np.array([one.value for one in seen]),
        skipped=len(found) - len(seen),
    )


class _Row:
    """A row while it is checked."""

    def __init__(self, raw: RawRow, date: str, column: str) -> None:
        self.place, self.column, self.date_column = raw.place, column, date
        self.date = str(raw.cells.get(date, ""))
        self.text = str(raw.cells.get(column, "."))
        self.years = years_of(self.date)
        self.monthly = _MONTH.fullmatch(self.date) is not None
        self.value = math.nan

    def check(self, out: Problems, positive: bool, largest: float, too_large: str) -> bool:
        """Read the value; return whether there is a sound one."""
        if self.years is None:
            expected, mend = "a month or day", "writing 2026-09 or 2026-09-30"
            out.add(self.place, self.date_column, expected=expected, got=self.date, mend=mend)
        if self.text in MISSING:
            return False
        try:
            self.value = float(self.text)
        except ValueError:
            self.value = math.nan
        if not math.isfinite(self.value) or (positive and self.value <= 0):
            expected = "a number above 0" if positive else "a number"
            mend = "writing the value, or leaving the cell blank if there is none"
            out.add(self.place, self.column, expected=expected, got=repr(self.text), mend=mend)
            return False
        if abs(self.value) > largest:
            expected = f"at most {largest:g} in size"
            out.add(self.place, self.column, expected=expected, got=self.text, mend=too_large)
            return False
        return self.years is not None


def years_of(date: str) -> float | None:
    """Return a date in years, None if it is not one.

    Examples
    --------
    >>> years_of("2026-07"), years_of("July 2026")
    (2026.5, None)
    >>> round((years_of("2026-07-02") - years_of("2026-07-01")) * 365.25, 6)
    1.0
    """
    month = _MONTH.fullmatch(date)
    if month and 1 <= int(month[2]) <= 12:
        return int(month[1]) + (int(month[2]) - 1) / 12
    try:
        return datetime.date.fromisoformat(date).toordinal() / DAYS_A_YEAR
    except ValueError:
        return None


def _header(path: Path) -> list[str]:
    """Return the names of the columns; none if the file cannot be read (`read_csv` says why)."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    filled = (line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return [cell.strip() for cell in next(csv.reader(filled), [])]


def _check_order(rows: list[_Row], out: Problems, *, monthly: bool) -> None:
    """Note dates that do not rise, mix months with days, or leave a month out."""
    for before, row in pairwise(rows):
        assert before.years is not None
        assert row.years is not None
        if before.monthly != row.monthly:
            expected, mend = "months throughout or days throughout", "writing all dates alike"
        elif row.years <= before.years:
            expected, mend = f"a date after {before.date}", "sorting rows and removing doubles"
        elif monthly and round(12 * (row.years - before.years)) != 1:
            expected, mend = f"the month after {before.date}", "giving one value for every month"
        else:
            continue
        out.add(row.place, row.date_column, expected=expected, got=row.date, mend=mend)


def _choice(columns: list[str]) -> str:
    if not columns:
        return "adding a column of values beside the dates"
    return f"--column with one of {', '.join(columns)}"
