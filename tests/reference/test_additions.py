"""Each addition against arithmetic that can be done by hand, in a calm world of one box."""

from __future__ import annotations

import dataclasses
import math
import random
from itertools import pairwise
from typing import Any

import pytest

from simulator.config.terms import (
    Amortisation,
    Generation,
    ModelInputs,
    Note,
    Overrun,
    Structure,
)
from tests.reference import Outcome, reference_path, simulate_path
from tests.reference.additions import IN_ORDER
from tests.reference.calm import COST, REVENUE, UNDELIVERED, UNDRAWN, calm, stressed
from tests.reference.collateral import resale_curve, term_factor
from tests.reference.credit import counterparty_defaults, ratings
from tests.reference.debt import hold_payment, instalment
from tests.reference.leases import lenders_agree
from tests.reference.path import start, tranche_state
from tests.reference.state import TrancheState, World
from tests.reference.structures import run_structure
from tests.reference.studies import small_study

MONTH = 0.01  # interest of a month at 12%


def run(**changes: Any) -> Outcome:
    return simulate_path(calm(**changes), 1, 0)


def opened(inputs: ModelInputs) -> World:
    """The world at t0."""
    return start(inputs, 1, 0, reference_path(inputs))


def series(outcome: Outcome, line: str) -> list[float]:
    return [month[line] for month in outcome.boxes["box"].months]


@pytest.mark.parametrize("name", IN_ORDER)
def test_each_addition_moves_some_path_and_leaves_the_others_out(name: str) -> None:
    for number in range(60):
        plain = small_study(random.Random(number), additions=())
        changed = small_study(random.Random(number), additions={name})
        if plain != changed and repr(simulate_path(plain, 11, number)) != repr(
            simulate_path(changed, 11, number)
        ):
            return
    raise AssertionError(f"{name} moves nothing")


# ------------------------------------------------------------------ deal kinds


def hall(**changes: Any) -> Generation:
    usual = Generation(
        "Hall", 0.25, 0.25, 1.0, 12_000.0, 1.0, 60.0, False, is_hall=True, price_drift=0.04,
        tightness_share=0.25, steps_share=0.0, resale_curve=tuple(1 - n / 30 for n in range(1, 7)),
        resale_after=29 / 30, resale_beta=1.0, income_months=240, income_rate=0.08,
        memory_exposed=False, occupancy=0.92,
    )  # fmt: skip
    return dataclasses.replace(usual, **changes)


def test_rent_of_a_hall_follows_its_own_drift_and_a_quarter_of_tightness() -> None:
    inputs = calm()
    book = dataclasses.replace(inputs.book, generations=(*inputs.book.generations, hall()))
    expected = dataclasses.replace(inputs.expected, generations=book.generations)
    inputs = dataclasses.replace(inputs, book=book, expected=expected)
    market = simulate_path(inputs, 1, 0).market
    for t in (1, 12, 36):
        log_price = 0.04 * t / 12 + 0.25 * market.price_deviation[t - 1]
        assert market.contract_price["Hall"][t - 1] == pytest.approx(0.25 * math.exp(log_price))
        assert market.spot_price["Hall"][t - 1] == market.contract_price["Hall"][t - 1]
        assert market.dev["Hall"][t - 1] == pytest.approx(1.0)


def test_a_hall_loses_a_thirtieth_of_its_price_a_year_and_quotes_for_its_term() -> None:
    world = opened(calm())
    assert resale_curve(world, hall(), 36) == pytest.approx(0.9)
    assert resale_curve(world, hall(), 84) == pytest.approx(0.8 * 29 / 30)
    assert term_factor(world, hall(), 60) == 1.0
    assert term_factor(world, world.assets[0].generation, 60) < 1.0


def test_memory_does_not_touch_the_cost_of_a_hall() -> None:
    path = stressed(capex_factor=1.3)
    usual = calm(path=path, asset={**UNDELIVERED, "price_fixed": False}, loan=UNDRAWN)
    assert sum(series(simulate_path(usual, 1, 0), "capex")) == pytest.approx(1.3 * COST)
    generations = tuple(
        dataclasses.replace(one, memory_exposed=False) for one in usual.book.generations
    )
    book = dataclasses.replace(usual.book, generations=generations)
    exempt = dataclasses.replace(usual, book=book)
    assert sum(series(simulate_path(exempt, 1, 0), "capex")) == pytest.approx(COST)


