"""The waterfall: who is paid, in which order, out of what.

Each line of the order is one small function on the cash of the month, all of the same shape; the
order is data (`box_params.waterfall`).  A line pays what it can and passes on what is left.

Model: docs/model.md §11; the default order is the reported one of DDTL 4.0 (evidence of the deals,
section 5).
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.debt import is_payment_month
from simulator.box.receipts import box_debt, senior_needs
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, PERFORMING, TRANCHE, TRANCHE_CODE
from simulator.numerics.jit import inlined, inner

(
    OPERATING_COSTS,
    SENIOR_FEES,
    SENIOR_INTEREST,
    SENIOR_PRINCIPAL,
    DEBT_SERVICE_RESERVE,
    POWER_RESERVE,
    JUNIOR_INTEREST,
    JUNIOR_PRINCIPAL,
    SWEEP,
    CASH_TRAP,
    REFUND_CLAIMS,
    DISTRIBUTION,
) = range(12)
"""Codes of the lines, in the order of `config.terms.WATERFALL_LINES`."""


@inlined
def is_paid_between_dates(line):
    """Say whether a line is paid in months without a payment date too: costs, fees, what is due."""
    return line <= SENIOR_PRINCIPAL or line == JUNIOR_INTEREST or line == JUNIOR_PRINCIPAL


@inlined
def gather_cash(box_params, boxes, tranches, flow, b, lane):
    """Return the cash of the month: receipts, what was kept for it and what reserves release."""
    kept = boxes.rows[BOX.collected, b, lane]
    boxes.rows[BOX.collected, b, lane] = 0.0
    released = 0.0
    debt = box_debt(box_params, tranches, b, lane)
    if boxes.rows[BOX.trapped, b, lane] > 0.0 and (
        boxes.rows[BOX.trap_on, b, lane] == 0.0 or debt <= flows.TINY
    ):
        released = boxes.rows[BOX.trapped, b, lane]
        boxes.rows[BOX.trapped, b, lane] = 0.0
    excess = max(0.0, boxes.rows[BOX.reserve, b, lane] - boxes.rows[BOX.reserve_target, b, lane])
    boxes.rows[BOX.reserve, b, lane] -= excess
    power_target = power_reserve_target(box_params, flow, b, lane) if debt > flows.TINY else 0.0
    power_excess = max(0.0, boxes.rows[BOX.power_reserve, b, lane] - power_target)
    boxes.rows[BOX.power_reserve, b, lane] -= power_excess
    flow[flows.TRAPPED_CASH_RELEASED, b, lane] = released
    flow[flows.RESERVES_RELEASED, b, lane] = excess + power_excess
    return (
        flow[flows.RECEIPTS, b, lane]
        + flow[flows.PREPAYMENT_SURPLUS, b, lane]
        + released
        + excess
        + power_excess
        + kept
    )


@inlined
def power_reserve_target(box_params, flow, b, lane):
    """Return the power reserve asked for: months of this month's power cost, USD m."""
    return box_params.terms[BOX_TERM.power_reserve_months, b] * flow[flows.POWER_COST, b, lane]


@inlined
def draw_reserves(boxes, flow, b, lane, cash, needed):
    """Meet a shortfall from trapped cash, the power reserve and the DSRA; return the cash."""
    short = max(0.0, needed - cash)
    used = min(short, boxes.rows[BOX.trapped, b, lane])
    boxes.rows[BOX.trapped, b, lane] -= used
    flow[flows.TRAPPED_CASH_USED, b, lane] = used
    short -= used
    cash += used
    used = min(short, boxes.rows[BOX.power_reserve, b, lane])
    boxes.rows[BOX.power_reserve, b, lane] -= used
    flow[flows.POWER_RESERVE_USED, b, lane] = used
    short -= used
    cash += used
    used = min(short, boxes.rows[BOX.reserve, b, lane])
    boxes.rows[BOX.reserve, b, lane] -= used
    flow[flows.DEBT_SERVICE_RESERVE_USED, b, lane] = used
    return cash + used


