"""Means, probabilities, ratios and paired differences over paths, each with its standard error.

Every sum runs over one contiguous vector in path order, so that the last bit does not depend on
how the paths were stored or computed.

Weights are likelihood ratios, whose mean is known to be 1.  Means use that knowledge: the weight is
a control variate, with the coefficient of least squares,

    (1/n) Σ w·x − β·((1/n) Σ w − 1),   β = Cov(w·x, w)/Var(w)

(Hesterberg 1995; Owen and Zhou 2000).  A constant comes out as itself, a mean over losses that the
weights favour keeps their gain, and the estimate is linear in x, so that parts add up to the whole.
Asymptotically its error is below that of (1/n) Σ w·x and of Σ w·x/Σ w; its bias is of order 1/n.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from simulator.analytics.estimate import Estimate
from simulator.analytics.sample import Groups, Vector, Weights, as_groups, as_vector, as_weights

Z95 = 1.959963984540054  # Φ⁻¹(0.975)

LEAST_EFFECT = 0.01
"""Smallest design effect that a spread over groups is believed to show."""


def total(values: Vector) -> float:
    """Sum over paths in path order (pairwise, so the rounding error stays near the last bit)."""
    return float(np.sum(np.ascontiguousarray(values)))


def standard_error(terms: Vector, groups: Groups | None = None) -> float:
    """Error of a mean of terms.

    Parameters
    ----------
    terms : (n,) float64
        One per path, in path order.
    groups : (n,) int64, optional
        Group of each term; terms of different groups are independent.

    Returns
    -------
    float
        sd/√n without groups, else √(K/(K−1)·Σ_k R_k²)/n, with R_k the sum over group k of
        deviations from the mean and K groups. Groups may differ in size. NaN for a single path
        or group.

    Notes
    -----
    Liang and Zeger (1986); with groups of unequal size the mean is a ratio of two sums over
    groups, and this its linearised error.
    """
    n = terms.size
    if n < 2:
        return math.nan
    residuals = terms - total(terms) / n
    if groups is None:
        return math.sqrt(total(residuals * residuals) / (n - 1) / n)
    sums = group_sums(residuals, groups)
    if sums.size < 2:
        return math.nan
    return math.sqrt(total(sums * sums) * sums.size / (sums.size - 1)) / n


def group_sums(terms: Vector, groups: Groups) -> Vector:
    """Sum of the terms of each group that occurs, by number of the group."""
    sums = np.asarray(np.bincount(groups, weights=terms), dtype=np.float64)
    return sums[np.bincount(groups) > 0]


def design_effect(terms: Vector, groups: Groups | None) -> float:
    """How much the variance of a mean exceeds that of as many independent terms (Kish 1965).

    Returns
    -------
    float
        1 without groups. Above 1 where what a group shares makes its paths alike; below 1 where
        a group is spread evenly on purpose (quasi-random and stratified sampling), and by chance;
        never below `LEAST_EFFECT`. NaN for a single group.
    """
    plain = standard_error(terms)
    if groups is None or not plain > 0.0:
        return 1.0
    return float(np.maximum(LEAST_EFFECT, (standard_error(terms, groups) / plain) ** 2))


def mean(values: ArrayLike, weights: Weights = None) -> Estimate:
    """Mean over paths.

    Parameters
    ----------
    values : array_like, (n_paths,)
        One number per path.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn: of all paths, so that they average about 1.

    Returns
    -------
    Estimate
        With the `standard_error` of its terms, see `terms_of`.
    """
    x = as_vector(values)
    w, groups = as_weights(weights, x.size), as_groups(weights, x.size)
    terms = x if w is None else terms_of(x, w)
    return Estimate(total(terms) / x.size, standard_error(terms, groups))


def terms_of(values: Vector, weights: Vector) -> Vector:
    """Return w·x − β·(w − 1), the terms whose mean estimates that of x under the law in question.

    Parameters
    ----------
    values : (n,) float64
        One number per path.
    weights : (n,) float64
        Likelihood ratios; if they do not vary there is nothing to correct.
    """
    terms = weights * values
    spread = weights - total(weights) / weights.size
    scale = total(spread * spread)
    if scale <= 1e-20 * weights.size:
        return terms
    slope = total(spread * terms) / scale
    return np.asarray(terms - slope * (weights - 1.0))


def counted(event: ArrayLike, weights: Weights = None) -> float:
    """Count the independent paths on which an event happens.

    Returns
    -------
    float
        Unequal weights count as Kish's (Σw)²/Σw² equal ones, groups as what the design effect of
        the event leaves of them, at most all paths; 0 if it cannot be told.
    """
    indicator = as_vector(np.asarray(event, dtype=np.float64), "event")
    w, groups = as_weights(weights, indicator.size), as_groups(weights, indicator.size)
    terms = indicator if w is None else w * indicator
    if not terms.any():
        return 0.0
    count = total(terms) ** 2 / total(terms * terms)
    effect = design_effect(terms, groups)
    return 0.0 if math.isnan(effect) else count / max(1.0, effect)


def plainly_drawn(weights: Weights, n: int) -> bool:
    """Whether paths are independent and carry no weights, so that counts of them are binomial."""
    return as_weights(weights, n) is None and as_groups(weights, n) is None


def probability(event: ArrayLike, weights: Weights = None) -> Estimate:
    """Share of paths with an event.

    Parameters
    ----------
    event : array_like of bool, (n_paths,)
        Whether it happened.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    Estimate
        With the binomial SE √(p(1−p)/n); with weights or groups that of `mean`, the value kept
        within 0 and 1. Exactly 0 or 1, without error, if it happened on none or all of the paths
        that count.
    """
    indicator = as_vector(np.asarray(event, dtype=np.float64), "event")
    n = indicator.size
    if plainly_drawn(weights, n):
        p = total(indicator) / n
        return Estimate(p, math.sqrt(p * (1.0 - p) / n))
    w = as_weights(weights, n)
    seen = indicator if w is None else indicator[w > 0.0]
    if not seen.size or seen.min() == seen.max():
        return Estimate(float(seen[0]) if seen.size else math.nan, 0.0)
    p, se = mean(indicator, weights)
    return Estimate(min(1.0, max(0.0, p)), se)


def probability_interval(
    p: Estimate, n: float, *, quantile: float = Z95, weighted: bool = False
) -> tuple[float, float]:
    """Wilson's interval of a probability; by the rule of three where no event was seen.

    Parameters
    ----------
    p : Estimate
        Share of paths with its standard error.
    n : float
        Number of independent draws, `sample.independent_draws`: of paths, or groups of them.
    quantile : float
        Normal quantile of the interval, 1.96 for 95%.
    weighted : bool
        Whether `p` came from paths that carry weights or share groups. Then n is replaced by the
        number of plain paths that would have given the same error, p(1−p)/se².

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