def test_power_that_is_only_applied_for_comes_later_and_is_killed_more_often() -> None:
    def site(**changes: Any) -> Any:
        terms = {"energised": False, "delay_factor": 100.0, "kill_factor": 0.0, **changes}
        return opened(calm(on=("delivery",), site=terms)).sites["site"]

    assert site(delay_size_factor=2.0).delay == pytest.approx(2.0 * site().delay)
    assert not site().is_killed
    assert site(kill_factor=100.0).is_killed


def test_a_residual_guarantee_pays_what_the_value_misses_and_prepays_the_loan() -> None:
    """The lease ends in month 6 and is not renewed; 90 of 100 are guaranteed, at most 5."""
    terms = {"term_months": 6, "residual_share": 0.9}
    changes: dict[str, Any] = {"parameters": {"cp.renew0": 0.0}, "horizon": 12}
    outcome = run(contract=terms, **changes)
    worth = outcome.boxes["box"].months[5]["collateral"]
    assert worth < 85.0
    disposals = series(outcome, "disposals")
    assert disposals[6] == pytest.approx(90.0 - worth)
    assert sum(disposals) == pytest.approx(disposals[6])
    balances = outcome.tranches["loan"].balances
    assert balances[6] == pytest.approx(balances[5] * (1.0 + MONTH) - disposals[6])
    capped = run(contract={**terms, "residual_cap": 5.0}, **changes)
    assert sum(series(capped, "disposals")) == pytest.approx(5.0)


def test_an_asset_that_new_ones_would_outbid_is_sold_in_its_sixth_month() -> None:
    changes: dict[str, Any] = {
        "contract": {"term_months": 1, "moneyness0": 1e-6},  # market price next to nothing
        "parameters": {"cp.renew0": 0.0, "eq.hurdle": 0.0, "cp.relet_lag": 1.0},
        "loan": {"balance0": 0.0},
        "horizon": 24,
    }
    usual, scarce = run(**changes), run(site={"power_limited": True}, **changes)
    assert sum(series(usual, "disposals")) == 0.0
    statuses = scarce.assets["asset"].statuses
    first = statuses.index("merchant")
    sold = series(scarce, "disposals")
    month = next(t for t, amount in enumerate(sold) if amount > 0.0)
    assert month == first + 5
    assert statuses[month] == "gone"
    worth = scarce.boxes["box"].months[month]["collateral"]
    remarketing = calm().parameters["gpu.remarket_cost"]
    assert sold[month] == pytest.approx(worth * (1.0 - remarketing))


# ------------------------------------------------------------------ debt


def test_a_quarterly_loan_collects_cash_and_accrues_without_compounding() -> None:
    """60 in three instalments at 12%: 1.8 of interest and 20 in month 3; cash of three months."""
    loan = {"amortisation": Amortisation.STRAIGHT, "maturity": 9}
    outcome = run(loan=loan, box={"payment_interval": 3})
    tranche = outcome.tranches["loan"]
    assert tranche.receipts[:3] == pytest.approx([0.0, 0.0, 21.8])
    assert tranche.balances[:3] == pytest.approx([60.0, 60.0, 40.0])
    assert tranche.accrued[:3] == pytest.approx([0.6, 1.2, 0.0])
    months = outcome.boxes["box"].months
    assert [month["collected"] for month in months[:3]] == pytest.approx([10.0, 20.0, 0.0])
    assert [month["distribution"] for month in months[:3]] == pytest.approx([0.0, 0.0, 8.2])
    assert months[2]["paid_senior_interest"] == pytest.approx(1.8)


