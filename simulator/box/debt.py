"""Debt service of the month: coupons, instalments, fees, and what is looked ahead of them.

Debt is paid at the payment dates of its box, every month or every quarter; between them interest
accrues.  Schedules that depend on contracted cash are fitted in `box.schedules`.

Model: docs/model.md §11.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BULLET,
    CUSTOM,
    LEVEL,
    PERFORMING,
    SCULPTED,
    SIZED,
    STRAIGHT,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.numerics.elementary import exp, exp_of, log, log_of
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import (
    any_of,
    end_of,
    first_of,
    floor_of,
    least,
    most,
    select,
    spread,
)


@inlined
def index_rate(params, d, sofr_before):
    """Return the index of a floating coupon: SOFR of the month before, between floor and cap."""
    floored = max(params.terms[TRANCHE_TERM.floor, d], sofr_before)
    return min(params.terms[TRANCHE_TERM.rate_cap, d], floored)


@inlined
def margin_of(params, d, month):
    """Return the margin (or fixed rate) of a month as agreed at the start, per year."""
    margin = params.terms[TRANCHE_TERM.rate, d]
    step_month = params.codes[TRANCHE_CODE.margin_step_month, d]
    if step_month > 0 and month >= step_month:
        margin += params.terms[TRANCHE_TERM.margin_step, d]
    return margin


@inlined
def coupon_rate(params, state, d, lane, month, sofr_before):
    """Return the coupon of the month, per year."""
    if state.rows[TRANCHE.refinanced, d, lane] > 0.0:
        return index_rate(params, d, sofr_before) + state.rows[TRANCHE.margin, d, lane]
    margin = margin_of(params, d, month)
    if params.codes[TRANCHE_CODE.fixed, d]:
        return margin
    return index_rate(params, d, sofr_before) + margin


@inlined
def is_payment_month(box_params, b, month):
    """Say whether a month ends on a payment date of a box's debt."""
    anchor = box_params.codes[BOX_CODE.payment_anchor, b]
    return (month - anchor) % box_params.codes[BOX_CODE.payment_interval, b] == 0


@inlined
def pays(params, state, d, lane, month):
    """Say whether a tranche pays in a month: on a payment date, and once it has matured."""
    interval = params.codes[TRANCHE_CODE.payment_interval, d]
    on_date = (month - params.codes[TRANCHE_CODE.payment_anchor, d]) % interval == 0
    return on_date or month >= state.rows[TRANCHE.maturity, d, lane]


@inlined
def periods_left(params, d, month, maturity):
    """Return the number of payments from a payment month up to maturity, both included."""
    return np.ceil((maturity - month) / params.codes[TRANCHE_CODE.payment_interval, d]) + 1.0


@inlined
def level_instalment(base, coupon, months):
    """Return the principal part of a level payment with so many payments left."""
    rate = coupon / 12.0
    if abs(rate) < 1e-12:
        return base / months
    return base * rate / (exp(months * log(1.0 + rate)) - 1.0)


@inlined
def custom_share(params, state, d, lane, month):
    """Return the share of the balance at the fit that falls due in a payment month.

    Shares of the months since the payment before fall due with it; the table moves with the start.
    """
    interval = params.codes[TRANCHE_CODE.payment_interval, d]
    since = (month - params.codes[TRANCHE_CODE.payment_anchor, d]) % interval
    moved = int(state.rows[TRANCHE.start, d, lane]) - params.codes[TRANCHE_CODE.start, d]
    total = 0.0
    for s in range(month - (since if since > 0 else interval) + 1, month + 1):
        row = s - moved
        if row >= 0 and row < params.shares.shape[1]:
            total += params.shares[d, row]
    return total


