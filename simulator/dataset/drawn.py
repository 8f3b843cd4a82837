r"""Quantiles and means by month of paths that carry weights or share draws of parameters.

Notes
-----
With likelihood ratios :math:`w` the distribution function is
:math:`F(x) = \sum w\,1(X \le x) / \sum w`, the quantile at level :math:`p` the smallest value with
:math:`F \ge p`, the mean :math:`\sum w x / \sum w`.  Weights are normalised since a series has no
side that they favour.  Without weights both are what they are for paths drawn plainly.

The standard error of :math:`F` at the quantile is that of a mean of
:math:`w\,(1(X \le x) - F)`, over groups of paths if they share draws of uncertain parameters
(Liang and Zeger 1986).  With 95% probability the true quantile lies between the points where
:math:`F` is :math:`p \mp 1.96` errors (Woodruff 1952), and half of that interval over 1.96 is the
error given here.  It is NaN where the interval leaves the sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.order_statistics import LEVELS, NORMAL_975, quantiles_at

__all__ = ["Drawn", "Row", "row_of"]

Vector = NDArray[np.float64]
Side = Literal["left", "right"]


@dataclass(frozen=True)
class Drawn:
    """How the paths of a run were drawn, in the order of paths.

    Attributes
    ----------
    weights : ndarray (paths,), optional
        Likelihood ratios; none if drawn plainly.
    paths_per_draw : int
        Consecutive paths that share a draw of uncertain parameters.
    """

    weights: Vector | None = None
    paths_per_draw: int = 1

    @property
    def plain(self) -> bool:
        """Whether all paths are independent and count the same."""
        return self.weights is None and self.paths_per_draw <= 1

    def first(self, paths: int) -> Drawn:
        """Return how the first paths were drawn."""
        return Drawn(None if self.weights is None else self.weights[:paths], self.paths_per_draw)


class Row(NamedTuple):
    """What a fan tells of one month: arrays (levels,), and numbers."""

    quantiles: Vector
    errors: Vector
    mean: float
    mean_error: float
    paths: int  # with a value


def row_of(values: NDArray[np.float32], drawn: Drawn) -> Row:
    """Return quantiles and mean of one month, with their standard errors.

    Parameters
    ----------
    values : ndarray (paths,)
        In the order of paths unless these are drawn plainly; NaN counts for nothing.
    drawn : Drawn
        How the paths were drawn.
    """
    valid = ~np.isnan(values)
    count = int(np.count_nonzero(valid))
    weights = None if drawn.weights is None else drawn.weights[valid]
    if count == 0 or (weights is not None and not weights.any()):
        nothing = np.full(len(LEVELS), np.nan)
        return Row(nothing, nothing, math.nan, math.nan, count)
    kept = values[valid]
    order = np.argsort(kept) if not drawn.plain else None  # of ties any order does
    ordered = np.sort(kept) if order is None else kept[order]
    if drawn.plain:
        quantiles, errors = quantiles_at(lambda rank: ordered[rank - 1], count)
        mean = float(np.sum(ordered, dtype=np.float64) / count)
        return Row(quantiles, errors, mean, plain_error(ordered, mean), count)
    assert order is not None
    alone = drawn.paths_per_draw <= 1
    groups = np.flatnonzero(valid) // drawn.paths_per_draw if not alone else None
    starts = None if groups is None else np.flatnonzero(np.diff(groups, prepend=-1))
    if weights is None:
        share = np.full(count, 1.0 / count)
        quantiles = quantiles_at(lambda rank: ordered[rank - 1], count)[0]
        mean = float(np.sum(ordered, dtype=np.float64) / count)
        below = np.arange(1, count + 1) / count
    else:
        share = weights / np.sum(weights)
        below = np.cumsum(share[order])
        at = np.searchsorted(below, np.array(LEVELS) - 1e-12)
        quantiles = ordered[np.minimum(at, count - 1)].astype(np.float64)
        mean = float(np.sum(share * kept))
    squares = np.cumsum(share[order] ** 2) if alone else None

    def side_error(point: float, side: Side) -> float:
        """Return the standard error of the distribution function on one side of a point."""
        if squares is None:
            marked = kept <= point if side == "right" else kept < point
            return sum_error(share * (marked - float(np.sum(share * marked))), starts)
        last = int(np.searchsorted(ordered, np.float32(point), side=side)) - 1
        mass, square = (float(below[last]), float(squares[last])) if last >= 0 else (0.0, 0.0)
        spread = (1.0 - 2.0 * mass) * square + mass * mass * float(squares[-1])
        return math.sqrt(max(0.0, spread) * count / (count - 1)) if count > 1 else math.nan

    errors = np.array(
        [
            quantile_error(level, point, ordered, below, side_error)
            for level, point in zip(LEVELS, quantiles, strict=True)
        ]
    )
    with np.errstate(invalid="ignore"):  # infinite values
        error = sum_error(share * (kept.astype(np.float64) - mean), starts)
    return Row(quantiles, errors, mean, error, count)


def plain_error(values: NDArray[np.float32], mean: float) -> float:
    """Return the standard error of a mean of independent values; NaN for one."""
    if len(values) < 2:
        return math.nan
    with np.errstate(invalid="ignore"):  # infinite values
        residuals = values.astype(np.float64) - mean
        return math.sqrt(float(np.sum(residuals * residuals)) / (len(values) - 1) / len(values))


def sum_error(terms: Vector, starts: NDArray[np.int64] | None) -> float:
    """Return the standard error of a sum of terms of mean 0, independent between groups."""
    sums = terms if starts is None else np.add.reduceat(terms, starts)
    if len(sums) < 2:
        return math.nan
    return math.sqrt(float(np.sum(sums * sums)) * len(sums) / (len(sums) - 1))


def quantile_error(
    level: float,
    point: float,
    ordered: NDArray[np.float32],
    below: Vector,
    side_error: Callable[[float, Side], float],
) -> float:
    """Return half of Woodruff's 95% interval over 1.96.

    Parameters
    ----------
    level, point : float
        Of the quantile, and its value.
    ordered, below : ndarray (paths,)
        Ascending, with the distribution function at each.
    side_error : callable
        Returns the standard error of P(X <= point), of P(X < point) if told "left".
    """
    error = side_error(point, "right")
    first = int(np.searchsorted(ordered, np.float32(point)))
    if first + 1 < len(ordered) and ordered[first + 1] == point:  # an atom: the worse side of it
        error = max(error, side_error(point, "left"))
    low, high = level - NORMAL_975 * error, level + NORMAL_975 * error
    if not (low > 0.0 and high < 1.0):
        return math.nan
    ends = ordered[np.searchsorted(below, [low, high - 1e-12])].astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinite minus infinite
        return float(ends[1] - ends[0]) / (2.0 * NORMAL_975)
