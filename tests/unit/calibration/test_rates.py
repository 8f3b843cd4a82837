"""`calibrate_rates`: months and days, percent, the unit root."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulator.calibration import calibrate_rates
from simulator.config.errors import ConfigError

pytestmark = pytest.mark.nojit

Write = Callable[..., Path]

KAPPA, THETA, SIGMA = 0.8, 0.036, 0.009


def rates(days: list[datetime.date], seed: int, kappa: float = KAPPA) -> np.ndarray:
    """Vasicek rates on given days by the textbook transition."""
    random, path = np.random.default_rng(seed), [0.02]
    for before, day in itertools.pairwise(days):
        h = (day - before).days / 365.25
        decay = np.exp(-kappa * h)
        sd = SIGMA * np.sqrt((1 - decay**2) / (2 * kappa))
        path.append(THETA + (path[-1] - THETA) * decay + sd * random.standard_normal())
    return np.array(path)


def every(step: int, count: int) -> list[datetime.date]:
    first = datetime.date(1970, 1, 1)
    return [first + datetime.timedelta(step * i) for i in range(count) if i % 11 != 5]


def lines(days: list[datetime.date], values: np.ndarray) -> list[str]:
    return [f"{day},{value!r}" for day, value in zip(days, values.tolist(), strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_long_histories_give_the_parameters_back(write: Write, seed: int) -> None:
    days = every(30, 730)  # sixty years, with holes
    found = calibrate_rates(write("date,sofr", *lines(days, rates(days, seed))), samples=99)
    for name, truth in (("ir.kappa", KAPPA), ("ir.theta", THETA), ("ir.sigma", SIGMA)):
        one = found[name]
        assert abs(one.value - truth) < 4 * one.se, one
        assert one.low < one.value < one.high
    assert found["ir.kappa"].low > 0
    assert found["ir.sigma"].relative_error < 0.05


def test_percent_is_a_unit_and_the_last_value_is_the_start(write: Write) -> None:
    days = every(30, 120)
    path = rates(days, 4)
    plain = calibrate_rates(write("date,sofr", *lines(days, path)), samples=99)
    percent = calibrate_rates(
        write("date,sofr", *lines(days, 100 * path), name="percent.csv"), percent=True, samples=99
    )
    assert percent["ir.r0"].value == pytest.approx(path[-1])
    for one, other in zip(plain.estimates, percent.estimates, strict=True):
        assert other.value == pytest.approx(one.value, rel=1e-6)


def test_percent_taken_for_a_fraction_is_refused(write: Write) -> None:
    days = every(30, 30)
    with pytest.raises(ConfigError, match=r"mend by writing 3.64% as 3.64 with --percent"):
        calibrate_rates(write("date,sofr", *lines(days, 100 * rates(days, 4) + 1)))


def test_a_near_unit_root_is_told(write: Write) -> None:
    days = every(30, 100)
    path = rates(days, 7, kappa=0.02)
    found = calibrate_rates(write("date,sofr", *lines(days, path)), samples=199)
    assert found["ir.kappa"].low == 0
    assert not found["ir.kappa"].pinned_down
    assert not found["ir.theta"].pinned_down
    text = str(found)
    assert "does not pin down ir.kappa" in text
    assert "Mean reversion is overstated" in text
    assert "no long-run level" in text
    assert found["ir.theta"].low == -np.inf


def test_noise_of_single_fixings_is_told(write: Write) -> None:
    days = every(1, 300)
    noise = 0.0008 * np.random.default_rng(8).standard_normal(len(days))
    clean, noisy = rates(days, 8), rates(days, 8) + noise
    found = calibrate_rates(write("date,sofr", *lines(days, noisy)), samples=99)
    assert "noise of single fixings" in str(found)
    again = calibrate_rates(write("date,sofr", *lines(days, clean)), samples=99)
    assert "noise of single fixings" not in str(again)
    assert found["ir.sigma"].value > 1.5 * again["ir.sigma"].value


def test_surprises_are_standard(write: Write) -> None:
    days = every(30, 600)
    found = calibrate_rates(write("date,sofr", *lines(days, rates(days, 9))), samples=99)
    assert np.mean(found.surprises**2) == pytest.approx(1.0, abs=1e-6)
    assert found.surprises.mean() == pytest.approx(0.0, abs=0.1)
