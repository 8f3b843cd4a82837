"""The shipped tables say what they claim: domains, dependence, default curves."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import simulator

ROOT = Path(__file__).parents[3]
CONFIG = Path(simulator.__file__).parent / "config"  # the installed tables


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


PARAMETERS = {row["id"]: row for row in read(CONFIG / "parameters.csv")}
GENERATIONS = read(CONFIG / "generations.csv")
HAZARDS = read(CONFIG / "hazards.csv")


def test_low_base_and_stress_lie_in_the_domain() -> None:
    outside = [
        (row["id"], column)
        for row in PARAMETERS.values()
        for column in ("low", "base", "stress")
        if not float(row["minimum"]) <= float(row[column]) <= float(row["maximum"])
    ]
    assert len(PARAMETERS) > 190
    assert not outside


def test_every_parameter_says_what_it_is_and_where_it_comes_from() -> None:
    bases = ("sourced", "derived", "judgement")
    poor = [
        row["id"]
        for row in PARAMETERS.values()
        if not (row["unit"] and row["description"] and row["basis"] in bases)
        or len(row["source"]) < 8
    ]
    assert not poor


def test_ids_are_unique() -> None:
    assert len(PARAMETERS) == len(read(CONFIG / "parameters.csv"))


def test_every_parameter_that_the_model_names_has_a_row() -> None:
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    roots = {name.split(".")[0] for name in PARAMETERS}
    named = set(re.findall(r"`([a-z]+(?:\.[A-Za-z0-9_]+)+(?:\.\*|\*)?)`", text))
    missing = {
        name
        for name in named
        if name.split(".")[0] in roots
        and not any(id_.startswith(name.rstrip("*.")) for id_ in PARAMETERS)
    }
    assert not missing


@pytest.mark.parametrize("row", GENERATIONS, ids=[row["generation"] for row in GENERATIONS])
def test_generations_repeat_the_base_values(row: dict[str, str]) -> None:
    name = row["generation"]
    for column, id_ in (
        ("contract_price", "gpu.p0_contract"),
        ("spot_price", "gpu.p0_spot"),
        ("kw", "gpu.kw"),
        ("capex_usd", "gpu.capex"),
    ):
        assert float(row[column]) == float(PARAMETERS[f"{id_}.{name}"]["base"]), column
    assert 0 < float(row["hardware_share"]) <= 1


@pytest.mark.parametrize("column", ["low", "base", "stress"])
def test_curves_fall_with_age_and_tenor(column: str) -> None:
    resale = [float(PARAMETERS[f"gpu.resale_curve.y{year}"][column]) for year in range(1, 7)]
    tenor = [float(PARAMETERS[f"gpu.term_disc.{year}y"][column]) for year in (1, 3, 5)]
    assert resale == sorted(resale, reverse=True)
    assert tenor == sorted(tenor, reverse=True)


@pytest.mark.parametrize("column", ["low", "base", "stress"])
def test_triangular_and_uniform_laws_are_ordered(column: str) -> None:
    laws = (
        ["dem.ap_mult.min", "dem.ap_mult.mode", "dem.ap_mult.max"],
        ["eff.size.mean", "eff.size.q95"],
    )
    for ids in (*laws, ["eff.scope.min", "eff.scope.max"]):
        values = [float(PARAMETERS[id_][column]) for id_ in ids]
        assert values == sorted(values), ids


def test_correlations_are_a_correlation_matrix_far_from_singular() -> None:
    rows = read(CONFIG / "correlations.csv")
    factors = [row["factor"] for row in rows]
    matrix = np.array([[float(row[factor]) for factor in factors] for row in rows])
    assert sorted(factors) == sorted("ZCDPMSEWR")
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diag(matrix), 1)
    assert np.linalg.eigvalsh(matrix)[0] == pytest.approx(0.266, abs=0.005)


def test_hazards_rise_with_every_notch_in_every_year() -> None:
    hazards = np.array([[float(row[f"y{year}"]) for year in range(1, 7)] for row in HAZARDS])
    assert [int(row["notch"]) for row in HAZARDS] == list(range(1, 22))
    assert np.all(np.diff(hazards, axis=0) > 0)
    assert hazards.min() >= 1e-4
    assert hazards[17, 0] == pytest.approx(0.303, abs=0.01)  # Caa2 = CCC, year 1
