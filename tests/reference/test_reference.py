"""The oracle must hold on its own: cash is conserved, nothing is negative, shocks off is calm."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest

from simulator.config.terms import (
    SWITCHES,
    Amortisation,
    Asset,
    Contract,
    ModelInputs,
    Name,
    Site,
    Sponsor,
)
from tests.reference import Outcome, reference_path, simulate_path
from tests.reference.additions import ADDITIONS
from tests.reference.compensator import Pilot, solve_compensator
from tests.reference.state import Status
from tests.reference.studies import small_study

STUDIES = range(120)
SMALL = 1e-9


def study(number: int) -> ModelInputs:
    return small_study(random.Random(number), additions=())


def full_study(number: int) -> ModelInputs:
    return small_study(random.Random(number), ADDITIONS)


@pytest.fixture(scope="module")
def outcomes() -> list[tuple[ModelInputs, Outcome]]:
    """Every other study with additions."""
    studies = [full_study(n) if n % 2 else study(n) for n in STUDIES]
    return [(inputs, simulate_path(inputs, seed=11, path=n)) for n, inputs in enumerate(studies)]


def test_nothing_is_negative(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    for _, outcome in outcomes:
        for tranche in outcome.tranches.values():
            assert min(tranche.balances) >= 0.0
            assert min(tranche.receipts) >= 0.0
            assert tranche.loss_pv >= 0.0
            assert tranche.loss_nominal >= 0.0
        for box in outcome.boxes.values():
            assert box.terminal_value >= 0.0
            for month in box.months:
                for flow in ("distribution", "support", "cure", "reserve", "trap", "power_reserve"):
                    assert month[flow] >= 0.0, flow


def test_cash_of_a_box_is_conserved(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    """Sources = uses in every month of a performing box, and of a workout."""
    for _, outcome in outcomes:
        for box in outcome.boxes.values():
            kept = None
            for t, month in enumerate(box.months, start=1):
                accounts = month["reserve"] + month["power_reserve"] + month["trap"]
                accounts += month["collected"]
                is_performing = box.default_month == 0 or t <= box.default_month
                if is_performing and box.closed_month != t:
                    sources = (
                        month["receipts"]
                        + month["prepayment_surplus"]
                        + month["support"]
                        + month["cure"]
                        + month["disposals"]
                        + month["reserve_equity"]
                    )
                    fees = month["paid_senior_fees"] + min(0.0, month["hedge"])
                    uses = (
                        month["paid_operating_costs"]
                        + fees
                        + month["paid_senior_interest"]
                        + month["paid_senior_principal"]
                        + month["paid_junior_interest"]
                        + month["paid_junior_principal"]
                        + month["paid_sweep"]
                        + month["distribution"]
                        - month["sized_draw"]
                    )
                    if kept is not None:
                        assert math.isclose(
                            kept + sources, accounts + uses, rel_tol=1e-12, abs_tol=SMALL
                        )
                if month["workout_paid"] > 0.0:
                    cash = month["recovery"]
                    if cash == 0.0:
                        cash = month["workout_cash"] + month["sale_proceeds"]
                    assert cash >= month["workout_paid"] - SMALL
                kept = accounts


def test_capex_is_funded(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    for _, outcome in outcomes:
        for box in outcome.boxes.values():
            for month in box.months:
                prepaid = month["prepayment"] - month["prepayment_surplus"]
                funded = prepaid + month["draws"] + month["capex_equity"]
                funded += month["overrun_paid"]
                assert math.isclose(month["capex"], funded, rel_tol=1e-12, abs_tol=SMALL)


def test_claims_earn_their_coupon(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    """claim(t) = claim(t−1) + draw + (balance(t−1) + draw)·y/12 − R + what is drawn at the end."""
    for _, outcome in outcomes:
        for tranche in outcome.tranches.values():
            balance, accrued = tranche.opening, 0.0
            for t, drawn in enumerate(tranche.draws):
                expected = balance + accrued + drawn
                expected += (balance + drawn) * tranche.coupons[t] / 12.0
                expected += tranche.late_draws[t] - tranche.receipts[t]
                balance, accrued = tranche.balances[t], tranche.accrued[t]
                assert math.isclose(balance + accrued, expected, rel_tol=1e-10, abs_tol=1e-8)


def test_a_path_is_a_function_of_its_number() -> None:
    inputs = study(3)
    assert repr(simulate_path(inputs, 1, 5)) == repr(simulate_path(inputs, 1, 5))
    assert repr(simulate_path(inputs, 1, 5)) != repr(simulate_path(inputs, 1, 6))


def test_a_driver_that_is_off_moves_no_other_draw() -> None:
    inputs = dataclasses.replace(study(3), switches=dict.fromkeys(SWITCHES, True))
    off = dataclasses.replace(inputs, switches={**inputs.switches, "power": False})
    on_path, off_path = simulate_path(inputs, 1, 5), simulate_path(off, 1, 5)
    assert on_path.market.power != off_path.market.power
    assert on_path.market.tightness == off_path.market.tightness
    assert on_path.name_default_month == off_path.name_default_month


def test_prices_stay_calm_without_shocks() -> None:
    inputs = dataclasses.replace(study(3), horizon=72)
    path = reference_path(inputs)
    assert max(abs(q) for q in path.price_deviation) < 0.2


def test_no_shocks_is_the_reference_path() -> None:
    inputs = study(3)
    inputs = dataclasses.replace(
        inputs,
        parameters=inputs.expected.parameters,
        sofr_forwards=(),
        path=None,
        switches={**dict.fromkeys(SWITCHES, False), "supply": False},
    )
    outcome = simulate_path(inputs, 1, 0)
    reference = reference_path(inputs)
    assert outcome.market.tightness == pytest.approx(reference.tightness[1:], abs=1e-12)
    assert outcome.market.stress == pytest.approx([0.0] * inputs.horizon, abs=1e-12)


def test_studies_reach_every_status(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    reached = {
        status
        for _, outcome in outcomes
        for asset in outcome.assets.values()
        for status in asset.statuses
    }
    assert reached == {status.value for status in Status}


def test_compensator_keeps_the_default_curve() -> None:
    inputs = dataclasses.replace(study(5), horizon=18, copula_nu=4.0)
    pilot = Pilot(inputs, paths=40)
    name = dataclasses.replace(inputs.book.names[0], beta=1.0, hazard_per_year=(0.1, 0.2))
    c = pilot.solve(name)
    Lambda = 0.0
    for t in range(1, 19):
        h = 0.1 if t <= 12 else 0.2
        Lambda = Lambda + h / 12.0 * np.exp(pilot.stress[t] - c[t - 1])
    expected = -math.expm1(-(0.1 + 0.2 * 0.5))
    assert pilot.default_probability(name, Lambda) == pytest.approx(expected, abs=1e-12)


def test_compensator_of_a_name_without_stress_is_zero() -> None:
    inputs = dataclasses.replace(study(5), horizon=12)
    names = tuple(dataclasses.replace(name, beta=0.0) for name in inputs.book.names)
    inputs = dataclasses.replace(inputs, book=dataclasses.replace(inputs.book, names=names))
    assert all(set(c) == {0.0} for c in solve_compensator(inputs, paths=2).values())


def test_take_or_pay_box_repays_in_two_and_a_half_years() -> None:
    """Revenue half of cost a year, 80% margin, 85% loan to cost, 10%: 28.8 months, all swept."""
    inputs = study(3)
    inputs = dataclasses.replace(
        inputs, horizon=36, parameters=inputs.expected.parameters, path=None, sofr_forwards=()
    )
    inputs = dataclasses.replace(inputs, switches=dict.fromkeys(SWITCHES, False))
    book = inputs.book
    generation = book.generations[0]
    site = Site("site", "A", 0.0, True, 1.0, False, 0.0)
    name = Name("name", (0.0,), 0.0, True, True, False, "", "")
    sponsor = Sponsor("sponsor", 100.0, 0.0, 0.0, 0.0)
    contract = Contract("contract", "box", "name", "", 0.0, 1.0, 60, 1.0, 0.0, 1.0, "USD")
    asset = Asset("asset", "box", "contract", "site", 1e4, 1000.0, True, -2, 0, True, False)
    box = dataclasses.replace(
        book.boxes[0],
        id="box",
        sponsor="sponsor",
        generation=generation.name,
        power_hedged=1.0,
        colo_usd_per_kw_month=0.0,
        triple_net=False,
        operations_share=0.10,
        useful_life_months=0,
        reserve_months=0.0,
        power_reserve_months=0.0,
        sweep_share=1.0,
        sweep_threshold=0.0,
        ltc_trigger=0.0,
        ltv_trigger=0.0,
        equity0=math.nan,
    )
    loan = dataclasses.replace(
        next(tr for n in STUDIES for tr in study(n).book.tranches if tr.box),
        id="loan",
        box="box",
        sponsor="sponsor",
        rank=0,
        commitment=850.0,
        balance0=850.0,
        available_until=0,
        maturity=60,
        fixed=True,
        rate=0.10,
        amortisation=Amortisation.LEVEL,
        amortisation_start=1,
        balloon=0.0,
    )
    book = dataclasses.replace(
        book,
        names=(name,),
        sites=(site,),
        contracts=(contract,),
        assets=(asset,),
        boxes=(box,),
        tranches=(loan,),
        sponsors=(sponsor,),
    )
    curtailed = simulate_path(dataclasses.replace(inputs, book=book), 1, 0)
    unit = curtailed.assets["asset"].received[0]  # revenue of a month at 1 USD per GPU-hour
    priced = dataclasses.replace(contract, price=500.0 / 12.0 / unit)
    book = dataclasses.replace(book, contracts=(priced,))
    outcome = simulate_path(dataclasses.replace(inputs, book=book), 1, 0)
    balances = outcome.tranches["loan"].balances
    assert balances[27] > 0.0
    assert balances[28] == pytest.approx(0.0, abs=1e-9)
    month = outcome.boxes["box"].months[0]
    assert month["cfads"] == pytest.approx(400.0 / 12.0)
    assert outcome.tranches["loan"].loss_pv == 0.0
    assert outcome.boxes["box"].repaid_month == 29
