"""A book rolled forward to a new t0: what its base case says of it some months on.

The base case (`engine.base_case`) runs to the new month. Balances are what it leaves, deliveries
are accepted where it accepts them, debt that has matured is gone. What a rule had filled at the old
t0 and a contract fixes (prices, margins, swaps, dates) is written down, so that it is not filled
anew. All else stays as it was, and `Rolled.to_replace` names what only the user can know.

>>> import simulator
>>> simulator.roll("october/study.yaml", "2026-12", "november")  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from simulator.box.terms import TRANCHE
from simulator.config.crosscheck import parse_assumed
from simulator.config.errors import ConfigError, NeoboxError, Problems
from simulator.config.extension import read_extended
from simulator.config.study import Study, load_book
from simulator.config.tape import KEYS, ROWS, TABLES
from simulator.config.tape_reader import read_tape
from simulator.config.values import YearMonth
from simulator.credit.leases import CONTRACTED
from simulator.dataset.files import remove, write_text
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import TracedPath, trace_path

__all__ = ["RollError", "Rolled", "roll"]

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

LIST: Final = "to-replace.csv"

Cells = dict[str, Any]


class RollError(NeoboxError):
    """A book that its base case does not carry to the month that is asked for."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Rolled:
    """A study that was rolled forward.

    Attributes
    ----------
    study : Path
        The new study file, its tape beside it.
    to_replace : list of (str, str, str)
        Where, what stands there now, and what to replace it by; ``to-replace.csv`` holds the same.
    """

    study: Path
    to_replace: list[tuple[str, str, str]] = field(default_factory=list)


def roll(study: str | Path, to: str, out: str | Path) -> Rolled:
    """Roll a book forward along its base case.

    Parameters
    ----------
    study : path
        A study file of a book.
    to : str
        The new start month, "YYYY-MM".
    out : path
        Folder for ``study.yaml``, ``tape/`` and ``to-replace.csv``; it must be new or empty.

    Returns
    -------
    Rolled
        The new study loads; its horizon is as long as the old one.

    Raises
    ------
    RollError
        If the month does not lie within the horizon, a facility defaults in the base case before
        it, a custom schedule has begun by then, or files stand in the folder.
    """
    loaded, out = load_book(study), Path(out)
    month = YearMonth.parse(to)
    months = month - YearMonth.parse(loaded.resolved["study"]["start"])
    if not 1 <= months < loaded.inputs.horizon:
        start = loaded.resolved["study"]["start"]
        raise RollError(f"--to: {to} must lie after {start} and within the study's horizon")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RollError(f"{out}: files stand there; choose another folder with --out")
    path = trace_path(prepare_base_case(loaded.inputs), 0, 0)
    refuse_defaults(path, months)
    tables = rolled_tape(loaded, path, month, months)
    told = list(to_replace(loaded, path, tables, month, months))
    for table in TABLES:
        write_file(out / "tape" / f"{table}.csv", table_text(table, tables[table]))
    write_file(out / "study.yaml", study_text(loaded.path, month, out))
    write_file(out / LIST, list_text(told))
    load_book(out / "study.yaml")  # what cannot be loaded is told now
    return Rolled(out / "study.yaml", told)


def refuse_defaults(path: TracedPath, months: int) -> None:
    """Refuse a book that defaults in its base case before the new t0."""
    from simulator.engine.results import facilities_of

    struck = [
        f"{one.id} in month {month}"
        for one, month in zip(
            facilities_of(path.prepared.layout),
            path.scalars["facility_default_month"][0].astype(int),
            strict=True,
        )
        if 0 < month <= months
    ]
    if struck:
        raise RollError(
            f"the base case does not reach that month: {', '.join(struck)} defaults before; "
            "`neobox cashflow` shows why; mend the study, or write the new tape by hand"
        )


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
        if "schedule" in cells and begun(filled[name]["schedule"], month):
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


def begun(schedule: Any, month: YearMonth) -> bool:
    """Tell whether instalments of a custom schedule have fallen due."""
    return any(YearMonth.parse(due) <= month for due, _ in schedule or ())


def roll_assets(rows: list[Cells], path: TracedPath, month: YearMonth, months: int) -> None:
    """Write down the month in which the base case accepts a delivery."""
    at = {one.id: i for i, one in enumerate(path.prepared.layout.assets)}
    start = month.plus(-months)
    for cells in rows:
        if "accepted" in cells:
            continue
        status = path.trace.lease[:months, 0, at[str(cells["asset"])]]
        (paying,) = (status >= CONTRACTED).nonzero()
        if paying.size:
            cells["accepted"] = start.plus(int(paying[0]) + 1)
            assume(cells, "accepted", f"rolled along the base case to {month}")


