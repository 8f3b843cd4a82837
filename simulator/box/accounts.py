"""The accounts: what lenders lost and what equity earned, per path.

    loss_pv = D(H) claim(H)                              lender, at the tranche's own coupon
    pnl     = sum v^t out + v^H TV - in0 - sum v^d in    equity of a box, v at the hurdle

Model: docs/model.md §13.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box import flows
from simulator.box.contracted import contracted_value
from simulator.box.deliveries import DELIVERY_CODE, DELIVERY_TERM
from simulator.box.receipts import accrued_interest, asset_value, box_debt
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, PERFORMING, WINDOWS
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    GONE,
    LEASE,
    LEASE_CODE,
    UNPAID,
)
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.rows import row_names

OPENING_LIFE_MONTHS = 72.0
IRR_DEFINED, IRR_NONE, IRR_SEVERAL = 0.0, 1.0, 2.0
IRR_FACTORS = 193


@row_names
class AccountLaneRows(NamedTuple):
    """Rows of `AccountState.lanes`."""

    cumulative_distributions: int  # (lane,)


ACCOUNT_LANE = AccountLaneRows(*range(1))


@row_names
class AccountRows(NamedTuple):
    """Rows of `AccountState.rows`."""

    opening: int  # in0
    contributed_pv: int  # without the opening
    distributed_pv: int
    contributed: int
    distributed: int
    terminal: int  # TV
    irr: int  # per year, effective
    irr_state: int


ACCOUNT = AccountRows(*range(8))


class AccountState(NamedTuple):
    """State by box and lane, unless said otherwise."""

    lanes: NDArray[np.float64]  # (row of ACCOUNT_LANE, ...)
    rows: NDArray[np.float64]  # (row of ACCOUNT, ...)
    cash_flows: NDArray[np.float64]  # (month, box, lane), equity's net flows


def new_accounts(boxes: int, horizon: int, lanes: int) -> AccountState:
    """Return state for a block."""
    count = max(1, boxes)
    return AccountState(
        lanes=np.zeros((len(ACCOUNT_LANE), lanes)),
        rows=np.zeros((len(ACCOUNT), count, lanes)),
        cash_flows=np.zeros((horizon + 1, count, lanes)),
    )


@inner
def init_accounts(
    state, box_params, boxes, tranches, deliveries, delivery_state, leases, lease_state
):
    """Open the accounts: equity in a running box is depreciated cost and reserves less debt."""
    state.rows[:] = 0.0
    state.lanes[:] = 0.0
    state.cash_flows[:] = 0.0
    for b in range(box_params.codes.shape[1]):
        running = False
        for a in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            running = running or deliveries.codes[DELIVERY_CODE.paid, a] > 0
        for lane in range(boxes.rows.shape[2]):
            opening = box_params.terms[BOX_TERM.equity0, b]
            if np.isnan(opening):
                opening = 0.0
                if running:
                    delivered = 0.0
                    for a in range(
                        box_params.codes[BOX_CODE.first_asset, b],
                        box_params.codes[BOX_CODE.end_asset, b],
                    ):
                        if deliveries.codes[DELIVERY_CODE.paid, a] > 0:
                            age = max(0.0, -lease_state.rows[LEASE.accepted, a, lane])
                            delivered += deliveries.terms[DELIVERY_TERM.cost, a] * max(
                                0.0, 1.0 - age / OPENING_LIFE_MONTHS
                            )
                    reserves = (
                        boxes.rows[BOX.reserve, b, lane] + boxes.rows[BOX.power_reserve, b, lane]
                    )
                    debt = box_debt(box_params, tranches, b, lane)
                    opening = max(0.0, delivered + reserves - debt)
            state.rows[ACCOUNT.opening, b, lane] = opening
            state.cash_flows[0, b, lane] = -opening


@inner
def record_month(state, box_params, boxes, tranches, flow, month):
    """Book the month's flows between each box and its equity, and the closing balances."""
    early = exp((month - 1.0) * log(box_params.hurdle))
    late = early * box_params.hurdle
    for b in range(box_params.codes.shape[1]):
        for lane in range(boxes.rows.shape[2]):
            at_start = flow[flows.EQUITY_FOR_CAPEX, b, lane]
            at_end = (
                flow[flows.EQUITY_OTHER, b, lane]
                + flow[flows.SUPPORT, b, lane]
                + flow[flows.CURE, b, lane]
            )
            out = flow[flows.DISTRIBUTED, b, lane]
            state.rows[ACCOUNT.contributed_pv, b, lane] += early * at_start + late * at_end
            state.rows[ACCOUNT.distributed_pv, b, lane] += late * out
            state.rows[ACCOUNT.contributed, b, lane] += at_start + at_end
            state.rows[ACCOUNT.distributed, b, lane] += out
            state.cash_flows[month - 1, b, lane] -= at_start
            state.cash_flows[month, b, lane] += out - at_end
            state.lanes[ACCOUNT_LANE.cumulative_distributions, lane] += out
            debt = box_debt(box_params, tranches, b, lane)
            closed = boxes.rows[BOX.status, b, lane] == 2.0
            flow[flows.DEBT, b, lane] = 0.0 if closed else debt
            flow[flows.TRAPPED_CASH, b, lane] = boxes.rows[BOX.trapped, b, lane]
            flow[flows.DEBT_SERVICE_RESERVE, b, lane] = boxes.rows[BOX.reserve, b, lane]
            flow[flows.POWER_RESERVE, b, lane] = boxes.rows[BOX.power_reserve, b, lane]
            flow[flows.COLLECTED_CASH, b, lane] = boxes.rows[BOX.collected, b, lane]
            value = flow[flows.COLLATERAL, b, lane]
            has_value = value > flows.TINY and not closed
            flow[flows.LTV, b, lane] = debt / value if has_value else np.nan
            cfads = 0.0
            service = 0.0
            for slot in range(boxes.windows.shape[1]):
                cfads += boxes.windows[WINDOWS.cfads_window, slot, b, lane]
                service += boxes.windows[WINDOWS.service_window, slot, b, lane]
            serving = flow[flows.DEBT_SERVICE, b, lane] > flows.TINY and service > flows.TINY
            flow[flows.DSCR, b, lane] = cfads / service if serving else np.nan