@inner
def pay_costs(boxes, flow, b):
    """Pay operating costs, last month's unpaid ones included."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            due = flow[flows.OPERATING_COSTS, b, lane] + boxes.rows[BOX.cost_arrears, b, lane]
            paid = min(flow[flows.CASH_LEFT, b, lane], due)
            boxes.rows[BOX.cost_arrears, b, lane] = due - paid
            flow[flows.OPERATING_COSTS_PAID, b, lane] = paid
            flow[flows.CASH_LEFT, b, lane] -= paid


@inner
def pay_fees(boxes, flow, b):
    """Pay senior fees and hedge settlements (a settlement received came in with the cash)."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            hedge = max(0.0, flow[flows.HEDGE_SETTLEMENT, b, lane])
            due = flow[flows.SENIOR_FEES, b, lane] + hedge + boxes.rows[BOX.fee_arrears, b, lane]
            paid = min(flow[flows.CASH_LEFT, b, lane], due)
            boxes.rows[BOX.fee_arrears, b, lane] = due - paid
            flow[flows.SENIOR_FEES_PAID, b, lane] = paid
            flow[flows.CASH_LEFT, b, lane] -= paid


@inner
def pay_interest(params, state, box_params, boxes, flow, b, first_rank, last_rank, paid_line):
    """Pay interest by rank, pro rata within a rank; what is unpaid is added to the balance."""
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(first_rank, last_rank + 1):
        for lane in range(flow.shape[2]):
            if boxes.rows[BOX.status, b, lane] != PERFORMING:
                continue
            due = 0.0
            for d in range(first, end):
                if params.codes[TRANCHE_CODE.rank, d] == rank:
                    due += state.rows[TRANCHE.interest, d, lane]
            if due <= 0.0:
                continue
            cash = flow[flows.CASH_LEFT, b, lane]
            share = min(1.0, cash / due)
            for d in range(first, end):
                if params.codes[TRANCHE_CODE.rank, d] == rank:
                    interest = state.rows[TRANCHE.interest, d, lane]
                    paid = interest * share
                    state.rows[TRANCHE.received, d, lane] += paid
                    unpaid = interest - paid
                    if unpaid > 0.0:
                        state.rows[TRANCHE.balance, d, lane] += unpaid
                        if params.codes[TRANCHE_CODE.catch_up, d]:
                            state.rows[TRANCHE.arrears, d, lane] += unpaid
            left = max(0.0, cash - due * share)
            flow[paid_line, b, lane] += cash - left
            flow[flows.CASH_LEFT, b, lane] = left


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
def pay_principal(
    params, state, box_params, boxes, flow, b, month, first_rank, last_rank, paid_line
):
    """Pay arrears and instalments by rank, pro rata to what is due; the unpaid part stays due.

    What is left in the balance instead is not overdue.  Principal due at maturity is not arrears:
    it waits for refinancing (docs/model.md §11).
    """
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(first_rank, last_rank + 1):
        for lane in range(flow.shape[2]):
            if boxes.rows[BOX.status, b, lane] != PERFORMING:
                continue
            due = 0.0
            for d in range(first, end):
                if params.codes[TRANCHE_CODE.rank, d] == rank:
                    due += principal_due(state, d, lane)
            if due <= 0.0:
                continue
            cash = flow[flows.CASH_LEFT, b, lane]
            share = min(1.0, cash / due)
            for d in range(first, end):
                if params.codes[TRANCHE_CODE.rank, d] == rank:
                    asked = principal_due(state, d, lane)
                    paid = asked * share
                    balance = max(0.0, state.rows[TRANCHE.balance, d, lane] - paid)
                    state.rows[TRANCHE.received, d, lane] += paid
                    state.rows[TRANCHE.balance, d, lane] = balance
                    late = asked - paid
                    if month >= state.rows[TRANCHE.maturity, d, lane]:
                        late = min(late, max(0.0, state.rows[TRANCHE.arrears, d, lane] - paid))
                    if not params.codes[TRANCHE_CODE.catch_up, d]:
                        late = 0.0
                    state.rows[TRANCHE.arrears, d, lane] = late if late > flows.TINY else 0.0
            left = max(0.0, cash - due * share)
            flow[paid_line, b, lane] += cash - left
            flow[flows.CASH_LEFT, b, lane] = left


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
                if paid > 0.0 and not params.codes[TRANCHE_CODE.shorten, d]:
                    state.rows[TRANCHE.payment, d, lane] = 0.0  # levelled anew from next month on
                state.rows[TRANCHE.received, d, lane] += paid
                state.rows[TRANCHE.arrears, d, lane] = max(
                    0.0, state.rows[TRANCHE.arrears, d, lane] - paid
                )
        left = max(0.0, left - debt * share)
    flow[flows.SWEPT, b, lane] += amount - left
    return left


