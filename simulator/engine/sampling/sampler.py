"""How a run draws its paths, as its workers carry it: coordinates and weights of a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulator.drivers.steering import SteeringParams
from simulator.engine.sampling.proposal import Proposal, standard_normals
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.streams import stream_id_array

__all__ = ["Importance", "Quasi", "Sampler", "Stratified"]


SOBOL_BITS = 30
"""Of a Sobol point; half of the last bit keeps it off 0."""


class Sampler(Protocol):
    """Chooses coordinates of paths; may be pickled."""

    @property
    def steering(self) -> SteeringParams:
        """Which coordinates it chooses."""

    @property
    def weighted(self) -> bool:
        """Whether paths count by likelihood ratios; else all count the same."""

    def draw(
        self, seed: int, paths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coordinates (coordinate, path) and weights (path,) of numbered paths.

        Both depend on the seed and the number of a path alone, never on which paths share a call.
        """


@dataclass(frozen=True)
class Importance:
    """Draws from a proposal."""

    steering: SteeringParams
    proposal: Proposal

    @property
    def weighted(self) -> bool:
        """Whether paths count by likelihood ratios."""
        return True

    def draw(
        self, seed: int, paths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coordinates and likelihood ratios."""
        return self.proposal.draw(seed, paths)


@dataclass(frozen=True)
class Quasi:
    """Spreads the coordinates of each replicate evenly: Sobol points, scrambled anew each time.

    Points of a scrambled sequence are uniform one by one, so that no estimate is biased, and the
    spread between independent scramblings is the error (Owen 1997).  What is no coordinate stays
    as each path draws it.

    Attributes
    ----------
    steering : SteeringParams
        Which coordinates there are.
    size : int
        Paths of a replicate: consecutive ones; best a power of 2.
    """

    steering: SteeringParams
    size: int

    @property
    def weighted(self) -> bool:
        """Whether paths count by likelihood ratios."""
        return False

    def draw(
        self, seed: int, paths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coordinates, and weights of one."""
        from scipy.stats import qmc  # half a second, which only these runs need

        coordinates = np.empty((self.steering.rows, paths.size))
        replicates = paths // self.size
        for replicate in np.unique(replicates):
            mine = np.flatnonzero(replicates == replicate)
            points = paths[mine] - replicate * self.size
            first, count = int(points[0]), int(points[-1] - points[0]) + 1
            key = np.random.default_rng([seed, int(replicate)])
            sequence = qmc.Sobol(self.steering.rows, scramble=True, bits=SOBOL_BITS, rng=key)
            found = sequence.random(1)  # alone, else scipy warns of numbers that are no power of 2
            if first > 0:
                sequence.fast_forward(first - 1)
                found = found[:0]
            found = np.concatenate([found, sequence.random(count - len(found))])
            coordinates[:, mine] = ndtri(found[points - first] + 0.5**SOBOL_BITS / 2.0).T
        return coordinates, np.ones(paths.size)


@dataclass(frozen=True)
class Stratified:
    """Spreads one combination of the coordinates evenly: each of a group's paths in its stratum.

    Along a direction v of length one the sum v'x is standard normal; its strata have the same
    probability, a group of consecutive paths has one path in each, and groups are independent of
    each other (Glasserman, Heidelberger and Shahabuddin 1999).

    Attributes
    ----------
    steering : SteeringParams
        Which coordinates there are.
    direction : ndarray (coordinate,)
        Of length one; zero: nothing is stratified.
    strata : int
        Paths of a group.
    """

    steering: SteeringParams
    direction: NDArray[np.float64]
    strata: int

    @property
    def weighted(self) -> bool:
        """Whether paths count by likelihood ratios."""
        return False

    def draw(
        self, seed: int, paths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coordinates, and weights of one."""
        coordinates = standard_normals(self.steering.rows, seed, paths)
        within, spare = np.zeros(paths.size), np.zeros(paths.size)
        stream = stream_id_array(["sampling.stratum"])[0]
        fill_uniform_pairs(seed, paths.astype(np.uint64), stream, np.int64(0), within, spare)
        wanted = ndtri((paths % self.strata + within) / self.strata)
        for row in np.flatnonzero(self.direction):
            wanted -= self.direction[row] * coordinates[row]
        coordinates += self.direction[:, np.newaxis] * wanted
        return coordinates, np.ones(paths.size)
