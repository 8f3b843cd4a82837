"""Random small studies: a few boxes with every kind of term, switches on and off at random.

`small_study` takes anything that can choose: a `random.Random`, or a hypothesis `draw` (see
`small_studies`). Numbers are not meant to be typical, they are meant to reach every branch.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import simulator
from simulator.config.drivers import FIXED_BY_PATH
from simulator.config.terms import (
    CORRELATION_ORDER,
    SWITCHES,
    WATERFALL_LINES,
    Amortisation,
    Asset,
    Book,
    Box,
    Contract,
    Generation,
    MarketPath,
    ModelInputs,
    Name,
    Recourse,
    Site,
    Sponsor,
    Tranche,
    World,
    currencies,
    hyperscalers,
)
from tests.reference.additions import ADDITIONS, IN_ORDER, with_additions
from tests.reference.choice import Chooser

CONFIG = Path(simulator.__file__).parent / "config"

JURISDICTIONS = (("A", 0.5), ("B", 0.3), ("C", 0.2))
HAZARDS = {  # per year, by class of name
    "ig": (0.001, 0.002, 0.003, 0.003, 0.003, 0.003),
    "other": (0.02, 0.03, 0.04, 0.04, 0.03, 0.03),
    "lab": (0.0235,) * 6,
    "weak": (0.3, 0.2, 0.2, 0.2),
}


@lru_cache(maxsize=1)
def parameter_table() -> dict[str, dict[str, float]]:
    """Low, base and stress column of the parameter table, by id."""
    with (CONFIG / "parameters.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["id"]: {column: float(row[column]) for column in ("low", "base", "stress")}
        for row in rows
    }


def base_parameters() -> dict[str, float]:
    return {name: row["base"] for name, row in parameter_table().items()}


@lru_cache(maxsize=1)
def base_correlations() -> tuple[tuple[float, ...], ...]:
    with (CONFIG / "correlations.csv").open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        table = {row["factor"]: row for row in csv.DictReader(lines)}
    return tuple(tuple(float(table[i][j]) for j in CORRELATION_ORDER) for i in CORRELATION_ORDER)


@lru_cache(maxsize=1)
def base_generations() -> tuple[Generation, ...]:
    with (CONFIG / "generations.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    generations = [
        Generation(
            name=row["generation"],
            contract_price=float(row["contract_price"]),
            spot_price=float(row["spot_price"]),
            kw=float(row["kw"]),
            capex_usd=float(row["capex_usd"]),
            hardware_share=float(row["hardware_share"]),
            installed_base_m=float(row["installed_base_m"]),
            base_grows=row["base_grows"] == "true",
        )
        for row in rows
    ]
    return tuple(sorted(generations, key=lambda g: g.name))


PLAIN_KINDS = tuple(Amortisation)[: Amortisation.BULLET + 1]
PLAIN_SWITCHES = tuple(one for one in SWITCHES if one not in ("lender_consent", "amendments"))


def small_study(
    source: random.Random | Callable[[Any], Any], additions: Collection[str] | None = None
) -> ModelInputs:
    """Return the inputs of a random study of 1-4 boxes.

    Parameters
    ----------
    source
        What chooses.
    additions
        Names of `ADDITIONS` that may be used; all that are not withheld if None. The same source
        gives the same study but for the additions that are left out.
    """
    choose = Chooser(source)
    inputs = plain_study(choose)
    seeds = {name: choose.integer(0, 2**31 - 1) for name in IN_ORDER}
    wanted = ADDITIONS if additions is None else frozenset(additions)
    return with_additions(inputs, seeds, wanted)


def plain_study(choose: Chooser) -> ModelInputs:
    """Loans on accelerators of the table, without any addition."""
    horizon = choose.integer(12, 72)
    usual = base_parameters()
    on = switches(choose)
    deals = book(choose, horizon)
    path = market_path(choose, deals, horizon) if choose.chance(0.1) else None
    if path is not None:
        on |= dict.fromkeys(FIXED_BY_PATH, False)
    curve = tuple(0.02 + 0.0004 * t for t in range(1, horizon + 1)) if choose.chance(0.2) else ()
    return ModelInputs(
        horizon=horizon,
        parameters=parameters(choose, usual),
        switches=on,
        correlations=base_correlations(),
        sofr_forwards=curve,
        copula_nu=choose.one_of((0.0, 0.0, 4.0, 5.5)),
        path=path,
        uncertainty=None,
        waterfall=waterfall(choose),
        book=deals,
        expected=World(
            parameters=usual,
            switches=dict.fromkeys(SWITCHES, True),
            correlations=base_correlations(),
            sofr_forwards=(),
            generations=deals.generations,
            jurisdictions=deals.jurisdictions,
            hyperscalers=hyperscalers(deals.names),
            currencies=currencies(deals),
            stressed=any(one.beta > 0.0 for one in deals.names),
        ),
    )


def market_path(choose: Chooser, deals: Book, horizon: int) -> MarketPath:
    """A stress case: prices fall and come back."""
    depth, turn = choose.real(0.1, 1.5), choose.integer(1, horizon)
    return MarketPath(
        log_price=tuple(-depth * min(t, turn) / turn for t in range(horizon + 1)),
        high_yield_peak_bp=choose.one_of((0.0, 500.0, 1200.0)),
        hazard_multiplier=choose.real(0.5, 5.0),
        delay_months=choose.one_of((0.0, 3.0)),
        capex_factor=choose.real(0.7, 1.2),
        defaults=((choose.one_of(deals.names).id, choose.integer(1, 12)),),
    )


@st.composite
def small_studies(draw: Callable[[Any], Any]) -> ModelInputs:
    """Hypothesis strategy of random small studies."""
    return small_study(draw)


# ------------------------------------------------------------------ settings

# Moved away from base so that rare events come up within one path.
LIVELY = {
    "reg.lambda": (0.4, 3.0),
    "eff.lambda": (0.35, 2.0),
    "dem.ap_lambda": (0.15, 1.0),
    "ease.lambda": (0.03, 0.5),
    "sup.vi_lambda": (0.05, 0.5),
    "cp.pd_curve": (1.0, 8.0),
    "cp.reneg_h0_ig": (0.015, 0.5),
    "cp.reneg_h0_nig": (0.06, 0.8),
    "del.p": (0.1, 0.9),
    "del.kill": (0.06, 0.5),
    "cs.hy_mean": (400.0, 900.0),
    "hold.overhead": (0.0, 0.2),
    "wo.sale_lag": (2.0, 8.0),
    "wo.run_months": (8.0, 36.0),
    "hold.estate_lag": (3.0, 18.0),
    "dem.ap_beta": (0.0, 1.0),
    "gpu.delta": (-0.4, -0.05),
    "cp.workout_time": (0.3, 1.5),
}
WHOLE = ("wo.sale_lag", "wo.run_months", "hold.estate_lag")


def parameters(choose: Chooser, reference: dict[str, float]) -> dict[str, float]:
    """Base, a few rows at low or stress, some rows lively."""
    values = dict(reference)
    table = parameter_table()
    if choose.chance(0.5):
        names = sorted(table)
        for _ in range(choose.integer(1, 6)):
            name = choose.one_of(names)
            if not name.startswith("eff.size"):  # mean and 95% point belong together
                values[name] = table[name][choose.one_of(("low", "stress"))]
        if choose.chance(0.3):
            column = choose.one_of(("low", "stress"))
            for name in ("eff.size.mean", "eff.size.q95"):
                values[name] = table[name][column]
        ordered = sorted(values[f"dem.ap_mult.{at}"] for at in ("min", "mode", "max"))
        for at, value in zip(("min", "mode", "max"), ordered, strict=True):
            values[f"dem.ap_mult.{at}"] = value
    if choose.chance(0.6):
        for name, (low, high) in LIVELY.items():
            if choose.chance(0.5):
                values[name] = choose.real(low, high)
        for name in WHOLE:
            values[name] = float(round(values[name]))
    return values


def switches(choose: Chooser) -> dict[str, bool]:
    """All on, or a few off."""
    values = dict.fromkeys(PLAIN_SWITCHES, True)
    values["easing"] = choose.chance(0.3)
    if choose.chance(0.5):
        for _ in range(choose.integer(1, 5)):
            name = choose.one_of(PLAIN_SWITCHES)
            values[name] = not values[name]
    return values | {"lender_consent": False, "amendments": False}


def waterfall(choose: Chooser) -> tuple[str, ...]:
    """The default order, or one with junior service before the reserves, or the trap early."""
    if choose.chance(0.8):
        return WATERFALL_LINES
    lines = list(WATERFALL_LINES)
    name = choose.one_of(("junior_interest", "power_reserve", "sweep"))
    lines.remove(name)
    lines.insert(choose.integer(3, len(lines) - 2), name)
    return tuple(lines)


# ------------------------------------------------------------------ the book


def book(choose: Chooser, horizon: int) -> Book:
    generations = base_generations()
    if choose.chance(0.3):  # some studies without the generations that retire
        generations = tuple(g for g in generations if g.name not in ("A100", "H100"))
    sponsors = [sponsor(choose, i) for i in range(choose.integer(1, 2))]
    names = [name(choose, i, sponsors) for i in range(choose.integer(1, 4))]
    sites = [site(choose, i) for i in range(choose.integer(1, 3))]
    boxes: list[Box] = []
    contracts: list[Contract] = []
    assets: list[Asset] = []
    tranches: list[Tranche] = []
    for i in range(choose.integer(1, 4)):
        box = box_terms(choose, i, choose.one_of(sponsors), choose.one_of(generations))
        generation = next(g for g in generations if g.name == box.generation)
        own_contracts = box_contracts(choose, box, generation, names)
        own_assets = box_assets(choose, box, generation, own_contracts, sites, horizon)
        boxes.append(box)
        contracts += own_contracts
        assets += own_assets
        tranches += box_tranches(choose, box, own_assets, horizon)
    for owner in sponsors:
        tranches += notes(choose, owner, horizon)

    def by_id(items: list[Any]) -> tuple[Any, ...]:
        return tuple(sorted(items, key=lambda item: item.id))

    return Book(
        generations=generations,
        jurisdictions=JURISDICTIONS,
        names=by_id(names),
        sites=by_id(sites),
        contracts=by_id(contracts),
        assets=by_id(assets),
        boxes=by_id(boxes),
        tranches=by_id(tranches),
        sponsors=by_id(sponsors),
    )


def sponsor(choose: Chooser, i: int) -> Sponsor:
    return Sponsor(
        id=f"sponsor-{i}",
        cash=choose.one_of((5.0, 50.0, 500.0, 5000.0)),
        market_value=choose.one_of((0.0, 100.0, 3000.0)),
        other_cash_per_year=choose.real(-60.0, 60.0),
        lease_per_year=choose.one_of((0.0, 5.0, 40.0)),
    )


def name(choose: Chooser, i: int, sponsors: list[Sponsor]) -> Name:
    kind = choose.one_of(("ig", "other", "lab", "weak"))
    is_sponsor = choose.chance(0.15)
    return Name(
        id=f"name-{i}",
        hazard_per_year=HAZARDS[kind],
        beta=choose.one_of((0.0, 0.3, 0.7, 1.0)),
        ai=kind != "ig" or choose.chance(0.3),
        investment_grade=kind == "ig",
        hyperscaler=kind == "ig" and choose.chance(0.7),
        export_exposed=choose.one_of(("", "", "A", "B")),
        sponsor=choose.one_of(sponsors).id if is_sponsor else "",
    )


def site(choose: Chooser, i: int) -> Site:
    return Site(
        id=f"site-{i}",
        jurisdiction=choose.one_of(JURISDICTIONS)[0],
        power_factor=choose.real(0.6, 1.8),
        energised=choose.chance(0.4),
        delay_factor=choose.real(0.5, 2.0),
        network_risk=choose.chance(0.3),
        fibre_probability=choose.one_of((0.1, 0.25, 0.6)),
    )


def box_terms(choose: Chooser, i: int, owner: Sponsor, generation: Generation) -> Box:
    return Box(
        id=f"box-{i}",
        sponsor=owner.id,
        generation=generation.name,
        recourse=choose.one_of(tuple(Recourse)),
        guarantee_cap=choose.one_of((5.0, 50.0)),
        investment_grade=choose.chance(0.3),
        power_hedged=choose.one_of((0.0, 0.7, 1.0)),
        colo_usd_per_kw_month=choose.one_of((0.0, 130.0, 195.0)),
        triple_net=choose.chance(0.15),
        operations_share=choose.one_of((0.0, 0.03, 0.06)),
        useful_life_months=choose.one_of((0, 0, 0, 30, 60)),
        market_factor=choose.real(0.5, 1.0),
        reserve_months=float(choose.one_of((0, 3, 6))),
        power_reserve_months=float(choose.one_of((0, 0, 2))),
        sweep_share=choose.one_of((0.0, 0.0, 0.5, 1.0)),
        sweep_threshold=choose.one_of((0.0, 1.0, 1.3)),
        lockup_dscr=choose.one_of((0.0, 1.2, 1.4)),
        default_dscr=choose.one_of((0.0, 1.05, 1.1)),
        realisation_minimum=choose.one_of((0.0, 0.85)),
        minimum_liquidity=choose.one_of((0.0, 0.0, 20.0)),
        first_test=choose.integer(1, 18),
        test_interval=choose.one_of((1, 3, 6)),
        ltc_trigger=choose.one_of((0.0, 0.0, 0.85)),
        ltv_trigger=choose.one_of((0.0, 0.0, 0.9)),
        cures=choose.one_of((0, 1, 4)),
        default_on_termination=choose.chance(0.3),
        trap_on_breach=choose.chance(0.5),
        operating_licence=choose.chance(0.5),
        equity0=choose.one_of((math.nan, math.nan, 0.0, 40.0)),
        cost_currency=choose.one_of(("USD", "USD", "EUR")),
    )


def box_contracts(
    choose: Chooser, box: Box, generation: Generation, names: list[Name]
) -> list[Contract]:
    return [
        Contract(
            id=f"{box.id}-contract-{i}",
            box=box.id,
            offtaker=choose.one_of(names).id,
            backstop=choose.one_of(names).id if choose.chance(0.25) else "",
            backstop_cap=choose.one_of((3.0, 40.0)),
            price=generation.contract_price * choose.real(0.5, 1.5),
            term_months=choose.one_of((12, 24, 36, 60)),
            consent_multiplier=choose.one_of((1.0, 2.0, 4.0)),
            prepayment_share=choose.one_of((0.0, 0.0, 0.2)),
            moneyness0=choose.one_of((1.0, 1.0, 0.8, 1.2)),
            currency=choose.one_of(("USD", "USD", "EUR", "NOK")),
        )
        for i in range(choose.integer(0, 2))
    ]


def box_assets(
    choose: Chooser,
    box: Box,
    generation: Generation,
    contracts: list[Contract],
    sites: list[Site],
    horizon: int,
) -> list[Asset]:
    assets = []
    for i in range(choose.integer(1, 3)):
        is_pool = not contracts or choose.chance(0.2)
        gpus = float(choose.integer(5, 40) * 100)
        stage = choose.one_of(("pending", "pending", "commissioning", "accepted", "accepted"))
        accepted = -choose.integer(0, 30) if stage == "accepted" else None
        planned = {
            "pending": choose.integer(1, max(2, horizon // 3)),
            "commissioning": -choose.integer(0, 1),
            "accepted": (accepted or 0) - 2,
        }[stage]
        assets.append(
            Asset(
                id=f"{box.id}-asset-{i}",
                box=box.id,
                contract="" if is_pool else choose.one_of(contracts).id,
                site=choose.one_of(sites).id,
                gpus=gpus,
                cost=gpus * generation.capex_usd * choose.real(0.7, 1.1) / 1e6,
                price_fixed=choose.chance(0.3),
                planned_delivery=planned,
                accepted=accepted,
                cost_delivered_at_t0=stage != "pending",
                licence=stage == "pending" and choose.chance(0.2),
            )
        )
    return assets


def box_tranches(choose: Chooser, box: Box, assets: list[Asset], horizon: int) -> list[Tranche]:
    pending = [asset for asset in assets if not asset.cost_delivered_at_t0]
    delivered_cost = sum(asset.cost for asset in assets if asset.cost_delivered_at_t0)
    pending_cost = sum(asset.cost for asset in pending)
    last_delivery = max((asset.planned_delivery for asset in pending), default=0)
    available_until = last_delivery + choose.integer(0, 8) if pending else 0
    tranches = []
    count = choose.integer(0, 3)
    for i in range(count):
        advance = choose.real(0.3, 0.9)
        balance = delivered_cost * advance / count * choose.one_of((0.5, 1.0))
        undrawn = pending_cost * advance / count * choose.one_of((0.7, 1.0, 1.1))
        is_fixed = choose.chance(0.4)
        start = max(1, available_until + choose.integer(-2, 6))
        kind = choose.one_of(PLAIN_KINDS)
        tranches.append(
            Tranche(
                id=f"{box.id}-tranche-{i}",
                facility=f"{box.id}-facility-{choose.integer(0, min(i, 1))}",
                box=box.id,
                sponsor=box.sponsor,
                rank=0 if i == 0 else choose.one_of((0, 1, 2)),
                commitment=balance + undrawn,
                balance0=balance,
                available_until=available_until,
                maturity=start + choose.integer(6, 60),
                fixed=is_fixed,
                rate=choose.real(0.05, 0.12) if is_fixed else choose.real(0.02, 0.08),
                floor=choose.one_of((0.0, 0.01)),
                undrawn_fee=choose.one_of((0.0, 0.01)),
                hedge_share=0.0 if is_fixed else choose.one_of((0.0, 0.8, 1.0)),
                swap_rate=choose.real(0.03, 0.045),
                issue_discount=choose.one_of((0.0, 0.02)),
                advance=advance,
                amortisation=kind,
                amortisation_start=start,
                sculpt_dscr=choose.one_of((1.2, 1.5)),
                depreciation_months=choose.one_of((48, 72)),
                balloon=choose.one_of((0.0, 0.0, 0.2)),
                lender_share=choose.real(0.0, 1.0),
            )
        )
    return tranches


def notes(choose: Chooser, owner: Sponsor, horizon: int) -> list[Tranche]:
    tranches = []
    for i in range(choose.integer(0, 2)):
        amount = choose.one_of((10.0, 100.0, 1000.0))
        until = choose.one_of((0, 0, 12, horizon))  # of a revolver
        drawn = choose.one_of((0.0, 0.5)) if until > 0 else 1.0
        tranches.append(
            Tranche(
                id=f"{owner.id}-note-{i}",
                facility=f"{owner.id}-notes",
                box="",
                sponsor=owner.id,
                rank=0,
                commitment=amount,
                balance0=amount * drawn,
                available_until=until,
                maturity=choose.integer(1, 90),
                fixed=choose.chance(0.7),
                rate=choose.real(0.04, 0.1),
                floor=0.0,
                undrawn_fee=0.01,
                hedge_share=0.0,
                swap_rate=0.0,
                issue_discount=0.0,
                advance=0.0,
                amortisation=Amortisation.BULLET,
                amortisation_start=1,
                sculpt_dscr=0.0,
                depreciation_months=72,
                balloon=0.0,
                lender_share=choose.real(0.0, 1.0),
            )
        )
    return tranches
