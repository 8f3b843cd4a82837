"""The scenarios that ship: they load, give reasons, hold the numbers they cite, and surprise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

import simulator
from simulator.config.parameters import parameter_table
from simulator.config.scenarios import SCHEMA_NAME
from simulator.config.study import Study, load_study
from simulator.config.template import write_template

ROOT = Path(__file__).parents[3]
BOOK = ROOT / "configs" / "neocloud-2026.yaml"
PACKS = {path.stem: path for path in sorted((ROOT / "configs" / "scenarios").glob("*.yaml"))}
VIEWS = ("base", "operators", "consensus", "bear", "easing")
HEADINGS = ("schema", "name", "description")
PATHS = 40


class Case(NamedTuple):
    """A stress case: prices over expected ones at months 6, 12, 24, 36, 60, and the rest."""

    price: tuple[float, float, float, float, float]
    hazard_multiplier: float
    recovery: float
    delay_months: float
    capex_factor: float
    high_yield_peak_bp: float


CASES = {
    "h100-2024": Case((0.85, 0.65, 0.55, 0.60, 0.50), 1.5, 0.60, 2, 1.00, 450),
    "fibre-2001": Case((0.75, 0.55, 0.30, 0.20, 0.12), 4.0, 0.25, 0, 0.80, 1000),
    "asic-2022": Case((0.55, 0.35, 0.30, 0.40, 0.30), 5.0, 0.30, 1, 0.70, 800),
    "deepseek-plus": Case((0.80, 0.75, 0.75, 0.75, 0.55), 1.5, 0.60, 0, 1.00, 450),
    "mem-squeeze": Case((1.10, 1.20, 1.10, 0.70, 0.45), 1.2, 0.60, 6, 1.15, 350),
    "offtaker": Case((0.85, 0.70, 0.65, 0.65, 0.50), 1.0, 0.50, 3, 1.00, 600),
    "power": Case((1.05, 1.05, 0.95, 0.85, 0.60), 1.3, 0.65, 12, 1.05, 400),
    "rates-spreads": Case((1.00, 0.90, 0.80, 0.70, 0.50), 2.5, 0.50, 0, 1.00, 1200),
    "combined": Case((0.70, 0.50, 0.35, 0.30, 0.20), 4.0, 0.30, 4, 0.85, 1100),
}
ALSO = {
    "offtaker": {"cp.relet_lag": 9.0},
    "power": {"pow.p0": 123.2},
    "rates-spreads": {"ir.r0": 0.053, "ir.theta": 0.053, "cs.neo_beta": 3.0},
}
"""Parameters that a case sets besides the recovery."""


def tree(name: str) -> dict[str, Any]:
    return yaml.safe_load(PACKS[name].read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    write_template(folder)
    return folder / "study.yaml"


@pytest.fixture(scope="module", params=["book", "template"])
def bare(request: pytest.FixtureRequest, template: Path) -> Study:
    """Return a study without a scenario."""
    return load_study(BOOK if request.param == "book" else template)


def data_lines(node: yaml.Node, depth: int = 0) -> list[int]:
    """Return the lines, from 0, on which a value stands; a mapping in braces is one value."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        inner = [(k, v) for k, v in node.value if depth or k.value not in HEADINGS]
        return [line for _, value in inner for line in data_lines(value, depth + 1)]
    return [node.start_mark.line]


def without_reason(text: str) -> list[str]:
    """Return the data lines of a scenario that no comment explains."""
    lines, root = text.splitlines(), yaml.compose(text)
    assert root is not None
    return [
        lines[at]
        for at in data_lines(root)
        if " # " not in lines[at] and not lines[at - 1].lstrip().startswith("# ")
    ]


def test_the_packs_are_five_views_and_nine_cases() -> None:
    assert set(PACKS) == {*VIEWS, *CASES}


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_says_what_it_is(name: str) -> None:
    said = tree(name)
    assert said["schema"] == SCHEMA_NAME
    assert said["name"] == name
    assert said["description"].endswith(".")


@pytest.mark.parametrize("name", PACKS)
def test_every_line_of_data_has_a_reason(name: str) -> None:
    assert without_reason(PACKS[name].read_text(encoding="utf-8")) == []


