"""Tables of text to raw cells: a folder of CSV files, or the sheets of a workbook.

Cells are text, numbers, booleans or dates; blank cells are left out.  Each row knows its place:
``debt.csv:7`` or ``deals.xlsx[debt]!row 7``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from simulator.config.errors import Problems, did_you_mean
from simulator.config.files_read import note_file

_Line: TypeAlias = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class RawRow:
    """Place and filled cells of a row; `whole` is false if its cells do not fit the header."""

    place: str
    cells: dict[str, Any]
    whole: bool = True


@dataclass(slots=True)
class RawTable:
    """A table before its cells are understood.

    Parameters
    ----------
    rows
        Its rows.
    readable
        False if there is no table or a required column is missing.
    complete
        False if a column was not understood as well.
    """

    rows: list[RawRow] = field(default_factory=list)
    readable: bool = True
    complete: bool = True


def read_csv(
    path: Path, columns: Iterable[str], required: Iterable[str], out: Problems
) -> RawTable:
    """Read a CSV file; lines that begin with ``#`` and blank lines are skipped.

    Parameters
    ----------
    path
        The file.
    columns, required
        Columns that may stand in it, and those that must.
    out
        Takes what is wrong with the file or its header.
    """
    note_file(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return _unreadable(out, str(path), "a table", "no such file", "adding it")
    except (OSError, UnicodeDecodeError) as error:
        return _unreadable(out, str(path), "UTF-8 text", str(error), "saving it as CSV UTF-8")
    try:
        lines = list(_csv_lines(path, text))
    except csv.Error as error:
        return _unreadable(out, str(path), "CSV", str(error), "mending the quotes")
    return _table(lines, str(path), columns, required, out)


def read_sheet(
    book: Any,
    path: Path,
    sheet: str,
    columns: Iterable[str],
    required: Iterable[str],
    out: Problems,
) -> RawTable:
    """Read one sheet of an open workbook (`python_calamine.CalamineWorkbook`)."""
    place = f"{path}[{sheet}]"
    if sheet not in book.sheet_names:
        got = ", ".join(book.sheet_names) or "no sheets"
        return _unreadable(out, place, "a sheet of this name", got, "adding or renaming it")
    cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    lines = [(f"{place}!row {number}", row) for number, row in enumerate(cells, start=1)]
    return _table(lines, place, columns, required, out)


def open_workbook(path: Path, out: Problems) -> Any | None:
    """Open a workbook, or note why it cannot be opened."""
    from python_calamine import CalamineError, CalamineWorkbook

    note_file(path)
    try:
        return CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        _unreadable(out, str(path), "a workbook (.xlsx)", str(error), "saving it as .xlsx")
        return None


def _csv_lines(path: Path, text: str) -> Iterator[_Line]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    first = 1
    for row in reader:
        yield f"{path}:{first}", row
        first = reader.line_num + 1


def _table(
    lines: Iterable[_Line],
    place: str,
    columns: Iterable[str],
    required: Iterable[str],
    out: Problems,
) -> RawTable:
    filled = [(where, row) for where, row in lines if not _skipped(row)]
    if not filled:
        return _unreadable(out, place, "a header and rows", "an empty table", "filling it")
    (head_place, head), body = filled[0], filled[1:]
    header = [str(cell).strip() for cell in head]
    while header and not header[-1]:
        header.pop()
    known = _check_header(header, head_place, set(columns), set(required), out)
    if known is None:
        return RawTable(readable=False, complete=False)
    return RawTable(
        [_row(where, row, header, known, out) for where, row in body],
        complete=len(known) == len(header),
    )


def _row(
    place: str, row: Sequence[Any], header: list[str], known: set[str], out: Problems
) -> RawRow:
    named = zip(header, map(_cell, row), strict=False)
    cells = {name: value for name, value in named if name in known and value is not None}
    whole = all(_cell(value) is None for value in row[len(header) :])
    if not whole:
        got, mend = f"{len(row)}", "putting text with commas in quotes"
        out.add(place, "row", expected=f"{len(header)} cells", got=got, mend=mend)
    return RawRow(place, cells, whole)


def _check_header(
    header: list[str], place: str, columns: set[str], required: set[str], out: Problems
) -> set[str] | None:
    """Return the columns that are understood, or None if rows could not be read by them."""
    if len(header) == 1 and ";" in header[0]:
        out.add(place, "header", expected="commas", got="semicolons", mend="saving with commas")
        return None
    missing = sorted(required - set(header))
    unknown = [name for name in header if name not in columns]
    for name in unknown:
        mend = did_you_mean(name, columns - set(header), "removing the column")
        out.add(place, name or "(blank)", expected="a known column", got="another", mend=mend)
    if missing and not unknown:
        expected = f"the columns {', '.join(missing)}"
        out.add(place, missing[0], expected=expected, got="none such", mend="adding them")
    for name in header:
        if header.count(name) > 1:
            out.add(place, name, expected="one such column", got="more", mend="removing one")
    return None if missing else set(header) & columns


def _skipped(row: Sequence[Any]) -> bool:
    first = row[0] if row else ""
    comment = isinstance(first, str) and first.lstrip().startswith("#")
    return comment or all(_cell(value) is None for value in row)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    return value


def _unreadable(out: Problems, place: str, expected: str, got: str, mend: str) -> RawTable:
    out.add(place, "table", expected=expected, got=got, mend=mend)
    return RawTable(readable=False)
