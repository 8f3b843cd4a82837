"""The larger book: public arithmetic, cells that say where they come from, and its document."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from simulator.analytics.rating import fitted_scale
from simulator.config import Study, load_study
from simulator.config.units import HOURS_PER_MONTH

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
TAPES = (CONFIGS / "ai-infrastructure-2026", CONFIGS / "templates" / "vnet-bytedance-500mw")
TABLES = ("boxes", "debt", "contracts", "assets")
DOCUMENT = (ROOT / "docs" / "ai-infrastructure.md").read_text(encoding="utf-8")
PUBLIC = {  # amounts of the public record, USD m
    "WULF_COMPUTE": 3200,
    "FLASH_COMPUTE": 1300,
    "CIPHER_COMPUTE": 1733,
    "BLACK_PEARL": 2000,
    "APLD_CC1": 2350,
    "APLD_CC2": 2150,
    "APLD_CC3": 1590,
    "GALAXY_HELIOS": 1400,
    "HUT8_RIVERBEND": 3250,
    "HUT8_BEACONPOINT": 4250,
    "META_HYPERION": 27294,
    "META_ELPASO": 12550,
    "ABILENE_DC1": 2288,
    "VANTAGE_TX": 23250,
    "VANTAGE_WI": 14750,
    "ORACLE_JUPITER": 18000,
    "VALOR_COMPUTE_1": 3500,
    "LAMBDA_MSFT": 1008,
    "LAMBDA_CREDIT": 1000,
    "LAMBDA_2024": 500,
    "NSCALE_DDTL": 1400,
    "NSCALE_US": 3050,
    "CRUSOE_UPPER90_23": 200,
    "CRUSOE_UPPER90_25": 225,
    "CRUSOE_BROOKFIELD": 750,
    "FIRMUS": 10000,
    "ZANKORE": 3100,
    "BROADCOM_XPV": 35000,
    "CRWV_OEM_NR": 882,
}


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(CONFIGS / "ai-infrastructure-2026.yaml")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("folder", TAPES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("table", TABLES)
def test_rows_say_where_they_come_from_and_what_is_assumed(folder: Path, table: str) -> None:
    for row in read(folder / f"{table}.csv"):
        assert row["source"], row
        for part in filter(None, row["assumed"].split("; ")):
            column, _, reason = part.partition(": ")
            assert column in row, (row, part)
            assert len(reason) >= 4, part


def test_commitments_are_the_public_ones(study: Study) -> None:
    total: dict[str, float] = {}
    for one in study.inputs.book.tranches:
        total[one.facility] = total.get(one.facility, 0.0) + one.commitment
    assert {name: total[name] for name in PUBLIC} == PUBLIC


def test_the_smaller_book_is_in_it(study: Study) -> None:
    """Terms of deals are the same; only sponsors with more deals have more cash."""
    small = load_study(CONFIGS / "neocloud-2026.yaml").inputs.book
    large = study.inputs.book
    for table in ("tranches", "boxes", "assets", "contracts"):
        ours = {one.id: one for one in getattr(large, table)}
        for one in getattr(small, table):
            assert ours[one.id] == one


def contracted(study: Study, name: str) -> float:
    """Return what a lease brings over its term, USD m."""
    (contract,) = (one for one in study.inputs.book.contracts if one.box == name)
    kilowatts = sum(one.gpus for one in study.inputs.book.assets if one.box == name)
    monthly = contract.price * HOURS_PER_MONTH * kilowatts / 1e6
    months = range(contract.term_months)
    return sum(monthly * (1 + contract.escalator) ** (month // 12) for month in months)


def test_leases_bring_what_is_reported(study: Study) -> None:
    assert contracted(study, "WULF_COMPUTE") / 0.85 == pytest.approx(6700, rel=0.005)
    both = contracted(study, "APLD_CC1") + contracted(study, "APLD_CC3")
    assert both == pytest.approx(11000, rel=0.005)
    first_year = contracted(study, "ABILENE_DC1") / sum(1.03**year for year in range(15))
    assert first_year == pytest.approx(244.7, rel=0.001)


def test_hyperion_is_financed_as_reported(study: Study) -> None:
    book = study.inputs.book
    cost = sum(one.cost for one in book.assets if one.box == "META_HYPERION")
    assert 2500 <= cost - 27294 <= 3000
    (lease,) = (one for one in book.contracts if one.box == "META_HYPERION")
    assert lease.residual_cap == 28000
    assert lease.residual_share * cost == pytest.approx(28000, rel=0.005)


def test_policy_weights_follow_cost(study: Study) -> None:
    book = study.inputs.book
    place = {site.id: site.jurisdiction for site in book.sites}
    cost: dict[str, float] = {}
    for asset in book.assets:
        cost[place[asset.site]] = cost.get(place[asset.site], 0.0) + asset.cost
    for name, weight in book.jurisdictions:
        assert weight == pytest.approx(cost[name] / sum(cost.values()), abs=0.01)


def test_deliveries_leave_time_to_draw(study: Study) -> None:
    """A late delivery after the last draw would fall on the sponsor whole."""
    boxes = {row["box"] for row in read(TAPES[0] / "boxes.csv")}
    last = {
        name: max(one.planned_delivery for one in study.inputs.book.assets if one.box == name)
        for name in boxes
    }
    for one in study.inputs.book.tranches:
        if one.box in boxes and last[one.box] > 0:
            assert one.available_until >= last[one.box] + 12, one.id


def test_the_template_is_half_a_gigawatt_in_yuan() -> None:
    book = load_study(CONFIGS / "templates" / "vnet-bytedance-500mw.yaml").inputs.book
    assert sum(one.gpus for one in book.assets) == 500_000  # kW
    assert {one.currency for one in book.contracts} == {"CNY"}
    assert {one.cost_currency for one in book.boxes} == {"CNY"}
    (tenant,) = book.names
    assert tenant.export_exposed == "China"
    assert any(one.kill_factor > 1.0 for one in book.sites)  # without power yet


def told() -> dict[str, list[str]]:
    """Return the rows of the table of results, by name."""
    part = DOCUMENT.partition("## What a run says")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows[1:]}


def test_the_table_names_the_whole_book(study: Study) -> None:
    named = {name for name in told() if "(sponsor)" not in name and " less " not in name}
    assert named == {one.facility for one in study.inputs.book.tranches}


def test_ratings_of_the_table_are_read_off_its_losses() -> None:
    scale = fitted_scale()
    rated = 0
    for name, (_, loss, rating) in told().items():
        found = re.fullmatch(r"([\d.]+)(?: ± ([\d.]+))?%", loss)
        if found and rating not in ("", "n/a"):
            value, error = float(found[1]) / 100, float(found[2] or 0) / 100
            near = {scale.grade(max(0.0, value + step * error)) for step in (-1, 0, 1)}
            assert rating in near, name
            rated += 1
    assert rated > 25
