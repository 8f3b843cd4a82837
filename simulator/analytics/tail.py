"""Value at risk and expected shortfall of a loss sample, with standard errors.

    VaR_a = smallest x with P(L ≤ x) ≥ a
    ES_a  = [E(L; L > VaR) + VaR·(1 − a − P(L > VaR))]/(1 − a) = VaR + E(L − VaR)⁺/(1 − a)

The second form of ES (Rockafellar and Uryasev 2002) splits an atom at VaR by itself.

With weights (likelihood ratios) both use the *right tail*: P(L > x) = (1/n) Σ w·1(L > x), not
divided by Σw.  That is the estimator whose error importance sampling of large losses cuts
(Glynn 1996; Hong, Hu and Liu 2014); normalised weights would lose most of the gain.

How many paths such a number rests on says `tail_count`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import counted, design_effect, standard_error, total
from simulator.analytics.quantiles import (
    STEADY,
    crossing_effect,
    crossing_error,
    interval_ranks,
    order_statistic_error,
)
from simulator.analytics.sample import (
    Groups,
    Vector,
    Weights,
    as_groups,
    as_vector,
    as_weights,
    rank_of,
    tail_mass,
)

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


class Losses(NamedTuple):
    """A checked sample; arrays (path,)."""

    values: Vector
    weights: Vector | None  # likelihood ratios
    groups: Groups | None


def _sample(losses: ArrayLike, weights: Weights) -> Losses:
    """Check losses and how they were drawn."""
    x = as_vector(losses, "losses")
    return Losses(x, as_weights(weights, x.size), as_groups(weights, x.size))


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


def _mass_effect(tail: RightTail, index: int, losses: Losses) -> float:
    """Return the design effect of the mass above VaR, which stands at `index`."""
    if losses.groups is None or losses.weights is None:
        return 1.0
    beyond = losses.weights * (losses.values > tail.ordered[max(0, index - 1)])
    return design_effect(beyond, losses.groups)


def _mass_error(tail: RightTail, mass: float, losses: Losses) -> float:
    """Return the standard error of the mass above VaR; of the loss below if VaR is last."""
    index = _first_within(tail, mass)
    plain = float(np.max(tail.errors[max(0, index - 1) : index + 1]))
    return plain * math.sqrt(_mass_effect(tail, index, losses))


def _value_at_risk(losses: Losses, levels: Sequence[float]) -> list[Estimate]:
    """VaR at several levels from one sort."""
    x, n = losses.values, losses.values.size
    if losses.weights is None:
        ordered = np.sort(x)
        found = []
        for level in levels:
            rank = rank_of(level, n)
            point = float(ordered[rank - 1])
            effect = crossing_effect(x, point, losses.groups)
            found.append(Estimate(point, order_statistic_error(ordered, rank, effect)))
        return found
    tail, found = _right_tail(x, losses.weights), []
    for mass in map(tail_mass, levels):
        index = _first_within(tail, mass)
        effect = math.sqrt(_mass_effect(tail, index, losses))
        errors = effect * np.minimum(tail.errors, STEADY * tail.errors[max(0, index - 1)])
        found.append(
            Estimate(
                float(tail.ordered[index]),
                crossing_error(tail.ordered, mass - tail.above, errors),
            )
        )
    return found


def _shortfall(losses: Losses, var: float, mass: float) -> Estimate:
    """ES around a given VaR, with the error of its influence function VaR + (L − VaR)⁺/(1 − a)."""
    excess = _excess(losses.values, var, mass, losses.weights)
    beyond = np.sort(excess[excess > 0.0])  # the same sum for any order of the paths
    error = _plug_in_error(excess, losses.groups)
    if not beyond.size and np.count_nonzero(losses.values == var) == 1 < excess.size:
        error = math.nan  # all that is known of the tail is one path
    return Estimate(var + total(beyond) / excess.size, error)


def _excess(losses: Vector, var: float, mass: float, weights: Vector | None) -> Vector:
    """(L − VaR)⁺/(1 − a), times the weight: the influence function of ES but for a constant."""
    excess = np.maximum(losses - var, 0.0) / mass
    return excess if weights is None else weights * excess


def _plug_in_error(terms: Vector, groups: Groups | None) -> float:
    """sd/√n with the sd of the empirical law (divisor n, as VaR is itself a plug-in)."""
    if groups is not None:
        return standard_error(terms, groups)
    return float(np.std(terms)) / math.sqrt(terms.size)


def tail_risk(
    losses: ArrayLike, levels: Sequence[float] = LEVELS, weights: Weights = None
) -> TailRisk:
    """VaR and ES at several levels from one sort.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path, gains negative.
    levels : sequence of float
        Confidence levels, e.g. 0.99.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    TailRisk
        VaR errors are Maritz-Jarrett's (density-free, from order statistics); ES errors are
        sd(VaR + (L − VaR)⁺/(1 − a))/√n. Both need some twenty paths beyond the level to be
        trusted. Where paths share groups the first are those of n/d paths, d the design effect of
        the count of losses beyond VaR, and the second `estimators.standard_error` over groups.
    """
    sample = _sample(losses, weights)
    vars_ = _value_at_risk(sample, levels)
    shortfalls = [
        _shortfall(sample, var.value, tail_mass(level))
        for var, level in zip(vars_, levels, strict=True)
    ]
    pairs = np.array([[*v, *s] for v, s in zip(vars_, shortfalls, strict=True)]).reshape(-1, 4)
    return TailRisk(*(np.ascontiguousarray(column) for column in pairs.T))


def value_at_risk(losses: ArrayLike, level: float, weights: Weights = None) -> Estimate:
    """VaR at one level; see `tail_risk`."""
    result = tail_risk(losses, [level], weights)
    return Estimate(float(result.var[0]), float(result.var_se[0]))


def expected_shortfall(losses: ArrayLike, level: float, weights: Weights = None) -> Estimate:
    """ES at one level; see `tail_risk`."""
    result = tail_risk(losses, [level], weights)
    return Estimate(float(result.es[0]), float(result.es_se[0]))


def value_at_risk_interval(
    losses: ArrayLike, level: float, confidence: float = 0.95, weights: Weights = None
) -> tuple[float, float]:
    """Distribution-free confidence interval of VaR.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path.
    level, confidence : float
        Level of VaR, wanted coverage.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    tuple of float
        Order statistics of `quantiles.interval_ranks`, infinite where the sample gives no bound.
        With weights Woodruff's (1952) interval: where the mass above crosses 1 − a ± z·se.
    """
    sample = _sample(losses, weights)
    x = sample.values
    if sample.weights is None:
        ordered = np.sort(x)
        point = float(ordered[rank_of(level, x.size) - 1])
        effect = crossing_effect(x, point, sample.groups)
        low, high = interval_ranks(level, x.size, confidence, effect)
        return (
            float(ordered[low - 1]) if low >= 1 else -np.inf,
            float(ordered[high - 1]) if high <= x.size else np.inf,
        )
    tail = _right_tail(x, sample.weights)
    mass = tail_mass(level)
    reach = float(ndtri(0.5 + confidence / 2.0)) * _mass_error(tail, mass, sample)
    if math.isnan(reach):
        return -np.inf, np.inf
    low = _first_within(tail, mass + reach)
    if mass - reach <= 0.0:
        return float(tail.ordered[low]), np.inf
    return float(tail.ordered[low]), float(tail.ordered[_first_within(tail, mass - reach)])


def tail_count(
    losses: ArrayLike, level: float, weights: Weights = None, var: float | None = None
) -> float:
    """Count the independent paths that VaR and ES at a level rest on.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path.
    level : float
        Confidence level.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.
    var : float, optional
        VaR at that level, if it is known already.

    Returns
    -------
    float
        Paths that lose at least VaR, those without a loss left out: of an atom at VaR the part
        that lies beyond the level. Unequal weights count as Kish's (Σw)²/Σw² equal ones, groups
        as what their design effect leaves of them.
    """
    sample = _sample(losses, weights)
    x, n = sample.values, sample.values.size
    var = _value_at_risk(sample, [level])[0].value if var is None else var
    reached = (x >= var) & (x != 0.0)
    w = np.ones(n) if sample.weights is None else sample.weights
    mass = total(w * reached) / n
    part = min(1.0, tail_mass(level) / mass) if mass > 0.0 else 0.0
    return part * counted(reached, weights)


def shortfall_difference(
    losses: ArrayLike,
    baseline: ArrayLike,
    level: float,
    weights: Weights = None,
    baseline_weights: Weights = None,
) -> Estimate:
    """ES of `losses` less ES of `baseline` on the same paths, with the paired error.

    Parameters
    ----------
    losses, baseline : array_like, (n_paths,)
        Loss per path of two studies under common random numbers.
    level : float
        Confidence level.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.
    baseline_weights : array_like, (n_paths,), or Design, optional
        Those of the baseline if it was drawn from another proposal; else the same.

    Returns
    -------
    Estimate
        Error: that of the mean of the difference of the two influence functions.
    """
    x, y = as_vector(losses, "losses"), as_vector(baseline, "baseline")
    if x.size != y.size:
        raise ValueError(f"paired difference: {x.size} paths against {y.size}")
    mass = tail_mass(level)
    values, terms = [], []
    others = weights if baseline_weights is None else baseline_weights
    for sample in (_sample(x, weights), _sample(y, others)):
        var = _value_at_risk(sample, [level])[0].value
        values.append(_shortfall(sample, var, mass).value)
        terms.append(_excess(sample.values, var, mass, sample.weights))
    error = _plug_in_error(terms[0] - terms[1], as_groups(weights, x.size))
    return Estimate(values[0] - values[1], error)
