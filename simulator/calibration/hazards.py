"""Default hazards by rating: a smooth curve through a table of published averages.

The table is the user's own (rating agencies own theirs): cumulative default rates in percent, by
rating and year since the cohort's start,

    rating,y1,y2,y3,y4,y5,y6

A letter stands at its middle notch (A at A2 = 6). With s = (notch - 12)/6 and z = ln year,

    ln h(s, z) = sum of coefficients c_ij s^i z^j,   i <= 5 for j = 0 and 1, i <= 3 for j = 2,

fitted by weighted least squares on the log of h = -ln(1 - p), p the default rate of the year given
survival, under the condition that h rises by at least 3% a notch in every year. Below Caa2, where
agencies publish one bucket only, h grows by 28% a notch (judgement). The floor is one basis point.

Standard errors come from the scatter of the cells about the curve, within the conditions that
bind. Cells of one cohort are not independent, so they measure the fit, not the chance of another
history.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize

from simulator.calibration.estimates import Estimated
from simulator.calibration.result import Calibration
from simulator.config.errors import ConfigError, NeoboxError, Problems
from simulator.config.ratings import FLOOR, MOODYS, SP, notch
from simulator.config.tables import RawRow, read_csv

Array = NDArray[np.float64]

YEARS: Final = 6
LAST_FITTED: Final = 18
SLOPE_BELOW: Final = 0.25
"""Log hazard per notch under Caa2."""
LEAST_RISE: Final = 0.03
"""Log hazard per notch, at least."""
LEAST_RATINGS: Final = 6
"""Fewest ratings: the curve is of fifth degree in the notch."""
TERMS: Final = tuple((i, j) for j in range(3) for i in range(6 if j < 2 else 4))
ALIASES: Final = (*SP, "C")
TABLE: Final = "ratings.csv"


class Cells(NamedTuple):
    """Cells of a table of averages, each array (cell,)."""

    notch: Array
    year: Array
    hazard: Array  # per year


class CurveFit(NamedTuple):
    """Coefficients (term,), their standard errors, and the number of conditions that bind."""

    coefficients: Array
    errors: Array
    binding: int


@dataclass(frozen=True, kw_only=True)
class HazardCalibration(Calibration):
    """A calibration of hazards, with what its figure shows.

    Parameters
    ----------
    cells
        What was fitted.
    hazards : array (notch, year)
        The curve, all 21 notches.
    """

    cells: Cells
    hazards: Array

    def parameter_set(self) -> str:
        """Return the line of a study that names the ratings table."""
        return (
            f"# neobox calibrate hazards: {self.data}\n"
            "# Take the line over into a study file; the path is relative to it.\n"
            f"ratings_table: {TABLE}\n"
        )

    def files(self) -> dict[str, str]:
        """Return the text files that the calibration writes, by name."""
        return {**super().files(), TABLE: curve_text(self.hazards)}


def calibrate_hazards(path: str | Path) -> HazardCalibration:
    """Fit a table of cumulative default rates.

    Parameters
    ----------
    path
        CSV: ``rating``, then ``y1`` to ``y6``, percent.

    Returns
    -------
    HazardCalibration

    Raises
    ------
    ConfigError
        If the file is wrong; it holds every problem found.
    """
    cells = read_averages(Path(path))
    found = fit(cells)
    values, errors = found.coefficients, found.errors
    estimates = tuple(
        Estimated(
            id=f"s^{i} z^{j}",
            value=float(value),
            se=float(error),
            low=float(value - 1.96 * error),
            high=float(value + 1.96 * error),
            unit="log",
            written=False,
        )
        for (i, j), value, error in zip(TERMS, values, errors, strict=True)
    )
    return HazardCalibration(
        kind="hazards",
        data=f"{Path(path).name}, {len(set(cells.notch))} ratings, {YEARS} years",
        observations=len(cells.notch),
        estimates=estimates,
        remarks=tuple(_remarks(cells, found)),
        cells=cells,
        hazards=curve(values),
    )


def design(notches: Array, year: Array) -> Array:
    """Return the rows of the regression, s^i z^j (cell, term)."""
    s, z = (notches - 12) / 6, np.log(year)
    return np.stack([s**i * z**j for i, j in TERMS], axis=-1)


def grid(last: int) -> Array:
    """Return the design of all notches up to `last` and all years, in that order."""
    notches, year = np.meshgrid(np.arange(1, last + 1), np.arange(1, YEARS + 1), indexing="ij")
    return design(notches.ravel().astype(float), year.ravel().astype(float))


def fit(cells: Cells) -> CurveFit:
    """Fit logs by least squares; scarce defaults (AAA, AA, the floor) weigh less."""
    x, target = design(cells.notch, cells.year), np.log(cells.hazard)
    weight = np.where(cells.notch <= 3, 0.4, 1.0) * np.where(cells.hazard <= FLOOR, 0.3, 1.0)
    weight *= np.where(cells.notch >= 15, 1.5, 1.0)
    start = np.linalg.lstsq(x * weight[:, None], target * weight, rcond=None)[0]
    levels = grid(LAST_FITTED + 1).reshape(-1, YEARS, len(TERMS))
    steps = np.diff(levels, axis=0).reshape(-1, len(TERMS))

    def misfit(c: Array) -> float:
        return float(np.sum((weight * (x @ c - target)) ** 2))

    def slope(c: Array) -> Array:
        return np.asarray(2 * x.T @ (weight**2 * (x @ c - target)), np.float64)

    result = minimize(
        misfit,
        start,
        jac=slope,
        constraints=LinearConstraint(steps, LEAST_RISE),
        method="SLSQP",
        options={"maxiter": 1000},
    )
    if not result.success:
        raise NeoboxError(f"the fit of the hazards failed: {result.message}")
    coefficients: Array = np.asarray(result.x)
    tight = steps[steps @ coefficients - LEAST_RISE < 1e-6]
    errors = _errors(x * weight[:, None], weight * (target - x @ coefficients), tight)
    return CurveFit(coefficients, errors, len(tight))


def _errors(x: Array, residual: Array, tight: Array) -> Array:
    """Return standard errors of least squares in the directions that conditions leave free."""
    free = np.eye(x.shape[1])
    if len(tight):
        _, sizes, directions = np.linalg.svd(tight)
        free = directions[int(np.sum(sizes > 1e-9 * sizes[0])) :].T
    inner = np.linalg.inv((x @ free).T @ (x @ free))
    variance = float(residual @ residual) / (len(x) - free.shape[1])
    errors: Array = np.sqrt(variance * np.einsum("ij,jk,ik->i", free, inner, free))
    return errors


def curve(coefficients: Array) -> Array:
    """Return hazards per year by notch (rows, all 21) and year (columns)."""
    log_hazard = (grid(LAST_FITTED) @ coefficients).reshape(-1, YEARS)
    below = log_hazard[-1] + SLOPE_BELOW * np.arange(1, len(MOODYS) - LAST_FITTED + 1)[:, None]
    hazards: Array = np.maximum(FLOOR, np.exp(np.vstack([log_hazard, below])))
    return hazards


def curve_text(hazards: Array) -> str:
    """Return the curve as the CSV that `ratings_table` of a study reads, six decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rating", "alias", "notch", *(f"y{k}" for k in range(1, YEARS + 1))])
    for i, row in enumerate(hazards):
        writer.writerow([MOODYS[i], ALIASES[i], i + 1, *(f"{h:.6f}" for h in row)])
    return text.getvalue()


