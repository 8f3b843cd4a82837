"""Events of default, refinancing at maturity, and the cause that is put down for a default.

Model: docs/model.md §11.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.covenants import FAILS_TO_DEFAULT, cure_is_over, over_too_long
from simulator.box.debt import claim_accrued
from simulator.box.deliveries import planned_acceptance
from simulator.box.projection import (
    level_service,
    look_ahead,
    mean_coupon,
    months_to_maturity,
)
from simulator.box.receipts import box_debt
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    CLOSED,
    FULL_RECOURSE,
    PERFORMING,
    TRANCHE,
    TRANCHE_CODE,
    WORKOUT,
)
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    CONTROL,
    COUNTERPARTY,
    DELAY,
    EXPIRY,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    NO_REASON,
    RENEGOTIATION,
    UNPAID,
    full_invoice,
    price_multiplier,
)
from simulator.drivers.rates import new_issue_spread
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import any_of, least, select, spread

# What declares the default (trigger) ...
BY_SPONSOR, BY_PAYMENT, BY_MATURITY, BY_TERMINATION, BY_DSCR, BY_RATIO, BY_LIQUIDITY = (
    1.0,
    2.0,
    3.0,
    4.0,
    5.0,
    6.0,
    7.0,
)
# ... and what brought it about (cause): the reasons of a lease, then these.
CAUSE_SPONSOR, CAUSE_REFINANCING, CAUSE_COSTS = 6.0, 7.0, 8.0

LATE_MONTHS_TO_DEFAULT = 3.0


@inner
def try_to_refinance(
    view, box_params, boxes, params, state, flow, b, lane, month, repaid, distressed
):
    """Extend what fell due, at the market's spread, if the market would lend against the box.

    Parameters
    ----------
    repaid : float
        Boxes that the sponsor repaid before this month.
    distressed : bool
        Whether one of its boxes defaulted in the last 24 months.
    """
    if view.shut[lane] > 0.0:
        return
    debt = box_debt(box_params, state, b, lane)
    if debt > box_params.refinancing_ltv[b] * flow[flows.COLLATERAL, b, lane]:
        return
    high_yield = exp(view.log_spread[lane])
    multiple = box_params.neo_beta
    if box_params.codes[BOX_CODE.investment_grade, b]:
        start = exp(box_params.log_spread_start)
        multiple = box_params.ig_margin * np.sqrt(high_yield / start) / high_yield
    spread = new_issue_spread(high_yield, multiple, repaid, distressed, box_params.learning)
    coupon = view.sofr[lane] + spread
    months = box_params.refinancing_months[b]
    cash = 0.0
    look_ahead(view, box_params, boxes, b, lane, month, 12)
    for ahead in range(1, 13):
        cash += view.outlook[ahead, b, lane]
    if cash < box_params.refinancing_dscr * 12.0 * level_service(debt, coupon, float(months)):
        return
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if (
            state.rows[TRANCHE.balance, d, lane] > flows.TINY
            and month >= state.rows[TRANCHE.maturity, d, lane]
        ):
            state.rows[TRANCHE.maturity, d, lane] = month + months
            state.rows[TRANCHE.margin, d, lane] = spread
            state.rows[TRANCHE.refinanced, d, lane] = 1.0
            state.rows[TRANCHE.balloon, d, lane] = 0.0
            state.rows[TRANCHE.payment, d, lane] = 0.0
            state.rows[TRANCHE.fitted, d, lane] = 1.0


@inlined
def past_maturity(box_params, state, b, lane, month):
    """Say whether debt is left at or after its maturity."""
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if (
            month >= state.rows[TRANCHE.maturity, d, lane]
            and state.rows[TRANCHE.balance, d, lane] > flows.TINY
        ):
            return True
    return False


@inlined
def overdue(box_params, boxes, state, b, lane):
    """Return arrears of a box, USD m: principal and interest overdue, and unpaid fees."""
    total = boxes.rows[BOX.fee_arrears, b, lane]
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        total += state.rows[TRANCHE.arrears, d, lane]
    return total


@inner
def terminated_contract(view, box_params, b, lane, month):
    """Say whether a contract lost its last delivery to rejection or termination this month."""
    leases, lease_state = view.leases, view.lease_state
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if (
            leases.codes[LEASE_CODE.contract, a] < 0
            or lease_state.rows[LEASE.ended, a, lane] != month
        ):
            continue
        alive = False
        for other in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            if leases.codes[LEASE_CODE.contract, other] == leases.codes[LEASE_CODE.contract, a]:
                accepted = lease_state.rows[LEASE.status, other, lane] >= CONTRACTED
                accepted = accepted and lease_state.rows[LEASE.status, other, lane] != CANCELLED
                if accepted and lease_state.rows[LEASE.void, other, lane] == 0.0:
                    alive = True
        if not alive:
            return True
    return False


@inner
def cause_of_default(view, box_params, trigger, b, lane, month):
    """Return what took most contracted revenue in the month of the default."""
    if trigger == BY_SPONSOR:
        return CAUSE_SPONSOR
    leases, lease_state = view.leases, view.lease_state
    lost_counterparty = lost_renegotiation = lost_control = lost_delay = lost_expiry = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if leases.codes[LEASE_CODE.name, a] < 0:
            continue
        status = lease_state.rows[LEASE.status, a, lane]
        accepted = lease_state.rows[LEASE.accepted, a, lane]
        promised = leases.terms[LEASE_TERM.first_price, a] * price_multiplier(
            leases, lease_state, a, lane, accepted, month
        )
        full = full_invoice(leases, a, promised, view.availability[a, lane])
        reason = lease_state.rows[LEASE.reason, a, lane]
        missing = max(0.0, full - lease_state.rows[LEASE.received, a, lane])
        if status <= COMMISSIONING or status == CANCELLED:
            late = month > planned_acceptance(view.deliveries, a)
            if reason == COUNTERPARTY:
                lost_counterparty += missing
            elif reason == CONTROL:
                lost_control += missing
            elif late or status == CANCELLED:
                lost_delay += missing
        elif status == UNPAID or status == BACKSTOPPED or reason == COUNTERPARTY:
            lost_counterparty += missing
        elif reason == CONTROL:
            lost_control += missing
        elif reason == EXPIRY:
            lost_expiry += missing
        elif status == CONTRACTED and reason == NO_REASON:
            cut = max(
                0.0,
                leases.terms[LEASE_TERM.first_price, a] - lease_state.rows[LEASE.price, a, lane],
            )
            lost_renegotiation += full * cut / leases.terms[LEASE_TERM.first_price, a]
            lost_control += max(
                0.0,
                lease_state.rows[LEASE.due, a, lane] - lease_state.rows[LEASE.received, a, lane],
            )
    worst = max(
        max(lost_counterparty, lost_renegotiation), max(max(lost_control, lost_delay), lost_expiry)
    )
    if worst <= flows.TINY:
        return CAUSE_REFINANCING if trigger == BY_MATURITY else CAUSE_COSTS
    if worst == lost_counterparty:
        return COUNTERPARTY
    if worst == lost_renegotiation:
        return RENEGOTIATION
    if worst == lost_control:
        return CONTROL
    return DELAY if worst == lost_delay else EXPIRY


@inlined
def trigger_of(view, box_params, boxes, state, b, lane, month, sponsor_default):
    """Return the event of default of the month, 0 = none, in the order of precedence."""
    if (
        box_params.codes[BOX_CODE.recourse, b] == FULL_RECOURSE
        and sponsor_default > 0.0
        and sponsor_default < month
    ):
        return BY_SPONSOR
    if boxes.rows[BOX.arrears_months, b, lane] >= box_params.grace:
        return BY_PAYMENT
    if boxes.rows[BOX.late_months, b, lane] >= LATE_MONTHS_TO_DEFAULT:
        return BY_MATURITY
    if box_params.codes[BOX_CODE.default_on_termination, b] and terminated_contract(
        view, box_params, b, lane, month
    ):
        return BY_TERMINATION
    if cure_is_over(box_params, boxes, b, lane):
        if boxes.rows[BOX.dscr_fails, b, lane] >= FAILS_TO_DEFAULT:
            return BY_DSCR
        if over_too_long(box_params, boxes, b, lane):
            return BY_RATIO
    if boxes.rows[BOX.liquidity_fails, b, lane] >= FAILS_TO_DEFAULT:
        return BY_LIQUIDITY
    return 0.0


@inlined
def close_quietly(box_params, boxes, state, flow, rare, b, pack, month, sponsor_default):
    """Close the month where it ends quietly; return where it may not, see `end_of_month`.

    Quiet is a box that performs and owes debt, of which nothing is overdue or matured, with no test
    failed, no cure asked and its guarantor in being: its counts of months start anew, and that is
    all.  So is one that has repaid its debt, and one that is closed: what is left unpaid accrues.

    Parameters
    ----------
    sponsor_default : (lane,), default month, 0 = none
    """
    status = boxes.rows[BOX.status, b, pack]
    performs = status == PERFORMING
    failed = boxes.rows[BOX.fee_arrears, b, pack]
    if box_params.codes[BOX_CODE.recourse, b] == FULL_RECOURSE:
        failed = failed + sponsor_default[pack]
    if box_params.terms[BOX_TERM.default_dscr, b] > 0.0:
        failed = failed + boxes.rows[BOX.dscr_fails, b, pack]
    if box_params.terms[BOX_TERM.minimum_liquidity, b] > 0.0:
        failed = failed + boxes.rows[BOX.liquidity_fails, b, pack]
    triggers = box_params.terms[BOX_TERM.ltc_trigger, b] + box_params.terms[BOX_TERM.ltv_trigger, b]
    if triggers > 0.0:
        failed = failed + boxes.rows[BOX.over_months, b, pack]
    asked = boxes.rows[BOX.uncured_months, b, pack]
    if rare:
        asked = asked + flow[flows.CURE_ASKED, b, pack]
    debt = spread(0.0, pack)
    overdue_part = spread(0.0, pack)
    first_maturity = spread(np.inf, pack)
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        first_maturity = least(first_maturity, state.rows[TRANCHE.maturity, d, pack])
        overdue_part = overdue_part + state.rows[TRANCHE.arrears, d, pack]
        debt = debt + state.rows[TRANCHE.balance, d, pack]
    owes = debt > flows.TINY
    quiet = owes & (failed + asked == 0.0) & (overdue_part == 0.0) & (first_maturity > month)
    if box_params.codes[BOX_CODE.default_on_termination, b]:
        quiet = quiet & (debt < 0.0)
    repaid = ~owes & (asked == 0.0) & (boxes.rows[BOX.repaid, b, pack] > 0.0)
    quiet = performs & (quiet | repaid)
    if any_of(~quiet):
        closed = status == CLOSED
        if rare:
            closed = closed & (flow[flows.DISPOSALS, b, pack] == 0.0)
        if any_of(closed):
            for d in range(
                box_params.codes[BOX_CODE.first_tranche, b],
                box_params.codes[BOX_CODE.end_tranche, b],
            ):
                balance = state.rows[TRANCHE.balance, d, pack]
                claim = balance + state.rows[TRANCHE.interest, d, pack]
                state.rows[TRANCHE.balance, d, pack] = select(closed, claim, balance)
        for_months = boxes.rows[BOX.arrears_months, b, pack] + boxes.rows[BOX.late_months, b, pack]
        if any_of(quiet & (for_months > 0.0)):
            reset_counts(boxes, b, quiet, pack)
        return ~(quiet | closed)
    for_months = boxes.rows[BOX.arrears_months, b, pack] + boxes.rows[BOX.late_months, b, pack]
    if any_of(for_months > 0.0):
        reset_counts(boxes, b, quiet, pack)
    return ~quiet


@inlined
def reset_counts(boxes, b, quiet, pack):
    """Begin the counts of months in arrears and past maturity anew."""
    late, overdue_for = (
        boxes.rows[BOX.late_months, b, pack],
        boxes.rows[BOX.arrears_months, b, pack],
    )
    boxes.rows[BOX.late_months, b, pack] = select(quiet, 0.0, late)
    boxes.rows[BOX.arrears_months, b, pack] = select(quiet, 0.0, overdue_for)


@inlined
def end_of_month(
    view,
    box_params,
    boxes,
    params,
    state,
    flow,
    b,
    lane,
    month,
    sponsor_default,
    repaid,
    distressed,
):
    """Close a performing box's month: refinancing, counters, events of default."""
    debt = box_debt(box_params, state, b, lane)
    if debt <= flows.TINY:
        if boxes.rows[BOX.default_month, b, lane] == 0.0 and no_debt_to_come(
            box_params, params, state, b, lane, month
        ):
            boxes.rows[BOX.repaid, b, lane] = 1.0
        boxes.rows[BOX.arrears_months, b, lane] = 0.0
        boxes.rows[BOX.late_months, b, lane] = 0.0
        return
    if past_maturity(box_params, state, b, lane, month):
        try_to_refinance(
            view, box_params, boxes, params, state, flow, b, lane, month, repaid, distressed
        )
    late = past_maturity(box_params, state, b, lane, month)
    boxes.rows[BOX.late_months, b, lane] = (
        boxes.rows[BOX.late_months, b, lane] + 1.0 if late else 0.0
    )
    in_arrears = overdue(box_params, boxes, state, b, lane) > flows.TINY
    boxes.rows[BOX.arrears_months, b, lane] = (
        boxes.rows[BOX.arrears_months, b, lane] + 1.0 if in_arrears else 0.0
    )
    trigger = trigger_of(view, box_params, boxes, state, b, lane, month, sponsor_default)
    if trigger >= BY_TERMINATION and waive(view, box_params, boxes, state, b, lane, month, debt):
        trigger = 0.0
    if trigger > 0.0:
        boxes.rows[BOX.status, b, lane] = WORKOUT
        boxes.rows[BOX.default_month, b, lane] = month
        boxes.rows[BOX.trigger, b, lane] = trigger
        boxes.rows[BOX.cause, b, lane] = cause_of_default(view, box_params, trigger, b, lane, month)
        boxes.rows[BOX.cost_arrears, b, lane] = 0.0
        boxes.rows[BOX.fee_arrears, b, lane] = 0.0
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            claim_accrued(state, d, lane)
            state.rows[TRANCHE.exposure, d, lane] = state.rows[TRANCHE.balance, d, lane]
            state.rows[TRANCHE.arrears, d, lane] = 0.0
            state.rows[TRANCHE.undrawn, d, lane] = 0.0
        if not box_params.collateral_model:
            abandon_assets(view, box_params, b, lane)