@inlined
def instalment_due(params, state, d, lane, month, base, coupon):
    """Return the regular instalment of a month on a balance `base` that is not overdue, USD m.

    What it leaves at maturity is final principal: due, but neither debt service nor arrears.
    """
    maturity = state.rows[TRANCHE.maturity, d, lane]
    if month > maturity:
        return 0.0
    kind = params.codes[TRANCHE_CODE.amortisation, d]
    if state.rows[TRANCHE.refinanced, d, lane] > 0.0:
        kind = LEVEL if params.codes[TRANCHE_CODE.box, d] >= 0 else BULLET
    if kind == BULLET or month < state.rows[TRANCHE.start, d, lane]:
        return 0.0
    if not pays(params, state, d, lane, month):
        return 0.0
    of_period = coupon * params.codes[TRANCHE_CODE.payment_interval, d]
    held = state.rows[TRANCHE.payment, d, lane]
    if held > 0.0:
        interest = base * of_period / 12.0 if kind == LEVEL else 0.0
        return min(base, max(0.0, held - interest))
    payments = periods_left(params, d, month, maturity)
    fitted = state.rows[TRANCHE.fitted, d, lane] > 0.0
    balloon = state.rows[TRANCHE.balloon, d, lane]
    if not fitted:  # looking ahead: today's balance stands for that of the fit
        balloon = params.terms[TRANCHE_TERM.balloon, d] * base
    amortising = max(0.0, base - balloon)
    if kind == LEVEL:
        return min(amortising, level_instalment(amortising, of_period, payments))
    if kind == CUSTOM:
        opening = state.rows[TRANCHE.opening, d, lane] if fitted else base
        return min(base, custom_share(params, state, d, lane, month) * opening)
    if kind == STRAIGHT or not fitted:
        return amortising / payments
    row = min(month, state.schedule.shape[1] - 1)
    if kind == SCULPTED or kind == SIZED:
        return amortising * state.schedule[d, row, lane]
    return min(amortising, max(0.0, base - state.schedule[d, row, lane]))


@inlined
def hold_payment(params, state, d, lane, base, coupon, instalment):
    """Keep the payment of this month, where later ones are not to be set anew from the balance.

    So it is where prepayments shorten the tail, and where missed instalments are left in the
    balance; a prepayment that does not shorten sets it to 0, and the next month holds a new one.
    """
    kind = params.codes[TRANCHE_CODE.amortisation, d]
    if (kind != LEVEL and kind != STRAIGHT) or state.rows[TRANCHE.refinanced, d, lane] > 0.0:
        return
    if params.codes[TRANCHE_CODE.shorten, d] or not params.codes[TRANCHE_CODE.catch_up, d]:
        if state.rows[TRANCHE.payment, d, lane] == 0.0 and instalment > 0.0:
            of_period = coupon * params.codes[TRANCHE_CODE.payment_interval, d]
            interest = base * of_period / 12.0 if kind == LEVEL else 0.0
            state.rows[TRANCHE.payment, d, lane] = instalment + interest


@inlined
def final_principal(state, d, lane, month, base, instalment):
    """Return what a matured tranche owes beyond its regular instalment, USD m."""
    return max(0.0, base - instalment) if month >= state.rows[TRANCHE.maturity, d, lane] else 0.0


@inlined
def scheduled_service(params, state, d, lane, month, months):
    """Return interest and regular instalments of the next `months` months, USD m."""
    coupon = state.rows[TRANCHE.coupon, d, lane]
    overdue = state.rows[TRANCHE.arrears, d, lane]
    balance = max(
        0.0,
        state.rows[TRANCHE.balance, d, lane] - overdue - state.rows[TRANCHE.instalment, d, lane],
    )
    accrued = state.rows[TRANCHE.accrued, d, lane]
    total = 0.0
    for ahead in range(1, months + 1):
        if balance <= flows.TINY or month + ahead > state.rows[TRANCHE.maturity, d, lane]:
            break
        accrued += balance * coupon / 12.0
        if not pays(params, state, d, lane, month + ahead):
            continue
        instalment = instalment_due(params, state, d, lane, month + ahead, balance, coupon)
        total += accrued + instalment
        balance -= instalment
        accrued = 0.0
    return total


@inlined
def accrue_discount(state, d, lane, coupon, is_date):
    """Carry D(t) on by a month: interest is simple within a period, compound from date to date."""
    rate = state.rows[TRANCHE.accrued_rate, d, lane] + coupon / 12.0
    discount = state.rows[TRANCHE.discount_paid, d, lane] / (1.0 + rate)
    state.rows[TRANCHE.discount, d, lane] = discount
    state.rows[TRANCHE.accrued_rate, d, lane] = 0.0 if is_date else rate
    if is_date:
        state.rows[TRANCHE.discount_paid, d, lane] = discount


@inlined
def claim_accrued(state, d, lane):
    """Add interest accrued since the last payment date to the balance: a default calls it due."""
    state.rows[TRANCHE.balance, d, lane] += state.rows[TRANCHE.accrued, d, lane]
    state.rows[TRANCHE.accrued, d, lane] = 0.0
    state.rows[TRANCHE.accrued_rate, d, lane] = 0.0
    state.rows[TRANCHE.discount_paid, d, lane] = state.rows[TRANCHE.discount, d, lane]


