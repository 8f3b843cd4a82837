"""Means, probabilities, ratios and paired differences over paths, each with its standard error.

Every sum runs over one contiguous vector in path order, so that the last bit does not depend on
how the paths were stored or computed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from simulator.analytics.estimate import Estimate
from simulator.analytics.sample import Vector, as_vector, as_weights

Z95 = 1.959963984540054  # Φ⁻¹(0.975)


def total(values: Vector) -> float:
    """Sum over paths in path order (pairwise, so the rounding error stays near the last bit)."""
    return float(np.sum(np.ascontiguousarray(values)))


def standard_error(terms: Vector) -> float:
    """Return sd/√n, the error of the mean of independent terms; NaN for a single path."""
    n = terms.size
    if n < 2:
        return math.nan
    residuals = terms - total(terms) / n
    return math.sqrt(total(residuals * residuals) / (n - 1) / n)


def mean(
    values: ArrayLike, weights: ArrayLike | None = None, *, normalise: bool = False
) -> Estimate:
    """Mean over paths.

    Parameters
    ----------
    values : array_like, (n_paths,)
        One number per path.
    weights : array_like, (n_paths,), optional
        Likelihood ratios.
    normalise : bool
        Divide by Σw instead of n. Better for quantities of ordinary size on every path (profits);
        worse for losses, which the weights favour. The default is unbiased.

    Returns
    -------
    Estimate
        With SE sd/√n, of w·x, or of w·(x − mean) if normalised.
    """
    x = as_vector(values)
    w = as_weights(weights, x.size)
    if w is None:
        return Estimate(total(x) / x.size, standard_error(x))
    if normalise:
        average = total(w * x) / total(w)
        return Estimate(average, standard_error(w * (x - average)) * x.size / total(w))
    terms = w * x
    return Estimate(total(terms) / x.size, standard_error(terms))


def probability(event: ArrayLike, weights: ArrayLike | None = None) -> Estimate:
    """Share of paths with an event.

    Parameters
    ----------
    event : array_like of bool, (n_paths,)
        Whether it happened.
    weights : array_like, (n_paths,), optional
        Likelihood ratios.

    Returns
    -------
    Estimate
        With the binomial SE √(p(1−p)/n); with weights, sd(w·1)/√n.
    """
    indicator = as_vector(np.asarray(event, dtype=np.float64), "event")
    if as_weights(weights, indicator.size) is not None:
        return mean(indicator, weights)
    p = total(indicator) / indicator.size
    return Estimate(p, math.sqrt(p * (1.0 - p) / indicator.size))


def probability_interval(
    p: Estimate, n: int, *, quantile: float = Z95, weighted: bool = False
) -> tuple[float, float]:
    """Wilson's interval of a probability; by the rule of three where no event was seen.

    Parameters
    ----------
    p : Estimate
        Share of paths with its standard error.
    n : int
        Number of paths.
    quantile : float
        Normal quantile of the interval, 1.96 for 95%.
    weighted : bool
        Whether `p` came from weighted paths. Then n is replaced by the number of plain paths
        that would have given the same error, p(1−p)/se².

    Returns
    -------
    tuple of float
        Lower and upper end, within 0 and 1.

    Notes
    -----
    Wilson (1927). At p = 0 the upper end is 3/n (the 95% bound of n trials without an event).
    """
    if p.value <= 0.0:
        return 0.0, min(1.0, 3.0 / n)
    if p.value >= 1.0:
        return max(0.0, 1.0 - 3.0 / n), 1.0
    size = p.value * (1.0 - p.value) / p.se**2 if weighted and p.se > 0.0 else float(n)
    z2 = quantile**2 / size
    centre = (p.value + z2 / 2.0) / (1.0 + z2)
    half = quantile / (1.0 + z2) * math.sqrt(p.value * (1.0 - p.value) / size + z2 / (4.0 * size))
    return max(0.0, centre - half), min(1.0, centre + half)


def ratio(
    numerator: ArrayLike, denominator: ArrayLike, weights: ArrayLike | None = None
) -> Estimate:
    """Ratio of two means over the same paths, e.g. loss given default = ΣLoss/ΣEAD.

    Parameters
    ----------
    numerator, denominator : array_like, (n_paths,)
        Both zero on paths that do not count.
    weights : array_like, (n_paths,), optional
        Likelihood ratios.

    Returns
    -------
    Estimate
        NaN with NaN error if the denominator is zero on every path.

    Notes
    -----
    Delta method: se = sd(x − R·y)/(√n·mean(y)).
    """
    x, y = as_vector(numerator, "numerator"), as_vector(denominator, "denominator")
    if x.size != y.size:
        raise ValueError(f"ratio: {x.size} numerators for {y.size} denominators")
    w = as_weights(weights, x.size)
    if w is not None:
        x, y = w * x, w * y
    below = total(y)
    if below == 0.0:
        return Estimate(math.nan, math.nan)
    value = total(x) / below
    return Estimate(value, standard_error(x - value * y) * x.size / abs(below))


def mean_difference(
    values: ArrayLike, baseline: ArrayLike, weights: ArrayLike | None = None
) -> Estimate:
    """Mean of `values` less mean of `baseline`, both on the same paths, with the paired error.

    Under common random numbers the error is that of the difference path by path, far below
    what the errors of the two levels would suggest.
    """
    x, y = as_vector(values), as_vector(baseline, "baseline")
    if x.size != y.size:
        raise ValueError(f"paired difference: {x.size} paths against {y.size}")
    return mean(x - y, weights)
