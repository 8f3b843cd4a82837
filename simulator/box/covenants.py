"""Covenant tests: lock-up and default DSCR, realisation ratio, LTC and LTV, liquidity.

Model: docs/model.md §11; levels seen in the public record: evidence section 5 of the deals.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.receipts import realisation_ratio, window_dscr
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    TRANCHE,
    WINDOW,
    WINDOWS,
)
from simulator.box.work import WORK, note_debt
from simulator.credit.leases import BACKSTOPPED, LEASE, LEASE_CODE, LEASE_TERM, UNPAID
from simulator.credit.names import NAME
from simulator.numerics.jit import inlined, inner

FAILS_TO_DEFAULT = 2.0


@inner
def measure_headroom(box_params, boxes, tranches, work, headroom):
    """Write what each box can spare of its monthly cash before lenders refuse a concession, USD m.

    Cash flow of the coverage window over `cp.consent_dscr` times its debt service, by month; minus
    infinity before there is a window and in a workout, infinity where nobody has lent.

    Parameters
    ----------
    work : (row of WORK, lane), scratch
    headroom : (box, lane), written
    """
    if not box_params.lender_consent:
        return
    lanes = headroom.shape[1]
    for b in range(box_params.codes.shape[1]):
        interval = float(box_params.codes[BOX_CODE.payment_interval, b])
        note_debt(box_params, boxes, tranches, work, b)
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            for lane in range(lanes):
                work[WORK.debt, lane] += tranches.rows[TRANCHE.undrawn, d, lane]
        for lane in range(lanes):
            cfads, service = window_dscr(boxes, b, lane)
            headroom[b, lane] = cfads - box_params.consent_dscr * service
            work[WORK.share, lane] = interval * dates_served(boxes, b, lane)
        for lane in range(lanes):
            months = work[WORK.share, lane]
            spare = headroom[b, lane] / max(1.0, months) if months > 0.0 else -np.inf
            lent = work[WORK.debt, lane] > flows.TINY
            spare = spare if lent else np.inf
            headroom[b, lane] = spare if work[WORK.performs, lane] > 0.0 else -np.inf


@inlined
def dates_served(boxes, b, lane):
    """Return the number of payment dates in the coverage window."""
    dates = 0.0
    for slot in range(WINDOW):
        served = boxes.windows[WINDOWS.service_window, slot, b, lane] > flows.TINY
        dates += 1.0 if served else 0.0
    return dates


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
def downgraded_customer(box_params, leases, lease_state, names, b, lane):
    """Say whether a customer stands below the rating its contract asks for, or has defaulted.

    Renewed contracts ask for none; one that its customer rejected goes on trapping cash.
    """
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        floor = leases.terms[LEASE_TERM.rating_floor, a]
        runs = lease_state.rows[LEASE.status, a, lane] <= BACKSTOPPED  # or is still to begin
        is_first = lease_state.rows[LEASE.first_term, a, lane] > 0.0
        asks = (runs and is_first) or lease_state.rows[LEASE.void, a, lane] > 0.0
        if floor > 0.0 and asks:
            name = leases.codes[LEASE_CODE.name, a]
            if names.rows[NAME.rating, name, lane] > floor:
                return True
            if names.rows[NAME.default_month, name, lane] > 0.0:
                return True
    return False


@inner
def test_covenants(
    box_params, boxes, tranches, leases, lease_state, names, flow, work, month, sponsor_cash
):
    """Test every performing box with debt; set the trap and the cures asked.

    In short loops over few rows each, so that all of them vectorise.

    Parameters
    ----------
    work : (row of WORK, lane), scratch
    sponsor_cash : (sponsor, lane), HoldCo cash at the end of the month before, USD m
    """
    for b in range(box_params.codes.shape[1]):
        since = month - box_params.codes[BOX_CODE.first_test, b]
        is_test = since >= 0 and since % box_params.codes[BOX_CODE.test_interval, b] == 0
        note_debt(box_params, boxes, tranches, work, b)
        begin_tests(boxes, work, b, month)
        test_coverage(box_params, boxes, work, b, month, is_test)
        if is_test and box_params.terms[BOX_TERM.minimum_liquidity, b] > 0.0:
            test_liquidity(box_params, boxes, work, b, month, sponsor_cash)
        set_trap(box_params, boxes, leases, lease_state, names, work, b, since)
        triggers = box_params.terms[BOX_TERM.ltc_trigger, b]
        triggers += box_params.terms[BOX_TERM.ltv_trigger, b]
        if since >= 0 and triggers > 0.0:
            test_ratios(box_params, boxes, tranches, flow, work, b, month)
        ask_cures(box_params, boxes, flow, work, b, month)


@inner
def begin_tests(boxes, work, b, month):
    """Note where a box is tested: it performs, owes debt and runs."""
    for lane in range(work.shape[1]):
        owes = work[WORK.performs, lane] > 0.0 and work[WORK.debt, lane] > flows.TINY
        tested = owes and boxes.rows[BOX.first_acceptance, b, lane] < month
        work[WORK.tested, lane] = 1.0 if tested else 0.0
        work[WORK.asked, lane] = 0.0
    for lane in range(work.shape[1]):
        rests = work[WORK.performs, lane] > 0.0 and work[WORK.tested, lane] == 0.0
        flag = boxes.rows[BOX.trap_flag, b, lane]
        boxes.rows[BOX.trap_flag, b, lane] = 0.0 if rests else flag
    for lane in range(work.shape[1]):
        cfads, service = window_dscr(boxes, b, lane)
        work[WORK.cfads, lane] = cfads
        work[WORK.service, lane] = service


@inner
def test_coverage(box_params, boxes, work, b, month, is_test):
    """Hold the coverage window against the lock-up and the default level."""
    lockup = box_params.terms[BOX_TERM.lockup_dscr, b]
    default = box_params.terms[BOX_TERM.default_dscr, b]
    if is_test:
        for lane in range(work.shape[1]):
            cfads, service = work[WORK.cfads, lane], work[WORK.service, lane]
            valid = work[WORK.tested, lane] > 0.0 and service > flows.TINY
            below = lockup > 0.0 and lockup * service - cfads > flows.TINY
            flag = boxes.rows[BOX.trap_flag, b, lane]
            new = 1.0 if below else 0.0
            boxes.rows[BOX.trap_flag, b, lane] = new if valid else flag
    if default <= 0.0:
        return
    for lane in range(work.shape[1]):
        cfads, service = work[WORK.cfads, lane], work[WORK.service, lane]
        valid = work[WORK.tested, lane] > 0.0 and service > flows.TINY
        before = boxes.rows[BOX.dscr_fails, b, lane]
        short = default * service - cfads
        if is_test:
            fails = short > flows.TINY and month > boxes.rows[BOX.waived_until, b, lane]
            after = before + 1.0 if fails else 0.0
            asks = after >= FAILS_TO_DEFAULT
        else:  # a cure period outlasts the month of the test: asked again, unless it healed
            awaited = before >= FAILS_TO_DEFAULT
            asks = awaited and short > flows.TINY
            after = 0.0 if awaited and short <= flows.TINY else before
        boxes.rows[BOX.dscr_fails, b, lane] = after if valid else before
        work[WORK.asked, lane] = short if valid and asks else 0.0


@inner
def test_liquidity(box_params, boxes, work, b, month, sponsor_cash):
    """Hold the HoldCo's cash against the least that the deal asks for."""
    least = box_params.terms[BOX_TERM.minimum_liquidity, b]
    s = box_params.codes[BOX_CODE.sponsor, b]
    for lane in range(work.shape[1]):
        waived = month <= boxes.rows[BOX.waived_until, b, lane]
        before = boxes.rows[BOX.liquidity_fails, b, lane]
        after = before + 1.0 if sponsor_cash[s, lane] < least and not waived else 0.0
        tested = work[WORK.tested, lane] > 0.0
        boxes.rows[BOX.liquidity_fails, b, lane] = after if tested else before


