"""Quantiles as order statistics, with density-free standard errors and intervals.

The standard error is Maritz and Jarrett's (1978): the exact standard deviation that the order
statistic has under the empirical law.  No density is estimated, so it stays meaningful where the
law has atoms, as loss distributions of few loans do.  Where paths share groups, n of them are
worth n/d independent ones, d the design effect of the count of paths beyond the quantile
(Woodruff 1952; Kish 1965).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, ndtr
from scipy.stats import binom

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import design_effect
from simulator.analytics.sample import (
    Groups,
    Vector,
    Weights,
    as_groups,
    as_vector,
    as_weights,
    check_level,
    rank_of,
)

STEADY = 1.5
"""How much larger than at the quantile the error of a weighted distribution function may be taken:
far from it weights may be so large that nothing is known, which says nothing about the quantile."""


def spread_of(points: Vector, masses: Vector) -> float:
    """Return the standard deviation of a discrete law, centred first so that nothing cancels."""
    mass = float(np.sum(masses))
    shifted = points - points[points.size // 2]
    average = float(np.sum(masses * shifted)) / mass
    return math.sqrt(float(np.sum(masses * (shifted - average) ** 2)) / mass)


def crossing_effect(values: Vector, point: float, groups: Groups | None) -> float:
    """Design effect of the count of paths beyond a quantile; the larger side of an atom there.

    Parameters
    ----------
    values : (n,) float64
        One number per path, in path order.
    point : float
        The quantile.
    groups : (n,) int64, optional
        Group of each path.

    Returns
    -------
    float
        1 without groups.
    """
    if groups is None:
        return 1.0
    sides = (values > point, values >= point)
    return float(np.max([design_effect(side.astype(np.float64), groups) for side in sides]))


def order_statistic_error(ordered: Vector, rank: int, effect: float = 1.0) -> float:
    """Maritz-Jarrett standard error of the order statistic of a rank.

    Parameters
    ----------
    ordered : (n,) float64
        Sample in ascending order.
    rank : int
        1-based rank k.
    effect : float
        Design effect d of the count of paths up to there.

    Returns
    -------
    float
        Zero if all order statistics that could take the place are tied.

    Notes
    -----
    Weight of x_(i): I(i/n; k/d, (n−k+1)/d) − I((i−1)/n; k/d, (n−k+1)/d), I the regularised
    incomplete beta function: its law has the mean of that of the order statistic of n independent
    paths and about d times its variance. Ranks so far from k that their weight is below 1e-12 are
    left out.
    """
    if math.isnan(effect):
        return math.nan
    n = ordered.size
    spread = math.sqrt(effect * rank * (n - rank + 1) / n)
    reach = math.ceil(14.0 * spread) + math.ceil(30.0 * effect)
    low, high = max(0, rank - reach), min(n, rank + reach)
    edges = betainc(rank / effect, (n - rank + 1) / effect, np.arange(low, high + 1) / n)
    return spread_of(ordered[low:high], np.diff(edges))


def interval_ranks(
    level: float, n: int, confidence: float = 0.95, effect: float = 1.0
) -> tuple[int, int]:
    """Ranks (l, u), 1-based, such that [X_(l), X_(u)) covers the quantile with `confidence`.

    Parameters
    ----------
    level : float
        Level of the quantile.
    n : int
        Number of paths.
    confidence : float
        Wanted coverage; the achieved one is at least that if paths are independent.
    effect : float
        Design effect d of the count of paths up to the quantile.

    Returns
    -------
    tuple of int
        The number B of losses up to the quantile is Binomial(n, level); l and u − 1 are the
        points that leave (1 − confidence)/2 on either side (David and Nagaraja 2003, §7.1).
        l = 0 or u = n + 1 say that the sample does not bound that side. With d > 1 the ranks are
        those of ⌊n/d⌋ paths, stretched to n and rounded outwards.

    Examples
    --------
    >>> interval_ranks(0.95, 1000)
    (936, 964)
    """
    if math.isnan(effect):
        return 0, n + 1
    outside = (1.0 - confidence) / 2.0
    size = n if effect == 1.0 else max(1, int(n / effect))
    law = binom(size, float(check_level(level)))
    low, high = int(law.ppf(outside)), int(law.ppf(1.0 - outside)) + 1
    return low * n // size, n + 1 if high > size else -(-high * n // size)


def quantile(values: ArrayLike, level: float, weights: Weights = None) -> Estimate:
    """Smallest x with P(X ≤ x) ≥ level, with its standard error.

    Parameters
    ----------
    values : array_like, (n_paths,)
        One number per path.
    level : float
        Between 0 and 1.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn. Weights are normalised by Σw here: a
        quantile from the body of a law has no side that they favour. `tail.value_at_risk` uses
        the right tail instead.

    Returns
    -------
    Estimate
    """
    x = as_vector(values)
    w, groups = as_weights(weights, x.size), as_groups(weights, x.size)
    if w is None:
        ordered = np.sort(x)
        rank = rank_of(level, x.size)
        point = float(ordered[rank - 1])
        effect = crossing_effect(x, point, groups)
        return Estimate(point, order_statistic_error(ordered, rank, effect))
    order = np.argsort(x, kind="stable")
    ordered, share = x[order], w[order] / np.sum(w)
    below, squares = np.cumsum(share), np.cumsum(share * share)
    index = min(int(np.searchsorted(below, level - 1e-12)), x.size - 1)
    variances = squares * (1.0 - 2.0 * below) + squares[-1] * below * below
    errors = np.sqrt(np.maximum(0.0, variances))  # of the distribution function at each point
    errors = np.minimum(errors, STEADY * errors[index])
    if groups is not None:
        terms = share * ((ordered <= ordered[index]) - below[index])
        errors = errors * math.sqrt(design_effect(terms, groups[order]))
    return Estimate(float(ordered[index]), crossing_error(ordered, below - level, errors))


def crossing_error(ordered: Vector, excess: Vector, error: Vector) -> float:
    """Return the error of the point where an estimated distribution function crosses a level.

    Parameters
    ----------
    ordered : (n,) float64
        Points in ascending order.
    excess : (n,) float64
        Estimated P(X ≤ x) − level at each point.
    error : (n,) float64
        Standard error of that estimate at each point.

    Returns
    -------
    float

    Notes
    -----
    The estimator lies at or below x when the estimated distribution function reaches the level
    at x, with probability Φ(excess/error): the Maritz-Jarrett idea with the normal law in place
    of the binomial, which weights do not have.
    """
    if np.isnan(error).any():
        return math.nan
    if not np.any(error):
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        certain = np.where(excess >= 0.0, np.inf, -np.inf)
        score = np.where(error > 0.0, excess / error, certain)
    reached = np.maximum.accumulate(ndtr(score))
    reached[-1] = 1.0
    masses = np.diff(reached, prepend=0.0)
    kept = masses > 0.0
    return spread_of(ordered[kept], masses[kept])
