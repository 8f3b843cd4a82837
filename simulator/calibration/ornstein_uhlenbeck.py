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
ALIKE = 9
"""Decimals of a year to which steps of one length agree."""


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


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the steps of equal length, from which every kappa takes its least squares.

    With u = 1 - e^(-kappa h), y(t+h) - e^(-kappa h) y(t) = (y(t+h) - y(t)) + u y(t): squares and
    products of changes and values, summed once, give the regression for any kappa.

    Parameters
    ----------
    times
        When.
    gaps, counts : array (gap,)
        Lengths of steps, and how many there are of each.
    crossed : array (3, gap, column, column + series)
        Products of D with D and with y: change by change, change by value both ways, value by
        value.
    squares : array (3, gap, series)
        The same of y with itself.
    first : array (column + series,)
        First row of D and y.
    level : array (column, series)
        Coefficients of D that were taken out of y before, to keep digits.
    """

    times: Times
    gaps: Array
    counts: Array
    crossed: Array
    squares: Array
    first: Array
    level: Array

    @classmethod
    def of(cls, times: Times, values: Array) -> Moments:
        """Return the sums of series (time, series) seen at the same times."""
        level = np.asarray(np.linalg.lstsq(times.design, values, rcond=None)[0], np.float64)
        rest = values - times.design @ level
        every = np.column_stack([times.design, rest])
        _, places, kinds = np.unique(
            times.gaps.round(ALIKE), return_index=True, return_inverse=True
        )
        crossed, squares = [], []
        for kind in range(len(places)):
            here = kinds == kind
            value, change = every[:-1][here], np.diff(every, axis=0)[here]
            columns = slice(0, times.design.shape[1])
            d, dd = value[:, columns], change[:, columns]
            y, dy = value[:, columns.stop :], change[:, columns.stop :]
            crossed.append([dd.T @ change, dd.T @ value + d.T @ change, d.T @ value])
            squares.append([(dy * dy).sum(axis=0), 2 * (dy * y).sum(axis=0), (y * y).sum(axis=0)])
        return cls(
            times=times,
            gaps=times.gaps[places],
            counts=np.bincount(kinds).astype(float),
            crossed=np.stack(crossed, axis=1),
            squares=np.stack(squares, axis=1),
            first=every[0],
            level=level,
        )


def profile(moments: Moments, kappa: float) -> tuple[Array, Array, Array]:
    """Return log-likelihood, sigma and b at their best for a kappa.

    Parameters
    ----------
    moments
        Of many series.
    kappa
        Per year.

    Returns
    -------
    log_likelihood, sigma : array (series,)
    coefficients : array (column, series)
    """
    g = transition(kappa, moments.gaps)[1]
    u = -np.expm1(-kappa * moments.gaps)
    weights = np.stack([1 / g, u / g, u * u / g])
    crossed = np.tensordot(weights, moments.crossed, 2)
    squares = np.tensordot(weights, moments.squares, 2)
    jacobian = -0.5 * float(moments.counts @ np.log(g))
    count, columns = float(moments.counts.sum()), len(crossed)
    if moments.times.stationary:
        first = moments.first
        crossed = crossed + 2 * kappa * np.outer(first[:columns], first)
        squares = squares + 2 * kappa * first[columns:] ** 2
        jacobian += 0.5 * float(np.log(2 * kappa))
        count += 1
    coefficients = np.linalg.solve(crossed[:, :columns], crossed[:, columns:])
    left = squares - np.sum(crossed[:, columns:] * coefficients, axis=0)
    variance = np.maximum(left / count, 1e-300)
    heights = jacobian - 0.5 * count * (np.log(2.0 * np.pi * variance) + 1.0)
    return heights, np.sqrt(variance), coefficients + moments.level


def fit(times: Times, values: Array) -> Fit:
    """Fit one series (time,) to the last digit."""
    moments, nodes = Moments.of(times, values[:, None]), times.nodes
    heights = [float(profile(moments, float(kappa))[0][0]) for kappa in nodes]
    best = int(np.argmax(heights))
    low, high = nodes[max(0, best - 1)], nodes[min(NODES - 1, best + 1)]
    found = minimize_scalar(
        lambda log_kappa: -float(profile(moments, float(np.exp(log_kappa)))[0][0]),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    kappa = float(np.exp(found.x))
    _, sigma, coefficients = profile(moments, kappa)
    return Fit(kappa, float(sigma[0]), coefficients[:, 0])


def fit_many(times: Times, values: Array) -> Fit:
    """Fit many series (time, series) at once; kappa is refined by a parabola between nodes."""
    moments, nodes = Moments.of(times, values), times.nodes
    found = [profile(moments, float(kappa)) for kappa in nodes]
    heights, sigmas, coefficients = (np.stack(part) for part in zip(*found, strict=True))
    best = np.clip(heights.argmax(axis=0), 1, NODES - 2)
    series = np.arange(values.shape[1])
    left, middle, right = (heights[best + step, series] for step in (-1, 0, 1))
    curve = left - 2.0 * middle + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1.0), 0.0)
    step = np.log(nodes[1] / nodes[0])
    kappa = nodes[best] * np.exp(step * np.clip(shift, -1.0, 1.0))
    # sigma and b bend little between nodes: those of the nearest node do
    return Fit(kappa, sigmas[best, series], coefficients[best, :, series].T)


def log_likelihood(
    times: Times, values: Array, kappa: float, sigma: float, coefficients: Array
) -> float:
    """Return the exact log-likelihood of a series (time,)."""
    if kappa <= 0 or sigma <= 0:
        return -np.inf
    deviation = values - times.design @ coefficients
    decay, g = transition(kappa, times.gaps)
    variance = sigma**2 * g
    steps = deviation[1:] - decay * deviation[:-1]
    if times.stationary:
        steps = np.concatenate([deviation[:1], steps])
        variance = np.concatenate([[sigma**2 / (2.0 * kappa)], variance])
    return -0.5 * float(np.sum(steps**2 / variance + np.log(2.0 * np.pi * variance)))


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
