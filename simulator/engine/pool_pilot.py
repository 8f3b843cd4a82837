"""The pilot of a pool's importance sampling: it finds the loss to aim at and the laws to draw from.

A run aims at the loss that is exceeded with probability 1 - level. Plain paths do not reach it, so
the pilot climbs: each stage draws from the laws of the stage before, estimates the highest level
that it sees often enough, and aims its laws there (`pool_laws`). The last stage is a test:
proposals whose weights degenerate, or that gain nothing, are given up for plain sampling, and the
run says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.engine.pool import PreparedPool
from simulator.engine.pool_laws import LANES, SEEN, PilotPaths, aimed_at, draw_paths, is_settled
from simulator.engine.pool_proposal import Proposal, costs_of, plain_proposal, tilted
from simulator.numerics.streams import stream_id

__all__ = ["Pilot", "run_pilot", "seed_of"]

Vector = NDArray[np.float64]

STAGES: Final = 8
"""At most, the test among them; each takes its part of the pilot's paths. Most levels need five."""

PATHS: Final = 32_000
"""Paths of a pilot, unless the study says."""

LEAST_EFFECTIVE: Final = 100.0
"""Effective number of paths beyond the level, in the test, under which a proposal is given up."""

LARGEST_PART: Final = 0.1
"""Of an estimate, that one path may make up in the test."""

LEAST_GAIN: Final = 2.0
"""Variance of plain sampling over that of the proposal: tilted paths take more time each."""

MOST_OF_ALL: Final = 0.98  # of what all names together cost
LEAST_PART: Final = 1e-4  # of it, that is worth aiming at


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


def rounded(loss: float) -> float:
    """Round an aim to a few digits, so that the last bits of sums do not decide about a run."""
    return float(f"{loss:.6g}")
