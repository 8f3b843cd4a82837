"""What the terms of a loan and the standing of its sponsor do to those who lend, on the same paths.

Guarantees, reserves and longer contracts lower their loss, forced sales and contagion raise it.
Covenants and faster repayment are no theorems: what they do to this box is said with its sign.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.analytics.estimators import mean_difference
from simulator.config.study import load_study
from simulator.config.template import write_template
from simulator.config.terms import Amortisation, Book, ModelInputs, Name, Recourse
from simulator.engine.prepare import prepare

PATHS = 1_000
BLOCK = 125
HORIZON = 60
ERRORS = 3.0

Losses = NDArray[np.float64]


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> ModelInputs:
    """Return a sponsor with one box, whose two-year lease ends long before its debt does."""
    path = write_template(tmp_path_factory.mktemp("facts"))[0]
    inputs = load_study(
        path, {"horizon_months": HORIZON, "drivers.compensator": False, "drivers.easing": False}
    ).inputs
    book: Book = inputs.book
    parent = Name("Parent", (0.0,), 0.0, False, True, False, "", "")
    return replace(
        inputs,
        book=replace(
            book,
            names=(*book.names, parent),
            boxes=tuple(replace(b, recourse=Recourse.NONE) for b in book.boxes if b.id == "BOX-B"),
            assets=tuple(
                replace(a, contract="LAB-1", accepted=0) for a in book.assets if a.box == "BOX-B"
            ),
            contracts=tuple(
                replace(c, term_months=24, price=2.6) for c in book.contracts if c.id == "LAB-1"
            ),
            tranches=tuple(d for d in book.tranches if d.box != "BOX-A"),
        ),
    )


def lost(inputs: ModelInputs, tranche: str = "TERM-B") -> Losses:
    """Return the loss of a tranche by path, USD m."""
    prepared = prepare(inputs)
    outputs, state = prepared.outputs(PATHS), prepared.state(BLOCK)
    for first in range(0, PATHS, BLOCK):
        paths = np.arange(first, first + BLOCK, dtype=np.int64)
        prepared.run_block(state, 7, paths, outputs, first)
    names = [one.id for one in prepared.layout.tranches]
    return outputs.fields.tranche_loss[names.index(tranche)].copy()


def of_box(inputs: ModelInputs, **terms: Any) -> ModelInputs:
    """Return a study with other terms of its box."""
    boxes = tuple(replace(box, **terms) for box in inputs.book.boxes)
    return replace(inputs, book=replace(inputs.book, boxes=boxes))


def of_contract(inputs: ModelInputs, **terms: Any) -> ModelInputs:
    """Return a study with other terms of its contract."""
    contracts = tuple(replace(one, **terms) for one in inputs.book.contracts)
    return replace(inputs, book=replace(inputs.book, contracts=contracts))


def of_debt(inputs: ModelInputs, **terms: Any) -> ModelInputs:
    """Return a study with other terms of its box's debt."""
    debt = tuple(replace(one, **terms) if one.box else one for one in inputs.book.tranches)
    return replace(inputs, book=replace(inputs.book, tranches=debt))


def switched(inputs: ModelInputs, **switches: bool) -> ModelInputs:
    """Return a study with other switches."""
    return replace(inputs, switches=dict(inputs.switches) | switches)


def in_a_world_of(inputs: ModelInputs, million: float) -> ModelInputs:
    """Return a study in a world with so many GPUs of the box's generation."""
    generations = tuple(
        replace(g, installed_base_m=million, base_grows=False) if g.name == "H200" else g
        for g in inputs.book.generations
    )
    return replace(inputs, book=replace(inputs.book, generations=generations))


def with_a_twin(inputs: ModelInputs) -> ModelInputs:
    """Return a study with a second box like the first, whose debt is a third larger."""
    book: Book = inputs.book
    box, contract = book.boxes[0], book.contracts[0]
    debt = next(d for d in book.tranches if d.box)
    twin = {"box": "TWIN"}
    return replace(
        inputs,
        book=replace(
            book,
            boxes=(box, replace(box, id="TWIN")),
            contracts=(contract, replace(contract, id="TWIN-1", **twin)),
            assets=(
                *book.assets,
                *(replace(a, id=f"T-{a.id}", contract="TWIN-1", **twin) for a in book.assets),
            ),
            tranches=(
                *book.tranches,
                replace(
                    debt, id="TWIN", facility="TWIN", balance0=debt.balance0 * 4.0 / 3.0, **twin
                ),
            ),
        ),
    )


def rises(low: Losses, high: Losses) -> bool:
    """Say whether a mean loss rises by more than chance, on the same paths."""
    change = mean_difference(high, low)
    return change.value > ERRORS * change.se


@pytest.mark.slow
def test_a_parent_guarantee_lowers_the_loss_of_lenders(weak: ModelInputs) -> None:
    guaranteed = of_box(weak, recourse=Recourse.FULL)
    assert rises(lost(guaranteed), lost(weak))


