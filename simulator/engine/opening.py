"""A block of paths at t0: balances as they stand, draws made once per path, full reserves.

Model: docs/model.md §11 (At t0).
"""

from __future__ import annotations

import numpy as np

from simulator.box.accounts import ACCOUNT, init_accounts
from simulator.box.costs import COST_CODE, COST_TERM, power_price, running_cost
from simulator.box.deliveries import (
    DELIVERY_CODE,
    DELIVERY_TERM,
    init_deliveries,
    note_acceptance,
    slip_deliveries,
)
from simulator.box.disposals import init_disposals
from simulator.box.flows import TINY
from simulator.box.instalments import scheduled_service
from simulator.box.payments import coupon_rate
from simulator.box.receipts import box_debt
from simulator.box.schedules import fit_holdco_schedules, fit_schedules, move_schedules
from simulator.box.sites import SITE, init_sites
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    SIZED,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.box.valuation import note_pools
from simulator.credit.leases import (
    LEASE,
    LEASE_CODE,
    NEVER,
    init_leases,
)
from simulator.credit.names import (
    NAME_LANE,
    init_names,
)
from simulator.drivers.draws import beta_at_normal, normals
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.rates import RATE
from simulator.engine import priors
from simulator.engine.market import MARKET, init_market
from simulator.engine.priors import draw_prior, draw_probability
from simulator.numerics.elementary import log
from simulator.numerics.jit import inner, kernel
from simulator.sponsor.terms import init_sponsors
from simulator.structure.members import init_structures
from simulator.structure.overlays import init_overlays


@inner
def init_debt(terms, tranches):
    """Reset tranches to their t0 balances."""
    tranches.rows[:] = 0.0
    tranches.schedule[:] = 0.0
    tranches.rows[TRANCHE.discount] = 1.0
    tranches.rows[TRANCHE.discount_paid] = 1.0
    for d in range(terms.codes.shape[1]):
        tranches.rows[TRANCHE.balance, d] = terms.terms[TRANCHE_TERM.balance0, d]
        tranches.rows[TRANCHE.undrawn, d] = max(
            0.0, terms.terms[TRANCHE_TERM.commitment, d] - terms.terms[TRANCHE_TERM.balance0, d]
        )
        is_sized_now = (
            terms.codes[TRANCHE_CODE.amortisation, d] == SIZED
            and terms.codes[TRANCHE_CODE.start, d] <= 1
            and terms.terms[TRANCHE_TERM.balance0, d] == 0.0
        )
        if terms.codes[TRANCHE_CODE.available_until, d] < 1 and not is_sized_now:
            tranches.rows[TRANCHE.undrawn, d] = 0.0
        tranches.rows[TRANCHE.maturity, d] = terms.codes[TRANCHE_CODE.maturity, d]
        tranches.rows[TRANCHE.start, d] = terms.codes[TRANCHE_CODE.start, d]
        tranches.rows[TRANCHE.drawn_pv, d] = terms.terms[TRANCHE_TERM.balance0, d]


@inner
def init_boxes(
    box_terms, lease_terms, delivery_terms, boxes, tables, generations, streams, seed, paths
):
    """Reset boxes to t0 and draw each pool's utilisation."""
    boxes.rows[:] = 0.0
    boxes.windows[:] = 0.0
    boxes.rows[BOX.first_acceptance, :] = NEVER
    for b in range(box_terms.codes.shape[1]):
        table = tables[generations[b]]
        boxes.rows[BOX.accordion_left, b] = box_terms.terms[BOX_TERM.accordion, b]
        for lane in range(paths.shape[0]):
            z, _ = normals(seed, paths[lane], streams[b], 0)
            u = beta_at_normal(table, z)
            u = min(1.0 - 1e-9, max(1e-9, u))
            boxes.rows[BOX.utilisation_odds, b, lane] = log(u / (1.0 - u))
    for a in range(lease_terms.terms.shape[1]):
        if delivery_terms.codes[DELIVERY_CODE.paid, a]:
            for lane in range(paths.shape[0]):
                boxes.rows[BOX.capex_paid, lease_terms.codes[LEASE_CODE.box, a], lane] += (
                    delivery_terms.terms[DELIVERY_TERM.cost, a]
                )


