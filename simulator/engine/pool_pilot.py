"""The pilot of a pool's importance sampling: it finds the loss to aim at and the laws to draw from.

A run aims at the loss that is exceeded with probability 1 - level. Plain paths do not reach it, so
the pilot climbs: each stage draws from the laws of the stage before, estimates the highest level
that it sees often enough, and finds the modes of the pool there (`pool_modes`). Shares and shifts
are then moved by the cross-entropy method: to the shares and means of the factors on the paths that
matter, weighted by their likelihood ratios and by what they add to the expected shortfall. The last
stage is a test: proposals whose weights degenerate, or that gain nothing, are given up for plain
sampling, and the run says so.

References
----------
R. Y. Rubinstein, D. P. Kroese (2004), "The Cross-Entropy Method", Springer, chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engine.pool import PreparedPool
from simulator.engine.pool_modes import APART, Modes, find_modes
from simulator.engine.pool_proposal import Proposal, costs_of, plain_proposal, tilted
from simulator.numerics.streams import stream_id

__all__ = ["Pilot", "PilotPaths", "aimed_at", "draw_paths", "run_pilot", "seed_of"]

Vector = NDArray[np.float64]

STAGES: Final = 8
"""At most, the test among them; each takes its part of the pilot's paths. Most levels need five."""

MOST_LAWS: Final = 32
PATHS: Final = 32_000
"""Paths of a pilot, unless the study says."""

SEEN: Final = 50.0
"""Effective number of paths beyond a level that a stage must see to aim there."""

LEAST_EFFECTIVE: Final = 100.0
"""Effective number of paths beyond the level, in the test, under which a proposal is given up."""

LARGEST_PART: Final = 0.1
"""Of an estimate, that one path may make up in the test."""

LEAST_GAIN: Final = 2.0
"""Variance of plain sampling over that of the proposal: tilted paths take more time each."""

STARTS: Final = 24
FAR: Final = 3.0  # standard deviations
MOST_OF_ALL: Final = 0.98  # of what all names together cost
LEAST_PART: Final = 1e-4  # of it, that is worth aiming at
ROUNDS: Final = 3
DECIMALS: Final = 4
"""Of shares and shifts: any serve, and rounded ones do not depend on how a machine adds up."""

LEAST_SHARE: Final = 0.02
MOST_JOINED: Final = 5
DOMINANT: Final = 0.01
"""Of the second moment of an estimate, in one path, that calls for a law of its own."""

LANES: Final = 128


class PilotPaths(NamedTuple):
    """Paths as the pilot sees them."""

    loss: Vector  # (path,), USD m
    weight: Vector  # (path,)
    factors: NDArray[np.float64]  # (path, factor), the mixing normal last
    regime: Vector  # (path,), hazard of the common regime, integrated to H


