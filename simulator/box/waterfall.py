"""The waterfall: who is paid, in which order, out of what.

Each line of the order is one small function on the cash of the month, all of the same shape; the
order is data (`box_params.waterfall`).  A line pays what it can and passes on what is left.

Model: docs/model.md §11; the default order is the reported one of DDTL 4.0 (evidence of the deals,
section 5).
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.covenants import may_trap
from simulator.box.payments import is_payment_month
from simulator.box.prepayment import prepay_early, sweep
from simulator.box.receipts import debt_of
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, PERFORMING, TRANCHE, TRANCHE_CODE
from simulator.box.work import NEED
from simulator.numerics.jit import inlined
from simulator.numerics.lanes import any_of, end_of, first_of, least, most, select, spread

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
def gather_cash(
    box_params, boxes, flow, told, performs, debt, receipts, surplus, power, hedge, early, b, pack
):
    """Return the cash of the month: receipts, what was kept for it and what accounts release."""
    cash = receipts + surplus
    if may_trap(box_params, b):
        is_free = (boxes.rows[BOX.trap_on, b, pack] == 0.0) | (debt <= flows.TINY)
        trapped = boxes.rows[BOX.trapped, b, pack]
        released = select(performs & is_free, trapped, 0.0)
        boxes.rows[BOX.trapped, b, pack] = trapped - released
        cash = cash + released
        if told:
            flow[flows.TRAPPED_CASH_RELEASED, b, pack] = released
    if box_params.codes[BOX_CODE.reserve_months, b] > 0:
        reserve = boxes.rows[BOX.reserve, b, pack]
        excess = most(0.0, reserve - boxes.rows[BOX.reserve_target, b, pack])
        excess = select(performs, excess, 0.0)
        boxes.rows[BOX.reserve, b, pack] = reserve - excess
    else:
        excess = spread(0.0, pack)
    if box_params.terms[BOX_TERM.power_reserve_months, b] > 0.0:
        target = power_reserve_target(box_params, debt, power, b)
        reserve = boxes.rows[BOX.power_reserve, b, pack]
        more = select(performs, most(0.0, reserve - target), 0.0)
        excess = excess + more
        boxes.rows[BOX.power_reserve, b, pack] = reserve - more
    if told:
        flow[flows.RESERVES_RELEASED, b, pack] = excess
    cash = cash + excess + most(0.0, -hedge)
    if box_params.codes[BOX_CODE.payment_interval, b] > 1:
        kept = boxes.rows[BOX.collected, b, pack]
        boxes.rows[BOX.collected, b, pack] = select(performs, 0.0, kept)
        cash = cash + kept
    return select(performs, cash + early, 0.0)


@inlined
def power_reserve_target(box_params, debt, power, b):
    """Return the power reserve asked for while there is debt: months of this month's power cost."""
    months = box_params.terms[BOX_TERM.power_reserve_months, b]
    return select(debt > flows.TINY, months * power, 0.0)


ACCOUNTS = (
    (BOX.trapped, flows.TRAPPED_CASH_USED),
    (BOX.power_reserve, flows.POWER_RESERVE_USED),
    (BOX.reserve, flows.DEBT_SERVICE_RESERVE_USED),
)
"""Accounts that meet a shortfall, in their order, and the lines that show it."""


@inlined
def draw_reserves(boxes, flow, told, performs, needed, cash, b, pack):
    """Meet what cash falls short of from trapped cash, the power reserve and the DSRA, in turn."""
    if any_of(performs & (needed - cash > 0.0)):
        for account, used_line in ACCOUNTS:
            held = boxes.rows[account, b, pack]
            used = least(most(0.0, needed - cash), held)
            used = select(performs, used, 0.0)
            boxes.rows[account, b, pack] = held - used
            if told:
                flow[used_line, b, pack] = used
            cash = cash + used
    return cash


