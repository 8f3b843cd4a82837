"""Rolling a book forward: its base case goes on as if nothing had happened."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.config.study import Study, load_book
from simulator.config.template import write_template
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import TracedPath, trace_path
from simulator.rolling import RollError

pytestmark = pytest.mark.nojit


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return the study of a fresh template, from 2026-11 on."""
    return write_template(tmp_path / "october")[0]


def base_case(study: Study) -> TracedPath:
    return trace_path(prepare_base_case(study.inputs), 0, 0)


def edit(table: Path, row: str, **cells: str) -> None:
    """Change cells of a row of a table."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    next(one for one in rows if row in one.values()).update(cells)
    names = list(dict.fromkeys(name for one in rows for name in one))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("months", [1, 4, 7])
def test_the_base_case_goes_on(template: Path, tmp_path: Path, months: int) -> None:
    to = {1: "2026-12", 4: "2027-03", 7: "2027-06"}[months]
    before = load_book(template)
    after = load_book(simulator.roll(template, to, tmp_path / "new").study)
    old, new = base_case(before), base_case(after)
    at = [[one.id for one in path.prepared.layout.tranches] for path in (old, new)]
    assert at[0] == at[1]
    ahead = old.trace.tranche[months : months + 48, 0]
    assert np.allclose(new.trace.tranche[:48, 0], ahead, rtol=1e-3, atol=1e-3)
    assert not np.allclose(new.trace.tranche[:48, 0], old.trace.tranche[:48, 0], rtol=1e-3)
    contracted = [0, 1, 2]  # and B-1: their prices and terms are as they were
    for field in (1, 4):  # price, months left
        was = old.trace.lease[months + 12, field, contracted]
        assert np.allclose(new.trace.lease[12, field, contracted], was)
    start = {one.id: one.balance0 for one in after.inputs.book.tranches}
    told = dict(zip(at[0], old.trace.tranche[months - 1, 0], strict=True))
    assert start == pytest.approx(told, abs=1e-6)
    assert after.resolved["study"]["start"] == to


def test_twice_a_month_is_two_months(template: Path, tmp_path: Path) -> None:
    once = simulator.roll(template, "2027-01", tmp_path / "once").study
    half = simulator.roll(template, "2026-12", tmp_path / "half").study
    twice = simulator.roll(half, "2027-01", tmp_path / "twice").study
    balances = [
        [one.balance0 for one in load_book(at).inputs.book.tranches] for at in (once, twice)
    ]
    assert balances[0] == pytest.approx(balances[1], rel=1e-5)


def test_what_moved_is_marked_and_what_to_replace_is_told(template: Path, tmp_path: Path) -> None:
    rolled = simulator.roll(template, "2027-06", tmp_path / "new")
    with (tmp_path / "new" / "tape" / "assets.csv").open(newline="") as file:
        assets = {row["asset"]: row for row in csv.DictReader(file)}
    assert assets["A-1"]["accepted"] == "2026-09"
    assert assets["A-2"]["accepted"] == "2027-05"  # delivered in March, two months to commission
    assert "accepted: rolled along the base case to 2027-06" in assets["A-2"]["assumed"]
    derived = {(one.row, one.field): one for one in load_book(rolled.study).derived}
    assert derived["TERM-A", "drawn_usd_m"].assumed
    assert "rolled" in derived["TERM-A", "drawn_usd_m"].rule
    assert derived["SEARCH-1", "term_months"].rule == "as the debt"  # what was said stays
    where = [place for place, _, _ in rolled.to_replace]
    for place in (
        "debt.TERM-B.drawn_usd_m",
        "assets.A-2.accepted",
        "contracts.LAB-1.moneyness0",
        "sponsors.Example Cloud.cash_usd_m",
        "counterparties.Example Lab.rating",
        "parameters",
    ):
        assert place in where
    with (tmp_path / "new" / "to-replace.csv").open(newline="") as file:
        assert [row["where"] for row in csv.DictReader(file)] == where


def test_debt_that_has_matured_is_gone(template: Path, tmp_path: Path) -> None:
    tape = template.parent / "tape"
    edit(tape / "debt.csv", "TERM-B", maturity="2027-01", balloon="50%")
    edit(tape / "debt.csv", "NOTES-2031", maturity="2027-09")
    edit(tape / "boxes.csv", "BOX-A", ltv_trigger="80%", ltv_step_down="6%")
    rolled = simulator.roll(template, "2027-02", tmp_path / "new")
    book = load_book(rolled.study).inputs.book
    assert [one.id for one in book.boxes] == ["BOX-A"]
    assert {one.box for one in book.assets} == {"BOX-A"}
    assert book.boxes[0].ltv_trigger == pytest.approx(0.8 - 0.06 * 3 / 12)
    assert ("debt.TERM-B", "left out: matured by 2027-02") in [
        (place, now) for place, now, _ in rolled.to_replace
    ]


def test_a_balloon_stays_the_same_amount(template: Path, tmp_path: Path) -> None:
    edit(template.parent / "tape" / "debt.csv", "TERM-B", balloon="40%", amortisation="straight")
    old = base_case(load_book(template))
    new = base_case(load_book(simulator.roll(template, "2027-05", tmp_path / "new").study))
    at = [one.id for one in old.prepared.layout.tranches].index("TERM-B")
    assert np.allclose(new.trace.tranche[:36, 0, at], old.trace.tranche[6:42, 0, at], rtol=1e-6)


def test_refusals(template: Path, tmp_path: Path) -> None:
    for wrong in ("2026-11", "2025-01", "2099-01"):
        with pytest.raises(RollError, match="must lie after 2026-11"):
            simulator.roll(template, wrong, tmp_path / "new")
    with pytest.raises(RollError, match="expected a month"):
        simulator.roll(template, "December", tmp_path / "new")
    with pytest.raises(RollError, match="files stand there"):
        simulator.roll(template, "2026-12", template.parent)
    debt = template.parent / "tape" / "debt.csv"
    edit(debt, "TERM-B", amortisation="custom", schedule="2027-01: 10%; 2027-12: 20%")
    simulator.roll(template, "2026-12", tmp_path / "before")
    with pytest.raises(RollError, match=r"debt\.TERM-B: its custom schedule has begun"):
        simulator.roll(template, "2027-02", tmp_path / "after")
    assert not (tmp_path / "after").exists()
