"""Debt service of the month: coupons, instalments, fees, and what is looked ahead of them.

Debt is paid at the payment dates of its box, every month or every quarter; between them interest
accrues.  Schedules that depend on contracted cash are fitted in `box.schedules`.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.instalments import charge_level, charge_others, levels
from simulator.box.payments import index_rate, margin_of, pays
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    PERFORMING,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import (
    any_of,
    end_of,
    first_of,
    least,
    most,
    select,
    spread,
)


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
