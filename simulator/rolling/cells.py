"""The tape some months on: cells that move, cells that must not, rows that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulator.box.terms import TRANCHE
from simulator.config.crosscheck import parse_assumed
from simulator.config.errors import Problems
from simulator.config.study import Study
from simulator.config.tape import KEYS, TABLES, BoxRow, DebtRow
from simulator.config.tape_reader import read_tape
from simulator.config.values import YearMonth
from simulator.credit.leases import CONTRACTED, MERCHANT
from simulator.engine.paths import TracedPath
from simulator.rolling.files import RollError

__all__ = ["Cells", "rolled_tape"]

KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "boxes": ("first_test",),
    "debt": (
        *("commitment_usd_m", "close", "draw_end", "maturity", "margin_bp", "swap_rate"),
        "amortisation_start",
    ),
    "contracts": ("price_usd_per_gpu_hour", "rent_usd_per_kw_month", "term_months"),
    "assets": ("gpus", "mw", "cost_usd_m", "planned_delivery", "accepted"),
}
"""Columns whose blanks were filled at the old t0 with what does not move with it."""

Cells = dict[str, Any]


def rolled_tape(
    study: Study, path: TracedPath, month: YearMonth, months: int
) -> dict[str, list[Cells]]:
    """Return the cells of the new tape: those given, those that must not move, those that did."""
    named = study.resolved["study"]["tape"]
    folders = [study.path.parent / one for one in ([named] if isinstance(named, str) else named)]
    raw = read_tape(folders, "tape", [], Problems())
    tables: dict[str, list[Cells]] = {}
    for table in TABLES:
        filled = {row[KEYS[table]]: row for row in study.resolved["tape"][table]}
        tables[table] = []
        for entry in raw.entries[table]:
            cells = {name: plain(value) for name, value in entry.cells.items()}
            keep(cells, filled[str(cells[KEYS[table]])], KEPT[table], month)
            tables[table].append(cells)
    roll_debt(tables, study, path, month, months)
    roll_assets(tables["assets"], path, month, months)
    for cells in tables["boxes"]:
        step_down(cells, month, months)
    return tables


def keep(cells: Cells, filled: Mapping[str, Any], names: Sequence[str], month: YearMonth) -> None:
    """Write down what a rule had filled at the old t0."""
    for name in names:
        if name in cells or filled.get(name) is None:
            continue
        if name.startswith(("price_", "rent_")) and "contract_value_usd_m" in cells:
            continue  # the value of the contract says it
        if name == "swap_rate" and filled.get("fixed_rate") is not None:
            continue
        if name == "amortisation_start" and (
            filled.get("box") is None or filled.get("amortisation") == "bullet"
        ):
            continue
        cells[name] = plain(filled[name])
        assume(cells, name, f"as a rule filled it before the roll to {month}")


def roll_debt(
    tables: dict[str, list[Cells]],
    study: Study,
    path: TracedPath,
    month: YearMonth,
    months: int,
) -> None:
    """Set balances; drop what has matured, and boxes that owe nothing any more."""
    at = {one.id: i for i, one in enumerate(path.prepared.layout.tranches)}
    filled = {row["tranche"]: row for row in study.resolved["tape"]["debt"]}
    left = []
    for cells in tables["debt"]:
        name = str(cells["tranche"])
        if YearMonth.parse(filled[name]["maturity"]) <= month:
            continue
        if begun(cells, month):
            raise RollError(
                f"debt.{name}: its custom schedule has begun by {month}; write its balance and "
                "what is left of the schedule by hand"
            )
        rows = path.trace.debt[months - 1, :, at[name]]
        if "balloon" in cells and rows[TRANCHE.balance] > 0.0:
            share = float(filled[name]["balloon"]) * rows[TRANCHE.opening] / rows[TRANCHE.balance]
            if rows[TRANCHE.opening] > 0.0:
                cells["balloon"] = round(min(1.0, share), 10)
        cells["drawn_usd_m"], cells["drawn_asof"] = round(float(rows[TRANCHE.balance]), 6), month
        assume(cells, "drawn_usd_m", f"rolled along the base case to {month}")
        left.append(cells)
    tables["debt"] = left
    owing = {str(cells["box"]) for cells in left if "box" in cells}
    for table in ("boxes", "contracts", "assets"):
        tables[table] = [cells for cells in tables[table] if str(cells["box"]) in owing]


def begun(cells: Cells, month: YearMonth) -> bool:
    """Tell whether instalments of a custom schedule have fallen due."""
    return any(due <= month for due, _ in DebtRow.model_validate(cells).schedule or ())


def roll_assets(rows: list[Cells], path: TracedPath, month: YearMonth, months: int) -> None:
    """Write down the month in which the base case accepts a delivery."""
    at = {one.id: i for i, one in enumerate(path.prepared.layout.assets)}
    start = month.plus(-months)
    for cells in rows:
        if "accepted" in cells:
            continue
        status = path.trace.lease[:months, 0, at[str(cells["asset"])]]
        (paying,) = ((status >= CONTRACTED) & (status <= MERCHANT)).nonzero()
        if paying.size:
            cells["accepted"] = start.plus(int(paying[0]) + 1)
            assume(cells, "accepted", f"rolled along the base case to {month}")


def step_down(cells: Cells, month: YearMonth, months: int) -> None:
    """Bring ratio triggers down by what has passed; they come down from t0 on."""
    row = BoxRow.model_validate(cells)
    for name in ("ltv_trigger", "ltc_trigger"):
        trigger = getattr(row, name)
        if row.ltv_step_down and trigger:
            cells[name] = round(trigger - row.ltv_step_down * months / 12.0, 10)
            assume(cells, name, f"stepped down by the roll to {month}")


def assume(cells: Cells, name: str, reason: str) -> None:
    """Mark a cell as assumed, in the place of what was said of it."""
    before = parse_assumed(str(cells.get("assumed", "")))
    said = [f"{key}: {why}" for key, why in before if key != name]
    cells["assumed"] = "; ".join([*said, f"{name}: {reason}"])


def plain(value: Any) -> Any:
    """Return a cell as a CSV file holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return YearMonth.parse(value) if hasattr(value, "year") else value
