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
    names: Sequence[PoolName], hazard: Rows, present: Rows, nu: float
) -> PoolGranular:
    """Return what the names that are many lose.

    Parameters
    ----------
    names : sequence of PoolName
        All of them.
    hazard : (name, month) float64
        Integrated from t0.
    present : (name, month) float64
        PV of the loss at a default in each month, USD m; of a Beta law, of all the claim.
    nu : float
        Degrees of freedom of the t copula, 0 if it is Gaussian.
    """
    many = [place for place, one in enumerate(names) if one.granular]
    row = np.full(len(names), -1, dtype=np.int64)
    row[many] = np.arange(len(many))
    law = nu if nu > 0.0 else np.inf
    chances = -np.expm1(-hazard[many])
    score = [[student_t_quantile(p, law) if p > 0.0 else -np.inf for p in line] for line in chances]
    mean = np.array(
        [names[place].loss_mean if names[place].loss_sd > 0.0 else 1.0 for place in many]
    )
    return PoolGranular(
        names=np.array(many, dtype=np.int64),
        row=row,
        score=np.array(score).reshape(chances.shape),
        present=mean[:, None] * present[many],
    )
