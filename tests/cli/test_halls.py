"""A study of halls from the check to the report, told in kW and rents."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from simulator.dataset.reading import open_run

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

SMALL = ("--set", "horizon_months=24", "--set", "drivers.compensator=false")


@pytest.fixture
def study() -> Path:
    return Path(__file__).resolve().parents[2] / "configs" / "halls.yaml"


def test_check_tells_halls_by_the_kilowatt(call: Call, study: Path) -> None:
    told = call("check", study).stdout
    gpus, halls = told.split("\nHalls")
    assert "HOME " in gpus
    assert "SHELL " not in gpus
    (head, *rows) = [line.split("  ") for line in halls.split("\n\n")[0].splitlines()[1:]]
    head, *rows = ([cell.strip() for cell in line if cell.strip()] for line in (head, *rows))
    shell = dict(zip(head, next(row for row in rows if row[0] == "SHELL"), strict=True))
    assert (shell["kW"], shell["USD/kW-month"], shell["debt/kW"]) == ("100,000", "40.00", "2,700")
    assert "GPU" not in halls.split("\n\n")[0]
    found = json.loads(call("check", study, "--json").stdout)
    units = {one["box"]: (one["unit"], one["price"]) for one in found["boxes"]}
    assert units["TURNKEY"] == ("kW", pytest.approx(185))
    assert units["HOME"] == ("GPU", pytest.approx(1.5))


def test_run_report_and_explain(call: Call, study: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = call("run", study, *SMALL, "--paths", 6, "--seed", 1, "--out", out)
    assert result.exit_code == 0, result.output
    run = open_run(out)
    assert list(run.hall.values) == ["Powered shell", "Turnkey"]
    assert list(run.generation.values) == ["A100", "H100", "Home-grown"]
    assert run.fan_hall_rent.attrs["units"] == "USD per kW-month"
    assert 100 < float(run.fan_hall_rent_mean.sel(hall="Turnkey", month=24)) < 400
    report = call("report", out)
    assert report.exit_code == 0, report.output
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Rent of data-centre halls" in page
    told = call("explain", out, "--path", 2, "--facility", "SHELL-LOAN")
    assert told.exit_code == 0, told.output
    assert "50,000 kW are delivered" in told.stdout
    assert "GPUs" not in told.stdout


def test_market_alone_tells_rents(call: Call, study: Path, tmp_path: Path) -> None:
    out = tmp_path / "market"
    result = call("market", study, *SMALL, "--paths", 3, "--out", out)
    assert result.exit_code == 0, result.output
    assert "hall rent Turnkey [USD per kW-month]" in result.stdout
    with (out / "market.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = {row["entity"]: row for row in rows if row["variable"] == "hall_rent"}
    assert set(first) == {"Turnkey", "Powered shell"}
    assert {row["unit"] for row in first.values()} == {"USD per kW-month"}
    prices = {row["entity"] for row in rows if row["variable"] == "rental_price_contract"}
    assert prices == {"A100", "H100", "Home-grown"}
    assert (out / "halls.png").exists() or (out / "halls.svg").exists()
