"""How the headline numbers settle as paths are added."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analytics.estimators import mean
from simulator.analytics.sample import Vector, Weights, as_vector, part_of
from simulator.analytics.tail import expected_shortfall


class Convergence(NamedTuple):
    """Running estimates after the first n paths; arrays (block,)."""

    paths: NDArray[np.int64]
    mean: Vector
    mean_se: Vector
    shortfall: Vector
    shortfall_se: Vector


def convergence(
    losses: ArrayLike, level: float = 0.99, blocks: int = 40, weights: Weights = None
) -> Convergence:
    """Compute running mean and ES over the first 1/blocks, 2/blocks, … of the paths, in path order.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path.
    level : float
        Level of ES.
    blocks : int
        Number of points; fewer if there are fewer paths than that.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    Convergence
    """
    x = as_vector(losses, "losses")
    sizes = np.unique(np.linspace(0, x.size, min(blocks, x.size) + 1).astype(np.int64)[1:])
    rows = np.empty((sizes.size, 4))
    for i, n in enumerate(sizes):
        part = part_of(weights, slice(int(n)))
        rows[i] = (*mean(x[:n], part), *expected_shortfall(x[:n], level, part))
    return Convergence(sizes, *(np.ascontiguousarray(column) for column in rows.T))
