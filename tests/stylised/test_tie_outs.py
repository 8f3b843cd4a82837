"""Deals against the public record, by the engine itself (docs/book.md, "Checks").

The box that repays in 28.8 months, all cash swept, stands in `test_facts.py`; what needs no engine
in `tests/unit/book/test_tapes.py`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import simulator
from simulator.box.flows import LINES
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import TracedPath, trace_path

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

Array = NDArray[np.float64]


def base_case(study_file: Path) -> TracedPath:
    return trace_path(prepare_base_case(simulator.load_study(study_file).inputs), seed=0, path=0)


def lines_of(traced: TracedPath, box: str) -> dict[str, Array]:
    """Return the lines of a box by name, (month,)."""
    index = traced.prepared.layout.boxes.index(box)
    return dict(zip(LINES, traced.trace.flow[:, :, index].T, strict=True))


@pytest.fixture(scope="module")
def ddtl4() -> dict[str, Array]:
    """The box of DDTL 4.0 in the base case; t0 is November 2026, so March 2032 is month 64."""
    return lines_of(base_case(CONFIGS / "neocloud-2026.yaml"), "CCAC_VIII")


FIRST_INSTALMENT, MATURITY = 8, 64  # July 2027, March 2032


def test_ddtl4_amortises_to_nothing_by_march_2032(ddtl4: dict[str, Array]) -> None:
    """By its instalments alone: nothing is left to refinance, swept or in arrears."""
    debt = ddtl4["debt"]
    assert debt[FIRST_INSTALMENT - 2] > 8_000.0
    assert np.all(np.diff(debt[FIRST_INSTALMENT - 2 : MATURITY]) < 0.0)
    assert debt[MATURITY - 2] > 1.0
    assert debt[MATURITY - 1 :].max() < 1e-6
    for line in ("final_principal_due", "swept", "arrears_due", "shortfall"):
        assert ddtl4[line].max() < 1e-6, line


def test_cash_margin_of_ddtl4_at_a_cover_of_1_20(ddtl4: dict[str, Array]) -> None:
    """Cover of 1.20 on its service asks for 75-82% of revenue, and the tape's margin is that."""
    served = slice(FIRST_INSTALMENT - 1, MATURITY)
    revenue, service, cash = (
        ddtl4[line][served].sum() for line in ("receipts", "debt_service", "cfads")
    )
    assert 0.75 < 1.20 * service / revenue < 0.82
    assert 0.75 < cash / revenue < 0.82
    assert cash / service == pytest.approx(1.20, abs=0.03)


def test_ddtl1_from_its_closing_against_reported_balances() -> None:
    """Run from July 2023 without shocks: within 1% of every balance in the filings."""
    debt = lines_of(base_case(CONFIGS / "validation" / "ddtl1-2023.yaml"), "CCAC_II")["debt"]
    path = CONFIGS / "validation" / "reported_balances.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["facility"] == "CRWV_DDTL1"]
    assert len(rows) == 4
    differences = {}
    for row in rows:
        year, month = map(int, row["month"].split("-"))
        modelled = debt[12 * (year - 2023) + month - 7 - 1]  # element 0 is August 2023
        differences[row["month"]] = modelled / float(row["balance_usd_m"]) - 1.0
    shown = ", ".join(f"{month} {gap:+.2%}" for month, gap in differences.items())
    sys.stdout.write(f"DDTL 1.0, modelled over reported balance: {shown}\n")  # pytest -rP
    assert max(map(abs, differences.values())) < 0.01, shown