@inner
def terminal_value(view, box_params, boxes, tranches, b, lane, month):
    """Return TV of a box at the horizon, USD m: contracts and collateral to come, less debt."""
    if boxes.rows[BOX.status, b, lane] != PERFORMING:
        return 0.0
    lease_state = view.lease_state
    total = (
        boxes.rows[BOX.reserve, b, lane]
        + boxes.rows[BOX.trapped, b, lane]
        + boxes.rows[BOX.power_reserve, b, lane]
        + boxes.rows[BOX.collected, b, lane]
    )
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        status = lease_state.rows[LEASE.status, a, lane]
        if status == 0.0 or status == CANCELLED or status == GONE:
            continue
        left = 0.0
        if (
            view.leases.codes[LEASE_CODE.name, a] >= 0
            and status <= BACKSTOPPED
            and status != UNPAID
            and lease_state.rows[LEASE.void, a, lane] == 0.0
        ):
            left = max(0.0, lease_state.rows[LEASE.months_left, a, lane])
            total += contracted_value(
                view.deliveries,
                view.delivery_state,
                view.leases,
                lease_state,
                view.costs,
                view.availability[a, lane],
                a,
                lane,
                month,
                box_params.hurdle,
            )
        value = asset_value(
            box_params,
            boxes,
            view.leases,
            lease_state,
            view.deliveries,
            view.collateral,
            view.floors,
            b,
            a,
            lane,
            month,
            left,
            view.contract_prices,
            view.log_development,
            view.hits,
            view.overhang,
        )
        total += exp(left * log(box_params.hurdle)) * value
    debt = box_debt(box_params, tranches, b, lane)
    return max(0.0, total - debt - accrued_interest(box_params, tranches, b, lane))


