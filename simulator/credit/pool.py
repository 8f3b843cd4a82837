"""A pool of names by itself: who defaults when, and what is lost, without a market.

The hazards are curves that are known at t0 (and a common regime, if there is one), so that no
month needs to be stepped: a default time is found by search in the integrated hazard.

    w_j = sum_k b_jk F_k + sqrt(1 - |b_j|^2) eps_j,   default in the first t with
    H_j(t) + R(t) >= E_j,   R(t) the integral of the hazard of the common regime

Regimes follow a Markov chain in continuous time, drawn jump by jump: R is exact at month-ends.

Model: docs/model.md §17.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.credit.pool_granular import PoolGranular
from simulator.credit.pool_severity import PoolSeverity, share_lost
from simulator.credit.pool_tilting import (
    LEAST_REST,
    PoolTilt,
    shift_factors,
    solve_twists,
    twist_chances,
    write_chances,
)
from simulator.credit.thresholds import draw_mixing, mix_scores, mixing_of, threshold_of
from simulator.drivers.draws import beta_at_normal, normals, uniforms
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.normal import normal_quantile
from simulator.numerics.philox import fill_normals, fill_uniform_pairs


class PoolParams(NamedTuple):
    """Frozen inputs; months run from 0 (t0) to H."""

    loadings: NDArray[np.float64]  # (factor, name)
    highest_score: NDArray[np.float64]  # (name,), above it no default is possible by H
    hazard: NDArray[np.float64]  # (name, month), integrated from t0
    claim: NDArray[np.float64]  # (name, month), at a default in the month, USD m
    balance: NDArray[np.float64]  # (name, month), at its end, USD m
    nominal: NDArray[np.float64]  # (name, month), loss at a default, or all of it to be scaled
    present: NDArray[np.float64]  # (name, month), the same discounted to t0
    severity: PoolSeverity  # how loss given default moves with the factors
    granular: PoolGranular  # names that are many
    law: NDArray[np.int64]  # (name,), row of `laws` that scales the loss, -1 = it is certain
    laws: NDArray[np.float64]  # (law, node), quantiles of loss given default
    factor_streams: NDArray[np.uint64]  # (factor,)
    name_streams: NDArray[np.uint64]  # (name,)
    loss_streams: NDArray[np.uint64]  # (name,)
    degrees_of_freedom: float  # of the t copula, 0 = Gaussian
    chi2_table: NDArray[np.float64]
    copula_stream: np.uint64
    regime_hazard: NDArray[np.float64]  # (regime,), per month; none: no regimes
    regime_leaves: NDArray[np.float64]  # (regime,), rate per month
    regime_next: NDArray[np.float64]  # (regime, regime), cumulative probabilities of a jump
    regime_start: NDArray[np.float64]  # (regime,), cumulative probabilities at t0
    regime_stream: np.uint64
    tilt: PoolTilt  # how rare paths are made common


class PoolState(NamedTuple):
    """Scratch of a block."""

    factors: NDArray[np.float64]  # (factor + 1, lane), the last is the normal of the mixing
    lanes: NDArray[np.float64]  # (12, lane)
    chance: NDArray[np.float64]  # (name, lane), of a default by H given the factors; if tilted
    regime: NDArray[np.float64]  # (month, lane), R
    lost: NDArray[np.float64]  # (month, lane), PV of the losses of a month's defaults
    gone: NDArray[np.float64]  # (month, lane), balances that defaults took out by then


class PoolOutputs(NamedTuple):
    """Results of a chunk of paths; the last axis is the path."""

    default_month: NDArray[np.float64]  # (name, path), 0 = none while something is owed
    loss: NDArray[np.float64]  # (name, path), PV
    nominal_loss: NDArray[np.float64]
    claim: NDArray[np.float64]
    book_loss: NDArray[np.float64]  # (path,), PV
    weight: NDArray[np.float64]  # (path,), likelihood ratio; 1 if drawn plainly
    outstanding: NDArray[np.float32]  # (month, path)
    loss_so_far: NDArray[np.float32]  # (month, path)


def new_pool(params: PoolParams, lanes: int) -> PoolState:
    """Return state for a block."""
    factors, names = params.loadings.shape
    tilted = names if params.tilt.shares.size else 0
    by_month = [np.zeros((params.hazard.shape[1], lanes)) for _ in range(3)]
    rows = (factors + 1, 12, tilted)
    return PoolState(*(np.zeros((count, lanes)) for count in rows), *by_month)


def new_pool_outputs(names: int, horizon: int, paths: int) -> PoolOutputs:
    """Allocate results for a chunk of so many paths."""
    by_name = [np.zeros((names, paths)) for _ in range(4)]
    by_month = [np.zeros((horizon, paths), dtype=np.float32) for _ in range(2)]
    return PoolOutputs._make([*by_name, np.zeros(paths), np.ones(paths), *by_month])


@inner
def pick(cumulative, row, u):
    """Return the first column of a row of cumulative probabilities that exceeds `u`."""
    last = cumulative.shape[1] - 1
    for column in range(last):
        if u < cumulative[row, column]:
            return column
    return last


@inner
def walk_regimes(params, seed, paths, regime):
    """Integrate the hazard of the common regime to the end of every month.

    Draw n of the stream belongs to the n-th stay: its length (u1) and where it leads (u2); draw 0
    chooses the first regime.
    """
    regime[:] = 0.0
    if params.regime_hazard.shape[0] == 0:
        return
    for lane in range(paths.shape[0]):
        path, stay = paths[lane], 0
        u, _ = uniforms(seed, path, params.regime_stream, stay)
        here = 0
        while here < params.regime_start.shape[0] - 1 and u >= params.regime_start[here]:
            here += 1
        clock, leaves, where, total = 0.0, 0.0, u, 0.0
        for month in range(regime.shape[0]):
            while leaves <= month:
                if stay > 0:
                    total += params.regime_hazard[here] * (leaves - clock)
                    clock = leaves
                    here = pick(params.regime_next, here, where)
                stay += 1
                u, where = uniforms(seed, path, params.regime_stream, stay)
                rate = params.regime_leaves[here]
                leaves = clock - log(u) / rate if rate > 0.0 else np.inf
            total += params.regime_hazard[here] * (month - clock)
            clock = float(month)
            regime[month, lane] = total


@inner
def first_month(hazard, name, regime, lane, threshold):
    """Return the first month whose integrated hazard reaches a threshold, 0 if none does."""
    low, high = 0, hazard.shape[1] - 1
    if hazard[name, high] + regime[high, lane] < threshold:
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if hazard[name, middle] + regime[middle, lane] < threshold:
            low = middle
        else:
            high = middle
    return high


@inner
def note_default(params, state, seed, path, name, lane, month, outputs, column):
    """Write claim and loss of one default, and take its balances out of the pool."""
    scale = share_lost(params.severity, state.factors, name, lane)
    law = params.law[name]
    if law >= 0:
        z, _ = normals(seed, path, params.loss_streams[name], month)
        scale = beta_at_normal(params.laws[law], z)
    outputs.default_month[name, column] = month
    outputs.nominal_loss[name, column] = scale * params.nominal[name, month]
    outputs.claim[name, column] = params.claim[name, month]
    if params.granular.row[name] >= 0:  # one of many: what all of them lose is written elsewhere
        return
    loss = scale * params.present[name, month]
    outputs.loss[name, column] = loss
    outputs.book_loss[column] += loss
    state.lost[month, lane] += loss
    for later in range(month, params.balance.shape[1]):
        state.gone[later, lane] += params.balance[name, later]


@inner
def draw_defaults(params, state, seed, paths, outputs, offset):
    """Draw the defaults of every name on every path of a block."""
    start = np.int64(0)
    lanes, nu = paths.shape[0], params.degrees_of_freedom
    mixing, own, spare = state.lanes[0], state.lanes[1], state.lanes[2]
    systematic, scores = state.lanes[3], state.lanes[4]
    draw_mixing(seed, paths, params.copula_stream, nu, params.chi2_table, mixing, own, spare)
    for k in range(params.loadings.shape[0]):
        fill_normals(seed, paths, params.factor_streams[k], start, state.factors[k], spare)
    for name in range(params.loadings.shape[1]):
        fill_normals(seed, paths, params.name_streams[name], start, own, spare)
        systematic[:] = 0.0
        rest = 1.0
        for k in range(params.loadings.shape[0]):
            loading = params.loadings[k, name]
            rest -= loading * loading
            for lane in range(lanes):
                systematic[lane] += loading * state.factors[k, lane]
        mix_scores(systematic, np.sqrt(max(0.0, rest)), own, mixing, scores)
        highest = params.highest_score[name]
        for lane in range(lanes):
            if scores[lane] > highest:  # most names on most paths
                continue
            strike(params, state, seed, paths[lane], name, lane, scores[lane], outputs, offset)


@inner
def strike(params, state, seed, path, name, lane, score, outputs, offset):
    """Note the default of a name on one path, if its score is one at which it defaults."""
    threshold = threshold_of(score, params.degrees_of_freedom)
    month = first_month(params.hazard, name, state.regime, lane, threshold)
    if month > 0 and params.claim[name, month] > 0.0:
        note_default(params, state, seed, path, name, lane, month, outputs, offset + lane)


@inner
def draw_tilted_defaults(params, state, seed, paths, outputs, offset):
    """Draw the defaults of every name under tilted laws, and the likelihood ratio of every path.

    A name's uniform below its twisted probability q is a default: scaled by p / q it is uniform
    below p, as one that defaults has under the model's own law. All other draws stay as they are.
    """
    start = np.int64(0)
    tilt, factors, nu = params.tilt, state.factors, params.degrees_of_freedom
    mixing, own, spare, density = state.lanes[0], state.lanes[1], state.lanes[2], state.lanes[3]
    law_of, twist, exponent = state.lanes[4], state.lanes[5], state.lanes[6]
    drawn, low, high, mean, slope = (
        state.lanes[7],
        state.lanes[8],
        state.lanes[9],
        state.lanes[10],
        state.lanes[11],
    )
    count = params.loadings.shape[0]
    for k in range(count):
        fill_normals(seed, paths, params.factor_streams[k], start, factors[k], spare)
    fill_normals(seed, paths, params.copula_stream, start, factors[count], spare)
    shift_factors(tilt, seed, paths, factors, law_of, density)
    mixing_of(factors[count], nu, params.chi2_table, mixing)
    horizon = state.regime.shape[0] - 1
    for name in range(params.loadings.shape[1]):
        rest = own_loading(params, name)
        write_chances(
            tilt.limits,
            tilt.most_regime,
            params.loadings,
            name,
            rest,
            factors,
            state.regime[horizon],
            mixing,
            state.chance[name],
        )
    twist[:] = 0.0
    if tilt.target > 0.0:
        solve_twists(tilt, state.chance, twist, low, high, mean, slope)
    exponent[:] = 0.0
    for name in range(params.loadings.shape[1]):
        cost, chance, rest = tilt.cost[name], state.chance[name], own_loading(params, name)
        fill_uniform_pairs(seed, paths, params.name_streams[name], start, own, spare)
        twist_chances(cost, twist, chance, law_of, drawn, exponent)
        for lane in range(paths.shape[0]):
            if own[lane] >= drawn[lane]:
                continue
            exponent[lane] += twist[lane] * cost
            score = 0.0
            for k in range(count):
                score += params.loadings[k, name] * factors[k, lane]
            score += rest * normal_quantile(own[lane] * (chance[lane] / drawn[lane]))
            score *= mixing[lane]
            strike(params, state, seed, paths[lane], name, lane, score, outputs, offset)
    for lane in range(paths.shape[0]):
        tilted = density[lane] * exp(exponent[lane])
        outputs.weight[offset + lane] = 1.0 / (tilt.shares[start] + tilted)


@inner
def own_loading(params, name):
    """Return the loading of a name's own normal, never quite 0."""
    rest = 1.0
    for k in range(params.loadings.shape[0]):
        loading = params.loadings[k, name]
        rest -= loading * loading
    return max(LEAST_REST, np.sqrt(max(0.0, rest)))


@inner
def record_pool(params, state, outputs, offset):
    """Write what is outstanding and what is lost by the end of every month."""
    lanes = state.lost.shape[1]
    for month in range(1, state.lost.shape[0]):
        total = 0.0
        for name in range(params.balance.shape[0]):
            total += params.balance[name, month]
        for lane in range(lanes):
            state.lost[month, lane] += state.lost[month - 1, lane]
            outputs.loss_so_far[month - 1, offset + lane] = state.lost[month, lane]
            left = max(0.0, total - state.gone[month, lane])
            outputs.outstanding[month - 1, offset + lane] = left
