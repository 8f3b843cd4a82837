"""Debt: coupons, instalments, and the schedules they are read off.

Level and straight amortisation follow from the balance; sculpted and depreciated ones are read off
a schedule that is fitted once per path, when amortisation starts, to the contracted cash that the
box then has.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.costs import planned_cost
from simulator.box.deliveries import DELIVERY_TERM, expected_acceptance
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BULLET,
    DEPRECIATED,
    LEVEL,
    SCULPTED,
    STRAIGHT,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    NEVER,
    contract_prepayment,
    full_invoice,
    price_multiplier,
)
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner


@inlined
def index_rate(params, d, sofr_before):
    """Return the index of a floating coupon: SOFR of the month before, floored."""
    return max(params.terms[TRANCHE_TERM.floor, d], sofr_before)


@inlined
def coupon_rate(params, state, d, lane, sofr_before):
    """Return the coupon of the month, per year."""
    if state.rows[TRANCHE.refinanced, d, lane] > 0.0:
        return index_rate(params, d, sofr_before) + state.rows[TRANCHE.margin, d, lane]
    if params.codes[TRANCHE_CODE.fixed, d]:
        return params.terms[TRANCHE_TERM.rate, d]
    return index_rate(params, d, sofr_before) + params.terms[TRANCHE_TERM.rate, d]


@inlined
def level_instalment(base, coupon, months):
    """Return the principal part of a level payment with so many payments left."""
    rate = coupon / 12.0
    if abs(rate) < 1e-12:
        return base / months
    return base * rate / (exp(months * log(1.0 + rate)) - 1.0)


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
    if kind == BULLET or month < params.codes[TRANCHE_CODE.start, d]:
        return 0.0
    months = maturity - month + 1.0
    fitted = state.rows[TRANCHE.fitted, d, lane] > 0.0
    balloon = state.rows[TRANCHE.balloon, d, lane]
    if not fitted:  # looking ahead: today's balance stands for that of the fit
        balloon = params.terms[TRANCHE_TERM.balloon, d] * base
    amortising = max(0.0, base - balloon)
    if kind == LEVEL:
        return min(amortising, level_instalment(amortising, coupon, months))
    if kind == STRAIGHT or not fitted:
        return amortising / months
    row = min(month, state.schedule.shape[1] - 1)
    if kind == SCULPTED:
        return amortising * state.schedule[d, row, lane]
    return min(amortising, max(0.0, base - state.schedule[d, row, lane]))


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
    total = 0.0
    for ahead in range(1, months + 1):
        if balance <= flows.TINY or month + ahead > state.rows[TRANCHE.maturity, d, lane]:
            break
        instalment = instalment_due(params, state, d, lane, month + ahead, balance, coupon)
        total += balance * coupon / 12.0 + instalment
        balance -= instalment
    return total


@inner
def contract_outlook(
    deliveries, delivery_state, leases, lease_state, availability, a, lane, fitted
):
    """Return what an asset's contract still promises, seen from the end of month `fitted`.

    Returns
    -------
    start, end : float
        Paid months are start + 1 .. end; none if end <= start.
    invoice : float
        USD m a month, before credits, at the plain price (see `contract_due`).
    credit, credit_from : float
        Prepayment credited back, USD m a month, in months above `credit_from`.
    accepted : float
        Month of acceptance, known or expected.
    """
    nothing = float(fitted)
    status = lease_state.rows[LEASE.status, a, lane]
    if (
        leases.codes[LEASE_CODE.name, a] < 0
        or status > BACKSTOPPED
        or lease_state.rows[LEASE.void, a, lane] > 0.0
    ):
        return nothing, nothing, 0.0, 0.0, nothing, nothing
    if status <= COMMISSIONING:
        start = max(float(fitted), expected_acceptance(deliveries, delivery_state, a, lane))
        left = leases.terms[LEASE_TERM.term, a]
        accepted = start
    else:
        start = float(fitted)
        left = lease_state.rows[LEASE.months_left, a, lane]
        accepted = lease_state.rows[LEASE.accepted, a, lane]
    term_end = start + left
    end = min(term_end, accepted + leases.terms[LEASE_TERM.life, a])
    price = lease_state.rows[LEASE.price, a, lane]
    invoice = full_invoice(leases, a, price, availability)
    credit = 0.0
    credits = leases.terms[LEASE_TERM.credits, a]
    if (
        lease_state.rows[LEASE.first_term, a, lane] > 0.0
        and leases.terms[LEASE_TERM.prepayment_share, a] > 0.0
    ):
        prepayment = lease_state.rows[LEASE.prepayment, a, lane]
        if prepayment == 0.0:
            prepayment = contract_prepayment(leases, a, price)
        credit = prepayment / credits
    return start, end, invoice, credit, term_end - credits, accepted


@inlined
def contract_due(leases, lease_state, a, lane, month, invoice, credit, credit_from, accepted):
    """Return what a contract promises for a month of its `contract_outlook`, USD m."""
    billed = invoice * price_multiplier(leases, lease_state, a, lane, accepted, month)
    return billed - min(billed, credit) if month > credit_from else billed


@inner
def add_contracted_cash(
    deliveries,
    delivery_state,
    leases,
    lease_state,
    costs,
    availability,
    a,
    lane,
    fitted,
    last,
    cash,
):
    """Add an asset's contracted cash of months fitted + 1 .. last to `cash` (month,), USD m.

    Invoice less prepayment credit less planned operating costs, within the contract term.
    """
    start, end, invoice, credit, credit_from, accepted = contract_outlook(
        deliveries, delivery_state, leases, lease_state, availability, a, lane, fitted
    )
    for month in range(int(min(start, 1e6)) + 1, int(min(end, float(last))) + 1):
        due = contract_due(
            leases, lease_state, a, lane, month, invoice, credit, credit_from, accepted
        )
        cash[month] += due - planned_cost(costs, a, month)


@inner
def contracted_value(
    deliveries, delivery_state, leases, lease_state, costs, availability, a, lane, fitted, factor
):
    """Return the value at `fitted` of an asset's contracted cash, no month's below zero, USD m.

    `factor` is a monthly discount factor.
    """
    start, end, invoice, credit, credit_from, accepted = contract_outlook(
        deliveries, delivery_state, leases, lease_state, availability, a, lane, fitted
    )
    total = 0.0
    weight = exp((start - fitted) * log(factor))
    for month in range(int(min(start, 1e6)) + 1, int(min(end, 1e6)) + 1):
        weight *= factor
        due = contract_due(
            leases, lease_state, a, lane, month, invoice, credit, credit_from, accepted
        )
        total += weight * max(0.0, due - planned_cost(costs, a, month))
    return total


@inner
def depreciated_cost(
    deliveries, delivery_state, leases, lease_state, b, box_params, lane, month, life
):
    """Return the straight-line depreciated cost of a box's GPUs, USD m."""
    total = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        status = lease_state.rows[LEASE.status, a, lane]
        if status == CANCELLED or status == GONE:
            continue
        accepted = lease_state.rows[LEASE.accepted, a, lane]
        if status <= COMMISSIONING:
            accepted = expected_acceptance(deliveries, delivery_state, a, lane)
            if accepted >= NEVER:
                continue
        age = max(0.0, month - accepted)
        total += deliveries.terms[DELIVERY_TERM.cost, a] * max(0.0, 1.0 - age / life)
    return total


