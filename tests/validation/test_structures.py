"""Waterfalls of notes month by month against exact rational arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.config.terms import Note, Structure
from simulator.engine.structures import run_structure

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "cases" / "structures.json").read_text(encoding="utf-8")
)
NAMES = ("A", "B", "C")


def collections(case: dict[str, Any]) -> dict[str, np.ndarray]:
    """Cash of a static pool: defaults leave first, then interest and scheduled principal."""
    original = sum(case["sizes"])
    balance, later = original, np.zeros(case["months"] + case["recovery_lag"] + 1)
    rows = []
    for month in range(1, case["months"] + 1):
        opening = balance
        defaulted = float(case["defaults"].get(str(month), 0.0)) * original
        later[month + case["recovery_lag"]] += case["recovery"] * defaulted
        alive = balance - defaulted
        principal = min(alive, case["scheduled_principal_fraction_of_original"] * original)
        if month == case["months"]:  # the pool matures
            principal = alive
        balance = alive - principal
        interest = case["pool_rate"] / 12.0 * alive
        rows.append((interest, principal, later[month], defaulted, opening, balance))
    names = ("interest", "principal", "recoveries", "defaulted", "opening", "closing")
    return dict(zip(names, np.array(rows).T, strict=True))


@pytest.mark.nojit
@pytest.mark.parametrize("name", CASES)
def test_notes_are_paid_as_the_case_says(name: str) -> None:
    case = CASES[name]
    original = sum(case["sizes"])
    notes = tuple(
        Note(note, size / original, coupon)
        for note, size, coupon in zip(NAMES, case["sizes"], case["coupons"], strict=True)
    )
    trigger = case["trigger"] or 0.0
    structure = Structure(
        name, (("pool", 1.0),), notes, case["fee"], case["mode"] == "sequential", trigger
    )
    cash = collections(case)
    found = run_structure(structure, original, cash)
    table = dict(zip(case["columns"], np.array(case["rows"]).T, strict=True))
    for key, column in (("opening", "pool_opening"), ("recoveries", "recoveries")):
        np.testing.assert_allclose(cash[key], table[column], atol=1e-6)
    for column, row in (("cover", "spread_cover"), ("residual_now", "residual")):
        np.testing.assert_allclose(found[column], table[row], atol=1e-6, err_msg=column)
    for place, note in enumerate(NAMES):
        for row, column in (
            ("interest_now", f"int_{note}"),
            ("principal_now", f"prin_{note}"),
            ("written_now", f"writedown_{note}"),
            ("balance", f"bal_{note}"),
        ):
            np.testing.assert_allclose(
                found[row][:, place], table[column], atol=1e-6, err_msg=column
            )
    assert found["switched"][-1] == case["expected"]["switch_month"]
    paid = found["interest_paid"][-1].sum() + found["principal_paid"][-1].sum()
    received = sum(cash[key].sum() for key in ("interest", "principal", "recoveries"))
    assert paid + found["residual"][-1] == pytest.approx(received, abs=1e-6)
