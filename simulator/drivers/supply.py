"""Supply: committed capacity, orders with a build lag, cancellations, retirement.

High prices bring orders that arrive a year and a half later, a glut defers and cancels what is on
order, and old generations leave when their cash margin is gone.  That is the cobweb.

    x(t) = x0 + L_a(t) - K(t) - captive(t)                 tightness, log
    orders(t) = planned growth(t + lag)/12 exp(clip(resp gap(t-1), -2, 1))

Model: docs/model.md §7; `sup.*`, evidence section 6 (build lags, completion of announced capacity).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import beta_at_normal
from simulator.drivers.memory import SHORTAGE, SHORTAGE_SPEED
from simulator.drivers.steering import completion_row, place_coordinate
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normals
from simulator.numerics.quantiles import beta_quantile_table
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

COMPLETION_SD = 0.1
COMMITTED_MONTHS = 24
PIPELINE_STAGES = 4
GAP_MONTHS = 12
CANCEL_AFTER_MONTHS = 6.0
RETIRE_AFTER_MONTHS = 6.0
SUPPLY_FACTOR_WEIGHT = 0.1
EASING_FACTOR = 1.3


class SupplyParams(NamedTuple):
    """Frozen inputs."""

    committed: NDArray[np.float64]  # (2,), log per year, first and second twelve months
    completion_table: NDArray[np.float64]  # share completed / reference share
    planned_growth: NDArray[np.float64]  # (year,), planners' growth at reference parameters
    lag: float  # months
    response: float
    defer: float
    cancel: float
    start_tightness: float  # x0
    gap_start: float  # beta x0
    retire_generation: NDArray[np.int64]  # (group,), index of the price, -1 = none
    retire_share: NDArray[np.float64]  # (group,), of the world stock at t0
    enabled: bool
    path_tightness: NDArray[np.float64]  # (month,), x of a stress case; empty: the market clears
    streams: NDArray[np.uint64]  # (1,)


@row_names
class SupplyRows(NamedTuple):
    """Rows of `SupplyState.rows`."""

    capacity: int  # K, log, 0 at t0
    waiting: int  # committed, not yet built
    completion: int  # c_K
    gap: int  # mean of the ring
    negative_months: int
    tightness: int  # x
    speed: int  # of deliveries this month
    moved: int  # delivered this month out of what waited


SUPPLY = SupplyRows(*range(8))


class SupplyState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of SUPPLY, ...)
    pipeline: NDArray[np.float64]  # (stage, lane)
    gap_values: NDArray[np.float64]  # (GAP_MONTHS, lane), ring
    margin_months: NDArray[np.float64]  # (group, lane), months below the cash floor; -1 = retired


def pack_supply(
    parameters: Mapping[str, float],
    reference: Mapping[str, float],
    planned_growth: NDArray[np.float64],
    generation_names: tuple[str, ...],
    *,
    enabled: bool,
    centred: bool = False,
    path_tightness: NDArray[np.float64] | None = None,
) -> SupplyParams:
    """Return the packed driver; centred, completion is the reference's own.

    `path_tightness` (month,) holds x by month 0..H in a stress case.
    """
    p = parameters
    share = reference["sup.complete"]
    table = beta_quantile_table(p["sup.complete"], COMPLETION_SD) / share
    groups = (("A100", p["sup.mix.A100"]), ("H100", p["sup.mix.H100_H200"]))
    indices = [generation_names.index(g) if g in generation_names else -1 for g, _ in groups]
    return SupplyParams(
        committed=np.array(
            [p["sup.g_committed.first_12_months"], p["sup.g_committed.second_12_months"]]
        ),
        completion_table=np.ones_like(table) if centred else table,
        planned_growth=planned_growth,
        lag=p["sup.lag"],
        response=p["sup.resp"],
        defer=p["sup.defer"],
        cancel=p["sup.cancel"],
        start_tightness=p["sup.x0"],
        gap_start=p["gpu.beta_tight"] * p["sup.x0"],
        retire_generation=np.array(indices, dtype=np.int64),
        retire_share=np.array([s for _, s in groups]),
        enabled=enabled,
        path_tightness=np.zeros(0) if path_tightness is None else path_tightness,
        streams=stream_id_array(["supply.completion"]),
    )


def new_supply(lanes: int) -> SupplyState:
    """Return state for a block."""
    return SupplyState(
        rows=np.zeros((len(SUPPLY), lanes)),
        pipeline=np.zeros((PIPELINE_STAGES, lanes)),
        gap_values=np.zeros((GAP_MONTHS, lanes)),
        margin_months=np.zeros((2, lanes)),
    )


@inner
def init_supply(params, steering, state, seed, paths, coordinates, first, second):
    """Reset a block to t0 and draw each path's completion share."""
    state.rows[:] = 0.0
    state.pipeline[:] = 0.0
    state.gap_values[:] = params.gap_start
    state.margin_months[:] = 0.0
    state.rows[SUPPLY.gap] = params.gap_start
    state.rows[SUPPLY.tightness] = params.start_tightness
    start = np.int64(0)
    fill_normals(seed, paths, params.streams[0], start, first, second)
    place_coordinate(coordinates, completion_row(steering), first)
    for lane in range(paths.shape[0]):
        state.rows[SUPPLY.completion, lane] = beta_at_normal(params.completion_table, first[lane])


