"""Notes over a static pool with given defaults, by the waterfall of structures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.config.terms import Note, Structure
from simulator.engine.structures import run_structure
from simulator.selfcheck.months import Column, Result

__all__ = ["notes_of_a_pool"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def notes_of_a_pool(case: Mapping[str, Any]) -> Result:
    """Pay a pool's cash through notes.

    Parameters
    ----------
    case : mapping
        ``sizes`` and ``coupons`` of the notes, most senior first; ``pool_rate``, ``defaults``
        (share of the pool by month), ``recovery`` and ``recovery_lag``, ``months``, ``fee``,
        ``scheduled_principal_fraction_of_original``, ``mode`` and ``trigger``.
    """
    original = sum(case["sizes"])
    notes = tuple(
        Note(LETTERS[place], size / original, coupon)
        for place, (size, coupon) in enumerate(zip(case["sizes"], case["coupons"], strict=True))
    )
    in_order = case["mode"] == "sequential"
    trigger = float(case.get("trigger") or 0.0)
    structure = Structure("notes", (("pool", 1.0),), notes, case["fee"], in_order, trigger)
    cash = collections(case)
    found = run_structure(structure, original, cash)
    names = [note.id for note in notes]

    def by_note(row: str) -> dict[str, float]:
        return {name: float(found[row][-1, place]) for place, name in enumerate(names)}

    columns: dict[str, Column] = {
        "month": np.arange(1.0, case["months"] + 1.0),
        "pool_opening": cash["opening"],
        "defaults": cash["defaulted"],
        "scheduled_principal": cash["principal"],
        "recoveries": cash["recoveries"],
        "pool_interest": cash["interest"],
        "fee": np.minimum(cash["interest"], case["fee"] / 12.0 * cash["opening"]),
        "spread_cover": found["cover"],
        "residual": found["residual_now"],
        "unpaid_interest": found["unpaid"].sum(axis=1),
    }
    for place, name in enumerate(names):
        columns |= {
            f"int_{name}": found["interest_now"][:, place],
            f"prin_{name}": found["principal_now"][:, place],
            f"writedown_{name}": found["written_now"][:, place],
            f"bal_{name}": found["balance"][:, place],
        }
    written = by_note("written_down")
    senior = columns["prin_A"]
    figures = {
        "principal_paid": by_note("principal_paid"),
        "interest_paid": by_note("interest_paid"),
        "writedown": written,
        "loss_fraction": {
            name: written[name] / size for name, size in zip(names, case["sizes"], strict=True)
        },
        "residual_total": float(found["residual"][-1]),
        "switch_month": float(found["switched"][-1]),
        "total_defaults": float(cash["defaulted"].sum()),
        "WAL_A": float((senior * columns["month"]).sum() / senior.sum() / 12.0),
        "unpaid_interest_end": float(columns["unpaid_interest"][-1]),
        "closing_balances": by_note("balance"),
    }
    return Result(columns, figures)


def collections(case: Mapping[str, Any]) -> dict[str, Column]:
    """Return the cash of a static pool: defaults leave first, then interest and principal."""
    original = sum(case["sizes"])
    balance, later = original, np.zeros(case["months"] + case["recovery_lag"] + 1)
    rows = []
    for month in range(1, case["months"] + 1):
        opening = balance
        defaulted = float(case["defaults"].get(str(month), 0.0)) * original
        later[month + case["recovery_lag"]] += float(case["recovery"]) * defaulted
        alive = balance - defaulted
        principal = min(alive, case["scheduled_principal_fraction_of_original"] * original)
        if month == case["months"]:  # the pool matures
            principal = alive
        balance = alive - principal
        interest = case["pool_rate"] / 12.0 * alive
        rows.append((interest, principal, later[month], defaulted, opening, balance))
    names = ("interest", "principal", "recoveries", "defaulted", "opening", "closing")
    return dict(zip(names, np.array(rows).T, strict=True))