@inner
def present_value(cash_flows, factor):
    """Return (value, slope in the factor) of a box's equity flows at a monthly discount factor."""
    value = 0.0
    slope = 0.0
    for t in range(cash_flows.shape[0] - 1, -1, -1):
        slope = slope * factor + value
        value = value * factor + cash_flows[t]
    return value, slope


def discount_grid() -> NDArray[np.float64]:
    """Return scratch to look for internal rates on: monthly discount factors, and room for values.

    Returns
    -------
    ndarray (2, factor)
        Factors from 0.5 to 2 in equal steps of their logarithm, 1 among them; zeros.
    """
    factors = np.exp(np.linspace(-np.log(2.0), np.log(2.0), IRR_FACTORS))
    return np.stack([factors, np.zeros(IRR_FACTORS)])


@inner
def only_bracket(cash_flows, grid):
    """Return (roots, k): how often the value of flows changes sign on the grid, the last time at k.

    Parameters
    ----------
    grid : (2, factor), see `discount_grid`; the second row is written
    """
    for k in range(grid.shape[1]):
        grid[1, k] = 0.0
    for t in range(cash_flows.shape[0] - 1, -1, -1):
        flow = cash_flows[t]
        for k in range(grid.shape[1]):
            grid[1, k] = grid[1, k] * grid[0, k] + flow
    roots = 0
    last = 0
    for k in range(grid.shape[1] - 1):
        if (grid[1, k] > 0.0) != (grid[1, k + 1] > 0.0):
            roots += 1
            last = k
    return roots, last


@inner
def internal_rate(cash_flows, grid):
    """Return (state, annual effective IRR) of a box's equity flows.

    Undefined where no monthly discount factor from a half to two brings the flows to zero, and
    where several do: then NaN and a state.  Newton steps on the factor; bisection where a step
    leaves the bracket or does not halve the value.
    """
    for t in range(cash_flows.shape[0]):
        if abs(cash_flows[t]) <= flows.TINY:  # debris of rounding, which a long horizon blows up
            cash_flows[t] = 0.0
    roots, k = only_bracket(cash_flows, grid)
    if roots == 0:
        return IRR_NONE, np.nan
    if roots > 1:
        return IRR_SEVERAL, np.nan
    low, high = grid[0, k], grid[0, k + 1]
    rising = grid[1, k + 1] > 0.0
    factor = 0.5 * (low + high)
    before = np.inf
    for _ in range(200):
        value, slope = present_value(cash_flows, factor)
        if (value > 0.0) == rising:
            high = factor
        else:
            low = factor
        step = factor - value / slope if slope != 0.0 else -1.0
        is_good = low < step < high and abs(value) < 0.5 * before
        following = step if is_good else 0.5 * (low + high)
        before = abs(value)
        done = abs(following - factor) < 1e-14
        factor = following
        if done:
            break
    return IRR_DEFINED, exp(-12.0 * log(factor)) - 1.0


@inner
def close_accounts(state, view, box_params, boxes, tranches, month, series, grid):
    """Close the accounts at the horizon: terminal values and internal rates of return."""
    for b in range(box_params.codes.shape[1]):
        for lane in range(boxes.rows.shape[2]):
            value = terminal_value(view, box_params, boxes, tranches, b, lane, month)
            state.rows[ACCOUNT.terminal, b, lane] = value
            state.cash_flows[month, b, lane] += value
            for t in range(month + 1):
                series[t] = state.cash_flows[t, b, lane]
            irr_state, irr = internal_rate(series[: month + 1], grid)
            state.rows[ACCOUNT.irr_state, b, lane] = irr_state
            state.rows[ACCOUNT.irr, b, lane] = irr


__all__ = [
    "AccountState",
    "close_accounts",
    "discount_grid",
    "init_accounts",
    "internal_rate",
    "new_accounts",
    "record_month",
]
