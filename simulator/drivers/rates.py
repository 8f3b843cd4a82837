"""SOFR (Vasicek) and the credit-spread index (log Ornstein-Uhlenbeck with jumps).

    r(t)     = theta + (r(t-1) - theta) e^(-kappa/12) + s xi_R
    ln HY(t) = m + e^(-kappa/12) (ln HY(t-1) - m) - s xi_Z + jump [an air pocket arrives]

Above 800 bp the refinancing market may be shut for the month.

Model: docs/model.md §9; `ir.*`, `cs.*`, evidence section 8 (SOFR, high-yield OAS).
Source of the short-rate model: Vasicek (1977).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import uniforms
from simulator.drivers.shocks import R, Z
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.processes import ou_coefficients
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

SHUT_ABOVE_BP = 800.0


class RateParams(NamedTuple):
    """Frozen inputs."""

    start_rate: float  # per year
    mean_rate: float
    rate_decay: float
    rate_sd: float  # monthly
    log_spread_start: float  # ln bp
    log_spread_mean: float
    spread_decay: float
    spread_sd: float  # monthly
    pocket_jump: float  # of ln HY
    shut_probability: float
    streams: NDArray[np.uint64]  # (1,)


@row_names
class RateRows(NamedTuple):
    """Rows of `RateState.rows`."""

    sofr: int
    sofr_before: int  # of the month before: coupons are set on it
    log_spread: int  # ln HY, bp
    shut: int  # 1 while the refinancing market is shut


RATE = RateRows(*range(4))


class RateState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of RATE, ...)


def pack_rates(
    parameters: Mapping[str, float], *, rates: bool, spreads: bool, centred: bool = False
) -> RateParams:
    """Return the packed driver; switched off or centred, both follow their expected paths."""
    p = parameters
    rate_decay, rate_sd = ou_coefficients(p["ir.kappa"], p["ir.sigma"])
    spread_decay, spread_sd = ou_coefficients(p["cs.kappa"], p["cs.sigma"])
    random_spread = spreads and not centred
    return RateParams(
        start_rate=p["ir.r0"],
        mean_rate=p["ir.theta"],
        rate_decay=rate_decay,
        rate_sd=rate_sd if rates and not centred else 0.0,
        log_spread_start=float(np.log(p["cs.hy0"])),
        log_spread_mean=float(np.log(p["cs.hy_mean"]) - p["cs.sigma"] ** 2 / (4 * p["cs.kappa"])),
        spread_decay=spread_decay,
        spread_sd=spread_sd if random_spread else 0.0,
        pocket_jump=p["cs.ap_jump"] if random_spread else 0.0,
        shut_probability=0.0 if centred else p["cs.refi_shut"],
        streams=stream_id_array(["market.shut"]),
    )


def new_rates(lanes: int) -> RateState:
    """Return state for a block."""
    return RateState(np.zeros((len(RATE), lanes)))


@inner
def init_rates(params, state):
    """Reset a block to t0."""
    state.rows[RATE.sofr, :] = params.start_rate
    state.rows[RATE.sofr_before, :] = params.start_rate
    state.rows[RATE.log_spread, :] = params.log_spread_start
    state.rows[RATE.shut, :] = 0.0


@inner
def step_rates(params, state, seed, paths, month, shocks, pocket_arrived):
    """Advance one month; `pocket_arrived` (lane,) is 1 where an air pocket arrives."""
    lanes = paths.shape[0]
    for lane in range(lanes):
        state.rows[RATE.sofr_before, lane] = state.rows[RATE.sofr, lane]
        state.rows[RATE.sofr, lane] = (
            params.mean_rate
            + (state.rows[RATE.sofr, lane] - params.mean_rate) * params.rate_decay
            + params.rate_sd * shocks[R, lane]
        )
        state.rows[RATE.log_spread, lane] = (
            params.log_spread_mean
            + params.spread_decay * (state.rows[RATE.log_spread, lane] - params.log_spread_mean)
            - params.spread_sd * shocks[Z, lane]
            + params.pocket_jump * pocket_arrived[lane]
        )
    threshold = log(SHUT_ABOVE_BP)
    for lane in range(lanes):
        state.rows[RATE.shut, lane] = 0.0
        if state.rows[RATE.log_spread, lane] > threshold:
            u, _ = uniforms(seed, paths[lane], params.streams[0], month)
            state.rows[RATE.shut, lane] = 1.0 if u < params.shut_probability else 0.0


@inner
def new_issue_spread(high_yield_bp, multiple, repaid, distressed, learning):
    """Return the spread of a new loan (per year) off the index.

    Parameters
    ----------
    high_yield_bp : float
        Index spread times its class: `multiple` is `cs.neo_beta`, `cs.hold_beta`, or for an
        investment-grade box `cs.ig_margin` sqrt(HY/hy0)/HY.
    repaid : float
        Boxes that the sponsor has repaid so far: experience lowers the spread, to 60% at the least.
    distressed : bool
        Whether one of its boxes defaulted within 24 months: half as much again.
    """
    factor = max(0.6, exp(-learning * repaid))
    return high_yield_bp * multiple * factor * (1.5 if distressed else 1.0) / 10_000.0
