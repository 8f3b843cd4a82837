"""The month, told once: what happens on every path, in order.

Model: docs/model.md §1.  Each stage is a function of its own file; this one is the table of
contents.  Nothing here computes.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.costs import running_cost
from simulator.box.deliveries import accept, note_acceptance
from simulator.box.receipts import box_debt
from simulator.box.schedules import fit_holdco_schedules, fit_schedules
from simulator.box.terms import BOX, BOX_CODE, PERFORMING, WORKOUT
from simulator.box.valuation import begin_valuation
from simulator.credit.leases import (
    CANCELLED,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    PENDING,
    reprice,
)
from simulator.credit.names import NAME_LANE, run_control_clocks, step_names
from simulator.drivers.collateral import HARDWARE, OVERHANG_MONTHLY_DECAY
from simulator.drivers.currencies import CURRENCY
from simulator.drivers.policy import POLICY
from simulator.drivers.prices import GENERATION
from simulator.drivers.rates import RATE
from simulator.drivers.supply import SUPPLY
from simulator.engine.box_leases import has_pending
from simulator.engine.boxes import settle_asks, step_boxes
from simulator.engine.market import MARKET, step_market
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner, merged
from simulator.sponsor.holdco import step_sponsors
from simulator.sponsor.support import give_support
from simulator.sponsor.terms import SPONSOR, note_track_record
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
def fund_new_reserves(
    box_terms,
    boxes,
    tranches,
    delivery_terms,
    cost_terms,
    leases,
    flow,
    month,
    sponsors_default,
):
    """Let equity fill the DSRA of a box whose first GPUs were accepted this month."""
    for b in range(box_terms.codes.shape[1]):
        if not has_pending(delivery_terms, box_terms, b):
            continue
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
def step_month(params, state, seed, paths, month, told):
    """Advance a block of paths by one month; if `told`, every line of the flows is written."""
    # each part is taken out of the whole once: the compiler pays for every look into a big tuple
    market_terms, name_terms, lease_terms = params.market, params.names, params.leases
    delivery_terms, cost_terms, collateral = params.deliveries, params.costs, params.collateral
    box_terms, debt_terms, sponsor_terms = params.boxes, params.tranches, params.sponsors
    market, names, leases = state.market, state.names, state.leases
    deliveries, boxes, tranches = state.deliveries, state.boxes, state.tranches
    sponsors, flow = state.sponsors, state.flow
    availability, overhang, depth = state.availability, state.overhang, state.depth

    # 1-9  the market
    step_market(market_terms, market, seed, paths, month, names.lanes[NAME_LANE.integrations])
    market_rows, rates, policy = market.rows, market.rates, market.policy
    tightness = market.supply.rows[SUPPLY.tightness]
    stress = market_rows[MARKET.stress]
    first, second = market_rows[MARKET.first], market_rows[MARKET.second]
    prices = market.prices.generations
    log_development = prices[GENERATION.log_development]
    sofr_before = rates.rows[RATE.sofr_before]
    begin_valuation(
        state.valuation,
        collateral,
        lease_terms,
        cost_terms,
        market_terms.prices,
        tightness,
        log_development,
        month,
    )
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
    reprice(lease_terms, leases, market.currencies.rows[CURRENCY.move])

    # 10-13  boxes: leases; deliveries, receipts, costs, debt service due, tests; waterfall
    if told:
        flow[:] = 0.0
    step_boxes(params, state, seed, paths, month, told)
    run_control_clocks(names, month)

    # 12  sponsors: support and cures
    view = state.market_view
    give_support(
        sponsor_terms,
        sponsors,
        view,
        box_terms,
        boxes,
        tranches,
        flow,
        state.rare,
        month,
        state.ranking,
    )

    # 13  boxes that have asked: waterfall, events of default, workouts; acceptance
    settle_asks(params, state, seed, paths, month, told)
    accept(delivery_terms, deliveries, lease_terms, leases, names, seed, paths, month, tightness)
    note_acceptance(delivery_terms, lease_terms, leases, boxes, month)
    fund_new_reserves(
        box_terms,
        boxes,
        tranches,
        delivery_terms,
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
        state.rare,
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

    fit_holdco_schedules(debt_terms, tranches, month)
    close_sales(depth, overhang)
