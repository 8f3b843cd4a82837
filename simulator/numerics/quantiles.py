"""Quantile tables: a law as a function of a standard normal draw.

A draw z is mapped to the value whose probability is Φ(z), so that draws correlated as normals
keep their rank correlation. SciPy fills the table once, when a study is packed; a kernel reads it
by linear interpolation.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulator.numerics.jit import scalar

__all__ = [
    "TABLE_NODES",
    "beta_parameters",
    "beta_quantile_table",
    "beta_quantile_table_ab",
    "chi2_quantile_table",
    "gamma_quantile_table",
    "interpolate_table",
]

TABLE_NODES = 4097
"""Number of nodes of every table, evenly spaced in z on [-8, 8]."""

LOWEST = -8.0
NODES_PER_UNIT = 256.0
LAST_CELL = TABLE_NODES - 2

Table = NDArray[np.float64]


def _tails() -> tuple[Table, Table]:
    """Return Φ(z) of the nodes below zero, and 1 − Φ(z) of the others, both without loss."""
    z = np.linspace(LOWEST, -LOWEST, TABLE_NODES)
    return special.ndtr(z[z < 0.0]), special.ndtr(-z[z >= 0.0])


def beta_parameters(mean: float, sd: float) -> tuple[float, float]:
    """Return the two shape parameters of the Beta law with a given mean and standard deviation.

    Parameters
    ----------
    mean : float
        In (0, 1).
    sd : float
        Standard deviation, in (0, sqrt(mean (1 - mean))).

    Returns
    -------
    tuple of two float
        Shapes a and b, positive.

    Raises
    ------
    ValueError
        If no Beta law has these moments.

    Notes
    -----
    n = m (1 − m) / sd² − 1, a = m n, b = (1 − m) n.
    """
    if not 0.0 < mean < 1.0:
        raise ValueError(f"mean of a Beta law: expected a number in (0, 1), got {mean!r}")
    largest = math.sqrt(mean * (1.0 - mean))
    if not 0.0 < sd < largest:
        raise ValueError(
            f"standard deviation of a Beta law with mean {mean!r}: "
            f"expected a number in (0, {largest:.6g}), got {sd!r}"
        )
    n = mean * (1.0 - mean) / (sd * sd) - 1.0
    if not (n > 0.0 and math.isfinite(n)):  # sd within rounding of a limit
        raise ValueError(f"no Beta law in float64 has mean {mean!r} and standard deviation {sd!r}")
    return mean * n, (1.0 - mean) * n


def beta_quantile_table(mean: float, sd: float) -> Table:
    """Return the quantile table of the Beta law with a given mean and standard deviation.

    Parameters
    ----------
    mean : float
        In [0, 1].
    sd : float
        Standard deviation, in [0, sqrt(mean (1 - mean))).

    Returns
    -------
    ndarray of float64, shape (TABLE_NODES,)
        Non-decreasing, in [0, 1]; constant if sd is 0, or if mean is 0 or 1.

    Raises
    ------
    ValueError
        If no Beta law has these moments.
    """
    is_degenerate = sd == 0.0 and 0.0 <= mean <= 1.0
    if is_degenerate or (mean in (0.0, 1.0) and sd >= 0.0):
        return np.full(TABLE_NODES, float(mean))
    return beta_quantile_table_ab(*beta_parameters(mean, sd))


def beta_quantile_table_ab(a: float, b: float) -> Table:
    """Return the quantile table of the Beta law with given shapes.

    Parameters
    ----------
    a, b : float
        Shapes, positive.

    Returns
    -------
    ndarray of float64, shape (TABLE_NODES,)
        Non-decreasing, in [0, 1].

    Raises
    ------
    ValueError
        If a shape is not a positive number.
    """
    _require_positive("shape a of a Beta law", a)
    _require_positive("shape b of a Beta law", b)
    return _beta_nodes(a, b).copy()


@lru_cache(maxsize=256)
def _beta_nodes(a: float, b: float) -> Table:
    """Return the nodes of a Beta law: each draw of parameters packs mostly the same laws."""
    lower, upper = _tails()
    return np.concatenate(
        [special.betaincinv(a, b, lower), special.betainccinv(a, b, upper)], dtype=np.float64
    )


def gamma_quantile_table(mean: float, shape: float) -> Table:
    """Return the quantile table of the Gamma law with a given mean and shape.

    Parameters
    ----------
    mean : float
        Not negative, in the unit of the result.
    shape : float
        Shape k, positive: the coefficient of variation is 1 / sqrt(k). Infinite for no spread.

    Returns
    -------
    ndarray of float64, shape (TABLE_NODES,)
        Non-decreasing; constant if the shape is infinite.

    Raises
    ------
    ValueError
        If the mean is negative or the shape is not positive.
    """
    if not (mean >= 0.0 and math.isfinite(mean)):
        raise ValueError(f"mean of a Gamma law: expected a number >= 0, got {mean!r}")
    if shape == math.inf:
        return np.full(TABLE_NODES, float(mean))
    _require_positive("shape of a Gamma law", shape)
    lower, upper = _tails()
    standard = np.concatenate(
        [special.gammaincinv(shape, lower), special.gammainccinv(shape, upper)], dtype=np.float64
    )
    return standard * (mean / shape)


def chi2_quantile_table(nu: float) -> Table:
    """Return the quantile table of the chi-squared law.

    Parameters
    ----------
    nu : float
        Degrees of freedom, positive.

    Returns
    -------
    ndarray of float64, shape (TABLE_NODES,)
        Non-decreasing.

    Raises
    ------
    ValueError
        If nu is not a positive number.
    """
    _require_positive("degrees of freedom", nu)
    return gamma_quantile_table(nu, 0.5 * nu)


def _require_positive(what: str, value: float) -> None:
    """Raise ValueError unless a value is a positive, finite number."""
    if not (value > 0.0 and math.isfinite(value)):
        raise ValueError(f"{what}: expected a positive number, got {value!r}")


@scalar
def interpolate_table(table: Table, z: float) -> float:
    """Return the value of a quantile table at a normal draw.

    Parameters
    ----------
    table : ndarray of float64, shape (TABLE_NODES,)
        Values at the nodes, from any of the functions above.
    z : float
        Standard normal draw.

    Returns
    -------
    float
        Linear between nodes, flat beyond -8 and 8, nan for nan.
    """
    position = (z - LOWEST) * NODES_PER_UNIT
    position = position if position > 0.0 else 0.0
    position = position if position < LAST_CELL + 1.0 else LAST_CELL + 1.0
    cell = int(position)
    cell = cell if cell < LAST_CELL else LAST_CELL
    weight = position - cell
    value = (1.0 - weight) * table[cell] + weight * table[cell + 1]
    return value if z == z else z
