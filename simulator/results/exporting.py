"""Results for other programs: CSV, Parquet, a workbook, NetCDF."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from simulator.dataset.files import remove, replacing, sync_file, temporary
from simulator.dataset.reading import open_run
from simulator.results.entries import ResultsError

if TYPE_CHECKING:
    import xarray as xr

    from simulator.results.tables import PlainTable

__all__ = ["FORMATS", "Exported", "Format", "export"]

Format = Literal["csv", "parquet", "xlsx", "netcdf"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "parquet", "xlsx", "netcdf")

NEEDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "parquet": ("pyarrow", "tape"),
        "xlsx": ("xlsxwriter", "tape"),
        "netcdf": ("h5netcdf", "netcdf"),
    }
)
"""Module that writes a format, and the extra that brings it."""

SHEET_ROWS, SHEET_COLUMNS, CELL_LETTERS = 1_048_576, 16_384, 32_767
"""What a worksheet can hold, its head included."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What text of a CSV file must not begin with: spreadsheets would compute it."""


class Exported(NamedTuple):
    """The files that were written, and what did not fit into them."""

    files: list[Path]
    notes: list[str]


def export(run: str | Path | xr.Dataset, out: str | Path, format: Format = "parquet") -> Exported:
    """Write scalars, fans and summary tables of a run, with units and standard errors.

    Parameters
    ----------
    run : path or Dataset
        A complete run.
    out : path
        A folder for CSV and Parquet, one file a table; a file for XLSX and NetCDF. What stands
        there under these names is replaced.
    format : {"csv", "parquet", "xlsx", "netcdf"}
        Of the files.

    Returns
    -------
    Exported
        In XLSX, rows and columns beyond the limits of a worksheet are left out, and `notes` says
        so. Every path of series, if the run kept them, is not exported.

    Raises
    ------
    ResultsError
        If a package is missing, or the system refuses.
    """
    if format not in FORMATS:
        raise ResultsError(f"format: expected one of {', '.join(FORMATS)}, got {format!r}")
    module, extra = NEEDS.get(format, ("csv", ""))
    if not find_spec(module):
        raise ResultsError(f"{format}: needs the package {module}; install neobox[{extra}]")
    dataset = open_run(run) if isinstance(run, str | Path) else run
    out = Path(out)
    try:
        if format == "netcdf":
            return Exported([write_netcdf(dataset, out)], [])
        from simulator.results.tables import tables_of

        tables = tables_of(dataset)
        if format == "xlsx":
            return write_workbook(tables, out)
        out.mkdir(parents=True, exist_ok=True)
        write = write_csv if format == "csv" else write_parquet
        return Exported([write(one, out / f"{one.name}.{format}") for one in tables], [])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"{out}: could not write: {reason}; choose another --out") from error


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula when it reads it from a CSV file.

    >>> harmless("=A1"), harmless("A=1")
    ("'=A1", 'A=1')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def write_csv(table: PlainTable, path: Path) -> Path:
    """Write a table as CSV, UTF-8; unknown numbers are empty, text is `harmless`."""
    with replacing(path) as file:
        stream = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([harmless(one.name) for one in table.columns])
        for block in table.blocks():
            writer.writerows(zip(*(map(as_text, column.tolist()) for column in block), strict=True))
        stream.flush()
        stream.detach()
    return path


def as_text(value: Any) -> Any:
    """Return a cell of a CSV file."""
    if isinstance(value, str):
        return harmless(value)
    return "" if isinstance(value, float) and math.isnan(value) else value


def write_parquet(table: PlainTable, path: Path) -> Path:
    """Write a table as Parquet; units and meaning stand in the metadata of its columns."""
    import pyarrow as pa
    from pyarrow import parquet

    schema: Any = None
    writer: Any = None
    with replacing(path) as file:
        for block in table.blocks():
            arrays = [
                pa.array(column.tolist() if column.dtype.kind == "U" else column)
                for column in block
            ]
            if writer is None:
                schema = pa.schema(
                    pa.field(
                        one.name,
                        array.type,
                        metadata={"units": one.units, "long_name": one.long_name},
                    )
                    for one, array in zip(table.columns, arrays, strict=True)
                )
                writer = parquet.ParquetWriter(file, schema)
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        if writer is not None:
            writer.close()
    return path


def write_workbook(tables: Sequence[PlainTable], path: Path) -> Exported:
    """Write tables as the sheets of a workbook; text stays text."""
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    notes = [note for one in tables for note in told_cuts(one)]
    with replacing(path) as file, xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        for table in tables:
            sheet = book.add_worksheet(table.name)
            sheet.freeze_panes(1, 0)
            for at, one in enumerate(table.columns[:SHEET_COLUMNS]):
                sheet.write_string(0, at, one.name, bold)
            for number, cells in enumerate(rows_of(table), start=1):
                fill_row(sheet, number, cells)
        if notes:
            sheet = book.add_worksheet("left out")
            for number, note in enumerate(notes):
                sheet.write_string(number, 0, note)
    return Exported([path], notes)


def told_cuts(table: PlainTable) -> Iterator[str]:
    """Say what of a table does not fit into a worksheet."""
    for count, limit, what in (
        (table.rows, SHEET_ROWS - 1, "rows"),
        (len(table.columns), SHEET_COLUMNS, "columns"),
    ):
        if count > limit:
            yield (
                f"{table.name}: a worksheet holds {limit:,} of its {count:,} {what}, the rest is "
                "left out; --format parquet holds all"
            )


def rows_of(table: PlainTable) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table that fit into a worksheet."""
    left = SHEET_ROWS - 1
    for block in table.blocks():
        columns = [column[:left].tolist() for column in block[:SHEET_COLUMNS]]
        yield from zip(*columns, strict=True)
        left -= len(columns[0])
        if left <= 0:
            return


def fill_row(sheet: Any, number: int, cells: Sequence[Any]) -> None:
    """Write a row of a worksheet; unknown numbers stay empty."""
    for at, value in enumerate(cells):
        if isinstance(value, str):
            if value:
                sheet.write_string(number, at, value[:CELL_LETTERS])
        elif not math.isnan(value):
            sheet.write_number(number, at, value)


def write_netcdf(run: xr.Dataset, path: Path) -> Path:
    """Write scalars and fans as they are, and each summary table as a group ``summary/…``."""
    from simulator.analytics.summary import analyse
    from simulator.dataset.dims import MONTH, PATH

    path.parent.mkdir(parents=True, exist_ok=True)
    kept = run.drop_vars([one for one in run if {PATH, MONTH} <= set(run[one].dims)])
    tables = analyse(run)._asdict()
    del tables["run"]
    draft = temporary(path)
    write: Callable[..., Any] = kept.to_netcdf
    try:
        write(draft, engine="h5netcdf")
        for name, table in tables.items():
            if table is not None:
                table.to_netcdf(draft, mode="a", group=f"summary/{name}", engine="h5netcdf")
        sync_file(draft)
        draft.replace(path)
    finally:
        remove(draft)
    return path