@inner
def fill_reserves(box_terms, debt_terms, cost_terms, boxes, tranches, leases, rates, market_power):
    """Open running boxes with full reserves."""
    start = np.int64(0)
    for b in range(box_terms.codes.shape[1]):
        for lane in range(boxes.rows.shape[2]):
            if boxes.rows[BOX.first_acceptance, b, lane] > 0.0:
                continue
            target = 0.0
            for d in range(
                box_terms.codes[BOX_CODE.first_tranche, b],
                box_terms.codes[BOX_CODE.end_tranche, b],
            ):
                sofr = rates.rows[RATE.sofr, lane]
                tranches.rows[TRANCHE.coupon, d, lane] = coupon_rate(
                    debt_terms, tranches, d, lane, start, sofr
                )
                if debt_terms.codes[TRANCHE_CODE.rank, d] == 0:
                    target += scheduled_service(
                        debt_terms,
                        tranches,
                        d,
                        lane,
                        start,
                        box_terms.codes[BOX_CODE.reserve_months, b],
                    )
            if box_debt(box_terms, tranches, b, lane) <= TINY:
                continue
            if box_terms.codes[BOX_CODE.reserve_covers_costs, b]:
                planned = running_cost(cost_terms, box_terms, leases, b, lane, start)
                target += box_terms.codes[BOX_CODE.reserve_months, b] * planned
            boxes.rows[BOX.reserve, b, lane] = target
            boxes.rows[BOX.reserve_target, b, lane] = target
            power = 0.0
            for a in range(
                box_terms.codes[BOX_CODE.first_asset, b],
                box_terms.codes[BOX_CODE.end_asset, b],
            ):
                if (
                    leases.rows[LEASE.accepted, a, lane] <= 0.0
                    and not cost_terms.codes[COST_CODE.triple_net, a]
                ):
                    price = power_price(cost_terms, a, start, market_power.rows[POWER.market, lane])
                    power += price * cost_terms.terms[COST_TERM.power_mwh, a] / 1e6
            boxes.rows[BOX.power_reserve, b, lane] = (
                box_terms.terms[BOX_TERM.power_reserve_months, b] * power
            )


@kernel
def open_block(params, state, seed, paths):
    """Bring a block to t0.

    Parameters
    ----------
    params : ModelParams
    state : ModelState, written
    seed : uint64
    paths : (lane,) int64
    """
    start = np.int64(0)  # the month, not a literal: else all it reaches is compiled twice
    market_terms, name_terms, lease_terms = params.market, params.names, params.leases
    delivery_terms, cost_terms = params.deliveries, params.costs
    box_terms, debt_terms = params.boxes, params.tranches
    market, names, leases, sites = state.market, state.names, state.leases, state.sites
    deliveries, boxes, tranches = state.deliveries, state.boxes, state.tranches
    availability = state.availability
    steering, coordinates = market_terms.steering, market.coordinates
    init_market(market_terms, market, seed, paths)
    init_names(
        name_terms,
        steering,
        names,
        seed,
        paths,
        coordinates,
        market.rows[MARKET.macro],
        market.rows[MARKET.ai_orthogonal],
        market.rows[MARKET.first],
        market.rows[MARKET.second],
        market.rows[MARKET.third],
    )
    draw_prior(
        market_terms.priors,
        steering,
        priors.RENEGOTIATION,
        seed,
        paths,
        coordinates,
        state.renegotiation_prior,
        market.rows[MARKET.second],
    )
    draw_probability(
        market_terms.priors,
        steering,
        priors.INTEGRATION,
        seed,
        paths,
        coordinates,
        name_terms.integration_hazard,
        names.lanes[NAME_LANE.probability],
        market.rows[MARKET.second],
    )
    init_sites(params.sites, sites, seed, paths, market.rows[MARKET.supply_factor])
    init_leases(lease_terms, leases)
    for a in range(params.asset_site.shape[0]):
        for lane in range(paths.shape[0]):
            availability[a, lane] = sites.rows[SITE.availability, params.asset_site[a], lane]
    init_deliveries(delivery_terms, deliveries, sites, seed, paths)
    slip_deliveries(
        delivery_terms,
        deliveries,
        leases,
        seed,
        paths,
        start,
        market.memory.rows[MEMORY.shortage_starts],
        market.policy.rows[POLICY.site_slip],
        start,
        delivery_terms.terms.shape[1],
    )
    init_debt(debt_terms, tranches)
    init_boxes(
        box_terms,
        lease_terms,
        delivery_terms,
        boxes,
        params.utilisation_tables,
        params.box_generation,
        params.utilisation_streams,
        seed,
        paths,
    )
    init_disposals(params.disposals, state.disposals)
    init_overlays(state.overlays)
    note_pools(state.valuation, boxes)
    state.flow[:] = 0.0
    state.rare[:] = False
    state.market_view.looked[:] = -1
    state.overhang[:] = 0.0
    state.depth[:] = 0.0
    note_acceptance(delivery_terms, lease_terms, leases, boxes, start)
    for b in range(box_terms.codes.shape[1]):
        move_schedules(
            debt_terms, tranches, box_terms, boxes, delivery_terms, deliveries, leases, start, b
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
        state.flow,
        start,
    )
    fit_holdco_schedules(debt_terms, tranches, start)
    init_structures(params.structures, state.structures, tranches)
    fill_reserves(
        box_terms, debt_terms, cost_terms, boxes, tranches, leases, market.rates, market.power
    )
    init_accounts(
        state.accounts,
        box_terms,
        boxes,
        tranches,
        delivery_terms,
        deliveries,
        lease_terms,
        leases,
    )
    equity0 = state.accounts.rows[ACCOUNT.opening]
    init_sponsors(params.sponsors, state.sponsors, box_terms, debt_terms, equity0)
