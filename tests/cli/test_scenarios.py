"""`neobox scenarios`, and the options that lay scenarios over a study."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from simulator import compare_scenarios
from simulator.dataset.reading import open_run
from simulator.scenarios import driver_variants

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

SMALL = ("--set", "horizon_months=24", "--set", "drivers.compensator=false")
CRASH = """\
schema: neobox.scenario/1
description: prices halve at once
path:
  price: {1: 0.5}
  hazard_multiplier: 5
"""


@pytest.fixture
def crash(template: Path) -> Path:
    folder = template.parent / "scenarios"
    folder.mkdir()
    file = folder / "crash.yaml"
    file.write_text(CRASH, encoding="utf-8")
    return file


def test_a_table_of_changes(call: Call, template: Path, crash: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "runs", tmp_path / "table.csv"
    asked = ("scenarios", template, *SMALL, "--paths", 6, "--out", out, "--csv", table)
    result = call(*asked)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["base", "crash"]
    base, changed = (open_run(out / name) for name in ("base", "crash"))
    rows = {row["scenario"]: row for row in csv.DictReader(table.read_text().splitlines())}
    difference = changed["book_lender_loss"] - base["book_lender_loss"]
    assert float(rows["crash"]["expected_loss_change"]) == pytest.approx(float(difference.mean()))
    error = float(difference.std(ddof=1)) / 6**0.5
    assert float(rows["crash"]["expected_loss_change_se"]) == pytest.approx(error)
    assert float(rows["base"]["expected_loss_change_se"]) == 0.0
    value = (base["equity_pnl"] + base["equity_contributions"]).sum("box").mean()
    assert float(rows["base"]["equity_value"]) == pytest.approx(float(value))

    again = call(*asked[:-2], "--json")
    found = json.loads(again.stdout)["scenarios"]["crash"]["expected_loss_change"]
    assert found["value"] == float(rows["crash"]["expected_loss_change"])


def test_two_lines_of_python(template: Path, crash: Path) -> None:
    calm = {"horizon_months": 24, "drivers.compensator": False}
    table = compare_scenarios(template, [crash], paths=5, overrides=calm)
    assert list(table["scenario"].values) == ["base", "crash"]
    assert float(table["equity_value_change"].sel(scenario="crash")) < 0.0


def test_every_driver_that_has_other_values(call: Call, template: Path) -> None:
    names = [variant.name for variant in driver_variants()]
    assert {"demand-low", "demand-stress", "memory-stress", "spreads-low"} <= set(names)
    assert "easing-low" not in names  # its values do not differ
    result = call("scenarios", template, *SMALL, "--paths", 0, "--drivers")
    assert result.exit_code == 2


def test_no_scenarios_is_said(call: Call, template: Path) -> None:
    result = call("scenarios", template)
    assert result.exit_code == 2
    assert "no scenarios" in result.output


def test_faults_of_all_come_before_any_path(
    call: Call, template: Path, crash: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(CRASH.replace("hazard_multiplier: 5", "hazard_multiplier: many"))
    result = call("scenarios", template, crash, bad, "--out", tmp_path / "runs")
    assert result.exit_code == 2
    assert f"{bad}:5" in result.output
    assert not (tmp_path / "runs").exists()


def test_a_run_under_a_scenario(call: Call, template: Path, crash: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    more = ("--scenario", crash, "--driver-set", "delivery=stress", "--paths", 3, "--out", out)
    result = call("run", template, *SMALL, *more)
    assert result.exit_code == 0, result.output
    run = open_run(out)
    assert run.attrs["title"].endswith("+ crash")
    resolved = json.loads((out / "config.resolved.json").read_text(encoding="utf-8"))
    assert resolved["scenarios"][0]["text"] == CRASH
    assert resolved["inputs"]["parameters"]["del.p"] == 0.55
    np.testing.assert_allclose(
        run["fan_price_deviation"].sel(quantile=0.5).isel(month=5)
        - run["fan_price_deviation"].sel(quantile=0.05).isel(month=5),
        0.0,
        atol=1e-6,
    )


@pytest.mark.parametrize("command", ["check", "cashflow"])
def test_other_commands_take_them(call: Call, template: Path, crash: Path, command: str) -> None:
    facility = ("--facility", "TERM-A") if command == "cashflow" else ()
    plain = call(command, template, *facility, *SMALL[2:])
    changed = call(command, template, *facility, *SMALL[2:], "--scenario", crash)
    assert plain.exit_code == changed.exit_code == 0, changed.output
    assert plain.stdout != changed.stdout


def test_a_driver_set_that_is_none(call: Call, template: Path) -> None:
    result = call("check", template, "--driver-set", "demand")
    assert result.exit_code == 2
    assert "demand=stress" in result.output
    unknown = call("check", template, "--driver-set", "demnad=stress")
    assert "demand" in unknown.output