def test_a_quarterly_loan_is_covered_by_the_cash_of_its_quarter() -> None:
    loan = {"amortisation": Amortisation.STRAIGHT, "maturity": 9}
    outcome = run(loan=loan, box={"payment_interval": 3})
    months = outcome.boxes["box"].months
    assert months[2]["dscr"] == pytest.approx(30.0 / (20.0 + 1.8))
    assert math.isnan(months[1]["dscr"])


def test_present_values_of_a_quarterly_loan_add_up_to_par() -> None:
    loan = {"amortisation": Amortisation.LEVEL, "maturity": 12}
    inputs = calm(loan=loan, box={"payment_interval": 3})
    world = opened(inputs)
    tranche = world.boxes[0].tranches[0]
    receipts = simulate_path(inputs, 1, 0).tranches["loan"].receipts
    quarters = receipts[2:12:3]
    assert quarters == pytest.approx([60.0 * 0.03 / (1.0 - 1.03**-4)] * 4)
    assert sum(r / 1.03 ** (q + 1) for q, r in enumerate(quarters)) == pytest.approx(60.0)
    assert tranche.payments_left(4) == 3


def test_the_index_is_capped_and_the_margin_steps() -> None:
    loan = {
        "fixed": False,
        "rate": 0.02,
        "rate_cap": 0.03,
        "margin_step": 0.01,
        "margin_step_month": 13,
        "hedge_share": 0.5,
    }
    outcome = run(loan=loan)
    assert outcome.tranches["loan"].coupons[:13] == pytest.approx([0.05] * 12 + [0.06])
    assert series(outcome, "hedge")[0] == pytest.approx(0.5 * 60.0 * (0.05 - 0.03) / 12.0)


def test_a_custom_schedule_pays_its_shares_of_the_balance_at_the_fit() -> None:
    loan = {
        "amortisation": Amortisation.CUSTOM,
        "schedule": ((2, 0.1), (5, 0.15)),
        "maturity": 9,
    }
    box = {"sweep_share": 0.0}
    balances = run(loan=loan, box=box).tranches["loan"].balances
    assert balances[:5] == pytest.approx([60.0, 54.0, 54.0, 54.0, 45.0])


def test_a_sized_loan_draws_what_contracted_cash_carries_at_its_coverage() -> None:
    """Twelve months of 10 at 1%, over 1.25: service of 8 a month from month 7 on."""
    loan = {
        "amortisation": Amortisation.SIZED,
        "amortisation_start": 7,
        "maturity": 18,
        "balance0": 50.0,
        "commitment": 200.0,
        "available_until": 6,
    }
    outcome = run(loan=loan)
    capacity = 8.0 * (1.0 - 1.01**-12) / MONTH
    tranche = outcome.tranches["loan"]
    assert tranche.balances[5] == pytest.approx(capacity)
    assert tranche.late_draws[5] == pytest.approx(capacity - 50.0)
    assert series(outcome, "distribution")[5] == pytest.approx(REVENUE - 0.5 + capacity - 50.0)
    assert tranche.receipts[6:18] == pytest.approx([8.0] * 12)
    assert tranche.drawn_pv == pytest.approx(50.0 + (capacity - 50.0) / 1.01**6)


def test_a_sized_loan_is_drawn_at_t0_if_it_starts_there() -> None:
    loan = {
        "amortisation": Amortisation.SIZED,
        "maturity": 12,
        "balance0": 0.0,
    }
    outcome = run(loan={**loan, "commitment": 200.0})
    capacity = 8.0 * (1.0 - 1.01**-12) / MONTH
    assert outcome.tranches["loan"].opening == pytest.approx(capacity)
    assert outcome.tranches["loan"].drawn_pv == pytest.approx(capacity)
    assert outcome.boxes["box"].in_0 == pytest.approx(COST - capacity)
    small = run(loan={**loan, "commitment": 40.0})
    assert small.tranches["loan"].opening == pytest.approx(40.0)


def held(kind: Amortisation, **terms: Any) -> TrancheState:
    """A loan of 100 over ten months at 12% in its first month."""
    inputs = calm(loan={"amortisation": kind, "balance0": 100.0, "maturity": 10, **terms})
    tranche = opened(inputs).boxes[0].tranches[0]
    tranche.instalment = instalment(tranche, 1, 100.0, 0.12)
    hold_payment(tranche, 100.0)
    return tranche