@inner
def sweep(params, state, box_params, boxes, flow, b):
    """Prepay debt: all cash while a ratio trigger is breached, else the agreed share."""
    threshold = box_params.terms[BOX_TERM.sweep_threshold, b]
    agreed = box_params.terms[BOX_TERM.sweep_share, b]
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] != PERFORMING:
            continue
        cash = flow[flows.CASH_LEFT, b, lane]
        amount = cash
        if boxes.rows[BOX.over_months, b, lane] == 0.0:
            service = boxes.rows[BOX.period_service, b, lane]
            excess = boxes.rows[BOX.period_cfads, b, lane] - threshold * service
            amount = min(cash, max(0.0, agreed * excess))
        if amount > 0.0:
            left = prepay(params, state, box_params, flow, b, lane, amount)
            flow[flows.CASH_LEFT, b, lane] = cash - (amount - left)


@inner
def fund_debt_service_reserve(boxes, flow, b):
    """Top the DSRA up to its target."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            reserve = boxes.rows[BOX.reserve, b, lane]
            missing = max(0.0, boxes.rows[BOX.reserve_target, b, lane] - reserve)
            paid = min(flow[flows.CASH_LEFT, b, lane], missing)
            boxes.rows[BOX.reserve, b, lane] += paid
            flow[flows.DEBT_SERVICE_RESERVE_FUNDED, b, lane] = paid
            flow[flows.CASH_LEFT, b, lane] -= paid


@inner
def fund_power_reserve(box_params, state, boxes, flow, b):
    """Top the power reserve up to its target, while there is debt."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            target = 0.0
            if box_debt(box_params, state, b, lane) > flows.TINY:
                target = power_reserve_target(box_params, flow, b, lane)
            missing = max(0.0, target - boxes.rows[BOX.power_reserve, b, lane])
            paid = min(flow[flows.CASH_LEFT, b, lane], missing)
            boxes.rows[BOX.power_reserve, b, lane] += paid
            flow[flows.POWER_RESERVE_FUNDED, b, lane] = paid
            flow[flows.CASH_LEFT, b, lane] -= paid


@inner
def trap_cash(box_params, state, boxes, flow, b):
    """Hold back what is left while a trap is on; with the last of the debt it is released."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING and boxes.rows[BOX.trap_on, b, lane] > 0.0:
            cash = flow[flows.CASH_LEFT, b, lane]
            if box_debt(box_params, state, b, lane) > flows.TINY:
                boxes.rows[BOX.trapped, b, lane] += cash
                flow[flows.CASH_TRAPPED, b, lane] = cash
                flow[flows.CASH_LEFT, b, lane] = 0.0
            else:
                held = boxes.rows[BOX.trapped, b, lane]
                boxes.rows[BOX.trapped, b, lane] = 0.0
                flow[flows.TRAPPED_CASH_RELEASED, b, lane] += held
                flow[flows.CASH_LEFT, b, lane] = cash + held


@inner
def distribute(boxes, flow, b):
    """Pay out what is left."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            flow[flows.DISTRIBUTED, b, lane] = flow[flows.CASH_LEFT, b, lane]
            flow[flows.CASH_LEFT, b, lane] = 0.0


