"""Who pays for a delivery: customers, lenders, equity.

    debt = min(undrawn, advance x capex, capex - prepayment, borrowing base - debt)
    equity pays the rest; an overrun goes to the customer, the accordion or the sponsor

Model: docs/model.md §11.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BY_ACCORDION,
    BY_CUSTOMER,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.credit.leases import CANCELLED, LEASE, PENDING
from simulator.numerics.jit import inlined, inner


@inlined
def open_commitments(box_params, params, tranches, b, lane, month):
    """Return (undrawn, undrawn x advance, commitments) of tranches open for draws, USD m."""
    undrawn = 0.0
    weighted = 0.0
    committed = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if month <= params.codes[TRANCHE_CODE.available_until, d]:
            open_part = tranches.rows[TRANCHE.undrawn, d, lane]
            undrawn += open_part
            weighted += open_part * params.terms[TRANCHE_TERM.advance, d]
            committed += params.terms[TRANCHE_TERM.commitment, d]
    return undrawn, weighted, committed


@inlined
def add_to_balance(tranches, d, lane, amount):
    """Lend more on a tranche: its balance, and its value at t0 in `drawn_pv`, USD m."""
    tranches.rows[TRANCHE.balance, d, lane] += amount
    tranches.rows[TRANCHE.drawn_pv, d, lane] += tranches.rows[TRANCHE.discount, d, lane] * amount
    tranches.rows[TRANCHE.payment, d, lane] = 0.0  # a held payment is levelled anew


@inner
def draw_accordion(box_params, boxes, params, tranches, flow, b, lane, month, overrun):
    """Draw lenders' extra debt for an overrun, pro rata to open commitments; return it, USD m."""
    _, _, committed = open_commitments(box_params, params, tranches, b, lane, month)
    if committed <= flows.TINY or boxes.rows[BOX.trap_on, b, lane] > 0.0:
        return 0.0
    draw = min(boxes.rows[BOX.accordion_left, b, lane], overrun)
    boxes.rows[BOX.accordion_left, b, lane] -= draw
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if month <= params.codes[TRANCHE_CODE.available_until, d]:
            share = params.terms[TRANCHE_TERM.commitment, d] / committed
            add_to_balance(tranches, d, lane, draw * share)
    flow[flows.DEBT_DRAWN, b, lane] += draw
    return draw


@inner
def room_to_borrow(costs, lease_state, box_params, params, tranches, a, b, lane, month):
    """Return what borrowing bases still allow a box to draw with delivery `a`, USD m.

    The debt after the draw may reach advance x straight-line depreciated cost of all that is
    delivered, this delivery included.
    """
    debt = 0.0
    limited = False
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        debt += tranches.rows[TRANCHE.balance, d, lane]
        limited = limited or params.codes[TRANCHE_CODE.borrowing_base, d] > 0
    if not limited:
        return np.inf
    room = np.inf
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        is_open = month <= params.codes[TRANCHE_CODE.available_until, d]
        if not is_open or not params.codes[TRANCHE_CODE.borrowing_base, d]:
            continue
        life = params.terms[TRANCHE_TERM.depreciation_months, d]
        base = costs[a]
        for other in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            status = lease_state.rows[LEASE.status, other, lane]
            if other != a and status > PENDING and status < CANCELLED:
                age = max(0.0, month - lease_state.rows[LEASE.accepted, other, lane])
                base += costs[other] * max(0.0, 1.0 - age / life)
        room = min(room, params.terms[TRANCHE_TERM.advance, d] * base - debt)
    return max(0.0, room)


@inner
def fund_capex(
    costs,
    lease_state,
    box_params,
    boxes,
    tranche_params,
    tranches,
    flow,
    a,
    b,
    lane,
    month,
    capex,
    prepayment,
):
    """Pay for a delivery: debt pro rata to what is undrawn, equity the rest and the discount.

    What it costs beyond its plan is borne first by whoever bears overruns.

    Parameters
    ----------
    costs : (asset,), as planned, USD m
    a : int
        The delivery.
    capex, prepayment : float
        What it costs and what the customer prepays, USD m.
    """
    flow[flows.CAPEX, b, lane] += capex
    overrun = max(0.0, capex - costs[a])
    if box_params.codes[BOX_CODE.overrun, b] == BY_CUSTOMER:
        flow[flows.OVERRUN_OF_CUSTOMER, b, lane] += overrun
        capex -= overrun
    elif box_params.codes[BOX_CODE.overrun, b] == BY_ACCORDION and overrun > 0.0:
        capex -= draw_accordion(
            box_params, boxes, tranche_params, tranches, flow, b, lane, month, overrun
        )
    undrawn, weighted, _ = open_commitments(box_params, tranche_params, tranches, b, lane, month)
    draw = 0.0
    if undrawn > flows.TINY and boxes.rows[BOX.trap_on, b, lane] == 0.0:
        draw = min(undrawn, weighted / undrawn * capex, max(0.0, capex - prepayment))
        draw = min(
            draw,
            room_to_borrow(
                costs, lease_state, box_params, tranche_params, tranches, a, b, lane, month
            ),
        )
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            if month <= tranche_params.codes[TRANCHE_CODE.available_until, d]:
                part = draw * tranches.rows[TRANCHE.undrawn, d, lane] / undrawn
                add_to_balance(tranches, d, lane, part)
                flow[flows.EQUITY_FOR_CAPEX, b, lane] += (
                    tranche_params.terms[TRANCHE_TERM.issue_discount, d] * part
                )
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            if month <= tranche_params.codes[TRANCHE_CODE.available_until, d]:
                tranches.rows[TRANCHE.undrawn, d, lane] *= 1.0 - draw / undrawn
    flow[flows.DEBT_DRAWN, b, lane] += draw
    flow[flows.PREPAYMENT_RECEIVED, b, lane] += prepayment
    flow[flows.PREPAYMENT_SURPLUS, b, lane] += max(0.0, prepayment - capex)
    flow[flows.EQUITY_FOR_CAPEX, b, lane] += max(0.0, capex - prepayment - draw)
