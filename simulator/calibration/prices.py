"""Rental prices: trend, mean reversion and volatility of the log price, and whether it jumps.

    ln P(t) = a + delta t + X(t),   dX = -kappa X dt + sigma dW

`gpu.spot_*` or `gpu.ctr_*` of the model (docs/model.md §8) are kappa and sigma of X. The trend is
told, not written: in one series it is the sum of `gpu.delta`, generation steps and whatever demand
and supply did in those years. For the same reason sigma is that of all movements about the trend,
of which the model gives X only a part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.calibration.estimates import Estimated, digits, parameter
from simulator.calibration.grid_bootstrap import GridBootstrap, Intervals
from simulator.calibration.jumps import JumpTest, jump_test
from simulator.calibration.ornstein_uhlenbeck import (
    Fit,
    Moments,
    Times,
    fit,
    fit_covariance,
    profile,
)
from simulator.calibration.result import Calibration
from simulator.calibration.series import Series, read_series
from simulator.config.parameters import parameter_table

Array = NDArray[np.float64]

KINDS: Final = {"spot": "gpu.spot", "contract": "gpu.ctr"}
LEAST: Final = 6
"""Fewest prices: four numbers are fitted."""
LEAST_FOR_JUMPS: Final = 24
SAMPLES: Final = 999
JUMP_SAMPLES: Final = 199
CURVE_NODES: Final = 81


@dataclass(frozen=True, kw_only=True)
class PriceCalibration(Calibration):
    """A calibration of prices, with what its figure shows.

    Parameters
    ----------
    series
        The prices, USD per GPU-hour.
    trend : array (time,)
        Fitted trend of the log price.
    sd
        Stationary standard deviation about it.
    kappas, heights : array (node,)
        Profile log-likelihood of kappa, 0 at its maximum.
    interval : (low, high)
        95% interval of kappa.
    jumps
        The test, None if the series is too short for it.
    """

    series: Series
    trend: Array
    sd: float
    kappas: Array
    heights: Array
    interval: tuple[float, float]
    jumps: JumpTest | None


def calibrate_prices(
    path: str | Path,
    column: str | None = None,
    *,
    kind: str = "spot",
    samples: int = SAMPLES,
    seed: int = 1,
) -> PriceCalibration:
    """Fit a series of prices.

    Parameters
    ----------
    path
        CSV: a month or day in the first column, prices in USD per GPU-hour in others.
    column
        Column of prices; may be left out if there is one only.
    kind : {"spot", "contract"}
        Which parameters take the estimates.
    samples
        Number of simulated series behind each interval.
    seed
        Of their generator: the same seed gives the same intervals.

    Returns
    -------
    PriceCalibration

    Raises
    ------
    ConfigError
        If the file is wrong; it holds every problem found.

    Examples
    --------
    >>> from simulator.calibration import calibrate_prices
    >>> print(calibrate_prices("prices.csv", "H100"))  # doctest: +SKIP
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected {' or '.join(KINDS)}, got {kind!r}")
    series = read_series(path, column, least=LEAST)
    years, logs = series.years, np.log(series.values)
    design = np.column_stack([np.ones_like(years), years - years.mean()])
    times = Times(years, design, stationary=True)
    fitted = fit(times, logs)
    found = GridBootstrap(times, logs, fitted, samples, seed).intervals()
    jumps = None
    if len(logs) >= LEAST_FOR_JUMPS:
        jumps = jump_test(times, logs, fitted, min(samples, JUMP_SAMPLES), seed)
    kappas, heights = _profile_curve(times, logs)
    return PriceCalibration(
        kind="prices",
        data=str(series),
        observations=len(logs),
        estimates=_estimates(KINDS[kind], times, logs, fitted, found, jumps),
        remarks=tuple(_remarks(KINDS[kind], series, fitted, found, jumps)),
        series=series,
        trend=design @ fitted.coefficients,
        sd=float(fitted.sigma) / math.sqrt(2 * float(fitted.kappa)),
        kappas=kappas,
        heights=heights,
        interval=found.kappa,
        jumps=jumps,
    )


