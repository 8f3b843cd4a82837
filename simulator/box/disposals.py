"""Disposals: cash for what a box gives up, which prepays its debt.

A customer, or another name, may guarantee what GPUs or a hall are worth when their lease ends:

    shortfall = max(0, residual share x cost - V),  up to a cap for the contract

Where there is no more power to be had, old GPUs make way for new ones that would earn more on the
same kilowatts, after their own price, six months running:

    max(0, P U - floor)/kw < (P' U - o' - c)/kw' - (floor - o)/kw

o is the part of the floor that goes with the GPUs; the rest, power and hall, goes with the room.

Model: docs/model.md §11 (Disposals).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box import flows
from simulator.box.costs import COST_CODE
from simulator.box.terms import BOX, BOX_CODE, PERFORMING
from simulator.box.valuation import asset_value
from simulator.box.workout import pay_claims
from simulator.credit.leases import (
    BACKSTOPPED,
    CONTRACTED,
    COUNTERPARTY,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    MERCHANT,
    RELETTING,
)
from simulator.credit.names import NAME
from simulator.numerics.jit import inlined, inner
from simulator.numerics.rows import row_names

REPLACED_AFTER_MONTHS = 6.0


@row_names
class DisposalTermRows(NamedTuple):
    """Rows of `DisposalParams.terms`."""

    guaranteed: int  # USD m, value guaranteed at the end of the first term, 0 = none
    kw: int  # IT kW per GPU
    operations: int  # USD per GPU-hour, part of the cash floor that goes with the GPUs


DISPOSAL_TERM = DisposalTermRows(*range(3))


@row_names
class DisposalCodeRows(NamedTuple):
    """Rows of `DisposalParams.codes`."""

    guarantor: int  # name, -1 = none
    independent: int  # 1 = the guarantor is another name than the customer
    replaceable: int  # 1 = GPUs where power is scarce


DISPOSAL_CODE = DisposalCodeRows(*range(3))


class DisposalParams(NamedTuple):
    """Frozen inputs, by asset unless said otherwise."""

    terms: NDArray[np.float64]  # (row of DISPOSAL_TERM, ...)
    codes: NDArray[np.int64]  # (row of DISPOSAL_CODE, ...)
    cap: NDArray[np.float64]  # (contract,), USD m of residual guarantees, infinite = none
    newest: int  # generation that earns most per kW at t0
    newest_kw: float  # per GPU
    newest_operations: float  # USD per GPU-hour
    newest_charge: float  # USD per GPU-hour, its hardware spread over five years
    enabled: bool  # whether any asset can be disposed of


@row_names
class DisposalRows(NamedTuple):
    """Rows of `DisposalState.rows`."""

    due: int  # USD m of a residual guarantee, to be received next month
    settled: int  # 1 once the first term has ended, one way or other
    months_outearned: int  # in a row


DISPOSAL = DisposalRows(*range(3))


class DisposalState(NamedTuple):
    """State by asset and lane, unless said otherwise."""

    rows: NDArray[np.float64]  # (row of DISPOSAL, ...)
    cap_left: NDArray[np.float64]  # (contract, lane), USD m


def new_disposals(assets: int, contracts: int, lanes: int) -> DisposalState:
    """Return state for a block."""
    return DisposalState(
        rows=np.zeros((len(DISPOSAL), assets, lanes)), cap_left=np.zeros((max(1, contracts), lanes))
    )


@inner
def init_disposals(params, state):
    """Reset a block to t0."""
    state.rows[:] = 0.0
    for contract in range(params.cap.shape[0]):
        state.cap_left[contract] = params.cap[contract]


@inner
def step_disposals(params, state, view, box_params, boxes, names, flow, month, b, first, end):
    """Write the disposals of a box on lanes first..end - 1 (stage 11, after receipts and costs).

    Parameters
    ----------
    view : MarketView
    names : NameState, after this month's defaults

    Notes
    -----
    A guarantee called this month is received in the next; GPUs sold are paid for at once.
    """
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        for lane in range(first, end):
            status = boxes.rows[BOX.status, b, lane]
            if params.terms[DISPOSAL_TERM.guaranteed, a] > 0.0:
                if status == PERFORMING or box_params.collateral_model:
                    flow[flows.DISPOSALS, b, lane] += state.rows[DISPOSAL.due, a, lane]
                state.rows[DISPOSAL.due, a, lane] = 0.0
                if state.rows[DISPOSAL.settled, a, lane] == 0.0:
                    call_residual_guarantee(
                        params, state, view, box_params, boxes, names, b, a, lane, month
                    )
            if params.codes[DISPOSAL_CODE.replaceable, a] and status == PERFORMING:
                flow[flows.DISPOSALS, b, lane] += replace_outearned(
                    params, state, view, box_params, boxes, b, a, lane, month
                )


@inner
def call_residual_guarantee(params, state, view, box_params, boxes, names, b, a, lane, month):
    """Call a residual guarantee if the lease has just ended; note what is due next month."""
    lease = view.lease_state.rows
    status = lease[LEASE.status, a, lane]
    over = lease[LEASE.first_term, a, lane] == 0.0
    if over and (status == CONTRACTED or status == BACKSTOPPED):  # renewed
        state.rows[DISPOSAL.settled, a, lane] = 1.0
        return
    expired = over and status == RELETTING and lease[LEASE.void, a, lane] == 0.0
    rejected = (
        lease[LEASE.ended, a, lane] == month
        and lease[LEASE.reason, a, lane] == COUNTERPARTY
        and (status == RELETTING or status == MERCHANT)
    )
    if not (expired or rejected):
        return
    state.rows[DISPOSAL.settled, a, lane] = 1.0
    guarantor = params.codes[DISPOSAL_CODE.guarantor, a]
    if rejected and params.codes[DISPOSAL_CODE.independent, a] == 0:
        return
    if names.rows[NAME.default_month, guarantor, lane] > 0.0:
        return
    contract = view.leases.codes[LEASE_CODE.contract, a]
    value = value_of(view, box_params, boxes, b, a, lane, month)
    shortfall = max(0.0, params.terms[DISPOSAL_TERM.guaranteed, a] - value)
    paid = min(shortfall, state.cap_left[contract, lane])
    state.cap_left[contract, lane] -= paid
    state.rows[DISPOSAL.due, a, lane] = paid


@inner
def replace_outearned(params, state, view, box_params, boxes, b, a, lane, month):
    """Sell GPUs that new ones would have outearned for six months; return the proceeds, USD m."""
    if view.lease_state.rows[LEASE.status, a, lane] != MERCHANT or not is_outearned(
        params, view, boxes, b, a, lane
    ):
        state.rows[DISPOSAL.months_outearned, a, lane] = 0.0
        return 0.0
    state.rows[DISPOSAL.months_outearned, a, lane] += 1.0
    if state.rows[DISPOSAL.months_outearned, a, lane] < REPLACED_AFTER_MONTHS:
        return 0.0
    value = value_of(view, box_params, boxes, b, a, lane, month)
    view.lease_state.rows[LEASE.status, a, lane] = GONE
    return value * (1.0 - view.collateral.remarketing_cost)


@inlined
def is_outearned(params, view, boxes, b, a, lane):
    """Say whether new GPUs would earn more on the kilowatts of an asset, after their own price."""
    utilisation = boxes.rows[BOX.utilisation, b, lane]
    rate = view.exchange[view.costs.codes[COST_CODE.currency, a], lane]
    kw = params.terms[DISPOSAL_TERM.kw, a]
    floor = view.floors[a, lane]
    room = floor - params.terms[DISPOSAL_TERM.operations, a] * rate  # power and hall
    earns = max(0.0, merchant_price(view, a, lane) * utilisation - floor) / kw
    income = view.contract_prices[params.newest, lane] * utilisation
    costs = params.newest_operations * rate + params.newest_charge
    return earns < (income - costs) / params.newest_kw - room / kw


@inlined
def merchant_price(view, a, lane):
    """Return the price a merchant asset takes next month, as far as it is known, USD."""
    g = view.leases.codes[LEASE_CODE.generation, a]
    factor = view.leases.terms[LEASE_TERM.price_factor, a]
    if view.leases.codes[LEASE_CODE.name, a] < 0:
        return factor * view.spot_prices[g, lane]
    if view.lease_state.rows[LEASE.merchant_left, a, lane] <= 0.0:
        return factor * view.contract_prices[g, lane]
    return view.lease_state.rows[LEASE.merchant_price, a, lane]


@inner
def value_of(view, box_params, boxes, b, a, lane, month):
    """Return the orderly value of an asset this month, USD m."""
    return asset_value(
        box_params,
        boxes,
        view.leases,
        view.lease_state,
        view.deliveries,
        view.collateral,
        view.floors,
        b,
        a,
        lane,
        month,
        0.0,
        view.contract_prices,
        view.log_development,
        view.hits,
        view.overhang,
    )


@inner
def pass_on_disposals(box_params, params, state, flow, b, lane):
    """Pay what reaches a closed box to the claims that are left on it, the rest to its owners."""
    cash = flow[flows.DISPOSALS, b, lane]
    if cash > 0.0:
        left = pay_claims(params, state, box_params, b, lane, cash)
        flow[flows.RECOVERED, b, lane] = cash - left
        flow[flows.DISTRIBUTED, b, lane] += left
