"""Model inputs survive the way to disk and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from simulator.config.plain import plain_values
from simulator.config.stored import StoredStudyError, stored_inputs
from simulator.config.study import Study, load_study

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(ROOT / "configs" / "neocloud-2026.yaml")


def test_the_same_inputs_come_back(study: Study) -> None:
    again = stored_inputs(json.loads(json.dumps(study.resolved)))
    assert repr(again) == repr(study.inputs)
    assert plain_values(asdict(again)) == study.resolved["inputs"]


def test_a_change_is_noticed(study: Study) -> None:
    changed = json.loads(json.dumps(study.resolved))
    changed["inputs"]["parameters"]["dem.sigma"] += 1e-12
    with pytest.raises(StoredStudyError, match="not what its digest says"):
        stored_inputs(changed)


def test_another_version_is_noticed(study: Study) -> None:
    changed = json.loads(json.dumps(study.resolved))
    del changed["inputs"]["copula_nu"]
    with pytest.raises(StoredStudyError, match="copula_nu"):
        stored_inputs(changed)
