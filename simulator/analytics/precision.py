"""How precise an estimate of the book is wanted, and whether a sample is large enough for it.

es99.9 <= 1%               the standard error of ES 99.9% at most 1% of it
el <= 2 usd_m, pd <= 5 bp  of the expected loss at most USD 2 m, of the PD at most 0.05%
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import xarray as xr

from simulator.analytics.convergence import ENOUGH, paths_needed
from simulator.analytics.estimate import Estimate, format_estimate, format_significant
from simulator.analytics.measures import KIND, Measure, read_kind
from simulator.config.errors import NeoboxError
from simulator.dataset.dims import PATH
from simulator.dataset.plan import WEIGHT

__all__ = ["ENOUGH", "VARIABLES", "Goal", "Judged", "judge", "parse_goals"]

VARIABLES: Final = (
    *("book_lender_loss", WEIGHT, "facility_default_month"),
    *("lender_loss", "tranche_loss", "tranche_drawn_pv"),
)
"""Variables of a run that `judge` reads."""

PATTERN: Final = re.compile(
    rf"{KIND}\s*<=?\s*(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)\s*(?P<unit>%|usd_m|bp)",
    re.IGNORECASE,
)


class PrecisionError(NeoboxError):
    """An expression that says no precision."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Goal:
    """A standard error that is wanted.

    Parameters
    ----------
    measure : Measure
        Of the book.
    limit : float
        Largest standard error: a share of the value if `relative`, else in its unit.
    relative : bool
        Whether it is.
    """

    measure: Measure
    limit: float
    relative: bool

    def __str__(self) -> str:
        """Return the goal as it is written."""
        scale, unit = (100.0, "%") if self.relative else (1.0, " usd_m")
        if self.measure.is_probability and not self.relative:
            scale, unit = 10_000.0, " bp"
        return f"{self.measure.name} <= {scale * self.limit:.6g}{unit}"


class Judged(NamedTuple):
    """An estimate beside what is wanted of it."""

    goal: Goal
    estimate: Estimate
    rests_on: float  # independent paths
    needed: float  # paths that would meet the goal, NaN if it cannot be told
    met: bool

    def __str__(self) -> str:
        """Return the estimate, its relative error and the paths it takes, in words."""
        value, se = self.estimate
        text = format_estimate(value, se, percent=self.goal.measure.is_probability)
        said = f"{self.goal.measure.words} {text}"
        if value != 0.0 and math.isfinite(se):
            said += f" ({format_significant(100.0 * se / abs(value), 2)}% of it)"
        if self.rests_on < ENOUGH:
            said += f", rests on {self.rests_on:.0f} paths, {ENOUGH} wanted"
        if self.met:
            return f"{said}, precise enough"
        takes = (
            f"about {self.needed:,.0f}" if math.isfinite(self.needed) else "an unknown number of"
        )
        return f"{said}; '{self.goal}' takes {takes} paths"

    def as_object(self) -> dict[str, Any]:
        """Return the same as plain values for JSON."""
        value, se = self.estimate
        return {
            "goal": str(self.goal),
            "value": value,
            "se": se if math.isfinite(se) else None,
            "relative_error": se / abs(value) if value and math.isfinite(se) else None,
            "rests_on": self.rests_on,
            "paths_needed": int(self.needed) if math.isfinite(self.needed) else None,
            "met": self.met,
        }


def parse_goals(text: str) -> tuple[Goal, ...]:
    """Read goals, joined by commas.

    Examples
    --------
    >>> [str(one) for one in parse_goals("es99.9 <= 1%, mean<=2 usd_m, pd <= 5bp")]
    ['es99.9 <= 1%', 'el <= 2 usd_m', 'pd <= 5 bp']
    """
    return tuple(_goal(part.strip(), text) for part in text.split(","))


def _goal(part: str, text: str) -> Goal:
    """Read one goal of an expression."""
    found = PATTERN.fullmatch(part)
    kind = read_kind(found) if found else None
    unit = found["unit"].casefold() if found else ""
    limit = float(found["number"]) if found else 0.0
    measure = Measure(*kind) if kind else None
    if measure is None or limit <= 0.0 or unit == ("usd_m" if measure.is_probability else "bp"):
        raise PrecisionError(
            f"--target-se: expected goals such as 'es99.9 <= 1%', got {part or text!r}; mend by "
            "naming el, var99, es99.9, pd or p(loss), then <= and a share of the value (1%) or an "
            "amount (2 usd_m; 5 bp of pd and p(loss)), several joined by commas"
        )
    scale = {"%": 0.01, "bp": 0.0001, "usd_m": 1.0}[unit]
    return Goal(measure, round(limit * scale, 15), unit == "%")


def judge(run: xr.Dataset, goals: tuple[Goal, ...], paths: int | None = None) -> list[Judged]:
    """Estimate what the goals name, and say whether it is precise enough.

    Parameters
    ----------
    run : Dataset
        With the `VARIABLES` it holds of them.
    goals : tuple of Goal
        What is wanted.
    paths : int, optional
        How many of the first paths count; all by default.

    Returns
    -------
    list of Judged
        A goal is met if the error is within its limit and the estimate rests on at least `ENOUGH`
        independent paths: with a loss, a default, or beyond the level.
    """
    some = run if paths is None else run.isel({PATH: slice(paths)})
    return [_judge(some, goal) for goal in goals]


def _judge(run: xr.Dataset, goal: Goal) -> Judged:
    """Judge one goal."""
    found, rests_on = goal.measure.found(run)
    limit = goal.limit * abs(found.value) if goal.relative else goal.limit
    met = bool(rests_on >= ENOUGH and found.value != 0.0 and found.se <= limit)
    share = goal.limit if goal.relative else goal.limit / abs(found.value or math.nan)
    needed = paths_needed(found, run.sizes[PATH], share, rests_on) if found.value else math.nan
    return Judged(goal, found, rests_on, needed, met)
