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
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, TRANCHE, TRANCHE_CODE
from simulator.box.work import WORK, note_debt
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


@inner
def gather_cash(box_params, boxes, flow, work, b):
    """Gather the cash of the month: receipts, what was kept for it and what accounts release."""
    lanes = work.shape[1]
    for lane in range(lanes):
        performs = work[WORK.performs, lane] > 0.0
        is_free = boxes.rows[BOX.trap_on, b, lane] == 0.0 or work[WORK.debt, lane] <= flows.TINY
        trapped = boxes.rows[BOX.trapped, b, lane]
        released = trapped if performs and is_free else 0.0
        flow[flows.TRAPPED_CASH_RELEASED, b, lane] = released
        boxes.rows[BOX.trapped, b, lane] = trapped - released
    for lane in range(lanes):
        performs = work[WORK.performs, lane] > 0.0
        reserve = boxes.rows[BOX.reserve, b, lane]
        excess = max(0.0, reserve - boxes.rows[BOX.reserve_target, b, lane])
        excess = excess if performs else 0.0
        flow[flows.RESERVES_RELEASED, b, lane] = excess
        boxes.rows[BOX.reserve, b, lane] = reserve - excess
    if box_params.terms[BOX_TERM.power_reserve_months, b] > 0.0:
        for lane in range(lanes):
            owes = work[WORK.debt, lane] > flows.TINY
            target = power_reserve_target(box_params, flow, b, lane) if owes else 0.0
            reserve = boxes.rows[BOX.power_reserve, b, lane]
            excess = max(0.0, reserve - target) if work[WORK.performs, lane] > 0.0 else 0.0
            flow[flows.RESERVES_RELEASED, b, lane] += excess
            boxes.rows[BOX.power_reserve, b, lane] = reserve - excess
    for lane in range(lanes):
        flow[flows.CASH_LEFT, b, lane] = (
            flow[flows.RECEIPTS, b, lane]
            + flow[flows.PREPAYMENT_SURPLUS, b, lane]
            + flow[flows.TRAPPED_CASH_RELEASED, b, lane]
            + flow[flows.RESERVES_RELEASED, b, lane]
            + max(0.0, -flow[flows.HEDGE_SETTLEMENT, b, lane])
        )
    for lane in range(lanes):
        performs = work[WORK.performs, lane] > 0.0
        kept = boxes.rows[BOX.collected, b, lane]
        boxes.rows[BOX.collected, b, lane] = 0.0 if performs else kept
        cash = flow[flows.CASH_LEFT, b, lane] + kept + work[WORK.early, lane]
        flow[flows.CASH_LEFT, b, lane] = cash if performs else 0.0


@inlined
def power_reserve_target(box_params, flow, b, lane):
    """Return the power reserve asked for: months of this month's power cost, USD m."""
    return box_params.terms[BOX_TERM.power_reserve_months, b] * flow[flows.POWER_COST, b, lane]


ACCOUNTS = (
    (BOX.trapped, flows.TRAPPED_CASH_USED),
    (BOX.power_reserve, flows.POWER_RESERVE_USED),
    (BOX.reserve, flows.DEBT_SERVICE_RESERVE_USED),
)
"""Accounts that meet a shortfall, in their order, and the lines that show it."""


@inner
def draw_reserves(boxes, flow, work, b):
    """Meet what cash falls short of from trapped cash, the power reserve and the DSRA, in turn."""
    short = 0.0
    for lane in range(work.shape[1]):
        needed = work[WORK.needed, lane] + work[WORK.final, lane]
        gap = max(0.0, needed - flow[flows.CASH_LEFT, b, lane])
        short = max(short, gap * work[WORK.performs, lane])
    if short > 0.0:
        for account, used_line in ACCOUNTS:
            draw_account(boxes, flow, work, b, account, used_line)


@inner
def draw_account(boxes, flow, work, b, account, used_line):
    """Meet what cash falls short of from one account."""
    for lane in range(work.shape[1]):
        cash = flow[flows.CASH_LEFT, b, lane]
        needed = work[WORK.needed, lane] + work[WORK.final, lane]
        held = boxes.rows[account, b, lane]
        used = min(max(0.0, needed - cash), held)
        used = used if work[WORK.performs, lane] > 0.0 else 0.0
        boxes.rows[account, b, lane] = held - used
        flow[used_line, b, lane] = used
        flow[flows.CASH_LEFT, b, lane] = cash + used


