"""Terms of debt on boxes small enough to be worked out on paper; amounts in USD m."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.config.terms import Amortisation, ModelInputs, Overrun, Tranche
from simulator.selfcheck.book import Delivery, Setting, loan, study
from simulator.selfcheck.months import Run, run

pytestmark = pytest.mark.nojit

RATE = 0.12  # a month is 1%


def paid(
    tranches: Tranche | list[Tranche],
    months: int,
    *deliveries: Delivery,
    change: dict[str, Any] | None = None,
    **setting: Any,
) -> Run:
    """Run loans of a box; one delivery that earns plenty if none is given."""
    loans = [tranches] if isinstance(tranches, Tranche) else tranches
    inputs: ModelInputs = study(
        months, deliveries or [Delivery([500.0])], loans, Setting(**setting)
    )
    return run(replace(inputs, **(change or {})), unit=1.0)


def quarterly(**box: Any) -> dict[str, Any]:
    return {"payment_interval": 3, **box}


def test_a_quarterly_loan_accrues_simple_interest_and_pays_on_its_dates() -> None:
    one = paid(loan(100.0, 12, RATE), 12, box=quarterly())
    payment = 100.0 * 0.03 / (1.0 - 1.03**-4)
    service = one.interest + one.principal
    assert np.flatnonzero(service).tolist() == [2, 5, 8, 11]
    assert service[[2, 5, 8, 11]] == pytest.approx(payment)
    assert one.interest[2] == pytest.approx(3.0)
    assert one.loan["accrued"][:3] == pytest.approx([1.0, 2.0, 0.0])
    assert one.loan["discount"][:4] == pytest.approx(
        [1 / 1.01, 1 / 1.02, 1 / 1.03, 1 / 1.03 / 1.01]
    )
    assert one.loan["discount"] @ service == pytest.approx(100.0)


def test_between_payment_dates_cash_is_kept_not_paid_out() -> None:
    one = paid(loan(100.0, 12, RATE), 12, Delivery([30.0]), box=quarterly())
    line = one.lines
    assert line["collected_cash"][:3] == pytest.approx([30.0, 60.0, 0.0])
    payment = line["debt_service"][2]
    assert line["distributed"][:3] == pytest.approx([0.0, 0.0, 90.0 - payment])
    assert line["dscr"][2] == pytest.approx(90.0 / payment)  # three months against one payment


def test_payment_dates_count_back_from_the_latest_maturity() -> None:
    one = paid(loan(100.0, 10, RATE), 10, box=quarterly())
    assert np.flatnonzero(one.principal).tolist() == [0, 3, 6, 9]
    assert one.interest[0] == pytest.approx(1.0)  # the first period is a month


def test_a_quarterly_sweep_takes_its_share_of_the_quarter() -> None:
    one = paid(
        loan(100.0, 12, RATE),
        12,
        Delivery([30.0]),
        box=quarterly(sweep_share=0.5, sweep_threshold=1.0),
    )
    service = one.lines["debt_service"][2]
    assert one.lines["swept"][:3] == pytest.approx([0.0, 0.0, 0.5 * (90.0 - service)])


def test_the_reserve_of_a_quarterly_loan_looks_ahead_to_its_payments() -> None:
    one = paid(loan(100.0, 12, RATE), 12, box=quarterly(reserve_months=6.0))
    payment = 100.0 * 0.03 / (1.0 - 1.03**-4)
    assert one.box["reserve_target"][2] == pytest.approx(2.0 * payment)
    assert one.box["reserve_target"][8] == pytest.approx(payment)


def test_accrued_interest_joins_the_claim_at_a_default() -> None:
    first = loan(100.0, 24, RATE, amortisation=Amortisation.BULLET)
    box = quarterly(minimum_liquidity=1e12)  # nobody has that much: two tests name a default
    one = paid(first, 3, box=box, switches=("sponsor",))
    assert one.box["default_month"][-1] == 2.0
    assert one.loan["exposure"][1] == pytest.approx(102.0)
    assert one.loan["accrued"][1:] == pytest.approx(0.0)


def test_a_cap_and_a_step_of_the_coupon() -> None:
    terms = {"fixed": False, "rate_cap": 0.04, "floor": 0.02}
    steps = {"margin_step": 0.01, "margin_step_month": 3}
    one = paid(loan(100.0, 4, 0.03, **terms, **steps), 4, index=(0.01, 0.03, 0.05, 0.05))
    assert one.loan["coupon"] == pytest.approx([0.05, 0.06, 0.08, 0.08])


def test_a_swap_settles_on_the_capped_index() -> None:
    terms = {"fixed": False, "rate_cap": 0.04, "hedge_share": 1.0, "swap_rate": 0.03}
    one = paid(loan(120.0, 4, 0.0, **terms), 4, index=(0.06, 0.06, 0.06, 0.06))
    assert one.lines["hedge_settlement"][0] == pytest.approx(120.0 * (0.03 - 0.04) / 12.0)


def test_a_custom_schedule_pays_shares_of_the_first_balance() -> None:
    schedule = ((2, 0.1), (4, 0.3))
    terms = {"amortisation": Amortisation.CUSTOM, "schedule": schedule, "amortisation_start": 2}
    one = paid(loan(200.0, 6, RATE, **terms), 6)
    assert one.principal == pytest.approx([0.0, 20.0, 0.0, 60.0, 0.0, 120.0])


def test_a_custom_schedule_of_a_quarterly_loan_collects_its_months() -> None:
    schedule = ((1, 0.1), (2, 0.1), (5, 0.2))
    terms = {"amortisation": Amortisation.CUSTOM, "schedule": schedule}
    one = paid(loan(100.0, 6, RATE, **terms), 6, box=quarterly())
    assert one.principal == pytest.approx([0.0, 0.0, 20.0, 0.0, 0.0, 80.0])


def test_the_reserve_looks_ahead_along_a_custom_schedule() -> None:
    terms = {"amortisation": Amortisation.CUSTOM, "schedule": ((2, 0.5),)}
    one = paid(loan(100.0, 3, 0.0, **terms), 3, box={"reserve_months": 1.0})
    assert one.box["reserve_target"][0] == pytest.approx(50.0)


def test_sized_debt_draws_what_contracted_cash_carries() -> None:
    terms = {"amortisation": Amortisation.SIZED, "sculpt_dscr": 1.25, "commitment": 1000.0}
    one = paid(loan(0.0, 4, RATE, **terms), 4, Delivery([10.0, 20.0, 30.0, 40.0]))
    service = np.array([8.0, 16.0, 24.0, 32.0])
    assert one.interest + one.principal == pytest.approx(service)
    assert one.closing[0] + one.principal[0] == pytest.approx(
        service @ 1.01 ** -np.arange(1.0, 5.0)
    )
    assert one.lines["distributed"][0] == pytest.approx(2.0)  # the draw at t0 is no distribution


def test_sized_debt_that_starts_later_is_paid_out_when_it_is_drawn() -> None:
    sized = loan(
        0.0,
        4,
        RATE,
        id="sized",
        rank=1,
        amortisation=Amortisation.SIZED,
        amortisation_start=3,
        available_until=4,
        commitment=1000.0,
    )
    senior = loan(5.0, 4, RATE, amortisation=Amortisation.BULLET)
    one = paid([senior, sized], 4, Delivery([10.0]))
    capacity = 10.0 / 1.01 + 10.0 / 1.01**2
    drawn = one.lines["debt_drawn"]
    assert drawn == pytest.approx([0.0, capacity - 5.0, 0.0, 0.0])  # senior debt comes first
    assert one.lines["distributed"][1] == pytest.approx(10.0 - 0.05 + capacity - 5.0)
    assert one.lines["debt"][1] == pytest.approx(capacity)


def test_a_commitment_caps_sized_debt() -> None:
    terms = {"amortisation": Amortisation.SIZED, "commitment": 7.0}
    one = paid(loan(0.0, 4, RATE, **terms), 4, Delivery([10.0]))
    assert one.closing[0] + one.principal[0] == pytest.approx(7.0)


@pytest.mark.parametrize("amortisation", [Amortisation.LEVEL, Amortisation.STRAIGHT])
def test_prepayments_shorten_the_tail_or_lower_the_instalments(amortisation: Amortisation) -> None:
    def service(shorten: bool) -> tuple[Any, Any]:
        terms = {"amortisation": amortisation, "shorten": shorten}
        box = {"sweep_share": 0.1}
        one = paid(loan(100.0, 10, 0.0, **terms), 10, Delivery([50.0]), box=box)
        return one.principal, one.closing

    kept, balance = service(True)
    assert kept[:6] == pytest.approx(10.0)  # 15 a month with the sweep of 5: repaid in month 7
    assert balance[5] == pytest.approx(10.0)
    lowered, _ = service(False)
    assert lowered[1] == pytest.approx((100.0 - 15.0) / 9.0)


def test_a_missed_instalment_is_caught_up_or_left() -> None:
    def run_with(catch_up: bool) -> Run:
        rents = [20.0, 4.0, 20.0, 20.0, 20.0]
        return paid(loan(50.0, 5, 0.0, catch_up=catch_up), 5, Delivery(rents))

    caught, left = run_with(True), run_with(False)
    assert caught.principal == pytest.approx([10.0, 4.0, 16.0, 10.0, 10.0])
    assert left.principal == pytest.approx(
        [10.0, 4.0, 10.0, 10.0, 16.0]
    )  # with the last instalment
    assert left.loan["arrears"] == pytest.approx(0.0)
    assert left.box["arrears_months"] == pytest.approx(0.0)


def test_missed_interest_that_is_left_is_not_overdue() -> None:
    terms = {"catch_up": False, "amortisation": Amortisation.BULLET}
    one = paid(loan(100.0, 3, RATE, **terms), 3, Delivery([0.4, 0.4, 500.0]))
    assert one.closing[0] == pytest.approx(100.6)
    assert one.loan["arrears"] == pytest.approx(0.0)
    assert one.closing[-1] == pytest.approx(0.0)


@pytest.mark.parametrize("moves", [False, True])
def test_a_late_acceptance_moves_the_loan_only_if_it_does(moves: bool) -> None:
    terms = {"amortisation_start": 3, "moves_with_acceptance": moves}
    box = {"useful_life_months": 0}
    one = paid(
        loan(60.0, 8, 0.0, **terms),
        12,
        Delivery([30.0], month=1, commission=1),
        box=box,
        delay=2.0,
    )
    first = 5 if moves else 3
    instalments = one.loan["instalment"]
    assert np.flatnonzero(instalments)[0] + 1 == first
    assert one.loan["maturity"][-1] == (10.0 if moves else 8.0)
    assert instalments[first - 1] == pytest.approx(10.0)


def test_interest_during_construction_is_capitalised_or_paid() -> None:
    terms = {"commitment": 120.0, "available_until": 2, "amortisation_start": 3}

    def run_with(capitalises: bool) -> Run:
        machines = Delivery([500.0], cost=100.0, month=1, commission=1)
        debt = loan(0.0, 6, RATE, capitalises=capitalises, **terms)
        return paid(debt, 6, machines)

    added, out = run_with(True), run_with(False)
    assert added.closing[:2] == pytest.approx([101.0, 102.01])
    assert added.lines["equity_other"][:2] == pytest.approx([0.0, 0.0])
    assert out.closing[:2] == pytest.approx([100.0, 100.0])
    assert out.lines["equity_other"][:2] == pytest.approx([1.0, 1.0])


def overrun(who: Overrun, accordion: float = 0.0) -> Run:
    """A delivery planned at 100 that costs 130, half of it lent."""
    machines = Delivery([500.0], cost=100.0, month=1)
    debt = loan(0.0, 6, RATE, commitment=200.0, available_until=2, advance=0.5)
    inputs = study(6, [machines], [debt], Setting(box={"overrun": who, "accordion": accordion}))
    assert inputs.path is not None
    book = inputs.book
    assets = tuple(replace(one, price_fixed=False) for one in book.assets)
    dear = replace(inputs.path, capex_factor=1.3)
    return run(replace(inputs, path=dear, book=replace(book, assets=assets)), unit=1.0)


@pytest.mark.parametrize(
    ("who", "accordion", "drawn", "equity", "customer"),
    [
        (Overrun.SPONSOR, 0.0, 65.0, 65.0, 0.0),
        (Overrun.CUSTOMER, 0.0, 50.0, 50.0, 30.0),
        (Overrun.ACCORDION, 50.0, 30.0 + 50.0, 50.0, 0.0),
        (Overrun.ACCORDION, 10.0, 10.0 + 60.0, 60.0, 0.0),
    ],
)
def test_who_pays_an_overrun(
    who: Overrun, accordion: float, drawn: float, equity: float, customer: float
) -> None:
    line = overrun(who, accordion).lines
    assert line["capex"][0] == pytest.approx(130.0)
    assert line["debt_drawn"][0] == pytest.approx(drawn)
    assert line["equity_for_capex"][0] == pytest.approx(equity)
    assert line["overrun_of_customer"][0] == pytest.approx(customer)


def test_a_borrowing_base_limits_draws_to_depreciated_cost() -> None:
    machines = [
        Delivery([500.0], cost=100.0, month=1),
        Delivery([1.0], cost=100.0, month=7),
    ]
    terms = {
        "commitment": 500.0,
        "available_until": 12,
        "amortisation": Amortisation.BULLET,
        "depreciation_months": 60,
        "advance": 0.8,
        "capitalises": False,
    }
    plain = paid(loan(0.0, 24, RATE, **terms), 12, *machines)
    bound = paid(loan(0.0, 24, RATE, borrowing_base=True, **terms), 12, *machines)
    assert plain.lines["debt_drawn"][6] == pytest.approx(80.0)
    left = 0.8 * (100.0 * (1.0 - 6.0 / 60.0) + 100.0) - 80.0  # six months old, and new
    assert bound.lines["debt_drawn"][[0, 6]] == pytest.approx([80.0, left])


def test_a_ratio_trigger_steps_down_and_looks_past_the_instalment() -> None:
    box = {
        "ltv_trigger": 0.5,
        "ltv_step_down": 0.12,
        "ratio_cure_months": 1,
        "cures": 9,
    }
    straight = loan(51.0, 10, 0.0, amortisation=Amortisation.STRAIGHT)
    machines = Delivery([500.0], value=100.0)
    lines = (
        "operating_costs",
        "senior_fees",
        "senior_interest",
        "senior_principal",
        "distribution",
    )
    one = paid(
        straight,
        4,
        machines,
        box=box,
        switches=("sponsor",),
        waterfall=lines,
        values=(1.0, 0.9, 0.8, 0.8, 0.8),
    )
    # month 1: 45.9 after the instalment against 0.49 x 90; month 2: 40.8 against 0.48 x 80
    assert one.box["over_months"].tolist()[:2] == [1.0, 0.0]  # given in full: counted anew
    assert one.lines["cure"][:2] == pytest.approx([0.0, 40.8 - 0.48 * 80.0])


def test_trapped_cash_is_released_with_the_last_of_the_debt() -> None:
    box = {"lockup_dscr": 5.0}
    one = paid(loan(30.0, 3, 0.0), 4, Delivery([15.0]), box=box)
    assert one.lines["trapped_cash"] == pytest.approx([5.0, 10.0, 0.0, 0.0])
    assert one.lines["distributed"] == pytest.approx([0.0, 0.0, 15.0, 15.0])


def test_commissioning_is_a_term_of_the_delivery() -> None:
    slow = Delivery([1.0], month=1, commission=3)
    quick = Delivery([1.0], month=1, commission=0)
    one = paid([], 5, slow, quick)
    assert one.lines["receipts"] == pytest.approx([0.0, 1.0, 1.0, 1.0, 2.0])


@pytest.mark.parametrize("interval", [1, 3])
def test_no_cash_is_lost(interval: int) -> None:
    """What comes in is paid out or kept: reserve, trap, sweep and payment dates together."""
    rents = [30.0, 25.0, 20.0, 6.0, 5.0, 30.0, 40.0, 9.0, 8.0, 40.0, 40.0, 40.0]
    box = {
        "payment_interval": interval,
        "reserve_months": 3.0,
        "sweep_share": 0.5,
        "sweep_threshold": 1.1,
        "lockup_dscr": 2.3,
    }
    one = paid(loan(120.0, 12, RATE), 12, Delivery(rents, cost=60.0), box=box, costs=0.2)
    line = one.lines
    stocks = ("debt_service_reserve", "trapped_cash", "collected_cash")
    kept = np.sum([line[name] for name in stocks], axis=0)
    uses = ("operating_costs_paid", "senior_interest_paid", "senior_principal_paid", "swept")
    out = np.sum([line[name] for name in (*uses, "distributed")], axis=0)
    assert (line["receipts"] - out)[1:] == pytest.approx(np.diff(kept), abs=1e-12)
    assert (line["trapped_cash"] > 0.0).any()
    assert (line["swept"] > 0.0).any()
    assert (line["collected_cash"] > 0.0).any() == (interval > 1)
