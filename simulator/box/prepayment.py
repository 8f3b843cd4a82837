"""Prepayments: cash sweeps, and what cures and disposals repay before anything else.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, PERFORMING, TRANCHE, TRANCHE_CODE
from simulator.box.work import NEED
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import any_of, end_of, first_of, least, most, select


@inlined
def principal_due(state, d, lane):
    """Return instalment, final principal and arrears of a tranche, at most its balance, USD m."""
    due = (
        state.rows[TRANCHE.instalment, d, lane]
        + state.rows[TRANCHE.final, d, lane]
        + state.rows[TRANCHE.arrears, d, lane]
    )
    return min(due, state.rows[TRANCHE.balance, d, lane])


@inner
def prepay(params, state, box_params, flow, b, lane, amount):
    """Prepay debt by rank, pro rata to balances within a rank; return what is left over."""
    left = amount
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(box_params.codes[BOX_CODE.last_rank, b] + 1):
        debt = 0.0
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                debt += state.rows[TRANCHE.balance, d, lane]
        if debt <= flows.TINY:
            continue
        share = min(1.0, left / debt)
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                paid = state.rows[TRANCHE.balance, d, lane] * share
                state.rows[TRANCHE.balance, d, lane] -= paid
                if paid > flows.TINY and not params.codes[TRANCHE_CODE.shorten, d]:
                    state.rows[TRANCHE.payment, d, lane] = 0.0  # levelled anew from next month on
                state.rows[TRANCHE.received, d, lane] += paid
                state.rows[TRANCHE.arrears, d, lane] = max(
                    0.0, state.rows[TRANCHE.arrears, d, lane] - paid
                )
        left = max(0.0, left - debt * share)
    flow[flows.SWEPT, b, lane] += amount - left
    return left


@inlined
def sweep(params, state, box_params, boxes, flow, performs, cash, b, pack):
    """Prepay debt: all cash while a ratio trigger is breached, else the agreed share."""
    threshold = box_params.terms[BOX_TERM.sweep_threshold, b]
    agreed = box_params.terms[BOX_TERM.sweep_share, b]
    triggers = box_params.terms[BOX_TERM.ltc_trigger, b] + box_params.terms[BOX_TERM.ltv_trigger, b]
    if agreed <= 0.0 and triggers <= 0.0:
        return cash
    service = boxes.rows[BOX.period_service, b, pack]
    excess = boxes.rows[BOX.period_cfads, b, pack] - threshold * service
    amount = least(cash, most(0.0, agreed * excess))
    amount = select(boxes.rows[BOX.over_months, b, pack] == 0.0, amount, cash)
    amount = select(performs, amount, 0.0)
    if any_of(amount > 0.0):
        flow[flows.CASH_LEFT, b, pack] = cash
        state.scratch[pack] = amount
        for lane in range(first_of(pack), end_of(pack)):
            asked = state.scratch[lane]
            if asked > 0.0:
                left = prepay(params, state, box_params, flow, b, lane, asked)
                flow[flows.CASH_LEFT, b, lane] -= asked - left
        cash = flow[flows.CASH_LEFT, b, pack]
    return cash


@inlined
def principal_after_cure(state, box_params, b, lane):
    """Return what a cure saved of instalments and arrears, and the final principal still due."""
    saved = 0.0
    final = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        due = principal_due(state, d, lane)
        last = min(due, state.rows[TRANCHE.final, d, lane])
        final += last
        saved += state.rows[TRANCHE.instalment, d, lane] - (due - last)
    return saved, final


@inner
def prepay_early(params, state, box_params, boxes, flow, needs, b, first, end):
    """Prepay debt with cures and disposals, before anything else, and lower what is needed.

    Parameters
    ----------
    needs : (row of NEED, lane), written where something is prepaid
    first, end : int, lanes first..end - 1
    """
    for lane in range(first, end):
        disposals = flow[flows.DISPOSALS, b, lane]
        early = flow[flows.CURE, b, lane] + disposals
        if boxes.rows[BOX.status, b, lane] != PERFORMING or early <= 0.0:
            continue
        arrears = 0.0
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            arrears += state.rows[TRANCHE.arrears, d, lane]
        left = prepay(params, state, box_params, flow, b, lane, early)
        saved, final = principal_after_cure(state, box_params, b, lane)
        needs[NEED.early, lane] = min(left, disposals)
        needs[NEED.needed, lane] -= saved + arrears
        needs[NEED.final, lane] = final
