"""The pilot of importance sampling: a few stages of paths that find where the losses are.

The first stage explores: some paths as the model draws them, some with one name's default made
likely, some with a worse credit cycle, so that a tail which hangs on a single rare default is seen
at all.  Each later stage draws by the mixture fitted so far.  All stages are pooled, every path
weighted by the density that the stages together drew it from (Veach and Guibas 1995), and the
mixture is fitted once more.

Paths of a pilot have numbers that no run uses.  A pilot that finds no tail, or foretells no gain,
leaves plain sampling, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engine.sampling.cross_entropy import (
    effective_number,
    fit_proposal,
    second_moment,
)
from simulator.engine.sampling.proposal import Proposal

__all__ = ["FIRST_PATH", "Found", "Simulate", "explorer", "find_proposal", "plain"]

Vector = NDArray[np.float64]
Simulate = Callable[[Proposal, NDArray[np.int64]], tuple[Vector, Vector]]
"""Runs numbered paths under a proposal: coordinates (coordinate, path) and losses (path,)."""

FIRST_PATH: Final = 1 << 44
"""Number of a pilot's first path, beyond those of any run."""

STAGE_PATHS: Final = (4096, 4096, 4096)
"""Paths of the stages if the study does not say how many."""

MASSES: Final = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
"""Tails that a stage may aim at, the widest first."""

TOLD_BY: Final = 200.0
"""Effective number of paths that a tail must have in the pilot to be fitted to."""

LEAST_GAIN: Final = 1.5
"""Foretold ratio of plain variance to variance below which paths are drawn plainly."""

DEFAULT_SHIFT: Final = -2.5
FACTOR_SHIFTS: Final = {"Z": -0.6, "C": -0.4, "D": -0.2}


class Found(NamedTuple):
    """What a pilot found.

    Attributes
    ----------
    proposal : Proposal
        Plain, if there is nothing to gain.
    note : str
        What it is, or why it is plain.
    gain : float
        Foretold variance of plain sampling over that of the proposal; 1 if it is plain.
    paths : int
        Of the pilot.
    """

    proposal: Proposal
    note: str
    gain: float
    paths: int


def plain(coordinates: int) -> Proposal:
    """Return the proposal that is the model itself."""
    return Proposal(np.ones(1), np.zeros((1, coordinates)))


def explorer(names: tuple[str, ...]) -> Proposal:
    """Return the law of the first stage.

    Parameters
    ----------
    names : tuple of str
        Of the coordinates (`coordinate_names`).
    """
    count = len(names)
    own = [row for row, name in enumerate(names) if name.startswith("name ")]
    shifts = np.zeros((2 + len(own), count))
    for part, row in enumerate(own):
        shifts[1 + part, row] = DEFAULT_SHIFT
    for row, name in enumerate(names):
        if name.startswith("shock "):
            shifts[-1, row] = FACTOR_SHIFTS.get(name.split(",")[0][-1], 0.0)
    shares = np.array([0.4, *[0.3 / max(1, len(own))] * len(own), 0.3])
    return Proposal(shares / shares.sum(), shifts)


def find_proposal(
    simulate: Simulate,
    names: tuple[str, ...],
    level: float,
    defensive_share: float,
    paths: int = 0,
) -> Found:
    """Find a proposal for the expected shortfall of a loss.

    Parameters
    ----------
    simulate : callable
        Runs numbered paths under a proposal.
    names : tuple of str
        Of the coordinates.
    level : float
        Of the shortfall, such as 0.999.
    defensive_share : float
        Share of paths that the model draws itself.
    paths : int
        Of the pilot, over its three stages; 0 for 12,288.

    Returns
    -------
    Found
        The same for the same study and seed.
    """
    third = max(1, paths // 3)
    sizes = STAGE_PATHS if paths == 0 else (third, third, third)
    pool = Pool()
    proposal, first = explorer(names), FIRST_PATH
    for size in sizes:
        numbers = np.arange(first, first + size, dtype=np.int64)
        pool.add(proposal, *simulate(proposal, numbers))
        first += size
        terms = pool.tail(1.0 - level)
        if terms is None:
            note = "plain sampling: the pilot saw too few losses to learn where the tail is"
            return Found(plain(len(names)), note, 1.0, sum(sizes))
        proposal = fit_proposal(pool.coordinates, pool.weights(), terms, defensive_share)
    return judged(pool, proposal, level, names, sum(sizes))


def judged(
    pool: Pool, proposal: Proposal, level: float, names: tuple[str, ...], paths: int
) -> Found:
    """Keep a proposal if it foretells a gain."""
    weights, terms = pool.weights(), pool.terms(1.0 - level)
    square = float(np.mean(weights * terms)) ** 2
    drawn_plainly = second_moment(plain(len(names)), pool.coordinates, weights, terms) - square
    drawn_so = second_moment(proposal, pool.coordinates, weights, terms) - square
    gain = drawn_plainly / drawn_so if drawn_so > 0.0 else 0.0
    if not gain >= LEAST_GAIN:
        note = "plain sampling: the pilot foretold no gain from drawing the tail more often"
        return Found(plain(len(names)), note, 1.0, paths)
    parts = proposal.shares.size - 1
    note = f"{parts} shift{'s' if parts > 1 else ''} for the tail beyond {100 * level:g}%"
    return Found(proposal, note, gain, paths)


class Pool:
    """Paths of all stages so far, as drawn from the mixture of their proposals."""

    def __init__(self) -> None:
        self.proposals: list[Proposal] = []
        self.sizes: list[int] = []
        self.coordinates: Vector = np.zeros((0, 0))
        self.losses: Vector = np.zeros(0)

    def add(self, proposal: Proposal, coordinates: Vector, losses: Vector) -> None:
        """Put the paths of a stage beside those of the stages before."""
        before = self.coordinates if self.proposals else coordinates[:, :0]
        self.coordinates = np.concatenate([before, coordinates], axis=1)
        self.losses = np.concatenate([self.losses, losses])
        self.proposals.append(proposal)
        self.sizes.append(losses.size)

    def weights(self) -> Vector:
        """Return likelihood ratios (path,) of the model to what all stages drew from."""
        density = np.zeros(self.losses.size)
        for proposal, size in zip(self.proposals, self.sizes, strict=True):
            density += size / self.losses.size / proposal.weights(self.coordinates)
        return 1.0 / density

    def terms(self, mass: float) -> Vector:
        """Return losses beyond the quantile with so much mass above, (L - VaR)^+ (path,)."""
        order = np.argsort(-self.losses, kind="stable")
        above = np.cumsum(self.weights()[order]) / self.losses.size
        place = min(int(np.searchsorted(above, mass * (1.0 - 1e-12))), order.size - 1)
        return np.maximum(self.losses - self.losses[order[place]], 0.0)

    def tail(self, least: float) -> Vector | None:
        """Return terms of the narrowest tail that is wide enough to be fitted to, if any is.

        Parameters
        ----------
        least : float
            Mass of the tail that is wanted; no narrower one is taken.
        """
        found = None
        for mass in (*(one for one in MASSES if one > least), least):
            terms = self.terms(mass)
            if effective_number(self.weights() * terms) < TOLD_BY:
                break
            found = terms
        return found
