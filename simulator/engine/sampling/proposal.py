"""A law to draw the coordinates of paths from, in place of the model's: a mixture of shifts.

    x ~ sum_k p_k N(m_k, I),   m_0 = 0;      w(x) = 1 / sum_k p_k exp(m_k' x - |m_k|^2 / 2)

The first part is the model itself, its share p_0 the defensive one: no weight exceeds 1/p_0, so
that the variance of no estimate exceeds 1/p_0 times that of plain sampling (Hesterberg 1995).
Several shifts, because a tail may be reached in several ways, and a single shift would lose the
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.philox import fill_normals, fill_uniform_pairs
from simulator.numerics.streams import stream_id_array

__all__ = ["Proposal", "log_ratios", "standard_normals"]

Vector = NDArray[np.float64]
START = np.int64(0)


@dataclass(frozen=True)
class Proposal:
    """A mixture of shifted standard normal laws.

    Attributes
    ----------
    shares : (part,) float64
        Of the parts, > 0, summing to one; the first one is the defensive share.
    shifts : (part, coordinate) float64
        Means; the first is zero.
    """

    shares: Vector
    shifts: Vector

    def draw(self, seed: int, paths: NDArray[np.int64]) -> tuple[Vector, Vector]:
        """Draw the coordinates of paths.

        Parameters
        ----------
        seed : int
            Of all random streams.
        paths : (path,) int64
            Numbers of the paths: each draws its own, whichever others there are.

        Returns
        -------
        coordinates : (coordinate, path) float64
        weights : (path,) float64
            Likelihood ratios of the model to the proposal.
        """
        coordinates = standard_normals(self.shifts.shape[1], seed, paths)
        which, spare = np.zeros(paths.size), np.zeros(paths.size)
        numbers, stream = paths.astype(np.uint64), stream_id_array(["sampling.part"])[0]
        fill_uniform_pairs(seed, numbers, stream, START, which, spare)
        part = np.searchsorted(np.cumsum(self.shares)[:-1], which, side="right")
        coordinates += self.shifts[part].T
        return coordinates, self.weights(coordinates)

    def weights(self, coordinates: Vector) -> Vector:
        """Return likelihood ratios (path,) of the model to the proposal.

        A sum over a few parts, in order: the same bits whichever paths share a call.
        """
        density = np.zeros(coordinates.shape[1])
        for share, ratio in zip(self.shares, log_ratios(self.shifts, coordinates), strict=True):
            density += share * np.exp(ratio)
        return np.asarray(1.0 / density)

    def to_json(self) -> dict[str, Any]:
        """Return the proposal in JSON's own types; numbers survive bit for bit."""
        return {"shares": self.shares.tolist(), "shifts": self.shifts.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Proposal:
        """Read a proposal back."""
        return cls(np.array(plain["shares"]), np.array(plain["shifts"]))


def standard_normals(count: int, seed: int, paths: NDArray[np.int64]) -> Vector:
    """Draw so many independent standard normals (coordinate, path), by number of the path."""
    found, spare = np.zeros((count, paths.size)), np.zeros(paths.size)
    streams = stream_id_array(f"sampling.coordinate.{row}" for row in range(count))
    numbers = paths.astype(np.uint64)
    for row in range(count):
        fill_normals(seed, numbers, streams[row], START, found[row], spare)
    return found


def log_ratios(shifts: Vector, coordinates: Vector) -> Vector:
    """Return ln N(x; m, I)/N(x; 0, I) (part, path), summed one coordinate after another."""
    found = np.zeros((shifts.shape[0], coordinates.shape[1]))
    for part, shift in enumerate(shifts):
        for row in np.flatnonzero(shift):
            found[part] += shift[row] * (coordinates[row] - 0.5 * shift[row])
    return found
