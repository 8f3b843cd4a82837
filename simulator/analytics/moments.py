"""Standard deviation, skewness and kurtosis over paths, each with its standard error.

With x centred, m_k its k-th central moment and y = x/sd, the influence of a path is (delta method)

    sd          sd·(y² − 1)/2
    skewness    y³ − 3y − γ − 3γ(y² − 1)/2
    kurtosis    y⁴ − 4γy − κ − 2κ(y² − 1)

and the error that of a mean of these terms (Cramér 1946, §27.7).  Kurtosis is m₄/m₂², 3 for a
normal law; no correction for the size of the sample.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import standard_error, total
from simulator.analytics.sample import Vector, Weights, as_groups, as_vector, as_weights

__all__ = ["kurtosis", "moment_terms", "skewness", "standard_deviation", "variance_error"]


def standard_deviation(values: ArrayLike, weights: Weights = None) -> Estimate:
    """Estimate the standard deviation of a quantity over paths.

    Parameters
    ----------
    values : array_like, (n_paths,)
        One number per path.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    Estimate
        With divisor n; 0 with error 0 if the quantity is the same on all paths.
    """
    return of_terms(*moment_terms(values, 2, weights), weights)


def skewness(values: ArrayLike, weights: Weights = None) -> Estimate:
    """Estimate the skewness; as `standard_deviation`, but NaN where that is 0."""
    return of_terms(*moment_terms(values, 3, weights), weights)


def kurtosis(values: ArrayLike, weights: Weights = None) -> Estimate:
    """Estimate the kurtosis, not its excess over 3; as `skewness`."""
    return of_terms(*moment_terms(values, 4, weights), weights)


def moment_terms(values: ArrayLike, order: int, weights: Weights = None) -> tuple[float, Vector]:
    """Return sd, skewness or kurtosis (order 2, 3, 4) and the influence of each path on it."""
    y, w, sd = standardised(values, weights)
    square = y * y - 1.0
    if order == 2:
        return sd, w * (0.5 * sd * square)
    if sd == 0.0:
        return math.nan, np.full(y.size, math.nan)
    third = total(w * y**3) / y.size
    if order == 3:
        return third, w * (y**3 - 3.0 * y - third - 1.5 * third * square)
    fourth = total(w * y**4) / y.size
    return fourth, w * (y**4 - 4.0 * third * y - fourth - 2.0 * fourth * square)


def standardised(values: ArrayLike, weights: Weights) -> tuple[Vector, Vector, float]:
    """Return values less their mean over their sd, likelihood ratios (1 if plain), and the sd.

    Ratios are normalised here: moments are shapes of the whole law, which has no side that the
    weights favour.
    """
    x = as_vector(values)
    ratios = as_weights(weights, x.size)
    w = np.ones(x.size) if ratios is None else ratios * (x.size / total(ratios))
    centred = x - total(w * x) / x.size
    sd = math.sqrt(total(w * centred * centred) / x.size)
    return (centred / sd if sd > 0.0 else np.zeros(x.size)), w, sd


def of_terms(value: float, terms: Vector, weights: Weights) -> Estimate:
    """Return an estimate with the error of the mean of its influences."""
    return Estimate(value, standard_error(terms, as_groups(weights, terms.size)))


def variance_error(terms: ArrayLike) -> float:
    """Relative error of the estimated variance of a mean of terms: √((κ − 1)/n).

    An error estimated from few paths that matter is not known well, nor is the score that it
    scales: 0.2 for a probability of which 25 events were seen. Infinite if all terms are alike.
    """
    y, _, sd = standardised(terms, None)
    return math.sqrt(max(0.0, total(y**4) / y.size - 1.0) / y.size) if sd > 0.0 else math.inf
