"""Policy events: tariffs, export controls, closed resale channels, moratoria on sites.

One Poisson stream for the portfolio; each event falls on a jurisdiction and has four independent
effects.  Tariffs raise the capex of what is not yet delivered, controls cut and then end the
contracts of exposed offtakers, closed channels lower resale values, moratoria delay sites.

Model: docs/model.md §2; `reg.*`, evidence section 9 (sourced statutory rates, judged frequencies).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import normals, uniforms
from simulator.numerics.elementary import log
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

TARIFF_PROBABILITY = 0.4
CONTROL_PROBABILITY = 0.4
RESALE_PROBABILITY = 0.6
SITE_PROBABILITY = 0.2
RESALE_SD = 0.03
RESALE_MONTHLY_DECAY = 2.0 ** (-1.0 / 12.0)  # halves each year


class PolicyParams(NamedTuple):
    """Frozen inputs."""

    hazard: float  # events per year, whole portfolio
    capex_hit: float  # fraction of capex
    resale_hit: float  # fraction of value, mean
    site_hit: float  # months, mean
    cumulative_weights: NDArray[np.float64]  # (jurisdiction,), last is 1
    streams: NDArray[np.uint64]  # (4,): event, effects, more, size


@row_names
class PolicyRows(NamedTuple):
    """Rows of `PolicyState.rows`."""

    tariff: int  # (jurisdiction, lane), factor on capex
    resale_hit: int  # (jurisdiction, lane), fraction of value
    control: int  # (jurisdiction, lane), 1 in the month of a control event
    site_slip: int  # (jurisdiction, lane), months of delay announced this month


POLICY = PolicyRows(*range(4))


class PolicyState(NamedTuple):
    """State by jurisdiction and lane."""

    rows: NDArray[np.float64]  # (row of POLICY, ...)
    probability: NDArray[np.float64]  # (lane,), of an event in a month


def pack_policy(
    parameters: Mapping[str, float], weights: Sequence[float], *, enabled: bool
) -> PolicyParams:
    """Return the packed driver; disabled or centred, no event ever fires."""
    return PolicyParams(
        hazard=parameters["reg.lambda"] if enabled else 0.0,
        capex_hit=parameters["reg.capex_hit"],
        resale_hit=parameters["reg.resale_hit"],
        site_hit=parameters["reg.site_hit"],
        cumulative_weights=np.cumsum(np.asarray(weights, dtype=np.float64)),
        streams=stream_id_array(["policy.event", "policy.effects", "policy.more", "policy.size"]),
    )


def new_policy(jurisdictions: int, lanes: int) -> PolicyState:
    """Return state for a block."""
    return PolicyState(np.zeros((len(POLICY), jurisdictions, lanes)), np.ones(lanes))


@inner
def init_policy(state):
    """Reset a block to t0 (probabilities are set with the priors)."""
    state.rows[:] = 0.0
    state.rows[POLICY.tariff] = 1.0


@inner
def policy_event(params, state, seed, path, lane, month, u_place):
    """Apply one event to one lane."""
    place = 0
    while place < params.cumulative_weights.shape[0] - 1 and (
        u_place >= params.cumulative_weights[place]
    ):
        place += 1
    u_tariff, u_control = uniforms(seed, path, params.streams[1], month)
    u_resale, u_site = uniforms(seed, path, params.streams[2], month)
    z_size, _ = normals(seed, path, params.streams[3], month)
    _, u_size = uniforms(seed, path, params.streams[3], month)
    if u_tariff < TARIFF_PROBABILITY:
        state.rows[POLICY.tariff, place, lane] *= 1.0 + params.capex_hit
    if u_control < CONTROL_PROBABILITY:
        state.rows[POLICY.control, place, lane] = 1.0
    if u_resale < RESALE_PROBABILITY:
        state.rows[POLICY.resale_hit, place, lane] += max(
            0.0, params.resale_hit + RESALE_SD * z_size
        )
    if u_site < SITE_PROBABILITY:
        state.rows[POLICY.site_slip, place, lane] = -params.site_hit * log(1.0 - u_size)


@inner
def step_policy(params, state, seed, paths, month, first, second):
    """Advance one month: decay of resale hits, then this month's events."""
    state.rows[POLICY.control, :] = 0.0
    state.rows[POLICY.site_slip, :] = 0.0
    if params.hazard == 0.0:
        return
    for place in range(state.rows.shape[1]):
        for lane in range(paths.shape[0]):
            state.rows[POLICY.resale_hit, place, lane] *= RESALE_MONTHLY_DECAY
    fill_uniform_pairs(seed, paths, params.streams[0], month, first, second)
    for lane in range(paths.shape[0]):
        if first[lane] < state.probability[lane]:
            policy_event(params, state, seed, paths[lane], lane, month, second[lane])
