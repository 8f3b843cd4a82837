"""Counting values into bins, and adding them up exactly, in one compiled pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.jit import kernel

__all__ = ["BINS", "EXPONENTS", "LIMB", "tally", "tally_weighted"]

BINS = 2048
"""Bins of equal width between the edges of a row; one more on either side for the rest."""

EXPONENTS = 256

LIMB = 52
"""Bits of the lower of the two integers that a weighted sum is kept in."""

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


@kernel
def tally_weighted(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    weights: NDArray[np.int64],
    low: NDArray[np.float64],
    width: NDArray[np.float64],
    counts: NDArray[np.int64],
    sums: NDArray[np.int64],
    paths: NDArray[np.int64],
) -> Any:
    """Add values by weight to histograms and to exact sums.

    Parameters
    ----------
    values : ndarray (rows, paths)
        NaN counts for nothing.
    bits : ndarray (rows, paths)
        The same memory as integers.
    weights : ndarray (paths,)
        Whole numbers below 2^38, so that their product with a significand fits.
    low, width : ndarray (rows,)
        Lower edge of the first bin, and the width of every bin.
    counts : ndarray (rows, BINS + 2), written
        Weights below the edges, in each bin, above the edges.
    sums : ndarray (rows, EXPONENTS, 2), written
        Sum of weights times signed significands by exponent: its lower `LIMB` bits, and the rest.
    paths : ndarray (rows,), written
        Values that are not NaN.
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
            counts[row, slot] += weights[column]
            paths[row] += 1
            pattern = bits[row, column]
            exponent = (pattern >> 23) & 0xFF
            significand = np.int64(pattern & SIGNIFICAND)
            if exponent > 0:
                significand += LEADING_ONE
            if pattern < 0:
                significand = -significand
            lower = sums[row, exponent, 0] + significand * weights[column]
            sums[row, exponent, 1] += lower >> LIMB
            sums[row, exponent, 0] = lower & ((1 << LIMB) - 1)