@inner
def fit_schedules(
    params,
    state,
    box_params,
    deliveries,
    delivery_state,
    leases,
    lease_state,
    costs,
    availability,
    cash,
    month,
):
    """Fit the schedules that start next month to the contracted cash each lane then has.

    Parameters
    ----------
    month : int
        Fit month: amortisation starts in the next one, or started before t0 (month 0).
    availability : (asset, lane)
    cash : (months,), scratch: contracted cash of the box by month, long enough for any maturity

    Notes
    -----
    SCULPTED stores the share of the opening balance due, so that the balance follows the present
    value of contracted cash; DEPRECIATED stores the highest balance allowed at the end of a month.
    """
    for d in range(params.codes.shape[1]):
        b = params.codes[TRANCHE_CODE.box, d]
        start = max(0, params.codes[TRANCHE_CODE.start, d] - 1)
        if start != month:
            continue
        for lane in range(state.rows.shape[2]):
            state.rows[TRANCHE.balloon, d, lane] = (
                params.terms[TRANCHE_TERM.balloon, d] * state.rows[TRANCHE.balance, d, lane]
            )
            state.rows[TRANCHE.fitted, d, lane] = 1.0
        kind = params.codes[TRANCHE_CODE.amortisation, d]
        if b < 0 or (kind != SCULPTED and kind != DEPRECIATED):
            continue
        coupon = (
            params.terms[TRANCHE_TERM.rate, d]
            if params.codes[TRANCHE_CODE.fixed, d]
            else params.terms[TRANCHE_TERM.rate, d] + params.terms[TRANCHE_TERM.swap_rate, d]
        )
        factor = 1.0 / (1.0 + coupon / 12.0)
        last = params.codes[TRANCHE_CODE.maturity, d]
        for lane in range(state.rows.shape[2]):
            horizon = max(month + 1, last)
            if kind == DEPRECIATED:  # the tail of contracts longer than the debt still carries it
                for a in range(
                    box_params.codes[BOX_CODE.first_asset, b],
                    box_params.codes[BOX_CODE.end_asset, b],
                ):
                    end = int(lease_state.rows[LEASE.months_left, a, lane]) + month
                    if lease_state.rows[LEASE.status, a, lane] <= COMMISSIONING:
                        ready = expected_acceptance(deliveries, delivery_state, a, lane)
                        end = int(
                            max(float(month), min(ready, 240.0)) + leases.terms[LEASE_TERM.term, a]
                        )
                    horizon = max(horizon, end)
            horizon = min(horizon, cash.shape[0] - 1)
            cash[month : horizon + 1] = 0.0
            for a in range(
                box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
            ):
                add_contracted_cash(
                    deliveries,
                    delivery_state,
                    leases,
                    lease_state,
                    costs,
                    availability[a, lane],
                    a,
                    lane,
                    month,
                    horizon,
                    cash,
                )
            for u in range(month + 1, horizon + 1):
                cash[u] = max(0.0, cash[u])
            if kind == SCULPTED:
                sculpt(state, d, lane, month, last, factor, cash)
            else:
                box_debt = 0.0
                for other in range(
                    box_params.codes[BOX_CODE.first_tranche, b],
                    box_params.codes[BOX_CODE.end_tranche, b],
                ):
                    box_debt += state.rows[TRANCHE.balance, other, lane]
                share = (
                    state.rows[TRANCHE.balance, d, lane] / box_debt
                    if box_debt > flows.TINY
                    else 0.0
                )
                present = 0.0
                for s in range(horizon, month - 1, -1):
                    # `present` is the value at the end of s of cash after s
                    if s < state.schedule.shape[1]:
                        cost = depreciated_cost(
                            deliveries,
                            delivery_state,
                            leases,
                            lease_state,
                            b,
                            box_params,
                            lane,
                            float(s),
                            params.terms[TRANCHE_TERM.depreciation_months, d],
                        )
                        cap = min(
                            params.terms[TRANCHE_TERM.advance, d] * cost,
                            present / params.terms[TRANCHE_TERM.sculpt_dscr, d],
                        )
                        state.schedule[d, s, lane] = share * cap
                    present = (present + cash[s]) * factor if s > month else present
                scale_caps(state, d, lane, month, last)


