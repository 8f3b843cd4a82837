"""Escalator, billing profile and credit months of a contract, as the tape gives them."""

from __future__ import annotations

import pytest

from simulator.config.terms import Contract
from tests.unit.config.conftest import Draft

NAME = "LAB-1"


def terms(draft: Draft) -> Contract:
    return next(one for one in draft.load().inputs.book.contracts if one.id == NAME)


def test_blanks_are_a_flat_price_and_three_years_of_credit(draft: Draft) -> None:
    contract = terms(draft)
    assert (contract.escalator, contract.billing, contract.credit_months) == (0.0, (), 36)


def test_months_of_a_profile_count_from_t0(draft: Draft) -> None:
    draft.study["start"] = "2026-11"
    draft.row("contracts", NAME).update(
        price_usd_per_gpu_hour=2.5, escalator="3%", credit_months=24,
        billing="2026-12: 0; 2027-06: 90%; 2028-01: 1.1",
    )  # fmt: skip
    contract = terms(draft)
    assert contract.billing == ((1, 0.0), (7, 0.9), (14, 1.1))
    assert (contract.escalator, contract.credit_months) == (0.03, 24)
    rows = draft.load().resolved["tape"]["contracts"]
    stored = next(row["billing"] for row in rows if row["contract"] == NAME)
    assert stored == "2026-12: 0.0; 2027-06: 0.9; 2028-01: 1.1"  # as a tape takes it again


@pytest.mark.parametrize(
    ("cells", "column", "expected", "mend"),
    [
        ({"billing": "2027-06 0.9"}, "billing", "month: multiplier", "writing 2027-06: 0.9"),
        ({"billing": "2028-01: 1; 2027-06: 0.9"}, "billing", "months in order", "sorting them"),
        ({"billing": "2027-06: 90"}, "billing", "between 0 and 5", "writing 0.9 for 10% less"),
        ({"billing": "2026-11: 0.9"}, "billing", "months after t0", "putting what holds at t0"),
        ({"escalator": "3"}, "escalator", "between -0.2 and 0.2", "writing 3% or 0.03, not 3"),
        ({"credit_months": 0}, "credit_months", "between 1 and 600", "at least 1"),
    ],
)
def test_what_a_profile_must_look_like(
    draft: Draft, cells: dict[str, object], column: str, expected: str, mend: str
) -> None:
    draft.study["start"] = "2026-11"
    draft.row("contracts", NAME).update({"price_usd_per_gpu_hour": 2.5, **cells})
    problem = draft.problem()
    assert problem.path == column
    assert expected in problem.expected
    assert mend in problem.mend


@pytest.mark.parametrize("cells", [{"escalator": "3%"}, {"billing": "2027-06: 0.9"}])
def test_no_rule_solves_a_price_that_changes(draft: Draft, cells: dict[str, object]) -> None:
    draft.row("contracts", NAME).update(
        {"price_usd_per_gpu_hour": "", "contract_value_usd_m": "", **cells}
    )
    problem = draft.problem()
    assert (problem.path, problem.expected) == ("price_usd_per_gpu_hour", "a price")
