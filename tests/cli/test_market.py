"""`neobox market`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import simulator
from simulator.dataset.dims import HALL
from simulator.engine.market_variables import MARKET_VARIABLES

Call = Callable[..., Result]

SHORT = ("--set", "horizon_months=24", "--paths", "300", "--seed", "4")


def test_table(call: Call, template: Path) -> None:
    result = call("market", template, *SHORT)
    assert result.exit_code == 0, result.output
    assert "300 paths, seed 4" in result.stdout
    assert "month 12 (" in result.stdout
    assert "month 24 (" in result.stdout
    assert "month 36" not in result.stdout, "the horizon is 24 months"
    market = simulator.simulate_market(template, 300, 4, {"horizon_months": 24})
    prices = market.rental_price_contract.sel(generation="H100", month=24)
    median = float(prices.quantile(0.5, method="inverted_cdf"))
    lines = result.stdout.splitlines()
    first = next(i for i, one in enumerate(lines) if one.startswith("rental price contract H100"))
    value, error = (float(text) for text in lines[first + 1].rsplit("  ", 1)[1].split(" ± "))
    assert abs(value - median) <= error, "digits are cut to the error, no further"
    assert 0.0 < error < 0.1 * value


def test_one_may_choose_generations(call: Call, template: Path) -> None:
    result = call("market", template, *SHORT, "--generation", "A100", "--generation", "H200")
    assert "rental price spot A100" in result.stdout
    assert "rental price spot H200" in result.stdout
    assert "H100" not in result.stdout
    wrong = call("market", template, *SHORT, "--generation", "H10")
    assert wrong.exit_code == 2
    assert "H100" in wrong.output


def test_json_and_files(call: Call, template: Path, tmp_path: Path) -> None:
    out = tmp_path / "market"
    result = call("market", template, *SHORT, "--json", "--out", out)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["paths"], found["seed"]) == (300, 4)
    names = {one.variable.name for one in MARKET_VARIABLES if HALL not in one.variable.dims}
    assert {one["name"] for one in found["variables"]} == names

    lines = list(csv.DictReader((out / "market.csv").read_text(encoding="utf-8").splitlines()))
    assert {line["variable"] for line in lines} == names
    tightness = next(one for one in found["variables"] if one["name"] == "tightness")
    for line in lines:
        if line["variable"] == "tightness" and line["month"] == "12":
            told = tightness["months"]["12"][line["statistic"]]
            assert float(line["value"]) == pytest.approx(told["value"], rel=1e-6)

    states = [x for x in lines if x["variable"] == "memory_regime" and x["month"] == "24"]
    assert {x["statistic"] for x in states} == {"balanced", "shortage", "glut"}
    assert sum(float(x["value"]) for x in states) == pytest.approx(1.0)
    share = float(states[0]["value"])
    error = np.sqrt(share * (1.0 - share) / 299)
    assert float(states[0]["standard_error"]) == pytest.approx(error, rel=1e-2)

    figures = {file.stem for file in out.glob("*.png")}
    assert {"demand", "prices", "policy", "contract_prices"} <= figures
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in out.glob("*.png"))


def test_a_driver_that_is_off_leaves_no_spread(call: Call, template: Path) -> None:
    off = ("--set", "drivers.rates=false", "--set", "drivers.power=false")
    found = json.loads(call("market", template, *SHORT, *off, "--json").stdout)
    for name in ("sofr", "power_price"):
        (variable,) = (one for one in found["variables"] if one["name"] == name)
        points = variable["months"]["24"]
        assert points["q05"]["value"] == points["q95"]["value"]
        assert points["q50"]["se"] == 0.0
