"""The memory cycle from a monthly price index: lengths of spells, drifts, volatilities.

Fits the chain of `regimes` and names its numbers as the model does (`mem.*`, docs/model.md §6).
`mem.shape` is taken as given: spells are too few to tell how dispersed they are. Errors come from
the observed information in logs of lengths and volatilities, the logit of the probability, and
drifts as they are; intervals are symmetric on those scales.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from simulator.calibration.curvature import covariance
from simulator.calibration.estimates import Estimated, parameter
from simulator.calibration.regimes import REGIMES, Chain, Model, filtered, fit, smoothed
from simulator.calibration.result import Calibration
from simulator.calibration.series import Series, read_series
from simulator.config.errors import ConfigError, Problem
from simulator.config.parameters import parameter_table

Array = NDArray[np.float64]

LEAST: Final = 49
"""Fewest prices: four years of changes for eleven numbers."""
ITERATIONS: Final = 2000
TOLERANCE: Final = 1e-7
FEW: Final = 5
"""Spells of one kind below which their mean length rests on too little."""
NORMAL: Final = 1.96

LENGTHS: Final = ("mem.dur_bal", "mem.dur_short", "mem.dur_glut")
DRIFT_IDS: Final = tuple(
    f"mem.mu.{name}" for name in ("balanced", "shortage", "glut_first_8_months", "glut_after")
)
VOLATILITIES: Final = tuple(f"mem.sigma.{name}" for name in REGIMES)


class Spell(NamedTuple):
    """A run of months in one regime: the most likely one of each month."""

    regime: int
    first: int
    months: int


@dataclass(frozen=True, kw_only=True)
class MemoryCalibration(Calibration):
    """A calibration of the memory cycle, with what its figure shows.

    Parameters
    ----------
    series
        The index.
    probabilities : array (month, 3)
        Of balance, shortage and glut given all months; the first month is that of the first
        change.
    spells
        Runs of the most likely regime.
    """

    series: Series
    probabilities: Array
    spells: tuple[Spell, ...]


def calibrate_memory(
    path: str | Path, column: str | None = None, *, shape: int | None = None
) -> MemoryCalibration:
    """Fit an index of memory prices.

    Parameters
    ----------
    path
        CSV: every month in the first column, an index or price of memory in others.
    column
        Column of the index; may be left out if there is one only.
    shape
        Sub-stages of a spell; the base value of `mem.shape` if it is left out.

    Returns
    -------
    MemoryCalibration

    Raises
    ------
    ConfigError
        If the file is wrong, or shows no three regimes.
    """
    series = read_series(path, column, least=LEAST, monthly=True)
    moves = np.diff(np.log(series.values))
    chain = Chain.of(round(parameter_table()["mem.shape"].base) if shape is None else shape)
    model = fit(chain, moves, iterations=ITERATIONS, tolerance=TOLERANCE)
    if model is None:
        raise ConfigError([_no_cycle(series)])
    states, _ = smoothed(filtered(chain, model, moves))
    probabilities = states[0] @ np.eye(3)[chain.regime]
    spells = tuple(spells_of(probabilities))
    return MemoryCalibration(
        kind="memory",
        data=str(series),
        observations=len(moves),
        estimates=_estimates(chain, model, moves),
        remarks=tuple(_remarks(series, probabilities, spells, chain.stages)),
        series=series,
        probabilities=probabilities,
        spells=spells,
    )


def spells_of(probabilities: Array) -> Iterator[Spell]:
    """Yield the runs of the most likely regime."""
    first = 0
    for regime, run in groupby(probabilities.argmax(axis=1).tolist()):
        months = len(list(run))
        yield Spell(regime, first, months)
        first += months


def _no_cycle(series: Series) -> Problem:
    return Problem(
        series.file,
        series.column,
        "shortages that rise faster than balanced months, and gluts that fall",
        "no such three regimes",
        "giving a longer index",
    )


def vector_of(model: Model) -> Array:
    """Return the first model as numbers without bounds (11,)."""
    return np.concatenate(
        [
            np.log(model.lengths[0]),
            [logit(model.glut_share[0])],
            model.drifts[0],
            np.log(model.volatilities[0]),
        ]
    )


def models_of(points: Array) -> Model:
    """Return the models of many vectors (point, 11)."""
    return Model(
        lengths=np.exp(points[:, :3]),
        glut_share=expit(points[:, 3]),
        drifts=points[:, 4:8],
        volatilities=np.exp(points[:, 8:]),
    )


def _estimates(chain: Chain, model: Model, moves: Array) -> tuple[Estimated, ...]:
    at = vector_of(model)
    steps = np.full(len(at), 0.01)
    steps[4:8] = 0.01 * moves.std()

    def surface(points: Array) -> Array:
        return filtered(chain, models_of(points), moves).log_likelihood

    variance = np.diag(covariance(surface, at, steps))
    errors = np.sqrt(np.where(variance > 0, variance, np.nan))
    reach = NORMAL * np.where(np.isnan(errors), np.inf, errors)
    low, high = at - reach, at + reach
    names = (*LENGTHS, "mem.p_bal_to_glut", *DRIFT_IDS, *VOLATILITIES)
    return tuple(
        _estimate(name, *map(float, numbers))
        for name, *numbers in zip(names, at, errors, low, high, strict=True)
    )


def _estimate(name: str, at: float, error: float, low: float, high: float) -> Estimated:
    """Return an estimate carried back to its own scale, its error by the delta method."""
    if name in DRIFT_IDS:
        return parameter(name, at, error, low, high)
    if name in (*LENGTHS, *VOLATILITIES):
        return parameter(name, math.exp(at), math.exp(at) * error, math.exp(low), math.exp(high))
    share = float(expit(at))
    return parameter(
        name, share, share * (1 - share) * error, float(expit(low)), float(expit(high))
    )


def _remarks(
    series: Series, probabilities: Array, spells: tuple[Spell, ...], stages: int
) -> Iterator[str]:
    counts = [sum(one.regime == regime for one in spells) for regime in range(3)]
    seen = ", ".join(f"{count} {name}" for count, name in zip(counts, REGIMES, strict=True))
    yield f"Spells seen: {seen}; the first and the last are cut off by the ends of the series."
    few = [name for count, name in zip(counts, REGIMES, strict=True) if count < FEW]
    if few:
        yield (
            f"Fewer than {FEW} spells of {', '.join(few)}: their mean length is little more than"
            f" the spells that happened, and its error takes mem.shape = {stages} for granted."
        )
    last = int(probabilities[-1].argmax())
    yield (
        f"In {series.dates[-1]}, the last month: {REGIMES[last]} with probability"
        f" {probabilities[-1, last]:.2f} (mem.start = {last} if that is t0; not written)."
    )