def test_prepayments_shorten_the_tail_if_they_are_to() -> None:
    payment = 100.0 * MONTH / (1.0 - 1.01**-10)
    level = held(Amortisation.LEVEL, shorten=True)
    assert instalment(level, 3, 50.0, 0.12) == pytest.approx(payment - 0.5)
    assert instalment(level, 9, 4.0, 0.12) == pytest.approx(4.0)
    straight = held(Amortisation.STRAIGHT, shorten=True)
    assert instalment(straight, 3, 50.0, 0.12) == pytest.approx(10.0)
    again = held(Amortisation.STRAIGHT)
    assert instalment(again, 3, 50.0, 0.12) == pytest.approx(50.0 / 8.0)


def test_what_is_missed_is_left_in_the_balance_until_maturity() -> None:
    """No invoice for three months: no arrears, no default, the level payment stays."""
    loan = {
        "amortisation": Amortisation.LEVEL,
        "maturity": 12,
        "catch_up": False,
        "balance0": 60.0,
    }
    contract = {"billing": ((1, 0.0), (4, 1.0))}
    left = run(loan=loan, contract=contract)
    payment = 60.0 * MONTH / (1.0 - 1.01**-12)
    assert left.boxes["box"].default_month == 0
    assert left.tranches["loan"].balances[2] == pytest.approx(60.0 * 1.01**3)
    assert left.tranches["loan"].receipts[3:11] == pytest.approx([payment] * 8)
    overdue = run(loan={**loan, "catch_up": True}, contract=contract)
    assert overdue.boxes["box"].trigger == 2


def test_late_acceptance_moves_start_and_maturity() -> None:
    """Delivery in month 7 in place of 3, accepted two months later."""
    changes: dict[str, Any] = {"path": stressed(delay_months=4.0), "asset": UNDELIVERED}
    loan = {
        **UNDRAWN,
        "amortisation": Amortisation.STRAIGHT,
        "amortisation_start": 7,
        "maturity": 16,
        "moves_with_acceptance": True,
    }
    moved = run(loan=loan, **changes).tranches["loan"].balances
    falls = [t for t, (a, b) in enumerate(pairwise(moved), 2) if b < a]
    assert falls == list(range(11, 21))
    assert moved[19] == pytest.approx(0.0, abs=1e-9)
    stayed = run(loan={**loan, "moves_with_acceptance": False}, **changes)
    assert stayed.boxes["box"].trigger == 2  # nothing is earned before month 10


def test_equity_pays_interest_during_construction_if_it_does_not_capitalise() -> None:
    changes: dict[str, Any] = {"asset": UNDELIVERED}
    outcome = run(loan={**UNDRAWN, "capitalises": False}, **changes)
    assert outcome.tranches["loan"].balances[2] == pytest.approx(50.0)
    assert series(outcome, "construction_equity")[2:5] == pytest.approx([0.5] * 3)
    usual = run(loan=UNDRAWN, **changes)
    assert usual.tranches["loan"].balances[2] == pytest.approx(50.5)


def test_who_pays_an_overrun() -> None:
    """Capex of 120 for a plan of 100, the loan lends half: 60, 50, or 15 + 52.5."""
    changes: dict[str, Any] = {
        "path": stressed(capex_factor=1.2),
        "asset": {**UNDELIVERED, "price_fixed": False},
        "loan": {**UNDRAWN, "commitment": 90.0},
    }
    for box, drawn, equity in (
        ({}, 60.0, 60.0),
        ({"overrun": Overrun.CUSTOMER}, 50.0, 50.0),
        ({"overrun": Overrun.ACCORDION, "accordion": 15.0}, 67.5, 52.5),
    ):
        month = run(box=box, **changes).boxes["box"].months[2]
        assert month["capex"] == pytest.approx(120.0)
        assert month["draws"] == pytest.approx(drawn)
        assert month["capex_equity"] == pytest.approx(equity)


