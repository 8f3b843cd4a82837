"""Rating floors, efficiency loadings, cures and reserves, as tape and study give them."""

from __future__ import annotations

import pytest

from simulator.config.terms import Box, Contract, Name
from simulator.config.values import UNLIMITED
from tests.unit.config.conftest import Draft


def box(draft: Draft, name: str = "BOX-A") -> Box:
    return next(one for one in draft.load().inputs.book.boxes if one.id == name)


def name_of(draft: Draft, name: str) -> Name:
    return next(one for one in draft.load().inputs.book.names if one.id == name)


def contract(draft: Draft, name: str) -> Contract:
    return next(one for one in draft.load().inputs.book.contracts if one.id == name)


def test_blanks_are_neutral(draft: Draft) -> None:
    plain, customer = box(draft), name_of(draft, "Example Search")
    assert (plain.cures, plain.cure_months, plain.reserve_covers_costs) == (4, 0, False)
    assert (customer.efficiency_loading, customer.notch) == (0.0, 4.0)  # Aa3
    assert name_of(draft, "Example Lab").notch is None
    assert contract(draft, "SEARCH-1").rating_floor == 0.0


def test_terms_of_a_box(draft: Draft) -> None:
    draft.row("boxes", "BOX-A").update(
        cures="Unlimited", cure_months=2, reserve_covers="debt_service_and_costs"
    )
    found = box(draft)
    assert (found.cures, found.cure_months) == (UNLIMITED, 2)
    assert found.reserve_covers_costs
    rows = draft.load().resolved["tape"]["boxes"]
    assert next(row["cures"] for row in rows if row["box"] == "BOX-A") == "unlimited"


def test_a_name_that_fails_with_efficiency_moves_with_the_market(draft: Draft) -> None:
    for name in draft.study["counterparties"]:
        draft.study["counterparties"][name]["beta"] = 0
    assert not draft.load().inputs.world.stressed
    draft.study["counterparties"]["Example Lab"]["efficiency_loading"] = 2
    inputs = draft.load().inputs
    assert name_of(draft, "Example Lab").efficiency_loading == 2.0
    assert inputs.world.stressed
    assert inputs.expected.stressed


def test_a_rating_floor_is_a_notch(draft: Draft) -> None:
    draft.row("contracts", "SEARCH-1")["rating_floor"] = "BBB-"
    assert contract(draft, "SEARCH-1").rating_floor == 10.0


@pytest.mark.parametrize(
    ("table", "row", "cells", "column", "expected", "mend"),
    [
        ("boxes", "BOX-A", {"cures": "many"}, "cures", "or unlimited", "or unlimited"),
        ("boxes", "BOX-A", {"cures": 1.5}, "cures", "a whole number", "or unlimited"),
        ("boxes", "BOX-A", {"reserve_covers": "all"}, "reserve_covers", "debt_service", ""),
        ("contracts", "SEARCH-1", {"rating_floor": "BB?"}, "rating_floor", "notch", "BB"),
        (
            *("contracts", "LAB-1", {"rating_floor": "B2"}, "rating_floor"),
            "a customer with a rating",
            "giving counterparties.Example Lab.rating",
        ),
        (
            *("contracts", "LAB-1", {"rating_floor": "B2", "offtaker": "Example Cloud"}),
            *("rating_floor", "a customer with a rating", "minimum_liquidity_usd_m"),
        ),
    ],
)
def test_what_is_refused(
    draft: Draft,
    table: str,
    row: str,
    cells: dict[str, object],
    column: str,
    expected: str,
    mend: str,
) -> None:
    draft.row(table, row).update(cells)
    problem = draft.problem()
    assert problem.path == column
    assert expected in problem.expected
    assert mend in problem.mend
