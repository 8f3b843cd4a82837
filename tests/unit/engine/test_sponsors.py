"""HoldCos by hand: the revolver, purchases, converts, new notes, the estate, opening value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.box.terms import TRANCHE
from simulator.config.study import Study
from simulator.config.terms import NEW_NOTES, ModelInputs
from simulator.sponsor.terms import SPONSOR as ROW
from tests.unit.engine.quiet import (
    SPONSOR,
    new_notes,
    note,
    of_sponsor,
    of_tranche,
    quiet,
    traced,
    with_sponsor,
)

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def calm(study: Study) -> ModelInputs:
    """Return the template's study with nothing going on."""
    return quiet(study.inputs)


def test_a_revolver_is_repaid_from_cash_beyond_three_months_of_costs(calm: ModelInputs) -> None:
    revolver = note("RCF", 60.0, commitment=100.0, rate=0.12, undrawn_fee=0.01, available_until=12)
    path = traced(with_sponsor(calm, revolver, cash=50.0))
    coupon, fee = 60.0 * 0.01, 40.0 * 0.01 / 12.0
    kept = 3.0 * coupon
    repaid = 50.0 - coupon - fee - kept
    balance = of_tranche(path, "RCF", TRANCHE.balance)
    assert balance[0] == pytest.approx(60.0 - repaid)
    assert of_tranche(path, "RCF", TRANCHE.undrawn)[0] == pytest.approx(40.0 + repaid)
    assert of_tranche(path, "RCF", TRANCHE.received)[0] == pytest.approx(repaid + coupon)
    assert of_sponsor(path, ROW.cash)[0] == pytest.approx(kept)
    coupon, fee = balance[0] * 0.01, (100.0 - balance[0]) * 0.01 / 12.0
    assert balance[1] == pytest.approx(balance[0] - (kept - fee - 4.0 * coupon))


def test_what_was_repaid_can_be_drawn_again(calm: ModelInputs) -> None:
    revolver = note("RCF", 60.0, commitment=100.0, available_until=12)
    path = traced(with_sponsor(calm, revolver, cash=100.0, purchases=((3, 130.0),)))
    np.testing.assert_allclose(of_tranche(path, "RCF", TRANCHE.balance)[:4], [0.0, 0.0, 90.0, 90.0])
    assert of_sponsor(path, ROW.default_month).max() == 0.0


def test_a_term_loan_is_not_repaid_early(calm: ModelInputs) -> None:
    loan = note("LOAN", 60.0, available_until=0)
    path = traced(with_sponsor(calm, loan, cash=1000.0))
    assert set(of_tranche(path, "LOAN", TRANCHE.balance)) == {60.0}


@pytest.mark.parametrize(("due", "month"), [(45.0, 0), (55.0, 3)])
def test_purchases_fall_due_in_their_month(calm: ModelInputs, due: float, month: int) -> None:
    path = traced(with_sponsor(calm, cash=50.0, purchases=((3, due), (99, 1000.0))))
    cash = of_sponsor(path, ROW.cash)
    assert of_sponsor(path, ROW.default_month)[-1] == month
    np.testing.assert_allclose(cash[:2], 50.0)
    if not month:
        np.testing.assert_allclose(cash[2:], 5.0)


@pytest.mark.parametrize(("value", "kept"), [(500.0, 0.8), (399.0, 1.0)])
def test_a_convert_is_settled_in_shares_if_they_are_worth_more(
    calm: ModelInputs, value: float, kept: float
) -> None:
    convert = note("CONVERT", 100.0, maturity=2, rate=0.12, conversion_value=400.0)
    path = traced(with_sponsor(calm, convert, cash=20.0, market_value=value))
    assert of_sponsor(path, ROW.retained)[-1] == pytest.approx(kept)
    balance, received = (
        of_tranche(path, "CONVERT", row) for row in (TRANCHE.balance, TRANCHE.received)
    )
    assert balance[0] == 100.0
    assert balance[1] == (0.0 if kept < 1.0 else 100.0)
    assert received[1] == pytest.approx(101.0 if kept < 1.0 else 1.0)
    np.testing.assert_allclose(of_sponsor(path, ROW.cash)[:2], [19.0, 18.0])
    np.testing.assert_array_equal(of_sponsor(path, ROW.principal_due)[:3], [0.0, 100.0, 0.0])


