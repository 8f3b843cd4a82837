"""Does a residual jump? A jump diffusion (Merton 1976) against a plain one.

    x(t+h) - e^(-kappa h) x(t) = sigma sqrt(g) e + J_1 + ... + J_N,
    N ~ Poisson(intensity h),   J ~ normal(mean, sd^2)

with kappa held at its estimate and a jump's own reversion within a step left out. The density is a
mixture over N; it is maximised by expectation-maximisation with N and the sum of jumps as what is
not seen, so every step is a closed form and never lowers the likelihood.

The likelihood ratio has no chi-squared law here (without jumps, their size means nothing), so its
law is simulated from the process without jumps, every fit repeated. The same steps on data and
simulations keep the level of the test even where the search stops short of the maximum.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.calibration.curvature import covariance
from simulator.calibration.ornstein_uhlenbeck import Fit, Times, fit_many, simulate, transition

Array = NDArray[np.float64]

MOST_JUMPS: Final = 4
"""Largest number of jumps in one step that is told apart."""
BUSIEST: Final = 0.25
"""Most jumps a step on average: more of them are no jumps but volatility."""
ITERATIONS: Final = 80
STARTS: Final = (  # jumps a step, mean and sd in standard deviations of the steps
    (0.05, 2.0, 1.0),
    (0.05, -2.0, 1.0),
    (0.15, 0.0, 2.0),
)
SIGNIFICANT: Final = 0.05


class JumpFit(NamedTuple):
    """A jump diffusion; arrays (series,) if many were fitted."""

    sigma: Array  # per square root of a year
    intensity: Array  # jumps per year
    mean: Array  # of a jump, log
    sd: Array


class JumpTest(NamedTuple):
    """Whether jumps improve the fit more than chance does.

    Parameters
    ----------
    ratio
        Likelihood ratio, twice the gain of log-likelihood.
    p_value
        Share of series without jumps that show a ratio as large.
    samples
        Number of simulated series.
    fitted
        The jump diffusion, each array (1,).
    errors : array (4,)
        Standard errors in the order of the fit; NaN where the likelihood has no peak.
    """

    ratio: float
    p_value: float
    samples: int
    fitted: JumpFit
    errors: Array

    @property
    def supported(self) -> bool:
        """Whether the series needs jumps."""
        return self.p_value < SIGNIFICANT


def innovations(times: Times, values: Array, fitted: Fit) -> tuple[Array, Array]:
    """Return the steps that reversion does not explain, and their variance for sigma 1.

    Parameters
    ----------
    times
        When.
    values : array (time, series)
        Observed.
    fitted
        Of the same series.

    Returns
    -------
    steps, g : array (time - 1, series)
    """
    deviation = values - times.design @ fitted.coefficients
    decay, g = transition(fitted.kappa, times.gaps[:, None])
    return deviation[1:] - decay * deviation[:-1], g


def log_density(steps: Array, g: Array, gaps: Array, model: JumpFit) -> Array:
    """Return the log of weight times density by number of jumps (jumps, time, series)."""
    count = np.arange(MOST_JUMPS + 1.0)[:, None, None]
    expected = np.maximum(model.intensity * gaps[:, None], 1e-12)
    weight = count * np.log(expected)
    weight = weight - np.log(np.cumsum(np.exp(weight - _log_factorial(count)), axis=0)[-1:])
    variance = model.sigma**2 * g + count * model.sd**2
    square = (steps - count * model.mean) ** 2 / variance
    weight = weight - _log_factorial(count)
    logs: Array = weight - 0.5 * (np.log(2.0 * np.pi * variance) + square)
    return logs


def log_likelihood(steps: Array, g: Array, gaps: Array, model: JumpFit) -> Array:
    """Return the log-likelihood of each series."""
    parts = log_density(steps, g, gaps, model)
    top = parts.max(axis=0)
    total: Array = (top + np.log(np.exp(parts - top).sum(axis=0))).sum(axis=0)
    return total


def improved(steps: Array, g: Array, gaps: Array, model: JumpFit) -> JumpFit:
    """Return the model after one step of expectation-maximisation."""
    parts = log_density(steps, g, gaps, model)
    share = np.exp(parts - parts.max(axis=0))
    share /= share.sum(axis=0)
    count = np.arange(MOST_JUMPS + 1.0)[:, None, None]
    diffusion, jumpy = model.sigma**2 * g, count * model.sd**2
    pull = jumpy / (diffusion + jumpy)
    jump = count * model.mean + pull * (steps - count * model.mean)  # mean of the sum of jumps
    left = pull * diffusion  # its variance
    number = (share * count).sum(axis=(0, 1))
    some = share[1:].sum(axis=(0, 1))
    mean = (share * jump).sum(axis=(0, 1)) / number
    around = ((jump - count * mean) ** 2 + left)[1:] / count[1:]
    sd = np.sqrt((share[1:] * around).sum(axis=(0, 1)) / some)
    rest = ((steps - jump) ** 2 + left) / g
    sigma = np.sqrt((share * rest).sum(axis=(0, 1)) / len(steps))
    busiest = BUSIEST / gaps.mean()
    return JumpFit(sigma, np.clip(number / gaps.sum(), 1e-6, busiest), mean, sd)


def fit_jumps(steps: Array, g: Array, gaps: Array) -> tuple[JumpFit, Array, Array]:
    """Fit many series.

    Returns
    -------
    JumpFit
        The best of all starts.
    with_jumps, without : array (series,)
        Log-likelihoods; the first is never below the second.
    """
    sigma = np.sqrt(np.mean(steps**2 / g, axis=0))
    typical = sigma * np.sqrt(g.mean(axis=0))
    none = JumpFit(sigma, np.zeros_like(sigma), np.zeros_like(sigma), typical)
    without = log_likelihood(steps, g, gaps, none)
    best, height = none, without
    for number, mean, sd in STARTS:
        rate = np.full_like(sigma, number / gaps.mean())
        model = JumpFit(0.8 * sigma, rate, mean * typical, sd * typical)
        for _ in range(ITERATIONS):
            model = improved(steps, g, gaps, model)
        reached = log_likelihood(steps, g, gaps, model)
        better = reached > height
        best = JumpFit(*(np.where(better, new, old) for new, old in zip(model, best, strict=True)))
        height = np.maximum(height, reached)
    return best, height, without


def jump_test(times: Times, values: Array, fitted: Fit, samples: int, seed: int) -> JumpTest:
    """Test a series (time,) for jumps.

    Parameters
    ----------
    times, values
        The series.
    fitted
        Its Ornstein-Uhlenbeck process, under which `samples` series are drawn.
    samples, seed
        Number of simulated series, and of the generator.
    """
    normals = np.random.default_rng(seed).standard_normal((len(values), samples))
    drawn = float(fitted.sigma) * simulate(times, float(fitted.kappa), normals)
    together = np.column_stack([values, drawn + (times.design @ fitted.coefficients)[:, None]])
    steps, g = innovations(times, together, fit_many(times, together))
    models, high, low = fit_jumps(steps, g, times.gaps)
    ratios = 2.0 * (high - low)
    own = JumpFit(*(one[:1] for one in models))
    return JumpTest(
        ratio=float(ratios[0]),
        p_value=float((1 + np.sum(ratios[1:] >= ratios[0])) / (samples + 1)),
        samples=samples,
        fitted=own,
        errors=_errors(steps[:, :1], g[:, :1], times.gaps, own),
    )


def _errors(steps: Array, g: Array, gaps: Array, model: JumpFit) -> Array:
    def surface(points: Array) -> Array:
        return log_likelihood(steps, g, gaps, JumpFit(*points.T))

    at = np.concatenate(model)
    if np.any(at[[0, 1, 3]] <= 0):  # at an edge, where curvature says nothing
        return np.full(len(at), np.nan)
    scale = np.array([at[0], at[1], at[3], at[3]])
    variance = np.diag(covariance(surface, at, 1e-3 * scale))
    errors: Array = np.sqrt(np.where(variance > 0, variance, np.nan))
    return errors


def _log_factorial(count: Array) -> Array:
    from scipy.special import gammaln

    log: Array = gammaln(count + 1.0)
    return log
