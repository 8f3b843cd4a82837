"""Value at risk and expected shortfall of a loss sample, with standard errors.

    VaR_a = smallest x with P(L ≤ x) ≥ a
    ES_a  = [E(L; L > VaR) + VaR·(1 − a − P(L > VaR))]/(1 − a) = VaR + E(L − VaR)⁺/(1 − a)

The second form of ES (Rockafellar and Uryasev 2002) splits an atom at VaR by itself.

With weights (likelihood ratios) both use the *right tail*: P(L > x) = (1/n) Σ w·1(L > x), not
divided by Σw.  That is the estimator whose error importance sampling of large losses cuts
(Glynn 1996; Hong, Hu and Liu 2014); normalised weights would lose most of the gain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import total
from simulator.analytics.quantiles import crossing_error, interval_ranks, order_statistic_error
from simulator.analytics.sample import Vector, as_vector, as_weights, rank_of, tail_mass

LEVELS = (0.95, 0.99, 0.995, 0.999)


class TailRisk(NamedTuple):
    """VaR and ES at several levels, each array (level,) in the unit of the losses."""

    var: Vector
    var_se: Vector
    es: Vector
    es_se: Vector


def unknown(levels: int) -> TailRisk:
    """Return a result that is NaN at every level, for a quantity that is not defined."""
    nothing = np.full(levels, np.nan)
    return TailRisk(nothing, nothing, nothing, nothing)


class RightTail(NamedTuple):
    """Weighted losses in ascending order with the estimated mass above each."""

    ordered: Vector
    above: Vector  # (1/n) Σ w·1(L > x)
    errors: Vector  # standard error of it


def _right_tail(losses: Vector, weights: Vector) -> RightTail:
    """Mass above each loss; the last of several tied losses carries the right value."""
    n = losses.size
    order = np.argsort(losses, kind="stable")
    w = weights[order]
    above = (np.cumsum(w[::-1])[::-1] - w) / n
    squares = (np.cumsum((w * w)[::-1])[::-1] - w * w) / n
    above[-1] = squares[-1] = 0.0
    return RightTail(losses[order], above, np.sqrt(np.maximum(0.0, squares - above * above) / n))


def _first_within(tail: RightTail, mass: float) -> int:
    """Index of the smallest loss with at most `mass` above it."""
    return int(np.argmax(tail.above <= mass * (1.0 + 1e-12)))


def _mass_error(tail: RightTail, mass: float) -> float:
    """Return the standard error of the mass above VaR; of the loss below if VaR is last."""
    index = _first_within(tail, mass)
    return float(np.max(tail.errors[max(0, index - 1) : index + 1]))


def _crossing_error(tail: RightTail, mass: float) -> float:
    """Return the standard error of the loss with `mass` above it."""
    return crossing_error(tail.ordered, mass - tail.above, _mass_error(tail, mass))


def _shortfall(losses: Vector, weights: Vector | None, var: float, mass: float) -> Estimate:
    """ES around a given VaR, with the error of its influence function VaR + (L − VaR)⁺/(1 − a)."""
    excess = _excess(losses, var, mass, weights)
    beyond = np.sort(excess[excess > 0.0])  # the same sum for any order of the paths
    return Estimate(var + total(beyond) / losses.size, _plug_in_error(excess))


def _excess(losses: Vector, var: float, mass: float, weights: Vector | None) -> Vector:
    """(L − VaR)⁺/(1 − a), times the weight: the influence function of ES but for a constant."""
    excess = np.maximum(losses - var, 0.0) / mass
    return excess if weights is None else weights * excess


def _plug_in_error(terms: Vector) -> float:
    """sd/√n with the sd of the empirical law (divisor n, as VaR is itself a plug-in)."""
    return float(np.std(terms)) / math.sqrt(terms.size)


def tail_risk(
    losses: ArrayLike, levels: Sequence[float] = LEVELS, weights: ArrayLike | None = None
) -> TailRisk:
    """VaR and ES at several levels from one sort.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path, gains negative.
    levels : sequence of float
        Confidence levels, e.g. 0.99.
    weights : array_like, (n_paths,), optional
        Likelihood ratios.

    Returns
    -------
    TailRisk
        VaR errors are Maritz-Jarrett's (density-free, from order statistics); ES errors are
        sd(VaR + (L − VaR)⁺/(1 − a))/√n. Both need some twenty paths beyond the level to be
        trusted.
    """
    x = as_vector(losses, "losses")
    w = as_weights(weights, x.size)
    if w is None:
        ordered = np.sort(x)
        ranks = [rank_of(level, x.size) for level in levels]
        vars_ = [Estimate(float(ordered[k - 1]), order_statistic_error(ordered, k)) for k in ranks]
    else:
        tail = _right_tail(x, w)
        vars_ = [
            Estimate(
                float(tail.ordered[_first_within(tail, tail_mass(level))]),
                _crossing_error(tail, tail_mass(level)),
            )
            for level in levels
        ]
    shortfalls = [
        _shortfall(x, w, var.value, tail_mass(level))
        for var, level in zip(vars_, levels, strict=True)
    ]
    pairs = np.array([[*v, *s] for v, s in zip(vars_, shortfalls, strict=True)]).reshape(-1, 4)
    return TailRisk(*(np.ascontiguousarray(column) for column in pairs.T))


def value_at_risk(losses: ArrayLike, level: float, weights: ArrayLike | None = None) -> Estimate:
    """VaR at one level; see `tail_risk`."""
    result = tail_risk(losses, [level], weights)
    return Estimate(float(result.var[0]), float(result.var_se[0]))


def expected_shortfall(
    losses: ArrayLike, level: float, weights: ArrayLike | None = None
) -> Estimate:
    """ES at one level; see `tail_risk`."""
    result = tail_risk(losses, [level], weights)
    return Estimate(float(result.es[0]), float(result.es_se[0]))


def value_at_risk_interval(
    losses: ArrayLike, level: float, confidence: float = 0.95, weights: ArrayLike | None = None
) -> tuple[float, float]:
    """Distribution-free confidence interval of VaR.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path.
    level, confidence : float
        Level of VaR, wanted coverage.
    weights : array_like, (n_paths,), optional
        Likelihood ratios.

    Returns
    -------
    tuple of float
        Order statistics of `quantiles.interval_ranks`, infinite where the sample gives no bound.
        With weights Woodruff's (1952) interval: where the mass above crosses 1 − a ± z·se.
    """
    x = as_vector(losses, "losses")
    w = as_weights(weights, x.size)
    if w is None:
        ordered = np.sort(x)
        low, high = interval_ranks(level, x.size, confidence)
        return (
            float(ordered[low - 1]) if low >= 1 else -np.inf,
            float(ordered[high - 1]) if high <= x.size else np.inf,
        )
    tail = _right_tail(x, w)
    mass = tail_mass(level)
    reach = float(ndtri(0.5 + confidence / 2.0)) * _mass_error(tail, mass)
    low = _first_within(tail, mass + reach)
    if mass - reach <= 0.0:
        return float(tail.ordered[low]), np.inf
    return float(tail.ordered[low]), float(tail.ordered[_first_within(tail, mass - reach)])


def shortfall_difference(
    losses: ArrayLike, baseline: ArrayLike, level: float, weights: ArrayLike | None = None
) -> Estimate:
    """ES of `losses` less ES of `baseline` on the same paths, with the paired error.

    Parameters
    ----------
    losses, baseline : array_like, (n_paths,)
        Loss per path of two studies under common random numbers.
    level : float
        Confidence level.
    weights : array_like, (n_paths,), optional
        Likelihood ratios, the same for both.

    Returns
    -------
    Estimate
        Error: sd of the difference of the two influence functions, over √n.
    """
    x, y = as_vector(losses, "losses"), as_vector(baseline, "baseline")
    if x.size != y.size:
        raise ValueError(f"paired difference: {x.size} paths against {y.size}")
    w = as_weights(weights, x.size)
    mass = tail_mass(level)
    var_x = float(tail_risk(x, [level], w).var[0])
    var_y = float(tail_risk(y, [level], w).var[0])
    difference = _excess(x, var_x, mass, w) - _excess(y, var_y, mass, w)
    value = _shortfall(x, w, var_x, mass).value - _shortfall(y, w, var_y, mass).value
    return Estimate(value, _plug_in_error(difference))
