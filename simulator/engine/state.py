"""What a block of paths is made of: packed terms, and state with lanes (paths) innermost.

State is allocated once per worker and reused, so that no month allocates and every loop over lanes
runs over contiguous memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.accounts import AccountState, new_accounts
from simulator.box.costs import CostParams
from simulator.box.deliveries import (
    DeliveryParams,
    DeliveryState,
    new_deliveries,
)
from simulator.box.disposals import DisposalParams, DisposalState, new_disposals
from simulator.box.flows import LINES
from simulator.box.projection import MONTHS_TO_MATURITY
from simulator.box.returns import discount_grid, rate_scratch
from simulator.box.sites import SiteParams, SiteState, new_sites
from simulator.box.terms import (
    BoxParams,
    BoxState,
    TrancheParams,
    TrancheState,
    new_boxes,
    new_tranches,
)
from simulator.box.valuation import Valuation, new_valuation
from simulator.box.view import MarketView
from simulator.box.work import new_needs
from simulator.credit.leases import (
    LeaseParams,
    LeaseState,
    new_leases,
)
from simulator.credit.names import (
    NameParams,
    NameState,
    new_names,
)
from simulator.drivers.collateral import CollateralParams
from simulator.drivers.currencies import CURRENCY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION
from simulator.drivers.rates import RATE
from simulator.drivers.supply import SUPPLY
from simulator.engine.market import MARKET, MarketParams, MarketState, new_market
from simulator.engine.outputs import MARKET_SERIES
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import entity_rows, whole_packs
from simulator.sponsor.terms import (
    SponsorParams,
    SponsorState,
    new_sponsors,
)
from simulator.structure.overlays import OverlayParams, OverlayState, new_overlays
from simulator.structure.terms import StructureParams, StructureState, new_structures

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
    disposals: DisposalParams
    sponsors: SponsorParams
    structures: StructureParams
    overlays: OverlayParams
    asset_site: NDArray[np.int64]  # (asset,)
    utilisation_tables: NDArray[np.float64]  # (generation, node), of a pool's mean utilisation
    box_generation: NDArray[np.int64]  # (box,)
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
    disposals: DisposalState
    sponsors: SponsorState
    structures: StructureState
    overlays: OverlayState
    accounts: AccountState
    flow: NDArray[np.float64]  # (line, box, lane), this month's cash flows
    availability: NDArray[np.float64]  # (asset, lane), share of hours
    floors: NDArray[np.float64]  # (asset, lane), cash floor, USD per GPU-hour
    overhang: NDArray[np.float64]  # (generation, lane)
    depth: NDArray[np.float64]  # (generation, lane), sold this month / installed base
    renegotiation_prior: NDArray[np.float64]  # (lane,)
    headroom: NDArray[np.float64]  # (box, lane), cash that lenders can spare, USD m a month
    ranking: NDArray[np.float64]  # (box,), scratch
    contracted: NDArray[np.float64]  # (month,), scratch
    discount_grid: NDArray[np.float64]  # (2, factor), scratch
    rates: NDArray[np.float64]  # (row of RATE_ROW, lane), scratch
    needs: NDArray[np.float64]  # (row of NEED, lane), scratch
    draws: NDArray[np.float64]  # (lane,), scratch
    rare: NDArray[np.bool_]  # (box,), whether anything may stand on its rare lines this month
    waits: NDArray[np.bool_]  # (box, pack), whether it waits for what its sponsor answers
    waiting: NDArray[np.float64]  # (3, box, lane), what is needed, final principal, debt, USD m
    valuation: Valuation
    series: NDArray[np.float64]  # (series, lane), of the month, see outputs.MARKET_SERIES
    market_view: MarketView  # windows on all of these


def new_state(params: ModelParams, lanes: int) -> ModelState:
    """Allocate the state of a block of so many lanes, rounded up to whole packs."""
    lanes = whole_packs(lanes)
    generations = params.market.prices.terms.shape[1]
    jurisdictions = params.market.policy.cumulative_weights.shape[0]
    assets = params.leases.terms.shape[1]
    contracts = params.leases.backstop_cap.shape[0]
    boxes = params.boxes.codes.shape[1]
    horizon = params.horizon
    currencies = params.market.currencies.streams.shape[0]
    steering = params.market.steering
    market = new_market(jurisdictions, generations, currencies, horizon, lanes, steering)
    leases, deliveries = new_leases(assets, contracts, lanes), new_deliveries(assets, lanes)
    availability, floors = np.zeros((assets, lanes)), np.zeros((assets, lanes))
    overhang, depth = np.zeros((generations, lanes)), np.zeros((generations, lanes))
    prices, rates = market.prices.generations, market.rates.rows
    longest = max(MONTHS_TO_MATURITY, params.boxes.run_months, params.boxes.sale_lag)
    return ModelState(
        market=market,
        names=new_names(params.names.terms.shape[1], lanes),
        leases=leases,
        sites=new_sites(params.sites.terms.shape[1], lanes),
        deliveries=deliveries,
        boxes=new_boxes(boxes, lanes),
        tranches=new_tranches(params.tranches.codes.shape[1], horizon + SCHEDULE_SLACK, lanes),
        disposals=new_disposals(assets, contracts, lanes),
        sponsors=new_sponsors(params.sponsors.terms.shape[1], boxes, lanes),
        structures=new_structures(
            params.structures.terms.shape[1],
            params.structures.notes.shape[1],
            params.structures.members.shape[0],
            lanes,
        ),
        overlays=new_overlays(
            params.overlays.insured.shape[0], params.overlays.floor_boxes.shape[0], lanes
        ),
        accounts=new_accounts(boxes, horizon, lanes),
        flow=entity_rows(len(LINES), max(1, boxes), lanes),
        availability=availability,
        floors=floors,
        overhang=overhang,
        depth=depth,
        renegotiation_prior=np.ones(lanes),
        headroom=np.zeros((max(1, boxes), lanes)),
        ranking=np.zeros(max(1, boxes)),
        contracted=np.zeros(CONTRACT_MONTHS),
        discount_grid=discount_grid(),
        rates=rate_scratch(lanes),
        needs=new_needs(lanes),
        draws=np.zeros(lanes),
        rare=np.zeros(max(1, boxes), dtype=np.bool_),
        waits=np.zeros((max(1, boxes), -(-lanes // PACK)), dtype=np.bool_),
        waiting=entity_rows(3, max(1, boxes), lanes),
        valuation=new_valuation(boxes, assets, generations, lanes),
        series=np.zeros((len(MARKET_SERIES), lanes)),
        market_view=MarketView(
            leases=params.leases,
            lease_state=leases,
            deliveries=params.deliveries,
            delivery_state=deliveries,
            costs=params.costs,
            collateral=params.collateral,
            availability=availability,
            floors=floors,
            market_power=market.power.rows[POWER.market],
            exchange=market.currencies.rows[CURRENCY.rate],
            contract_prices=prices[GENERATION.contract],
            spot_prices=prices[GENERATION.spot],
            log_development=prices[GENERATION.log_development],
            overhang=overhang,
            hits=market.policy.rows[POLICY.resale_hit],
            depth=depth,
            tightness=market.supply.rows[SUPPLY.tightness],
            sofr=rates[RATE.sofr],
            log_spread=rates[RATE.log_spread],
            shut=rates[RATE.shut],
            ai_factor=market.rows[MARKET.ai],
            values=np.zeros(lanes),
            outlook=entity_rows(1 + longest, max(1, boxes), lanes),
            looked=np.zeros((2, max(1, boxes), -(-lanes // PACK)), dtype=np.int64),
        ),
    )
