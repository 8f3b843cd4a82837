"""Where the factors of a pool stand on its bad paths: the modes of a bound on their density.

Given factors z, the probability that a pool loses more than x is at most exp(psi(theta) - theta x)
at the twist theta at which x is expected (0 if more is expected anyway). Times the normal density
it bounds how likely bad paths are to be there:

    J(z) = psi(theta_x(z), z) - theta_x(z) x - |z|^2 / 2

Its highest point is the shift of Glasserman and Li (2005, section 5). There may be several, one for
each way in which the pool may go bad: all that are found are kept.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from simulator.credit.pool_tilting import LEAST_REST
from simulator.engine.pool import PreparedPool
from simulator.engine.pool_proposal import costs_of
from simulator.numerics.quantiles import LOWEST, TABLE_NODES
from simulator.numerics.student_t import student_t_quantile

__all__ = ["APART", "Modes", "TailBound", "find_modes"]

Vector = NDArray[np.float64]

APART: Final = 1.0
"""Distance under which two ends of a search are one mode."""

NEGLIGIBLE: Final = 5.0
"""A mode this far below the highest, in J, is left to the others."""

MOST_MODES: Final = 24
STEP: Final = 1e-5  # of the derivative by the mixing normal
STEPS: Final = 100  # at most, of the search for a twist
NEAR: Final = 1e-9
LARGEST: Final = 500.0
"""Of the twist times x: names that are many bound J no other way. Less than the best is a bound."""

LOWEST_SCORE: Final = -40.0  # of names without a hazard
ENOUGH: Final = {"gtol": 1e-3, "maxiter": 60}


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
        self.cost, self.certain = costs_of(prepared)
        self.largest = LARGEST / loss
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
        return np.maximum(found, LOWEST_SCORE)

    def inverse_mixing(self, normal: float) -> float:
        """Return sqrt(chi2 / nu) at its normal score."""
        if self.nu == 0.0:
            return 1.0
        nodes = np.linspace(LOWEST, -LOWEST, TABLE_NODES)
        return float(np.sqrt(np.interp(normal, nodes, self.table) / self.nu))

    def twist(self, chance: Vector, wanted: float) -> float:
        """Return the twist at which a loss is expected: from 0, if it is anyway, to the largest.

        Newton's method on the logarithm of the expectation, as in the kernel.
        """
        low, high, twist = 0.0, self.largest, 0.0
        for _ in range(STEPS):
            growth = np.exp(twist * self.cost)
            twisted = chance * growth / (1.0 + chance * (growth - 1.0))
            mean = float(self.cost @ twisted)
            if (mean >= wanted and twist == 0.0) or abs(mean - wanted) <= NEAR * self.loss:
                break
            low, high = (low, twist) if mean > wanted else (twist, high)
            if high - low <= NEAR * self.largest:
                break
            slope = float(self.cost**2 @ (twisted * (1.0 - twisted)))
            guess = twist + np.log(wanted / mean) * mean / slope if slope > 0.0 < mean else high
            twist = float(guess) if low < guess < high else 0.5 * (low + high)
        return twist

    def at(self, place: Vector, limits: Vector) -> tuple[float, Vector]:
        """Return J and its gradient (factor,) at factors, the mixing normal last."""
        factors, normal = place[:-1], float(place[-1])
        inverse = self.inverse_mixing(normal)
        score = (limits * inverse - factors @ self.loadings) / self.rest
        chance = special.ndtr(score)
        wanted = self.loss - float(self.certain @ chance)
        twist = self.twist(chance, wanted)
        growth = np.expm1(twist * self.cost)
        height = float(np.log1p(chance * growth).sum()) - twist * wanted
        density = np.exp(-0.5 * score * score) / np.sqrt(2.0 * np.pi) / self.rest
        by_chance = growth / (1.0 + chance * growth) + twist * self.certain  # the twist is at its
        by_score = by_chance * density  # best, so that its own change is no part of the slope
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

        search: Any = optimize.minimize
        found = search(descent, start, jac=True, method="BFGS", options=ENOUGH)
        tops.append((-float(found.fun), found.x))
    tops.sort(key=lambda top: -top[0])
    kept: list[tuple[float, Vector]] = []
    for height, place in tops:
        if height < tops[0][0] - NEGLIGIBLE or len(kept) == MOST_MODES:
            break
        if all(np.linalg.norm(place - other) > APART for _, other in kept):
            kept.append((height, place))
    return Modes(np.array([place for _, place in kept]), np.array([height for height, _ in kept]))