@dataclass(frozen=True)
class Pilot:
    """What a pilot found.

    Attributes
    ----------
    proposal : Proposal
        The laws to draw from; only the model's own, if importance sampling was given up.
    note : str
        What the run aims at, or why it was given up.
    used : bool
        Whether paths are drawn by importance sampling.
    """

    proposal: Proposal
    note: str
    used: bool

    def to_json(self) -> dict[str, Any]:
        """Return it in JSON's own types, as the folder of a run keeps it."""
        return {
            "method": "importance" if self.used else "plain",
            "note": self.note,
            "proposal": self.proposal.to_json(),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Pilot:
        """Read it back."""
        used = plain["method"] == "importance"
        return cls(Proposal.from_json(plain["proposal"]), plain["note"], used)

    def applied(self, prepared: PreparedPool) -> PreparedPool:
        """Return a pool that draws its paths so; plainly, with weights of 1, if it was given up."""
        if self.used:
            return tilted(prepared, self.proposal)
        return replace(prepared, weighted=True)


def seed_of(seed: int, stage: int) -> int:
    """Return the seed of a stage of the pilot: its paths are none of the run's."""
    return stream_id(f"pilot.{seed}.{stage}") >> 1


def draw_paths(prepared: PreparedPool, proposal: Proposal, seed: int, count: int) -> PilotPaths:
    """Draw paths 0..count - 1 of a seed from a proposal."""
    pool = tilted(prepared, proposal)
    loss, weight, regime = np.empty(count), np.empty(count), np.empty(count)
    factors = np.empty((count, proposal.shifts.shape[1]))
    states: dict[int, Any] = {}
    for first in range(0, count, LANES):
        lanes = min(LANES, count - first)
        state = states.setdefault(lanes, pool.state(lanes))
        numbers = np.arange(first, first + lanes, dtype=np.int64)
        outputs = pool.outputs(lanes)
        pool.run_block(state, seed, numbers, outputs, 0)
        here = slice(first, first + lanes)
        loss[here], weight[here] = outputs.fields.book_loss, outputs.fields.weight
        factors[here], regime[here] = state.fields.factors.T, state.fields.regime[-1]
    return PilotPaths(loss, weight, factors, regime)


def run_pilot(
    prepared: PreparedPool, seed: int, level: float, plain_share: float, paths: int = 0
) -> Pilot:
    """Find the laws to draw from.

    Parameters
    ----------
    prepared : PreparedPool
        The pool.
    seed : int
        Of the run.
    level : float
        Of the expected shortfall that is wanted.
    plain_share : float
        Share of paths that are drawn plainly.
    paths : int
        Of the pilot; 0: as many as are enough for most pools.
    """
    count = max(LANES, (paths or PATHS) // STAGES)
    costs = costs_of(prepared)
    cheapest = costs.default[costs.default > 0.0].min(initial=np.inf)
    least = float(cheapest if np.isfinite(cheapest) else LEAST_PART * costs.total)
    proposal, aimed = plain_proposal(prepared), 0
    for stage in range(STAGES - 1):
        drawn = draw_paths(prepared, proposal, seed_of(seed, stage), count)
        aim, reached = aim_of(drawn, level)
        aim = rounded(max(aim, least))  # something is lost
        if not aim < MOST_OF_ALL * costs.total:
            return given_up(prepared, "its level is beyond all that names may cost together")
        settled = stage > 0 and is_settled(drawn, aim)
        proposal = aimed_at(prepared, drawn, aim, plain_share, proposal)
        aimed = aimed + 1 if reached and stage > 0 else 0
        if aimed > 1 and settled:
            break
    test = draw_paths(prepared, proposal, seed_of(seed, STAGES), count)
    fault = fault_of(test, level) if aimed > 1 else "its pilot did not reach the level"
    if fault:
        return given_up(prepared, fault)
    return Pilot(proposal, note_of(proposal, level), used=True)


def given_up(prepared: PreparedPool, why: str) -> Pilot:
    """Return to plain sampling."""
    note = f"importance sampling was given up, and paths were drawn plainly: {why}"
    return Pilot(plain_proposal(prepared), note, used=False)


def note_of(proposal: Proposal, level: float) -> str:
    """Say what a run aims at, and what it is not for."""
    modes = proposal.shares.size - 1
    laws = "one shifted law" if modes == 1 else f"{modes} shifted laws"
    return (
        f"aimed at the {level:.10g} level of the pool's loss, {proposal.target:.4g} USD m, with"
        f" {laws}; {proposal.shares[0]:.0%} of paths are plain, and what lies below the level"
        " rests on little more than these: use a plain run for it"
    )


def tail_of(drawn: PilotPaths) -> tuple[Vector, Vector, Vector]:
    """Return losses from the highest down, their weights, and the chance of each or more."""
    order = np.argsort(-drawn.loss, kind="stable")
    weight = drawn.weight[order]
    return drawn.loss[order], weight, np.cumsum(weight) / weight.size


def effective(weight: Vector) -> float:
    """Return Kish's effective number of paths."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0.0 else 0.0


def aim_of(drawn: PilotPaths, level: float) -> tuple[float, bool]:
    """Return the loss at the level, or the highest that is seen often enough, and which it is."""
    loss, weight, chance = tail_of(drawn)
    seen = np.cumsum(weight) ** 2 / np.cumsum(weight * weight)
    at_level = int(np.searchsorted(chance, 1.0 - level))
    enough = int(np.searchsorted(np.maximum.accumulate(seen), SEEN))
    place = min(max(at_level, enough), loss.size - 1)
    return float(loss[place]), at_level >= enough


def fault_of(test: PilotPaths, level: float) -> str:
    """Say what is wrong with the weights of a test; nothing if they serve."""
    loss, weight, chance = tail_of(test)
    threshold = loss[min(int(np.searchsorted(chance, 1.0 - level)), loss.size - 1)]
    beyond = weight[loss >= threshold]
    if effective(beyond) < LEAST_EFFECTIVE:
        return (
            f"its weights degenerate, with {effective(beyond):.0f} effective paths beyond the"
            f" level in a test of {loss.size:,}"
        )
    excess = np.maximum(0.0, loss - threshold)
    parts = weight * excess
    largest = float(parts.max()) / float(parts.sum()) if parts.any() else 0.0
    if largest > LARGEST_PART:
        return f"one path in a test of {loss.size:,} makes up {largest:.0%} of the shortfall"
    tilted_square, plain_square = float(parts @ parts), float(weight @ excess**2)
    square = float(parts.sum()) ** 2 / loss.size
    if plain_square - square < LEAST_GAIN * (tilted_square - square):
        return "it would save less than the time that tilted paths cost"
    return ""


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


def rounded(loss: float) -> float:
    """Round an aim to a few digits, so that the last bits of sums do not decide about a run."""
    return float(f"{loss:.6g}")


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
