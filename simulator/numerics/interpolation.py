"""Curves given at points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.jit import kernel

__all__ = ["piecewise_linear"]


@kernel
def piecewise_linear(x: float, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> float:
    """Return the value at x of the line through points, flat beyond the first and last.

    Parameters
    ----------
    x : float
        Where to read the curve.
    xs : ndarray of float64, shape (point,)
        Abscissae, at least one, non-decreasing. Of equal ones, a jump, the last counts
        from there on.
    ys : ndarray of float64, shape (point,)
        Values there.

    Returns
    -------
    float
        In the unit of ``ys``; nan for nan.
    """
    if x != x:
        return x
    last = xs.shape[0] - 1
    if x < xs[0]:
        return float(ys[0])
    if x >= xs[last]:
        return float(ys[last])
    left = 0
    right = last
    while right - left > 1:  # xs[left] <= x < xs[right]
        middle = (left + right) // 2
        if x >= xs[middle]:
            left = middle
        else:
            right = middle
    weight = (x - xs[left]) / (xs[right] - xs[left])
    return float((1.0 - weight) * ys[left] + weight * ys[right])
