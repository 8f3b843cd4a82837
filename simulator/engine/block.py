"""A block of paths: its state, its start at t0, its run to the horizon.

State is struct-of-arrays with lanes (paths) innermost, allocated once per worker and reused, so
that no month allocates and every loop over lanes runs over contiguous memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.accounts import AccountState, close_accounts, init_accounts, new_accounts
from simulator.box.costs import COST_CODE, COST_TERM, CostParams, power_price
from simulator.box.debt import coupon_rate, fit_schedules, scheduled_service
from simulator.box.deliveries import (
    DELIVERY_CODE,
    DELIVERY_TERM,
    DeliveryParams,
    DeliveryState,
    init_deliveries,
    new_deliveries,
    note_acceptance,
    slip_deliveries,
)
from simulator.box.flows import LINES, TINY
from simulator.box.receipts import box_debt
from simulator.box.sites import SITE, SiteParams, SiteState, init_sites, new_sites
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
    BoxParams,
    BoxState,
    TrancheParams,
    TrancheState,
    new_boxes,
    new_tranches,
)
from simulator.credit.leases import (
    LEASE,
    LEASE_CODE,
    NEVER,
    LeaseParams,
    LeaseState,
    init_leases,
    new_leases,
)
from simulator.credit.names import (
    NAME_LANE,
    NameParams,
    NameState,
    init_names,
    new_names,
)
from simulator.drivers.collateral import CollateralParams
from simulator.drivers.draws import beta_at_normal, normals
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.rates import RATE
from simulator.engine.market import MARKET, MarketParams, MarketState, init_market, new_market
from simulator.engine.month import closing_view, step_month
from simulator.engine.outputs import (
    Outputs,
    Trace,
    record_series,
    record_trace,
    write_boxes,
    write_sponsors,
    write_tranches,
)
from simulator.engine.priors import draw_prior
from simulator.numerics.elementary import log
from simulator.numerics.jit import inner, kernel, merged
from simulator.sponsor.holdco import (
    SponsorParams,
    SponsorState,
    init_sponsors,
    new_sponsors,
)

SCHEDULE_SLACK = 14
"""Months of schedule kept beyond the horizon: reserves look ahead."""

CONTRACT_MONTHS = 361
"""Longest look-ahead of contracted cash, months."""


class ModelParams(NamedTuple):
    """Everything frozen that a path depends on besides seed and path number."""

    market: MarketParams
    names: NameParams
    leases: LeaseParams
    sites: SiteParams
    deliveries: DeliveryParams
    costs: CostParams
    collateral: CollateralParams
    boxes: BoxParams
    tranches: TrancheParams
    sponsors: SponsorParams
    asset_site: NDArray[np.int64]  # (asset,)
    utilisation_table: NDArray[np.float64]  # of a pool's mean utilisation
    utilisation_streams: NDArray[np.uint64]  # (box,)
    horizon: int


class ModelState(NamedTuple):
    """State of a block."""

    market: MarketState
    names: NameState
    leases: LeaseState
    sites: SiteState
    deliveries: DeliveryState
    boxes: BoxState
    tranches: TrancheState
    sponsors: SponsorState
    accounts: AccountState
    flow: NDArray[np.float64]  # (line, box, lane), this month's cash flows
    availability: NDArray[np.float64]  # (asset, lane), share of hours
    floors: NDArray[np.float64]  # (asset, lane), cash floor, USD per GPU-hour
    overhang: NDArray[np.float64]  # (generation, lane)
    depth: NDArray[np.float64]  # (generation, lane), sold this month / installed base
    renegotiation_prior: NDArray[np.float64]  # (lane,)
    ranking: NDArray[np.float64]  # (box,), scratch
    contracted: NDArray[np.float64]  # (month,), scratch


def new_state(params: ModelParams, lanes: int) -> ModelState:
    """Allocate the state of a block of so many lanes."""
    generations = params.market.prices.log_contract.shape[0]
    jurisdictions = params.market.policy.cumulative_weights.shape[0]
    assets = params.leases.terms.shape[1]
    contracts = params.leases.backstop_cap.shape[0]
    boxes = params.boxes.codes.shape[1]
    horizon = params.horizon
    return ModelState(
        market=new_market(jurisdictions, generations, horizon, lanes),
        names=new_names(params.names.terms.shape[1], lanes),
        leases=new_leases(assets, contracts, lanes),
        sites=new_sites(params.sites.terms.shape[1], lanes),
        deliveries=new_deliveries(assets, lanes),
        boxes=new_boxes(boxes, lanes),
        tranches=new_tranches(params.tranches.codes.shape[1], horizon + SCHEDULE_SLACK, lanes),
        sponsors=new_sponsors(params.sponsors.terms.shape[1], boxes, lanes),
        accounts=new_accounts(boxes, horizon, lanes),
        flow=np.zeros((len(LINES), max(1, boxes), lanes)),
        availability=np.zeros((assets, lanes)),
        floors=np.zeros((assets, lanes)),
        overhang=np.zeros((generations, lanes)),
        depth=np.zeros((generations, lanes)),
        renegotiation_prior=np.ones(lanes),
        ranking=np.zeros(max(1, boxes)),
        contracted=np.zeros(CONTRACT_MONTHS),
    )


@inner
def init_debt(terms, tranches):
    """Reset tranches to their t0 balances."""
    tranches.rows[:] = 0.0
    tranches.schedule[:] = 0.0
    tranches.rows[TRANCHE.discount] = 1.0
    for d in range(terms.codes.shape[1]):
        tranches.rows[TRANCHE.balance, d] = terms.terms[TRANCHE_TERM.balance0, d]
        tranches.rows[TRANCHE.undrawn, d] = max(
            0.0, terms.terms[TRANCHE_TERM.commitment, d] - terms.terms[TRANCHE_TERM.balance0, d]
        )
        if terms.codes[TRANCHE_CODE.available_until, d] < 1:
            tranches.rows[TRANCHE.undrawn, d] = 0.0
        tranches.rows[TRANCHE.maturity, d] = terms.codes[TRANCHE_CODE.maturity, d]
        tranches.rows[TRANCHE.drawn_pv, d] = terms.terms[TRANCHE_TERM.balance0, d]


@inner
def init_boxes(box_terms, lease_terms, delivery_terms, boxes, table, streams, seed, paths):
    """Reset boxes to t0 and draw each pool's utilisation."""
    boxes.rows[:] = 0.0
    boxes.windows[:] = 0.0
    boxes.rows[BOX.first_acceptance, :] = NEVER
    for b in range(box_terms.codes.shape[1]):
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
                    debt_terms, tranches, d, lane, sofr
                )
                if debt_terms.codes[TRANCHE_CODE.rank, d] == 0:
                    target += scheduled_service(
                        debt_terms,
                        tranches,
                        d,
                        lane,
                        0,
                        box_terms.codes[BOX_CODE.reserve_months, b],
                    )
            if box_debt(box_terms, tranches, b, lane) <= TINY:
                continue
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
                    price = power_price(cost_terms, a, 0, market_power.rows[POWER.market, lane])
                    power += price * cost_terms.terms[COST_TERM.power_mwh, a] / 1e6
            boxes.rows[BOX.power_reserve, b, lane] = (
                box_terms.terms[BOX_TERM.power_reserve_months, b] * power
            )


