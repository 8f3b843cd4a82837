"""The month, told once: what happens on every path, in order.

Model: docs/model.md §1.  Each stage is a function of its own file; this one is the table of
contents.  Nothing here computes.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.accounts import record_month
from simulator.box.costs import running_cost, set_floors
from simulator.box.covenants import measure_headroom, note_cure, test_covenants
from simulator.box.debt import debt_service
from simulator.box.defaults import end_of_month, mark_busy_ends
from simulator.box.deliveries import (
    accept,
    cancel_commitments,
    note_acceptance,
    slip_deliveries,
    step_deliveries,
)
from simulator.box.disposals import pass_on_disposals, step_disposals
from simulator.box.receipts import box_debt, collect, measure_coverage, value_collateral
from simulator.box.schedules import fit_holdco_schedules, fit_schedules, move_schedules
from simulator.box.terms import BOX, BOX_CODE, PERFORMING, TRANCHE, WORKOUT
from simulator.box.waterfall import run_waterfall
from simulator.box.work import WORK
from simulator.box.workout import close_at_horizon, run_workout
from simulator.credit.leases import (
    CANCELLED,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    PENDING,
    reprice,
    step_leases,
)
from simulator.credit.names import NAME_LANE, run_control_clocks, step_names
from simulator.drivers.collateral import HARDWARE, OVERHANG_MONTHLY_DECAY
from simulator.drivers.currencies import CURRENCY
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION, logistic
from simulator.drivers.rates import RATE
from simulator.drivers.supply import SUPPLY
from simulator.engine.market import MARKET, step_market
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner, merged
from simulator.sponsor.holdco import step_sponsors
from simulator.sponsor.support import give_support
from simulator.sponsor.terms import CLAIM, SPONSOR, note_track_record
from simulator.structure.members import collect_members
from simulator.structure.overlays import step_overlays
from simulator.structure.waterfall import pay_structures


@inner
def open_sales(collateral, box_terms, boxes, lease_terms, leases, capacity, month, depth):
    """Measure the depth of this month's forced sales against the installed base."""
    depth[:] = 0.0
    sold = 0
    for b in range(box_terms.codes.shape[1]):
        for lane in range(depth.shape[1]):
            if boxes.rows[BOX.sale_month, b, lane] != month:
                continue
            if boxes.rows[BOX.status, b, lane] != WORKOUT:
                continue
            for a in range(
                box_terms.codes[BOX_CODE.first_asset, b], box_terms.codes[BOX_CODE.end_asset, b]
            ):
                status = leases.rows[LEASE.status, a, lane]
                if status > PENDING and status < CANCELLED:
                    g = lease_terms.codes[LEASE_CODE.generation, a]
                    depth[g, lane] += lease_terms.terms[LEASE_TERM.gpus, a]
                    sold += 1
    if sold == 0:
        return
    for g in range(depth.shape[0]):
        for lane in range(depth.shape[1]):
            base = collateral.terms[HARDWARE.installed_base, g]
            if collateral.terms[HARDWARE.base_grows, g] > 0.0:
                base *= exp(capacity[lane])
            depth[g, lane] /= base


@inner
def close_sales(depth, overhang):
    """Let this month's sales hang over the resale market."""
    for g in range(depth.shape[0]):
        for lane in range(depth.shape[1]):
            overhang[g, lane] = overhang[g, lane] * OVERHANG_MONTHLY_DECAY + depth[g, lane]


@inner
def set_pools(prices, boxes, tightness):
    """Set the utilisation of each box's own pool."""
    for b in range(boxes.rows.shape[1]):
        for lane in range(tightness.shape[0]):
            boxes.rows[BOX.utilisation, b, lane] = logistic(
                boxes.rows[BOX.utilisation_odds, b, lane]
                + prices.utilisation_slope * (tightness[lane] - prices.start_tightness)
            )