def step_down(cells: Cells, month: YearMonth, months: int) -> None:
    """Bring ratio triggers down by what has passed; they come down from t0 on."""
    from simulator.config.tape import BoxRow

    row = BoxRow.model_validate(cells)
    for name in ("ltv_trigger", "ltc_trigger"):
        trigger = getattr(row, name)
        if row.ltv_step_down and trigger:
            cells[name] = round(trigger - row.ltv_step_down * months / 12.0, 10)
            assume(cells, name, f"stepped down by the roll to {month}")


def to_replace(
    study: Study,
    path: TracedPath,
    tables: Mapping[str, list[Cells]],
    month: YearMonth,
    months: int,
) -> Iterator[tuple[str, str, str]]:
    """Yield what the base case only guesses, or cannot know."""
    for cells in tables["debt"]:
        balance = cells["drawn_usd_m"]
        yield f"debt.{cells['tranche']}.drawn_usd_m", f"{balance:g}", "the balance reported"
    for cells in tables["assets"]:
        where = f"assets.{cells['asset']}"
        if "rolled" in str(cells.get("assumed", "")):
            yield f"{where}.accepted", str(cells["accepted"]), "the month of acceptance"
        elif "accepted" not in cells:
            told = str(cells.get("planned_delivery", ""))
            yield f"{where}.planned_delivery", told, "the plan as it stands now"
    for cells in tables["contracts"]:
        told = str(cells.get("moneyness0", "blank: 1"))
        yield f"contracts.{cells['contract']}.moneyness0", told, "market over contract price now"
    for cells in tables["boxes"]:
        if "equity0_usd_m" in cells:
            told = str(cells["equity0_usd_m"])
            yield f"boxes.{cells['box']}.equity0_usd_m", told, "the equity reported, or blank"
    gone = {str(row["tranche"]) for row in study.resolved["tape"]["debt"]} - {
        str(cells["tranche"]) for cells in tables["debt"]
    }
    for name in sorted(gone):
        yield f"debt.{name}", f"left out: matured by {month}", "what it was refinanced with, if so"
    for name, sponsor in study.resolved["study"]["sponsors"].items():
        for key in ("cash_usd_m", "market_value_usd_m"):
            yield f"sponsors.{name}.{key}", f"{sponsor.get(key)}, as before", "the balance sheet"
    for name, one in study.resolved["study"]["counterparties"].items():
        yield f"counterparties.{name}.rating", f"{one.get('rating')}, as before", "the rating now"
    yield "parameters", "as before", "today's prices, spreads, rates and supply (neobox calibrate)"
    for i, tranche in enumerate(path.prepared.layout.tranches):
        on_tape = any(row["tranche"] == tranche.id for row in study.resolved["tape"]["debt"])
        if not on_tape and path.trace.tranche[months - 1, 0, i] > 0.0:
            balance = path.trace.tranche[months - 1, 0, i]
            yield f"debt ({tranche.id})", f"{balance:g} in the base case", "the notes sold, if any"


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


def table_text(table: str, rows: Sequence[Cells]) -> str:
    """Return a table as CSV, without columns that are blank throughout."""
    columns = [one for one in ROWS[table].model_fields if any(one in cells for cells in rows)]
    columns = columns or [KEYS[table]]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def study_text(path: Path, month: YearMonth, out: Path) -> str:
    """Return the study with its new start, its tape beside it."""
    problems = Problems()
    tree = dict(read_extended(path, problems).tree)
    if problems:
        raise ConfigError(problems.found)
    tree.pop("extends", None)
    tree |= {"start": str(month), "tape": "tape"}
    for key in ("ratings_table", "correlations"):
        if isinstance(tree.get(key), str) and tree[key]:
            tree[key] = os.path.relpath(path.parent / tree[key], out)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)


def list_text(told: Sequence[tuple[str, str, str]]) -> str:
    """Return what is to be replaced as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["where", "now", "replace_by"])
    writer.writerows(told)
    return stream.getvalue()


def write_file(path: Path, text: str) -> None:
    """Write a file and its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RollError(f"{path}: could not write: {reason}; choose another --out") from error


def rolled_study(study: Path, to: str, out: Path) -> Study:
    """Roll a study into a folder, in the place of what an earlier roll has left there."""
    for name in ("study.yaml", LIST, "tape"):
        remove(out / name)
    return load_book(roll(study, to, out).study)