@inner
def waive(view, box_params, boxes, state, b, lane, month, debt):
    """Say whether lenders waive a default for a fee; tests then rest for a while.

    They do while waivers are left and the cash they expect up to maturity is worth the debt.
    """
    if not box_params.amendments:
        return False
    if boxes.rows[BOX.waivers_used, b, lane] >= box_params.waivers:
        return False
    factor = 1.0 / (1.0 + mean_coupon(box_params, state, b, lane) / 12.0)
    weight = 1.0
    value = 0.0
    months = int(months_to_maturity(box_params, state, b, lane, month))
    look_ahead(view, box_params, boxes, b, lane, month, months)
    for ahead in range(1, months + 1):
        weight *= factor
        value += weight * max(0.0, view.outlook[ahead, b, lane])
    if value < debt:
        return False
    boxes.rows[BOX.waivers_used, b, lane] += 1.0
    boxes.rows[BOX.waived_until, b, lane] = month + box_params.waiver_months
    boxes.rows[BOX.dscr_fails, b, lane] = 0.0
    boxes.rows[BOX.over_months, b, lane] = 0.0
    boxes.rows[BOX.liquidity_fails, b, lane] = 0.0
    boxes.rows[BOX.uncured_months, b, lane] = 0.0
    boxes.rows[BOX.fee_arrears, b, lane] += box_params.waiver_fee * debt
    return True


@inner
def abandon_assets(view, box_params, b, lane):
    """Take a box's GPUs out of the model: its lenders' recovery is drawn, not earned."""
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if view.lease_state.rows[LEASE.status, a, lane] != CANCELLED:
            view.lease_state.rows[LEASE.status, a, lane] = GONE
        view.lease_state.rows[LEASE.claim_month, a, lane] = 0.0


@inlined
def no_debt_to_come(box_params, params, state, b, lane, month):
    """Say whether nothing can be drawn any more and something was."""
    drawn = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if (
            month < params.codes[TRANCHE_CODE.available_until, d]
            and state.rows[TRANCHE.undrawn, d, lane] > flows.TINY
        ):
            return False
        drawn += state.rows[TRANCHE.drawn_pv, d, lane]
    return drawn > flows.TINY