def test_a_borrowing_base_counts_the_debt_that_is_there() -> None:
    """Half of 100 less 20 that are drawn already."""
    loan = {**UNDRAWN, "balance0": 20.0, "capitalises": False}
    plain = run(asset=UNDELIVERED, loan=loan)
    based = run(asset=UNDELIVERED, loan={**loan, "borrowing_base": True})
    assert series(plain, "draws")[2] == pytest.approx(40.0)
    assert series(based, "draws")[2] == pytest.approx(30.0)


def test_a_ratio_trigger_looks_at_debt_after_the_instalment_and_steps_down() -> None:
    """Debt 60 − 5 against 0.55·100 at first; 0.12 a year less: 54 in month 1, 1 too much."""
    box = {"ltc_trigger": 0.55, "ratio_cure_months": 0, "cures": 9}
    loan = {"amortisation": Amortisation.STRAIGHT, "maturity": 12}
    assert series(run(box=box, loan=loan), "cure_asked")[0] == 0.0
    stepping = run(box={**box, "ltv_step_down": 0.12}, loan=loan)
    assert series(stepping, "cure_asked")[0] == pytest.approx(1.0)
    later = run(box={**box, "ltv_step_down": 0.12, "ratio_cure_months": 3}, loan=loan)
    assert series(later, "cure_asked")[0] == 0.0


def test_acceptance_waits_for_the_asset_s_own_commissioning() -> None:
    for months, accepted in ((None, 5), (0, 3), (6, 9)):
        asset = {**UNDELIVERED, "commission_months": months}
        assert run(asset=asset, loan=UNDRAWN).assets["asset"].accepted == accepted


# ------------------------------------------------------------------ covenants, contracts, names


def test_an_escalator_counts_years_since_acceptance_and_billing_calendar_months() -> None:
    received = run(contract={"escalator": 0.1}).assets["asset"].received
    assert received[10:13] == pytest.approx([10.0, 11.0, 11.0])
    assert received[23] == pytest.approx(12.1)
    stepped = run(contract={"billing": ((3, 0.5), (6, 1.5))}).assets["asset"].received
    assert stepped[:7] == pytest.approx([10.0, 10.0, 5.0, 5.0, 5.0, 15.0, 15.0])


def test_a_prepayment_is_credited_in_the_last_months_of_the_term() -> None:
    """A fifth of 24 months of 10, before curtailment, in the last six."""
    contract = {"term_months": 24, "prepayment_share": 0.2, "credit_months": 6}
    inputs = calm(contract=contract)
    prepaid = 0.2 * 24 * REVENUE / opened(inputs).sites["site"].availability
    received = simulate_path(inputs, 1, 0).assets["asset"].received
    assert received[17] == pytest.approx(10.0)
    assert received[18:24] == pytest.approx([10.0 - prepaid / 6.0] * 6)


def test_lenders_agree_to_what_coverage_bears() -> None:
    """Three months of 10 against 3 x 6: 30 − 3·cut ≥ 1.1·18 as long as the cut is 3.4."""
    world = opened(calm(on=("lender_consent",), parameters={"cp.consent_dscr": 1.1}))
    box, asset = world.boxes[0], world.assets[0]
    assert not lenders_agree(world, box, asset, 0.0)  # before there is a window
    box.window = [[10.0, 6.0]] * 3
    assert not lenders_agree(world, box, asset, 3.41)
    assert lenders_agree(world, box, asset, 3.0)
    assert not lenders_agree(world, box, asset, 0.41)  # after what was granted
    assert lenders_agree(world, box, asset, 0.39)
    box.tranches[0].balance = 0.0
    assert lenders_agree(world, box, asset, 9.0)


def test_lost_demand_raises_the_hazard_of_names_that_depend_on_it() -> None:
    name = {"hazard_per_year": (0.12,), "beta": 0.5, "efficiency_loading": 2.0}
    world = opened(calm(name=name))
    world.market.Delta.append(-0.3)
    world.market.stress.append(0.1)
    counterparty_defaults(world, 1, None)
    state = world.names["name"]
    assert state.hazard_multiplier == pytest.approx(math.exp(0.05 + 0.6))
    assert state.cumulative_hazard == pytest.approx(0.01 * math.exp(0.65))


