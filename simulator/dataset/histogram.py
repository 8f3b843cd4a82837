"""Histograms by month of very many paths: integers only, so that they merge in any order.

Edges come from a pilot, the first paths of the run: they span its 0.1% to 99.9% quantiles and a
margin of 5% on either side, in 2048 bins, so that a quantile is known to better than a 1800th of
the pilot's range.  What lies outside is counted below or above; a quantile there is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.fans import Fan
from simulator.dataset.order_statistics import quantiles_at
from simulator.dataset.tally import BINS, EXPONENTS, tally

__all__ = ["Histogram"]

TAIL = 0.001
MARGIN = 0.05


@dataclass
class Histogram:
    """Counts of one variable; rows run over month and entity.

    Attributes
    ----------
    low, width : ndarray (rows,)
        Lower edge of the first bin, and the width of every bin.
    counts : ndarray (rows, BINS + 2)
        Values below the edges, in each bin, above the edges.
    sums : ndarray (rows, EXPONENTS)
        Signed significands by exponent.
    """

    low: NDArray[np.float64]
    width: NDArray[np.float64]
    counts: NDArray[np.uint32]
    sums: NDArray[np.int64]

    @classmethod
    def empty(cls, rows: int) -> Histogram:
        """Return a histogram whose edges are still to be set."""
        return cls(
            np.zeros(rows),
            np.ones(rows),
            np.zeros((rows, BINS + 2), np.uint32),
            np.zeros((rows, EXPONENTS), np.int64),
        )

    def set_edges(self, rows: slice, pilot: NDArray[np.float32]) -> None:
        """Choose the edges of some rows.

        Parameters
        ----------
        rows : slice
            Which rows.
        pilot : ndarray (rows, paths)
            Values of the pilot; sorted in place.
        """
        pilot.sort(axis=1)
        for row, values in enumerate(pilot, start=rows.start):
            finite = values[np.isfinite(values)].astype(np.float64)
            if not len(finite):
                continue
            lowest = float(finite[math.floor(TAIL * (len(finite) - 1))])
            highest = float(finite[math.ceil((1 - TAIL) * (len(finite) - 1))])
            span = (highest - lowest) or max(abs(lowest), 1.0) * 1e-6
            self.low[row] = lowest - MARGIN * span
            self.width[row] = span * (1 + 2 * MARGIN) / BINS

    def add(self, rows: slice, table: NDArray[np.float32]) -> None:
        """Count the paths of some rows.

        Parameters
        ----------
        rows : slice
            Which rows.
        table : ndarray (rows, paths)
            Their values.
        """
        tally(
            table,
            table.view(np.int32),
            self.low[rows],
            self.width[rows],
            self.counts[rows],
            self.sums[rows],
        )

    def fan(self) -> Fan:
        """Read off quantiles, by linear interpolation within a bin, and exact means."""
        rows = len(self.low)
        widest = float(self.width.max(initial=0.0))
        attributes = {"method": "histogram", "bins": BINS, "largest_bin_width": widest}
        fan = Fan.empty(rows, attributes)
        for row in range(rows):
            self._fill(fan, row)
        return fan

    def _fill(self, fan: Fan, row: int) -> None:
        running = np.cumsum(self.counts[row], dtype=np.int64)
        count = int(running[-1])
        low, width = self.low[row], self.width[row]

        def value(rank: NDArray[np.int64]) -> NDArray[np.float64]:
            slot = np.searchsorted(running, rank)
            in_slot = self.counts[row][slot].astype(np.int64)
            within = (rank - 0.5 - (running[slot] - in_slot)) / in_slot
            inside = (slot >= 1) & (slot <= BINS)
            return np.where(inside, low + (slot - 1 + within) * width, np.nan)

        fan.counts[row] = count
        fan.quantiles[:, row], fan.errors[:, row] = quantiles_at(value, count)
        if count:
            fan.means[row] = exact_mean(self.sums[row], count)


def exact_mean(sums: NDArray[np.int64], count: int) -> float:
    """Return the mean of float32 values from their significands by exponent.

    Parameters
    ----------
    sums : ndarray (EXPONENTS,)
        Sum of signed significands by biased exponent.
    count : int
        Number of values.

    Returns
    -------
    float
        Correctly rounded.
    """
    if sums[-1]:
        return math.copysign(math.inf, sums[-1])
    total = sum(int(part) << max(exponent - 1, 0) for exponent, part in enumerate(sums[:-1]))
    return float(Fraction(total, count << 149))
