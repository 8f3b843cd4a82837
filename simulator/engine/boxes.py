"""A month of one box, for a pack of lanes at a time: leases, service and tests, waterfall, books.

What all paths do is done side by side and stays in registers; what few do is left to functions that
take one lane.  Between tests and waterfall the sponsors answer what boxes ask of them: a pack in
which no lane asks goes straight on, the others wait for the answer (`settle_asks`).

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.covenants import may_trap, note_cure, test_covenants
from simulator.box.debt import charge_debt, some_are_building
from simulator.box.defaults import close_quietly, end_of_month
from simulator.box.deliveries import (
    cancel_commitments,
)
from simulator.box.disposals import pass_on_disposals, step_disposals
from simulator.box.payments import is_payment_month
from simulator.box.receipts import (
    add_to_period,
    collect,
    debt_of,
    move_window,
    set_reserve_target,
)
from simulator.box.schedules import move_schedules
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM, PERFORMING, TRANCHE, WORKOUT
from simulator.box.valuation import value_collateral, write_prices
from simulator.box.waterfall import run_waterfall
from simulator.box.work import NEED
from simulator.box.workout import close_at_horizon, run_workout
from simulator.drivers.rates import RATE
from simulator.engine.box_leases import has_pending, step_building, step_leases
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import any_of, end_of, first_of, most, pack_at, select, spread
from simulator.sponsor.terms import CLAIM, SPONSOR

RARE_LINES = (
    flows.PREPAYMENT_SURPLUS,
    flows.EQUITY_FOR_CAPEX,
    flows.EQUITY_OTHER,
    flows.SHORTFALL,
    flows.SUPPORT,
    flows.CURE,
    flows.CURE_ASKED,
    flows.DISPOSALS,
)
"""Lines that are zero in most months: set to zero again after a month in which they were not."""


@inlined
def begin_box(params, state, told, pending, b):
    """Set the rare lines of a box to zero, if anything stands or may come to stand on them."""
    may_come = told or pending or params.disposals.enabled
    if may_come or state.rare[b]:
        for line in RARE_LINES:
            for lane in range(state.flow.shape[2]):
                state.flow[line, b, lane] = 0.0
    state.rare[b] = may_come


@inlined
def held_accounts(box_terms, boxes, b, pack):
    """Return what a box holds on its accounts, USD m."""
    held = spread(0.0, pack)
    if may_trap(box_terms, b):
        held = held + boxes.rows[BOX.trapped, b, pack]
    if box_terms.terms[BOX_TERM.power_reserve_months, b] > 0.0:
        held = held + boxes.rows[BOX.power_reserve, b, pack]
    if box_terms.codes[BOX_CODE.reserve_months, b] > 0:
        held = held + boxes.rows[BOX.reserve, b, pack]
    if box_terms.codes[BOX_CODE.payment_interval, b] > 1:
        held = held + boxes.rows[BOX.collected, b, pack]
    return held


@inlined
def serve_and_test(params, state, month, told, building, b, pack):
    """Stage 11: receipts, costs, debt service due, tests, and what the box asks of its sponsor.

    Returns
    -------
    asks : bool
        Whether any lane asks for support or a cure: their lines are then written.
    receipts, power, costs, fees, hedge, needed, final, debt : pack
        See `waterfall.run_waterfall`.
    """
    box_terms, boxes, flow, view = params.boxes, state.boxes, state.flow, state.market_view
    terms, tranches = params.tranches, state.tranches
    sponsors_default = state.sponsors.rows[SPONSOR.default_month]
    performs = boxes.rows[BOX.status, b, pack] == PERFORMING
    prices = params.market.prices
    if told or month == params.horizon:
        write_prices(prices, view, box_terms, boxes, b, pack, month)
    collateral = value_collateral(prices, view, state.valuation, box_terms, boxes, b, pack, month)
    flow[flows.COLLATERAL, b, pack] = collateral
    fees, hedge, interest, principal, junior, final, arrears, to_come = charge_debt(
        terms,
        tranches,
        box_terms,
        boxes,
        flow,
        b,
        month,
        state.market.rates.rows[RATE.sofr_before],
        sponsors_default,
        building,
        pack,
    )
    receipts, power, costs = collect(
        box_terms,
        boxes,
        params.leases,
        state.leases,
        params.deliveries,
        params.costs,
        state.availability,
        flow,
        b,
        pack,
        month,
        view.market_power,
        view.exchange,
        sponsors_default,
    )
    flow[flows.RECEIPTS, b, pack] = receipts
    if params.disposals.enabled:
        write_prices(prices, view, box_terms, boxes, b, pack, month)
        step_disposals(
            params.disposals,
            state.disposals,
            view,
            box_terms,
            boxes,
            state.names,
            flow,
            month,
            b,
            first_of(pack),
            end_of(pack),
        )
    cash = select(performs, receipts - (costs + fees), 0.0)
    service = select(performs, interest + principal + hedge, 0.0)
    flow[flows.DEBT_SERVICE, b, pack] = service
    debt = debt_of(box_terms, tranches, b, pack)
    if box_terms.codes[BOX_CODE.reserve_months, b] > 0:
        set_reserve_target(box_terms, boxes, to_come, costs, hedge, debt, b, pack)
    of_period, due_in_period = add_to_period(box_terms, boxes, b, month, cash, service, pack)
    serves = performs & (due_in_period > flows.TINY)
    serves = serves & (boxes.rows[BOX.first_acceptance, b, pack] < month)
    serves = serves & is_payment_month(box_terms, b, month)
    cfads, served = move_window(boxes, b, serves, of_period, due_in_period, pack)
    needed = costs + fees + most(0.0, hedge) + interest + principal + junior + arrears
    needed = needed + boxes.rows[BOX.cost_arrears, b, pack]
    needed = needed + boxes.rows[BOX.fee_arrears, b, pack]
    own = receipts + most(0.0, -hedge)
    if state.rare[b]:
        own = own + flow[flows.PREPAYMENT_SURPLUS, b, pack]
    short = most(0.0, needed - own - held_accounts(box_terms, boxes, b, pack))
    short = select(performs, short, 0.0)
    asked = test_covenants(
        box_terms,
        boxes,
        tranches,
        params.leases,
        state.leases,
        state.names,
        b,
        pack,
        month,
        debt,
        cfads,
        served,
        collateral,
        state.sponsors.rows[SPONSOR.cash],
    )
    asks = any_of((short > 0.0) | (asked > 0.0))
    if asks or told:
        flow[flows.SHORTFALL, b, pack] = short
        flow[flows.CURE_ASKED, b, pack] = asked
        flow[flows.POWER_COST, b, pack] = power
        flow[flows.OPERATING_COSTS, b, pack] = costs
        flow[flows.SENIOR_FEES, b, pack] = fees
        flow[flows.HEDGE_SETTLEMENT, b, pack] = hedge
    if told:
        flow[flows.CFADS, b, pack] = cash
        flow[flows.SENIOR_INTEREST_DUE, b, pack] = interest
        flow[flows.SENIOR_PRINCIPAL_DUE, b, pack] = principal
        flow[flows.JUNIOR_SERVICE_DUE, b, pack] = junior
        flow[flows.FINAL_PRINCIPAL_DUE, b, pack] = final
        flow[flows.ARREARS_DUE, b, pack] = arrears
    return asks, receipts, power, costs, fees, hedge, needed, final, debt


@inner
def pay_and_close(
    params,
    state,
    seed,
    paths,
    month,
    told,
    b,
    pack,
    receipts,
    power,
    costs,
    fees,
    hedge,
    needed,
    final,
    debt,
):
    """Stage 13: waterfall, then the end of the month, quiet or not."""
    box_terms, boxes, flow, view = params.boxes, state.boxes, state.flow, state.market_view
    terms, tranches, sponsors = params.tranches, state.tranches, state.sponsors
    rare = state.rare[b]
    run_waterfall(
        terms,
        tranches,
        box_terms,
        boxes,
        flow,
        state.needs,
        rare,
        told,
        b,
        pack,
        month,
        receipts,
        power,
        costs,
        fees,
        hedge,
        needed,
        final,
        debt,
    )
    s = box_terms.codes[BOX_CODE.sponsor, b]
    failed = sponsors.rows[SPONSOR.default_month, s]
    busy = close_quietly(box_terms, boxes, tranches, flow, rare, b, pack, month, failed)
    if not any_of(busy):
        return
    flow[flows.OPERATING_COSTS, b, pack] = costs
    write_prices(params.market.prices, view, box_terms, boxes, b, pack, month)
    state.needs[NEED.busy, pack] = select(busy, 1.0, 0.0)
    for lane in range(first_of(pack), end_of(pack)):
        if state.needs[NEED.busy, lane] > 0.0:
            close_lane(params, state, seed, paths[lane], month, b, lane)


@inner
def close_lane(params, state, seed, path, month, b, lane):
    """Close the month of a box on one lane: events of default, or workout."""
    box_terms, boxes, flow, view = params.boxes, state.boxes, state.flow, state.market_view
    terms, tranches, sponsors = params.tranches, state.tranches, state.sponsors
    called = sponsors.claims[CLAIM.guarantee_called]
    s = box_terms.codes[BOX_CODE.sponsor, b]
    status = boxes.rows[BOX.status, b, lane]
    if status == PERFORMING:
        note_cure(box_terms, boxes, flow, b, lane)
        end_of_month(
            view,
            box_terms,
            boxes,
            terms,
            tranches,
            flow,
            b,
            lane,
            month,
            sponsors.rows[SPONSOR.default_month, s, lane],
            sponsors.rows[SPONSOR.repaid, s, lane],
            sponsors.rows[SPONSOR.distressed, s, lane] > 0.0,
        )
        if boxes.rows[BOX.status, b, lane] == WORKOUT and month == box_terms.horizon:
            close_at_horizon(
                view, box_terms, boxes, terms, tranches, flow, b, lane, month, seed, path, called
            )
    elif status == WORKOUT:
        run_workout(
            view, box_terms, boxes, terms, tranches, flow, b, lane, month, seed, path, called
        )
    else:  # closed: an unpaid claim still accrues until the horizon
        for d in range(
            box_terms.codes[BOX_CODE.first_tranche, b],
            box_terms.codes[BOX_CODE.end_tranche, b],
        ):
            interest = tranches.rows[TRANCHE.interest, d, lane]
            tranches.rows[TRANCHE.balance, d, lane] += interest
        pass_on_disposals(box_terms, terms, tranches, flow, b, lane)


@inner
def step_boxes(params, state, seed, paths, month, told):
    """Stages 10 to 13 of every box, up to where it asks for support."""
    box_terms = params.boxes
    lanes = state.flow.shape[2]
    for b in range(box_terms.codes.shape[1]):
        pending = has_pending(params.deliveries, box_terms, b)
        begin_box(params, state, told, pending, b)
        for first in range(0, lanes, PACK):
            step_leases(params, state, seed, paths, month, b, pack_at(first, lanes))
        if pending:
            step_building(params, state, seed, paths, month, b)
        cancel_commitments(box_terms, params.tranches, state.tranches, state.leases, month, b)
        move_schedules(
            params.tranches,
            state.tranches,
            box_terms,
            state.boxes,
            params.deliveries,
            state.deliveries,
            state.leases,
            month,
            b,
        )
        building = pending and some_are_building(state.boxes, b, month)
        for first in range(0, lanes, PACK):
            pack = pack_at(first, lanes)
            asks, receipts, power, costs, fees, hedge, needed, final, debt = serve_and_test(
                params, state, month, told, building, b, pack
            )
            state.waits[b, first // PACK] = asks
            if asks:
                state.rare[b] = True
                state.waiting[0, b, pack] = needed
                state.waiting[1, b, pack] = final
                state.waiting[2, b, pack] = debt
                write_prices(
                    params.market.prices, state.market_view, box_terms, state.boxes, b, pack, month
                )
                continue
            pay_and_close(
                params,
                state,
                seed,
                paths,
                month,
                told,
                b,
                pack,
                receipts,
                power,
                costs,
                fees,
                hedge,
                needed,
                final,
                debt,
            )


@inner
def settle_asks(params, state, seed, paths, month, told):
    """Stage 13 of the packs that have waited for their sponsors' answers."""
    flow = state.flow
    lanes = flow.shape[2]
    for b in range(params.boxes.codes.shape[1]):
        if not state.rare[b]:
            continue
        for first in range(0, lanes, PACK):
            if state.waits[b, first // PACK]:
                pack = pack_at(first, lanes)
                pay_and_close(
                    params,
                    state,
                    seed,
                    paths,
                    month,
                    told,
                    b,
                    pack,
                    flow[flows.RECEIPTS, b, pack],
                    flow[flows.POWER_COST, b, pack],
                    flow[flows.OPERATING_COSTS, b, pack],
                    flow[flows.SENIOR_FEES, b, pack],
                    flow[flows.HEDGE_SETTLEMENT, b, pack],
                    state.waiting[0, b, pack],
                    state.waiting[1, b, pack],
                    state.waiting[2, b, pack],
                )


__all__ = ["settle_asks", "step_boxes"]