@inner
def record_gap(params, state, month, price_deviation, log_memory_cost):
    """Put v(t) = q + beta x0 - ln c into the ring and renew its mean (end of the month)."""
    slot = month % GAP_MONTHS
    for lane in range(price_deviation.shape[0]):
        state.gap_values[slot, lane] = (
            price_deviation[lane] + params.gap_start - log_memory_cost[lane]
        )
    state.rows[SUPPLY.gap, :] = 0.0
    for i in range(0, GAP_MONTHS, 4):  # summed anew in calendar order: no dependence on history
        a, b = (month + 1 + i) % GAP_MONTHS, (month + 2 + i) % GAP_MONTHS
        c, d = (month + 3 + i) % GAP_MONTHS, (month + 4 + i) % GAP_MONTHS
        for lane in range(price_deviation.shape[0]):
            so_far = state.rows[SUPPLY.gap, lane] + state.gap_values[a, lane]
            so_far = so_far + state.gap_values[b, lane] + state.gap_values[c, lane]
            state.rows[SUPPLY.gap, lane] = so_far + state.gap_values[d, lane]
    for lane in range(price_deviation.shape[0]):
        state.rows[SUPPLY.gap, lane] /= GAP_MONTHS


@inner
def planned_orders(params, month):
    """Return planners' log growth a month for capacity ordered now; 0 while it is committed."""
    if month <= COMMITTED_MONTHS - params.lag:
        return 0.0
    ahead = month + int(np.floor(params.lag + 0.5))
    year = min((ahead - 1) // 12, params.planned_growth.shape[0] - 1)
    return params.planned_growth[year] / 12.0


@inner
def retire(params, state, prices, utilisation, floors):
    """Let generations leave whose cash margin was negative for six months (prices of t-1)."""
    for group in range(params.retire_generation.shape[0]):
        g = params.retire_generation[group]
        if g < 0:
            continue
        gone = 0
        for lane in range(utilisation.shape[0]):
            months = state.margin_months[group, lane]
            below = prices[g, lane] * utilisation[lane] < floors[g]
            counted = months + 1.0 if below else 0.0
            state.margin_months[group, lane] = counted if months >= 0.0 else months
            gone += 1 if months >= 0.0 and counted >= RETIRE_AFTER_MONTHS else 0
        if gone == 0:
            continue
        for lane in range(utilisation.shape[0]):
            if state.margin_months[group, lane] >= RETIRE_AFTER_MONTHS:
                share = params.retire_share[group] * exp(-state.rows[SUPPLY.capacity, lane])
                state.rows[SUPPLY.capacity, lane] += log(1.0 - min(0.99, share))
                state.margin_months[group, lane] = -1.0


@inner
def step_supply(
    params,
    state,
    month,
    regime,
    supply_factor,
    easing_left,
    addressable,
    captive,
    prices,
    utilisation,
    floors,
    reference_capacity,
):
    """Advance one month and clear the market.

    Parameters
    ----------
    regime : (lane,), memory regime of this month
    supply_factor : (lane,), S*
    easing_left : (lane,), months of easing left
    addressable, captive : (lane,), L_a(t) and captive capacity of this month
    prices, utilisation : (generation, lane) and (lane,), of the month before
    floors : (generation,), cash floor, USD per GPU-hour
    reference_capacity : float, K of the reference path (used if supply is switched off)
    """
    lanes = regime.shape[0]
    if params.enabled:
        planned = planned_orders(params, month)
        committed = 0.0
        if month <= COMMITTED_MONTHS:
            committed = params.committed[0 if month <= 12 else 1] / 12.0
        for lane in range(lanes):  # few rows a loop, so that each vectorises
            ease = EASING_FACTOR if easing_left[lane] > 0.0 else 1.0
            scarcity = SHORTAGE_SPEED if regime[lane] == SHORTAGE else 1.0
            exponent = (
                params.defer * min(0.0, state.rows[SUPPLY.tightness, lane])
                - SUPPLY_FACTOR_WEIGHT * supply_factor[lane]
            )
            state.rows[SUPPLY.speed, lane] = exp(exponent) * scarcity * ease
        for lane in range(lanes):
            ease = EASING_FACTOR if easing_left[lane] > 0.0 else 1.0
            waiting = (
                state.rows[SUPPLY.waiting, lane]
                + committed * state.rows[SUPPLY.completion, lane] * ease
            )
            moved = min(1.0, state.rows[SUPPLY.speed, lane]) * waiting
            state.rows[SUPPLY.waiting, lane] = waiting - moved
            state.rows[SUPPLY.moved, lane] = moved
        for lane in range(lanes):
            rate = min(1.0, PIPELINE_STAGES * state.rows[SUPPLY.speed, lane] / params.lag)
            out_0 = rate * state.pipeline[0, lane]
            out_1 = rate * state.pipeline[1, lane]
            out_2 = rate * state.pipeline[2, lane]
            out_3 = rate * state.pipeline[3, lane]
            state.pipeline[0, lane] -= out_0
            state.pipeline[1, lane] += out_0 - out_1
            state.pipeline[2, lane] += out_1 - out_2
            state.pipeline[3, lane] += out_2 - out_3
            state.rows[SUPPLY.capacity, lane] += state.rows[SUPPLY.moved, lane] + out_3
        for lane in range(lanes):
            state.pipeline[0, lane] += planned * exp(
                min(1.0, max(-2.0, params.response * state.rows[SUPPLY.gap, lane]))
            )
        cancelling = 0
        for lane in range(lanes):
            negative = (
                state.rows[SUPPLY.negative_months, lane] + 1.0
                if state.rows[SUPPLY.gap, lane] < 0.0
                else 0.0
            )
            state.rows[SUPPLY.negative_months, lane] = negative
            cancelling += 1 if negative == CANCEL_AFTER_MONTHS else 0
        if cancelling > 0:
            for lane in range(lanes):
                if state.rows[SUPPLY.negative_months, lane] == CANCEL_AFTER_MONTHS:
                    state.rows[SUPPLY.waiting, lane] *= 1.0 - params.cancel
                    for stage in range(PIPELINE_STAGES):
                        state.pipeline[stage, lane] *= 1.0 - params.cancel
        retire(params, state, prices, utilisation, floors)
    else:
        state.rows[SUPPLY.capacity, :] = reference_capacity
    if params.path_tightness.shape[0] > 0:
        state.rows[SUPPLY.tightness, :] = params.path_tightness[month]
        return
    for lane in range(lanes):
        state.rows[SUPPLY.tightness, lane] = (
            params.start_tightness
            + addressable[lane]
            - state.rows[SUPPLY.capacity, lane]
            - (captive[lane] if params.enabled else 0.0)
        )
