"""The mutation check: its faults are real ones, and what it found stands with its reasons."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.children import allow, in_child
from tests.mutation.faults import put_in
from tests.mutation.report import PAGE, REASONS, RESULTS, page_of, read_table
from tests.mutation.sites import Site, drawn, mutated, sites_in, sites_of

SOURCE = '''"""No site: 12."""
YEAR: tuple[int, 12] = 12.0

def wage(rate, month, floor=1.0):
    """12 and 1."""
    due = -rate * 100.0 / 12.0
    if due >= floor and not month == 3:
        due += min(due, floor)
    return due[month + 1]
'''


@pytest.fixture(scope="module")
def every(root: Path) -> list[Site]:
    return sites_of(root)


def test_faults_of_every_kind(tmp_path: Path) -> None:
    file = tmp_path / "wage.py"
    file.write_text(SOURCE)
    found = {(site.kind, site.before, site.after) for site in sites_in(file, "wage.py")}
    assert found == {
        ("constant", "12.0", "13.200000000000001"),
        ("constant", "1.0", "0.0"),
        ("sign", "-rate", "rate"),
        ("operator", "-rate * 100.0", "-rate / 100.0"),
        ("constant", "100.0", "110.00000000000001"),
        ("operator", "-rate * 100.0 / 12.0", "-rate * 100.0 * 12.0"),
        ("twelfth", "-rate * 100.0 / 12.0", "-rate * 100.0"),
        ("comparison", "due >= floor", "due > floor"),
        ("comparison", "due >= floor", "due < floor"),
        ("logic", "due >= floor and (not month == 3)", "due >= floor or not month == 3"),
        ("logic", "not month == 3", "month == 3"),
        ("comparison", "month == 3", "month != 3"),
        ("constant", "3", "4"),
        ("operator", "due += min(due, floor)", "due -= min(due, floor)"),
        ("extreme", "min(due, floor)", "max(due, floor)"),
        ("operator", "month + 1", "month - 1"),
        ("month", "month + 1", "month"),
        ("month", "month", "month - 1"),
        ("constant", "1", "2"),
    }


def test_a_fault_is_one_change_on_the_same_lines(root: Path, every: list[Site]) -> None:
    for site in drawn(every, 40):
        source = (root / site.file).read_text(encoding="utf-8")
        before, after = (ast.dump(tree) for tree in (ast.parse(source), mutated(source, site)))
        assert before != after, site
        lines = [node.lineno for node in ast.walk(mutated(source, site)) if hasattr(node, "lineno")]
        assert max(lines) <= source.count("\n") + 1


def test_code_that_moves_keeps_its_ids(tmp_path: Path) -> None:
    file = tmp_path / "wage.py"
    file.write_text(SOURCE)
    before = [site.id for site in sites_in(file, "wage.py")]
    file.write_text(SOURCE.replace("def wage", "def other():\n    return 2 * 3\n\n\ndef wage"))
    after = {site.id for site in sites_in(file, "wage.py")}
    assert len(before) == len(set(before))
    assert set(before) < after


def test_the_draw(every: list[Site]) -> None:
    assert len({site.id for site in every}) == len(every) > 4_000
    assert {site.file.split("/")[1] for site in every} == {"drivers", "credit", "box", "sponsor"}
    few, many = drawn(every, 30), drawn(every, 200)
    assert many[:30] == few
    assert drawn(every, 30, seed=1) != few


def test_a_fault_acts_in_its_child_alone(root: Path, every: list[Site]) -> None:
    """Only of functions that the compiler leaves alone; the check itself runs without it."""
    from simulator.drivers import prices

    site = next(s for s in every if s.function == "pack_prices" and s.kind == "operator")
    before = prices.pack_prices.__code__

    def work(send) -> None:  # type: ignore[no-untyped-def]
        put_in(site, root)
        send(prices.pack_prices.__code__ != before)

    assert list(in_child(work)) == [True, None]
    assert prices.pack_prices.__code__ is before


def test_a_child_that_hangs_is_ended() -> None:
    def work(send) -> None:  # type: ignore[no-untyped-def]
        allow(0.2)
        send("begun")
        while True:
            pass

    assert list(in_child(work)) == ["begun", "out of time"]


def test_nine_in_ten_are_caught_and_each_other_has_its_reason() -> None:
    """Of those that change a number; what was found equivalent by hand may not carry the share."""
    rows = read_table(RESULTS)
    reasons = {row["id"]: row for row in read_table(REASONS)}
    caught = [row for row in rows if row["caught"]]
    others = [reasons[row["id"]] for row in rows if not row["caught"]]
    equivalent = [row for row in others if row["verdict"] == "equivalent"]
    assert len(rows) == 200
    assert len(caught) >= 0.9 * (len(rows) - len(equivalent))
    assert len(caught) >= 0.85 * len(rows)
    for row in others:
        assert row["verdict"] in ("equivalent", "untested")
        assert len(row["reason"].split()) >= 5


def test_the_page_is_what_the_tables_say(root: Path) -> None:
    page = (root / PAGE).read_text(encoding="utf-8")
    assert page_of(page) == page
