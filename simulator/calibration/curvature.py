"""Standard errors from the curvature of a log-likelihood at its maximum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Surface = Callable[[Array], Array]
"""Of many points at once: (point, parameter) to (point,)."""

SINGULAR = 1e-10
"""Smallest eigenvalue of the scaled information that counts as a peak."""


def hessian(surface: Surface, at: Array, steps: Array) -> Array:
    """Return second derivatives by central differences.

    Parameters
    ----------
    surface
        The function.
    at : array (k,)
        Where.
    steps : array (k,)
        Step of each argument.

    Returns
    -------
    array (k, k)
    """
    moves = np.diag(steps)
    rows, columns = np.tril_indices(len(at))
    first, second = moves[rows], moves[columns]
    corners = np.stack([first + second, first - second, second - first, -first - second])
    heights = surface(at + corners.reshape(-1, len(at))).reshape(4, -1)
    bend = (heights[0] - heights[1] - heights[2] + heights[3]) / (4 * steps[rows] * steps[columns])
    found = np.empty((len(at), len(at)))
    found[rows, columns] = found[columns, rows] = bend
    return found


def covariance(surface: Surface, at: Array, steps: Array) -> Array:
    """Return the inverse of the observed information; NaN where the maximum is not a peak.

    Parameters
    ----------
    surface
        The log-likelihood.
    at : array (k,)
        Its maximum.
    steps : array (k,)
        Steps of the differences: about a hundredth of a standard error is right, a tenth will do.

    Returns
    -------
    array (k, k)
    """
    information = -hessian(surface, at, steps)
    unknown = np.full_like(information, np.nan)
    if not np.all(np.isfinite(information)) or np.any(np.diag(information) <= 0):
        return unknown
    scale = np.sqrt(np.diag(information))
    if np.linalg.eigvalsh(information / np.outer(scale, scale))[0] <= SINGULAR:
        return unknown
    return np.asarray(np.linalg.inv(information), np.float64)
