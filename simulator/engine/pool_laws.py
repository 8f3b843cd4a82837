"""Laws for the factors of a pool: at the modes of a loss, and moved from there by the paths seen.

Shares and shifts are moved by the cross-entropy method: to the shares and means of the factors on
the paths that matter, weighted by their likelihood ratios and by what they add to the expected
shortfall. A path whose weight dominates gets a law of its own.

References
----------
R. Y. Rubinstein, D. P. Kroese (2004), "The Cross-Entropy Method", Springer, chapter 2.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engine.pool import PreparedPool
from simulator.engine.pool_modes import APART, Modes, find_modes
from simulator.engine.pool_proposal import Proposal, tilted

__all__ = ["LANES", "SEEN", "PilotPaths", "aimed_at", "draw_paths", "is_settled"]

Vector = NDArray[np.float64]

LANES: Final = 128
MOST_LAWS: Final = 32
SEEN: Final = 50.0
"""Effective number of paths that a level, or a law, must have to be told by them."""

STARTS: Final = 24
FAR: Final = 3.0  # standard deviations
ROUNDS: Final = 3
DECIMALS: Final = 4
"""Of shares and shifts: any serve, and rounded ones do not depend on how a machine adds up."""

LEAST_SHARE: Final = 0.02
MOST_JOINED: Final = 5
DOMINANT: Final = 0.01
"""Of the second moment of an estimate, in one path, that calls for a law of its own."""


class PilotPaths(NamedTuple):
    """Paths as the pilot sees them."""

    loss: Vector  # (path,), USD m
    weight: Vector  # (path,)
    factors: NDArray[np.float64]  # (path, factor), the mixing normal last
    regime: Vector  # (path,), hazard of the common regime, integrated to H


def draw_paths(prepared: PreparedPool, proposal: Proposal, seed: int, count: int) -> PilotPaths:
    """Draw paths 0..count - 1 of a seed from a proposal."""
    pool = tilted(prepared, proposal)
    loss, weight, regime = np.empty(count), np.empty(count), np.empty(count)
    factors = np.empty((count, proposal.shifts.shape[1]))
    states: dict[int, Any] = {}
    for first in range(0, count, LANES):
        lanes = min(LANES, count - first)
        if lanes not in states:
            states[lanes] = pool.state(lanes)
        state = states[lanes]
        numbers = np.arange(first, first + lanes, dtype=np.int64)
        outputs = pool.outputs(lanes)
        pool.run_block(state, seed, numbers, outputs, 0)
        here = slice(first, first + lanes)
        loss[here], weight[here] = outputs.fields.book_loss, outputs.fields.weight
        factors[here], regime[here] = state.fields.factors.T, state.fields.regime[-1]
    return PilotPaths(loss, weight, factors, regime)


def aimed_at(
    prepared: PreparedPool,
    drawn: PilotPaths,
    aim: float,
    plain_share: float,
    before: Proposal,
) -> Proposal:
    """Return laws that aim at a loss: at its modes, and moved from there if the paths allow.

    Parameters
    ----------
    prepared : PreparedPool
        The pool.
    drawn : PilotPaths
        Of the stage before.
    aim : float
        Loss, USD m.
    plain_share : float
        Of the model's own law.
    before : Proposal
        That they were drawn from; if it is the model's own law alone, too few of them stand beyond
        the aim to tell more than where to look for modes.
    """
    starts, regimes = starts_of(prepared, drawn)
    modes = find_modes(prepared, aim, starts, regimes)
    shares, places = weights_of(modes), modes.places
    if before.shares.size > 1:
        shares, places = united(shares, places, before)
        shares, places = moved(drawn, aim, shares, places)
    if prepared.pool.copula_nu == 0.0:
        places[:, -1] = 0.0
    shares = np.round((1.0 - plain_share) * shares, DECIMALS)
    laws = np.concatenate([[1.0 - shares.sum()], shares])
    shifts = np.vstack([np.zeros(places.shape[1]), np.round(places, DECIMALS)])
    return Proposal(laws, shifts + 0.0, aim)


def starts_of(prepared: PreparedPool, drawn: PilotPaths) -> tuple[NDArray[np.float64], Vector]:
    """Return where to climb from: the worst paths, and against the loadings of unlike names."""
    worst = np.argsort(-drawn.loss, kind="stable")[:STARTS]
    loadings = prepared.params.loadings.T
    sizes = np.linalg.norm(loadings, axis=1)
    directions = np.unique(loadings[sizes > 0.0] / sizes[sizes > 0.0, None], axis=0)
    some = directions[np.linspace(0, len(directions) - 1, min(STARTS, len(directions))).astype(int)]
    against = np.hstack([-FAR * some, np.zeros((len(some), 1))])
    regime = drawn.regime[worst]
    return (
        np.vstack([drawn.factors[worst], against]),
        np.concatenate([regime, np.full(len(some), regime.mean())]),
    )


def weights_of(modes: Modes) -> Vector:
    """Return shares of modes by their heights."""
    shares = np.exp(modes.heights - modes.heights[0])
    normed: Vector = shares / shares.sum()
    return normed


def united(
    shares: Vector, places: NDArray[np.float64], before: Proposal
) -> tuple[Vector, NDArray[np.float64]]:
    """Put the laws of the stage before, where they are no mode, beside the modes."""
    for share, place in zip(before.shares[1:], before.shifts[1:], strict=True):
        far = np.linalg.norm(places - place, axis=1).min() > APART
        if far and len(places) < MOST_LAWS:
            places = np.vstack([places, place])
            shares = np.append(shares * (1.0 - share), share)
    return shares, places


def is_settled(drawn: PilotPaths, aim: float) -> bool:
    """Return whether no path dominates the second moment of what is estimated."""
    beyond = drawn.loss >= aim
    square = (drawn.weight[beyond] * (1.0 + worth_of(drawn.loss[beyond] - aim))) ** 2
    return bool(square.max() <= DOMINANT * square.sum())


def worth_of(excess: Vector) -> Vector:
    """Return what losses beyond the aim add to the shortfall, 1 on average."""
    mean = float(excess.mean())
    return excess / mean if mean > 0.0 else excess


def joined(
    factors: NDArray[np.float64], worth: Vector, shares: Vector, places: NDArray[np.float64]
) -> tuple[Vector, NDArray[np.float64]]:
    """Add laws at paths whose weights dominate: no mode stands near, yet bad paths go there.

    A law has no more spread than the model's; along a ridge it takes several.
    """
    square = worth**2
    for path in np.argsort(-square, kind="stable")[:MOST_JOINED]:
        far = np.linalg.norm(places - factors[path], axis=1).min() > APART
        if far and square[path] > DOMINANT * square.sum() and len(places) < MOST_LAWS:
            places = np.vstack([places, factors[path]])
            shares = np.append(shares * (1.0 - LEAST_SHARE), LEAST_SHARE)
    return shares, places


def moved(
    drawn: PilotPaths, aim: float, shares: Vector, places: NDArray[np.float64]
) -> tuple[Vector, NDArray[np.float64]]:
    """Move laws towards the paths beyond the aim, each path counted for the laws it is likely of.

    A law that few paths stand for stays at its mode, and none loses its share altogether: what
    the pilot has not seen may still be there.
    """
    beyond = drawn.loss >= aim
    factors = drawn.factors[beyond]
    worth = drawn.weight[beyond] * (1.0 + worth_of(drawn.loss[beyond] - aim))
    shares, places = joined(factors, worth, shares, places)
    for _ in range(ROUNDS):
        exponent = np.log(shares) + factors @ places.T - 0.5 * np.sum(places**2, axis=1)
        exponent -= exponent.max(axis=1, keepdims=True)
        part = np.exp(exponent)
        part *= (worth / part.sum(axis=1))[:, None]
        seen = part.sum(axis=0)
        known = seen**2 / np.maximum((part**2).sum(axis=0), 1e-300) >= SEEN
        means = (part.T @ factors) / np.maximum(seen, 1e-300)[:, None]
        places = np.where(known[:, None], means, places)
        shares = np.maximum(seen / seen.sum(), LEAST_SHARE)
        shares = shares / shares.sum()
    return shares, places