@inner
def sculpt(state, d, lane, month, last, factor, cash):
    """Write the share of the opening balance due each month: principal follows contracted cash."""
    rows = state.schedule.shape[1]
    later = 0.0  # value at the end of s of contracted cash after s
    for s in range(last, month, -1):
        opening = (later + cash[s]) * factor
        if s < rows:
            if s == last:
                share = 1.0
            elif opening > flows.TINY:
                share = min(1.0, max(0.0, 1.0 - later / opening))
            else:
                share = 1.0 / (last - s + 1.0)
            state.schedule[d, s, lane] = share
        later = opening


@inner
def scale_caps(state, d, lane, month, last):
    """Lift the caps to the balance at the fit if it stands above them: the deal's own headroom."""
    rows = state.schedule.shape[1]
    balance = state.rows[TRANCHE.balance, d, lane]
    cap = state.schedule[d, min(month, rows - 1), lane]
    for s in range(month, min(last + 1, rows)):
        if balance > cap:
            if cap > flows.TINY:
                state.schedule[d, s, lane] *= balance / cap
            else:
                state.schedule[d, s, lane] = balance * (last - s) / max(1.0, last - month)


@inner
def debt_service(params, state, box_params, boxes, flow, month, sofr_before, sponsors_default):
    """Set coupons, interest, instalments and fees due by the tranches of performing boxes.

    Before the first acceptance interest and fees capitalise within the commitment; equity pays
    what is left, as long as the sponsor has not defaulted.

    Parameters
    ----------
    sofr_before : (lane,)
    sponsors_default : (sponsor, lane), default month, 0 = none
    """
    for d in range(params.codes.shape[1]):
        b = params.codes[TRANCHE_CODE.box, d]
        if b < 0:
            continue
        for lane in range(sofr_before.shape[0]):
            state.rows[TRANCHE.received, d, lane] = 0.0
            coupon = coupon_rate(params, state, d, lane, sofr_before[lane])
            state.rows[TRANCHE.coupon, d, lane] = coupon
            state.rows[TRANCHE.discount, d, lane] /= 1.0 + coupon / 12.0
            interest = state.rows[TRANCHE.balance, d, lane] * coupon / 12.0
            state.rows[TRANCHE.interest, d, lane] = interest
            state.rows[TRANCHE.instalment, d, lane] = 0.0
            state.rows[TRANCHE.final, d, lane] = 0.0
            if boxes.rows[BOX.status, b, lane] != 0.0:
                continue
            is_open = month <= params.codes[TRANCHE_CODE.available_until, d]
            if not is_open:
                state.rows[TRANCHE.undrawn, d, lane] = 0.0
            fee = (
                params.terms[TRANCHE_TERM.undrawn_fee, d]
                * state.rows[TRANCHE.undrawn, d, lane]
                / 12.0
            )
            failed = sponsors_default[box_params.codes[BOX_CODE.sponsor, b], lane]
            has_owner = failed == 0.0 or failed >= month
            if boxes.rows[BOX.first_acceptance, b, lane] >= month and has_owner:
                capitalised = min(interest + fee, state.rows[TRANCHE.undrawn, d, lane])
                state.rows[TRANCHE.undrawn, d, lane] -= capitalised
                paid_interest = interest - min(interest, capitalised)
                state.rows[TRANCHE.received, d, lane] += paid_interest
                state.rows[TRANCHE.balance, d, lane] += min(interest, capitalised)
                fee_capitalised = capitalised - min(interest, capitalised)
                if fee_capitalised > 0.0:  # a draw that pays a fee
                    state.rows[TRANCHE.balance, d, lane] += fee_capitalised
                    state.rows[TRANCHE.drawn_pv, d, lane] += (
                        state.rows[TRANCHE.discount, d, lane] * fee_capitalised
                    )
                flow[flows.EQUITY_OTHER, b, lane] += interest + fee - capitalised
                state.rows[TRANCHE.interest, d, lane] = 0.0
            else:
                flow[flows.SENIOR_FEES, b, lane] += fee
                if (
                    state.rows[TRANCHE.refinanced, d, lane] == 0.0
                    and not params.codes[TRANCHE_CODE.fixed, d]
                    and boxes.rows[BOX.first_acceptance, b, lane] < month
                ):
                    gap = params.terms[TRANCHE_TERM.swap_rate, d] - index_rate(
                        params, d, sofr_before[lane]
                    )
                    hedged = (
                        params.terms[TRANCHE_TERM.hedge_share, d]
                        * state.rows[TRANCHE.balance, d, lane]
                    )
                    flow[flows.HEDGE_SETTLEMENT, b, lane] += hedged * gap / 12.0
            base = max(
                0.0, state.rows[TRANCHE.balance, d, lane] - state.rows[TRANCHE.arrears, d, lane]
            )
            due = instalment_due(params, state, d, lane, month, base, coupon)
            instalment = min(base, max(0.0, due))
            final = final_principal(state, d, lane, month, base, instalment)
            state.rows[TRANCHE.instalment, d, lane] = instalment
            state.rows[TRANCHE.final, d, lane] = final
            flow[flows.FINAL_PRINCIPAL_DUE, b, lane] += final
            if params.codes[TRANCHE_CODE.rank, d] == 0:
                flow[flows.SENIOR_INTEREST_DUE, b, lane] += state.rows[TRANCHE.interest, d, lane]
                flow[flows.SENIOR_PRINCIPAL_DUE, b, lane] += state.rows[TRANCHE.instalment, d, lane]
            else:
                flow[flows.JUNIOR_SERVICE_DUE, b, lane] += (
                    state.rows[TRANCHE.interest, d, lane] + state.rows[TRANCHE.instalment, d, lane]
                )
            flow[flows.ARREARS_DUE, b, lane] += state.rows[TRANCHE.arrears, d, lane]