@pytest.mark.slow
def test_a_residual_guarantee_lowers_the_loss_of_lenders(weak: ModelInputs) -> None:
    some, much = (
        lost(of_contract(weak, residual_share=share, residual_guarantor="Parent"))
        for share in (0.4, 0.6)
    )
    assert rises(some, lost(weak))
    assert rises(much, some)


@pytest.mark.slow
def test_the_depth_of_the_market_decides_what_a_forced_sale_brings(weak: ModelInputs) -> None:
    shallow, deep = (lost(in_a_world_of(weak, million)) for million in (0.05, 5.0))
    assert rises(deep, shallow)
    assert np.all(shallow >= deep - 1e-9)


@pytest.mark.slow
def test_the_distress_of_another_box_spreads_through_its_sale(weak: ModelInputs) -> None:
    """No name, sponsor or covenant ties the two: only the market for their GPUs does."""
    rich = tuple(replace(one, cash=1e5) for one in weak.book.sponsors)
    alone = in_a_world_of(replace(weak, book=replace(weak.book, sponsors=rich)), 0.05)
    assert rises(lost(alone), lost(with_a_twin(alone)))


@pytest.mark.slow
def test_senior_notes_recover_at_least_as_much_as_junior_ones(weak: ModelInputs) -> None:
    book: Book = of_box(weak, recourse=Recourse.FULL).book
    note = next(d for d in book.tranches if d.id == "NOTES-2031")
    junior = replace(note, id="JUNIOR", facility="JUNIOR", rank=1)
    poor = tuple(replace(one, cash=60.0, market_value=800.0) for one in book.sponsors)
    inputs = replace(weak, book=replace(book, tranches=(*book.tranches, junior), sponsors=poor))
    first, second = lost(inputs, "NOTES-2031"), lost(inputs, "JUNIOR")
    assert np.all(second >= first - 1e-9)
    assert rises(first, second)


@pytest.mark.slow
def test_a_funded_reserve_lowers_the_loss_of_lenders(weak: ModelInputs) -> None:
    none, some, much = (lost(of_box(weak, reserve_months=months)) for months in (0, 3, 12))
    assert rises(some, none)
    assert rises(much, some)


@pytest.mark.slow
def test_a_longer_contract_lowers_the_loss_of_lenders(weak: ModelInputs) -> None:
    short, usual, long = (lost(of_contract(weak, term_months=term)) for term in (12, 24, 48))
    assert rises(usual, short)
    assert rises(long, usual)


@pytest.mark.slow
def test_lock_up_saves_little_and_a_default_level_nothing(weak: ModelInputs) -> None:
    """Cash is trapped only once cover is thin, and then there is little left to trap.

    A default level ends the box early, at a better price for its GPUs and without the cash to come:
    the two even out.
    """
    without = lost(of_box(weak, lockup_dscr=0.0, default_dscr=0.0))
    locked = lost(of_box(weak, lockup_dscr=1.5, default_dscr=0.0))
    assert rises(locked, without)
    assert without.mean() - locked.mean() < 0.05 * without.mean()
    change = mean_difference(lost(of_box(weak, lockup_dscr=0.0)), without)
    assert abs(change.value) < 0.02 * without.mean()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faster", "slower"),
    [
        ({"maturity": 31}, {}),
        ({"amortisation": Amortisation.STRAIGHT}, {}),
        ({}, {"balloon": 0.3}),
        ({"balloon": 0.3}, {"amortisation": Amortisation.BULLET}),
    ],
)
def test_faster_repayment_lowers_the_loss_where_the_contract_ends_before_the_debt(
    weak: ModelInputs, faster: dict[str, Any], slower: dict[str, Any]
) -> None:
    """What is repaid out of the contract is not owed when its end comes.

    It is no theorem: dearer instalments also breach cover earlier, which costs where the customer,
    not the end of the contract, is the risk.
    """
    assert rises(lost(of_debt(weak, **faster)), lost(of_debt(weak, **slower)))


@pytest.mark.slow
def test_what_is_off_is_not_there(weak: ModelInputs) -> None:
    """Renegotiation, the HoldCo and forced sales, each exactly absent."""
    bound = switched(weak, renegotiation=False)
    eager = replace(bound, parameters=dict(bound.parameters) | {"cp.reneg_h0_nig": 5.0})
    assert np.array_equal(lost(bound), lost(eager))
    assert not np.array_equal(lost(weak), lost(bound))
    alone = switched(weak, sponsor=False)
    poor = tuple(replace(one, cash=0.0, market_value=1.0) for one in weak.book.sponsors)
    assert np.array_equal(
        lost(alone), lost(replace(alone, book=replace(alone.book, sponsors=poor)))
    )
    deep = in_a_world_of(switched(weak, sponsor=False), math.inf)
    assert np.array_equal(lost(deep), lost(with_a_twin(deep)))