def test_a_rating_follows_the_hazard_and_traps_cash() -> None:
    """Twice the hazard: ln 2/0.46 = 1.507 notches, from 8 to 10 rounded."""
    changes: dict[str, Any] = {
        "name": {"notch": 8.0},
        "on": ("counterparty_default",),
        "path": stressed(hazard_multiplier=2.0),
        "parameters": {"cp.notch_slope": 0.46, "cp.drift_sd": 0.0},
    }
    world = opened(calm(contract={"rating_floor": 9.0}, **changes))
    world.names["name"].hazard_multiplier = 2.0
    ratings(world, 1)
    assert world.names["name"].notch == 10
    assert series(run(contract={"rating_floor": 9.0}, **changes), "trap")[1] == pytest.approx(18.8)
    assert series(run(contract={"rating_floor": 10.0}, **changes), "trap")[1] == 0.0
    unrated = {**changes, "name": {"notch": None}}
    assert series(run(contract={"rating_floor": 9.0}, **unrated), "trap")[1] == 0.0


def test_a_reserve_for_costs_holds_months_of_them() -> None:
    """Three months of 0.6 of interest, and of 12% of 100 a year."""
    box = {"reserve_months": 3.0, "operations_share": 0.12, "triple_net": False}
    usual = opened(calm(box=box)).boxes[0].reserve
    covering = opened(calm(box={**box, "reserve_covers_costs": True})).boxes[0].reserve
    assert usual == pytest.approx(1.8)
    assert covering == pytest.approx(1.8 + 3.0)
    late = run(
        box={**box, "reserve_covers_costs": True},
        asset=UNDELIVERED,
        loan={**UNDRAWN, "maturity": 40},
    )
    balance = late.tranches["loan"].balances[4]
    assert late.boxes["box"].months[4]["reserve"] == pytest.approx(3.0 + 3 * balance * MONTH)


FAILING: dict[str, Any] = {"default_dscr": 20.0, "cures": 9}


def test_a_cure_may_still_come_in_the_months_of_its_period() -> None:
    """Asked in the second failing test, in month 2."""
    assert run(box=FAILING).boxes["box"].default_month == 2
    assert run(box={**FAILING, "cure_months": 3}).boxes["box"].default_month == 5
    used_up = {**FAILING, "cure_months": 3, "cures": 0}
    assert run(box=used_up).boxes["box"].default_month == 2


def test_lenders_waive_twice_for_a_fee_and_a_year_without_tests() -> None:
    parameters = {"box.waivers": 2.0, "box.waiver_fee": 0.005, "box.waiver_months": 12.0}
    outcome = run(box=FAILING, on=("amendments",), parameters=parameters)
    box = outcome.boxes["box"]
    fees = {t: month["waiver_fee"] for t, month in enumerate(box.months, 1) if month["waiver_fee"]}
    assert fees == pytest.approx({2: 0.3, 16: 0.3})  # months 3 to 14 without tests
    assert box.months[2]["paid_senior_fees"] == pytest.approx(0.3)
    assert (box.waivers, box.default_month, box.trigger) == (2, 30, 5)
    poor = run(box=FAILING, on=("amendments",), loan={"balance0": 400.0}, parameters=parameters)
    assert poor.boxes["box"].waivers == 0


# ------------------------------------------------------------------ sponsors


def sponsor_run(**changes: Any) -> Outcome:
    return run(
        on=("sponsor",), parameters={"hold.overhead": 0.0, **changes.pop("p", {})}, **changes
    )


def test_cash_to_spare_repays_what_can_be_drawn_again() -> None:
    """100 + 9.4 − 0.4 of coupon, less three months of it: 40 are repaid at once."""
    note = {"commitment": 40.0, "available_until": 30}
    outcome = sponsor_run(notes=(note,))
    assert outcome.tranches["note"].balances[0] == 0.0
    assert outcome.sponsors["sponsor"].cash[0] == pytest.approx(100.0 + 9.4 - 0.4 - 40.0)
    short = sponsor_run(notes=(note,), sponsor={"cash": 10.0}, horizon=12)
    assert short.sponsors["sponsor"].cash[0] == pytest.approx(1.2)
    assert short.tranches["note"].balances[0] == pytest.approx(40.0 - (10.0 + 9.0 - 1.2))


