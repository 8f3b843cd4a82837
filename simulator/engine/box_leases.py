"""Leases and deliveries of one box: the first half of its month.

Model: docs/model.md §10, §11.
"""

from __future__ import annotations

from simulator.box.covenants import measure_headroom
from simulator.box.deliveries import (
    DELIVERY_CODE,
    slip_deliveries,
    step_deliveries,
)
from simulator.box.terms import BOX, BOX_CODE
from simulator.box.valuation import floor_at, pool_use, write_prices
from simulator.box.work import NEED
from simulator.credit.billing import bill_late, bill_quietly, renegotiates, wait_for_market
from simulator.credit.lease_events import step_lease
from simulator.credit.leases import LEASE_CODE
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import any_of, end_of, first_of, select
from simulator.sponsor.terms import SPONSOR


@inner
def has_pending(deliveries, box_params, b):
    """Say whether a box had GPUs still to be accepted at t0."""
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if deliveries.codes[DELIVERY_CODE.pending, a]:
            return True
    return False


@inlined
def step_leases(params, state, seed, paths, month, b, pack):
    """Advance the leases of a box by one month and bill them (stage 10)."""
    terms, leases, names, view = params.leases, state.leases, state.names, state.market_view
    box_terms, boxes = params.boxes, state.boxes
    prices = params.market.prices
    measured, priced = False, False
    for a in range(
        box_terms.codes[BOX_CODE.first_asset, b], box_terms.codes[BOX_CODE.end_asset, b]
    ):
        g = terms.codes[LEASE_CODE.generation, a]
        hours = state.availability[a, pack]
        if terms.codes[LEASE_CODE.name, a] >= 0:
            asks = hours < 0.0
            if terms.renegotiation:
                asks = renegotiates(
                    terms,
                    leases,
                    seed,
                    paths,
                    month,
                    view.log_development[g, pack],
                    state.renegotiation_prior,
                    state.draws,
                    a,
                    pack,
                )
            busy, late = bill_quietly(terms, leases, names, month, hours, asks, a, pack)
        else:
            busy, late = wait_for_market(terms, leases, month, a, pack)
        if any_of(late):
            bill_late(
                terms,
                leases,
                view.contract_prices[g, pack],
                view.spot_prices[g, pack],
                pool_use(prices, boxes, view.tightness, b, pack),
                floor_at(view, a, month, pack),
                hours,
                late,
                a,
                pack,
            )
        if not any_of(busy):
            continue
        if not priced:
            write_prices(prices, view, box_terms, boxes, b, pack, month)
            priced = True
        if box_terms.lender_consent and not measured:
            measure_headroom(box_terms, boxes, state.tranches, state.headroom, b, pack)
            measured = True
        state.needs[NEED.busy, pack] = select(busy, 1.0, 0.0)
        for lane in range(first_of(pack), end_of(pack)):
            if state.needs[NEED.busy, lane] > 0.0:
                step_lease(
                    terms,
                    leases,
                    names,
                    seed,
                    paths[lane],
                    a,
                    lane,
                    month,
                    view.tightness[lane],
                    view.contract_prices[g, lane],
                    view.spot_prices[g, lane],
                    view.log_development[g, lane],
                    boxes.rows[BOX.utilisation, b, lane],
                    view.floors[a, lane],
                    state.availability[a, lane],
                    state.renegotiation_prior[lane],
                    state.headroom,
                    state.draws[lane],
                )


@inlined
def step_building(params, state, seed, paths, month, b):
    """Advance the deliveries of a box, and what waits for them (stage 11)."""
    market, sponsors = state.market, state.sponsors
    slip_deliveries(
        params.deliveries,
        state.deliveries,
        state.leases,
        seed,
        paths,
        month,
        market.memory.rows[MEMORY.shortage_starts],
        market.policy.rows[POLICY.site_slip],
        params.boxes.codes[BOX_CODE.first_asset, b],
        params.boxes.codes[BOX_CODE.end_asset, b],
    )
    step_deliveries(
        params.deliveries,
        state.deliveries,
        params.leases,
        state.leases,
        params.boxes,
        state.boxes,
        params.tranches,
        state.tranches,
        sponsors.rows[SPONSOR.default_month],
        state.flow,
        seed,
        paths,
        month,
        market.memory.cost_factor,
        market.policy.rows[POLICY.tariff],
        state.market_view.log_development,
        b,
    )
