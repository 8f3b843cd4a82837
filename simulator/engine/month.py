"""The month, told once: what happens on every path, in order.

Model: docs/model.md §1.  Each stage is a function of its own file; this one is the table of
contents.  Nothing here computes.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.accounts import record_month
from simulator.box.costs import set_floors
from simulator.box.covenants import note_cure, test_covenants
from simulator.box.debt import debt_service, fit_schedules
from simulator.box.defaults import end_of_month
from simulator.box.deliveries import accept, note_acceptance, slip_deliveries, step_deliveries
from simulator.box.receipts import collect, measure_coverage, value_collateral
from simulator.box.terms import BOX, BOX_CODE, PERFORMING, TRANCHE, WORKOUT
from simulator.box.view import MarketView
from simulator.box.waterfall import run_waterfall
from simulator.box.workout import close_at_horizon, run_workout
from simulator.credit.leases import step_leases
from simulator.credit.names import NAME_LANE, run_control_clocks, step_names
from simulator.drivers.collateral import HARDWARE, OVERHANG_MONTHLY_DECAY
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION, logistic
from simulator.drivers.rates import RATE
from simulator.drivers.supply import SUPPLY
from simulator.engine.market import MARKET, step_market
from simulator.numerics.elementary import exp
from simulator.numerics.jit import merged
from simulator.sponsor.holdco import CLAIM, SPONSOR, give_support, note_track_record, step_sponsors


@merged
def look_around(params, state):  # type: ignore[no-untyped-def]
    """Gather what boxes can see of the world this month."""
    market = state.market
    return MarketView(
        params.leases,
        state.leases,
        params.deliveries,
        state.deliveries,
        params.costs,
        params.collateral,
        state.availability,
        state.floors,
        market.power.rows[POWER.market],
        market.prices.generations[GENERATION.contract],
        market.prices.generations[GENERATION.spot],
        market.prices.generations[GENERATION.log_development],
        state.overhang,
        market.policy.rows[POLICY.resale_hit],
        state.sales,
        state.depth,
        market.supply.rows[SUPPLY.tightness],
        market.rates.rows[RATE.sofr],
        market.rates.rows[RATE.log_spread],
        market.rates.rows[RATE.shut],
        market.rows[MARKET.ai],
    )


@merged
def open_sales(params, state, month):  # type: ignore[no-untyped-def]
    """Measure the depth of this month's forced sales against the installed base."""
    for g in range(state.depth.shape[0]):
        for lane in range(state.depth.shape[1]):
            base = params.collateral.terms[HARDWARE.installed_base, g]
            if params.collateral.terms[HARDWARE.base_grows, g] > 0.0:
                base *= exp(state.market.supply.rows[SUPPLY.capacity, lane])
            state.depth[g, lane] = max(0.0, state.sales[g, month, lane]) / base


@merged
def close_sales(state):  # type: ignore[no-untyped-def]
    """Let this month's sales hang over the resale market."""
    for g in range(state.depth.shape[0]):
        for lane in range(state.depth.shape[1]):
            state.overhang[g, lane] = (
                state.overhang[g, lane] * OVERHANG_MONTHLY_DECAY + state.depth[g, lane]
            )


@merged
def set_pools(params, state):  # type: ignore[no-untyped-def]
    """Set the utilisation of each box's own pool."""
    tightness = state.market.supply.rows[SUPPLY.tightness]
    prices = params.market.prices
    for b in range(state.boxes.rows.shape[1]):
        for lane in range(tightness.shape[0]):
            state.boxes.rows[BOX.utilisation, b, lane] = logistic(
                state.boxes.rows[BOX.utilisation_odds, b, lane]
                + prices.utilisation_slope * (tightness[lane] - prices.start_tightness)
            )


@merged
def close_month_of_boxes(params, state, view, seed, paths, month):  # type: ignore[no-untyped-def]
    """Stage 13: waterfall and events of default, or workout, box by box."""
    boxes, tranches, flow = state.boxes, state.tranches, state.flow
    for b in range(params.boxes.codes.shape[1]):
        s = params.boxes.codes[BOX_CODE.sponsor, b]
        for lane in range(paths.shape[0]):
            status = boxes.rows[BOX.status, b, lane]
            if status == PERFORMING:
                run_waterfall(params.tranches, tranches, params.boxes, boxes, flow, b, lane, month)
                note_cure(params.boxes, boxes, flow, b, lane)
                end_of_month(
                    view,
                    params.boxes,
                    boxes,
                    params.tranches,
                    tranches,
                    flow,
                    b,
                    lane,
                    month,
                    state.sponsors.rows[SPONSOR.default_month, s, lane],
                    state.sponsors.rows[SPONSOR.repaid, s, lane],
                    state.sponsors.rows[SPONSOR.distressed, s, lane] > 0.0,
                )
                if boxes.rows[BOX.status, b, lane] == WORKOUT and month == params.horizon:
                    close_at_horizon(
                        view,
                        params.boxes,
                        boxes,
                        params.tranches,
                        tranches,
                        flow,
                        b,
                        lane,
                        month,
                        seed,
                        paths[lane],
                        state.sponsors.claims[CLAIM.guarantee_called],
                    )
            elif status == WORKOUT:
                run_workout(
                    view,
                    params.boxes,
                    boxes,
                    params.tranches,
                    tranches,
                    flow,
                    b,
                    lane,
                    month,
                    seed,
                    paths[lane],
                    state.sponsors.claims[CLAIM.guarantee_called],
                )
            else:  # closed: an unpaid claim still accrues until the horizon
                for d in range(
                    params.boxes.codes[BOX_CODE.first_tranche, b],
                    params.boxes.codes[BOX_CODE.end_tranche, b],
                ):
                    tranches.rows[TRANCHE.balance, d, lane] += tranches.rows[
                        TRANCHE.interest, d, lane
                    ]