def test_purchases_are_due_in_their_month() -> None:
    usual = sponsor_run().sponsors["sponsor"].cash
    buying = sponsor_run(sponsor={"purchases": ((5, 30.0),)}).sponsors["sponsor"].cash
    assert [a - b for a, b in zip(usual, buying, strict=True)] == pytest.approx([0] * 4 + [30] * 32)


def test_converts_are_settled_in_shares_if_the_sponsor_is_worth_enough() -> None:
    note = {"maturity": 6, "conversion_value": 800.0}
    outcome = sponsor_run(notes=(note,), horizon=12)
    assert outcome.sponsors["sponsor"].retained == pytest.approx(1.0 / (1.0 + 40.0 / 800.0))
    assert outcome.tranches["note"].receipts[5] == pytest.approx(40.4)
    assert outcome.tranches["note"].balances[5] == 0.0
    dear = sponsor_run(notes=({**note, "conversion_value": 1200.0},), horizon=12)
    assert dear.sponsors["sponsor"].retained == 1.0
    assert dear.tranches["note"].balances[5] == pytest.approx(40.0)  # extended


def test_new_notes_come_before_new_shares() -> None:
    """60 too little in month 1: a tenth of 1,000 may be borrowed."""
    new = {"id": "sponsor.new_notes", "balance0": 0.0, "maturity": 0, "fixed": False, "rate": 0.0}
    sponsor = {"purchases": ((1, 169.4),)}
    outcome = sponsor_run(notes=(new,), sponsor=sponsor, p={"hold.borrow_share": 0.1})
    assert outcome.tranches["sponsor.new_notes"].balances[0] == pytest.approx(60.0)
    assert outcome.sponsors["sponsor"].retained == 1.0
    without = sponsor_run(sponsor=sponsor).sponsors["sponsor"]
    assert without.retained == pytest.approx(1000.0 / (1000.0 + 60.0 / 0.9))
    little = sponsor_run(notes=(new,), sponsor=sponsor, p={"hold.borrow_share": 0.04})
    assert little.tranches["sponsor.new_notes"].balances[0] == pytest.approx(40.0)
    assert little.sponsors["sponsor"].raised[0] == pytest.approx(20.0)


def test_an_estate_pays_rank_by_rank_and_counts_other_business() -> None:
    """Default in month 1 with 100 + 9.4 and a going concern of 50 of which half is found."""
    notes = (
        {"id": "first", "balance0": 80.0, "rank": 0},
        {"id": "second", "balance0": 100.0, "rank": 1},
    )
    sponsor = {"market_value": 0.0, "purchases": ((1, 900.0),), "other_value": 50.0}
    p = {"hold.estate_lag": 0.0, "hold.estate_share": 0.5}
    outcome = sponsor_run(notes=notes, sponsor=sponsor, p=p, horizon=2, box={"equity0": 0.0})
    equity = max(0.0, outcome.boxes["box"].months[0]["collateral"] - 60.0)
    estate = 0.92 * (109.4 + equity + 25.0)
    assert estate > 80.8
    assert outcome.tranches["first"].receipts[0] == pytest.approx(80.8)
    assert outcome.tranches["second"].receipts[0] == pytest.approx(min(101.0, estate - 80.8))


def test_other_business_counts_in_the_value_of_the_sponsor() -> None:
    plain, rich = sponsor_run(), sponsor_run(sponsor={"other_value": 50.0})
    gain = rich.sponsors["sponsor"].pnl - plain.sponsors["sponsor"].pnl
    assert gain == pytest.approx(0.0, abs=0.1)  # it earns the hurdle rate, but for stress
    paying = {"other_value": 50.0, "other_cash_per_year": 12.0}
    handed_over = sum(1.15 ** (-s / 12) for s in range(1, 37))
    more = sponsor_run(sponsor=paying).sponsors["sponsor"].pnl - rich.sponsors["sponsor"].pnl
    assert more == pytest.approx(36.0 * 1.15**-3 - handed_over, abs=0.1)
    blank = opened(calm(sponsor={"other_value": math.nan})).sponsors["sponsor"]
    assert blank.other_value == pytest.approx(1000.0 - 100.0 - (COST - 60.0))


