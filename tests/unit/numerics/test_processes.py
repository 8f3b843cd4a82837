import math

import numpy as np
import pytest

from simulator.numerics import (
    monthly_event_probability,
    ou_coefficients,
    ou_step,
    vasicek_mean_rate,
)

pytestmark = pytest.mark.nojit


def test_ou_coefficients_worked_by_hand():
    decay, sd = ou_coefficients(1.2, 0.5)
    assert decay == pytest.approx(0.9048374180359595, rel=1e-14)  # exp(-0.1)
    assert sd == pytest.approx(0.5 * math.sqrt(0.18126924692201815 / 2.4), rel=1e-14)


def test_ou_coefficients_compose_over_months():
    """Twelve monthly steps are one yearly step, in mean and in variance."""
    decay, sd = ou_coefficients(0.7, 0.3)
    yearly_decay, yearly_sd = ou_coefficients(0.7, 0.3, 1.0)
    variance = sd**2 * sum(decay ** (2 * month) for month in range(12))
    assert decay**12 == pytest.approx(yearly_decay, rel=1e-13)
    assert variance == pytest.approx(yearly_sd**2, rel=1e-13)


def test_ou_without_mean_reversion_is_a_random_walk():
    assert ou_coefficients(0.0, 0.3) == (1.0, 0.3 * math.sqrt(1.0 / 12.0))
    decay, sd = ou_coefficients(1e-12, 0.3)
    assert decay == pytest.approx(1.0, abs=1e-12)
    assert sd == pytest.approx(0.3 * math.sqrt(1.0 / 12.0), rel=1e-12)


def test_fast_mean_reversion_is_white_noise():
    decay, sd = ou_coefficients(1e5, 0.3)
    assert decay == 0.0
    assert sd == pytest.approx(0.3 / math.sqrt(2e5), rel=1e-14)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((-0.1, 0.2, 1.0), "kappa"),
        ((math.inf, 0.2, 1.0), "kappa"),
        ((0.1, -0.2, 1.0), "sigma"),
        ((0.1, math.nan, 1.0), "sigma"),
        ((0.1, 0.2, 0.0), "dt"),
    ],
)
def test_impossible_coefficients_are_refused(arguments, name):
    with pytest.raises(ValueError, match=name):
        ou_coefficients(*arguments)


def test_ou_step():
    assert ou_step(2.0, 0.5, 0.25, -2.0) == 0.5


@pytest.mark.parametrize("hazard", [0.0, 1e-300, 1e-12, 1e-3, 0.05, 1.0, 4.1, 12.0, 500.0])
def test_monthly_event_probability(hazard):
    expected = -math.expm1(-hazard / 12.0)
    assert monthly_event_probability(hazard) == pytest.approx(expected, rel=1e-15, abs=0.0)


def test_twelve_months_of_hazard_make_a_year():
    survival = (1.0 - monthly_event_probability(0.3)) ** 12
    assert survival == pytest.approx(math.exp(-0.3), rel=1e-14)


def test_vasicek_mean_is_the_average_of_the_expected_path():
    rate, theta, kappa, horizon = 0.045, 0.03, 0.4, 7.0
    times = (np.arange(200_000) + 0.5) * horizon / 200_000
    path = theta + (rate - theta) * np.exp(-kappa * times)
    assert vasicek_mean_rate(rate, theta, kappa, horizon) == pytest.approx(path.mean(), rel=1e-10)


def test_vasicek_mean_at_the_limits():
    assert vasicek_mean_rate(0.05, 0.03, 0.0, 5.0) == pytest.approx(0.05, rel=1e-15)
    assert vasicek_mean_rate(0.05, 0.03, 0.4, 0.0) == pytest.approx(0.05, rel=1e-15)
    assert vasicek_mean_rate(0.05, 0.03, 1e-10, 5.0) == pytest.approx(0.05, rel=1e-9)
    assert vasicek_mean_rate(0.05, 0.03, 1e9, 5.0) == pytest.approx(0.03, rel=1e-6)