@merged
def init_block(params, state, seed, paths):
    """Bring a block to t0."""
    market_terms, name_terms, lease_terms = params.market, params.names, params.leases
    delivery_terms, cost_terms = params.deliveries, params.costs
    box_terms, debt_terms = params.boxes, params.tranches
    market, names, leases, sites = state.market, state.names, state.leases, state.sites
    deliveries, boxes, tranches = state.deliveries, state.boxes, state.tranches
    availability = state.availability
    init_market(market_terms, market, seed, paths)
    init_names(
        name_terms,
        names,
        seed,
        paths,
        market.rows[MARKET.macro],
        market.rows[MARKET.ai_orthogonal],
    )
    draw_prior(market_terms.priors, 2, seed, paths, state.renegotiation_prior)
    draw_prior(market_terms.priors, 4, seed, paths, names.lanes[NAME_LANE.prior])
    init_sites(params.sites, sites, seed, paths, market.rows[MARKET.supply_factor])
    init_leases(lease_terms, leases)
    for a in range(params.asset_site.shape[0]):
        availability[a] = sites.rows[SITE.availability, params.asset_site[a]]
    init_deliveries(delivery_terms, deliveries, sites)
    slip_deliveries(
        delivery_terms,
        deliveries,
        leases,
        seed,
        paths,
        0,
        market.memory.rows[MEMORY.shortage_starts],
        market.policy.rows[POLICY.site_slip],
    )
    init_debt(debt_terms, tranches)
    init_boxes(
        box_terms,
        lease_terms,
        delivery_terms,
        boxes,
        params.utilisation_table,
        params.utilisation_streams,
        seed,
        paths,
    )
    init_sponsors(params.sponsors, state.sponsors)
    state.flow[:] = 0.0
    state.overhang[:] = 0.0
    state.depth[:] = 0.0
    note_acceptance(delivery_terms, lease_terms, leases, boxes, 0)
    fit_schedules(
        debt_terms,
        tranches,
        box_terms,
        delivery_terms,
        deliveries,
        lease_terms,
        leases,
        cost_terms,
        availability,
        state.contracted,
        0,
    )
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


@kernel
def run_block(params, state, seed, paths, outputs, offset, trace):
    """Run a block of paths to the horizon.

    Parameters
    ----------
    params : ModelParams
    state : ModelState, scratch
    seed : uint64
    paths : (lane,) int64
    outputs : Outputs, written at columns offset..offset + lanes
    offset : int
    trace : Trace, written for lane 0 if it has rows
    """
    init_block(params, state, seed, paths)
    market, names, leases = state.market, state.names, state.leases
    boxes, tranches, sponsors = state.boxes, state.tranches, state.sponsors
    accounts, flow = state.accounts, state.flow
    for month in range(1, params.horizon + 1):
        step_month(params, state, seed, paths, month)
        record_series(market, boxes, sponsors, accounts, flow, outputs, offset, month)
        record_trace(market, names, leases, boxes, tranches, sponsors, accounts, flow, trace, month)
    box_terms, debt_terms = params.boxes, params.tranches
    view = closing_view(params, state)
    close_accounts(accounts, view, box_terms, boxes, tranches, params.horizon, state.contracted)
    write_tranches(debt_terms, tranches, boxes, sponsors, outputs, offset)
    write_boxes(box_terms, params.deliveries, boxes, accounts, outputs, offset)
    write_sponsors(
        params.sponsors,
        box_terms,
        debt_terms,
        sponsors,
        tranches,
        names,
        accounts,
        outputs,
        offset,
    )


__all__ = [
    "ModelParams",
    "ModelState",
    "Outputs",
    "Trace",
    "new_state",
    "run_block",
]