@inner
def pay_costs(boxes, flow, work, b):
    """Pay operating costs, last month's unpaid ones included."""
    for lane in range(work.shape[1]):
        performs = work[WORK.performs, lane] > 0.0
        before = boxes.rows[BOX.cost_arrears, b, lane]
        due = flow[flows.OPERATING_COSTS, b, lane] + before
        cash = flow[flows.CASH_LEFT, b, lane]
        paid = min(cash, due) if performs else 0.0
        boxes.rows[BOX.cost_arrears, b, lane] = due - paid if performs else before
        flow[flows.OPERATING_COSTS_PAID, b, lane] = paid
        flow[flows.CASH_LEFT, b, lane] = cash - paid


@inner
def pay_fees(boxes, flow, work, b):
    """Pay senior fees and hedge settlements (a settlement received came in with the cash)."""
    for lane in range(work.shape[1]):
        performs = work[WORK.performs, lane] > 0.0
        before = boxes.rows[BOX.fee_arrears, b, lane]
        due = flow[flows.SENIOR_FEES, b, lane] + before
        due += max(0.0, flow[flows.HEDGE_SETTLEMENT, b, lane])
        cash = flow[flows.CASH_LEFT, b, lane]
        paid = min(cash, due) if performs else 0.0
        boxes.rows[BOX.fee_arrears, b, lane] = due - paid if performs else before
        flow[flows.SENIOR_FEES_PAID, b, lane] = paid
        flow[flows.CASH_LEFT, b, lane] = cash - paid


@inner
def share_out(flow, work, b, paid_line):
    """Pay what is due on a line as far as cash goes; note the share that is paid."""
    for lane in range(work.shape[1]):
        due = work[WORK.due, lane] * work[WORK.performs, lane]
        cash = flow[flows.CASH_LEFT, b, lane]
        share = min(1.0, cash / (due if due > 0.0 else 1.0))
        left = max(0.0, cash - due * share)
        work[WORK.share, lane] = share
        flow[paid_line, b, lane] += cash - left
        flow[flows.CASH_LEFT, b, lane] = left


@inner
def pay_interest(params, state, box_params, flow, work, b, first_rank, last_rank, paid_line):
    """Pay interest by rank, pro rata within a rank; what is unpaid is added to the balance."""
    lanes = work.shape[1]
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(first_rank, last_rank + 1):
        for lane in range(lanes):
            work[WORK.due, lane] = 0.0
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                for lane in range(lanes):
                    work[WORK.due, lane] += state.rows[TRANCHE.interest, d, lane]
        share_out(flow, work, b, paid_line)
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                overdue = 1.0 if params.codes[TRANCHE_CODE.catch_up, d] else 0.0
                for lane in range(lanes):
                    interest = state.rows[TRANCHE.interest, d, lane] * work[WORK.performs, lane]
                    paid = interest * work[WORK.share, lane]
                    unpaid = interest - paid
                    state.rows[TRANCHE.received, d, lane] += paid
                    state.rows[TRANCHE.balance, d, lane] += unpaid
                    state.rows[TRANCHE.arrears, d, lane] += overdue * unpaid


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
    params, state, box_params, flow, work, b, month, first_rank, last_rank, paid_line
):
    """Pay arrears and instalments by rank, pro rata to what is due; the unpaid part stays due.

    What is left in the balance instead is not overdue.  Principal due at maturity is not arrears:
    it waits for refinancing (docs/model.md §11).
    """
    lanes = work.shape[1]
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(first_rank, last_rank + 1):
        for lane in range(lanes):
            work[WORK.due, lane] = 0.0
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                for lane in range(lanes):
                    work[WORK.due, lane] += principal_due(state, d, lane)
        share_out(flow, work, b, paid_line)
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                overdue = 1.0 if params.codes[TRANCHE_CODE.catch_up, d] else 0.0
                for lane in range(lanes):
                    asked = principal_due(state, d, lane) * work[WORK.performs, lane]
                    paid = asked * work[WORK.share, lane]
                    balance = state.rows[TRANCHE.balance, d, lane]
                    before = state.rows[TRANCHE.arrears, d, lane]
                    matured = month >= state.rows[TRANCHE.maturity, d, lane]
                    late = asked - paid
                    late = min(late, max(0.0, before - paid)) if matured else late
                    late = overdue * late if late > flows.TINY else 0.0
                    performs = work[WORK.performs, lane] > 0.0
                    state.rows[TRANCHE.received, d, lane] += paid
                    state.rows[TRANCHE.balance, d, lane] = max(0.0, balance - paid)
                    state.rows[TRANCHE.arrears, d, lane] = late if performs else before


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


