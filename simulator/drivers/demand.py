"""Compute demand and its air pockets.

Log demand grows along a planned path with an autoregressive residual and a response to prices.
An air pocket is a Poisson event that holds growth at a fraction (perhaps negative) of its trend
for some quarters; part of what was lost comes back over two years, the rest never.

    g(t) = g_path(t) m(t) + e(t) - price_resp (q(t-1) - q_ref(t-1))
    L(t) = L(t-1) + g(t)/12 + rebound(t)

Model: docs/model.md §3; `dem.*`, evidence section 1 (capex cycles 2015-2026, telecom 2001-03).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import beta_at_normal, normals
from simulator.drivers.shocks import D
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.processes import monthly_event_probability
from simulator.numerics.quantiles import beta_quantile_table
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

PERSISTENCE = 0.5  # of the growth residual
DURATION_SD = 0.45  # of log duration
SHORTEST_POCKET = 9.0  # months
REBOUND_MONTHS = 24.0
REBOUND_SD = 0.2


class DemandParams(NamedTuple):
    """Frozen inputs."""

    growth: NDArray[np.float64]  # (year,), log per year
    residual_scale: float  # sd of the monthly innovation of e, log per year
    price_response: float  # per year
    pocket_hazard: float  # per year
    pocket_overbuild: float  # sensitivity of the hazard to slack
    pocket_quarters: float  # median duration
    trough: NDArray[np.float64]  # (3,) triangular min, mode, max: fraction of trend
    onset_months: float
    rebound_table: NDArray[np.float64]  # share that returns, quantile table
    streams: NDArray[np.uint64]  # (2,): pocket, shape


@row_names
class DemandRows(NamedTuple):
    """Rows of `DemandState.rows`."""

    level: int  # log demand, 0 at t0
    residual: int
    multiplier: int  # m, 1 outside pockets
    trough: int
    months_left: int
    lost: int  # log demand lost in the running pocket
    rebound: int  # log demand per month that comes back
    rebound_left: int  # months
    arrived: int  # 1 in the month a pocket arrives
    prior: int  # multiplier of the hazard
    probability: int  # of a pocket in a month, while overbuild has no part in it


DEMAND = DemandRows(*range(11))


class DemandState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of DEMAND, ...)


def residual_scale(sigma: float) -> float:
    """Return the monthly scale that gives sd[L(12)] = sigma: 12 sigma / 6.43."""
    gains = [(1.0 - PERSISTENCE**k) / (1.0 - PERSISTENCE) for k in range(1, 13)]
    return float(12.0 * sigma / np.sqrt(np.sum(np.square(gains))))


def growth_path(parameters: Mapping[str, float]) -> NDArray[np.float64]:
    """Return planned log growth by model year."""
    return np.array([parameters[f"dem.g_path.{year}"] for year in range(2027, 2033)])


def pack_demand(
    parameters: Mapping[str, float], *, enabled: bool, centred: bool = False
) -> DemandParams:
    """Return the packed driver; disabled or centred, demand follows its path."""
    active = enabled and not centred
    return DemandParams(
        growth=growth_path(parameters),
        residual_scale=residual_scale(parameters["dem.sigma"]) if active else 0.0,
        price_response=parameters["dem.price_resp"] if active else 0.0,
        pocket_hazard=parameters["dem.ap_lambda"] if active else 0.0,
        pocket_overbuild=parameters["dem.ap_beta"],
        pocket_quarters=parameters["dem.ap_dur"],
        trough=np.array([parameters[f"dem.ap_mult.{part}"] for part in ("min", "mode", "max")]),
        onset_months=parameters["dem.ap_onset"],
        rebound_table=beta_quantile_table(parameters["dem.ap_rebound"], REBOUND_SD),
        streams=stream_id_array(["demand.pocket", "demand.shape"]),
    )


def new_demand(lanes: int) -> DemandState:
    """Return state for a block."""
    return DemandState(np.zeros((len(DEMAND), lanes)))


@inner
def init_demand(state):
    """Reset a block to t0."""
    state.rows[:] = 0.0
    state.rows[DEMAND.multiplier] = 1.0
    state.rows[DEMAND.trough] = 1.0


@inner
def triangular(low: float, mode: float, high: float, u: float) -> float:
    """Return the triangular law's quantile at u."""
    if high <= low:
        return mode
    if u < (mode - low) / (high - low):
        return low + np.sqrt(u * (high - low) * (mode - low))
    return high - np.sqrt((1.0 - u) * (high - low) * (high - mode))