@inner
def close_month_of_boxes(
    view, box_terms, boxes, debt_terms, tranches, sponsors, flow, work, month, seed, paths
):
    """Stage 13: waterfall and events of default, or workout, box by box."""
    called = sponsors.claims[CLAIM.guarantee_called]
    for b in range(box_terms.codes.shape[1]):
        s = box_terms.codes[BOX_CODE.sponsor, b]
        run_waterfall(debt_terms, tranches, box_terms, boxes, flow, work, b, month)
        failed = sponsors.rows[SPONSOR.default_month, s]
        mark_busy_ends(box_terms, boxes, tranches, flow, work, b, month, failed)
        for lane in range(paths.shape[0]):
            if work[WORK.busy, lane] == 0.0:
                continue
            status = boxes.rows[BOX.status, b, lane]
            if status == PERFORMING:
                note_cure(box_terms, boxes, flow, b, lane)
                end_of_month(
                    view,
                    box_terms,
                    boxes,
                    debt_terms,
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
                        view,
                        box_terms,
                        boxes,
                        debt_terms,
                        tranches,
                        flow,
                        b,
                        lane,
                        month,
                        seed,
                        paths[lane],
                        called,
                    )
            elif status == WORKOUT:
                run_workout(
                    view,
                    box_terms,
                    boxes,
                    debt_terms,
                    tranches,
                    flow,
                    b,
                    lane,
                    month,
                    seed,
                    paths[lane],
                    called,
                )
            else:  # closed: an unpaid claim still accrues until the horizon
                for d in range(
                    box_terms.codes[BOX_CODE.first_tranche, b],
                    box_terms.codes[BOX_CODE.end_tranche, b],
                ):
                    interest = tranches.rows[TRANCHE.interest, d, lane]
                    tranches.rows[TRANCHE.balance, d, lane] += interest
                pass_on_disposals(box_terms, debt_terms, tranches, flow, b, lane)


@inner
def fund_new_reserves(
    box_terms, boxes, tranches, cost_terms, leases, flow, month, sponsors_default
):
    """Let equity fill the DSRA of a box whose first GPUs were accepted this month."""
    for b in range(box_terms.codes.shape[1]):
        for lane in range(flow.shape[2]):
            if boxes.rows[BOX.first_acceptance, b, lane] != month:
                continue
            if boxes.rows[BOX.status, b, lane] != PERFORMING:
                continue
            failed = sponsors_default[box_terms.codes[BOX_CODE.sponsor, b], lane]
            if failed > 0.0 and failed < month:
                continue
            target = boxes.rows[BOX.reserve_target, b, lane]
            if box_terms.codes[BOX_CODE.reserve_covers_costs, b]:
                if box_debt(box_terms, tranches, b, lane) > flows.TINY:
                    planned = running_cost(cost_terms, box_terms, leases, b, lane, month)
                    target += box_terms.codes[BOX_CODE.reserve_months, b] * planned
            missing = max(0.0, target - boxes.rows[BOX.reserve, b, lane])
            boxes.rows[BOX.reserve, b, lane] += missing
            flow[flows.EQUITY_OTHER, b, lane] += missing


