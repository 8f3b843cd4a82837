"""docs/validation.md: its tables are those of the cases of the package, and say what code gives."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from simulator.selfcheck import CASES
from simulator.selfcheck.folder import SHIPPED, cases_of, numbers, verdict

RUN_AGAIN = ("GPOOL-P1", "BLGD-P1", "ASB-P1", "BAS-P1", "BAS-P2")
"""Cases that cost little."""

CASE = {one["id"]: one for file in SHIPPED.glob("*.json") for one in cases_of(file)}


@pytest.fixture(scope="module")
def script(root: Path) -> Iterator[ModuleType]:
    sys.path.insert(0, str(root / "docs"))
    try:
        import make_validation

        yield make_validation
    finally:
        sys.path.remove(str(root / "docs"))


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "validation.md").read_text(encoding="utf-8")


def rows(page: str) -> dict[str, list[list[str]]]:
    """Cells of the rows that begin with the id of a case, by case."""
    found: dict[str, list[list[str]]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells[0] in CASE:
            found.setdefault(cells[0], []).append(cells)
    return found


def test_every_case_has_its_rows(page: str) -> None:
    assert set(rows(page)) == set(CASE), "run `make pages`"


def test_scores_are_what_the_columns_say(page: str) -> None:
    """Exact values are those of the case, and z is the deviation in standard errors."""
    scored = [
        (name, cells) for name, lines in rows(page).items() for cells in lines if len(cells) == 7
    ]
    assert len(scored) > 200
    for name, (_, _, quantity, exact, estimate, se, z) in scored:
        wanted = dict(numbers(CASE[name]["expected"]))[quantity.strip("`")]
        digits = len(exact.partition(".")[2])
        assert float(exact) == pytest.approx(wanted, abs=0.51 * 10.0**-digits), quantity
        assert abs(float(z)) < 4.0
        if float(se) > 20.0 * 10.0**-digits:  # enough digits to work it out again
            assert float(z) == pytest.approx((float(estimate) - wanted) / float(se), abs=0.12)


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_cases_come_to_what_the_page_says(name: str, script: ModuleType, page: str) -> None:
    one = verdict(CASE[name], replace(script.DRAWS, folder=SHIPPED).of(name))
    text = script.estimates([one]) if one.scores else script.exact_cases([one])
    for line in text.splitlines()[2:]:
        if line.startswith("|"):
            assert line in page, f"{line}: run `make pages`"


def test_kinds_and_what_is_left_out_are_told(script: ModuleType, page: str) -> None:
    for table in (
        script.table(("kind", "what it does", "told by"), script.kinds()),
        script.table(("kind", "why not"), script.outside()),
    ):
        assert table in page, "run `make pages`"
    assert all((kind.run is None) == bool(kind.reason) for kind in CASES.values())
