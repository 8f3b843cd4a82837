"""A book rolled forward to a new t0: what its base case says of it some months on.

The base case (`engine.base_case`) runs to the new month. Balances are what it leaves, deliveries
are accepted where it accepts them, debt that has matured is gone. What a rule had filled at the old
t0 and a contract fixes (prices, margins, swaps, dates) is written down, so that it is not filled
anew. All else stays as it was, and `Rolled.to_replace` names what only the user can know.

>>> import simulator
>>> simulator.roll("october/study.yaml", "2026-12", "november")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from simulator.config.study import Study, load_book
from simulator.config.tape import TABLES
from simulator.config.values import YearMonth
from simulator.dataset.files import remove
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import TracedPath, trace_path
from simulator.engine.results import facilities_of
from simulator.rolling.cells import Cells, rolled_tape
from simulator.rolling.files import (
    RollError,
    list_text,
    moved,
    study_text,
    table_text,
    tree_of,
    write_file,
)

__all__ = ["LIST", "Rolled", "roll", "rolled_study"]

LIST: Final = "to-replace.csv"


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
    start = str(loaded.resolved["study"]["start"])
    try:
        month = YearMonth.parse(to)
    except ValueError as error:
        raise RollError(f"--to: {error}") from None
    months = month - YearMonth.parse(start)
    if not 1 <= months < loaded.inputs.horizon:
        raise RollError(f"--to: {to} must lie after {start} and within the study's horizon")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RollError(f"{out}: files stand there; choose another folder with --out")
    path = trace_path(prepare_base_case(loaded.inputs), 0, 0)
    refuse_defaults(path, months)
    tables = rolled_tape(loaded, path, month, months)
    told = list(to_replace(loaded, path, tables, month, months))
    tree = moved(tree_of(loaded.path), loaded.path.parent, out)
    tree |= {"start": str(month), "tape": "tape"}
    for table in TABLES:
        write_file(out / "tape" / f"{table}.csv", table_text(table, tables[table]))
    write_file(out / "study.yaml", study_text(tree))
    write_file(out / LIST, list_text(told))
    load_book(out / "study.yaml")  # what cannot be loaded is told now
    return Rolled(out / "study.yaml", told)


def rolled_study(study: Path, to: str, out: Path) -> Study:
    """Roll a study into a folder, in the place of what an earlier roll has left there."""
    for name in ("study.yaml", LIST, "tape"):
        remove(out / name)
    return load_book(roll(study, to, out).study)


def refuse_defaults(path: TracedPath, months: int) -> None:
    """Refuse a book that defaults in its base case before the new t0."""
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