@inlined
def pay_costs(boxes, flow, told, performs, cash, costs, b, pack):
    """Pay operating costs, last month's unpaid ones included; return what is left."""
    before = boxes.rows[BOX.cost_arrears, b, pack]
    due = costs + before
    paid = select(performs, least(cash, due), 0.0)
    unpaid = select(performs, due - paid, before)
    if any_of((unpaid > 0.0) | (before > 0.0)):
        boxes.rows[BOX.cost_arrears, b, pack] = unpaid
    if told:
        flow[flows.OPERATING_COSTS_PAID, b, pack] = paid
    return cash - paid


@inlined
def pay_fees(boxes, flow, told, performs, cash, fees, hedge, b, pack):
    """Pay senior fees and hedge settlements (a settlement received came in with the cash)."""
    before = boxes.rows[BOX.fee_arrears, b, pack]
    due = fees + before
    due = due + most(0.0, hedge)
    paid = select(performs, least(cash, due), 0.0)
    unpaid = select(performs, due - paid, before)
    if any_of((unpaid > 0.0) | (before > 0.0)):
        boxes.rows[BOX.fee_arrears, b, pack] = unpaid
    if told:
        flow[flows.SENIOR_FEES_PAID, b, pack] = paid
    return cash - paid


@inlined
def share_out(cash, due):
    """Return (share that is paid, cash left) of what is due on a line, as far as cash goes."""
    share = least(1.0, cash / select(due > 0.0, due, 1.0))
    return share, most(0.0, cash - due * share)


@inlined
def pay_interest(
    params, state, box_params, flow, told, performs, cash, b, first_rank, last_rank, line, pack
):
    """Pay interest by rank, pro rata within a rank; what is unpaid is added to the balance."""
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(first_rank, last_rank + 1):
        due = spread(0.0, pack)
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                due = due + state.rows[TRANCHE.interest, d, pack]
        due = select(performs, due, 0.0)
        in_full = not any_of(cash < due)
        share, left = spread(1.0, pack), most(0.0, cash - due)
        if not in_full:
            share, left = share_out(cash, due)
        if told:
            flow[line, b, pack] = flow[line, b, pack] + (cash - left)
        cash = left
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                interest = select(performs, state.rows[TRANCHE.interest, d, pack], 0.0)
                paid = interest * share
                state.rows[TRANCHE.received, d, pack] = state.rows[TRANCHE.received, d, pack] + paid
                if not in_full:
                    unpaid = interest - paid
                    overdue = 1.0 if params.codes[TRANCHE_CODE.catch_up, d] else 0.0
                    balance = state.rows[TRANCHE.balance, d, pack]
                    state.rows[TRANCHE.balance, d, pack] = balance + unpaid
                    arrears = state.rows[TRANCHE.arrears, d, pack]
                    state.rows[TRANCHE.arrears, d, pack] = arrears + overdue * unpaid
    return cash


@inlined
def principal_asked(state, d, pack):
    """Return instalment, final principal and arrears of a tranche, at most its balance, USD m."""
    due = state.rows[TRANCHE.instalment, d, pack] + state.rows[TRANCHE.final, d, pack]
    due = due + state.rows[TRANCHE.arrears, d, pack]
    return least(due, state.rows[TRANCHE.balance, d, pack])


@inlined
def pay_principal(
    params,
    state,
    box_params,
    flow,
    told,
    performs,
    cash,
    b,
    month,
    first_rank,
    last_rank,
    line,
    pack,
):
    """Pay arrears and instalments by rank, pro rata to what is due; the unpaid part stays due.

    What is left in the balance instead is not overdue.  Principal due at maturity is not arrears:
    it waits for refinancing (docs/model.md §11).
    """
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    for rank in range(first_rank, last_rank + 1):
        due = spread(0.0, pack)
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                due = due + principal_asked(state, d, pack)
        due = select(performs, due, 0.0)
        in_full = not any_of(cash < due)
        share, left = spread(1.0, pack), most(0.0, cash - due)
        if not in_full:
            share, left = share_out(cash, due)
        if told:
            flow[line, b, pack] = flow[line, b, pack] + (cash - left)
        cash = left
        for d in range(first, end):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                asked = select(performs, principal_asked(state, d, pack), 0.0)
                paid = asked * share
                balance = state.rows[TRANCHE.balance, d, pack]
                before = state.rows[TRANCHE.arrears, d, pack]
                state.rows[TRANCHE.received, d, pack] = state.rows[TRANCHE.received, d, pack] + paid
                state.rows[TRANCHE.balance, d, pack] = most(0.0, balance - paid)
                if not in_full or any_of(before > 0.0):
                    overdue = 1.0 if params.codes[TRANCHE_CODE.catch_up, d] else 0.0
                    matured = state.rows[TRANCHE.maturity, d, pack] <= month
                    late = asked - paid
                    late = select(matured, least(late, most(0.0, before - paid)), late)
                    late = select(late > flows.TINY, overdue * late, 0.0)
                    state.rows[TRANCHE.arrears, d, pack] = select(performs, late, before)
    return cash


