"""Exports read back: every number, its unit and error; limits of worksheets; text stays text."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr
from pyarrow import parquet

from simulator.analytics.risk import risk_table
from simulator.results import export, exporting
from simulator.results.entries import ResultsError
from tests.unit.reports.synthetic import FACILITIES, synthetic_run

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def book() -> xr.Dataset:
    """Return a run, one facility of which is named like a formula."""
    run = synthetic_run(60)
    names = ["=1+1", *FACILITIES[1:]]
    owners = ["=1+1" if one == FACILITIES[0] else one for one in run["tranche_facility"].values]
    return run.assign_coords(
        facility=names, tranche_facility=("tranche", np.array(owners, dtype=np.str_))
    )


def test_parquet_holds_every_number_with_its_unit(book: xr.Dataset, tmp_path: Path) -> None:
    export(book, tmp_path / "out", "parquet")
    scalars = parquet.read_table(tmp_path / "out" / "scalars.parquet")
    losses = np.stack([scalars[f"lender_loss.{one}"] for one in book["facility"].values], axis=1)
    assert np.array_equal(losses, book["lender_loss"].values)
    field = scalars.schema.field("book_lender_loss")
    assert field.metadata[b"units"] == b"million USD"
    assert scalars.schema.field("facility_default_month.=1+1").type == "int16"
    fans = pd.read_parquet(tmp_path / "out" / "fans.parquet")
    price = fans[(fans["series"] == "rental_price_spot") & (fans["entity"] == "H100")]
    told = book["fan_rental_price_spot"].sel(generation="H100", quantile=0.95)
    assert np.array_equal(price["q95"], told.transpose("month").values)
    errors = book["fan_rental_price_spot_se"].sel(generation="H100", quantile=0.95)
    assert np.array_equal(price["q95_se"], errors.values, equal_nan=True)
    assert set(price["units"]) == {"USD per GPU-hour"}
    assert list(price["month"]) == list(book["month"].values)
    summary = pd.read_parquet(tmp_path / "out" / "summary.parquet")
    table = risk_table(book)
    mine = summary[(summary["table"] == "risk") & (summary["measure"] == "expected_shortfall")]
    (one,) = mine[(mine["entity"] == "Birch DDTL") & (mine["level"] == 0.95)].to_dict("records")
    where = {"facility": "Birch DDTL", "level": 0.95}
    assert one["value"] == float(table["expected_shortfall"].sel(where))
    assert one["se"] == float(table["expected_shortfall_se"].sel(where))
    assert one["units"] == "million USD"


def test_csv_is_the_same_in_text(book: xr.Dataset, tmp_path: Path) -> None:
    export(book, tmp_path / "out", "csv")
    with (tmp_path / "out" / "scalars.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(one["book_lender_loss"]) for one in rows] == list(book["book_lender_loss"].values)
    nan = np.isnan(book["equity_irr"].values[:, 0])
    assert nan.any()
    column = f"equity_irr.{book['box'].values[0]}"
    assert [one[column] == "" for one in rows] == list(nan)
    with (tmp_path / "out" / "columns.csv").open(encoding="utf-8", newline="") as file:
        units = {(one["table"], one["column"]): one["units"] for one in csv.DictReader(file)}
    assert units["scalars", "lender_loss.=1+1"] == "million USD"
    cells = [
        cell
        for file in (tmp_path / "out").iterdir()
        for row in csv.reader(file.read_text(encoding="utf-8").splitlines())
        for cell in row
    ]
    assert "'=1+1" in cells
    assert not [one for one in cells if one[:1] in "=@" and one]


def test_a_workbook_holds_no_formula_and_all_tables(book: xr.Dataset, tmp_path: Path) -> None:
    found = export(book, tmp_path / "book.xlsx", "xlsx")
    assert found.notes == []
    sheets = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert sheets.sheetnames == ["summary", "fans", "scalars", "columns"]
    kinds = {cell.data_type for sheet in sheets for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n"}
    head, *rows = sheets["scalars"].iter_rows(values_only=True)
    at = head.index("lender_loss.=1+1")
    told = book["lender_loss"].values[:, 0]
    assert [row[at] for row in rows] == pytest.approx(list(told), rel=1e-15)  # 16 digits


def test_what_a_worksheet_cannot_hold_is_told(
    book: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHEET_ROWS", 41)
    monkeypatch.setattr(exporting, "SHEET_COLUMNS", 12)
    found = export(book, tmp_path / "book.xlsx", "xlsx")
    assert any(
        one.startswith("scalars: a worksheet holds 40 of its 60 rows") for one in found.notes
    )
    assert any("12 of its" in one and "columns" in one for one in found.notes)
    assert all("--format parquet holds all" in one for one in found.notes)
    sheets = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert (sheets["scalars"].max_row, sheets["scalars"].max_column) == (41, 12)
    assert [row[0] for row in sheets["left out"].iter_rows(values_only=True)] == found.notes


def test_netcdf_opens_as_it_was(book: xr.Dataset, tmp_path: Path) -> None:
    file = tmp_path / "book.nc"
    export(book, file, "netcdf")
    with xr.open_dataset(file, engine="h5netcdf") as read:
        assert np.array_equal(read["lender_loss"], book["lender_loss"])
        assert read["lender_loss"].attrs["units"] == "million USD"
        assert list(read["facility"].values) == list(book["facility"].values)
    with xr.open_dataset(file, engine="h5netcdf", group="summary/risk") as read:
        table = risk_table(book)
        assert np.array_equal(read["expected_loss_se"], table["expected_loss_se"])
    assert [path.name for path in tmp_path.iterdir()] == ["book.nc"]


def test_blocks_do_not_matter(
    book: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(book, tmp_path / "one", "csv")
    monkeypatch.setattr("simulator.results.tables.BLOCK", 7)
    export(book, tmp_path / "other", "csv")
    for name in ("scalars", "fans", "summary", "columns"):
        one, other = (tmp_path / part / f"{name}.csv" for part in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_refusals(book: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResultsError, match="expected one of csv"):
        export(book, tmp_path / "x", "feather")  # type: ignore[arg-type]
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="could not write"):
        export(book, tmp_path / "file" / "x.xlsx", "xlsx")
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with pytest.raises(ResultsError, match=r"needs the package xlsxwriter; install neobox\[tape\]"):
        export(book, tmp_path / "x.xlsx", "xlsx")