def relative_errors(cells: Cells, coefficients: Array) -> dict[str, float]:
    """Return the root mean square of fitted over given hazards less 1, by S&P notch."""
    error = np.exp(design(cells.notch, cells.year) @ coefficients) / cells.hazard - 1
    return {
        ALIASES[int(one) - 1]: float(np.sqrt(np.mean(error[cells.notch == one] ** 2)))
        for one in np.unique(cells.notch)
    }


def _remarks(cells: Cells, found: CurveFit) -> Iterator[str]:
    errors = relative_errors(cells, found.coefficients)
    told = ", ".join(f"{name} {error:.0%}" for name, error in errors.items())
    yield f"Root mean square error of the fitted yearly hazards: {told}."
    yield (
        f"{found.binding} of the conditions that hazards rise by at least {LEAST_RISE:.0%} a notch"
        " bind; standard errors hold within them."
    )
    yield (
        "The errors measure how well the curve fits the averages. How well averages of the past"
        " say what comes, they cannot tell: ratings of this sector have no default history."
    )
    floored = int(np.sum(cells.hazard <= FLOOR))
    if floored:
        yield (
            "Cells at or below the floor of 1 bp a year, which count as 1 bp with less weight:"
            f" {floored}."
        )


def read_averages(path: Path) -> Cells:
    """Read a table of cumulative default rates.

    Raises
    ------
    ConfigError
        With every problem found.
    """
    problems, names = Problems(), [f"y{k}" for k in range(1, YEARS + 1)]
    columns = ["rating", "source", *(f"y{k}" for k in range(1, 31))]
    table = read_csv(path, columns, ["rating", *names], problems)
    rows = [(_notch(row, problems), _rates(row, names, problems)) for row in table.rows]
    for place, (one, _) in zip(table.rows, rows, strict=True):
        if one is not None and [other for other, _ in rows].count(one) > 1:
            mend = "removing all but one"
            problems.add(place.place, "rating", expected="each once", got="it again", mend=mend)
    distinct = {one for one, _ in rows if one is not None}
    if table.readable and not problems and len(distinct) < LEAST_RATINGS:
        got, mend = str(len(distinct)), "adding letters"
        expected = f"at least {LEAST_RATINGS} ratings"
        problems.add(str(path), "rating", expected=expected, got=got, mend=mend)
    if problems:
        raise ConfigError(tuple(problems))
    cells = [
        (one, year, max(FLOOR, hazard))
        for one, rates in rows
        if one is not None
        for year, hazard in enumerate(conditional(rates), 1)
    ]
    return Cells(*np.array(cells, float).T)


def conditional(cumulative: list[float]) -> list[float]:
    """Return the hazards of each year from cumulative default rates in percent.

    Examples
    --------
    >>> [round(hazard, 4) for hazard in conditional([10.0, 19.0])]
    [0.1054, 0.1054]
    """
    survived = 1 - np.array([0.0, *cumulative]) / 100
    return [float(h) for h in -np.log(survived[1:] / survived[:-1])]


def _notch(row: RawRow, out: Problems) -> int | None:
    text = str(row.cells.get("rating", ""))
    found = notch(text)
    if found is None or found > LAST_FITTED:
        expected, mend = "a rating from AAA to CCC", "writing AAA, AA, A, BBB, BB, B or CCC/C"
        out.add(row.place, "rating", expected=expected, got=repr(text), mend=mend)
        return None
    return found


def _rates(row: RawRow, names: list[str], out: Problems) -> list[float]:
    rates, before = [], 0.0
    for name in names:
        text = str(row.cells.get(name, ""))
        try:
            rate = float(text)
        except ValueError:
            rate = math.nan
        if not before <= rate < 100:
            expected = f"a cumulative rate in percent, {before:g} or more, below 100"
            mend = "writing 2.5 for 2.5%, rising from year to year"
            out.add(row.place, name, expected=expected, got=repr(text), mend=mend)
            break
        rates.append(rate)
        before = rate
    return rates