def test_support_asks_for_more_than_it_costs() -> None:
    """A cure of a box that is worth it, unless the sponsor wants three times the outlay."""
    box = {"ltc_trigger": 0.55, "ratio_cure_months": 0, "cures": 9}
    assert series(sponsor_run(box=box), "cure")[0] == pytest.approx(5.0)
    assert series(sponsor_run(box=box, sponsor={"support_factor": 1e3}), "cure")[0] == 0.0


# ------------------------------------------------------------------ structures


def pool_member(
    balances: list[float], receipts: list[float], default_month: int = 0
) -> TrancheState:
    """A loan at 12% that was 100 at t0."""
    loan = next(one for one in calm().book.tranches if one.id == "loan")
    member = tranche_state(dataclasses.replace(loan, balance0=100.0, commitment=100.0))
    before = [100.0, *balances]
    member.opening, member.balances, member.receipts_by_month = 100.0, balances, receipts
    member.interest_by_month = [MONTH * balance for balance in before[:-1]]
    member.discounted_draws = [0.0] * len(balances)
    member.default_month = default_month
    return member


NOTES = (Note("senior", 0.6, 0.06), Note("middle", 0.2, 0.12), Note("junior", 0.2, 0.12))


def structure(**changes: Any) -> Structure:
    usual = Structure("notes", (("loan", 0.5),), NOTES, 0.0, True, 0.0)
    return dataclasses.replace(usual, **changes)


def test_notes_are_paid_in_order_or_pro_rata() -> None:
    """Half of a loan of 100 pays 1 + 10 in month 1: 0.5 + 5 for notes of 30, 10 and 10."""
    members = {"loan": pool_member([90.0], [11.0])}
    in_order = run_structure(structure(), members, 1)
    assert [note.interest_paid[0] for note in in_order.notes] == pytest.approx([0.15, 0.1, 0.1])
    assert [note.principal_paid[0] for note in in_order.notes] == pytest.approx([5.0, 0.0, 0.0])
    assert in_order.residual == pytest.approx([0.15])
    together = run_structure(structure(sequential=False), members, 1)
    assert [note.principal_paid[0] for note in together.notes] == pytest.approx([3.0, 1.0, 1.0])


def test_a_default_is_covered_by_excess_spread_and_written_down_from_below() -> None:
    """The loan defaults in month 2 at 100; a recovery of 40 comes in month 3."""
    member = pool_member([100.0, 100.0, 60.0], [1.0, 1.0, 40.0], default_month=2)
    outcome = run_structure(structure(fee=0.012), {"loan": member}, 3)
    senior, middle, junior = outcome.notes
    fee, excess = 0.05, 0.5 - 0.05 - 0.35
    assert outcome.residual[0] == pytest.approx(0.5 - fee - 0.35)
    assert senior.principal_paid == pytest.approx([0.0, excess, 0.0])
    assert [note.written_down for note in (senior, middle, junior)] == pytest.approx(
        [30.0 - excess, 10.0, 10.0]
    )
    assert outcome.residual[2] == pytest.approx(20.0)  # no reinstatement


def test_a_trigger_makes_payments_sequential_for_ever() -> None:
    late = pool_member([100.0, 100.0, 100.0], [1.0, 1.0, 0.0], default_month=2)
    good = pool_member([100.0, 90.0, 80.0], [1.0, 11.0, 10.9])
    terms = structure(members=(("late", 0.1), ("good", 1.0)), sequential=False, trigger_loss=0.05)
    outcome = run_structure(terms, {"late": late, "good": good}, 3)
    assert outcome.is_sequential == [False, True, True]
    assert outcome.notes[1].principal_paid == pytest.approx([0.0, 0.0, 0.0])