def ratio(numerator: ArrayLike, denominator: ArrayLike, weights: Weights = None) -> Estimate:
    """Ratio of two means over the same paths, e.g. loss given default = ΣLoss/ΣEAD.

    Parameters
    ----------
    numerator, denominator : array_like, (n_paths,)
        Both zero on paths that do not count.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    Estimate
        NaN with NaN error if the denominator is zero on every path.

    Notes
    -----
    Delta method: se = se(x − R·y)/mean(y), sd/√n without groups.
    """
    x, y = as_vector(numerator, "numerator"), as_vector(denominator, "denominator")
    if x.size != y.size:
        raise ValueError(f"ratio: {x.size} numerators for {y.size} denominators")
    w, groups = as_weights(weights, x.size), as_groups(weights, x.size)
    if w is not None:
        x, y = w * x, w * y
    below = total(y)
    if below == 0.0:
        return Estimate(math.nan, math.nan)
    value = total(x) / below
    return Estimate(value, standard_error(x - value * y, groups) * x.size / abs(below))


def mean_difference(
    values: ArrayLike,
    baseline: ArrayLike,
    weights: Weights = None,
    baseline_weights: Weights = None,
) -> Estimate:
    """Mean of `values` less mean of `baseline`, both on the same paths, with the paired error.

    Parameters
    ----------
    values, baseline : array_like, (n_paths,)
        One number per path of each.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.
    baseline_weights : array_like, (n_paths,), or Design, optional
        Those of the baseline if it was drawn from another proposal, `Design()` if plainly; else
        the same.

    Returns
    -------
    Estimate
        Under common random numbers the error is that of the difference path by path, far below
        what the errors of the two levels would suggest.
    """
    x, y = as_vector(values), as_vector(baseline, "baseline")
    if x.size != y.size:
        raise ValueError(f"paired difference: {x.size} paths against {y.size}")
    if baseline_weights is None:
        return mean(x - y, weights)
    one, other = as_weights(weights, x.size), as_weights(baseline_weights, x.size)
    terms = x if one is None else terms_of(x, one)
    terms = terms - (y if other is None else terms_of(y, other))
    return Estimate(total(terms) / x.size, standard_error(terms, as_groups(weights, x.size)))
