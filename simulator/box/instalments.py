"""Instalments of debt: what falls due in a month, and what is looked ahead of it.

Rules that all lanes follow alike are written on a pack of lanes, the others on one lane.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.payments import pays, periods_left
from simulator.box.terms import (
    BOX,
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
    payments = most(1.0, 1.0 - floor_of(month - maturity))  # past its maturity nothing is due
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