@inlined
def levels(params, d, month):
    """Say whether a tranche pays level instalments every month from this one on, in every lane.

    Then what it owes follows from balance, coupon and months left alone, side by side.
    """
    return (
        params.codes[TRANCHE_CODE.amortisation, d] == LEVEL
        and params.codes[TRANCHE_CODE.payment_interval, d] == 1
        and month >= params.codes[TRANCHE_CODE.start, d]
        and not params.codes[TRANCHE_CODE.moves, d]
        and not params.codes[TRANCHE_CODE.shorten, d]
        and params.codes[TRANCHE_CODE.catch_up, d]
    )


@inlined
def charge_level(params, state, performs, d, month, months, pack):
    """Set instalment and final principal of a tranche with level payments, of every month.

    A level payment stays what it is as long as the coupon does, so that what is to come needs no
    walk.

    Returns
    -------
    due, final, to_come : pack
        Instalment, final principal, service of the next `months` months, USD m.
    """
    overdue, balance = state.rows[TRANCHE.arrears, d, pack], state.rows[TRANCHE.balance, d, pack]
    balloon, maturity = state.rows[TRANCHE.balloon, d, pack], state.rows[TRANCHE.maturity, d, pack]
    rate = state.rows[TRANCHE.coupon, d, pack] / 12.0
    log_growth = log_of(1.0 + rate)
    base = select(performs, most(0.0, balance - overdue), 0.0)
    amortising = most(0.0, base - balloon)
    left = maturity - month
    due = least(amortising, amortising * level_share(rate, log_growth, most(1.0, left + 1.0)))
    due = select(left >= 0.0, due, 0.0)
    final = select(left <= 0.0, base - due, 0.0)
    to_come = spread(0.0, pack)
    if months > 0:
        after = most(0.0, balance - (overdue + due))
        after = select(after > flows.TINY, after, 0.0)
        amortising = most(0.0, after - balloon)
        share = level_share(rate, log_growth, most(1.0, left))
        payment = amortising * (share + rate) + (after - amortising) * rate
        to_come = most(0.0, least(float(months), left)) * payment
    return due, final, to_come


@inlined
def level_share(rate, log_growth, payments):
    """Return the share of a balance that the first of so many level payments repays.

    Parameters
    ----------
    rate, log_growth : pack
        Coupon of a month, and ln(1 + rate).
    """
    growth = exp_of(payments * log_growth) - 1.0
    is_flat = abs(rate) < 1e-12
    share = rate / select(growth != 0.0, growth, 1.0)
    if any_of(is_flat):
        share = select(is_flat, 1.0 / payments, share)
    return share


@inlined
def walks_side_by_side(params, state, d, pack):
    """Say whether instalments of a tranche can be looked at side by side, month by month.

    It pays every month, by a rule that needs no walk of its own, holds no payment, and has not been
    refinanced.
    """
    kind = params.codes[TRANCHE_CODE.amortisation, d]
    holds = params.codes[TRANCHE_CODE.shorten, d] or not params.codes[TRANCHE_CODE.catch_up, d]
    if (
        params.codes[TRANCHE_CODE.payment_interval, d] != 1
        or kind == CUSTOM
        or ((kind == LEVEL or kind == STRAIGHT) and holds)
    ):
        return False
    return not any_of(state.rows[TRANCHE.refinanced, d, pack] > 0.0)


@inlined
def instalment_of(params, state, d, month, base, coupon, pack):
    """Return the regular instalment of a month on a pack, see `instalment_due`, USD m."""
    kind = params.codes[TRANCHE_CODE.amortisation, d]
    if kind == BULLET:
        return spread(0.0, pack)
    maturity = state.rows[TRANCHE.maturity, d, pack]
    payments = 1.0 - floor_of(month - maturity)
    fitted = state.rows[TRANCHE.fitted, d, pack] > 0.0
    ahead = params.terms[TRANCHE_TERM.balloon, d] * base
    amortising = most(0.0, base - select(fitted, state.rows[TRANCHE.balloon, d, pack], ahead))
    row = min(month, state.schedule.shape[1] - 1)
    if kind == LEVEL:
        rate = coupon / 12.0
        growth = exp_of(payments * log_of(1.0 + rate)) - 1.0
        is_flat = abs(rate) < 1e-12
        due = amortising * rate / select(is_flat, 1.0, growth)
        due = least(amortising, select(is_flat, amortising / payments, due))
    else:
        due = amortising / payments
        if kind == SCULPTED or kind == SIZED:
            due = select(fitted, amortising * state.schedule[d, row, pack], due)
        elif kind != STRAIGHT:
            cap = least(amortising, most(0.0, base - state.schedule[d, row, pack]))
            due = select(fitted, cap, due)
    runs = (maturity >= month) & (state.rows[TRANCHE.start, d, pack] <= month)
    return select(runs, due, 0.0)