@inner
def keep_rest(boxes, flow, b):
    """Keep what is left for the next payment date."""
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            boxes.rows[BOX.collected, b, lane] = flow[flows.CASH_LEFT, b, lane]
            flow[flows.CASH_LEFT, b, lane] = 0.0


@inner
def pay_line(line, params, state, box_params, boxes, flow, b, month):
    """Pay one line of the order on every lane."""
    senior, last_rank = np.int64(0), box_params.codes[BOX_CODE.last_rank, b]
    if line == OPERATING_COSTS:
        pay_costs(boxes, flow, b)
    elif line == SENIOR_FEES:
        pay_fees(boxes, flow, b)
    elif line == SENIOR_INTEREST:
        pay_interest(
            params, state, box_params, boxes, flow, b, senior, senior, flows.SENIOR_INTEREST_PAID
        )
    elif line == SENIOR_PRINCIPAL:
        pay_principal(
            params,
            state,
            box_params,
            boxes,
            flow,
            b,
            month,
            senior,
            senior,
            flows.SENIOR_PRINCIPAL_PAID,
        )
    elif line == DEBT_SERVICE_RESERVE:
        fund_debt_service_reserve(boxes, flow, b)
    elif line == POWER_RESERVE:
        fund_power_reserve(box_params, state, boxes, flow, b)
    elif line == JUNIOR_INTEREST:
        pay_interest(
            params,
            state,
            box_params,
            boxes,
            flow,
            b,
            senior + 1,
            last_rank,
            flows.JUNIOR_INTEREST_PAID,
        )
    elif line == JUNIOR_PRINCIPAL:
        pay_principal(
            params,
            state,
            box_params,
            boxes,
            flow,
            b,
            month,
            senior + 1,
            last_rank,
            flows.JUNIOR_PRINCIPAL_PAID,
        )
    elif line == SWEEP:
        sweep(params, state, box_params, boxes, flow, b)
    elif line == CASH_TRAP:
        trap_cash(box_params, state, boxes, flow, b)
    elif line == DISTRIBUTION:
        distribute(boxes, flow, b)


@inner
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
def run_waterfall(params, state, box_params, boxes, flow, b, month):
    """Run the waterfall of one box on every lane on which it performs.

    Cures and disposals prepay debt before anything else.  Reserves go to final principal too;
    support from the sponsor (`flow[SUPPORT]`, sized in stage 12) comes in after them, and not for
    final principal.
    """
    for lane in range(flow.shape[2]):
        if boxes.rows[BOX.status, b, lane] != PERFORMING:
            continue
        disposals = flow[flows.DISPOSALS, b, lane]
        early = flow[flows.CURE, b, lane] + disposals
        left = prepay(params, state, box_params, flow, b, lane, early) if early > 0.0 else 0.0
        cash = gather_cash(box_params, boxes, state, flow, b, lane)
        cash += min(left, disposals)
        cash += max(0.0, -flow[flows.HEDGE_SETTLEMENT, b, lane])
        needed = senior_needs(boxes, flow, b, lane)
        final = flow[flows.FINAL_PRINCIPAL_DUE, b, lane]
        if early > 0.0:
            saved, final = principal_after_cure(state, box_params, b, lane)
            needed -= saved + flow[flows.ARREARS_DUE, b, lane]
        cash = draw_reserves(boxes, flow, b, lane, cash, needed + final)
        support = min(flow[flows.SUPPORT, b, lane], max(0.0, needed - cash))
        flow[flows.SUPPORT, b, lane] = support
        flow[flows.CASH_LEFT, b, lane] = cash + support
    is_date = is_payment_month(box_params, b, month)
    for position in range(box_params.waterfall.shape[0]):
        line = box_params.waterfall[position]
        if is_date or is_paid_between_dates(line):
            pay_line(line, params, state, box_params, boxes, flow, b, month)
    if not is_date:
        keep_rest(boxes, flow, b)
