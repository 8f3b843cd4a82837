"""`neobox cashflow`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from simulator.box.flows import LINES

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

SHORT = ("--set", "horizon_months=24")


def test_table_of_a_box(call: Call, template: Path) -> None:
    result = call("cashflow", template, "--facility", "TERM-A", *SHORT)
    assert result.exit_code == 0, result.output
    assert "TERM-A, paid by BOX-A" in result.stdout
    assert "DSCR" in result.stdout
    months = [line.split()[0] for line in result.stdout.splitlines() if line[:5].strip().isdigit()]
    assert months == [str(month) for month in range(1, 25)]
    assert result.stdout.count("year ") == 2


def test_every_line_as_csv_and_json(call: Call, template: Path, tmp_path: Path) -> None:
    file = tmp_path / "base.csv"
    result = call("cashflow", template, "--facility", "TERM-B", *SHORT, "--json", "--csv", file)
    found = json.loads(result.stdout)
    assert found["paid_by"] == "BOX-B"
    assert set(LINES) <= set(found["lines"])
    assert "TERM-B.balance" in found["lines"]
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 24
    for name in ("cfads", "TERM-B.balance"):
        assert [float(row[name]) for row in rows] == found["lines"][name]
    paid = sum(found["lines"]["senior_principal_paid"]) + sum(found["lines"]["swept"])
    assert paid > 0.0
    assert found["lines"]["TERM-B.balance"][-1] < found["lines"]["TERM-B.balance"][0]


def test_table_of_a_holdco(call: Call, template: Path) -> None:
    result = call("cashflow", template, "--facility", "NOTES-2031", *SHORT)
    assert result.exit_code == 0, result.output
    assert "paid by Example Cloud" in result.stdout


@pytest.mark.parametrize(("facility", "least"), [("TERM-A", 1.2), ("TERM-B", 1.3)])
def test_the_template_serves_its_debt(
    call: Call, template: Path, facility: str, least: float
) -> None:
    result = call("cashflow", template, "--facility", facility, "--json")
    assert "defaults" not in result.stderr
    covers = [one for one in json.loads(result.stdout)["lines"]["dscr"] if one is not None]
    assert min(covers) > least


def test_unknown_facility(call: Call, template: Path) -> None:
    result = call("cashflow", template, "--facility", "TERM-C", *SHORT)
    assert result.exit_code == 2
    assert "did you mean" in result.stderr