@inlined
def fund_debt_service_reserve(box_params, boxes, flow, told, performs, cash, b, pack):
    """Top the DSRA up to its target."""
    if box_params.codes[BOX_CODE.reserve_months, b] <= 0:
        return cash
    reserve = boxes.rows[BOX.reserve, b, pack]
    missing = most(0.0, boxes.rows[BOX.reserve_target, b, pack] - reserve)
    paid = select(performs, least(cash, missing), 0.0)
    boxes.rows[BOX.reserve, b, pack] = reserve + paid
    if told:
        flow[flows.DEBT_SERVICE_RESERVE_FUNDED, b, pack] = paid
    return cash - paid


@inlined
def fund_power_reserve(box_params, state, boxes, flow, told, performs, cash, power, b, pack):
    """Top the power reserve up to its target, while there is debt."""
    if box_params.terms[BOX_TERM.power_reserve_months, b] <= 0.0:
        return cash
    debt = debt_of(box_params, state, b, pack)
    reserve = boxes.rows[BOX.power_reserve, b, pack]
    missing = most(0.0, power_reserve_target(box_params, debt, power, b) - reserve)
    paid = select(performs, least(cash, missing), 0.0)
    boxes.rows[BOX.power_reserve, b, pack] = reserve + paid
    if told:
        flow[flows.POWER_RESERVE_FUNDED, b, pack] = paid
    return cash - paid


@inlined
def trap_cash(box_params, state, boxes, flow, told, performs, cash, b, pack):
    """Hold back what is left while a trap is on; with the last of the debt it is released."""
    if not may_trap(box_params, b):
        return cash
    traps = performs & (boxes.rows[BOX.trap_on, b, pack] > 0.0)
    if any_of(traps):
        owes = debt_of(box_params, state, b, pack) > flows.TINY
        held = boxes.rows[BOX.trapped, b, pack]
        after = select(owes, held + cash, 0.0)
        boxes.rows[BOX.trapped, b, pack] = select(traps, after, held)
        if told:
            flow[flows.CASH_TRAPPED, b, pack] = select(traps & owes, cash, 0.0)
            released = flow[flows.TRAPPED_CASH_RELEASED, b, pack]
            more = select(traps & ~owes, released + held, released)
            flow[flows.TRAPPED_CASH_RELEASED, b, pack] = more
        cash = select(traps, select(owes, 0.0, cash + held), cash)
    return cash