@inner
def set_trap(box_params, boxes, leases, lease_state, names, work, b, since):
    """Set the cash trap: lock-up, realised contracts, an unpaid contract, a customer's rating."""
    lanes = work.shape[1]
    for lane in range(lanes):
        work[WORK.trap, lane] = boxes.rows[BOX.trap_flag, b, lane]
    least = box_params.terms[BOX_TERM.realisation_minimum, b]
    if since >= 0 and least > 0.0:
        for lane in range(lanes):
            below = realisation_ratio(boxes, b, lane) < least
            work[WORK.trap, lane] = 1.0 if below else work[WORK.trap, lane]
    if box_params.codes[BOX_CODE.trap_on_breach, b]:
        for a in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            for lane in range(lanes):
                unpaid = lease_state.rows[LEASE.status, a, lane] == UNPAID
                work[WORK.trap, lane] = 1.0 if unpaid else work[WORK.trap, lane]
    if since >= 0 and box_params.codes[BOX_CODE.watches_ratings, b]:
        for lane in range(lanes):
            if downgraded_customer(box_params, leases, lease_state, names, b, lane):
                work[WORK.trap, lane] = 1.0
    for lane in range(lanes):
        trap = work[WORK.trap, lane] * work[WORK.tested, lane]
        boxes.rows[BOX.trap_on, b, lane] = trap


@inner
def test_ratios(box_params, boxes, tranches, flow, work, b, month):
    """Hold the debt that the month's instalments leave against the LTC and LTV triggers."""
    for lane in range(work.shape[1]):
        waived = month <= boxes.rows[BOX.waived_until, b, lane]
        if work[WORK.tested, lane] == 0.0 or waived:
            continue
        after = work[WORK.debt, lane] - instalments_due(box_params, tranches, b, lane)
        excess = over_trigger(box_params, boxes, flow, b, lane, month, after)
        over = boxes.rows[BOX.over_months, b, lane] + 1.0 if excess > flows.TINY else 0.0
        boxes.rows[BOX.over_months, b, lane] = over
        if over_too_long(box_params, boxes, b, lane):
            work[WORK.asked, lane] = max(work[WORK.asked, lane], excess)


@inner
def ask_cures(box_params, boxes, flow, work, b, month):
    """Note the first breach, and ask for what would cure the month's, if a cure is left."""
    cures = box_params.terms[BOX_TERM.cures, b]
    for lane in range(work.shape[1]):
        breaches = boxes.rows[BOX.trap_on, b, lane] + boxes.rows[BOX.over_months, b, lane]
        breaches += boxes.rows[BOX.dscr_fails, b, lane]
        first = boxes.rows[BOX.first_breach, b, lane]
        is_first = breaches * work[WORK.tested, lane] > 0.0 and first == 0.0
        boxes.rows[BOX.first_breach, b, lane] = month if is_first else first
    for lane in range(work.shape[1]):
        left = boxes.rows[BOX.cures_used, b, lane] < cures
        asked = min(work[WORK.asked, lane], work[WORK.debt, lane])  # it prepays: at most all
        flow[flows.CURE_ASKED, b, lane] = asked if left else 0.0


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
