"""SOFR (Vasicek) and the credit-spread index (log Ornstein-Uhlenbeck with jumps).

    r(t)     = r_mean(t) + (r(t-1) - r_mean(t-1)) e^(-kappa/12) + s xi_R
    ln HY(t) = h_mean(t) + (ln HY(t-1) - h_mean(t-1)) e^(-kappa/12) - s xi_Z + jump [air pocket]

The means are those of the two laws from their values at t0 (Vasicek), or, for SOFR, what makes the
simulated bonds worth what a given forward curve says (Hull-White), or the path of a stress case.
Above 800 bp the refinancing market may be shut for the month.

Model: docs/model.md §9; `ir.*`, `cs.*`, evidence section 8 (SOFR, high-yield OAS).
Source of the short-rate model: Vasicek (1977); with a curve, Hull and White (1990).
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

    mean_rate: NDArray[np.float64]  # (month,), SOFR without noise from t0 on, per year
    rate_decay: float
    rate_sd: float  # monthly
    mean_log_spread: NDArray[np.float64]  # (month,), ln bp
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


def relaxing(start: float, mean: float, kappa: float, horizon: int) -> NDArray[np.float64]:
    """Return the mean of an Ornstein-Uhlenbeck process by month, from its value at t0."""
    months = np.arange(horizon + 1)
    return np.asarray(mean + (start - mean) * np.exp(-kappa * months / 12.0))


def rates_around(
    forwards: NDArray[np.float64], start: float, decay: float, sd: float
) -> NDArray[np.float64]:
    """Return mean short rates that reprice a forward curve month by month.

    With I(t) the sum of the noise of months 1..t over 12, the mean discount factor to t is that of
    the curve if each mean lies above its forward by half of what the month adds to var I, times 12.

    Parameters
    ----------
    forwards : ndarray (month,)
        Forward rates of months 1..H, per year.
    start : float
        SOFR at t0, per year.
    decay, sd : float
        Monthly coefficients of the noise.

    Returns
    -------
    ndarray (month + 1,)
        By month 0..H, per year.
    """
    variance = covariance = integral = 0.0  # of the noise, of it with I, of I
    mean = [start]
    for forward in forwards:
        variance = decay * decay * variance + sd * sd
        added = 2.0 * decay * covariance / 12.0 + variance / 144.0
        covariance = decay * covariance + variance / 12.0
        integral += added
        mean.append(float(forward) + 6.0 * added)
    return np.array(mean)


def pack_rates(
    parameters: Mapping[str, float],
    horizon: int,
    forwards: tuple[float, ...] = (),
    spread_path: NDArray[np.float64] | None = None,
    *,
    rates: bool,
    spreads: bool,
    centred: bool = False,
) -> RateParams:
    """Return the packed driver; switched off or centred, both follow their expected paths.

    Parameters
    ----------
    parameters : mapping
        By id.
    horizon : int
        Months H.
    forwards : tuple
        SOFR forwards of months 1..H, per year; empty: Vasicek.
    spread_path : ndarray (month + 1,), optional
        ln HY (bp) of a stress case.
    rates, spreads, centred : bool
        Switches of the noise; centred switches both off.
    """
    p = parameters
    rate_decay, rate_sd = ou_coefficients(p["ir.kappa"], p["ir.sigma"])
    spread_decay, spread_sd = ou_coefficients(p["cs.kappa"], p["cs.sigma"])
    random_spread = spreads and not centred
    rate_sd = rate_sd if rates and not centred else 0.0
    if forwards:
        months = np.minimum(np.arange(horizon), len(forwards) - 1)  # flat after the last one
        mean_rate = rates_around(np.array(forwards)[months], p["ir.r0"], rate_decay, rate_sd)
    else:
        mean_rate = relaxing(p["ir.r0"], p["ir.theta"], p["ir.kappa"], horizon)
    level = float(np.log(p["cs.hy_mean"]) - p["cs.sigma"] ** 2 / (4 * p["cs.kappa"]))
    mean_spread = relaxing(float(np.log(p["cs.hy0"])), level, p["cs.kappa"], horizon)
    return RateParams(
        mean_rate=mean_rate,
        rate_decay=rate_decay,
        rate_sd=rate_sd,
        mean_log_spread=mean_spread if spread_path is None else spread_path,
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
    state.rows[RATE.sofr, :] = params.mean_rate[0]
    state.rows[RATE.sofr_before, :] = params.mean_rate[0]
    state.rows[RATE.log_spread, :] = params.mean_log_spread[0]
    state.rows[RATE.shut, :] = 0.0


@inner
def step_rates(params, state, seed, paths, month, shocks, pocket_arrived):
    """Advance one month; `pocket_arrived` (lane,) is 1 where an air pocket arrives."""
    lanes = paths.shape[0]
    rate_before, rate_now = params.mean_rate[month - 1], params.mean_rate[month]
    spread_before, spread_now = params.mean_log_spread[month - 1], params.mean_log_spread[month]
    for lane in range(lanes):
        sofr, log_spread = state.rows[RATE.sofr, lane], state.rows[RATE.log_spread, lane]
        state.rows[RATE.sofr_before, lane] = sofr
        state.rows[RATE.sofr, lane] = (
            rate_now + (sofr - rate_before) * params.rate_decay + params.rate_sd * shocks[R, lane]
        )
        state.rows[RATE.log_spread, lane] = (
            spread_now
            + params.spread_decay * (log_spread - spread_before)
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
