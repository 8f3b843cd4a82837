"""Counting values into bins, and adding them up exactly, in one compiled pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.jit import kernel

__all__ = ["BINS", "EXPONENTS", "tally"]

BINS = 2048
"""Bins of equal width between the edges of a row; one more on either side for the rest."""

EXPONENTS = 256

SIGNIFICAND = 0x7FFFFF
LEADING_ONE = 0x800000


@kernel
def tally(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    low: NDArray[np.float64],
    width: NDArray[np.float64],
    counts: NDArray[np.uint32],
    sums: NDArray[np.int64],
) -> Any:
    """Add values to histograms and to exact sums.

    Parameters
    ----------
    values : ndarray (rows, paths)
        NaN counts for nothing.
    bits : ndarray (rows, paths)
        The same memory as integers.
    low, width : ndarray (rows,)
        Lower edge of the first bin, and the width of every bin.
    counts : ndarray (rows, BINS + 2), written
        Values below the edges, in each bin, above the edges.
    sums : ndarray (rows, EXPONENTS), written
        Sum of signed significands by exponent: integers, so that the order of adding is nothing.
    """
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if value != value:
                continue
            position = (value - low[row]) / width[row]
            if position < 0.0:
                slot = 0
            elif position >= BINS:
                slot = BINS + 1
            else:
                slot = 1 + int(position)
            counts[row, slot] += 1
            pattern = bits[row, column]
            exponent = (pattern >> 23) & 0xFF
            significand = np.int64(pattern & SIGNIFICAND)
            if exponent > 0:
                significand += LEADING_ONE
            if pattern < 0:
                significand = -significand
            sums[row, exponent] += significand