@merged
def fund_new_reserves(params, state, month):  # type: ignore[no-untyped-def]
    """Let equity fill the DSRA of a box whose first GPUs were accepted this month."""
    for b in range(params.boxes.codes.shape[1]):
        for lane in range(state.flow.shape[2]):
            if state.boxes.rows[BOX.first_acceptance, b, lane] != month:
                continue
            if state.boxes.rows[BOX.status, b, lane] != PERFORMING:
                continue
            s = params.boxes.codes[BOX_CODE.sponsor, b]
            failed = state.sponsors.rows[SPONSOR.default_month, s, lane]
            if failed > 0.0 and failed < month:
                continue
            missing = max(
                0.0,
                state.boxes.rows[BOX.reserve_target, b, lane]
                - state.boxes.rows[BOX.reserve, b, lane],
            )
            state.boxes.rows[BOX.reserve, b, lane] += missing
            state.flow[flows.EQUITY_OTHER, b, lane] += missing


@merged
def step_month(params, state, seed, paths, month):  # type: ignore[no-untyped-def]
    """Advance a block of paths by one month."""
    market, names, leases = state.market, state.names, state.leases
    boxes, tranches, sponsors, flow = state.boxes, state.tranches, state.sponsors, state.flow
    first, second = market.rows[MARKET.first], market.rows[MARKET.second]

    # 1-9  the market
    step_market(params.market, market, seed, paths, month, names.lanes[NAME_LANE.integrations])
    set_pools(params, state)
    set_floors(params.costs, month, market.power.rows[POWER.market], state.floors)
    open_sales(params, state, month)
    note_track_record(params.boxes, boxes, sponsors, month)

    # 10  counterparties and leases
    step_names(
        params.names,
        names,
        seed,
        paths,
        month,
        market.rows[MARKET.stress],
        market.policy.rows[POLICY.control],
        sponsors.rows[SPONSOR.default_month],
        first,
        second,
    )
    step_leases(
        params.leases,
        leases,
        names,
        seed,
        paths,
        month,
        market.supply.rows[SUPPLY.tightness],
        market.prices.generations[GENERATION.contract],
        market.prices.generations[GENERATION.spot],
        market.prices.generations[GENERATION.log_development],
        boxes.rows[BOX.utilisation],
        state.floors,
        state.availability,
        state.renegotiation_prior,
    )
    run_control_clocks(names, month)

    # 11  boxes I: deliveries, receipts, costs, debt service due, tests, shortfall
    flow[:] = 0.0
    slip_deliveries(
        params.deliveries,
        state.deliveries,
        leases,
        seed,
        paths,
        month,
        market.memory.rows[MEMORY.shortage_starts],
        market.policy.rows[POLICY.site_slip],
    )
    step_deliveries(
        params.deliveries,
        state.deliveries,
        params.leases,
        leases,
        state.sites,
        params.boxes,
        boxes,
        params.tranches,
        tranches,
        sponsors.rows[SPONSOR.default_month],
        flow,
        seed,
        paths,
        month,
        market.memory.cost_factor,
        market.policy.rows[POLICY.tariff],
        market.prices.generations[GENERATION.log_development],
    )
    value_collateral(
        params.boxes,
        boxes,
        params.leases,
        leases,
        params.deliveries,
        params.collateral,
        state.floors,
        flow,
        month,
        market.prices.generations[GENERATION.contract],
        market.prices.generations[GENERATION.log_development],
        market.policy.rows[POLICY.resale_hit],
        state.overhang,
    )
    debt_service(
        params.tranches,
        tranches,
        params.boxes,
        boxes,
        flow,
        month,
        market.rates.rows[RATE.sofr_before],
        sponsors.rows[SPONSOR.default_month],
    )
    collect(
        params.boxes,
        boxes,
        params.leases,
        leases,
        params.deliveries,
        params.costs,
        state.availability,
        flow,
        month,
        market.power.rows[POWER.market],
        sponsors.rows[SPONSOR.default_month],
    )
    measure_coverage(
        params.boxes, boxes, params.tranches, tranches, params.leases, leases, flow, month
    )
    test_covenants(params.boxes, boxes, tranches, leases, flow, month, sponsors.rows[SPONSOR.cash])

    # 12  sponsors: support and cures
    view = look_around(params, state)
    give_support(
        params.sponsors,
        sponsors,
        view,
        params.boxes,
        boxes,
        tranches,
        flow,
        month,
        state.ranking,
    )

    # 13  boxes II: waterfall, events of default, workouts, acceptance
    close_month_of_boxes(params, state, view, seed, paths, month)
    accept(
        params.deliveries,
        state.deliveries,
        params.leases,
        leases,
        names,
        seed,
        paths,
        month,
        market.supply.rows[SUPPLY.tightness],
    )
    note_acceptance(params.deliveries, params.leases, leases, boxes, month)
    fund_new_reserves(params, state, month)

    # 14  sponsors: liquidity, default, estate
    step_sponsors(
        params.sponsors,
        sponsors,
        view,
        params.boxes,
        boxes,
        params.tranches,
        tranches,
        flow,
        month,
        market.rates.rows[RATE.sofr_before],
        market.rows[MARKET.stress],
    )

    record_month(state.accounts, params.boxes, boxes, tranches, flow, month)
    fit_schedules(
        params.tranches,
        tranches,
        params.boxes,
        params.deliveries,
        state.deliveries,
        params.leases,
        leases,
        params.costs,
        state.availability,
        state.contracted,
        month,
    )
    close_sales(state)
