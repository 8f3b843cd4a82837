"""The memory cycle: shortage, balance, glut.

A semi-Markov chain whose spells pass `shape` sub-stages drives the drift and volatility of the
memory price.  It moves the capex of undelivered equipment, delays deliveries when a shortage
starts, slows the world's supply and, through replacement cost, moves rents of installed GPUs.

    c(t) = 1 + capex_share passthru (e^Mem(t) - 1),   F(t) = b ln c(t-1)

Model: docs/model.md §6; `mem.*`, evidence section 3 (DRAM contract prices 2020-2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.shocks import M
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

BALANCED, SHORTAGE, GLUT = 0.0, 1.0, 2.0
STEEP_GLUT_MONTHS = 8.0
SHORTAGE_SPEED = 0.9  # of world supply
CAPEX_LAG = 3  # months between the memory price and the price of a delivered server


class MemoryParams(NamedTuple):
    """Frozen inputs."""

    start: float  # state at t0
    exit_probability: NDArray[np.float64]  # (state,), of a sub-stage per month
    stages: float
    glut_probability: float  # after balance
    drift: NDArray[np.float64]  # (4,): balanced, shortage, glut at first, glut later; per month
    volatility: NDArray[np.float64]  # (state,), monthly
    cost_share: float  # capex_share x passthru
    rent_beta_shortage: float
    rent_beta_glut: float
    enabled: bool
    fixed_cost: float  # cost factor while the driver is off: 1, or that of a stress case
    streams: NDArray[np.uint64]  # (1,)


@row_names
class MemoryRows(NamedTuple):
    """Rows of `MemoryState.rows`."""

    regime: int
    stage: int
    spell_months: int
    log_price: int
    shortage_starts: int  # 1 in the month a shortage starts
    rent: int  # F(t)
    log_cost: int  # ln c(t)


MEMORY = MemoryRows(*range(7))


class MemoryState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of MEMORY, ...)
    cost_factor: NDArray[np.float64]  # (CAPEX_LAG + 1, lane): c(t), c(t-1), ...


def pack_memory(
    parameters: Mapping[str, float], *, enabled: bool, fixed_cost: float = 1.0
) -> MemoryParams:
    """Return the packed driver; disabled or centred, memory stays balanced at its price.

    `fixed_cost` is the factor on undelivered capex while the driver is off.
    """
    p = parameters
    stages = p["mem.shape"]
    means = np.array([p["mem.dur_bal"], p["mem.dur_short"], p["mem.dur_glut"]])
    sigma = np.array([p["mem.sigma.balanced"], p["mem.sigma.shortage"], p["mem.sigma.glut"]])
    return MemoryParams(
        start=float(p["mem.start"]) if enabled else BALANCED,
        exit_probability=stages / means,
        stages=stages,
        glut_probability=p["mem.p_bal_to_glut"],
        drift=np.array(
            [
                p["mem.mu.balanced"],
                p["mem.mu.shortage"],
                p["mem.mu.glut_first_8_months"],
                p["mem.mu.glut_after"],
            ]
        ),
        volatility=sigma / np.sqrt(12.0),
        cost_share=p["mem.capex_share"] * p["mem.passthru"],
        rent_beta_shortage=p["mem.rent_beta_short"],
        rent_beta_glut=p["mem.rent_beta_glut"],
        enabled=enabled,
        fixed_cost=1.0 if enabled else fixed_cost,
        streams=stream_id_array(["memory.regime"]),
    )


def new_memory(lanes: int) -> MemoryState:
    """Return state for a block."""
    return MemoryState(np.zeros((len(MEMORY), lanes)), np.ones((CAPEX_LAG + 1, lanes)))


@inner
def init_memory(params, state):
    """Reset a block to t0; a shortage at t0 counts as starting there."""
    state.rows[:] = 0.0
    state.rows[MEMORY.regime] = params.start
    state.rows[MEMORY.stage] = 1.0
    state.rows[MEMORY.shortage_starts] = 1.0 if params.start == SHORTAGE else 0.0
    state.cost_factor[:] = params.fixed_cost
    state.rows[MEMORY.log_cost] = log(params.fixed_cost)


@inner
def enter_regime(state, lane, regime):
    """Move a lane into the first sub-stage of a regime."""
    state.rows[MEMORY.regime, lane] = regime
    state.rows[MEMORY.stage, lane] = 1.0
    state.rows[MEMORY.spell_months, lane] = 0.0
    if regime == SHORTAGE:
        state.rows[MEMORY.shortage_starts, lane] = 1.0


@inner
def step_memory(params, state, seed, paths, month, shocks, easing_event, first, second):
    """Advance one month; `easing_event` (lane,) turns the market into a glut."""
    state.rows[MEMORY.shortage_starts, :] = 0.0
    if not params.enabled:
        return
    lanes = paths.shape[0]
    fill_uniform_pairs(seed, paths, params.streams[0], month, first, second)
    leave_balanced, leave_shortage, leave_glut = (
        params.exit_probability[0],
        params.exit_probability[1],
        params.exit_probability[2],
    )
    for lane in range(lanes):
        regime = state.rows[MEMORY.regime, lane]
        p = leave_shortage if regime == SHORTAGE else leave_balanced
        p = leave_glut if regime == GLUT else p
        state.rows[MEMORY.stage, lane] += 1.0 if first[lane] < p else 0.0
    for lane in range(lanes):
        if state.rows[MEMORY.stage, lane] > params.stages:
            if state.rows[MEMORY.regime, lane] != BALANCED:
                enter_regime(state, lane, BALANCED)
            elif second[lane] < params.glut_probability:
                enter_regime(state, lane, GLUT)
            else:
                enter_regime(state, lane, SHORTAGE)
        if easing_event[lane] > 0.0:
            state.rows[MEMORY.shortage_starts, lane] = 0.0
            enter_regime(state, lane, GLUT)
    for lag in range(CAPEX_LAG, 0, -1):
        for lane in range(lanes):
            state.cost_factor[lag, lane] = state.cost_factor[lag - 1, lane]
    drift_balanced, drift_shortage, drift_steep, drift_late = (
        params.drift[0],
        params.drift[1],
        params.drift[2],
        params.drift[3],
    )
    sd_balanced, sd_shortage, sd_glut = (
        params.volatility[0],
        params.volatility[1],
        params.volatility[2],
    )
    for lane in range(lanes):
        regime = state.rows[MEMORY.regime, lane]
        months = state.rows[MEMORY.spell_months, lane] + 1.0
        state.rows[MEMORY.spell_months, lane] = months
        in_shortage, in_glut = regime == SHORTAGE, regime == GLUT
        drift = drift_shortage if in_shortage else drift_balanced
        drift_glut = drift_steep if months <= STEEP_GLUT_MONTHS else drift_late
        drift = drift_glut if in_glut else drift
        sd = sd_shortage if in_shortage else sd_balanced
        sd = sd_glut if in_glut else sd
        state.rows[MEMORY.log_price, lane] += drift + sd * shocks[M, lane]
    for lane in range(lanes):
        before = state.rows[MEMORY.log_cost, lane]
        elasticity = params.rent_beta_shortage if before > 0.0 else params.rent_beta_glut
        state.rows[MEMORY.rent, lane] = elasticity * before
        cost = 1.0 + params.cost_share * (exp(state.rows[MEMORY.log_price, lane]) - 1.0)
        state.cost_factor[0, lane] = cost
        state.rows[MEMORY.log_cost, lane] = log(cost)
