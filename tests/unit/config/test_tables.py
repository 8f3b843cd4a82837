from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from simulator.config import ConfigError, Problem, load_study
from simulator.config.errors import Problems
from simulator.config.tables import open_workbook, read_csv, read_sheet
from simulator.config.tape import ROWS
from tests.unit.config.conftest import Draft

xlsxwriter = pytest.importorskip("xlsxwriter")


def read(tmp_path: Path, text: str) -> tuple[list[tuple[int, dict[str, object]]], list[str]]:
    path, out = tmp_path / "t.csv", Problems()
    path.write_text(text, encoding="utf-8")
    table = read_csv(path, ["id", "a", "b"], ["id"], out)
    rows = [(int(row.place.rsplit(":", 1)[1]), row.cells) for row in table.rows]
    return rows, [str(problem).removeprefix(str(path)) for problem in out]


def test_rows_know_their_lines(tmp_path: Path) -> None:
    text = '# comment\nid,a,b\n\nx,1,\n,,\n# off,1,2\ny,"two\nlines",3\nz,,4\n'
    rows, problems = read(tmp_path, text)
    assert rows == [
        (4, {"id": "x", "a": "1"}),
        (7, {"id": "y", "a": "two\nlines", "b": "3"}),
        (9, {"id": "z", "b": "4"}),
    ]
    assert not problems


def test_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffid,a\r\nx,1\r\n")[0] == [(2, {"id": "x", "a": "1"})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,aa\nx,1\n", ":1: aa: expected a known column"),
        ("a,b\n1,2\n", ":1: id: expected the columns id"),
        ("id,a,a\nx,1,2\n", ":1: a: expected one such column"),
        ("id,a\nx,1,2\n", ":2: row: expected 2 cells, got 3"),
        ("id;a\nx;1\n", ":1: header: expected commas, got semicolons"),
        ("", ": table: expected a header and rows"),
        ('id,a\nx,"1\n', ": table: expected CSV"),
        ("id,a,,b\nx,1,2,3\n", ":1: (blank): expected a known column"),
    ],
)
def test_one_message(tmp_path: Path, text: str, said: str) -> None:
    _, problems = read(tmp_path, text)
    (problem,) = problems
    assert problem.startswith(said), problem


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    return list(caught.value.problems)


def test_an_unknown_column_is_told_once_and_hides_nothing(draft: Draft) -> None:
    draft.row("debt", "TERM-A")["advance"] = "85"
    path = draft.write()
    table = draft.folder / "tape" / "debt.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("margin_bp", "margn_bp", 1))
    first, second = problems_of(path)
    assert (first.path, first.mend) == ("margn_bp", "writing 'margin_bp' (did you mean that?)")
    assert second.path == "advance"


def test_a_missing_table_is_told_once(draft: Draft) -> None:
    path = draft.write()
    (draft.folder / "tape" / "debt.csv").unlink()
    (problem,) = problems_of(path)
    assert problem.place.endswith("debt.csv")


def workbook(draft: Draft, **sheets: list[list[object]]) -> Path:
    """Write the tape as a workbook; `sheets` replace those of the draft."""
    path = draft.folder / "deals.xlsx"
    book = xlsxwriter.Workbook(str(path))
    date = book.add_format({"num_format": "yyyy-mm"})
    for table, rows in draft.tape.items():
        names = list(ROWS[table].model_fields)
        cells = [names, *[[row.get(name, "") for name in names] for row in rows]]
        sheet = book.add_worksheet(table)
        for line, row in enumerate(sheets.get(table, cells)):
            for column, value in enumerate(row):
                if isinstance(value, datetime.date):
                    sheet.write_datetime(line, column, value, date)
                else:
                    sheet.write(line, column, value)
    book.close()
    draft.study["tape"] = "deals.xlsx"
    return path


def test_a_workbook_is_the_same_tape(draft: Draft) -> None:
    digest = draft.load().digest
    workbook(draft)
    assert draft.load().digest == digest


def test_dates_and_percentages_of_a_workbook(draft: Draft) -> None:
    digest = draft.load().digest
    draft.row("debt", "TERM-A").update(
        close=datetime.date(2026, 3, 31), maturity=datetime.date(2031, 12, 1), hedge_share=0.95
    )
    workbook(draft)
    assert draft.load().digest == digest


def test_places_in_a_workbook(draft: Draft) -> None:
    draft.row("debt", "TERM-B")["fixed_rate"] = 9.5
    workbook(draft)
    assert draft.problem().place.endswith("deals.xlsx[debt]!row 3")


def test_a_missing_sheet(tmp_path: Path) -> None:
    path, out = tmp_path / "x.xlsx", Problems()
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("Debt")
    book.close()
    read_sheet(open_workbook(path, out), path, "debt", ["id"], ["id"], out)
    (problem,) = out
    assert problem.place.endswith("x.xlsx[debt]")
    assert problem.got == "Debt"


def test_not_a_workbook(draft: Draft) -> None:
    draft.study["tape"] = "deals.xlsx"
    draft.folder.mkdir(exist_ok=True)
    (draft.folder / "deals.xlsx").write_text("text", encoding="utf-8")
    assert draft.problem().expected == "a workbook (.xlsx)"
