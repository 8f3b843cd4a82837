"""Covenant tests: lock-up and default DSCR, realisation ratio, LTC and LTV, liquidity.

Model: docs/model.md §11; levels seen in the public record: evidence section 5 of the deals.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.receipts import debt_of, realisation_ratio, window_sums
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    PERFORMING,
    TRANCHE,
    WINDOW,
    WINDOWS,
)
from simulator.credit.leases import BACKSTOPPED, LEASE, LEASE_CODE, LEASE_TERM, UNPAID
from simulator.credit.names import NAME
from simulator.numerics.jit import inlined
from simulator.numerics.lanes import any_of, end_of, first_of, least, most, select, spread

FAILS_TO_DEFAULT = 2.0


@inlined
def measure_headroom(box_params, boxes, tranches, headroom, b, pack):
    """Write what a box can spare of its monthly cash before lenders refuse a concession, USD m.

    Cash flow of the coverage window over `cp.consent_dscr` times its debt service, by month; minus
    infinity before there is a window and in a workout, infinity where nobody has lent.

    Parameters
    ----------
    headroom : (box, lane), written
    """
    interval = float(box_params.codes[BOX_CODE.payment_interval, b])
    lent = debt_of(box_params, tranches, b, pack)
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        lent = lent + tranches.rows[TRANCHE.undrawn, d, pack]
    cfads, service = window_sums(boxes, b, pack)
    months = interval * dates_served(boxes, b, pack)
    spare = (cfads - box_params.consent_dscr * service) / most(1.0, months)
    spare = select(months > 0.0, spare, -np.inf)
    spare = select(lent > flows.TINY, spare, np.inf)
    performs = boxes.rows[BOX.status, b, pack] == PERFORMING
    headroom[b, pack] = select(performs, spare, -np.inf)


@inlined
def dates_served(boxes, b, pack):
    """Return the number of payment dates in the coverage window."""
    dates = spread(0.0, pack)
    for slot in range(WINDOW):
        served = boxes.windows[WINDOWS.service_window + slot, b, pack] > flows.TINY
        dates = dates + select(served, 1.0, 0.0)
    return dates


@inlined
def over_trigger(box_params, boxes, b, month, debt, collateral, pack):
    """Return debt above the LTC or LTV trigger, USD m (the larger excess; <= 0 = none)."""
    stepped = box_params.terms[BOX_TERM.ratio_step_down, b] * month / 12.0
    excess = spread(0.0, pack)
    if box_params.terms[BOX_TERM.ltc_trigger, b] > 0.0:
        trigger = max(0.0, box_params.terms[BOX_TERM.ltc_trigger, b] - stepped)
        excess = most(excess, debt - trigger * boxes.rows[BOX.capex_paid, b, pack])
    if box_params.terms[BOX_TERM.ltv_trigger, b] > 0.0:
        trigger = max(0.0, box_params.terms[BOX_TERM.ltv_trigger, b] - stepped)
        excess = most(excess, debt - trigger * collateral)
    return excess


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


@inlined
def test_covenants(
    box_params,
    boxes,
    tranches,
    leases,
    lease_state,
    names,
    b,
    pack,
    month,
    debt,
    cfads,
    service,
    collateral,
    sponsor_cash,
):
    """Test a box that performs with debt: set its trap; return the cure asked, USD m.

    Parameters
    ----------
    debt, cfads, service, collateral : pack
        Debt, sums of the coverage window and value of the GPUs, USD m.
    sponsor_cash : (sponsor, lane), HoldCo cash at the end of the month before, USD m
    """
    since = month - box_params.codes[BOX_CODE.first_test, b]
    is_test = since >= 0 and since % box_params.codes[BOX_CODE.test_interval, b] == 0
    performs = boxes.rows[BOX.status, b, pack] == PERFORMING
    accepted = boxes.rows[BOX.first_acceptance, b, pack]
    tested = performs & (debt > flows.TINY) & (accepted < month)
    asked, breaches = spread(0.0, pack), spread(0.0, pack)
    if box_params.terms[BOX_TERM.default_dscr, b] > 0.0:
        asked, fails = test_coverage(
            box_params, boxes, b, month, is_test, tested, cfads, service, pack
        )
        breaches = breaches + fails
    if is_test and box_params.terms[BOX_TERM.minimum_liquidity, b] > 0.0:
        test_liquidity(box_params, boxes, b, month, tested, sponsor_cash, pack)
    trap = lock_up(box_params, boxes, b, is_test, performs, tested, cfads, service, pack)
    trap = set_trap(box_params, boxes, leases, lease_state, names, b, since, tested, trap, pack)
    breaches = breaches + trap
    triggers = box_params.terms[BOX_TERM.ltc_trigger, b]
    triggers += box_params.terms[BOX_TERM.ltv_trigger, b]
    if triggers > 0.0:
        if since >= 0:
            asked = test_ratios(
                box_params, boxes, tranches, b, month, tested, debt, collateral, asked, pack
            )
        breaches = breaches + boxes.rows[BOX.over_months, b, pack]
    breached = tested & (breaches > 0.0)
    if any_of(breached):
        first = boxes.rows[BOX.first_breach, b, pack]
        boxes.rows[BOX.first_breach, b, pack] = select(breached & (first == 0.0), month, first)
    if any_of(asked > 0.0):
        left = boxes.rows[BOX.cures_used, b, pack] < box_params.terms[BOX_TERM.cures, b]
        asked = select(left, least(asked, debt), 0.0)  # it prepays: at most all
    return asked


@inlined
def test_coverage(box_params, boxes, b, month, is_test, tested, cfads, service, pack):
    """Hold the coverage window against the default level; return (cure asked, tests failed)."""
    short = box_params.terms[BOX_TERM.default_dscr, b] * service - cfads
    valid = tested & (service > flows.TINY)
    before = boxes.rows[BOX.dscr_fails, b, pack]
    if is_test:
        fails = (short > flows.TINY) & (boxes.rows[BOX.waived_until, b, pack] < month)
        after = select(fails, before + 1.0, 0.0)
        asks = after >= FAILS_TO_DEFAULT
    else:  # a cure period outlasts the month of the test: asked again, unless it healed
        awaited = before >= FAILS_TO_DEFAULT
        asks = awaited & (short > flows.TINY)
        after = select(awaited & (short <= flows.TINY), 0.0, before)
    after = select(valid, after, before)
    boxes.rows[BOX.dscr_fails, b, pack] = after
    return select(valid & asks, short, 0.0), after


@inlined
def test_liquidity(box_params, boxes, b, month, tested, sponsor_cash, pack):
    """Hold the HoldCo's cash against the least that the deal asks for."""
    least_cash = box_params.terms[BOX_TERM.minimum_liquidity, b]
    cash = sponsor_cash[box_params.codes[BOX_CODE.sponsor, b], pack]
    waived = boxes.rows[BOX.waived_until, b, pack] >= month
    before = boxes.rows[BOX.liquidity_fails, b, pack]
    after = select((cash < least_cash) & ~waived, before + 1.0, 0.0)
    boxes.rows[BOX.liquidity_fails, b, pack] = select(tested, after, before)