@merged
def step_month(params, state, seed, paths, month):
    """Advance a block of paths by one month."""
    # each part is taken out of the whole once: the compiler pays for every look into a big tuple
    market_terms, name_terms, lease_terms = params.market, params.names, params.leases
    delivery_terms, cost_terms, collateral = params.deliveries, params.costs, params.collateral
    box_terms, debt_terms, sponsor_terms = params.boxes, params.tranches, params.sponsors
    market, names, leases = state.market, state.names, state.leases
    deliveries, boxes, tranches = state.deliveries, state.boxes, state.tranches
    sponsors, accounts, flow = state.sponsors, state.accounts, state.flow
    availability, floors, overhang = state.availability, state.floors, state.overhang
    depth = state.depth

    # 1-9  the market
    step_market(market_terms, market, seed, paths, month, names.lanes[NAME_LANE.integrations])
    market_rows, rates, policy, memory = market.rows, market.rates, market.policy, market.memory
    tightness = market.supply.rows[SUPPLY.tightness]
    power_price = market.power.rows[POWER.market]
    exchange = market.currencies.rows[CURRENCY.rate]
    stress = market_rows[MARKET.stress]
    first, second = market_rows[MARKET.first], market_rows[MARKET.second]
    prices = market.prices.generations
    contract_prices, spot_prices = prices[GENERATION.contract], prices[GENERATION.spot]
    log_development = prices[GENERATION.log_development]
    resale_hit = policy.rows[POLICY.resale_hit]
    sofr_before = rates.rows[RATE.sofr_before]
    set_pools(market_terms.prices, boxes, tightness)
    set_floors(cost_terms, month, power_price, exchange, floors)
    capacity = market.supply.rows[SUPPLY.capacity]
    open_sales(collateral, box_terms, boxes, lease_terms, leases, capacity, month, depth)
    note_track_record(box_terms, boxes, sponsors, month)

    # 10  counterparties and leases
    step_names(
        name_terms,
        names,
        seed,
        paths,
        month,
        stress,
        market.efficiency.rows,
        policy.rows[POLICY.control],
        sponsors.rows[SPONSOR.default_month],
        first,
        second,
    )
    measure_headroom(box_terms, boxes, tranches, state.work, state.headroom)
    reprice(lease_terms, leases, market.currencies.rows[CURRENCY.move])
    step_leases(
        lease_terms,
        leases,
        names,
        seed,
        paths,
        month,
        tightness,
        contract_prices,
        spot_prices,
        log_development,
        boxes.rows[BOX.utilisation],
        floors,
        availability,
        state.renegotiation_prior,
        state.headroom,
        first,
        second,
    )
    run_control_clocks(names, month)

    # 11  boxes I: deliveries, receipts, costs, debt service due, tests, shortfall
    flow[:] = 0.0
    slip_deliveries(
        delivery_terms,
        deliveries,
        leases,
        seed,
        paths,
        month,
        memory.rows[MEMORY.shortage_starts],
        policy.rows[POLICY.site_slip],
    )
    step_deliveries(
        delivery_terms,
        deliveries,
        lease_terms,
        leases,
        box_terms,
        boxes,
        debt_terms,
        tranches,
        sponsors.rows[SPONSOR.default_month],
        flow,
        seed,
        paths,
        month,
        memory.cost_factor,
        policy.rows[POLICY.tariff],
        log_development,
    )
    cancel_commitments(box_terms, debt_terms, tranches, leases, month)
    move_schedules(
        debt_terms, tranches, box_terms, boxes, delivery_terms, deliveries, leases, month
    )
    value_collateral(
        box_terms,
        boxes,
        lease_terms,
        leases,
        delivery_terms,
        collateral,
        floors,
        flow,
        month,
        contract_prices,
        log_development,
        resale_hit,
        overhang,
    )
    debt_service(
        debt_terms,
        tranches,
        box_terms,
        boxes,
        flow,
        month,
        sofr_before,
        sponsors.rows[SPONSOR.default_month],
    )
    collect(
        box_terms,
        boxes,
        lease_terms,
        leases,
        delivery_terms,
        cost_terms,
        availability,
        flow,
        month,
        power_price,
        exchange,
        sponsors.rows[SPONSOR.default_month],
    )
    view = state.market_view
    step_disposals(params.disposals, state.disposals, view, box_terms, boxes, names, flow, month)
    measure_coverage(box_terms, boxes, debt_terms, tranches, flow, month)
    test_covenants(
        box_terms,
        boxes,
        tranches,
        lease_terms,
        leases,
        names,
        flow,
        state.work,
        month,
        sponsors.rows[SPONSOR.cash],
    )

    # 12  sponsors: support and cures
    give_support(
        sponsor_terms, sponsors, view, box_terms, boxes, tranches, flow, month, state.ranking
    )

    # 13  boxes II: waterfall, events of default, workouts, acceptance
    close_month_of_boxes(
        view, box_terms, boxes, debt_terms, tranches, sponsors, flow, state.work, month, seed, paths
    )
    accept(delivery_terms, deliveries, lease_terms, leases, names, seed, paths, month, tightness)
    note_acceptance(delivery_terms, lease_terms, leases, boxes, month)
    fund_new_reserves(
        box_terms,
        boxes,
        tranches,
        cost_terms,
        leases,
        flow,
        month,
        sponsors.rows[SPONSOR.default_month],
    )
    fit_schedules(
        debt_terms,
        tranches,
        box_terms,
        boxes,
        delivery_terms,
        deliveries,
        lease_terms,
        leases,
        cost_terms,
        availability,
        state.contracted,
        flow,
        month,
    )

    # 14  sponsors: liquidity, default, estate
    step_sponsors(
        sponsor_terms,
        sponsors,
        view,
        box_terms,
        boxes,
        debt_terms,
        tranches,
        flow,
        month,
        sofr_before,
        stress,
    )

    # notes over pools of loans, on what the month has brought
    collect_members(
        params.structures,
        state.structures,
        debt_terms,
        tranches,
        boxes.rows[BOX.default_month],
        sponsors.rows[SPONSOR.default_month],
    )
    pay_structures(params.structures, state.structures, month)
    step_overlays(
        params.overlays,
        state.overlays,
        box_terms,
        boxes,
        debt_terms,
        tranches,
        sponsors.rows[SPONSOR.default_month],
        delivery_terms,
        leases,
        flow,
        month,
    )

    record_month(accounts, box_terms, boxes, tranches, flow, month)
    fit_holdco_schedules(debt_terms, tranches, month)
    close_sales(depth, overhang)
