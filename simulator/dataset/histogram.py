"""Histograms by month of very many paths: integers only, so that they merge in any order.

Edges come from a pilot, the first paths of the run: they span its 0.1% to 99.9% quantiles and a
margin of 5% on either side, in 2048 bins, so that a quantile is known to better than a 1800th of
the pilot's range.  What lies outside is counted below or above; a quantile there is NaN.

Weights of paths are counted in whole 2^-28ths, so that they too add up in any order.  Errors of
means, and those of quantiles where paths carry weights or share draws of parameters, are those of
the pilot, scaled by the root of the number of paths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.drawn import Drawn, row_of
from simulator.dataset.errors import ChunkError
from simulator.dataset.fans import Fan
from simulator.dataset.order_statistics import LEVELS, quantiles_at
from simulator.dataset.tally import BINS, EXPONENTS, LIMB, tally, tally_weighted

__all__ = ["Histogram"]

TAIL = 0.001
MARGIN = 0.05
SCALE = 1 << 28
"""Of a weight as a whole number."""

LARGEST = 1024.0
"""Weights from here on would not fit; proposals with a defensive share stay far below."""


@dataclass
class Histogram:
    """Counts of one variable; rows run over month and entity.

    Attributes
    ----------
    low, width : ndarray (rows,)
        Lower edge of the first bin, and the width of every bin.
    counts : ndarray (rows, BINS + 2)
        Values, or their weights, below the edges, in each bin, above the edges.
    sums : ndarray (rows, EXPONENTS), by weight (rows, EXPONENTS, 2)
        Signed significands by exponent, see `tally`.
    errors : ndarray (rows, levels + 1)
        Standard errors of quantiles and mean, times the root of the number of paths.
    paths : ndarray (rows,)
        Valid paths; counted only by weight.
    plain : ndarray (1,)
        Whether errors of quantiles are those of order statistics.
    """

    low: NDArray[np.float64]
    width: NDArray[np.float64]
    counts: NDArray[Any]
    sums: NDArray[np.int64]
    errors: NDArray[np.float64]
    paths: NDArray[np.int64]
    plain: NDArray[np.bool_]

    @classmethod
    def empty(cls, rows: int, *, weighted: bool = False) -> Histogram:
        """Return a histogram whose edges are still to be set."""
        return cls(
            np.zeros(rows),
            np.ones(rows),
            np.zeros((rows, BINS + 2), np.int64 if weighted else np.uint32),
            np.zeros((rows, EXPONENTS, 2) if weighted else (rows, EXPONENTS), np.int64),
            np.full((rows, len(LEVELS) + 1), np.nan),
            np.zeros(rows, np.int64),
            np.ones(1, np.bool_),
        )

    @property
    def weighted(self) -> bool:
        """Whether values count by the weight of their path."""
        return self.sums.ndim == 3

    def set_edges(
        self, rows: slice, pilot: NDArray[np.float32], drawn: Drawn | None = None
    ) -> None:
        """Choose the edges of some rows.

        Parameters
        ----------
        rows : slice
            Which rows.
        pilot : ndarray (rows, paths)
            Values of the pilot; sorted in place.
        drawn : Drawn, optional
            How its paths were drawn; plainly by default.
        """
        drawn = drawn or Drawn()
        self.plain[0] = drawn.plain
        for row, values in enumerate(pilot, start=rows.start):
            found = row_of(values, drawn)
            root = math.sqrt(found.paths)
            self.errors[row] = [*(root * found.errors), root * found.mean_error]
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

    def add(
        self, rows: slice, table: NDArray[np.float32], weights: NDArray[np.float64] | None = None
    ) -> None:
        """Count the paths of some rows.

        Parameters
        ----------
        rows : slice
            Which rows.
        table : ndarray (rows, paths)
            Their values.
        weights : ndarray (paths,), optional
            Likelihood ratios, if values count by weight.
        """
        bits, low, width = table.view(np.int32), self.low[rows], self.width[rows]
        if weights is None:
            tally(table, bits, low, width, self.counts[rows], self.sums[rows])
            return
        if weights.max(initial=0.0) >= LARGEST:
            raise ChunkError(
                f"a path weighs {weights.max():g}, expected less than {LARGEST:g}; mend by a "
                "larger share of paths that are drawn plainly"
            )
        whole = np.rint(weights * SCALE).astype(np.int64)
        counts, sums, paths = self.counts[rows], self.sums[rows], self.paths[rows]
        tally_weighted(table, bits, whole, low, width, counts, sums, paths)

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

        paths = int(self.paths[row]) if self.weighted else count
        fan.counts[row] = paths
        if not count:
            return
        if self.weighted:
            ranks = [math.ceil(Fraction(str(level)) * count) for level in LEVELS]
            fan.quantiles[:, row] = value(np.array(ranks))
            sums = [(int(upper) << LIMB) + int(lower) for lower, upper in self.sums[row]]
        else:
            fan.quantiles[:, row], fan.errors[:, row] = quantiles_at(value, count)
            sums = self.sums[row].tolist()
        fan.means[row] = exact_mean(sums, count)
        *errors, fan.mean_errors[row] = self.errors[row] / math.sqrt(paths)
        if not self.plain[0]:
            fan.errors[:, row] = np.where(np.isnan(fan.quantiles[:, row]), np.nan, errors)


def exact_mean(sums: Sequence[int], count: int) -> float:
    """Return the mean of float32 values from their significands by exponent.

    Parameters
    ----------
    sums : sequence of int, EXPONENTS of them
        Sum of signed significands, or of weights times them, by biased exponent.
    count : int
        Number of values, or sum of weights.

    Returns
    -------
    float
        Correctly rounded.
    """
    if sums[-1]:
        return math.copysign(math.inf, sums[-1])
    total = sum(part << max(exponent - 1, 0) for exponent, part in enumerate(sums[:-1]))
    return float(Fraction(total, count << 149))
