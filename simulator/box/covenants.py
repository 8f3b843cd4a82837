"""Covenant tests: lock-up and default DSCR, realisation ratio, LTC and LTV, liquidity.

Model: docs/model.md §11; levels seen in the public record: evidence section 5 of the deals.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.receipts import box_debt, realisation_ratio, window_dscr
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    PERFORMING,
    TRANCHE,
    WINDOW,
    WINDOWS,
)
from simulator.credit.leases import LEASE, LEASE_CODE, LEASE_TERM, UNPAID
from simulator.credit.names import NAME
from simulator.numerics.jit import inlined, inner

FAILS_TO_DEFAULT = 2.0


@inner
def measure_headroom(box_params, boxes, tranches, headroom):
    """Write what each box can spare of its monthly cash before lenders refuse a concession, USD m.

    Cash flow of the coverage window over `cp.consent_dscr` times its debt service, by month; minus
    infinity before there is a window and in a workout, infinity where nobody has lent.

    Parameters
    ----------
    headroom : (box, lane), written
    """
    if not box_params.lender_consent:
        return
    for b in range(box_params.codes.shape[1]):
        for lane in range(headroom.shape[1]):
            cfads, service = window_dscr(boxes, b, lane)
            months = 0.0
            for slot in range(WINDOW):
                served = boxes.windows[WINDOWS.service_window, slot, b, lane] > flows.TINY
                months += box_params.codes[BOX_CODE.payment_interval, b] if served else 0.0
            spare = -np.inf
            if boxes.rows[BOX.status, b, lane] == PERFORMING:
                if months > 0.0:
                    spare = (cfads - box_params.consent_dscr * service) / months
                if not has_lenders(box_params, tranches, b, lane):
                    spare = np.inf
            headroom[b, lane] = spare


@inlined
def has_lenders(box_params, tranches, b, lane):
    """Say whether a box owes or can draw debt."""
    lent = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        lent += tranches.rows[TRANCHE.balance, d, lane] + tranches.rows[TRANCHE.undrawn, d, lane]
    return lent > flows.TINY


@inlined
def over_trigger(box_params, boxes, flow, b, lane, month, debt):
    """Return debt above the LTC or LTV trigger, USD m (the larger excess; <= 0 = none)."""
    stepped = box_params.terms[BOX_TERM.ratio_step_down, b] * month / 12.0
    excess = 0.0
    if box_params.terms[BOX_TERM.ltc_trigger, b] > 0.0:
        trigger = max(0.0, box_params.terms[BOX_TERM.ltc_trigger, b] - stepped)
        excess = max(excess, debt - trigger * boxes.rows[BOX.capex_paid, b, lane])
    if box_params.terms[BOX_TERM.ltv_trigger, b] > 0.0:
        trigger = max(0.0, box_params.terms[BOX_TERM.ltv_trigger, b] - stepped)
        excess = max(excess, debt - trigger * flow[flows.COLLATERAL, b, lane])
    return excess


@inlined
def instalments_due(box_params, tranches, b, lane):
    """Return the regular instalments of the month, USD m, of all ranks."""
    total = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        total += tranches.rows[TRANCHE.instalment, d, lane]
    return total


@inlined
def over_too_long(box_params, boxes, b, lane):
    """Say whether a box stands above a ratio trigger for longer than it may."""
    return boxes.rows[BOX.over_months, b, lane] > box_params.codes[BOX_CODE.ratio_cure_months, b]


@inlined
def breached_contract(box_params, lease_state, b, lane):
    """Say whether a pooled contract goes unpaid this month."""
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if lease_state.rows[LEASE.status, a, lane] == UNPAID:
            return True
    return False


@inlined
def downgraded_customer(box_params, leases, lease_state, names, b, lane):
    """Say whether a customer stands below the rating its contract asks for, or has defaulted.

    Renewed contracts ask for none; one that its customer rejected goes on trapping cash.
    """
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        floor = leases.terms[LEASE_TERM.rating_floor, a]
        asks = lease_state.rows[LEASE.first_term, a, lane] + lease_state.rows[LEASE.void, a, lane]
        if floor > 0.0 and asks > 0.0:
            name = leases.codes[LEASE_CODE.name, a]
            if names.rows[NAME.rating, name, lane] > floor:
                return True
            if names.rows[NAME.default_month, name, lane] > 0.0:
                return True
    return False


@inner
def test_covenants(
    box_params, boxes, tranches, leases, lease_state, names, flow, month, sponsor_cash
):
    """Test every performing box with debt; set the trap and the cures asked.

    Parameters
    ----------
    sponsor_cash : (sponsor, lane), HoldCo cash at the end of the month before, USD m
    """
    for b in range(box_params.codes.shape[1]):
        since = month - box_params.codes[BOX_CODE.first_test, b]
        is_test = since >= 0 and since % box_params.codes[BOX_CODE.test_interval, b] == 0
        for lane in range(boxes.rows.shape[2]):
            boxes.rows[BOX.trap_on, b, lane] = 0.0
            if boxes.rows[BOX.status, b, lane] != PERFORMING:
                continue
            debt = box_debt(box_params, tranches, b, lane)
            if debt <= flows.TINY or boxes.rows[BOX.first_acceptance, b, lane] >= month:
                boxes.rows[BOX.trap_flag, b, lane] = 0.0
                continue
            cfads, service = window_dscr(boxes, b, lane)
            waived = month <= boxes.rows[BOX.waived_until, b, lane]
            asked = 0.0
            lockup, default = (
                box_params.terms[BOX_TERM.lockup_dscr, b],
                box_params.terms[BOX_TERM.default_dscr, b],
            )
            if is_test and service > flows.TINY:
                boxes.rows[BOX.trap_flag, b, lane] = 1.0 if cfads < lockup * service else 0.0
                fails = cfads < default * service and not waived
                boxes.rows[BOX.dscr_fails, b, lane] = (
                    boxes.rows[BOX.dscr_fails, b, lane] + 1.0 if fails else 0.0
                )
                if boxes.rows[BOX.dscr_fails, b, lane] >= FAILS_TO_DEFAULT:
                    asked = default * service - cfads
            elif boxes.rows[BOX.dscr_fails, b, lane] >= FAILS_TO_DEFAULT and not is_test:
                # a cure period that outlasts the month of the test: asked again, unless it healed
                asked = max(0.0, default * service - cfads)
                if asked == 0.0:
                    boxes.rows[BOX.dscr_fails, b, lane] = 0.0
            if is_test and box_params.terms[BOX_TERM.minimum_liquidity, b] > 0.0:
                short = (
                    sponsor_cash[box_params.codes[BOX_CODE.sponsor, b], lane]
                    < box_params.terms[BOX_TERM.minimum_liquidity, b]
                )
                fails = boxes.rows[BOX.liquidity_fails, b, lane] + 1.0
                boxes.rows[BOX.liquidity_fails, b, lane] = fails if short and not waived else 0.0
            trap = boxes.rows[BOX.trap_flag, b, lane] > 0.0
            if (
                since >= 0
                and realisation_ratio(boxes, b, lane)
                < box_params.terms[BOX_TERM.realisation_minimum, b]
            ):
                trap = True
            if box_params.codes[BOX_CODE.trap_on_breach, b] and breached_contract(
                box_params, lease_state, b, lane
            ):
                trap = True
            if (
                since >= 0
                and box_params.codes[BOX_CODE.watches_ratings, b]
                and downgraded_customer(box_params, leases, lease_state, names, b, lane)
            ):
                trap = True
            boxes.rows[BOX.trap_on, b, lane] = 1.0 if trap else 0.0
            if since >= 0 and not waived:
                after = debt - instalments_due(box_params, tranches, b, lane)
                excess = over_trigger(box_params, boxes, flow, b, lane, month, after)
                over = boxes.rows[BOX.over_months, b, lane] + 1.0 if excess > flows.TINY else 0.0
                boxes.rows[BOX.over_months, b, lane] = over
                if over_too_long(box_params, boxes, b, lane):
                    asked = max(asked, excess)
            breach = (
                trap
                or boxes.rows[BOX.over_months, b, lane] > 0.0
                or boxes.rows[BOX.dscr_fails, b, lane] > 0.0
            )
            if breach and boxes.rows[BOX.first_breach, b, lane] == 0.0:
                boxes.rows[BOX.first_breach, b, lane] = month
            if no_cure_left(box_params, boxes, b, lane):
                asked = 0.0  # no cure is left: the breach stands
            flow[flows.CURE_ASKED, b, lane] = min(asked, debt)  # it prepays: never more than all


@inlined
def no_cure_left(box_params, boxes, b, lane):
    """Say whether a box has used up its cures."""
    return boxes.rows[BOX.cures_used, b, lane] >= box_params.terms[BOX_TERM.cures, b]


@inlined
def cure_is_over(box_params, boxes, b, lane):
    """Say whether a cure was asked for longer than the cure period, or cannot be asked."""
    waited = boxes.rows[BOX.uncured_months, b, lane] > box_params.codes[BOX_CODE.cure_months, b]
    return waited or no_cure_left(box_params, boxes, b, lane)


@inlined
def note_cure(box_params, boxes, flow, b, lane):
    """Say whether an asked cure came in full; then both counts start anew.

    It has prepaid debt, and counts as cash flow in the coverage window.
    """
    asked = flow[flows.CURE_ASKED, b, lane]
    given = flow[flows.CURE, b, lane]
    if asked <= 0.0:
        boxes.rows[BOX.uncured_months, b, lane] = 0.0
        return False
    if given < asked - flows.TINY:
        boxes.rows[BOX.uncured_months, b, lane] += 1.0
        return False
    boxes.rows[BOX.uncured_months, b, lane] = 0.0
    boxes.rows[BOX.cures_used, b, lane] += 1.0
    last = boxes.windows.shape[1] - 1
    boxes.windows[WINDOWS.cfads_window, last, b, lane] += given
    boxes.rows[BOX.dscr_fails, b, lane] = 0.0
    boxes.rows[BOX.over_months, b, lane] = 0.0
    return True
