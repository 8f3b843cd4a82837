"""The measure that is held under a target, and how well a run knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import (
    Z95,
    mean,
    plainly_drawn,
    probability,
    probability_interval,
)
from simulator.analytics.sample import Design, Vector, independent_draws
from simulator.sizing.levers import SizingError

__all__ = ["Measured", "Target", "parse_target"]

SPELLINGS: Final = {"p(loss)": "P(loss)", "el": "EL", "expected loss": "EL"}
PATTERN: Final = re.compile(
    r"(?P<name>[^<]+?)\s*<=?\s*(?P<number>[\d.]+(?:e-?\d+)?)\s*(?P<unit>%|bp|)"
)
UNITS: Final = {"%": 1e-2, "bp": 1e-4, "": 1.0}


class Measured(NamedTuple):
    """A measure with its error and the ends of its 95% interval."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be kept: ``measure <= limit``.

    Parameters
    ----------
    measure
        ``P(loss)`` or ``EL``.
    limit
        Fraction, above 0 and below 1.
    """

    measure: str
    limit: float

    def __str__(self) -> str:
        """Return the target as it is written."""
        return f"{self.measure} <= {100.0 * self.limit:.6g}%"

    def terms(self, share: Vector) -> Vector:
        """Return what the measure averages; `share` (path,) is the loss over what is lent."""
        return np.asarray(share > 0.0, dtype=np.float64) if self.measure == "P(loss)" else share

    def measured(self, terms: Vector, weights: Design | None) -> Measured:
        """Return the mean of `terms` and how far it may be off.

        Notes
        -----
        P(loss) has Wilson's interval, EL the value ± 1.96 errors. Where no path loses anything
        both end at 3/n, the bound by the rule of three (a loss is at most all that is lent).
        """
        if self.measure == "P(loss)":
            found = probability(terms > 0.0, weights)
        else:
            found = mean(terms, weights)
        draws = independent_draws(weights, terms.size)
        if self.measure == "P(loss)" or found.value == 0.0:
            plain = plainly_drawn(weights, terms.size)
            low, high = probability_interval(found, draws, weighted=not plain)
        else:
            low, high = _around(found)
        return Measured(found.value, found.se, low, high)


def _around(found: Estimate) -> tuple[float, float]:
    half = Z95 * found.se
    return max(0.0, found.value - half), found.value + half


def parse_target(text: str) -> Target:
    """Read a target.

    Examples
    --------
    >>> print(parse_target("P(loss) <= 1%"), "and", parse_target("expected loss <= 25bp"))
    P(loss) <= 1% and EL <= 0.25%
    """
    found = PATTERN.fullmatch(text.strip())
    name = SPELLINGS.get(" ".join(found["name"].split()).casefold()) if found else None
    try:
        limit = float(found["number"]) * UNITS[found["unit"]] if found else 0.0
    except ValueError:
        limit = 0.0
    if name is None or not 0.0 < limit < 1.0:
        raise SizingError(
            f"--target: expected P(loss) or EL at most a share above 0 and below 1, got {text!r}; "
            "mend by writing for example 'P(loss) <= 1%' or 'EL <= 25bp'"
        )
    return Target(name, limit)
