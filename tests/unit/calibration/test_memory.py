"""`calibrate_memory`: ids, units, spells, honesty."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from simulator.calibration import MemoryCalibration, calibrate_memory
from simulator.calibration.memory import spells_of
from simulator.calibration.regimes import Chain, simulate
from simulator.config.errors import ConfigError
from simulator.config.parameters import parameter_table
from tests.unit.calibration.test_regimes import TRUE

pytestmark = pytest.mark.nojit

Monthly = Callable[[Iterable[float]], Path]

TRUTH = {
    "mem.dur_bal": 12.0,
    "mem.dur_short": 15.0,
    "mem.dur_glut": 16.0,
    "mem.p_bal_to_glut": 0.6,
    "mem.mu.balanced": -0.02,
    "mem.mu.shortage": 0.04,
    "mem.mu.glut_first_8_months": -0.09,
    "mem.mu.glut_after": -0.03,
    "mem.sigma.balanced": 0.12,
    "mem.sigma.shortage": 0.3,
    "mem.sigma.glut": 0.2,
}


@pytest.fixture
def long(monthly: Monthly) -> MemoryCalibration:
    moves, _ = simulate(Chain.of(3), TRUE, 900, seed=30)
    return calibrate_memory(monthly(100 * np.exp(np.cumsum([0.0, *moves]))))


def test_every_number_goes_to_its_parameter(long: MemoryCalibration) -> None:
    assert [one.id for one in long.estimates] == list(TRUTH)
    for one in long.estimates:
        assert abs(one.value - TRUTH[one.id]) < 4 * one.se, one
        assert one.low < one.value < one.high
        assert one.unit == parameter_table()[one.id].unit
    assert long["mem.p_bal_to_glut"].high < 1
    assert long["mem.sigma.balanced"].pinned_down


def test_probabilities_and_spells_cover_the_months(long: MemoryCalibration) -> None:
    assert long.probabilities.shape == (900, 3)
    np.testing.assert_allclose(long.probabilities.sum(axis=1), 1.0)
    assert sum(spell.months for spell in long.spells) == 900
    _, regime = simulate(Chain.of(3), TRUE, 900, seed=30)
    assert np.mean(long.probabilities.argmax(axis=1) == regime) > 0.75


def test_a_short_index_says_how_few_spells_it_saw(monthly: Monthly) -> None:
    moves, _ = simulate(Chain.of(3), TRUE, 120, seed=4)
    found = calibrate_memory(monthly(100 * np.exp(np.cumsum([0.0, *moves]))))
    text = str(found)
    assert "Fewer than 5 spells" in text
    assert "takes mem.shape = 3 for granted" in text
    assert sum(not one.pinned_down for one in found.estimates) >= 5
    assert "not pinned down" in found.parameter_set()


def test_a_likelihood_without_a_peak_pins_nothing_down(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "simulator.calibration.memory.covariance", lambda *_: np.full((11, 11), np.nan)
    )
    moves, _ = simulate(Chain.of(3), TRUE, 120, seed=4)
    found = calibrate_memory(monthly(100 * np.exp(np.cumsum([0.0, *moves]))))
    assert len(found.verdicts) == 11
    assert all("does not pin down" in verdict for verdict in found.verdicts)
    assert (found["mem.dur_bal"].low, found["mem.dur_bal"].high) == (0.0, np.inf)
    assert (found["mem.p_bal_to_glut"].low, found["mem.p_bal_to_glut"].high) == (0.0, 1.0)
    json.dumps(found.as_object(), allow_nan=False)


def test_spells_are_runs() -> None:
    names = np.eye(3)[[0, 0, 2, 2, 2, 0, 1]]
    assert [tuple(one) for one in spells_of(names)] == [(0, 0, 2), (2, 2, 3), (0, 5, 1), (1, 6, 1)]


def test_a_missing_month_is_refused(write: Callable[..., Path]) -> None:
    rows = [f"{2000 + i // 12}-{i % 12 + 1:02d},{100 + i % 7}" for i in range(80)]
    del rows[40]
    with pytest.raises(ConfigError, match="expected the month after 2003-04, got 2003-06"):
        calibrate_memory(write("month,index", *rows))


def test_an_index_without_three_regimes_is_refused(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.calibration.memory.fit", lambda *_, **__: None)
    with pytest.raises(ConfigError, match="got no such three regimes, mend by giving a longer"):
        calibrate_memory(monthly(range(1, 80)))
