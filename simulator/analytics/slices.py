"""Means over a slice of the paths, from the best to the worst, with the error of its ends.

The slice of ranks l to u of a quantity C has ends that are themselves estimated.  Its mean

    M = E(X; q_l < C ≤ q_u)/(u − l)

has the influence function, but for a constant,

    [X·1(q_l < C ≤ q_u) − E(X | C = q_u)·1(C ≤ q_u) + E(X | C = q_l)·1(C ≤ q_l)]/(u − l)

in which the end at 0 or 1 drops out.  For X = C and u = 1 it is that of expected shortfall.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.analytics.contributions import nearest
from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import standard_error, total
from simulator.analytics.sample import Vector, Weights, as_groups, as_weights


def ranks_of(values: Vector, weights: Weights = None) -> Vector:
    """Return the rank of each path between 0 and 1, by weight; ties stand in path order."""
    ratios = as_weights(weights, values.size)
    order = np.argsort(values, kind="stable")
    mass = np.ones(values.size) if ratios is None else ratios[order]
    rank = np.empty(values.size)
    rank[order] = (np.cumsum(mass) - 0.5 * mass) / float(np.sum(mass))
    return rank


def slice_mean(
    values: Vector, ranked: Vector, lower: float, upper: float, weights: Weights = None
) -> Estimate:
    """Mean of a quantity over the paths of some ranks of another.

    Parameters
    ----------
    values : (n_paths,) float64
        What is averaged.
    ranked : (n_paths,) float64
        What paths are ranked by.
    lower, upper : float
        Ends of the slice, between 0 and 1.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    Estimate
        NaN if no path lies in the slice. The conditional means at the ends are those of the paths
        nearest in rank, a fifth as many as lie in the slice, at least 25.
    """
    n = values.size
    ratios, groups = as_weights(weights, n), as_groups(weights, n)
    w = np.ones(n) if ratios is None else ratios
    rank = ranks_of(ranked, weights)
    inside = (rank >= lower) & (rank < upper) & (w > 0.0)
    if not inside.any():
        return Estimate(math.nan, math.nan)
    value = total(w * values * inside) / total(w * inside)
    effect = values * inside
    for end, sign in ((upper, -1.0), (lower, 1.0)):
        below = rank < end
        if not below.any() or below.all():
            continue
        last = float(np.max(ranked[below & (w > 0.0)], initial=-np.inf))
        if not math.isfinite(last):
            continue
        near = nearest(ranked, last, max(25, int(np.count_nonzero(inside)) // 5), w > 0.0)
        effect = effect + sign * below * (total(w[near] * values[near]) / total(w[near]))
    effect = effect / (upper - lower)
    terms = w * (effect - total(w * effect) / total(w))
    return Estimate(value, standard_error(terms, groups) * n / total(w))