def test_a_line_without_a_reason_is_found() -> None:
    text = "name: x\nparameters:\n  values:\n    # why\n    dem.sigma: 0.1\n    eff.e_lr: 1\n"
    assert without_reason(text) == ["    eff.e_lr: 1"]


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_loads_and_leaves_deals_and_expectations_alone(name: str, bare: Study) -> None:
    """Nobody saw it coming: not the planners, not the rating, not the terms of the loans."""
    study = load_study(bare.path, scenarios=[PACKS[name]])
    assert study.scenarios == (name,)
    assert study.inputs.expected == bare.inputs.expected
    assert study.inputs.book == bare.inputs.book
    assert (study.digest == bare.digest) == (name == "base")


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_says_only_what_differs(name: str, bare: Study) -> None:
    """A value or column equal to the base column would be no change of the study."""
    block = tree(name).get("parameters", {})
    assert set(block) <= {"values", "driver_sets"}
    same = {
        key: value
        for key, value in block.get("values", {}).items()
        if value == parameter_table()[key].base and key != "cp.recovery_loan"
    }
    assert same == {}
    changed = load_study(bare.path, scenarios=[PACKS[name]]).inputs.parameters
    for key, value in block.get("values", {}).items():
        assert changed[key] == value


@pytest.mark.parametrize("name", CASES)
def test_a_case_holds_the_numbers_of_its_table(name: str, bare: Study) -> None:
    case, block = CASES[name], tree(name)["path"]
    assert block["price"] == dict(zip((6, 12, 24, 36, 60), case.price, strict=True))
    inputs = load_study(bare.path, scenarios=[PACKS[name]]).inputs
    assert inputs.path is not None
    for month, ratio in block["price"].items():
        assert inputs.path.log_price[month] == pytest.approx(math.log(ratio), abs=1e-12)
    assert inputs.path.hazard_multiplier == case.hazard_multiplier
    assert inputs.path.delay_months == case.delay_months
    assert inputs.path.capex_factor == case.capex_factor
    assert inputs.path.high_yield_peak_bp == case.high_yield_peak_bp
    named = {"book": "OpenAI", "template": "Example Lab"}
    largest = named["book" if bare.path == BOOK else "template"]
    assert inputs.path.defaults == (((largest, 6),) if name == "offtaker" else ())
    wanted = {"cp.recovery_loan": case.recovery} | ALSO.get(name, {})
    assert tree(name)["parameters"] == {"values": wanted}


def first_dead_month(parameters: Mapping[str, float], generation: str) -> int:
    """Return the first month in which spot rent times utilisation is below what running costs.

    At the reference market: trend, and the first release, which is halved, in month 12. The hall
    costs 137.5 USD a kW and month, as for most of the book.
    """
    kw = parameters[f"gpu.kw.{generation}"]
    power = kw * parameters["gpu.pue"] * parameters["pow.p0"] / 1000.0
    upkeep = parameters["gpu.om"] * parameters[f"gpu.capex.{generation}"] / 8760.0
    months = np.arange(1, 24)
    steps = np.where(months >= 12, parameters["gpu.gen_step"] / 2.0, 0.0)
    spot = parameters[f"gpu.p0_spot.{generation}"]
    rent = spot * np.exp(parameters["gpu.delta"] * months / 12.0 - steps)
    return int(months[rent * parameters["gpu.util"] < power + upkeep + 137.5 * kw / 730.0][0])


def test_consensus_kills_a_gpu_off_contract_after_16_to_18_months() -> None:
    parameters = load_study(BOOK, scenarios=[PACKS["consensus"]]).inputs.parameters
    for generation in ("H200", "B200", "GB200", "GB300"):
        assert 16 <= first_dead_month(parameters, generation) <= 18
    assert first_dead_month(parameters, "H100") < 16
    years = [parameters[f"gpu.resale_curve.y{year}"] for year in (1, 2)]
    assert np.interp(17 / 12, [1, 2], years) < 0.2


def test_operators_read_all_of_the_spread_as_experience() -> None:
    values = tree("operators")["parameters"]["values"]
    assert values["cs.learn"] == pytest.approx(math.log(962 / 225) / 4, abs=5e-4)


def test_the_documentation_has_every_pack_and_a_place_for_the_comparison() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    for name in PACKS:
        assert f"[`{name}`](../configs/scenarios/{name}.yaml)" in text
    _, mark, rest = text.partition("<!-- comparison -->\n")
    assert mark
    assert "<!-- end -->" in rest


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKS)
def test_a_pack_runs(name: str, template: Path) -> None:
    """And moves something, unless it is the base."""
    study = load_study(template, scenarios=[PACKS[name]])
    plain = simulator.simulate(load_study(template), paths=PATHS, seed=3)
    run = simulator.simulate(study, paths=PATHS, seed=3)
    pnl, before = (one["equity_pnl"].values for one in (run, plain))
    assert np.isfinite(pnl).all()
    assert np.isfinite(run["lender_loss"].values).all()
    assert np.array_equal(pnl, before) == (name == "base")
