"""Names of a credit-only study that are many, and losses that move with the factors, packed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.config.pool_terms import PoolName
from simulator.credit.pool_granular import PoolGranular
from simulator.credit.pool_severity import PoolSeverity
from simulator.numerics.student_t import student_t_quantile

__all__ = ["pack_granular", "pack_severity"]

Rows = NDArray[np.float64]


def pack_severity(names: Sequence[PoolName], factors: int) -> PoolSeverity:
    """Return by name how loss given default moves with the factors."""
    moves = [bool(one.loss_loadings) for one in names]
    loadings = [one.loss_loadings or (0.0,) * factors for one in names]
    scores = [
        student_t_quantile(one.loss_mean, np.inf) if move else 0.0
        for one, move in zip(names, moves, strict=True)
    ]
    return PoolSeverity(
        moves=np.array(moves, dtype=np.int64),
        loadings=np.array(loadings).reshape(len(names), factors).T.copy(),
        score=np.array(scores),
    )


def pack_granular(
    names: Sequence[PoolName], hazard: Rows, claim: Rows, nominal: Rows, present: Rows, nu: float
) -> PoolGranular:
    """Take what granular names claim and lose out of the rows of names, (name, month), into theirs.

    Parameters
    ----------
    names : sequence of PoolName
        All of them.
    hazard : (name, month) float64
        Integrated from t0.
    claim, nominal, present : (name, month) float64
        Of a default in each month, USD m; rows of granular names are set to 0.
    nu : float
        Degrees of freedom of the t copula, 0 if it is Gaussian.
    """
    many = np.array([place for place, one in enumerate(names) if one.granular], dtype=np.int64)
    law = nu if nu > 0.0 else np.inf
    chances = -np.expm1(-hazard[many])
    score = [[student_t_quantile(p, law) if p > 0.0 else -np.inf for p in row] for row in chances]
    packed = PoolGranular(
        names=many,
        score=np.array(score).reshape(chances.shape),
        claim=claim[many],
        nominal=nominal[many],
        present=present[many],
    )
    for rows in (claim, nominal, present):
        rows[many] = 0.0
    return packed
