"""SOFR: mean reversion, long-run level and volatility (Vasicek 1977) from its history.

    r(t+h) = theta + (r(t) - theta) e^(-kappa h) + sigma sqrt(g) e

is an exact regression of each value on the one before; unequal gaps enter through h. The first
value is given. Units as the model's `ir.*`: fractions per year (docs/model.md §9).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.calibration.estimates import digits, parameter
from simulator.calibration.grid_bootstrap import GridBootstrap, Intervals
from simulator.calibration.ornstein_uhlenbeck import Fit, Times, fit, fit_covariance, transition
from simulator.calibration.result import Calibration
from simulator.calibration.series import Series, read_series

Array = NDArray[np.float64]

LEAST: Final = 12
LARGEST: Final = 0.3
"""Largest rate that is a fraction: above it the values are in percent."""
SAMPLES: Final = 999
NOISY: Final = -0.15
"""Correlation of neighbouring changes below which single fixings carry noise of their own."""


@dataclass(frozen=True, kw_only=True)
class RateCalibration(Calibration):
    """A calibration of rates, with what its figure shows.

    Parameters
    ----------
    series
        The rates as read; `rates` are fractions.
    rates : array (time,)
        Fractions per year.
    mean
        theta.
    surprises : array (time - 1,)
        Steps that the fit does not expect, in standard deviations.
    """

    series: Series
    rates: Array
    mean: float
    surprises: Array


def calibrate_rates(
    path: str | Path,
    column: str | None = None,
    *,
    percent: bool = False,
    samples: int = SAMPLES,
    seed: int = 1,
) -> RateCalibration:
    """Fit a series of short rates.

    Parameters
    ----------
    path
        CSV: a month or day in the first column, rates in others.
    column
        Column of rates; may be left out if there is one only.
    percent
        Whether the file holds percent, as FRED does, rather than fractions.
    samples, seed
        Number of simulated series behind each interval, and of their generator.

    Returns
    -------
    RateCalibration

    Raises
    ------
    ConfigError
        If the file is wrong; it holds every problem found.
    """
    scale = 100.0 if percent else 1.0
    series = read_series(
        path,
        column,
        least=LEAST,
        positive=False,
        largest=LARGEST * scale,
        too_large="writing 3.64% as 3.64 with --percent, as 0.0364 without",
    )
    rates = series.values / scale
    times = Times(series.years, np.ones((len(rates), 1)), stationary=False)
    fitted = fit(times, rates)
    found = GridBootstrap(times, rates, fitted, samples, seed).intervals()
    variance = np.diag(fit_covariance(times, rates, fitted))
    errors = np.sqrt(np.where(variance > 0, variance, np.nan))
    mean = float(fitted.coefficients[0])
    decay, g = transition(float(fitted.kappa), times.gaps)
    surprises = (rates[1:] - mean - decay * (rates[:-1] - mean)) / (
        float(fitted.sigma) * np.sqrt(g)
    )
    return RateCalibration(
        kind="rates",
        data=str(series),
        observations=len(rates),
        estimates=(
            parameter("ir.kappa", float(fitted.kappa), float(errors[0]), *found.kappa),
            parameter("ir.theta", mean, float(errors[2]), *_level(found)),
            parameter("ir.sigma", float(fitted.sigma), float(errors[1]), *found.sigma),
            parameter("ir.r0", float(rates[-1]), math.nan, math.nan, math.nan),
        ),
        remarks=tuple(_remarks(series, rates, fitted, found)),
        series=series,
        rates=rates,
        mean=mean,
        surprises=surprises,
    )


def _level(found: Intervals) -> tuple[float, float]:
    """Return the interval of theta: none where the rate may have no level to return to."""
    if found.kappa[0] == 0:
        return -math.inf, math.inf
    low, high = found.coefficients[0]
    return float(low), float(high)


def _remarks(series: Series, rates: Array, fitted: Fit, found: Intervals) -> Iterator[str]:
    yield f"ir.r0 is the last value, of {series.dates[-1]}: seen, not estimated."
    half, span = digits(math.log(2) / float(fitted.kappa), 2), digits(series.span)
    yield f"Half-life of a deviation: {half} years; the sample spans {span} years."
    value = digits(float(fitted.kappa), 2)
    bias = "Mean reversion is overstated in samples of a few half-lives"
    if found.unbiased == 0:
        yield (
            f"{bias}: without any, the mean estimate would be {digits(found.expected, 2)}, so"
            f" {value} does not show it (the rate may have a unit root)."
        )
    else:
        yield (
            f"{bias}: estimates like {value} are usual (median) where it is"
            f" {digits(found.unbiased, 2)}."
        )
    if found.kappa[0] == 0:
        yield "Without mean reversion there is no long-run level, so ir.theta has no interval."
    changes = np.diff(rates)
    correlation = float(np.corrcoef(changes[1:], changes[:-1])[0, 1])
    if correlation < NOISY:
        yield (
            f"Neighbouring changes are correlated ({correlation:.2f}): noise of single fixings"
            " looks like mean reversion and volatility. Fit values of month ends or of a smoothed"
            " rate."
        )
