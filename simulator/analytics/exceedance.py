"""The loss exceedance curve: how likely a loss beyond each amount is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analytics.estimators import plainly_drawn, probability, probability_interval
from simulator.analytics.sample import (
    Vector,
    Weights,
    as_vector,
    as_weights,
    independent_draws,
)


class Exceedance(NamedTuple):
    """P(L > x) at a grid of losses, with a pointwise 95% band; arrays (point,)."""

    loss: Vector
    probability: Vector
    lower: Vector
    upper: Vector


def exceedance_curve(losses: ArrayLike, points: int = 160, weights: Weights = None) -> Exceedance:
    """Exceedance probabilities at losses spread evenly over the logarithm of the probability.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path.
    points : int
        Size of the grid; where fewer different losses occur, the last one is repeated.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    Exceedance
        From P(L > 0) down to the last loss with a path beyond it. Bands are Wilson intervals,
        point by point; that a whole curve stays inside is less likely than 95%.
    """
    x = as_vector(losses, "losses")
    draws, weighted = independent_draws(weights, x.size), not plainly_drawn(weights, x.size)
    grid = np.full(points, np.nan)
    ratios = as_weights(weights, x.size)
    found = _grid(x if ratios is None else x[ratios > 0.0], points)
    grid[: found.size] = found
    grid[found.size :] = found[-1]
    rows = np.empty((points, 3))
    for i, level in enumerate(grid):
        if i and level == grid[i - 1]:
            rows[i] = rows[i - 1]
            continue
        p = probability(x > level, weights)
        rows[i] = (p.value, *probability_interval(p, draws, weighted=weighted))
    return Exceedance(grid, *(np.ascontiguousarray(column) for column in rows.T))


def _grid(losses: Vector, points: int) -> Vector:
    """Zero and the order statistics with 1, …, N losses beyond, evenly in log, ascending."""
    ordered = np.sort(losses[losses > 0.0])
    if ordered.size < 2:
        return np.zeros(1)
    beyond = np.unique(np.round(np.geomspace(1.0, ordered.size, points - 1)).astype(np.int64))
    return np.unique(np.concatenate(([0.0], ordered[ordered.size - 1 - beyond[:-1]])))
