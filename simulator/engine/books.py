"""The books of a month: what equity put in and took out, ratios, what the lender's book owes.

Model: docs/model.md §13.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.accounts import (
    ACCOUNT_LANE,
    book_balances,
    book_equity,
    month_ratios,
)
from simulator.box.receipts import debt_of
from simulator.box.terms import BOX, CLOSED, TRANCHE, TRANCHE_CODE, TRANCHE_TERM
from simulator.engine.outputs import MARKET_SERIES, written
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import any_of, end_of, first_of, pack_at, select, spread
from simulator.sponsor.terms import SPONSOR

(
    OUTSTANDING_DEBT,
    CUMULATIVE_LOSS,
    CUMULATIVE_DISTRIBUTIONS,
    BOOK_DSCR,
    BOXES_IN_DEFAULT,
    CUMULATIVE_RECOVERIES,
) = (
    MARKET_SERIES.index(name)
    for name in (
        "outstanding_debt",
        "cumulative_lender_loss",
        "cumulative_distributions",
        "book_dscr",
        "boxes_in_default",
        "cumulative_recoveries",
    )
)


@inner
def close_books(params, state, outputs, offset, month, told):
    """Book the month of every box, and write its series.

    Parameters
    ----------
    outputs : Outputs, written at columns offset..offset + lanes; no series if it has no columns
    told : bool
        Whether every line of the flows is wanted.
    """
    early = exp((month - 1.0) * log(params.boxes.hurdle))
    late = early * params.boxes.hurdle
    lanes = state.flow.shape[2]
    records = outputs.market.shape[2] > 0
    for first in range(0, lanes, PACK):
        pack = pack_at(first, lanes)
        close_boxes(params, state, outputs, offset, month, told, records, early, late, pack)
        if records:
            book_debt(params, state, month, pack)


@inlined
def close_boxes(params, state, outputs, offset, month, told, records, early, late, pack):
    """Book the month of every box on a pack of lanes, and write ratios of boxes and of the book."""
    box_terms, boxes, flow = params.boxes, state.boxes, state.flow
    accounts, series = state.accounts, state.series
    distributed = accounts.lanes[ACCOUNT_LANE.cumulative_distributions, pack]
    cfads, service, failed = spread(0.0, pack), spread(0.0, pack), spread(0.0, pack)
    for b in range(box_terms.codes.shape[1]):
        out = book_equity(accounts, flow, state.rare[b], b, pack, month, early, late)
        distributed = distributed + out
        if not records and not told:
            continue
        closed = boxes.rows[BOX.status, b, pack] == CLOSED
        debt = select(closed, 0.0, debt_of(box_terms, state.tranches, b, pack))
        loan_to_value, cover = month_ratios(boxes, flow, debt, closed, b, pack)
        if told:
            book_balances(boxes, flow, debt, b, pack)
            flow[flows.LTV, b, pack] = loan_to_value
            flow[flows.DSCR, b, pack] = cover
        if records:
            write_ratios(state, outputs, offset, month, b, loan_to_value, cover, pack)
        serves = flow[flows.DEBT_SERVICE, b, pack] > flows.TINY
        cfads = cfads + select(serves, boxes.rows[BOX.period_cfads, b, pack], 0.0)
        service = service + select(serves, boxes.rows[BOX.period_service, b, pack], 0.0)
        failed = failed + select(boxes.rows[BOX.default_month, b, pack] > 0.0, 1.0, 0.0)
    accounts.lanes[ACCOUNT_LANE.cumulative_distributions, pack] = distributed
    series[CUMULATIVE_DISTRIBUTIONS, pack] = distributed
    serves = service > flows.TINY
    series[BOOK_DSCR, pack] = select(serves, cfads / select(serves, service, 1.0), np.nan)
    series[BOXES_IN_DEFAULT, pack] = failed


@inlined
def write_ratios(state, outputs, offset, month, b, loan_to_value, cover, pack):
    """Write LTV and DSCR of a box."""
    columns = outputs.box_ltv.shape[2]
    first = offset + first_of(pack)
    if offset + end_of(pack) <= columns:
        outputs.box_ltv[month - 1, b, pack_at(first, offset + end_of(pack))] = loan_to_value
        outputs.box_dscr[month - 1, b, pack_at(first, offset + end_of(pack))] = cover
    else:
        state.draws[pack] = loan_to_value
        for lane in range(first_of(pack), written(state.flow, outputs, offset)):
            outputs.box_ltv[month - 1, b, offset + lane] = state.draws[lane]
        state.draws[pack] = cover
        for lane in range(first_of(pack), written(state.flow, outputs, offset)):
            outputs.box_dscr[month - 1, b, offset + lane] = state.draws[lane]


@inlined
def book_debt(params, state, month, pack):
    """Write what the lender's book is owed, has lost and has recovered.

    A claim is outstanding until its workout is closed, a HoldCo's until its estate is paid out, at
    the horizon at the latest; what it then leaves unpaid is loss, at its present value:
    D(t) claim(t), which stands still.
    """
    debt_terms, rows, series = params.tranches, state.tranches.rows, state.series
    to_estate = params.sponsors.estate_lag
    if month == params.horizon:
        to_estate = 0.0
    outstanding, lost, recovered = spread(0.0, pack), spread(0.0, pack), spread(0.0, pack)
    for d in range(debt_terms.codes.shape[1]):
        b, s = debt_terms.codes[TRANCHE_CODE.box, d], debt_terms.codes[TRANCHE_CODE.sponsor, d]
        held = debt_terms.terms[TRANCHE_TERM.lender_share, d]
        if b >= 0:
            over = state.boxes.rows[BOX.status, b, pack] == CLOSED
        else:
            failed = state.sponsors.rows[SPONSOR.default_month, s, pack]
            over = (failed > 0.0) & (failed + to_estate <= month)
        recovered = recovered + held * rows[TRANCHE.recovered, d, pack]
        balance = rows[TRANCHE.balance, d, pack]
        claim = held * (balance + rows[TRANCHE.accrued, d, pack])
        outstanding = outstanding + select(over, 0.0, claim)
        unpaid = over & (balance > flows.TINY)
        if any_of(unpaid):
            lost = lost + select(unpaid, rows[TRANCHE.discount, d, pack] * claim, 0.0)
    series[OUTSTANDING_DEBT, pack] = outstanding
    series[CUMULATIVE_LOSS, pack] = lost
    series[CUMULATIVE_RECOVERIES, pack] = recovered