@inlined
def lock_up(box_params, boxes, b, is_test, performs, tested, cfads, service, pack):
    """Hold the coverage window against the lock-up level; return the trap that it sets, 1 or 0."""
    level = box_params.terms[BOX_TERM.lockup_dscr, b]
    if level <= 0.0:
        return spread(0.0, pack)
    flag = boxes.rows[BOX.trap_flag, b, pack]
    flag = select(performs & ~tested, 0.0, flag)
    if is_test:
        below = level * service - cfads > flows.TINY
        flag = select(tested & (service > flows.TINY), select(below, 1.0, 0.0), flag)
    boxes.rows[BOX.trap_flag, b, pack] = flag
    return flag


@inlined
def may_trap(box_params, b):
    """Say whether anything can trap cash in a box."""
    return (
        box_params.terms[BOX_TERM.lockup_dscr, b] > 0.0
        or box_params.terms[BOX_TERM.realisation_minimum, b] > 0.0
        or box_params.codes[BOX_CODE.trap_on_breach, b] > 0
        or box_params.codes[BOX_CODE.watches_ratings, b] > 0
    )


@inlined
def set_trap(box_params, boxes, leases, lease_state, names, b, since, tested, trap, pack):
    """Set the cash trap: lock-up, realised contracts, an unpaid contract, a customer's rating."""
    if not may_trap(box_params, b):
        return trap
    floor = box_params.terms[BOX_TERM.realisation_minimum, b]
    if since >= 0 and floor > 0.0:
        trap = select(realisation_ratio(boxes, b, pack) < floor, 1.0, trap)
    if box_params.codes[BOX_CODE.trap_on_breach, b]:
        for a in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            trap = select(lease_state.rows[LEASE.status, a, pack] == UNPAID, 1.0, trap)
    if since >= 0 and box_params.codes[BOX_CODE.watches_ratings, b]:
        boxes.rows[BOX.trap_on, b, pack] = trap
        for lane in range(first_of(pack), end_of(pack)):
            if downgraded_customer(box_params, leases, lease_state, names, b, lane):
                boxes.rows[BOX.trap_on, b, lane] = 1.0
        trap = boxes.rows[BOX.trap_on, b, pack]
    trap = select(tested, trap, 0.0)
    boxes.rows[BOX.trap_on, b, pack] = trap
    return trap


@inlined
def test_ratios(box_params, boxes, tranches, b, month, tested, debt, collateral, asked, pack):
    """Hold the debt that the month's instalments leave against the LTC and LTV triggers.

    Returns
    -------
    pack
        Cure asked, of coverage or of ratios, USD m.
    """
    instalments = spread(0.0, pack)
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        instalments = instalments + tranches.rows[TRANCHE.instalment, d, pack]
    applies = tested & (boxes.rows[BOX.waived_until, b, pack] < month)
    excess = over_trigger(box_params, boxes, b, month, debt - instalments, collateral, pack)
    before = boxes.rows[BOX.over_months, b, pack]
    over = select(excess > flows.TINY, before + 1.0, 0.0)
    over = select(applies, over, before)
    boxes.rows[BOX.over_months, b, pack] = over
    too_long = applies & (over > box_params.codes[BOX_CODE.ratio_cure_months, b])
    return select(too_long, most(asked, excess), asked)


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
    boxes.windows[WINDOWS.cfads_window + WINDOW - 1, b, lane] += given
    boxes.rows[BOX.dscr_fails, b, lane] = 0.0
    boxes.rows[BOX.over_months, b, lane] = 0.0
    return True
