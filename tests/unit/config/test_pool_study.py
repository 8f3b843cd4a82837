"""Credit-only files: what may be written, and what is said about what may not."""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.config.errors import ConfigError
from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_book, load_study

ROOT = Path(__file__).resolve().parents[3]

STUDY: dict[str, Any] = {
    "schema": "neobox.credit/1",
    "name": "pool",
    "start": "2026-11",
    "horizon_months": 24,
    "names": {
        "A": {"exposure_usd_m": 10, "pd": 0.02, "lgd": 0.5, "loadings": [0.4, 0.2]},
        "B": {
            "exposure_usd_m": 20,
            "rating": "B2",
            "lgd": 0.6,
            "lgd_sd": 0.2,
            "loadings": [0.3, 0],
        },
    },
    "tranches": {"equity": {"attachment": 0, "detachment": 0.1}},
}


def load(folder: Path, study: dict[str, Any], **changes: Any) -> PoolStudy:
    path = folder / "study.yaml"
    path.write_text(json.dumps(study), encoding="utf-8")
    loaded = load_study(path, changes)
    assert isinstance(loaded, PoolStudy)
    return loaded


def test_a_table_of_names_says_the_same_as_the_file(tmp_path: Path) -> None:
    inline = load(tmp_path, STUDY)
    table = "name,exposure_usd_m,rating,lgd,lgd_sd,loading_1,loading_2\nB,20,B2,60%,20%,0.3,0\n"
    (tmp_path / "pool.csv").write_text(table, encoding="utf-8")
    names = {"A": STUDY["names"]["A"]}
    study = {**STUDY, "names": names, "names_table": "pool.csv"}
    assert load(tmp_path, study).digest == inline.digest
    (changed,) = load(tmp_path, study, **{"names.B.exposure_usd_m": 7}).inputs.names[1:]
    assert changed.exposure == 7.0


def test_faults_of_a_table_are_told_with_its_line(tmp_path: Path) -> None:
    table = "name,exposure_usd_m,pd,lgd,loading_1,loading_2\nB,20,85,60%,0.3,0\n"
    (tmp_path / "pool.csv").write_text(table, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pool.csv:2: names.B.pd.0: expected a number of share"):
        load(tmp_path, {**STUDY, "names_table": "pool.csv", "names": {"A": STUDY["names"]["A"]}})


def test_keys_may_come_without_a_file(tmp_path: Path) -> None:
    named = load_study(STUDY)
    assert named.digest == load(tmp_path, STUDY).digest
    assert STUDY["names"]["A"]["loadings"] == [0.4, 0.2]


def test_probabilities_become_hazards(tmp_path: Path) -> None:
    study = copy.deepcopy(STUDY)
    study["names"]["B"] = {"exposure_usd_m": 1, "pd": "1%; 3%", "lgd": 1, "loadings": [0.3, 0]}
    a, b = load(tmp_path, study).inputs.names
    assert a.hazard_per_year == pytest.approx((-math.log(0.98) / 2.0,))
    assert b.hazard_per_year == pytest.approx((-math.log(0.99), math.log(0.99 / 0.97)))


def test_single_keys_can_be_set(tmp_path: Path) -> None:
    changed = load(tmp_path, STUDY, **{"names.A.pd": 0.1, "horizon_months": 36})
    assert changed.inputs.horizon == 36
    assert changed.inputs.names[0].hazard_per_year == pytest.approx((-math.log(0.9) / 3.0,))


WRONG = {
    "two curves": ("names.A.rating", "Baa2", "names.A.rating: expected one of pd"),
    "no curve": ("names.A.pd", None, "names.A.pd: expected one of pd"),
    "no loss": ("names.A.lgd", None, "names.A.lgd: expected lgd or collateral_usd_m"),
    "wide law": ("names.B.lgd_sd", 0.9, "names.B.lgd_sd: expected less than 0.4899"),
    "half a loan": ("names.A.loan_rate", 0.09, "names.A.loan_months: expected both of a loan"),
    "strong loadings": ("names.A.loadings", [0.9, 0.9], "squares that sum to at most 1, got 1.62"),
    "missing loading": ("names.A.loadings", [0.4], "expected 2 loadings, as other names have"),
    "falling pd": ("names.A.pd", [0.03, 0.02], "cumulative probabilities that rise"),
    "moving loss without loss": (
        "names.B.lgd_loadings",
        [0.3, 0.0],
        "names.B.lgd_loadings: expected none, or an lgd between 0 and 1 without lgd_sd",
    ),
    "strong loss": ("names.A.lgd_loadings", [0.9, 0.9], "squares that sum to at most 1, got 1.62"),
    "missing loss loading": ("names.A.lgd_loadings", [0.3], "expected 2 loadings"),
    "rating": ("names.B.rating", "B7", "did you mean that?"),
    "unknown key": ("names.A.exposur", 1, "expected a known key, got 'exposur'"),
    "tranche": ("tranches.equity.attachment", 0.2, "expected more than the attachment 0.2"),
    "percent": ("names.A.pd", 2, "expected a number of share between 0 and 1"),
    "generator": (
        "regimes",
        {"generator": [[-1, 2], [1, -1]], "start": [1, 0], "hazard_per_year": [0, 0.1]},
        "rows that sum to 0",
    ),
    "start": (
        "regimes",
        {"generator": [[-1, 1], [1, -1]], "start": [1, 0.5], "hazard_per_year": [0, 0.1]},
        "probabilities that sum to 1",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_faults_are_told_with_their_place(case: str, tmp_path: Path) -> None:
    key, value, said = WRONG[case]
    study = copy.deepcopy(STUDY)
    *where, last = key.split(".")
    inner = study
    for part in where:
        inner = inner[part]
    inner[last] = value
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, study)
    assert any(said in str(problem) for problem in caught.value.problems), str(caught.value)
    assert all("study.yaml:1:" in problem.place for problem in caught.value.problems)


def test_granular_names_and_regimes_exclude_each_other(tmp_path: Path) -> None:
    study = copy.deepcopy(STUDY)
    study["names"]["A"]["granular"] = True
    assert load(tmp_path, study).inputs.names[0].granular
    study["regimes"] = {"generator": [[0.0]], "start": [1], "hazard_per_year": [0.1]}
    with pytest.raises(ConfigError, match=r"names.A.granular: expected false"):
        load(tmp_path, study)


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    table = "name,exposure_usd_m,pd,lgd,loading_1,loading_2\nA,20,2%,60%,0.3,0\n"
    (tmp_path / "pool.csv").write_text(table, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pool.csv:2: name: expected each name once"):
        load(tmp_path, {**STUDY, "names_table": "pool.csv"})


def test_what_needs_a_book_refuses_a_pool(tmp_path: Path) -> None:
    load(tmp_path, STUDY)
    with pytest.raises(ConfigError, match="expected a study of a book of deals"):
        load_book(tmp_path / "study.yaml")
    with pytest.raises(ConfigError, match="expected no scenario"):
        load_study(tmp_path / "study.yaml", scenarios=[tmp_path / "bear.yaml"])


def test_the_examples_load(tmp_path: Path) -> None:
    shipped = load_study(ROOT / "configs" / "credit-pool.yaml")
    assert isinstance(shipped, PoolStudy)
    assert len(shipped.inputs.names) == 25
    page = (ROOT / "docs" / "credit-only.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(schema: neobox.credit/1.*?)```", page, re.DOTALL)
    assert block
    (tmp_path / "page.yaml").write_text(block[1], encoding="utf-8")
    assert isinstance(load_study(tmp_path / "page.yaml"), PoolStudy)