@inlined
def run_waterfall(
    params,
    state,
    box_params,
    boxes,
    flow,
    needs,
    rare,
    told,
    b,
    pack,
    month,
    receipts,
    power,
    costs,
    fees,
    hedge,
    needed,
    final,
    debt,
):
    """Run the waterfall of one box on a pack of lanes, where it performs; write `DISTRIBUTED`.

    Cures and disposals prepay debt before anything else.  Reserves go to final principal too;
    support from the sponsor (`flow[SUPPORT]`, sized in stage 12) comes in after them, and not for
    final principal.

    Parameters
    ----------
    needs : (row of NEED, lane), scratch
    rare : bool
        Whether cures, support, disposals or surplus may have come in.
    told : bool
        Whether every line of the flows is wanted.
    receipts, power, costs, fees, hedge, needed, final, debt : pack
        Of the month, USD m; `needed` is all that is due but final principal.
    """
    performs = boxes.rows[BOX.status, b, pack] == PERFORMING
    early, surplus = spread(0.0, pack), spread(0.0, pack)
    if rare:
        surplus = flow[flows.PREPAYMENT_SURPLUS, b, pack]
        comes = flow[flows.CURE, b, pack] + flow[flows.DISPOSALS, b, pack]
        if any_of(comes > 0.0):
            needs[NEED.needed, pack] = needed
            needs[NEED.final, pack] = final
            needs[NEED.early, pack] = 0.0
            prepay_early(
                params, state, box_params, boxes, flow, needs, b, first_of(pack), end_of(pack)
            )
            needed, final = needs[NEED.needed, pack], needs[NEED.final, pack]
            early = needs[NEED.early, pack]
            debt = debt_of(box_params, state, b, pack)
    cash = gather_cash(
        box_params,
        boxes,
        flow,
        told,
        performs,
        debt,
        receipts,
        surplus,
        power,
        hedge,
        early,
        b,
        pack,
    )
    cash = draw_reserves(boxes, flow, told, performs, needed + final, cash, b, pack)
    if rare:
        asked = select(performs, most(0.0, needed - cash), 0.0)
        support = least(flow[flows.SUPPORT, b, pack], asked)
        flow[flows.SUPPORT, b, pack] = support
        cash = cash + support
    is_date = is_payment_month(box_params, b, month)
    senior, last_rank = np.int64(0), box_params.codes[BOX_CODE.last_rank, b]
    distributed = spread(0.0, pack)
    for position in range(box_params.waterfall.shape[0]):
        line = box_params.waterfall[position]
        if not is_date and not is_paid_between_dates(line):
            continue
        if line == OPERATING_COSTS:
            cash = pay_costs(boxes, flow, told, performs, cash, costs, b, pack)
        elif line == SENIOR_FEES:
            cash = pay_fees(boxes, flow, told, performs, cash, fees, hedge, b, pack)
        elif line == SENIOR_INTEREST or (line == JUNIOR_INTEREST and last_rank > 0):
            is_senior = line == SENIOR_INTEREST
            cash = pay_interest(
                params,
                state,
                box_params,
                flow,
                told,
                performs,
                cash,
                b,
                senior if is_senior else senior + 1,
                senior if is_senior else last_rank,
                flows.SENIOR_INTEREST_PAID if is_senior else flows.JUNIOR_INTEREST_PAID,
                pack,
            )
        elif line == SENIOR_PRINCIPAL or (line == JUNIOR_PRINCIPAL and last_rank > 0):
            is_senior = line == SENIOR_PRINCIPAL
            cash = pay_principal(
                params,
                state,
                box_params,
                flow,
                told,
                performs,
                cash,
                b,
                month,
                senior if is_senior else senior + 1,
                senior if is_senior else last_rank,
                flows.SENIOR_PRINCIPAL_PAID if is_senior else flows.JUNIOR_PRINCIPAL_PAID,
                pack,
            )
        elif line == DEBT_SERVICE_RESERVE:
            cash = fund_debt_service_reserve(box_params, boxes, flow, told, performs, cash, b, pack)
        elif line == POWER_RESERVE:
            cash = fund_power_reserve(
                box_params, state, boxes, flow, told, performs, cash, power, b, pack
            )
        elif line == SWEEP:
            cash = sweep(params, state, box_params, boxes, flow, performs, cash, b, pack)
        elif line == CASH_TRAP:
            cash = trap_cash(box_params, state, boxes, flow, told, performs, cash, b, pack)
        elif line == DISTRIBUTION:
            out = select(performs, cash, 0.0)
            distributed = distributed + out
            cash = cash - out
    if not is_date:
        kept = boxes.rows[BOX.collected, b, pack]
        boxes.rows[BOX.collected, b, pack] = select(performs, cash, kept)
        cash = select(performs, 0.0, cash)
    flow[flows.DISTRIBUTED, b, pack] = distributed
    if told:
        flow[flows.CASH_LEFT, b, pack] = cash
