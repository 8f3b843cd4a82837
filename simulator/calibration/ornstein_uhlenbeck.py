"""The Ornstein-Uhlenbeck process seen at unequal times: exact likelihood, fit, simulation.

    y(t) = D(t) b + X(t),   dX = -kappa X dt + sigma dW

Between neighbouring times, h years apart, X is exactly autoregressive:

    X(t+h) = e^(-kappa h) X(t) + sigma sqrt(g) e,   g = (1 - e^(-2 kappa h)) / (2 kappa),

so a missing month is no more than a longer h: the likelihood is that of the full series with the
missing values integrated out. Given kappa, dividing by sqrt(g) leaves ordinary least squares for
b and sigma; kappa is then searched in one dimension.

The first value either has the stationary law (variance sigma^2 / 2 kappa) or is given. With it
stationary and the columns of D fitted, the law of the estimate of kappa depends on kappa and on
the times only, not on b or sigma: `grid_bootstrap` uses that.

Source of the process as a rate: Vasicek (1977); of the exact discretisation: Bergstrom (1984).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from simulator.calibration.curvature import covariance

Array = NDArray[np.float64]

NODES = 48
"""Values of kappa tried, equidistant in logs, before the search is refined."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a process was seen, and what moves its mean.

    Parameters
    ----------
    years : array (time,)
        Rising.
    design : array (time, column)
        D: ones, time and the like.
    stationary
        Whether the first value has the stationary law; else it is given.
    """

    years: Array
    design: Array
    stationary: bool

    @property
    def gaps(self) -> Array:
        """Years between neighbours (time - 1,)."""
        return np.diff(self.years)

    @property
    def nodes(self) -> Array:
        """Values of kappa to try: from a hundredth of the sample to noise between two values."""
        span = self.years[-1] - self.years[0]
        return np.geomspace(0.01 / span, 5.0 / self.gaps.min(), NODES)


class Fit(NamedTuple):
    """Maximum-likelihood estimates of one series, or of many side by side.

    Parameters
    ----------
    kappa, sigma : float or array (series,)
        Per year, per square root of a year.
    coefficients : array (column,) or (column, series)
        b.
    """

    kappa: NDArray[np.float64] | float
    sigma: NDArray[np.float64] | float
    coefficients: Array


def transition(kappa: Array | float, gaps: Array) -> tuple[Array, Array]:
    """Return e^(-kappa h) and g for gaps h."""
    rate = np.asarray(kappa)
    return np.exp(-rate * gaps), -np.expm1(-2.0 * rate * gaps) / (2.0 * rate)


def whitened(times: Times, kappa: float, columns: Array) -> tuple[Array, float]:
    """Return columns (time, ...) free of autocorrelation, and the log of the Jacobian.

    Rows are those of a regression with independent errors of variance sigma^2.
    """
    decay, g = transition(kappa, times.gaps)
    shape = (-1, *[1] * (columns.ndim - 1))
    decay, root = decay.reshape(shape), np.sqrt(g).reshape(shape)
    rows = (columns[1:] - decay * columns[:-1]) / root
    jacobian = -0.5 * float(np.log(g).sum())
    if not times.stationary:
        return rows, jacobian
    first = columns[:1] * np.sqrt(2.0 * kappa)
    return np.concatenate([first, rows]), jacobian + 0.5 * float(np.log(2.0 * kappa))


def profile(times: Times, kappa: float, values: Array) -> tuple[Array, Array, Array]:
    """Return log-likelihood, sigma and b at their best for a kappa.

    Parameters
    ----------
    times
        When.
    kappa
        Per year.
    values : array (time, series)
        Many series seen at the same times.

    Returns
    -------
    log_likelihood, sigma : array (series,)
    coefficients : array (column, series)
    """
    rows, jacobian = whitened(times, kappa, np.column_stack([times.design, values]))
    columns = times.design.shape[1]
    design, targets = rows[:, :columns], rows[:, columns:]
    basis, triangle = np.linalg.qr(design)
    loadings = basis.T @ targets
    squares = np.sum((targets - basis @ loadings) ** 2, axis=0)
    count = len(targets)
    variance = np.maximum(squares / count, 1e-300)
    log_likelihood = jacobian - 0.5 * count * (np.log(2.0 * np.pi * variance) + 1.0)
    return log_likelihood, np.sqrt(variance), np.linalg.solve(triangle, loadings)


def fit(times: Times, values: Array) -> Fit:
    """Fit one series (time,) to the last digit."""
    column = values[:, None]
    nodes = times.nodes
    heights = [float(profile(times, kappa, column)[0][0]) for kappa in nodes]
    best = int(np.argmax(heights))
    low, high = nodes[max(0, best - 1)], nodes[min(NODES - 1, best + 1)]
    found = minimize_scalar(
        lambda log_kappa: -float(profile(times, float(np.exp(log_kappa)), column)[0][0]),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    kappa = float(np.exp(found.x))
    _, sigma, coefficients = profile(times, kappa, column)
    return Fit(kappa, float(sigma[0]), coefficients[:, 0])


def fit_many(times: Times, values: Array) -> Fit:
    """Fit many series (time, series) at once; kappa is refined by a parabola between nodes."""
    nodes = times.nodes
    heights = np.stack([profile(times, float(kappa), values)[0] for kappa in nodes])
    best = np.clip(heights.argmax(axis=0), 1, NODES - 2)
    series = np.arange(values.shape[1])
    left, middle, right = (heights[best + step, series] for step in (-1, 0, 1))
    curve = left - 2.0 * middle + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1.0), 0.0)
    step = np.log(nodes[1] / nodes[0])
    kappa = nodes[best] * np.exp(step * np.clip(shift, -1.0, 1.0))
    sigma, coefficients = np.empty(len(series)), np.empty((times.design.shape[1], len(series)))
    for node in np.unique(best):  # sigma and b bend little between nodes: the nearest node's do
        chosen = best == node
        _, sigma[chosen], coefficients[:, chosen] = profile(
            times, float(nodes[node]), values[:, chosen]
        )
    return Fit(kappa, sigma, coefficients)


def log_likelihood(
    times: Times, values: Array, kappa: float, sigma: float, coefficients: Array
) -> float:
    """Return the exact log-likelihood of a series (time,)."""
    if kappa <= 0 or sigma <= 0:
        return -np.inf
    deviation = values - times.design @ coefficients
    rows, jacobian = whitened(times, kappa, deviation)
    count = len(rows)
    squares = float(rows @ rows) / sigma**2
    return float(jacobian - 0.5 * (count * np.log(2.0 * np.pi * sigma**2) + squares))


def fit_covariance(times: Times, values: Array, fitted: Fit) -> Array:
    """Return the covariance of (kappa, sigma, b...) from the observed information.

    For equal gaps and a given first value it is that of the regression of y(t+h) on y(t), carried
    over by the delta method.
    """

    def surface(points: Array) -> Array:
        return np.array([log_likelihood(times, values, at[0], at[1], at[2:]) for at in points])

    kappa, sigma = float(fitted.kappa), float(fitted.sigma)
    spread = sigma / np.sqrt(2.0 * kappa)
    scale = np.abs(times.design).max(axis=0)
    steps = np.concatenate([[1e-3 * kappa, 1e-3 * sigma], 1e-2 * spread / scale])
    return covariance(surface, np.array([kappa, sigma, *fitted.coefficients]), steps)


def simulate(times: Times, kappa: float, normals: Array, first: float | None = None) -> Array:
    """Return X with sigma 1.

    Parameters
    ----------
    times
        When.
    kappa
        Per year.
    normals : array (time, series)
        Independent standard normals; the first row is the stationary first value.
    first
        First value in units of sigma, if it is given.

    Returns
    -------
    array (time, series)
    """
    decay, g = transition(kappa, times.gaps)
    root = np.sqrt(g)
    paths = np.empty_like(normals)
    paths[0] = normals[0] / np.sqrt(2.0 * kappa) if first is None else first
    for t in range(1, len(normals)):
        paths[t] = decay[t - 1] * paths[t - 1] + root[t - 1] * normals[t]
    return paths