def _estimates(
    family: str,
    times: Times,
    logs: Array,
    fitted: Fit,
    found: Intervals,
    jumps: JumpTest | None,
) -> tuple[Estimated, ...]:
    variance = np.diag(fit_covariance(times, logs, fitted))
    errors = np.sqrt(np.where(variance > 0, variance, np.nan))
    kappa, sigma = float(fitted.kappa), float(fitted.sigma)
    low, high = found.coefficients[1]
    numbers = [
        parameter(f"{family}_kappa", kappa, float(errors[0]), *found.kappa),
        parameter(f"{family}_sigma", sigma, float(errors[1]), *found.sigma),
        parameter(
            "gpu.delta",
            float(fitted.coefficients[1]),
            float(errors[3]),
            float(low),
            float(high),
            written=False,
        ),
    ]
    if jumps is not None and jumps.supported:
        units = {"sigma": "log/yr", "intensity": "1/yr", "mean": "log", "sd": "log"}
        numbers += [
            Estimated(
                id="sigma between jumps" if name == "sigma" else f"jump {name}",
                value=float(value[0]),
                se=float(error),
                unit=units[name],
                written=False,
            )
            for (name, value), error in zip(
                jumps.fitted._asdict().items(), jumps.errors, strict=True
            )
        ]
    return tuple(numbers)


def _remarks(
    family: str, series: Series, fitted: Fit, found: Intervals, jumps: JumpTest | None
) -> Iterator[str]:
    kappa, base = float(fitted.kappa), parameter_table()[f"{family}_kappa"].base
    shortest, longest = (_half_life(one) for one in reversed(found.kappa))
    yield (
        f"Half-life of a deviation: {_half_life(kappa)} ({shortest} to {longest}),"
        f" {_half_life(base)} at the base value; the sample spans"
        f" {digits(12 * series.span, 2)} months."
    )
    value, expected = digits(kappa, 2), digits(found.expected, 2)
    if found.unbiased == 0:
        yield (
            f"Short samples overstate {family}_kappa: without any return to trend the mean"
            f" estimate would be {expected}, so {value} does not show one."
        )
    else:
        yield (
            f"Short samples overstate {family}_kappa: estimates like {value} are usual (median)"
            f" where it is {digits(found.unbiased, 2)}; their mean is then {expected}."
        )
    if found.kappa[1] == 0:
        yield "No kappa makes this series usual: it bends about its trend, and does not revert."
    yield (
        "gpu.delta is told, not written: the trend of one series is the sum of ageing, generation"
        " steps and scarcity."
    )
    yield (
        f"{family}_sigma is that of this series about its trend: a list moves less than trades, and"
        " the median of a few sellers moves when one of them comes or goes."
    )
    yield _jumps_in_words(series, jumps)


def _half_life(kappa: float) -> str:
    if kappa == 0:
        return "no return at all"
    return f"{digits(12 * math.log(2) / kappa, 2)} months"


def _jumps_in_words(series: Series, jumps: JumpTest | None) -> str:
    if jumps is None:
        return f"Jumps: not tested, fewer than {LEAST_FOR_JUMPS} prices."
    test = f"likelihood ratio {digits(jumps.ratio)}, p = {digits(jumps.p_value, 2)}"
    if not jumps.supported:
        return f"Jumps: the series does not support them ({test} from {jumps.samples} simulations)."
    number = float(jumps.fitted.intensity[0]) * series.span
    return (
        f"Jumps: a normal law is too thin for this series ({test}), but that rests on about"
        f" {number:.1f} jumps in {digits(series.span, 2)} years. No parameter takes them: the"
        " model's jumps come from its events (docs/model.md §3, §4)."
    )


def _profile_curve(times: Times, logs: Array) -> tuple[Array, Array]:
    """Return the profile log-likelihood of kappa, less its maximum, wide enough for the figure."""
    moments, nodes = Moments.of(times, logs[:, None]), times.nodes
    kappas = np.geomspace(nodes[0], nodes[-1], CURVE_NODES)
    heights = np.array([float(profile(moments, float(one))[0][0]) for one in kappas])
    return kappas, heights - heights.max()