@inlined
def walk_instalments(params, state, performs, d, month, months, pack):
    """Set instalment and final principal of a tranche month by month, see `charge_level`."""
    overdue, balance = state.rows[TRANCHE.arrears, d, pack], state.rows[TRANCHE.balance, d, pack]
    coupon, maturity = state.rows[TRANCHE.coupon, d, pack], state.rows[TRANCHE.maturity, d, pack]
    base = most(0.0, balance - overdue)
    due = least(base, most(0.0, instalment_of(params, state, d, month, base, coupon, pack)))
    due = select(performs, due, 0.0)
    final = select(performs & (maturity <= month), most(0.0, base - due), 0.0)
    after = most(0.0, balance - overdue - due)
    accrued = state.rows[TRANCHE.accrued, d, pack]
    to_come = spread(0.0, pack)
    for ahead in range(1, months + 1):
        runs = (after > flows.TINY) & (maturity >= month + ahead)
        if not any_of(runs):
            break
        instalment = instalment_of(params, state, d, month + ahead, after, coupon, pack)
        service = accrued + after * coupon / 12.0 + instalment
        to_come = select(runs, to_come + service, to_come)
        after = select(runs, after - instalment, after)
        accrued = spread(0.0, pack)
    return due, final, to_come


@inlined
def charge_others(params, state, boxes, performs, b, d, month, months, pack):
    """Set instalment and final principal of any tranche, see `charge_level`."""
    if walks_side_by_side(params, state, d, pack):
        due, final, to_come = walk_instalments(params, state, performs, d, month, months, pack)
        state.rows[TRANCHE.instalment, d, pack] = due
        state.rows[TRANCHE.final, d, pack] = final
        return due, final, to_come
    first, end = first_of(pack), end_of(pack)
    some_instalments(params, state, boxes, b, d, month, first, end)
    state.scratch[pack] = 0.0
    if months > 0:
        for lane in range(first, end):
            state.scratch[lane] = scheduled_service(params, state, d, lane, month, months)
    due, final = state.rows[TRANCHE.instalment, d, pack], state.rows[TRANCHE.final, d, pack]
    return due, final, state.scratch[pack]


@inner
def some_instalments(params, state, boxes, b, d, month, first, end):
    """Set instalment and final principal of a tranche of any kind, on lanes first..end - 1."""
    for lane in range(first, end):
        state.rows[TRANCHE.instalment, d, lane] = 0.0
        state.rows[TRANCHE.final, d, lane] = 0.0
        if boxes.rows[BOX.status, b, lane] != PERFORMING:
            continue
        overdue = state.rows[TRANCHE.arrears, d, lane]
        base = max(0.0, state.rows[TRANCHE.balance, d, lane] - overdue)
        coupon = state.rows[TRANCHE.coupon, d, lane]
        due = instalment_due(params, state, d, lane, month, base, coupon)
        instalment = min(base, max(0.0, due))
        hold_payment(params, state, d, lane, base, coupon, instalment)
        state.rows[TRANCHE.instalment, d, lane] = instalment
        final = final_principal(state, d, lane, month, base, instalment)
        state.rows[TRANCHE.final, d, lane] = final


@inlined
def set_coupons(params, state, d, month, sofr_before, pack):
    """Set the coupon of the month."""
    margin = margin_of(params, d, month)
    floating = 0.0 if params.codes[TRANCHE_CODE.fixed, d] else 1.0
    floored = most(params.terms[TRANCHE_TERM.floor, d], sofr_before[pack])
    index = least(params.terms[TRANCHE_TERM.rate_cap, d], floored)
    agreed = floating * index + margin
    refinanced = state.rows[TRANCHE.refinanced, d, pack] > 0.0
    if any_of(refinanced):
        agreed = select(refinanced, index + state.rows[TRANCHE.margin, d, pack], agreed)
    state.rows[TRANCHE.coupon, d, pack] = agreed
    return index, refinanced


