"""Comparing runs: changes whose errors are known, paired and not, and inputs that changed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.analytics.estimators import mean
from simulator.analytics.sample import Design
from simulator.results import input_changes
from simulator.results.comparison import compare_numbers, paired_designs
from tests.unit.dataset.samples import plan_of, run

pytestmark = pytest.mark.nojit

PATHS = 4000


def made(shift: float = 0.0, seed: int = 1, stream: int = 1, **attrs: Any) -> xr.Dataset:
    """Return a run of one facility that loses on about one path in five, `shift` more on each."""
    draws = np.random.default_rng(stream).normal(size=PATHS)
    loss = np.where(draws > 0.84, 100.0 * (draws - 0.84) + shift, 0.0)
    return xr.Dataset(
        {
            "lender_loss": (("path", "facility"), loss[:, None]),
            "book_lender_loss": ("path", loss),
            "facility_default_month": (("path", "facility"), (loss > 0.0).astype(int)[:, None]),
        },
        coords={"facility": ["A"], "facility_lent": ("facility", [500.0])},
        attrs={"seed": seed, **attrs},
    )


def row(table: xr.Dataset, measure: str) -> dict[str, float]:
    return {str(name): float(table[name].sel(measure=measure)) for name in table if name != "units"}


def test_runs_of_one_seed_are_compared_path_by_path() -> None:
    one, other = made(), made(shift=5.0)
    table = compare_numbers(one, other)
    assert table.attrs["paired"] == 1
    found = row(table, "book.el")
    hit = float((one["book_lender_loss"] > 0.0).mean())
    assert found["change"] == pytest.approx(5.0 * hit)
    assert found["change_se"] == pytest.approx(5.0 * math.sqrt(hit * (1 - hit) / (PATHS - 1)))
    assert found["errors"] == pytest.approx(found["change"] / found["change_se"])
    assert found["change_se"] < 0.2 * found["before_se"]
    tail = row(table, "book.es99")
    assert tail["change"] == pytest.approx(5.0)
    assert tail["change_se"] < 0.1 * tail["before_se"]
    assert row(table, "facility.A.pd")["errors"] == 0.0


def test_other_seeds_are_independent() -> None:
    table = compare_numbers(made(), made(shift=5.0, seed=2, stream=2))
    assert table.attrs["paired"] == 0
    for measure in ("book.el", "book.es95", "book.pd"):
        found = row(table, measure)
        assert found["change"] == pytest.approx(found["after"] - found["before"])
        assert found["change_se"] == pytest.approx(
            math.hypot(found["before_se"], found["after_se"])
        )
    shorter = made().isel(path=slice(1000))
    assert compare_numbers(made(), shorter).attrs["paired"] == 0


def test_errors_of_independent_runs_are_as_large_as_they_say() -> None:
    errors = [
        row(compare_numbers(made(), made(seed=2, stream=stream)), "book.el")["errors"]
        for stream in range(100, 130)
    ]
    spread = np.std(
        [
            row(compare_numbers(made(seed=3, stream=s), made(seed=4, stream=s + 50)), "book.el")[
                "errors"
            ]
            for s in range(200, 230)
        ],
        ddof=1,
    )
    assert 0.6 < spread < 1.5
    assert max(map(abs, errors)) < 5.0


def test_pairs_are_grouped_by_the_draws_of_both_runs() -> None:
    one, other = made(paths_per_draw=4), made(shift=5.0, paths_per_draw=6)
    designs = paired_designs(one, other)
    assert designs is not None
    earlier, later = designs
    assert earlier.groups is not None
    assert later.groups is not None
    assert list(earlier.groups[:25]) == [0] * 12 + [1] * 12 + [2]
    change = other["book_lender_loss"].values - one["book_lender_loss"].values
    groups = np.arange(PATHS) // 12
    expected = mean(change, Design(None, groups))
    found = row(compare_numbers(one, other), "book.el")
    assert (found["change"], found["change_se"]) == pytest.approx(tuple(expected))


def test_weights_of_each_run_count_for_its_own_paths() -> None:
    one, other = made(), made(shift=5.0)
    rng = np.random.default_rng(5)
    weights = rng.uniform(0.5, 1.5, PATHS)
    other["path_weight"] = ("path", weights)
    found = row(compare_numbers(one, other), "book.el")
    assert found["change"] == pytest.approx(found["after"] - found["before"])
    assert found["after"] == pytest.approx(mean(other["book_lender_loss"].values, weights).value)
    assert 0.0 < found["change_se"] < math.hypot(found["before_se"], found["after_se"])


def resolved(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "digest": "1",
        "scenarios": [],
        "study": {"name": "book", "drivers": {"memory": True}, "parameters": {"set": "base"}},
        "tape": {
            "debt": [
                {"tranche": "T1", "facility": "F", "commitment_usd_m": 100.0, "margin_bp": 450.0},
                {"tranche": "T2", "facility": "F", "commitment_usd_m": 50.0, "margin_bp": 900.0},
            ]
        },
        "derived": [{"table": "debt", "row": "T1", "field": "margin_bp"}],
        "inputs": {
            "parameters": {"dem.sigma": 0.2},
            "expected": {"parameters": {"dem.sigma": 0.2}},
            "names": [{"id": "x", "hazard": 0.1}, {"id": "y", "hazard": 0.2}],
        },
    }
    return {**values, **changes}


def folder(path: Path, content: dict[str, Any], **plan: Any) -> Path:
    return run(path, plan_of(200, digest=content["digest"], **plan), resolved=content)


def test_inputs_that_changed(tmp_path: Path) -> None:
    before = folder(tmp_path / "a", resolved())
    rows = resolved()["tape"]["debt"]
    rows[0].update(commitment_usd_m=120.0, margin_bp=475.0)
    rows[1].update(tranche="T3")
    after = resolved(
        digest="2",
        scenarios=[{"name": "bear", "description": "", "text": "dem.mu: 0"}],
        study={"name": "book", "drivers": {"memory": False}, "parameters": {"set": "stress"}},
        tape={"debt": rows},
    )
    after["inputs"]["parameters"] = {"dem.sigma": 0.3}
    versions = {"simulator": "0.2.0", "numpy": "2.4.6"}
    there = folder(tmp_path / "b", after, seed=2, versions=versions)
    found = {(one.kind, one.path): (one.before, one.after) for one in input_changes(before, there)}
    assert found == {
        ("run", "seed"): (1, 2),
        ("versions", "simulator"): ("0.1.0", "0.2.0"),
        ("scenario", "bear"): (None, "laid over the study"),
        ("study", "drivers.memory"): (True, False),
        ("parameters", "dem.sigma"): (0.2, 0.3),
        ("tape", "debt.T1.commitment_usd_m"): (100.0, 120.0),
        ("derived", "debt.T1.margin_bp"): (450.0, 475.0),
        ("tape", "debt.T2"): ("a row", None),
        ("tape", "debt.T3"): (None, "a row"),
    }
    assert input_changes(before, before) == []


def test_what_nothing_else_accounts_for_is_told_from_the_resolved_inputs(tmp_path: Path) -> None:
    other = resolved(digest="2")
    other["inputs"]["names"][1]["hazard"] = 0.25
    (change,) = input_changes(
        folder(tmp_path / "a", resolved()), folder(tmp_path / "b", other, paths_per_draw=1)
    )
    assert (change.kind, change.path) == ("inputs", "names.y.hazard")
    assert (change.before, change.after) == (0.2, 0.25)
    assert json.loads(json.dumps(change.as_object()))["after"] == 0.25
