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
from simulator.box.receipts import accrued_interest, box_debt, window_sums
from simulator.box.returns import internal_rates
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, PERFORMING
from simulator.box.valuation import asset_value
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
from simulator.numerics.lanes import entity_rows, select
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
        rows=entity_rows(len(ACCOUNT), count, lanes),
        cash_flows=entity_rows(horizon + 1, count, lanes),
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


@inlined
def book_equity(state, flow, rare, b, pack, month, early, late):
    """Book what equity paid in at the start and at the end of the month, and what it took out.

    Parameters
    ----------
    early, late : float
        Discount factors of the start and the end of the month.

    Returns
    -------
    pack
        What it took out, USD m.
    """
    out = flow[flows.DISTRIBUTED, b, pack]
    state.rows[ACCOUNT.distributed_pv, b, pack] = (
        state.rows[ACCOUNT.distributed_pv, b, pack] + late * out
    )
    state.rows[ACCOUNT.distributed, b, pack] = state.rows[ACCOUNT.distributed, b, pack] + out
    net = out
    if rare:
        at_start = flow[flows.EQUITY_FOR_CAPEX, b, pack]
        at_end = flow[flows.EQUITY_OTHER, b, pack] + flow[flows.SUPPORT, b, pack]
        at_end = at_end + flow[flows.CURE, b, pack]
        contributed = early * at_start + late * at_end
        state.rows[ACCOUNT.contributed_pv, b, pack] = (
            state.rows[ACCOUNT.contributed_pv, b, pack] + contributed
        )
        state.rows[ACCOUNT.contributed, b, pack] = state.rows[ACCOUNT.contributed, b, pack] + (
            at_start + at_end
        )
        before = state.cash_flows[month - 1, b, pack]
        state.cash_flows[month - 1, b, pack] = before - at_start
        net = out - at_end
    state.cash_flows[month, b, pack] = net
    return out


@inlined
def book_balances(boxes, flow, debt, b, pack):
    """Write the balances of a box's accounts and debt at the end of the month."""
    flow[flows.TRAPPED_CASH, b, pack] = boxes.rows[BOX.trapped, b, pack]
    flow[flows.DEBT_SERVICE_RESERVE, b, pack] = boxes.rows[BOX.reserve, b, pack]
    flow[flows.POWER_RESERVE, b, pack] = boxes.rows[BOX.power_reserve, b, pack]
    flow[flows.COLLECTED_CASH, b, pack] = boxes.rows[BOX.collected, b, pack]
    flow[flows.DEBT, b, pack] = debt


@inlined
def month_ratios(boxes, flow, debt, closed, b, pack):
    """Return (LTV, DSCR) of a box; NaN where there is nothing to divide by."""
    value = flow[flows.COLLATERAL, b, pack]
    has_value = (value > flows.TINY) & ~closed
    loan_to_value = select(has_value, debt / select(has_value, value, 1.0), np.nan)
    cfads, service = window_sums(boxes, b, pack)
    serving = (flow[flows.DEBT_SERVICE, b, pack] > flows.TINY) & (service > flows.TINY)
    cover = select(serving, cfads / select(serving, service, 1.0), np.nan)
    return loan_to_value, cover


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


__all__ = [
    "AccountState",
    "book_balances",
    "book_equity",
    "close_accounts",
    "init_accounts",
    "month_ratios",
    "new_accounts",
]