@inner
def some_are_building(boxes, b, month):
    """Say whether a box waits for its first acceptance in any lane."""
    last = 0.0
    for lane in range(boxes.rows.shape[2]):
        last = max(last, boxes.rows[BOX.first_acceptance, b, lane])
    return last >= month


@inlined
def charge_running(params, state, performs, index, refinanced, d, month, pack):
    """Charge interest of a tranche that pays monthly and whose box runs; return (fee, hedge)."""
    coupon = state.rows[TRANCHE.coupon, d, pack] / 12.0
    discount = state.rows[TRANCHE.discount_paid, d, pack] / (1.0 + coupon)
    state.rows[TRANCHE.discount, d, pack] = discount
    state.rows[TRANCHE.discount_paid, d, pack] = discount
    state.rows[TRANCHE.received, d, pack] = 0.0
    state.rows[TRANCHE.construction, d, pack] = 0.0
    balance = state.rows[TRANCHE.balance, d, pack]
    state.rows[TRANCHE.interest, d, pack] = balance * coupon
    fee, hedge = spread(0.0, pack), spread(0.0, pack)
    if month <= params.codes[TRANCHE_CODE.available_until, d]:
        due = params.terms[TRANCHE_TERM.undrawn_fee, d] / 12.0
        due = due * state.rows[TRANCHE.undrawn, d, pack]
        fee = select(performs, due, 0.0)
    elif month == params.codes[TRANCHE_CODE.available_until, d] + 1:
        undrawn = state.rows[TRANCHE.undrawn, d, pack]
        state.rows[TRANCHE.undrawn, d, pack] = select(performs, 0.0, undrawn)
    share = params.terms[TRANCHE_TERM.hedge_share, d] / 12.0
    if share > 0.0 and not params.codes[TRANCHE_CODE.fixed, d]:
        gap = params.terms[TRANCHE_TERM.swap_rate, d] - index
        hedge = select(performs & ~refinanced, share * balance * gap, 0.0)
    return fee, hedge


@inner
def charge_any(
    params,
    state,
    box_params,
    boxes,
    flow,
    b,
    d,
    month,
    sofr_before,
    sponsors_default,
    first,
    end,
):
    """Charge interest, fees and hedges of a tranche, on lanes first..end - 1.

    Before the first acceptance interest and fees capitalise within the commitment, if they do;
    equity pays what is left, as long as the sponsor has not defaulted.  Between payment dates
    interest accrues.
    """
    for lane in range(first, end):
        state.rows[TRANCHE.received, d, lane] = 0.0
        state.rows[TRANCHE.construction, d, lane] = 0.0
        coupon = state.rows[TRANCHE.coupon, d, lane]
        failed = sponsors_default[box_params.codes[BOX_CODE.sponsor, b], lane]
        has_owner = failed == 0.0 or failed >= month
        is_building = boxes.rows[BOX.first_acceptance, b, lane] >= month and has_owner
        performs = boxes.rows[BOX.status, b, lane] == PERFORMING
        is_date = not performs or is_building or pays(params, state, d, lane, month)
        accrue_discount(state, d, lane, coupon, is_date)
        interest = state.rows[TRANCHE.accrued, d, lane]
        interest += state.rows[TRANCHE.balance, d, lane] * coupon / 12.0
        state.rows[TRANCHE.accrued, d, lane] = 0.0 if is_date else interest
        interest = interest if is_date else 0.0
        state.rows[TRANCHE.interest, d, lane] = interest
        if not performs:
            continue
        if month > params.codes[TRANCHE_CODE.available_until, d]:
            state.rows[TRANCHE.undrawn, d, lane] = 0.0
        undrawn = state.rows[TRANCHE.undrawn, d, lane]
        fee = params.terms[TRANCHE_TERM.undrawn_fee, d] * undrawn / 12.0
        if is_building:
            capitalise(params, state, flow, b, d, lane, interest, fee)
            continue
        flow[flows.SENIOR_FEES, b, lane] += fee
        if (
            state.rows[TRANCHE.refinanced, d, lane] == 0.0
            and not params.codes[TRANCHE_CODE.fixed, d]
            and boxes.rows[BOX.first_acceptance, b, lane] < month
        ):
            index = index_rate(params, d, sofr_before[lane])
            gap = params.terms[TRANCHE_TERM.swap_rate, d] - index
            hedged = params.terms[TRANCHE_TERM.hedge_share, d]
            hedged *= state.rows[TRANCHE.balance, d, lane]
            flow[flows.HEDGE_SETTLEMENT, b, lane] += hedged * gap / 12.0


