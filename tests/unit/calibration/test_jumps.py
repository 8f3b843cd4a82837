"""Jumps: the density, the search, the level and the power of the test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, poisson

from simulator.calibration.jumps import (
    MOST_JUMPS,
    JumpFit,
    fit_jumps,
    improved,
    jump_test,
    log_likelihood,
)
from simulator.calibration.jumps import _errors as errors_of
from simulator.calibration.ornstein_uhlenbeck import Times, fit, simulate, transition
from tests.unit.calibration.scores import assert_scores_are_standard

pytestmark = pytest.mark.nojit

KAPPA = 1.5
TRUE = JumpFit(*(np.array([one]) for one in (0.3, 1.5, 0.3, 0.15)))


def steps_of(months: int, seed: int, model: JumpFit = TRUE) -> tuple[np.ndarray, ...]:
    """Steps, g and gaps of a jump diffusion, every tenth gap a double one."""
    random = np.random.default_rng(seed)
    gaps = np.where(np.arange(months) % 10 == 9, 2, 1) / 12
    g = transition(KAPPA, gaps)[1]
    number = random.poisson(model.intensity[0] * gaps)
    jumps = number * model.mean[0] + np.sqrt(number) * model.sd[0] * random.standard_normal(months)
    steps = model.sigma[0] * np.sqrt(g) * random.standard_normal(months) + jumps
    return steps[:, None], g[:, None], gaps


def test_the_density_is_poisson_times_normal() -> None:
    steps, g, gaps = steps_of(20, 1)
    number = np.arange(MOST_JUMPS + 1)
    expected = 0.0
    for step, one, gap in zip(steps[:, 0], g[:, 0], gaps, strict=True):
        weight = poisson.pmf(number, 1.5 * gap) / poisson.cdf(MOST_JUMPS, 1.5 * gap)
        sd = np.sqrt(0.09 * one + number * 0.15**2)
        expected += np.log(np.sum(weight * norm.pdf(step, number * 0.3, sd)))
    assert log_likelihood(steps, g, gaps, TRUE)[0] == pytest.approx(expected, abs=1e-9)


def test_each_step_of_the_search_climbs() -> None:
    steps, g, gaps = steps_of(200, 2)
    model = JumpFit(*(np.array([one]) for one in (0.5, 0.5, 0.1, 0.1)))
    heights = []
    for _ in range(60):
        heights.append(log_likelihood(steps, g, gaps, model)[0])
        model = improved(steps, g, gaps, model)
    rises = np.diff(heights)
    assert rises.min() > -1e-4  # the number of jumps in a step is cut off at four
    assert heights[-1] > heights[0] + 5


def test_estimates_scatter_as_their_errors_say() -> None:
    scores = []
    for seed in range(8):
        steps, g, gaps = steps_of(1200, 20 + seed)
        model = fit_jumps(steps, g, gaps)[0]
        errors = errors_of(steps, g, gaps, model)
        scores.append((np.concatenate(model) - np.concatenate(TRUE)) / errors)
    assert_scores_are_standard(scores)


def series_of(seed: int, jump: float) -> tuple[Times, np.ndarray]:
    """Return 60 months, with one jump of a size in the middle."""
    years = np.arange(60) / 12
    times = Times(years, np.column_stack([np.ones(60), years - years.mean()]), stationary=True)
    path = 0.3 * simulate(times, KAPPA, np.random.default_rng(seed).standard_normal((60, 1)))[:, 0]
    return times, path + jump * np.where(years >= 2.5, np.exp(-KAPPA * (years - 2.5)), 0.0)


def test_without_jumps_the_test_finds_them_as_rarely_as_it_should() -> None:
    p = []
    for seed in range(30):
        times, values = series_of(seed, 0.0)
        p.append(jump_test(times, values, fit(times, values), 39, 1).p_value)
    assert np.mean(np.array(p) <= 0.05) <= 0.2  # 6 of 30 at most: one chance in 700
    assert 0.3 < np.mean(p) < 0.7


def test_a_large_jump_is_found_and_measured() -> None:
    times, values = series_of(3, 0.8)
    found = jump_test(times, values, fit(times, values), 99, 1)
    assert found.supported
    assert found.p_value == 0.01
    assert found.fitted.mean[0] == pytest.approx(0.8, abs=0.3)
    assert found.fitted.intensity[0] * 5 == pytest.approx(1, abs=0.5)  # one in five years
