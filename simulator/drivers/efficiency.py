"""Efficiency breakthroughs, with a rebound that matures (Jevons).

A breakthrough cuts the compute that a task needs by a fraction s of the affected scope.  Use rises
in answer: with a short-run elasticity at once and a long-run one in time, so that the net effect on
demand for compute starts negative and may end positive.

    Delta(t) = sum over breakthroughs of w (1 - elasticity(age)),   w = scope ln(1 - s) < 0

Model: docs/model.md §4; `eff.*`, evidence section 2 (algorithmic progress, DeepSeek January 2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta as beta_law

from simulator.drivers.draws import beta_at_normal, normals
from simulator.drivers.shocks import E
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normal_pairs, fill_uniform_pairs
from simulator.numerics.quantiles import beta_quantile_table_ab
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

LONG_RUN_SD = 0.15
HALF_LIFE_SD = 0.4  # of log
SENTIMENT_MONTHLY_DECAY = 2.0**-0.5  # halves in two months
LOG_2 = 0.6931471805599453


class EfficiencyParams(NamedTuple):
    """Frozen inputs."""

    hazard: float  # per year
    size_table: NDArray[np.float64]  # s, quantile table
    scope_low: float
    scope_high: float
    elasticity_short: float
    elasticity_long: float  # mean over paths
    half_life: float  # months, median over paths
    sentiment: float  # log price
    sentiment_sd: float
    enabled: bool
    streams: NDArray[np.uint64]  # (3,): event, path, sentiment


@row_names
class EfficiencyRows(NamedTuple):
    """Rows of `EfficiencyState.rows`."""

    permanent: int  # A
    transient: int  # B
    sentiment: int  # Y, spot only
    elasticity_long: int  # of this path
    decay: int  # of the transient part per month
    probability: int  # of a breakthrough in a month


EFFICIENCY = EfficiencyRows(*range(6))


class EfficiencyState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of EFFICIENCY, ...)


@lru_cache(maxsize=256)
def beta_from_mean_and_q95(mean: float, q95: float) -> tuple[float, float]:
    """Return (a, b) of the Beta law with this mean and 95% point (base: 2.481, 4.608)."""

    def gap(log_n: float) -> float:
        n = np.exp(log_n)
        return float(beta_law.ppf(0.95, mean * n, (1.0 - mean) * n)) - q95

    n = float(np.exp(brentq(gap, np.log(0.5), np.log(1e5), xtol=1e-14, rtol=1e-14)))
    return mean * n, (1.0 - mean) * n


def pack_efficiency(parameters: Mapping[str, float], *, enabled: bool) -> EfficiencyParams:
    """Return the packed driver; disabled (or centred), nothing ever breaks through."""
    a, b = beta_from_mean_and_q95(parameters["eff.size.mean"], parameters["eff.size.q95"])
    return EfficiencyParams(
        hazard=parameters["eff.lambda"] if enabled else 0.0,
        size_table=beta_quantile_table_ab(a, b),
        scope_low=parameters["eff.scope.min"],
        scope_high=parameters["eff.scope.max"],
        elasticity_short=parameters["eff.e_sr"],
        elasticity_long=parameters["eff.e_lr"],
        half_life=parameters["eff.half_life"],
        sentiment=parameters["eff.sentiment"],
        sentiment_sd=parameters["eff.sentiment_sd"],
        enabled=enabled,
        streams=stream_id_array(["efficiency.event", "efficiency.path", "efficiency.sentiment"]),
    )


def new_efficiency(lanes: int) -> EfficiencyState:
    """Return state for a block."""
    return EfficiencyState(np.zeros((len(EFFICIENCY), lanes)))


@inner
def init_efficiency(params, state, seed, paths, first, second):
    """Reset a block to t0 and draw each path's long-run elasticity and half-life."""
    state.rows[:] = 0.0
    start = np.int64(0)
    fill_normal_pairs(seed, paths, params.streams[1], start, first, second)
    for lane in range(paths.shape[0]):
        state.rows[EFFICIENCY.elasticity_long, lane] = (
            params.elasticity_long + LONG_RUN_SD * first[lane]
        )
        half_life = params.half_life * exp(HALF_LIFE_SD * second[lane])
        state.rows[EFFICIENCY.decay, lane] = exp(-LOG_2 / half_life)


@inner
def breakthrough(params, state, lane, size, scope):
    """Add one breakthrough of this size (fraction of compute saved) and scope to a lane."""
    saved = scope * log(1.0 - size)
    long_run = state.rows[EFFICIENCY.elasticity_long, lane]
    state.rows[EFFICIENCY.permanent, lane] += saved * (1.0 - long_run)
    state.rows[EFFICIENCY.transient, lane] += saved * (long_run - params.elasticity_short)


@inner
def step_efficiency(params, state, seed, paths, month, shocks, easing_event, first, second):
    """Advance one month; `easing_event` (lane,) adds the breakthrough of an easing event."""
    for lane in range(paths.shape[0]):
        state.rows[EFFICIENCY.transient, lane] *= state.rows[EFFICIENCY.decay, lane]
        state.rows[EFFICIENCY.sentiment, lane] *= SENTIMENT_MONTHLY_DECAY
    if params.hazard > 0.0:
        fill_uniform_pairs(seed, paths, params.streams[0], month, first, second)
        for lane in range(paths.shape[0]):
            if first[lane] < state.rows[EFFICIENCY.probability, lane]:
                size = beta_at_normal(params.size_table, shocks[E, lane])
                scope = params.scope_low + second[lane] * (params.scope_high - params.scope_low)
                breakthrough(params, state, lane, size, scope)
                z, _ = normals(seed, paths[lane], params.streams[2], month)
                state.rows[EFFICIENCY.sentiment, lane] += params.sentiment + params.sentiment_sd * z
    for lane in range(paths.shape[0]):
        if params.enabled and easing_event[lane] > 0.0:
            breakthrough(params, state, lane, 0.5, 0.5)
