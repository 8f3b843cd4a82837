"""Variance within and between groups of paths: one-way analysis with random effects.

    x_kj = μ + b_k + e_kj,   Var(b) = σ_b² between groups,   E Var(e | k) = σ_w² within them

    σ_w² = SSW/(n − K),   σ_b² = (SSB/(K − 1) − σ_w²)/n₀,   n₀ = (n − Σ n_k²/n)/(K − 1)

Estimators of moments, unbiased for any law of b and e and for groups of unequal size (Searle,
Casella and McCulloch 1992, §3.6).  Errors come from the jackknife that leaves out a group at a
time, since losses are too skewed for the formulas of the normal law.

Likelihood ratios w with E(w | k) = 1, as of paths drawn by importance sampling given what their
group shares, take y = w·(x − μ) in place of x: groups have the same means, so that σ_b² stays, and
the total variance is E(w·(x − μ)²); σ_w² is the rest.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import group_sums, mean, total
from simulator.analytics.sample import Groups, Vector


class Components(NamedTuple):
    """Where the variance of a sample comes from, in the square of its unit."""

    total: Estimate
    within: Estimate
    between: Estimate  # below 0 by chance if there is next to none
    share_between: Estimate


class Sums(NamedTuple):
    """Sums over groups that the components are made of; numbers, or one less each group."""

    groups: Vector
    paths: Vector
    values: Vector
    squares: Vector
    means: Vector  # Σ_k n_k·mean_k²
    sizes: Vector  # Σ_k n_k²
    spread: Vector  # Σ w·(x − μ)², NaN without weights


def variance_components(
    values: Vector, groups: Groups, weights: Vector | None = None
) -> Components:
    """Split the variance of a sample into within and between groups.

    Parameters
    ----------
    values : (n_paths,) float64
        One number per path.
    groups : (n_paths,) int64
        Group of each path.
    weights : (n_paths,) float64, optional
        Likelihood ratios, of mean 1 within each group.

    Returns
    -------
    Components
        Estimates are not cut off at 0, which would bias them. NaN where they need more groups,
        or paths in a group, than there are.
    """
    centred = values - mean(values, weights).value  # so that nothing cancels in the squares
    terms = centred if weights is None else weights * centred
    sizes = group_sums(np.ones_like(terms), groups)
    sums = group_sums(terms, groups)
    by_group = Sums(
        np.ones_like(sizes),
        sizes,
        sums,
        group_sums(terms * terms, groups),
        sums * sums / sizes,
        sizes * sizes,
        np.full_like(sizes, np.nan) if weights is None else group_sums(terms * centred, groups),
    )
    whole = Sums(*(np.array([total(part)]) for part in by_group))
    less_one = Sums(*(all_ - part for all_, part in zip(whole, by_group, strict=True)))
    found, left_out = _split(whole), _split(less_one)
    return Components(
        *(
            Estimate(float(value[0]), jackknife_error(others))
            for value, others in zip(found, left_out, strict=True)
        )
    )


def _split(sums: Sums) -> tuple[Vector, Vector, Vector, Vector]:
    """Total, within, between and share between, from sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = (sums.squares - sums.means) / (sums.paths - sums.groups)
        spread = (sums.means - sums.values * sums.values / sums.paths) / (sums.groups - 1.0)
        size = (sums.paths - sums.sizes / sums.paths) / (sums.groups - 1.0)
        between = (spread - noise) / size
        whole = noise + between
        if np.isfinite(sums.spread).all():  # with weights
            whole = sums.spread / sums.paths - (sums.values / sums.paths) ** 2
        return whole, whole - between, between, between / whole


def jackknife_error(left_out: Vector) -> float:
    """Return √((K−1)/K·Σ(θ_k − mean)²), θ_k the estimate without group k (Tukey 1958)."""
    count = left_out.size
    if count < 2:
        return math.nan
    residuals = left_out - total(left_out) / count
    return math.sqrt(total(residuals * residuals) * (count - 1) / count)
