"""The tapes: complete, sourced, the same as CSV and as workbook, and true to public arithmetic."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from simulator.config import load_study

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
TABLES = ("boxes", "debt", "contracts", "assets")
TAPES = {"book": CONFIGS / "neocloud-2026", "ddtl1": CONFIGS / "validation" / "ddtl1-2023"}
STUDIES = {
    "book": CONFIGS / "neocloud-2026.yaml",
    "ddtl1": CONFIGS / "validation" / "ddtl1-2023.yaml",
}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tape(name: str) -> dict[str, list[dict[str, str]]]:
    return {table: read(TAPES[name] / f"{table}.csv") for table in TABLES}


BOOK = tape("book")
STUDY = yaml.safe_load(STUDIES["book"].read_text(encoding="utf-8"))


def contract_price(name: str) -> float:
    row = next(row for row in BOOK["contracts"] if row["contract"] == name)
    if row["price_usd_per_gpu_hour"]:
        return float(row["price_usd_per_gpu_hour"])
    gpus = sum(float(asset["gpus"]) for asset in BOOK["assets"] if asset["contract"] == name)
    value = 1e6 * float(row["contract_value_usd_m"]) * float(row["value_attribution"] or 1)
    return value / (gpus * 730 * int(row["term_months"]))


@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_source_or_says_what_it_assumes(name: str, table: str) -> None:
    for row in tape(name)[table]:
        assert row["source"], row


@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("table", TABLES)
def test_assumptions_name_columns_and_give_reasons(name: str, table: str) -> None:
    for row in tape(name)[table]:
        for part in filter(None, row["assumed"].split("; ")):
            column, _, reason = part.partition(": ")
            assert column in row, (row, part)
            assert len(reason) > 5, part


@pytest.mark.parametrize("name", TAPES)
def test_references_between_tables_hold(name: str) -> None:
    tables, study = tape(name), yaml.safe_load(STUDIES[name].read_text(encoding="utf-8"))
    boxes = {row["box"] for row in tables["boxes"]}
    contracts = {row["contract"]: row for row in tables["contracts"]}
    for row in tables["boxes"]:
        assert row["sponsor"] in study["sponsors"]
    for row in tables["debt"]:
        assert row["box"] in boxes or (not row["box"] and row["sponsor"] in study["sponsors"])
    for row in tables["contracts"]:
        assert row["box"] in boxes
        assert row["offtaker"] in study["counterparties"]
    for row in tables["assets"]:
        assert contracts[row["contract"]]["box"] == row["box"]
        assert row["site"] in study["sites"]
    assert {row["offtaker"] for row in tables["contracts"]} == set(study["counterparties"])


def test_workbook_holds_the_same_tape() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(CONFIGS / "neocloud-2026.xlsx", read_only=True)
    for table in TABLES:
        lines = list(book[table].iter_rows(values_only=True))
        header = [str(name) for name in lines[0]]
        assert header == list(BOOK[table][0]), table
        assert len(lines) - 1 == len(BOOK[table]), table
        for cells, row in zip(lines[1:], BOOK[table], strict=True):
            padded = list(cells) + [None] * (len(header) - len(cells))
            for name, cell in zip(header, padded, strict=True):
                assert same(cell, row[name]), (table, name, cell, row[name])
    book.close()


def same(cell: object, text: str) -> bool:
    if cell is None:
        return text == ""
    if isinstance(cell, bool):
        return text == str(cell).lower()
    if isinstance(cell, (int, float)):
        return float(text) == float(cell)
    return cell == text


def test_policy_weights_follow_the_cost_of_the_book() -> None:
    sites = STUDY["sites"]
    cost: dict[str, float] = {}
    for asset in BOOK["assets"]:
        place = sites[asset["site"]]["jurisdiction"]
        cost[place] = cost.get(place, 0.0) + float(asset["cost_usd_m"])
    total = sum(cost.values())
    for place, weight in STUDY["jurisdictions"].items():
        assert weight == pytest.approx(cost[place] / total, abs=0.05)


@pytest.mark.parametrize(
    ("contract", "low", "high"),
    [
        ("DDTL4_META", 2.9, 3.6),
        ("IREN_MSFT", 2.7, 3.1),
        ("NARVIK_MSFT", 2.5, 3.0),
        ("LAMBDA_NVIDIA", 2.2, 2.6),
        ("DDTL3_OPENAI", 3.3, 4.2),
    ],
)
def test_prices_implied_by_reported_values_are_those_of_bulk_contracts(
    contract: str, low: float, high: float
) -> None:
    assert low < contract_price(contract) < high


def test_ddtl4_ties_out() -> None:
    """90% of cost is 7,500, 102% is 8,500, and 1.20 times cover needs a margin of 75-82%."""
    cost = sum(float(a["cost_usd_m"]) for a in BOOK["assets"] if a["box"] == "CCAC_VIII")
    assert 0.90 * cost == pytest.approx(7500, rel=0.001)
    assert 1.02 * cost == pytest.approx(8500, rel=0.001)
    gpus = sum(float(a["gpus"]) for a in BOOK["assets"] if a["box"] == "CCAC_VIII")
    assert contract_price("DDTL4_META") * gpus * 730 * 72 / 1e6 == pytest.approx(19000)
    service = annuity(8500, 0.059, 57)
    margin = 1.2 * service / (19000 / 72)
    assert 0.75 < margin < 0.82


def annuity(amount: float, rate: float, months: int) -> float:
    return amount * rate / 12 / (1 - (1 + rate / 12) ** -months)


def test_ddtl1_balances_are_five_years_straight_line_from_mid_may_2024() -> None:
    """Reported balances against cost depreciated over 60 months: three exact, then cash binds."""
    reported = {
        row["month"]: float(row["balance_usd_m"])
        for row in read(CONFIGS / "validation" / "reported_balances.csv")
        if row["facility"] == "CRWV_DDTL1"
    }
    for month, age in (("2024-12", 7.5), ("2025-06", 13.5), ("2026-03", 22.5)):
        assert reported[month] == pytest.approx(2300 * (1 - age / 60), abs=0.6)
    assert reported["2026-06"] < 2300 * (1 - 25.5 / 60)


def test_a_swept_box_at_the_claimed_economics_repays_in_about_two_and_a_half_years() -> None:
    """Revenue half of cost a year, 80% margin, 85% loan to cost, 10%: the claim of 2.5 years."""
    debt, months = 85.0, 0
    while debt > 0:
        debt, months = debt * (1 + 0.10 / 12) - 0.5 * 0.8 * 100 / 12, months + 1
    assert months == pytest.approx(29, abs=1)


def test_facilities_add_up_to_the_reported_balances() -> None:
    """The June 2026 balances of the tape are those of the debt note."""
    reported = {
        row["facility"]: float(row["balance_usd_m"])
        for row in read(CONFIGS / "validation" / "reported_balances.csv")
        if row["month"] == "2026-06"
    }
    drawn: dict[str, float] = {}
    for row in BOOK["debt"]:
        if row["drawn_asof"] == "2026-06":
            drawn[row["facility"]] = drawn.get(row["facility"], 0.0) + float(row["drawn_usd_m"])
    for facility, balance in reported.items():
        assert drawn[facility] == pytest.approx(balance), facility


def test_months_are_written_as_months() -> None:
    for table in TABLES:
        for row in BOOK[table]:
            for name, text in row.items():
                if text and name in ("close", "draw_end", "maturity", "first_test", "accepted"):
                    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text), (name, text)


def test_workbook_and_folder_resolve_to_the_same_book(tmp_path: Path) -> None:
    text = STUDIES["book"].read_text(encoding="utf-8")
    workbook = tmp_path / "study.yaml"
    tape_line = re.compile(r"^tape: .*$", re.M)
    workbook.write_text(tape_line.sub(f"tape: {CONFIGS / 'neocloud-2026.xlsx'}", text))
    assert load_study(workbook).inputs.book == load_study(STUDIES["book"]).inputs.book