@inner
def sweep(params, state, box_params, boxes, flow, work, b):
    """Prepay debt: all cash while a ratio trigger is breached, else the agreed share."""
    threshold = box_params.terms[BOX_TERM.sweep_threshold, b]
    agreed = box_params.terms[BOX_TERM.sweep_share, b]
    triggers = box_params.terms[BOX_TERM.ltc_trigger, b] + box_params.terms[BOX_TERM.ltv_trigger, b]
    if agreed <= 0.0 and triggers <= 0.0:
        return
    for lane in range(work.shape[1]):
        if work[WORK.performs, lane] == 0.0:
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
def fund_debt_service_reserve(boxes, flow, work, b):
    """Top the DSRA up to its target."""
    for lane in range(work.shape[1]):
        reserve = boxes.rows[BOX.reserve, b, lane]
        cash = flow[flows.CASH_LEFT, b, lane]
        missing = max(0.0, boxes.rows[BOX.reserve_target, b, lane] - reserve)
        paid = min(cash, missing) if work[WORK.performs, lane] > 0.0 else 0.0
        boxes.rows[BOX.reserve, b, lane] = reserve + paid
        flow[flows.DEBT_SERVICE_RESERVE_FUNDED, b, lane] = paid
        flow[flows.CASH_LEFT, b, lane] = cash - paid


@inner
def fund_power_reserve(box_params, state, boxes, flow, work, b):
    """Top the power reserve up to its target, while there is debt."""
    if box_params.terms[BOX_TERM.power_reserve_months, b] <= 0.0:
        return
    for lane in range(work.shape[1]):
        if work[WORK.performs, lane] > 0.0:
            target = 0.0
            if box_debt(box_params, state, b, lane) > flows.TINY:
                target = power_reserve_target(box_params, flow, b, lane)
            missing = max(0.0, target - boxes.rows[BOX.power_reserve, b, lane])
            paid = min(flow[flows.CASH_LEFT, b, lane], missing)
            boxes.rows[BOX.power_reserve, b, lane] += paid
            flow[flows.POWER_RESERVE_FUNDED, b, lane] = paid
            flow[flows.CASH_LEFT, b, lane] -= paid


@inner
def trap_cash(box_params, state, boxes, flow, work, b):
    """Hold back what is left while a trap is on; with the last of the debt it is released."""
    trapping = 0.0
    for lane in range(work.shape[1]):
        trapping += boxes.rows[BOX.trap_on, b, lane] * work[WORK.performs, lane]
    if trapping == 0.0:
        return
    for lane in range(work.shape[1]):
        if work[WORK.performs, lane] > 0.0 and boxes.rows[BOX.trap_on, b, lane] > 0.0:
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
def distribute(flow, work, b):
    """Pay out what is left."""
    for lane in range(work.shape[1]):
        out = flow[flows.CASH_LEFT, b, lane] * work[WORK.performs, lane]
        flow[flows.DISTRIBUTED, b, lane] += out
        flow[flows.CASH_LEFT, b, lane] -= out


@inner
def keep_rest(boxes, flow, work, b):
    """Keep what is left for the next payment date."""
    for lane in range(work.shape[1]):
        if work[WORK.performs, lane] > 0.0:
            boxes.rows[BOX.collected, b, lane] = flow[flows.CASH_LEFT, b, lane]
            flow[flows.CASH_LEFT, b, lane] = 0.0


