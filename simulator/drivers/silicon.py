"""Custom silicon and captive capacity: demand that never reaches the merchant market.

The share of compute served by the hyperscalers' own chips rises along a line with noise; in a glut
the owners of captive fleets offer idle capacity to the market and take it back when it tightens.

    L_a(t) = L + Delta + ln(1 - share(t)) - ln(1 - share(0)) - vi_demand x integrations so far

Model: docs/model.md §5; `sup.asic_*`, `sup.captive_release`, evidence section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.elementary import log
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normals
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

SHARE_LINE_MONTHS = 60.0
RELEASE_BELOW = -0.3  # tightness at which idle captive capacity is offered
WITHDRAW_ABOVE = 0.0


class SiliconParams(NamedTuple):
    """Frozen inputs."""

    share_start: float
    share_end: float
    noise: float  # monthly sd of the share
    integration_demand: float  # log demand lost per integration event
    release: float  # log capacity added while captive capacity is offered
    streams: NDArray[np.uint64]  # (1,)


@row_names
class SiliconRows(NamedTuple):
    """Rows of `SiliconState.rows`."""

    noise: int
    addressable: int  # L_a
    released: int  # 1 while captive capacity is offered
    captive: int  # log capacity it adds
    share: int  # of demand served by custom silicon


SILICON = SiliconRows(*range(5))


class SiliconState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of SILICON, ...)


def pack_silicon(
    parameters: Mapping[str, float], *, noise: bool, captive: bool, integration: bool
) -> SiliconParams:
    """Return the packed driver; each part can be switched off."""
    ratio = parameters["sup.captive_release"] / parameters["sup.merchant_share"]
    return SiliconParams(
        share_start=parameters["sup.asic_share.2026"],
        share_end=parameters["sup.asic_share.2031"],
        noise=parameters["sup.asic_noise"] / np.sqrt(12.0) if noise else 0.0,
        integration_demand=parameters["sup.vi_demand"] if integration else 0.0,
        release=float(np.log1p(ratio)) if captive else 0.0,
        streams=stream_id_array(["silicon.share"]),
    )


def new_silicon(lanes: int) -> SiliconState:
    """Return state for a block."""
    return SiliconState(np.zeros((len(SILICON), lanes)))


@inner
def init_silicon(state):
    """Reset a block to t0."""
    state.rows[:] = 0.0


@inner
def step_silicon(
    params,
    state,
    seed,
    paths,
    month,
    demand,
    efficiency,
    integrations,
    tightness,
    easing_event,
    first,
    second,
):
    """Advance one month.

    Parameters
    ----------
    demand, efficiency : (lane,), L(t) and Delta(t)
    integrations : (lane,), integration events up to the month before
    tightness : (lane,), x of the month before
    easing_event : (lane,), 1 where an easing event puts captive capacity on the market
    """
    line = params.share_start + (params.share_end - params.share_start) * min(
        1.0, month / SHARE_LINE_MONTHS
    )
    at_start = log(1.0 - params.share_start)
    if params.noise > 0.0:
        fill_normals(seed, paths, params.streams[0], month, first, second)
        for lane in range(paths.shape[0]):
            state.rows[SILICON.noise, lane] += params.noise * first[lane]
    for lane in range(paths.shape[0]):
        share = min(0.9, max(0.05, line + state.rows[SILICON.noise, lane]))
        state.rows[SILICON.share, lane] = share
        state.rows[SILICON.addressable, lane] = (
            demand[lane]
            + efficiency[lane]
            + (log(1.0 - share) - at_start)
            - params.integration_demand * integrations[lane]
        )
        on = state.rows[SILICON.released, lane]
        on = 1.0 if tightness[lane] < RELEASE_BELOW else on
        on = 0.0 if tightness[lane] > WITHDRAW_ABOVE else on
        on = 1.0 if easing_event[lane] > 0.0 else on
        state.rows[SILICON.released, lane] = on
        state.rows[SILICON.captive, lane] = params.release * on
