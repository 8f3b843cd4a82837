"""Estimates as cases give them: left out where too few paths bear them for an error to be known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analytics import Estimate, mean, probability
from simulator.analytics.estimators import standard_error
from simulator.analytics.moments import moment_terms, variance_error
from simulator.analytics.sample import tail_mass
from simulator.analytics.tail import tail_risk
from simulator.analytics.variance import jackknife_error

__all__ = [
    "MOST_UNSURE",
    "covariance_of",
    "given",
    "given_by_groups",
    "mean_of",
    "moment_of",
    "share_of",
    "shortfall_of",
    "tails_of",
    "value_of",
    "variance_of",
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


def variance_of(values: ArrayLike) -> Estimate:
    """Estimate a variance."""
    x = np.asarray(values, dtype=float)
    squares = (x - x.mean()) ** 2
    return mean_of(squares * x.size / (x.size - 1.0))


def covariance_of(values: ArrayLike, others: ArrayLike) -> Estimate:
    """Estimate a covariance."""
    x, y = (np.asarray(one, dtype=float) for one in (values, others))
    return mean_of((x - x.mean()) * (y - y.mean()) * x.size / (x.size - 1.0))


GROUPS: Final = 100
"""Parts of a sample that the jackknife leaves out in turn."""


def given_by_groups(statistic: Callable[..., float], *samples: Vector) -> Estimate:
    """Estimate a function of samples on the same paths, its error by the jackknife over groups."""
    size = samples[0].size // GROUPS
    cut = [one[: size * GROUPS].reshape(GROUPS, size) for one in samples]
    kept = ~np.eye(GROUPS, dtype=bool)
    left_out = [statistic(*(one[rows].ravel() for one in cut)) for rows in kept]
    return Estimate(statistic(*samples), jackknife_error(np.array(left_out)))
