"""Schedules: instalments that are fitted once per path to the contracted cash of a box.

Level and straight amortisation follow from the balance; sculpted, sized and depreciated debt is
read off a schedule that is fitted when amortisation starts.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.contracted import add_contracted_cash
from simulator.box.deliveries import DELIVERY_TERM, expected_acceptance, planned_acceptance
from simulator.box.payments import margin_of, periods_left
from simulator.box.receipts import box_debt
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    DEPRECIATED,
    PERFORMING,
    SCULPTED,
    SIZED,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.credit.leases import CANCELLED, COMMISSIONING, GONE, LEASE, LEASE_TERM, NEVER
from simulator.numerics.jit import inlined, inner


@inner
def depreciated_cost(deliveries, delivery_state, lease_state, b, box_params, lane, month, life):
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
def move_schedules(params, state, box_params, boxes, deliveries, delivery_state, leases, month, b):
    """Move start and maturity of a box's tranches by the delay of its first acceptance.

    Before the first acceptance the delay is the one that is expected; a box accepted by t0 moves
    nothing, its tape has been written since.

    Parameters
    ----------
    leases : LeaseState
    """
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if not params.codes[TRANCHE_CODE.moves, d]:
            continue
        first, end = (
            box_params.codes[BOX_CODE.first_asset, b],
            box_params.codes[BOX_CODE.end_asset, b],
        )
        planned = NEVER
        for a in range(first, end):
            planned = min(planned, planned_acceptance(deliveries, a))
        planned = max(1.0, planned)  # what has not been accepted by t0 cannot be before
        for lane in range(state.rows.shape[2]):
            accepted = boxes.rows[BOX.first_acceptance, b, lane]
            if accepted <= 0.0 or state.rows[TRANCHE.refinanced, d, lane] > 0.0:
                continue
            if accepted >= NEVER:
                for a in range(first, end):
                    if leases.rows[LEASE.status, a, lane] <= COMMISSIONING:
                        ready = expected_acceptance(deliveries, delivery_state, a, lane)
                        accepted = min(accepted, ready)
            if accepted < NEVER:
                delay = max(0.0, accepted - planned)
                state.rows[TRANCHE.start, d, lane] = params.codes[TRANCHE_CODE.start, d] + delay
                maturity = params.codes[TRANCHE_CODE.maturity, d]
                state.rows[TRANCHE.maturity, d, lane] = maturity + delay


@inlined
def is_fitted_in(params, state, d, lane, month):
    """Say whether a tranche's schedule is fitted at the end of a month (0: started before t0)."""
    return max(0.0, state.rows[TRANCHE.start, d, lane] - 1.0) == month


@inlined
def note_fit(params, state, d, lane):
    """Fix the balance that balloon and shares refer to."""
    balance = state.rows[TRANCHE.balance, d, lane]
    state.rows[TRANCHE.opening, d, lane] = balance
    state.rows[TRANCHE.balloon, d, lane] = params.terms[TRANCHE_TERM.balloon, d] * balance
    state.rows[TRANCHE.fitted, d, lane] = 1.0


@inner
def fit_holdco_schedules(params, state, month):
    """Fix the balloons of HoldCo debt that starts to amortise next month."""
    for d in range(params.codes.shape[1]):
        if params.codes[TRANCHE_CODE.box, d] >= 0:
            continue
        for lane in range(state.rows.shape[2]):
            if is_fitted_in(params, state, d, lane, month):
                note_fit(params, state, d, lane)


