"""A calm world with one box, in which a month can be done by hand.

No driver is on; a contract pays a round sum a month, nothing costs anything; 100 USD m of
accelerators were accepted at t0 and carry a loan of 60 at 12% a year, which is a bullet.
"""

from __future__ import annotations

import dataclasses
import math
import random
from typing import Any

from simulator.config.terms import (
    SWITCHES,
    Amortisation,
    Asset,
    Box,
    Contract,
    MarketPath,
    ModelInputs,
    Name,
    Recourse,
    Site,
    Sponsor,
    Tranche,
)
from tests.reference.market import reference_path
from tests.reference.path import start
from tests.reference.studies import base_generations, small_study

REVENUE = 10.0  # USD m a month
COST = 100.0


def calm(
    *,
    horizon: int = 36,
    parameters: dict[str, float] | None = None,
    on: tuple[str, ...] = (),
    path: MarketPath | None = None,
    asset: dict[str, Any] | None = None,
    box: dict[str, Any] | None = None,
    contract: dict[str, Any] | None = None,
    loan: dict[str, Any] | None = None,
    name: dict[str, Any] | None = None,
    notes: tuple[dict[str, Any], ...] = (),
    site: dict[str, Any] | None = None,
    sponsor: dict[str, Any] | None = None,
) -> ModelInputs:
    """Return the calm study with some of its terms changed."""
    plain = small_study(random.Random(3), additions=())
    book = plain.book
    generation = next(one for one in base_generations() if one.name == "H100")
    inputs = dataclasses.replace(
        plain,
        horizon=horizon,
        parameters={**plain.expected.parameters, "ir.r0": 0.05, "ir.theta": 0.05}
        | (parameters or {}),
        switches={one: one in on for one in SWITCHES},
        sofr_forwards=(),
        copula_nu=0.0,
        path=path,
        expected=dataclasses.replace(plain.expected, generations=base_generations()),
        book=dataclasses.replace(
            book,
            generations=base_generations(),
            names=(dataclasses.replace(NAME, **(name or {})),),
            sites=(dataclasses.replace(SITE, **(site or {})),),
            contracts=(dataclasses.replace(CONTRACT, **(contract or {})),),
            assets=(dataclasses.replace(ASSET, **(asset or {})),),
            boxes=(dataclasses.replace(BOX, generation=generation.name, **(box or {})),),
            tranches=(
                dataclasses.replace(LOAN, **(loan or {})),
                *(dataclasses.replace(NOTE, **note) for note in notes),
            ),
            sponsors=(dataclasses.replace(SPONSOR, **(sponsor or {})),),
        ),
    )
    unit = start(inputs, 1, 0, reference_path(inputs)).assets[0].unit
    priced = dataclasses.replace(inputs.book.contracts[0], price=REVENUE / unit)
    return dataclasses.replace(inputs, book=dataclasses.replace(inputs.book, contracts=(priced,)))


NAME = Name("name", (0.0,), 0.0, True, True, False, "", "")
SITE = Site("site", "A", 0.0, True, 1.0, False, 0.0)
SPONSOR = Sponsor("sponsor", 100.0, 1000.0, 0.0, 0.0)
CONTRACT = Contract("contract", "box", "name", "", 0.0, 1.0, 60, 1.0, 0.0, 1.0, "USD")
ASSET = Asset("asset", "box", "contract", "site", 2e3, COST, True, -2, 0, True, False)
BOX = Box(
    id="box",
    sponsor="sponsor",
    generation="",
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
    first_test=1,
    test_interval=1,
    ltc_trigger=0.0,
    ltv_trigger=0.0,
    cures=0,
    default_on_termination=False,
    trap_on_breach=False,
    operating_licence=False,
    equity0=math.nan,
    cost_currency="USD",
)
LOAN = Tranche(
    id="loan",
    facility="loan",
    box="box",
    sponsor="sponsor",
    rank=0,
    commitment=60.0,
    balance0=60.0,
    available_until=0,
    maturity=30,
    fixed=True,
    rate=0.12,
    floor=0.0,
    undrawn_fee=0.0,
    hedge_share=0.0,
    swap_rate=0.05,
    issue_discount=0.0,
    advance=0.5,
    amortisation=Amortisation.BULLET,
    amortisation_start=1,
    sculpt_dscr=1.25,
    depreciation_months=72,
    balloon=0.0,
    lender_share=1.0,
)
NOTE = dataclasses.replace(
    LOAN,
    id="note",
    facility="note",
    box="",
    commitment=0.0,
    balance0=40.0,
    maturity=90,
    advance=0.0,
)
UNDELIVERED = {
    "planned_delivery": 3,
    "accepted": None,
    "cost_delivered_at_t0": False,
}
UNDRAWN = {"balance0": 0.0, "commitment": 60.0, "available_until": 24}


def stressed(**changes: Any) -> MarketPath:
    """A stress case that leaves prices as expected."""
    usual = MarketPath((0.0,) * 200, 0.0, 1.0, 0.0, 1.0, ())
    return dataclasses.replace(usual, **changes)
