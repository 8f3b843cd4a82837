"""Power prices: one national factor around a trend; regions are multiples of it.

    ln price(t) = ln p0 + trend t/12 + W(t),   W an Ornstein-Uhlenbeck process

Model: docs/model.md §9; `pow.*`, evidence section 7 (industrial tariffs, PJM).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.shocks import W
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner
from simulator.numerics.processes import ou_coefficients
from simulator.numerics.rows import row_names


class PowerParams(NamedTuple):
    """Frozen inputs."""

    start_price: float  # USD per MWh
    trend: float  # log per year
    decay: float
    sd: float


@row_names
class PowerRows(NamedTuple):
    """Rows of `PowerState.rows`."""

    deviation: int  # W
    market: int  # USD per MWh, before the regional factor


POWER = PowerRows(*range(2))


class PowerState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of POWER, ...)
    planned: NDArray[np.float64]  # (1,), p0 with trend, USD per MWh


def pack_power(parameters: Mapping[str, float], *, enabled: bool) -> PowerParams:
    """Return the packed driver; disabled or centred, the price follows its trend."""
    decay, sd = ou_coefficients(parameters["pow.kappa"], parameters["pow.sigma"])
    return PowerParams(
        start_price=parameters["pow.p0"],
        trend=parameters["pow.trend"],
        decay=decay,
        sd=sd if enabled else 0.0,
    )


def new_power(lanes: int) -> PowerState:
    """Return state for a block."""
    return PowerState(np.zeros((len(POWER), lanes)), np.zeros(1))


@inner
def init_power(params, state):
    """Reset a block to t0."""
    state.rows[POWER.deviation, :] = 0.0
    state.planned[0] = params.start_price
    state.rows[POWER.market, :] = params.start_price


@inner
def step_power(params, state, month, shocks):
    """Advance one month."""
    planned = params.start_price * exp(params.trend * month / 12.0)
    state.planned[0] = planned
    for lane in range(state.rows.shape[1]):
        deviation = params.decay * state.rows[POWER.deviation, lane] + params.sd * shocks[W, lane]
        state.rows[POWER.deviation, lane] = deviation
        state.rows[POWER.market, lane] = planned * exp(deviation)
