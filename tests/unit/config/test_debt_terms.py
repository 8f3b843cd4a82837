"""Terms of debt on the tape: what they become, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.config.terms import Amortisation, Overrun, Tranche
from tests.unit.config.conftest import Draft


def tranche(draft: Draft, **cells: Any) -> Tranche:
    draft.row("debt", "TERM-A").update(cells)
    return next(one for one in draft.load().inputs.book.tranches if one.id == "TERM-A")


def test_a_tape_that_says_nothing_has_plain_terms(draft: Draft) -> None:
    book = draft.load().inputs.book
    for one in book.tranches:
        assert (one.rate_cap, one.margin_step, one.margin_step_month) == (None, 0.0, 0)
        assert (one.shorten, one.catch_up, one.capitalises) == (False, True, True)
        assert (one.moves_with_acceptance, one.borrowing_base, one.schedule) == (False, False, ())
    for box in book.boxes:
        assert (box.payment_interval, box.ratio_cure_months, box.ltv_step_down) == (1, 3, 0.0)
        assert (box.overrun, box.accordion) == (Overrun.SPONSOR, 0.0)
    assert all(one.commission_months is None for one in book.assets)


def test_terms_of_a_tranche(draft: Draft) -> None:
    one = tranche(
        draft,
        rate_cap="5%",
        margin_step_bp=50,
        margin_step_month="2028-11",
        prepayments="shorten",
        missed="left",
        maturity_moves="true",
        construction_interest="paid",
        borrowing_base="true",
    )
    assert (one.rate_cap, one.margin_step, one.margin_step_month) == (0.05, 0.005, 24)
    assert (one.shorten, one.catch_up, one.capitalises) == (True, False, False)
    assert one.moves_with_acceptance
    assert one.borrowing_base


def test_a_custom_schedule_starts_with_its_first_month(draft: Draft) -> None:
    one = tranche(draft, amortisation="custom", schedule="2027-11: 5%; 2028-11: 0.25")
    assert one.amortisation == Amortisation.CUSTOM
    assert one.schedule == ((12, 0.05), (24, 0.25))
    assert one.amortisation_start == 12


def test_sized_debt_is_not_drawn_before_it_is_sized(draft: Draft) -> None:
    draft.row("debt", "TERM-B").pop("drawn_usd_m")
    draft.row("debt", "TERM-B")["amortisation"] = "sized"
    one = next(one for one in draft.load().inputs.book.tranches if one.id == "TERM-B")
    assert (one.balance0, one.commitment) == (0.0, 360.0)
    assert one.amortisation_start == 1


def test_terms_of_a_box_and_of_a_delivery(draft: Draft) -> None:
    draft.row("boxes", "BOX-A").update(
        payment_interval_months=3,
        ratio_cure_months=0,
        ltv_step_down="5%",
        overrun="accordion",
        accordion_usd_m=25,
    )
    draft.row("assets", "A-1")["commission_months"] = 5
    book = draft.load().inputs.book
    box = next(one for one in book.boxes if one.id == "BOX-A")
    assert (box.payment_interval, box.ratio_cure_months, box.ltv_step_down) == (3, 0, 0.05)
    assert (box.overrun, box.accordion) == (Overrun.ACCORDION, 25.0)
    assert next(one for one in book.assets if one.id == "A-1").commission_months == 5


REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "custom without a schedule": ("debt", "TERM-A", {"amortisation": "custom"}, "schedule"),
    "a schedule without custom": ("debt", "TERM-A", {"schedule": "2028-01: 5%"}, "amortisation"),
    "shares above one": (
        "debt",
        "TERM-A",
        {"amortisation": "custom", "schedule": "2028-01: 60%; 2029-01: 60%"},
        "schedule",
    ),
    "a schedule before t0": (
        "debt",
        "TERM-A",
        {"amortisation": "custom", "schedule": "2026-01: 60%"},
        "schedule",
    ),
    "a cap below the floor": ("debt", "TERM-A", {"rate_cap": "1%", "floor": "2%"}, "rate_cap"),
    "a cap of a fixed rate": ("debt", "TERM-B", {"rate_cap": "5%"}, "rate_cap"),
    "a step without a month": ("debt", "TERM-A", {"margin_step_bp": 50}, "margin_step_month"),
    "a month without a step": (
        "debt",
        "TERM-A",
        {"margin_step_month": "2028-01"},
        "margin_step_bp",
    ),
    "box terms of HoldCo debt": ("debt", "NOTES-2031", {"missed": "left"}, "missed"),
    "an accordion of nothing": ("boxes", "BOX-A", {"overrun": "accordion"}, "accordion_usd_m"),
    "an idle accordion": ("boxes", "BOX-A", {"accordion_usd_m": 5}, "overrun"),
    "payments every two years": (
        "boxes",
        "BOX-A",
        {"payment_interval_months": 24},
        "payment_interval_months",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(draft: Draft, name: str) -> None:
    table, row, cells, path = REFUSED[name]
    draft.row(table, row).update(cells)
    assert draft.problem().path == path
