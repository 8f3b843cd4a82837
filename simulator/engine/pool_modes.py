"""Where the factors of a pool stand on its bad paths: the modes of a bound on their density.

Given factors z, the probability that a pool loses more than x is at most exp(psi(theta) - theta x)
at the twist theta at which x is expected (0 if more is expected anyway). Times the normal density
it bounds how likely bad paths are to be there:

    J(z) = psi(theta_x(z), z) - theta_x(z) x - |z|^2 / 2

Its highest point is the shift of Glasserman and Li (2005, section 5). There may be several, one for
each way in which the pool may go bad: all that are found are kept.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from simulator.credit.pool_tilting import LEAST_REST
from simulator.engine.pool import PreparedPool
from simulator.engine.pool_proposal import severities
from simulator.numerics.quantiles import LOWEST, TABLE_NODES
from simulator.numerics.student_t import student_t_quantile

__all__ = ["Modes", "TailBound", "find_modes"]

Vector = NDArray[np.float64]

APART: Final = 1.0
"""Distance under which two ends of a search are one mode."""

NEGLIGIBLE: Final = 5.0
"""A mode this far below the highest, in J, is left to the others."""

MOST_MODES: Final = 24
STEP: Final = 1e-5  # of the derivative by the mixing normal


class Modes(NamedTuple):
    """Modes of the bound, the highest first."""

    places: NDArray[np.float64]  # (mode, factor), the mixing normal last
    heights: NDArray[np.float64]  # (mode,), J


class TailBound:
    """J of a pool at a loss.

    Parameters
    ----------
    prepared : PreparedPool
        The pool.
    loss : float
        x, USD m, above 0 and below what all names together cost.
    """

    def __init__(self, prepared: PreparedPool, loss: float) -> None:
        params = prepared.params
        self.loss = loss
        self.cost = severities(prepared)
        self.loadings = params.loadings
        rest = 1.0 - np.sum(params.loadings**2, axis=0)
        self.rest = np.maximum(np.sqrt(np.maximum(rest, 0.0)), LEAST_REST)
        self.nu = prepared.pool.copula_nu
        self.table = params.chi2_table
        self.hazard = params.hazard[:, -1]

    def limits(self, regime: float) -> Vector:
        """Return the scores (name,) below which names default, at a hazard of the regime."""
        nu = self.nu if self.nu > 0.0 else np.inf
        found = [student_t_quantile(-np.expm1(-(own + regime)), nu) for own in self.hazard]
        return np.array(found)

    def inverse_mixing(self, normal: float) -> float:
        """Return sqrt(chi2 / nu) at its normal score."""
        if self.nu == 0.0:
            return 1.0
        nodes = np.linspace(LOWEST, -LOWEST, TABLE_NODES)
        return float(np.sqrt(np.interp(normal, nodes, self.table) / self.nu))

    def twist(self, chance: Vector) -> float:
        """Return the twist at which the loss is expected; 0 if it is expected anyway."""
        if float(self.cost @ chance) >= self.loss:
            return 0.0

        def gap(twist: float) -> float:
            growth = np.exp(twist * self.cost)
            return float(self.cost @ (chance * growth / (1.0 + chance * (growth - 1.0)))) - self.loss

        high = 1.0 / self.cost.max()
        while gap(high) < 0.0 and high * self.cost.max() < 500.0:
            high *= 2.0
        if gap(high) < 0.0:
            return high
        return float(optimize.brentq(gap, 0.0, high, xtol=1e-10 * high, rtol=1e-10))

    def at(self, place: Vector, limits: Vector) -> tuple[float, Vector]:
        """Return J and its gradient (factor,) at factors, the mixing normal last."""
        factors, normal = place[:-1], float(place[-1])
        inverse = self.inverse_mixing(normal)
        score = (limits * inverse - factors @ self.loadings) / self.rest
        chance = special.ndtr(score)
        twist = self.twist(chance)
        growth = np.expm1(twist * self.cost)
        height = float(np.log1p(chance * growth).sum()) - twist * self.loss
        density = np.exp(-0.5 * score * score) / np.sqrt(2.0 * np.pi) / self.rest
        by_score = growth / (1.0 + chance * growth) * density  # twist is at its best: no part of it
        slope = np.empty_like(place)
        slope[:-1] = -self.loadings @ by_score
        change = self.inverse_mixing(normal + STEP) - self.inverse_mixing(normal - STEP)
        slope[-1] = float(by_score @ limits) * change / (2.0 * STEP)
        return height - 0.5 * float(place @ place), slope - place


def find_modes(
    prepared: PreparedPool, loss: float, starts: NDArray[np.float64], regimes: Vector
) -> Modes:
    """Climb from many places and keep the tops that differ.

    Parameters
    ----------
    prepared : PreparedPool
        The pool.
    loss : float
        x, USD m.
    starts : (start, factor) ndarray
        Where to climb from, the mixing normal last.
    regimes : (start,) ndarray
        Hazard of the common regime, integrated to the horizon, that goes with each.
    """
    bound = TailBound(prepared, loss)
    tops: list[tuple[float, Vector]] = []
    for start, regime in zip(starts, regimes, strict=True):
        limits = bound.limits(regime)

        def descent(place: Vector, limits: Vector = limits) -> tuple[float, Vector]:
            height, slope = bound.at(place, limits)
            return -height, -slope

        found = optimize.minimize(descent, start, jac=True, method="L-BFGS-B", tol=1e-9)
        tops.append((-float(found.fun), found.x))
    tops.sort(key=lambda top: -top[0])
    kept: list[tuple[float, Vector]] = []
    for height, place in tops:
        if height < tops[0][0] - NEGLIGIBLE or len(kept) == MOST_MODES:
            break
        if all(np.linalg.norm(place - other) > APART for _, other in kept):
            kept.append((height, place))
    return Modes(np.array([place for _, place in kept]), np.array([height for height, _ in kept]))
