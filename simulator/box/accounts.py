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
from simulator.box.receipts import accrued_interest, asset_value, box_debt, window_dscr
from simulator.box.returns import internal_rates
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, CLOSED, PERFORMING, TRANCHE
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    GONE,
    LEASE,
    LEASE_CODE,
    UNPAID,
)
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner
from simulator.numerics.rows import row_names

OPENING_LIFE_MONTHS = 72.0


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
    """Book the month's flows between each box and its equity, and the closing balances.

    In short loops over few rows each, so that all of them vectorise.
    """
    early = exp((month - 1.0) * log(box_params.hurdle))
    late = early * box_params.hurdle
    for b in range(box_params.codes.shape[1]):
        book_equity(state, flow, b, month, early, late)
        book_balances(box_params, boxes, tranches, flow, b)
        book_ratios(boxes, flow, b)


@inner
def book_equity(state, flow, b, month, early, late):
    """Book what equity paid in at the start and at the end of the month, and what it took out.

    Parameters
    ----------
    early, late : float
        Discount factors of the start and the end of the month.
    """
    lanes = flow.shape[2]
    for lane in range(lanes):
        at_start, at_end = flow[flows.EQUITY_FOR_CAPEX, b, lane], paid_at_end(flow, b, lane)
        state.rows[ACCOUNT.contributed_pv, b, lane] += early * at_start + late * at_end
        state.rows[ACCOUNT.contributed, b, lane] += at_start + at_end
    for lane in range(lanes):
        out = flow[flows.DISTRIBUTED, b, lane]
        state.rows[ACCOUNT.distributed_pv, b, lane] += late * out
        state.rows[ACCOUNT.distributed, b, lane] += out
    for lane in range(lanes):
        state.lanes[ACCOUNT_LANE.cumulative_distributions, lane] += flow[flows.DISTRIBUTED, b, lane]
    for lane in range(lanes):
        state.cash_flows[month - 1, b, lane] -= flow[flows.EQUITY_FOR_CAPEX, b, lane]
    for lane in range(lanes):
        net = flow[flows.DISTRIBUTED, b, lane] - paid_at_end(flow, b, lane)
        state.cash_flows[month, b, lane] += net


@inlined
def paid_at_end(flow, b, lane):
    """Return what equity pays in at the end of a month, USD m."""
    return (
        flow[flows.EQUITY_OTHER, b, lane] + flow[flows.SUPPORT, b, lane] + flow[flows.CURE, b, lane]
    )


@inner
def book_balances(box_params, boxes, tranches, flow, b):
    """Write the balances of a box's accounts and debt at the end of the month."""
    lanes = flow.shape[2]
    for lane in range(lanes):
        flow[flows.TRAPPED_CASH, b, lane] = boxes.rows[BOX.trapped, b, lane]
        flow[flows.DEBT_SERVICE_RESERVE, b, lane] = boxes.rows[BOX.reserve, b, lane]
        flow[flows.POWER_RESERVE, b, lane] = boxes.rows[BOX.power_reserve, b, lane]
        flow[flows.COLLECTED_CASH, b, lane] = boxes.rows[BOX.collected, b, lane]
    for lane in range(lanes):
        flow[flows.DEBT, b, lane] = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        for lane in range(lanes):
            flow[flows.DEBT, b, lane] += tranches.rows[TRANCHE.balance, d, lane]
    for lane in range(lanes):
        closed = boxes.rows[BOX.status, b, lane] == CLOSED
        flow[flows.DEBT, b, lane] = 0.0 if closed else flow[flows.DEBT, b, lane]


@inner
def book_ratios(boxes, flow, b):
    """Write LTV and DSCR of a box; NaN where there is nothing to divide by."""
    lanes = flow.shape[2]
    for lane in range(lanes):
        value = flow[flows.COLLATERAL, b, lane]
        has_value = value > flows.TINY and boxes.rows[BOX.status, b, lane] != CLOSED
        ratio = flow[flows.DEBT, b, lane] / (value if has_value else 1.0)
        flow[flows.LTV, b, lane] = ratio if has_value else np.nan
    for lane in range(lanes):
        cfads, service = window_dscr(boxes, b, lane)
        serving = flow[flows.DEBT_SERVICE, b, lane] > flows.TINY and service > flows.TINY
        ratio = cfads / (service if serving else 1.0)
        flow[flows.DSCR, b, lane] = ratio if serving else np.nan


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
def close_accounts(state, view, box_params, boxes, tranches, month, series, grid, scratch):
    """Close the accounts at the horizon: terminal values and internal rates of return."""
    for b in range(box_params.codes.shape[1]):
        for lane in range(boxes.rows.shape[2]):
            value = terminal_value(view, box_params, boxes, tranches, b, lane, month)
            state.rows[ACCOUNT.terminal, b, lane] = value
            state.cash_flows[month, b, lane] += value
        internal_rates(
            state.cash_flows,
            month + 1,
            b,
            scratch,
            series,
            grid,
            state.rows[ACCOUNT.irr_state],
            state.rows[ACCOUNT.irr],
        )


__all__ = ["AccountState", "close_accounts", "init_accounts", "new_accounts", "record_month"]
