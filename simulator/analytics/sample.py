"""Samples as the estimators take them: contiguous vectors in path order, checked weights.

Weights are likelihood ratios of importance sampling: E(w) = 1 under the law the paths were drawn
from, and an average is (1/n) Σ w·x.  Frequency weights f become likelihood ratios as n·f/Σf.

Paths that share a draw of uncertain parameters are not independent of each other: they form a
group, and errors are taken over groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Design:
    """How the paths of a sample were drawn; taken wherever an estimator takes weights.

    Parameters
    ----------
    weights : (n_paths,) float64, optional
        Likelihood ratios; none for plain sampling.
    groups : (n_paths,) int64, optional
        Number of the group of each path, from 0; none if all paths are independent.
    spread : bool
        Whether paths of a group are spread evenly (a replicate of quasi-random or stratified
        sampling) instead of sharing something that makes them alike.
    """

    weights: Vector | None = None
    groups: Groups | None = None
    spread: bool = False

    def part(self, kept: slice | NDArray[np.bool_]) -> Design:
        """Return the design of some of the paths, each in its group."""
        return Design(
            None if self.weights is None else self.weights[kept],
            None if self.groups is None else self.groups[kept],
            self.spread,
        )


Weights = ArrayLike | Design | None
"""What estimators take: likelihood ratios, a design, or nothing for independent plain paths."""


def as_vector(values: ArrayLike, name: str = "values") -> Vector:
    """Contiguous float64 vector, in the order given.

    Parameters
    ----------
    values : array_like, (n_paths,)
        One number per path, finite.
    name : str
        What to call it in a message.

    Raises
    ------
    ValueError
        If the sample is empty, not one-dimensional or holds a NaN or an infinity.
    """
    vector = np.ascontiguousarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name}: expected one dimension (path), got shape {vector.shape}")
    if vector.size == 0:
        raise ValueError(f"{name}: no paths")
    if not np.isfinite(vector).all():
        bad = int(np.count_nonzero(~np.isfinite(vector)))
        raise ValueError(
            f"{name}: {bad} of {vector.size} values are not finite; "
            "leave undefined paths out first and report their share"
        )
    return vector


def as_weights(weights: Weights, n: int) -> Vector | None:
    """Check likelihood ratios, those of a design if it is one; None for plain sampling.

    Raises
    ------
    ValueError
        If the length differs from `n`, a weight is negative or not finite, or the weights sum to
        one (probabilities, not likelihood ratios).
    """
    if isinstance(weights, Design):
        weights = weights.weights
    if weights is None:
        return None
    vector = as_vector(weights, "weights")
    if vector.size != n:
        raise ValueError(f"weights: expected one per path ({n}), got {vector.size}")
    if (vector < 0.0).any():
        raise ValueError("weights: expected none below 0")
    if n > 1 and abs(float(np.sum(vector)) - 1.0) < 1e-9:
        raise ValueError(f"weights: expected likelihood ratios, got a sum of 1; pass {n}·weights")
    return vector


def as_groups(weights: Weights, n: int) -> Groups | None:
    """Check the groups of a design; None if there are none, or only likelihood ratios are given.

    Raises
    ------
    ValueError
        If there is not one group per path.
    """
    groups = weights.groups if isinstance(weights, Design) else None
    if groups is not None and groups.shape != (n,):
        raise ValueError(f"groups: expected one per path ({n}), got shape {groups.shape}")
    return groups


def part_of(weights: Weights, kept: slice | NDArray[np.bool_]) -> Weights:
    """Take the weights of some of the paths, in whichever form they came."""
    if weights is None:
        return None
    return weights.part(kept) if isinstance(weights, Design) else np.asarray(weights)[kept]


def independent_draws(weights: Weights, n: int) -> float:
    """Count the independent draws behind `n` paths, as the rule of three counts them.

    Parameters
    ----------
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.
    n : int
        Number of paths.

    Returns
    -------
    float
        The paths, or the groups if there are any whose paths are alike; with weights that over
        the largest of them.

    Notes
    -----
    With 95% confidence an event that met none of K groups meets at most 3/K of them, and so at
    most 3/K of the paths. Paths that are spread evenly meet it no less often than independent
    ones would. Where paths carry weights that bounds how often the event is *drawn*;
    its probability is E(w; event), at most the largest weight times as much.
    """
    groups, ratios = as_groups(weights, n), as_weights(weights, n)
    spread = isinstance(weights, Design) and weights.spread
    count = n if groups is None or spread else int(np.count_nonzero(np.bincount(groups)))
    return count if ratios is None else count / max(1.0, float(np.max(ratios)))


def check_level(level: float) -> Fraction:
    """Confidence level as the decimal it was written as, so that n·level is exact.

    >>> check_level(0.95)
    Fraction(19, 20)
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: expected between 0 and 1, got {level}")
    return Fraction(repr(float(level)))


def rank_of(level: float, n: int) -> int:
    """Rank k (1-based) of the smallest order statistic x with P(X ≤ x) ≥ level: k = ⌈n·level⌉.

    >>> rank_of(0.95, 1000), rank_of(0.07, 100), rank_of(0.5, 3)
    (950, 7, 2)
    """
    return math.ceil(check_level(level) * n)


def tail_mass(level: float) -> float:
    """1 − level without the rounding of a float subtraction.

    >>> tail_mass(0.999)
    0.001
    """
    return float(1 - check_level(level))


def effective_size(weights: Sequence[float] | Vector | None, n: int) -> float:
    """Kish's effective number of paths, (Σw)²/Σw²; n without weights."""
    if weights is None:
        return float(n)
    vector = np.asarray(weights, dtype=np.float64)
    return float(np.sum(vector)) ** 2 / float(np.sum(vector * vector))
