"""Losses given default that move with the factors which move defaults.

    share lost of the claim = Phi((Phi^-1(m) - sum_k c_k F_k) / sqrt(1 - |c|^2))

Its mean over the factors is m. As a default is, a loss is the event that a score falls short, of
which given the factors only the probability counts; a low factor is bad for both. Without loadings
c it is m for certain.

References
----------
L. Andersen, J. Sidenius (2004), "Extensions to the Gaussian copula: random recovery and random
factor loadings", Journal of Credit Risk 1(1), 29-70.
J. Frye (2000), "Collateral damage", Risk 13(4), 91-94.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.jit import inner
from simulator.numerics.normal import normal_cdf


class PoolSeverity(NamedTuple):
    """Which names' losses given default move with the factors."""

    moves: NDArray[np.int64]  # (name,), 1 if they do
    loadings: NDArray[np.float64]  # (factor, name), c
    score: NDArray[np.float64]  # (name,), Phi^-1(m)


@inner
def chance_below(score, systematic, rest):
    """Return the probability that `systematic` and a normal, times `rest`, are at most `score`."""
    if rest > 0.0:
        return normal_cdf((score - systematic) / rest)
    return 1.0 if systematic <= score else 0.0


@inner
def weighted_factors(loadings, factors, name, lane):
    """Return a name's sum of loading times factor, and the loading that is left for its own."""
    systematic, rest = 0.0, 1.0
    for k in range(loadings.shape[0]):
        loading = loadings[k, name]
        systematic += loading * factors[k, lane]
        rest -= loading * loading
    return systematic, np.sqrt(max(0.0, rest))


@inner
def share_lost(severity, factors, name, lane):
    """Return what a path's factors leave of a name's loss given default; 1 if it does not move."""
    if severity.moves[name] == 0:
        return 1.0
    systematic, rest = weighted_factors(severity.loadings, factors, name, lane)
    return chance_below(severity.score[name], systematic, rest)
