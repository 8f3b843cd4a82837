"""What was expected at t0: solved once, kept, and left alone by whatever changes the world."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.api import simulate
from simulator.config.study import load_study
from simulator.config.terms import ModelInputs
from simulator.engine import compensator, expectations
from simulator.engine.expectations import Expectations, expectations_of, from_json, to_json
from tests.unit.engine.small import OVERRIDES, as_bytes, differing

SOLVED = OVERRIDES | {"drivers.compensator": True}


@pytest.fixture(autouse=True)
def few_pilot_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Solve on few paths, and keep what is solved in a folder of the test."""
    monkeypatch.setattr(compensator, "PILOT_PATHS", 256)
    monkeypatch.setattr(expectations, "file_of", lambda key: tmp_path / f"{key}.npy")


@pytest.fixture
def inputs(study_file: Path) -> ModelInputs:
    return load_study(study_file, SOLVED).inputs


def same(one: Expectations, other: Expectations) -> bool:
    pairs = zip(
        [*one.reference, one.compensator], [*other.reference, other.compensator], strict=True
    )
    return all(np.array_equal(a, b) for a, b in pairs)


def test_kept_ones_are_the_solved_ones(inputs: ModelInputs, tmp_path: Path) -> None:
    solved = expectations_of(inputs)
    assert np.abs(solved.compensator).max() > 0.0
    assert len(list(tmp_path.glob("*.npy"))) == 1
    assert same(expectations_of(inputs), solved)


def test_a_damaged_file_is_solved_anew(inputs: ModelInputs, tmp_path: Path) -> None:
    solved = expectations_of(inputs)
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(file.read_bytes()[:50])
    assert same(expectations_of(inputs), solved)


def test_json_and_back(inputs: ModelInputs) -> None:
    solved = expectations_of(inputs)
    plain = json.loads(json.dumps(to_json(inputs, solved)))
    found = from_json(inputs, plain)
    assert found is not None
    assert same(found, solved)
    assert from_json(inputs, plain | {"key": "another"}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"dem.sigma": 0.35},
        {"parameters.set": "stress"},
        {"drivers.memory": False},
        {"correlations": {"D": {"M": 0.1}}},
        {"gpu.capex.H100": 60_000},
    ],
)
def test_a_changed_world_changes_no_expectation(
    study_file: Path, inputs: ModelInputs, changes: dict
) -> None:
    changed = load_study(study_file, SOLVED | changes).inputs
    assert changed.expected == inputs.expected
    if changes != {"parameters.set": "stress"}:  # which moves loadings of names, so their classes
        assert same(expectations_of(changed), expectations_of(inputs))


def test_only_the_reference_changes_them(study_file: Path, inputs: ModelInputs) -> None:
    changed = load_study(study_file, SOLVED | {"reference.values.dem.g_path.2027": 0.5}).inputs
    assert not same(expectations_of(changed), expectations_of(inputs))


def test_a_run_keeps_them_and_a_resumed_one_reads_them_back(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load_study(study_file, SOLVED)
    out = tmp_path / "run"
    whole = simulate(study, paths=6, chunk=2, out=out)
    kept = json.loads((out / "expected.json").read_text(encoding="utf-8"))
    assert len(kept["reference"]["tightness"]) == study.inputs.horizon + 1
    assert set(kept["compensator"]) == {name.id for name in study.inputs.book.names}

    unfinished = tmp_path / "unfinished"

    def stop(progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(study, paths=6, chunk=2, out=unfinished, report=stop)
    monkeypatch.setattr(
        "simulator.engine.prepare.expectations_of", lambda inputs: pytest.fail("solved again")
    )
    again = simulate(study, paths=6, chunk=2, out=unfinished, resume=True)
    assert differing(as_bytes(again), as_bytes(whole)) == []
