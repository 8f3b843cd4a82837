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
    DECIMALS,
    effective_number,
    fit_mixture,
    fit_proposal,
    second_moment,
)
from simulator.engine.sampling.proposal import Proposal

__all__ = ["FIRST_PATH", "Found", "explorer", "find_direction", "find_proposal", "plain"]

Vector = NDArray[np.float64]
Simulate = Callable[[Proposal, NDArray[np.int64]], tuple[Vector, Vector]]
"""Runs numbered paths under a proposal: coordinates (coordinate, path) and losses (path,)."""

FIRST_PATH: Final = 1 << 44
"""Number of a pilot's first path, beyond those of any run."""

STAGE_PATHS: Final = (4096, 4096, 4096)
"""Paths of the stages if the study does not say how many."""

MASSES: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Tails that a stage may aim at, the narrowest first."""

TOLD_BY: Final = 200.0
"""Effective number of paths beyond which a tail is told well enough to be aimed at."""

LEAST_TOLD: Final = 50.0
"""Effective number of paths below which nothing is fitted."""

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


def find_direction(
    simulate: Simulate, names: tuple[str, ...], level: float, paths: int = 0
) -> tuple[Vector, str]:
    """Find the combination of coordinates along which losses of the tail lie.

    Parameters
    ----------
    simulate, names, level, paths
        As `find_proposal` takes them; the pilot draws plainly.

    Returns
    -------
    direction : (coordinate,) float64
        Of length one; zero if there is none.
    note : str
        What is stratified.
    """
    size = paths or sum(STAGE_PATHS)
    pool, proposal = Pool(), plain(len(names))
    numbers = np.arange(FIRST_PATH, FIRST_PATH + size, dtype=np.int64)
    pool.add(proposal, *simulate(proposal, numbers))
    terms = pool.tail(1.0 - level)
    if terms is None:
        return np.zeros(len(names)), "plain sampling: the pilot saw too few losses"
    shift = np.round(fit_mixture(pool.coordinates, terms, 1).shifts[0], DECIMALS)
    length = float(np.sqrt(np.sum(shift * shift)))
    if length == 0.0:
        return shift, "plain sampling: losses of the pilot follow no combination of coordinates"
    return shift / length, f"{np.count_nonzero(shift)} coordinates, combined, in equal strata"


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
        """Return terms of the narrowest tail that many paths tell of, else of the best told.

        Parameters
        ----------
        least : float
            Mass of the tail that is wanted; no narrower one is taken.

        Returns
        -------
        (path,) float64 or None
            None if there are too few losses to tell of any tail.
        """
        weights, best, most = self.weights(), None, LEAST_TOLD
        for mass in (least, *(one for one in MASSES if one > least)):
            terms = self.terms(mass)
            told = effective_number(weights * terms)
            if told >= TOLD_BY:
                return terms
            if told >= most:
                best, most = terms, told
        return best
