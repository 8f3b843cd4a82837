"""The oracle must hold on its own: cash is conserved, nothing is negative, shocks off is calm."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest

from simulator.config.terms import SWITCHES, ModelInputs
from tests.reference import Outcome, reference_path, simulate_path
from tests.reference.studies import small_study

STUDIES = range(60)
SMALL = 1e-9


def study(number: int) -> ModelInputs:
    return small_study(random.Random(number))


@pytest.fixture(scope="module")
def outcomes() -> list[tuple[ModelInputs, Outcome]]:
    return [(study(n), simulate_path(study(n), seed=11, path=n)) for n in STUDIES]


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
                is_performing = box.default_month == 0 or t <= box.default_month
                if is_performing and month["cash_absorbed"] == 0.0 and box.closed_month != t:
                    sources = (
                        month["receipts"]
                        + month["prepayment_surplus"]
                        + month["support"]
                        + month["cure"]
                        + month["reserve_equity"]
                    )
                    fees = month["paid_senior_fees"] + min(0.0, month["senior_fees"])
                    uses = (
                        month["paid_operating_costs"]
                        + fees
                        + month["paid_senior_interest"]
                        + month["paid_senior_principal"]
                        + month["paid_junior_interest"]
                        + month["paid_junior_principal"]
                        + month["paid_sweep"]
                        + month["distribution"]
                    )
                    if kept is not None:
                        assert math.isclose(
                            kept + sources, accounts + uses, rel_tol=1e-12, abs_tol=SMALL
                        )
                if month["workout_paid"] > 0.0:
                    cash = month["workout_cash"] + month["sale_proceeds"]
                    cash += month["receivables_sold"] + month["recovery"]
                    assert cash >= month["workout_paid"] - SMALL
                kept = accounts


def test_capex_is_funded(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    for _, outcome in outcomes:
        for box in outcome.boxes.values():
            for month in box.months:
                prepaid = month["prepayment"] - month["prepayment_surplus"]
                funded = prepaid + month["draws"] + month["capex_equity"]
                assert math.isclose(month["capex"], funded, rel_tol=1e-12, abs_tol=SMALL)


def test_claims_earn_their_coupon(outcomes: list[tuple[ModelInputs, Outcome]]) -> None:
    """claim(t) = (claim(t−1) + draw)·(1 + y/12) − R once fees no longer capitalise."""
    for inputs, outcome in outcomes:
        for terms in inputs.book.tranches:
            tranche = outcome.tranches[terms.id]
            months = outcome.boxes[terms.box].months if terms.box else None
            claim = terms.balance0
            for t, balance in enumerate(tranche.balances):
                expected = claim + tranche.draws[t]
                expected *= 1.0 + tranche.coupons[t] / 12.0
                expected -= tranche.receipts[t]
                if months is None or months[t]["capitalised"] == 0.0:
                    assert math.isclose(balance, expected, rel_tol=1e-10, abs_tol=1e-8)
                claim = balance


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
        parameters=inputs.reference,
        switches={**dict.fromkeys(SWITCHES, False), "supply": False},
    )
    outcome = simulate_path(inputs, 1, 0)
    reference = reference_path(inputs)
    assert outcome.market.tightness == pytest.approx(reference.tightness[1:], abs=1e-12)
    assert outcome.market.stress == pytest.approx([0.0] * inputs.horizon, abs=1e-12)
