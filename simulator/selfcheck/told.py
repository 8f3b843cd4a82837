"""What became of cases, in words: a table of estimates, lines of exact cases, a last line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy.stats import chi2

from simulator.analytics.estimate import decimals_of
from simulator.selfcheck.folder import Verdict
from simulator.selfcheck.kinds import HIGHEST

__all__ = ["HEADING", "Row", "Sum", "lines_of", "rows_of", "sum_of"]

CHANCE = 1e-4
"""How often a right model may lie outside of the band of the mean of z squared."""

MOST_DIGITS = 8

HEADING = f"{'case':<12} {'quantity':<46} {'exact':>12} {'estimate':>12} {'SE':>9} {'z':>6}"


class Row(NamedTuple):
    """An estimate against its exact value; all but `z` as text."""

    case: str
    quantity: str
    exact: str
    estimate: str
    se: str
    z: float


@dataclass(frozen=True)
class Sum:
    """Estimates of many cases taken together, without those that take steps.

    Attributes
    ----------
    cases : int
        Cases with estimates.
    count : int
        Their estimates.
    highest : float
        Largest |z|.
    where : str
        Case and quantity of it.
    mean_square : float
        Mean over cases of the mean of z squared within each; NaN without estimates.
    low, high : float
        Between which it lies, but for one time in 10,000, if model and errors are right: the band
        of chi-square with as many degrees of freedom as there are cases. Numbers of one case come
        from the same paths, so that together they may tell no more than one; if they tell more the
        band is wider than it need be.
    """

    cases: int
    count: int
    highest: float
    where: str
    mean_square: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether the scores are as large as they should be, and none too large."""
        if self.count == 0:
            return True
        return self.highest < HIGHEST and not (
            self.mean_square < self.low or self.mean_square > self.high
        )

    def __str__(self) -> str:
        """Return the last line."""
        return (
            f"{self.count:,} estimates of {self.cases} cases: largest |z| {self.highest:.2f}"
            f" ({self.where}), mean of z squared {self.mean_square:.2f}"
            f" (by chance {self.low:.2f} to {self.high:.2f})"
        )


def sum_of(verdicts: Sequence[Verdict]) -> Sum:
    """Take the scores of all estimates together."""
    scores = [
        (abs(z), f"{one.id} {path}")
        for one in verdicts
        for path, z in one.scores.items()
        if path not in one.stepped
    ]
    squares = [one.mean_square for one in verdicts if math.isfinite(one.mean_square)]
    highest, where = max(scores, default=(0.0, ""))
    if not squares:
        return Sum(0, len(scores), highest, where, math.nan, 0.0, math.inf)
    count = len(squares)
    low, high = (float(chi2.ppf(p, count)) / count for p in (CHANCE / 2.0, 1.0 - CHANCE / 2.0))
    return Sum(count, len(scores), highest, where, sum(squares) / count, low, high)


def rows_of(verdict: Verdict) -> Iterator[Row]:
    """Yield the estimates of a case, with the digits that their errors leave standing."""
    for path, z in verdict.scores.items():
        value, se = verdict.found[path]
        places = min(MOST_DIGITS, max(0, decimals_of(se) + 1))
        exact, estimate, error = (f"{x:.{places}f}" for x in (verdict.expected[path], value, se))
        yield Row(verdict.id, path, exact, estimate, error, z)


def lines_of(verdict: Verdict) -> Iterator[str]:
    """Yield the lines of a case."""
    if not verdict.kind:
        yield f"{verdict.id:<12} not run: {verdict.reason}"
        return
    where = f" ({verdict.where})" if verdict.where else ""
    lacking = f"; not given: {', '.join(verdict.missing)}" if verdict.missing else ""
    state = "ok" if verdict.passed else "BEYOND"
    yield (
        f"{verdict.id:<12} {verdict.kind:<20} {state:<7} "
        f"worst {verdict.worst:.2g} of what is allowed{where}{lacking}"
    )
    for row in rows_of(verdict):
        yield (
            f"{row.case:<12} {row.quantity:<46} {row.exact:>12} {row.estimate:>12} "
            f"{row.se:>9} {row.z:>+6.2f}"
        )
