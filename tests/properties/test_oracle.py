"""The engine and the reference model tell the same story, path by path, to nine digits."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.config.study import load_study
from simulator.config.terms import ModelInputs
from simulator.engine import compensator
from simulator.engine.market_alone import reference_path
from simulator.engine.pack_credit import name_classes
from tests.properties.agreement import Study, differences, pack, run_engine, run_oracle
from tests.reference.compensator import solve_compensator
from tests.reference.corners import CORNERS
from tests.reference.studies import small_study

SEED = 11
pytestmark = pytest.mark.timeout(1800)  # the first test may compile the engine
BOOK = Path(__file__).resolve().parents[2] / "configs" / "neocloud-2026.yaml"


def study(number: int) -> Study:
    return pack(small_study(random.Random(number)))


def assert_agreement(packed: Study, path: int) -> None:
    """Every month, every line, every result of one path."""
    engine, oracle = run_engine(packed, SEED, [path]), run_oracle(packed, SEED, path)
    found = differences(packed, engine, oracle)
    told = "\n".join(str(difference) for difference in found[:8])
    assert not found, f"{len(found)} differences, the first:\n{told}"


@pytest.mark.nojit
@pytest.mark.parametrize("number", range(16))
def test_they_agree_on_known_studies(number: int) -> None:
    assert_agreement(study(number), path=number)


@pytest.mark.nojit
@pytest.mark.parametrize("number", range(300, 309))
@pytest.mark.parametrize("corner", CORNERS)
def test_they_agree_in_corners(corner: str, number: int) -> None:
    packed = pack(CORNERS[corner](small_study(random.Random(number))))
    assert_agreement(packed, path=number)


@settings(max_examples=60)
@given(number=st.integers(0, 10**9), path=st.integers(0, 10**6))
def test_they_agree_on_any_study(number: int, path: int) -> None:
    assert_agreement(study(number), path)


@pytest.mark.nojit
def test_they_agree_on_the_book() -> None:
    packed = pack(load_study(BOOK).inputs)
    for path in range(3):
        assert_agreement(packed, path)


@pytest.mark.nojit
@pytest.mark.parametrize("number", [1, 4, 19])
def test_a_block_is_its_paths_one_by_one(number: int) -> None:
    packed = study(number)
    block = run_engine(packed, SEED, [5, 6, 7], trace=False).outputs
    for lane, path in enumerate([5, 6, 7]):
        alone = run_engine(packed, SEED, [path], trace=False).outputs
        for field in block._fields:
            together = getattr(block, field)[..., lane]
            np.testing.assert_array_equal(together, getattr(alone, field)[..., 0], field)


@pytest.mark.nojit
@pytest.mark.parametrize("number", [1, 5, 10, 33])
def test_they_solve_the_same_compensator(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = with_compensator(small_study(random.Random(number)))
    monkeypatch.setattr(compensator, "PILOT_PATHS", 24)
    with np.errstate(all="ignore"):  # as compiled
        by_class = compensator.solve_compensator(
            inputs, reference_path(inputs.expected, inputs.horizon)
        )
    _, members = name_classes(inputs)
    for name, c in solve_compensator(inputs, paths=24).items():
        np.testing.assert_allclose(by_class[members[name], 1:], c, rtol=0, atol=1e-9)


def with_compensator(inputs: ModelInputs) -> ModelInputs:
    """The same study over a short horizon, with the compensator in force and lively integration."""
    on = dict.fromkeys(("compensator", "counterparty_default", "integration"), True)
    expected = dataclasses.replace(
        inputs.expected,
        parameters={**inputs.expected.parameters, "sup.vi_lambda": 2.0},
        switches={**inputs.switches, **on},
    )
    return dataclasses.replace(
        inputs, switches={**inputs.switches, **on}, expected=expected, horizon=14
    )