@inlined
def capitalise(params, state, flow, b, d, lane, interest, fee):
    """Add interest and fees of construction to the balance; equity pays what finds no room."""
    capitalised = 0.0
    if params.codes[TRANCHE_CODE.capitalises, d]:
        capitalised = min(interest + fee, state.rows[TRANCHE.undrawn, d, lane])
    state.rows[TRANCHE.undrawn, d, lane] -= capitalised
    paid_interest = interest - min(interest, capitalised)
    state.rows[TRANCHE.received, d, lane] += paid_interest
    state.rows[TRANCHE.construction, d, lane] = paid_interest
    state.rows[TRANCHE.balance, d, lane] += min(interest, capitalised)
    fee_capitalised = capitalised - min(interest, capitalised)
    if fee_capitalised > 0.0:  # a draw that pays a fee
        state.rows[TRANCHE.balance, d, lane] += fee_capitalised
        state.rows[TRANCHE.drawn_pv, d, lane] += (
            state.rows[TRANCHE.discount, d, lane] * fee_capitalised
        )
    flow[flows.EQUITY_OTHER, b, lane] += interest + fee - capitalised
    state.rows[TRANCHE.interest, d, lane] = 0.0


@inlined
def charge_debt(
    params, state, box_params, boxes, flow, b, month, sofr_before, sponsors_default, building, pack
):
    """Set coupons, interest and instalments of a box's tranches; return what they add up to.

    What is the same in all lanes is done side by side, the rest lane by lane.

    Parameters
    ----------
    sofr_before : (lane,)
    sponsors_default : (sponsor, lane), default month, 0 = none
    building : bool
        Whether the box waits for its first acceptance on any path of the block.

    Returns
    -------
    fees, hedge, interest, principal, junior, final, arrears, to_come : pack
        Fees and hedge settlement, senior interest and instalments, junior service, final principal
        and arrears due; senior service of the months that the reserve looks ahead, USD m.
    """
    performs = boxes.rows[BOX.status, b, pack] == PERFORMING
    zero = spread(0.0, pack)
    fees, hedge, interest, principal = zero, zero, zero, zero
    junior, final, arrears, to_come = zero, zero, zero, zero
    months = box_params.codes[BOX_CODE.reserve_months, b]
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        index, refinanced = set_coupons(params, state, d, month, sofr_before, pack)
        if params.codes[TRANCHE_CODE.payment_interval, d] == 1 and not building:
            fee, settled = charge_running(
                params, state, performs, index, refinanced, d, month, pack
            )
            fees, hedge = fees + fee, hedge + settled
        else:
            flow[flows.SENIOR_FEES, b, pack] = fees
            flow[flows.HEDGE_SETTLEMENT, b, pack] = hedge
            charge_any(
                params,
                state,
                box_params,
                boxes,
                flow,
                b,
                d,
                month,
                sofr_before,
                sponsors_default,
                first_of(pack),
                end_of(pack),
            )
            fees = flow[flows.SENIOR_FEES, b, pack]
            hedge = flow[flows.HEDGE_SETTLEMENT, b, pack]
        looks = months if params.codes[TRANCHE_CODE.rank, d] == 0 else 0
        if levels(params, d, month):
            due, last, ahead = charge_level(params, state, performs, d, month, looks, pack)
            state.rows[TRANCHE.instalment, d, pack] = due
            state.rows[TRANCHE.final, d, pack] = last
        else:
            due, last, ahead = charge_others(
                params, state, boxes, performs, b, d, month, looks, pack
            )
        final, to_come = final + last, to_come + ahead
        arrears = arrears + select(performs, state.rows[TRANCHE.arrears, d, pack], 0.0)
        accrued = state.rows[TRANCHE.interest, d, pack]
        if params.codes[TRANCHE_CODE.rank, d] == 0:
            interest = interest + select(performs, accrued, 0.0)
            principal = principal + due
        else:
            junior = junior + select(performs, accrued + due, 0.0)
    return fees, hedge, interest, principal, junior, final, arrears, to_come
