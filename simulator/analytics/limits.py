"""Limits that a run is held against: each says what is *not* to be.

book.es99 > 250               breached if ES 99% of the book is above USD 250 m
book.el > 0.5%                ... if the expected loss is above 0.5% of what was lent (PV)
facility.CRWV_DDTL4.pd > 5%   ... if the facility defaults with a probability above 5%
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import xarray as xr

from simulator.analytics.convergence import ENOUGH
from simulator.analytics.estimate import Estimate, format_estimate, format_probability
from simulator.analytics.frame import draws_of, labels
from simulator.analytics.measures import BOOK, ENTITIES, Measure, read_measure
from simulator.config.errors import NeoboxError, did_you_mean

__all__ = ["Checked", "Limit", "LimitError", "check_limits", "read_limits"]

OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
UNITS: Final = {"": 1.0, "usd_m": 1.0, "%": 0.01, "bp": 0.0001}

PATTERN: Final = re.compile(
    r"(?P<measure>[^<>]+?)\s*(?P<comparison>[<>]=?)\s*"
    r"(?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(?P<unit>%|bp|usd_m|)",
    re.IGNORECASE,
)

ERRORS: Final = 2.0
"""Standard errors within which an estimate does not tell on which side of a limit it lies."""


class LimitError(NeoboxError):
    """Expressions that are no limits, or limits of what a study does not hold."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """What is not to be.

    Parameters
    ----------
    measure : Measure
        What is held against the number.
    comparison : str
        ``>``, ``>=``, ``<`` or ``<=``: the limit is breached if this holds.
    number : float
        In USD m; a probability; or, if `share`, a part of what was lent.
    share : bool
        Whether losses are taken as shares of what was lent.
    """

    measure: Measure
    comparison: str
    number: float
    share: bool = False

    @property
    def in_percent(self) -> bool:
        """Whether the number is a probability or a share."""
        return self.share or self.measure.is_probability

    def __str__(self) -> str:
        """Return the limit as it is written."""
        number = f"{100.0 * self.number:.6g}%" if self.in_percent else f"{self.number:.10g}"
        return f"{self.measure} {self.comparison} {number}"


class Checked(NamedTuple):
    """A limit and what a run says of it."""

    limit: Limit
    estimate: Estimate
    rests_on: float  # independent paths
    draws: float  # independent paths of the run
    breached: bool  # also if the measure is not defined: nothing shows that it is kept
    within_error: bool  # the other side of the limit lies within `ERRORS` standard errors

    def __str__(self) -> str:
        """Return limit, estimate and verdict as a line."""
        value, se = self.estimate
        if self.limit.measure.is_probability:
            text = format_probability(value, se, self.draws)
        elif self.limit.share:
            text = f"{format_estimate(value, se, percent=True)} of what was lent"
        else:
            text = f"USD {format_estimate(value, se)} m"
        verdict = "BREACHED" if self.breached else "met"
        if math.isnan(value):
            return f"{self.limit}: not defined in this run, counts as BREACHED"
        if self.within_error:
            verdict += ", within error"
        if self.rests_on < ENOUGH:
            verdict += f" (rests on {self.rests_on:.0f} paths, {ENOUGH} wanted)"
        return f"{self.limit}: {text}, {verdict}"

    def as_object(self) -> dict[str, Any]:
        """Return the same as plain values for JSON."""

        def known(value: float) -> float | None:
            return value if math.isfinite(value) else None

        return {
            "limit": str(self.limit),
            "measure": str(self.limit.measure),
            "comparison": self.limit.comparison,
            "number": self.limit.number,
            "unit": "1" if self.limit.in_percent else "million USD",
            "value": known(self.estimate.value),
            "se": known(self.estimate.se),
            "rests_on": self.rests_on,
            "breached": self.breached,
            "within_error": self.within_error,
        }


def read_limits(texts: Iterable[str], ids: Mapping[str, Sequence[str]]) -> tuple[Limit, ...]:
    """Read limits and hold what they name against a study.

    Parameters
    ----------
    texts : iterable of str
        One limit each.
    ids : mapping of str to sequence of str
        Of facilities, sponsors and counterparties, as `RunPlan.ids` holds them.

    Returns
    -------
    tuple of Limit

    Raises
    ------
    LimitError
        With everything that is wrong with any of them.

    Examples
    --------
    >>> [
    ...     str(one)
    ...     for one in read_limits(
    ...         ["ES99 > 250 usd_m", "facility.A.pd >= 50bp"], {"facility": ["A"]}
    ...     )
    ... ]
    ['book.es99 > 250', 'facility.A.pd >= 0.5%']
    """
    limits, faults = [], []
    for text in texts:
        found = _limit(text, ids)
        if isinstance(found, Limit):
            limits.append(found)
        else:
            faults.append(f"--fail-on {text!r}: {found}")
    if faults:
        raise LimitError("\n".join(faults))
    return tuple(limits)


def _limit(text: str, ids: Mapping[str, Sequence[str]]) -> Limit | str:
    """Read one limit; what is wrong with it if it is none."""
    found = PATTERN.fullmatch(text.strip())
    measure = read_measure(found["measure"]) if found else None
    if found is None or measure is None:
        return (
            "expected a measure, a comparison and a number; mend by writing for example "
            "'book.es99 > 250', 'book.el > 0.5%' or 'facility.ID.pd >= 50bp': el, var99, es99.9, "
            "pd and p(loss) of book or facility.ID, pd of sponsor.ID and counterparty.ID; "
            "comparisons > >= < <="
        )
    unit = found["unit"].casefold()
    if measure.is_probability and unit not in ("%", "bp"):
        return f"{measure.words} is a probability; mend by writing % or bp behind the number"
    if measure.scope != BOOK and measure.id not in ids.get(measure.scope, ()):
        known = list(ids.get(measure.scope, ()))
        if not known:
            return f"the study names no {measure.scope}; mend by leaving this limit out"
        near = did_you_mean(measure.id, known, f"choosing one of {', '.join(known)}")
        return f"no {measure.scope} {measure.id!r} in the study; mend by {near}"
    number = round(float(found["number"]) * UNITS[unit], 15)
    share = not measure.is_probability and unit in ("%", "bp")
    return Limit(measure, found["comparison"], number, share)


def check_limits(run: xr.Dataset, limits: Iterable[Limit | str]) -> list[Checked]:
    """Hold a run against limits.

    Parameters
    ----------
    run : Dataset
        A run.
    limits : iterable of Limit or str
        As `read_limits` returns them, or as they are written.

    Returns
    -------
    list of Checked
        `within_error` if the estimate lies no more than two standard errors from the limit; for a
        probability of 0 or 1, if the bound by the rule of three does not exclude the other side.

    Raises
    ------
    LimitError
        If expressions are wrong.
    """
    asked = list(limits)
    ids = {one: labels(run, one) for one in ENTITIES}
    read = iter(read_limits([one for one in asked if isinstance(one, str)], ids))
    draws = draws_of(run)
    return [_checked(run, next(read) if isinstance(one, str) else one, draws) for one in asked]


def _checked(run: xr.Dataset, limit: Limit, draws: float) -> Checked:
    """Hold a run against one limit."""
    estimate, rests_on = limit.measure.found(run, share=limit.share)
    value, se = estimate
    breached = math.isnan(value) or OPERATORS[limit.comparison](value, limit.number)
    reach = ERRORS * se
    if limit.measure.is_probability and value in (0.0, 1.0):
        reach = 3.0 / draws  # no event in n paths: at most 3/n
    near = not abs(value - limit.number) > reach  # an unknown error excludes nothing
    return Checked(limit, estimate, rests_on, draws, breached, near)
