"""How the paths of a pool are drawn when large losses are wanted, and its terms for the kernel.

Model: docs/model.md §17; the laws and their likelihood ratios: `credit.pool_tilting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.credit.pool_tilting import PoolTilt
from simulator.engine.pool import SLACK, PreparedPool
from simulator.numerics.streams import stream_id
from simulator.numerics.student_t import student_t_quantile

__all__ = ["Costs", "Proposal", "costs_of", "plain_proposal", "tilted"]

NODES: Final = 64
"""Hazards of the common regime at which limits of scores are worked out."""

LARGEST_EXPONENT: Final = 500.0
"""Of a twist times what the costliest default costs: beyond any use, and far from overflow."""


@dataclass(frozen=True)
class Proposal:
    """The laws that paths are drawn from.

    Attributes
    ----------
    shares : (law,) ndarray
        Probabilities that a path is drawn from each law; the first is the model's own.
    shifts : (law, factor) ndarray
        Means of the factors, the mixing normal of a t copula last; 0 for the first law.
    target : float
        Loss that defaults are twisted towards, USD m; 0 if they are not.
    """

    shares: NDArray[np.float64]
    shifts: NDArray[np.float64]
    target: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return it in JSON's own types; numbers survive bit for bit."""
        return {
            "shares": self.shares.tolist(),
            "shifts": self.shifts.tolist(),
            "target": self.target,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Proposal:
        """Read it back."""
        return cls(np.array(plain["shares"]), np.array(plain["shifts"]), float(plain["target"]))


def plain_proposal(prepared: PreparedPool) -> Proposal:
    """Return the model's own law as the only one: every likelihood ratio is 1."""
    return Proposal(np.ones(1), np.zeros((1, prepared.params.loadings.shape[0] + 1)))


class Costs(NamedTuple):
    """What defaults within the horizon are expected to cost, by name, USD m, PV."""

    default: NDArray[np.float64]  # (name,), of a borrower
    certain: NDArray[np.float64]  # (name,), of names that are many, if all of them default

    @property
    def total(self) -> float:
        """If every name defaults."""
        return float(self.default.sum() + self.certain.sum())


def costs_of(prepared: PreparedPool) -> Costs:
    """Return what defaults are expected to cost, over when they come and what is recovered."""
    params, names = prepared.params, prepared.pool.names
    survival = np.exp(-params.hazard)
    struck = survival[:, :-1] - survival[:, 1:]  # by month
    struck = np.where(struck.sum(axis=1, keepdims=True) > 0.0, struck, 1.0)  # regimes only: evenly
    struck /= struck.sum(axis=1, keepdims=True)
    scaled = [one.loss_mean if one.loss_sd > 0.0 or one.loss_loadings else 1.0 for one in names]
    lost = np.where(params.claim[:, 1:] > 0.0, params.present[:, 1:], 0.0)
    certain, many = np.zeros(len(names)), params.granular
    moves = params.severity.moves[many.names] > 0
    mean = np.where(moves, np.array([one.loss_mean for one in names])[many.names], 1.0)
    certain[many.names] = mean * (struck[many.names] * many.present[:, 1:]).sum(axis=1)
    default = np.array(scaled) * (struck * lost).sum(axis=1)
    default[many.names] = 0.0  # whose default is that of one of the many, and costs nothing itself
    return Costs(np.maximum(default, 0.0), np.maximum(certain, 0.0))


def tilted(prepared: PreparedPool, proposal: Proposal) -> PreparedPool:
    """Return a pool whose paths are drawn from a proposal.

    Parameters
    ----------
    prepared : PreparedPool
        The pool.
    proposal : Proposal
        Of as many factors as the pool has, and one for the mixing.

    Returns
    -------
    PreparedPool
        Its outputs carry likelihood ratios.
    """
    params, pool = prepared.params, prepared.pool
    nu = pool.copula_nu if pool.copula_nu > 0.0 else np.inf
    most = float(pool.horizon * params.regime_hazard.max(initial=0.0))
    regime = np.linspace(0.0, most, NODES) if most > 0.0 else np.zeros(1)
    limits = [
        [student_t_quantile(-np.expm1(-(own + common)), nu) + SLACK for common in regime]
        for own in params.hazard[:, -1]
    ]
    costs = costs_of(prepared)
    costliest = float(costs.default.max(initial=0.0))
    tilt = PoolTilt(
        shares=proposal.shares.copy(),
        shifts=proposal.shifts.copy(),
        target=proposal.target if costliest > 0.0 else 0.0,
        cost=costs.default,
        certain=costs.certain,
        largest_twist=LARGEST_EXPONENT / costliest if costliest > 0.0 else 0.0,
        limits=np.array(limits),
        most_regime=most,
        stream=np.uint64(stream_id("tilt")),
    )
    return replace(prepared, params=params._replace(tilt=tilt), weighted=True)
