"""How a run draws its paths, as its workers carry it: coordinates and weights of a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.steering import SteeringParams
from simulator.engine.sampling.proposal import Proposal

__all__ = ["Importance", "Sampler"]


class Sampler(Protocol):
    """Chooses coordinates of paths; may be pickled."""

    @property
    def steering(self) -> SteeringParams:
        """Which coordinates it chooses."""

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

    def draw(
        self, seed: int, paths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coordinates and likelihood ratios."""
        return self.proposal.draw(seed, paths)
