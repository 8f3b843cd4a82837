"""Escalators, billing profiles and credit months against invoices worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.config.terms import Amortisation, MarketPath
from tests.reference.studies import base_parameters
from tests.unit.credit.books import Deal

pytestmark = pytest.mark.nojit
MONTHS = np.arange(1, 37)
PROFILE = ((5, 0.5), (20, 1.2))


SAFE = Deal().change("tranche", commitment=5.0, balance0=5.0)  # never near a default


def profile_of(months: np.ndarray) -> np.ndarray:
    return np.where(months < 5, 1.0, np.where(months < 20, 0.5, 1.2))


def test_the_price_steps_up_on_each_anniversary_of_acceptance() -> None:
    run = SAFE.change("asset", accepted=-7).change("contract", escalator=0.03).run()
    years = (MONTHS + 7) // 12
    np.testing.assert_allclose(run.lease("due"), 2.0 * 1.03**years * run.invoice, rtol=1e-12)
    np.testing.assert_array_equal(run.lease("price"), 2.0)  # the plain price stands


def test_a_profile_follows_the_calendar_and_compounds_with_the_escalator() -> None:
    run = SAFE.change("contract", billing=PROFILE, escalator=0.1).run()
    expected = 2.0 * profile_of(MONTHS) * 1.1 ** (MONTHS // 12)
    np.testing.assert_allclose(run.lease("due"), expected * run.invoice, rtol=1e-12)
    np.testing.assert_array_equal(run.lease("received"), run.lease("due"))


def test_a_late_delivery_earns_damages_on_the_profile_without_escalator() -> None:
    deal = SAFE.change("asset", accepted=None, planned_delivery=1, cost_delivered_at_t0=False)
    deal = deal.change("contract", billing=((5, 0.5),), escalator=0.5)
    deal = deal.change("tranche", balance0=0.0, available_until=24, maturity=90)
    stop = MarketPath((0.0,) * 37, 0.0, 1.0, 8.0, 1.0, ())  # eight months late
    run = replace(deal, path=stop, parameters=(("box.commission", 2.0),)).run()
    paid = (1.0 - base_parameters()["del.revenue_lost"]) * 2.0 * run.invoice
    late = (MONTHS > 3) & (MONTHS <= 11)
    expected = np.where(late, paid * np.where(MONTHS < 5, 1.0, 0.5), 0.0)
    billed = 2.0 * 0.5 * 1.5 ** ((MONTHS - 11) // 12) * run.invoice
    expected = np.where(MONTHS > 11, billed, expected)  # delivered in 9, accepted in 11
    np.testing.assert_allclose(run.line("receipts"), expected, rtol=1e-12)


def test_a_renewal_is_at_a_plain_market_price() -> None:
    deal = SAFE.change("contract", escalator=0.1, billing=PROFILE, term_months=12)
    run = replace(deal, parameters=(("cp.renew0", 0.95),), horizon=30).run()
    price, due, left = run.lease("price"), run.lease("due"), run.lease("months_left")
    assert left[11] == 24.0, "the customer was meant to stay: choose another seed"
    np.testing.assert_allclose(due[12:], price[12:] * run.invoice, rtol=1e-12)


def test_a_prepayment_is_credited_over_the_months_the_contract_says() -> None:
    deal = SAFE.change("contract", prepayment_share=0.25, credit_months=8, term_months=24)
    run = replace(deal, horizon=24).run()
    billed = 2.0 * run.invoice
    value = 24 * 2.0 * 1000 * 730 / 1e6  # at full availability
    credits = (MONTHS[:24] > 16) * 0.25 * value / 8
    np.testing.assert_allclose(run.lease("due"), billed - credits, rtol=1e-12)
    plain = replace(deal.change("contract", credit_months=36), horizon=24).run()
    np.testing.assert_allclose(plain.lease("due"), billed - 0.25 * value / 24, rtol=1e-12)


def test_debt_that_follows_contracted_cash_follows_the_profile() -> None:
    # cash halves from month 5 on and rises from month 20: so do sculpted payments
    deal = Deal().change("tranche", amortisation=Amortisation.SCULPTED, maturity=36)
    run = deal.change("contract", billing=PROFILE, escalator=0.05, term_months=60).run()
    service = run.line("senior_interest_due") + run.line("senior_principal_due")
    cover = run.line("cfads") / service
    np.testing.assert_allclose(cover, cover[0], rtol=1e-9)
    assert service[4] == pytest.approx(0.5 * service[3], rel=1e-9)