@inner
def pay_line(line, params, state, box_params, boxes, flow, work, b, month):
    """Pay one line of the order on every lane."""
    senior, last_rank = np.int64(0), box_params.codes[BOX_CODE.last_rank, b]
    if line == OPERATING_COSTS:
        pay_costs(boxes, flow, work, b)
    elif line == SENIOR_FEES:
        pay_fees(boxes, flow, work, b)
    elif line == SENIOR_INTEREST or line == JUNIOR_INTEREST:
        is_senior = line == SENIOR_INTEREST
        pay_interest(
            params,
            state,
            box_params,
            flow,
            work,
            b,
            senior if is_senior else senior + 1,
            senior if is_senior else last_rank,
            flows.SENIOR_INTEREST_PAID if is_senior else flows.JUNIOR_INTEREST_PAID,
        )
    elif line == SENIOR_PRINCIPAL or line == JUNIOR_PRINCIPAL:
        is_senior = line == SENIOR_PRINCIPAL
        pay_principal(
            params,
            state,
            box_params,
            flow,
            work,
            b,
            month,
            senior if is_senior else senior + 1,
            senior if is_senior else last_rank,
            flows.SENIOR_PRINCIPAL_PAID if is_senior else flows.JUNIOR_PRINCIPAL_PAID,
        )
    elif line == DEBT_SERVICE_RESERVE:
        fund_debt_service_reserve(boxes, flow, work, b)
    elif line == POWER_RESERVE:
        fund_power_reserve(box_params, state, boxes, flow, work, b)
    elif line == SWEEP:
        sweep(params, state, box_params, boxes, flow, work, b)
    elif line == CASH_TRAP:
        trap_cash(box_params, state, boxes, flow, work, b)
    elif line == DISTRIBUTION:
        distribute(flow, work, b)


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
def measure_needs(boxes, flow, work, b):
    """Write what costs, fees and debt service ask for, and what is left at maturity."""
    for lane in range(work.shape[1]):
        work[WORK.needed, lane] = senior_needs(boxes, flow, b, lane)
    for lane in range(work.shape[1]):
        work[WORK.final, lane] = flow[flows.FINAL_PRINCIPAL_DUE, b, lane]
        work[WORK.early, lane] = 0.0


@inner
def prepay_early(params, state, box_params, boxes, flow, work, b):
    """Prepay debt with cures and disposals, before anything else, and lower what is needed."""
    early = 0.0
    for lane in range(work.shape[1]):
        early = max(early, flow[flows.CURE, b, lane] + flow[flows.DISPOSALS, b, lane])
    if early <= 0.0:
        return
    for lane in range(work.shape[1]):
        disposals = flow[flows.DISPOSALS, b, lane]
        early = flow[flows.CURE, b, lane] + disposals
        if work[WORK.performs, lane] == 0.0 or early <= 0.0:
            continue
        left = prepay(params, state, box_params, flow, b, lane, early)
        saved, final = principal_after_cure(state, box_params, b, lane)
        work[WORK.early, lane] = min(left, disposals)
        work[WORK.needed, lane] -= saved + flow[flows.ARREARS_DUE, b, lane]
        work[WORK.final, lane] = final
    note_debt(box_params, boxes, state, work, b)


@inner
def run_waterfall(params, state, box_params, boxes, flow, work, b, month):
    """Run the waterfall of one box on every lane on which it performs.

    Cures and disposals prepay debt before anything else.  Reserves go to final principal too;
    support from the sponsor (`flow[SUPPORT]`, sized in stage 12) comes in after them, and not for
    final principal.

    Parameters
    ----------
    work : (row of WORK, lane), scratch
    """
    note_debt(box_params, boxes, state, work, b)
    measure_needs(boxes, flow, work, b)
    prepay_early(params, state, box_params, boxes, flow, work, b)
    gather_cash(box_params, boxes, flow, work, b)
    draw_reserves(boxes, flow, work, b)
    for lane in range(work.shape[1]):
        cash = flow[flows.CASH_LEFT, b, lane]
        asked = max(0.0, work[WORK.needed, lane] - cash) * work[WORK.performs, lane]
        support = min(flow[flows.SUPPORT, b, lane], asked)
        flow[flows.SUPPORT, b, lane] = support
        flow[flows.CASH_LEFT, b, lane] = cash + support
    is_date = is_payment_month(box_params, b, month)
    for position in range(box_params.waterfall.shape[0]):
        line = box_params.waterfall[position]
        if is_date or is_paid_between_dates(line):
            pay_line(line, params, state, box_params, boxes, flow, work, b, month)
    if not is_date:
        keep_rest(boxes, flow, work, b)
