"""Estimates as cases give them: left out where too few paths bear them for an error to be known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analytics import Estimate, mean, probability
from simulator.analytics.estimators import standard_error
from simulator.analytics.moments import moment_terms, variance_error
from simulator.analytics.sample import tail_mass
from simulator.analytics.tail import tail_risk

__all__ = [
    "MOST_UNSURE",
    "given",
    "mean_of",
    "moment_of",
    "share_of",
    "shortfall_of",
    "tails_of",
    "value_of",
]

MOST_UNSURE: Final = 0.2
"""Relative error of the estimated variance beyond which an estimate is not given.

Then its score is far from normal: 25 events of a probability, or 150 losses beyond the quantile of
an expected shortfall with an exponential tail.
"""

Vector = NDArray[np.float64]


def given(estimate: Estimate, terms: ArrayLike) -> Estimate:
    """Return an estimate, its error NaN (not given) if the terms behind it do not show it well."""
    sure = np.ptp(np.asarray(terms, dtype=float)) > 0.0 and variance_error(terms) <= MOST_UNSURE
    return estimate if sure else Estimate(estimate.value, math.nan)


def mean_of(values: ArrayLike) -> Estimate:
    """Estimate a mean."""
    return given(mean(values), values)


def share_of(event: ArrayLike) -> Estimate:
    """Estimate a probability."""
    return given(probability(event), np.asarray(event, dtype=float))


def moment_of(values: ArrayLike, order: int) -> Estimate:
    """Estimate sd, skewness or kurtosis: order 2, 3, 4."""
    value, terms = moment_terms(values, order)
    return given(Estimate(value, standard_error(terms)), terms)


def tails_of(losses: Vector, levels: Sequence[float]) -> dict[float, tuple[Estimate, Estimate]]:
    """Estimate value at risk and expected shortfall at several levels."""
    tail = tail_risk(losses, levels)
    found = {}
    for place, level in enumerate(levels):
        var = Estimate(float(tail.var[place]), float(tail.var_se[place]))
        excess = np.maximum(losses - var.value, 0.0) / tail_mass(level)
        es = Estimate(float(tail.es[place]), float(tail.es_se[place]))
        found[level] = given(var, excess > 0.0), given(es, excess)
    return found


def value_of(losses: Vector, level: float) -> Estimate:
    """Estimate a value at risk."""
    return tails_of(losses, [level])[level][0]


def shortfall_of(losses: Vector, level: float) -> Estimate:
    """Estimate an expected shortfall."""
    return tails_of(losses, [level])[level][1]
