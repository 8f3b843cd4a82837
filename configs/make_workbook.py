"""Write the tape of a study as a workbook, one sheet a table: the form most desks keep it in.

python configs/make_workbook.py configs/neocloud-2026      # writes configs/neocloud-2026.xlsx
"""

from __future__ import annotations

import csv
import datetime
import sys
from pathlib import Path

TABLES = ("boxes", "debt", "contracts", "assets")


def cell(text: str) -> str | float | bool:
    """Return a CSV cell as Excel holds it: a number, a truth value or text."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def write_workbook(folder: Path, target: Path) -> None:
    """Write the four tables of `folder` to the sheets of `target`."""
    import xlsxwriter

    with xlsxwriter.Workbook(target) as book:
        book.set_properties({"created": datetime.datetime(2026, 11, 30)})
        bold = book.add_format({"bold": True})
        for table in TABLES:
            sheet = book.add_worksheet(table)
            sheet.freeze_panes(1, 1)
            with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
                lines = [line for line in csv.reader(file) if line and not line[0].startswith("#")]
            sheet.write_row(0, 0, lines[0], bold)
            for i, line in enumerate(lines[1:], 1):
                for j, text in enumerate(line):
                    if text:
                        sheet.write(i, j, cell(text))
            sheet.autofit(180)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    write_workbook(source, source.with_suffix(".xlsx"))