@inner
def pocket_arrives(params, state, seed, path, lane, month, u_trough):
    """Start a pocket, or deepen and prolong the one that is running."""
    z_duration, _ = normals(seed, path, params.streams[1], month)
    trough = triangular(params.trough[0], params.trough[1], params.trough[2], u_trough)
    months = max(
        SHORTEST_POCKET, np.ceil(3.0 * params.pocket_quarters * exp(DURATION_SD * z_duration))
    )
    state.rows[DEMAND.arrived, lane] = 1.0
    if state.rows[DEMAND.months_left, lane] > 0.0:
        state.rows[DEMAND.trough, lane] = min(state.rows[DEMAND.trough, lane], trough)
        state.rows[DEMAND.months_left, lane] = max(state.rows[DEMAND.months_left, lane], months)
    else:
        state.rows[DEMAND.trough, lane] = trough
        state.rows[DEMAND.months_left, lane] = months
        state.rows[DEMAND.lost, lane] = 0.0


@inner
def pocket_month(params, state, seed, path, lane, month, planned):
    """Run one month of a pocket; at its end start the rebound."""
    trough = state.rows[DEMAND.trough, lane]
    multiplier = max(
        trough, state.rows[DEMAND.multiplier, lane] - (1.0 - trough) / params.onset_months
    )
    state.rows[DEMAND.multiplier, lane] = multiplier
    state.rows[DEMAND.lost, lane] += planned * (1.0 - multiplier) / 12.0
    state.rows[DEMAND.months_left, lane] -= 1.0
    if state.rows[DEMAND.months_left, lane] <= 0.0:
        _, z_rebound = normals(seed, path, params.streams[1], month)
        returns = beta_at_normal(params.rebound_table, z_rebound) * state.rows[DEMAND.lost, lane]
        outstanding = state.rows[DEMAND.rebound, lane] * state.rows[DEMAND.rebound_left, lane]
        state.rows[DEMAND.rebound, lane] = (outstanding + returns) / REBOUND_MONTHS
        state.rows[DEMAND.rebound_left, lane] = REBOUND_MONTHS


@inner
def step_demand(
    params, state, seed, paths, month, shocks, tightness, price_surprise, first, second
):
    """Advance one month.

    Parameters
    ----------
    shocks : (9, lane), this month's systemic normals
    tightness, price_surprise : (lane,), x and q - q_ref of the month before
    first, second : (lane,), scratch
    """
    lanes = paths.shape[0]
    planned = params.growth[min((month - 1) // 12, params.growth.shape[0] - 1)]
    state.rows[DEMAND.arrived, :] = 0.0
    if params.pocket_hazard > 0.0:
        fill_uniform_pairs(seed, paths, params.streams[0], month, first, second)
        for lane in range(lanes):
            probability = state.rows[DEMAND.probability, lane]
            if params.pocket_overbuild != 0.0:
                slack = max(0.0, -tightness[lane])
                hazard = params.pocket_hazard * state.rows[DEMAND.prior, lane]
                probability = monthly_event_probability(
                    hazard * exp(params.pocket_overbuild * slack)
                )
            if first[lane] < probability:
                pocket_arrives(params, state, seed, paths[lane], lane, month, second[lane])
    for lane in range(lanes):
        returning = (
            state.rows[DEMAND.rebound, lane] if state.rows[DEMAND.rebound_left, lane] > 0.0 else 0.0
        )
        state.rows[DEMAND.rebound_left, lane] = max(
            0.0, state.rows[DEMAND.rebound_left, lane] - 1.0
        )
        if state.rows[DEMAND.months_left, lane] > 0.0:
            pocket_month(params, state, seed, paths[lane], lane, month, planned)
        else:
            state.rows[DEMAND.multiplier, lane] = 1.0
        state.rows[DEMAND.residual, lane] = (
            PERSISTENCE * state.rows[DEMAND.residual, lane]
            + params.residual_scale * shocks[D, lane]
        )
        growth = (
            planned * state.rows[DEMAND.multiplier, lane]
            + state.rows[DEMAND.residual, lane]
            - params.price_response * price_surprise[lane]
        )
        state.rows[DEMAND.level, lane] += growth / 12.0 + returning