@inner
def fit_schedules(
    params,
    state,
    box_params,
    boxes,
    deliveries,
    delivery_state,
    leases,
    lease_state,
    costs,
    availability,
    cash,
    flow,
    month,
):
    """Fit the schedules of box debt that start next month to the contracted cash of each lane.

    Parameters
    ----------
    month : int
        Fit month: amortisation starts in the next one, or started before t0 (month 0).
    availability : (asset, lane)
    cash : (months,), scratch: contracted cash of the box by month, long enough for any maturity
    flow : (line, box, lane), takes what SIZED debt draws

    Notes
    -----
    SCULPTED and SIZED store the share of the opening balance due, so that the balance follows the
    present value of contracted cash; DEPRECIATED stores the highest balance allowed at the end of a
    month.
    """
    for d in range(params.codes.shape[1]):
        b = params.codes[TRANCHE_CODE.box, d]
        start = max(0, params.codes[TRANCHE_CODE.start, d] - 1)
        if b < 0 or (start != month and not params.codes[TRANCHE_CODE.moves, d]):
            continue
        kind = params.codes[TRANCHE_CODE.amortisation, d]
        reads_cash = kind == SCULPTED or kind == DEPRECIATED or kind == SIZED
        for lane in range(state.rows.shape[2]):
            if not is_fitted_in(params, state, d, lane, month):
                continue
            if reads_cash:
                coupon = margin_of(params, d, month)
                if not params.codes[TRANCHE_CODE.fixed, d]:
                    coupon += params.terms[TRANCHE_TERM.swap_rate, d]
                last = int(state.rows[TRANCHE.maturity, d, lane])
                horizon = max(month + 1, last)
                if kind == DEPRECIATED:  # the tail of contracts beyond the debt still carries it
                    horizon = max(
                        horizon,
                        end_of_contracts(
                            box_params,
                            deliveries,
                            delivery_state,
                            leases,
                            lease_state,
                            b,
                            lane,
                            month,
                        ),
                    )
                horizon = min(horizon, cash.shape[0] - 1)
                cash[month : horizon + 1] = 0.0
                for a in range(
                    box_params.codes[BOX_CODE.first_asset, b],
                    box_params.codes[BOX_CODE.end_asset, b],
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
                if kind == DEPRECIATED:
                    cap_balances(
                        params,
                        state,
                        box_params,
                        deliveries,
                        delivery_state,
                        lease_state,
                        d,
                        b,
                        lane,
                        month,
                        horizon,
                        coupon,
                        cash,
                    )
                    scale_caps(state, d, lane, month, last)
                else:
                    value = sculpt(params, state, d, lane, month, min(last, horizon), coupon, cash)
                    if kind == SIZED:
                        draw_to_capacity(
                            params, state, box_params, boxes, flow, d, b, lane, month, value
                        )
            note_fit(params, state, d, lane)


@inner
def end_of_contracts(box_params, deliveries, delivery_state, leases, lease_state, b, lane, month):
    """Return the month in which the last contract of a box ends, known or expected."""
    last = month
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        end = int(lease_state.rows[LEASE.months_left, a, lane]) + month
        if lease_state.rows[LEASE.status, a, lane] <= COMMISSIONING:
            ready = expected_acceptance(deliveries, delivery_state, a, lane)
            end = int(max(float(month), min(ready, 240.0)) + leases.terms[LEASE_TERM.term, a])
        last = max(last, end)
    return last


@inner
def sculpt(params, state, d, lane, month, last, coupon, cash):
    """Write the share of the opening balance due at each payment: it follows contracted cash.

    Returns
    -------
    float
        Value at the fit of contracted cash up to maturity, discounted from payment to payment.
    """
    rows = state.schedule.shape[1]
    interval = params.codes[TRANCHE_CODE.payment_interval, d]
    later = 0.0  # value at the end of s of contracted cash after s
    s = last
    while s > month:
        since = (s - params.codes[TRANCHE_CODE.payment_anchor, d]) % interval
        before = max(month, s - (since if since > 0 else interval))
        collected = 0.0
        for u in range(before + 1, s + 1):
            collected += cash[u]
        opening = (later + collected) * (1.0 / (1.0 + (s - before) * coupon / 12.0))
        if s < rows:
            if s == last:
                share = 1.0
            elif opening > flows.TINY:
                share = min(1.0, max(0.0, 1.0 - later / opening))
            else:
                share = 1.0 / periods_left(params, d, s, float(last))
            state.schedule[d, s, lane] = share
        later = opening
        s = before
    return later


@inner
def draw_to_capacity(params, state, box_params, boxes, flow, d, b, lane, month, value):
    """Draw sized debt up to what contracted cash carries, for equity; cancel the rest.

    Parameters
    ----------
    value : float
        Of contracted cash at the fit, USD m.
    """
    capacity = value / params.terms[TRANCHE_TERM.sculpt_dscr, d]
    rank = params.codes[TRANCHE_CODE.rank, d]
    for other in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if params.codes[TRANCHE_CODE.rank, other] <= rank:
            capacity -= state.rows[TRANCHE.balance, other, lane]
    draw = min(state.rows[TRANCHE.undrawn, d, lane], max(0.0, capacity))
    if boxes.rows[BOX.status, b, lane] != PERFORMING or boxes.rows[BOX.trap_on, b, lane] > 0.0:
        draw = 0.0
    state.rows[TRANCHE.undrawn, d, lane] = 0.0
    state.rows[TRANCHE.balance, d, lane] += draw
    state.rows[TRANCHE.drawn_pv, d, lane] += state.rows[TRANCHE.discount, d, lane] * draw
    if month > 0:  # a draw at t0 is part of the opening balances
        flow[flows.DEBT_DRAWN, b, lane] += draw
        flow[flows.DISTRIBUTED, b, lane] += draw


@inner
def cap_balances(
    params,
    state,
    box_params,
    deliveries,
    delivery_state,
    lease_state,
    d,
    b,
    lane,
    month,
    horizon,
    coupon,
    cash,
):
    """Write the tranche's share of what depreciated cost and contracted cash allow each month."""
    debt = box_debt(box_params, state, b, lane)
    share = state.rows[TRANCHE.balance, d, lane] / debt if debt > flows.TINY else 0.0
    factor = 1.0 / (1.0 + coupon / 12.0)
    present = 0.0
    for s in range(horizon, month - 1, -1):
        # `present` is the value at the end of s of cash after s
        if s < state.schedule.shape[1]:
            cost = depreciated_cost(
                deliveries,
                delivery_state,
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
