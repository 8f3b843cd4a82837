"""Operating costs of a box's GPUs, and the cash floor of a merchant hour.

Power at the hedged and the market price, hall rent with its escalator, and operations (O&M,
insurance, overhead) as a share of cost.  All but power go on when the GPUs stand idle; a triple-net
customer pays everything while its contract is in force.

Model: docs/model.md §8, §11; `gpu.kw`, `gpu.pue`, `gpu.om`, `pow.colo`, evidence section 5.E.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.terms import BOX_CODE
from simulator.credit.leases import (
    CANCELLED,
    LEASE,
)
from simulator.drivers.collateral import HOURS
from simulator.numerics.jit import inlined, inner
from simulator.numerics.rows import row_names

HOURS_A_YEAR = 8760.0


@row_names
class CostTermRows(NamedTuple):
    """Rows of `CostParams.terms`."""

    gpus: int
    cost: int  # USD m as planned
    power_mwh: int  # per month at full run, with PUE
    power_factor: int  # regional
    hedged: int
    hall: int  # USD m per month at t0
    operations: int  # USD m per month


COST_TERM = CostTermRows(*range(7))


@row_names
class CostCodeRows(NamedTuple):
    """Rows of `CostParams.codes`."""

    triple_net: int
    currency: int  # 0 = dollar


COST_CODE = CostCodeRows(*range(2))


class CostParams(NamedTuple):
    """Frozen inputs, by asset unless said otherwise."""

    terms: NDArray[np.float64]  # (row of COST_TERM, ...)
    codes: NDArray[np.int64]  # (row of COST_CODE, ...)
    power_path: NDArray[np.float64]  # (month,), p0 with trend, USD per MWh
    hall_path: NDArray[np.float64]  # (month,), escalator, 1 at t0


@inlined
def power_price(params, a, month, market_price):
    """Return what a box pays for power, USD per MWh: hedged share at plan, the rest at market."""
    planned = params.power_path[month]
    hedged = params.terms[COST_TERM.hedged, a]
    return params.terms[COST_TERM.power_factor, a] * (
        hedged * planned + (1.0 - hedged) * market_price
    )


@inlined
def planned_cost(params, a, month):
    """Return an asset's operating costs of a month at planned prices, USD m; 0 if triple-net."""
    if params.codes[COST_CODE.triple_net, a]:
        return 0.0
    row = min(month, params.power_path.shape[0] - 1)
    power = (
        params.power_path[row]
        * params.terms[COST_TERM.power_factor, a]
        * params.terms[COST_TERM.power_mwh, a]
        / 1e6
    )
    hall = params.terms[COST_TERM.hall, a] * params.hall_path[row]
    return power + params.terms[COST_TERM.operations, a] + hall


@inner
def running_cost(params, box_params, lease_state, b, lane, month):
    """Return planned operating costs of what a box runs, USD m a month: what a reserve opens with.

    Nothing has been paid yet when a box opens or its first GPUs are accepted.
    """
    total = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        runs = lease_state.rows[LEASE.status, a, lane] < CANCELLED
        if runs and lease_state.rows[LEASE.accepted, a, lane] <= month:
            total += planned_cost(params, a, month)
    return total


@inlined
def cash_floor(params, a, month, market_price, exchange):
    """Return the cash cost of one GPU-hour, USD: below it a merchant GPU idles."""
    power = power_price(params, a, month, market_price) * params.terms[COST_TERM.power_mwh, a]
    fixed = params.terms[COST_TERM.operations, a] * 12.0 * HOURS / HOURS_A_YEAR
    hall = params.terms[COST_TERM.hall, a] * params.hall_path[month]
    dollars = (power / 1e6 + fixed + hall) * exchange
    return dollars * 1e6 / (params.terms[COST_TERM.gpus, a] * HOURS)