def test_new_notes_come_before_shares_up_to_their_limit(calm: ModelInputs) -> None:
    """10% of 1,000 can be borrowed: 60, then 40 of 70; shares give the rest."""
    issue = new_notes()
    path = traced(
        with_sponsor(calm, issue, market_value=1000.0, purchases=((1, 60.0), (2, 70.0)), cash=0.0)
    )
    balance, maturity, margin, coupon = (
        of_tranche(path, issue.id, row)
        for row in (TRANCHE.balance, TRANCHE.maturity, TRANCHE.margin, TRANCHE.coupon)
    )
    assert balance[0] == pytest.approx(60.0)
    assert maturity[0] == 61.0
    sofr, beta = calm.parameters["ir.r0"], calm.parameters["cs.hold_beta"]
    assert 0.5 * beta * 0.02 < margin[0] < 2.0 * beta * 0.06
    assert coupon[1] == pytest.approx(margin[0] + sofr, abs=0.003)
    interest = 60.0 * coupon[1] / 12.0
    assert balance[1] == pytest.approx(100.0)
    assert maturity[1] == 2.0 + math.floor(0.6 * 59.0 + 0.4 * 60.0 + 0.5)
    assert of_sponsor(path, ROW.raised)[0] == 0.0
    assert of_sponsor(path, ROW.raised)[1] == pytest.approx(30.0 + interest)


def test_a_sponsor_without_the_tranche_sells_shares_at_once(calm: ModelInputs) -> None:
    path = traced(with_sponsor(calm, market_value=1000.0, purchases=((1, 60.0),)))
    assert of_sponsor(path, ROW.raised)[0] == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("business", "paid"), [(0.0, (27.6, 0.0)), (60.0, (50.0, 5.2)), (400.0, (50.0, 50.0))]
)
def test_the_estate_pays_by_rank(study: Study, business: float, paid: tuple[float, float]) -> None:
    """92% of cash of 30 and half of the business: senior notes first, nothing beyond the claims."""
    calm = quiet(study.inputs, hold_estate_share=0.5, hold_estate_lag=3.0)
    debt = note("SENIOR", 50.0), note("JUNIOR", 50.0, rank=1)
    path = traced(with_sponsor(calm, *debt, cash=30.0, purchases=((2, 1e4),), other_value=business))
    assert of_sponsor(path, ROW.default_month)[-1] == 2.0
    for tranche, recovered in zip(debt, paid, strict=True):
        found = of_tranche(path, tranche.id, TRANCHE.recovered)
        assert found[3] == 0.0
        assert found[4] == pytest.approx(recovered)
        assert of_tranche(path, tranche.id, TRANCHE.balance)[-1] == pytest.approx(50.0 - recovered)


def test_business_outside_the_tape_makes_up_the_market_value(calm: ModelInputs) -> None:
    """Market value 400 + debt 100 - cash 30 = 470; 12 a year of it is handed over."""
    path = traced(
        with_sponsor(
            calm,
            note("NOTE", 100.0),
            cash=30.0,
            market_value=400.0,
            other_cash_per_year=12.0,
            other_value=math.nan,
        )
    )
    assert of_sponsor(path, ROW.other_value)[0] == pytest.approx(470.0)
    v = (1.0 + calm.parameters["eq.hurdle"]) ** (-1.0 / 12.0)
    handed_over = sum(v**t for t in range(1, 13))
    closing = v**12 * (30.0 + 12.0 - 100.0) + 470.0 - handed_over
    row = path.prepared.layout.sponsors.index(SPONSOR)
    assert path.outputs.sponsor_pnl[row, 0] == pytest.approx(closing - 400.0)
    assert path.outputs.sponsor_loss_share[row, 0] == pytest.approx(1.0 - closing / 400.0)


def test_without_opening_value_there_is_no_share(calm: ModelInputs) -> None:
    path = traced(with_sponsor(calm, note("NOTE", 100.0), cash=30.0, market_value=400.0))
    row = path.prepared.layout.sponsors.index(SPONSOR)
    assert path.outputs.sponsor_pnl[row, 0] == 0.0
    assert math.isnan(path.outputs.sponsor_loss_share[row, 0])


def test_short_of_cash_is_less_than_three_months_of_costs(calm: ModelInputs) -> None:
    path = traced(with_sponsor(calm, note("NOTE", 100.0, rate=0.12), cash=4.5))
    row = path.prepared.layout.sponsors.index(SPONSOR)
    np.testing.assert_array_equal(path.outputs.sponsor_short[:4, row, 0], [0.0, 1.0, 1.0, 1.0])


def test_issuers_of_notes_get_a_tranche_for_new_ones(study: Study) -> None:
    names = [tranche.id for tranche in study.inputs.book.tranches if not tranche.box]
    assert names == [f"Example Cloud{NEW_NOTES}", "NOTES-2031"]
