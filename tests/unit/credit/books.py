"""One box, one customer, and a world in which nothing moves but what a test switches on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.box.flows import LINES
from simulator.box.terms import BOX
from simulator.config.terms import (
    SWITCHES,
    WATERFALL_LINES,
    Amortisation,
    Asset,
    Book,
    Box,
    Contract,
    MarketPath,
    ModelInputs,
    Name,
    Recourse,
    Site,
    Sponsor,
    Tranche,
    World,
)
from simulator.engine.trace import LEASE_FIELDS
from tests.properties.agreement import EnginePaths, pack, run_engine
from tests.reference.studies import base_correlations, base_generations, base_parameters

SEED = 7
JURISDICTIONS = (("A", 1.0),)

CONTRACT = Contract(
    id="contract",
    box="box",
    offtaker="customer",
    backstop="",
    backstop_cap=0.0,
    price=2.0,
    term_months=48,
    consent_multiplier=1.0,
    prepayment_share=0.0,
    moneyness0=1.0,
    currency="USD",
)
ASSET = Asset(
    id="asset",
    box="box",
    contract="contract",
    site="site",
    gpus=1000.0,
    cost=40.0,
    price_fixed=True,
    planned_delivery=-2,
    accepted=0,
    cost_delivered_at_t0=True,
    licence=False,
)
BOX_TERMS = Box(
    id="box",
    sponsor="sponsor",
    generation="H100",
    recourse=Recourse.NONE,
    guarantee_cap=0.0,
    investment_grade=False,
    power_hedged=1.0,
    colo_usd_per_kw_month=0.0,
    triple_net=True,
    operations_share=0.0,
    useful_life_months=0,
    market_factor=1.0,
    reserve_months=0.0,
    power_reserve_months=0.0,
    sweep_share=0.0,
    sweep_threshold=0.0,
    lockup_dscr=0.0,
    default_dscr=0.0,
    realisation_minimum=0.0,
    minimum_liquidity=0.0,
    first_test=3,
    test_interval=3,
    ltc_trigger=0.0,
    ltv_trigger=0.0,
    cures=2,
    default_on_termination=False,
    trap_on_breach=False,
    operating_licence=False,
    equity0=math.nan,
    cost_currency="USD",
)
TRANCHE = Tranche(
    id="loan",
    facility="loan",
    box="box",
    sponsor="sponsor",
    rank=0,
    commitment=30.0,
    balance0=30.0,
    available_until=0,
    maturity=48,
    fixed=True,
    rate=0.08,
    floor=0.0,
    undrawn_fee=0.0,
    hedge_share=0.0,
    swap_rate=0.0,
    issue_discount=0.0,
    advance=0.8,
    amortisation=Amortisation.STRAIGHT,
    amortisation_start=1,
    sculpt_dscr=1.2,
    depreciation_months=72,
    balloon=0.0,
    lender_share=1.0,
)
CUSTOMER = Name(
    id="customer",
    hazard_per_year=(0.0,),
    beta=0.0,
    ai=False,
    investment_grade=True,
    hyperscaler=False,
    export_exposed="",
    sponsor="",
)
SPONSOR = Sponsor(
    id="sponsor", cash=1000.0, market_value=1000.0, other_cash_per_year=0.0, lease_per_year=0.0
)
SITE = Site("site", "A", 1.0, True, 1.0, False, 0.0)


@dataclass(frozen=True)
class Deal:
    """One box and what hangs on it; the terms that a test changes."""

    contract: Contract = CONTRACT
    asset: Asset = ASSET
    box: Box = BOX_TERMS
    tranche: Tranche = TRANCHE
    customer: Name = CUSTOMER
    sponsor: Sponsor = SPONSOR
    more_assets: tuple[Asset, ...] = ()
    on: tuple[str, ...] = ()
    parameters: tuple[tuple[str, float], ...] = ()
    path: MarketPath | None = None
    horizon: int = 36

    def change(self, what: str, **terms: Any) -> Deal:
        """Return the deal with terms of its contract, asset, box, tranche ... changed."""
        return replace(self, **{what: replace(getattr(self, what), **terms)})

    def inputs(self) -> ModelInputs:
        """Return the deal as a study: no draws but those of what is switched on."""
        switches = dict.fromkeys(SWITCHES, False) | dict.fromkeys(self.on, True)
        parameters = base_parameters() | dict(self.parameters)
        generations = base_generations()
        world = World(
            parameters=parameters,
            switches=switches,
            correlations=base_correlations(),
            sofr_forwards=(0.04,) * self.horizon,
            generations=generations,
            jurisdictions=JURISDICTIONS,
            hyperscalers=(),
            currencies=(),
            stressed=self.customer.beta > 0.0 or self.customer.efficiency_loading > 0.0,
        )
        return ModelInputs(
            horizon=self.horizon,
            parameters=parameters,
            switches=switches,
            correlations=world.correlations,
            sofr_forwards=world.sofr_forwards,
            copula_nu=0.0,
            path=self.path,
            uncertainty=None,
            waterfall=WATERFALL_LINES,
            book=Book(
                generations=generations,
                jurisdictions=JURISDICTIONS,
                names=(self.customer,),
                sites=(SITE,),
                contracts=(self.contract,),
                assets=(self.asset, *self.more_assets),
                boxes=(self.box,),
                tranches=(self.tranche,),
                sponsors=(self.sponsor,),
            ),
            expected=world,
        )

    def run(self, paths: int = 1) -> Run:
        """Simulate so many paths."""
        packed = pack(self.inputs())
        return Run(self, run_engine(packed, SEED, range(paths)))


@dataclass(frozen=True)
class Run:
    """Results, and the first path in full."""

    deal: Deal
    engine: EnginePaths

    def line(self, name: str) -> NDArray[np.float64]:
        """Return a cash-flow line of the box by month, from month 1."""
        return np.array(self.engine.trace.flow[:, LINES.index(name), 0])

    def lease(self, field: str, asset: int = 0) -> NDArray[np.float64]:
        """Return a field of a lease by month, from month 1."""
        return np.array(self.engine.trace.lease[:, LEASE_FIELDS.index(field), asset])

    def box(self, field: str) -> NDArray[np.float64]:
        """Return a row of the box's state by month, from month 1."""
        return np.array(self.engine.trace.box[:, BOX._fields.index(field), 0])

    @property
    def invoice(self) -> float:
        """A month's invoice at a dollar per GPU-hour, USD m."""
        return float(self.engine.state.availability[0, 0]) * self.deal.asset.gpus * 730.0 / 1e6

    @property
    def defaults(self) -> NDArray[np.float64]:
        """Month of the box's default by path, 0 = none."""
        return np.array(self.engine.outputs.box_default_month[0], dtype=float)
