"""How the headline numbers settle as paths are added, and how many more would make them precise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean
from simulator.analytics.sample import Vector, Weights, as_vector, part_of
from simulator.analytics.tail import tail_risk

ENOUGH: Final = 50
"""Independent paths that an estimate must rest on before its error is believed: of thirty in the
tail, 95% intervals of expected shortfall cover 92%; of sixty, 93%."""


class Convergence(NamedTuple):
    """Running estimates after the first n paths; arrays (block,), VaR and ES (level, block)."""

    paths: NDArray[np.int64]
    mean: Vector
    mean_se: Vector
    var: Vector
    var_se: Vector
    shortfall: Vector
    shortfall_se: Vector


def convergence(
    losses: ArrayLike,
    levels: Sequence[float] = (0.99, 0.999),
    blocks: int = 40,
    weights: Weights = None,
) -> Convergence:
    """Compute running estimates over the first 1/blocks, 2/blocks, … of the paths, in path order.

    Parameters
    ----------
    losses : array_like, (n_paths,)
        Loss per path.
    levels : sequence of float
        Levels of VaR and ES.
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
    means = np.empty((sizes.size, 2))
    tails = np.empty((4, len(levels), sizes.size))
    for i, n in enumerate(sizes):
        part = part_of(weights, slice(int(n)))
        means[i] = mean(x[:n], part)
        tails[:, :, i] = tail_risk(x[:n], levels, part)
    return Convergence(sizes, means[:, 0].copy(), means[:, 1].copy(), *tails)


def paths_needed(found: Estimate, paths: int, relative: float, rests_on: float = math.inf) -> float:
    """Return about how many paths would bring the error of an estimate down to a share of it.

    Parameters
    ----------
    found : Estimate
        From `paths` paths.
    paths : int
        How many those were.
    relative : float
        Standard error that is wanted, as a share of the value.
    rests_on : float
        Independent paths that the estimate rests on.

    Returns
    -------
    float
        n·(se/(relative·value))², since errors fall with the root of the paths; at least as many as
        let the estimate rest on `ENOUGH` of them. Rounded to two digits, which is more than the
        error of an error supports. NaN where value or error is not known; infinite for a value of
        0.

    Examples
    --------
    >>> paths_needed(Estimate(100.0, 3.0), 10_000, 0.01), paths_needed(Estimate(0.0, 0.0), 10, 0.01)
    (90000.0, inf)
    """
    value, se = abs(found.value), found.se
    if not (math.isfinite(value) and math.isfinite(se)):
        return math.nan
    if value == 0.0:
        return math.inf
    if rests_on <= 0.0:
        return math.nan
    exact = paths * max((se / (relative * value)) ** 2, ENOUGH / rests_on)
    if exact == 0.0:
        return 0.0
    scale = 10.0 ** (math.floor(math.log10(exact)) - 1)
    return round(exact / scale) * scale
