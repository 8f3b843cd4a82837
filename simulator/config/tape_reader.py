"""The tape from disk: four tables, every row validated, every fault noted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Location
from simulator.config.messages import note_errors
from simulator.config.overrides import CellChange
from simulator.config.tables import RawRow, RawTable, open_workbook, read_csv, read_sheet
from simulator.config.tape import KEYS, ROWS, TABLES, Entry, Row, Tape


def read_tape(paths: Sequence[Path], place: str, changes: list[CellChange], out: Problems) -> Tape:
    """Read and validate the four tables.

    Parameters
    ----------
    paths
        Folders of CSV files, or workbooks; rows of all of them make one tape.
    place
        Where the study names it, for the message that it is missing.
    changes
        Cells to change before validation.
    out
        Takes the problems.

    Returns
    -------
    Tape
        With all rows; those that are not sound have no `row`.
    """
    tape = Tape()
    parts = [_raw_tables(path, place, out) for path in paths]
    for table in TABLES:
        sources = [part.get(table, RawTable(readable=False, complete=False)) for part in parts]
        readable = all(source.readable for source in sources)
        if not readable:
            tape.unreadable.add(table)
        if not all(source.complete for source in sources):
            tape.incomplete.add(table)
        tape.entries[table] = [
            _entry(table, row, changes, out) for source in sources for row in source.rows
        ]
        for change in changes:
            if change.table == table and not change.used and readable:
                _unused(change, tape, out)
    return tape


def _raw_tables(path: Path, place: str, out: Problems) -> dict[str, RawTable]:
    if path.is_dir():
        return {
            table: read_csv(path / f"{table}.csv", *_columns(ROWS[table]), out) for table in TABLES
        }
    if path.is_file() and path.suffix.casefold() == ".xlsx":
        book = open_workbook(path, out)
        if book is None:
            return {}
        return {
            table: read_sheet(book, path, table, *_columns(ROWS[table]), out) for table in TABLES
        }
    got = f"{str(path)!r}, which is neither"
    out.add(place, "tape", expected="a folder or .xlsx", got=got, mend="giving its path")
    return {}


def _columns(row: type[Row]) -> tuple[list[str], list[str]]:
    fields = row.model_fields
    return list(fields), [name for name, field in fields.items() if field.is_required()]


def _entry(table: str, raw: RawRow, changes: list[CellChange], out: Problems) -> Entry:
    cells: dict[str, Any] = dict(raw.cells)
    changed: dict[str, str] = {}
    for change in changes:
        if change.table == table and change.row in (str(cells.get(KEYS[table], "")), "*"):
            change.used = True
            changed[change.column] = change.said
            cells[change.column] = change.value
            if change.value is None:
                del cells[change.column]
    row = None
    if raw.whole:

        def place(where: Location) -> str:
            return changed.get(str(where[0]) if where else "", raw.place)

        try:
            row = ROWS[table].model_validate(cells)
        except ValidationError as error:
            note_errors(error, ROWS[table], place, out)
    return Entry(raw.place, cells, row)


def _unused(change: CellChange, tape: Tape, out: Problems) -> None:
    known = tape.ids(change.table) or set()
    out.add(
        change.said,
        change.row or change.table,
        expected=f"a row of {change.table} and a column",
        got=repr(change.row),
        mend=did_you_mean(change.row, known, "writing table.id.column"),
    )
