"""Intervals of kappa hold in short samples, where two standard errors do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from simulator.calibration.grid_bootstrap import GridBootstrap
from simulator.calibration.ornstein_uhlenbeck import Times, fit, fit_many

pytestmark = pytest.mark.nojit

YEARS = np.delete(np.arange(37) / 12, [1, 2, 3])  # as the shipped series: 34 of 37 months
TIMES = Times(YEARS, np.column_stack([np.ones(34), YEARS - YEARS.mean()]), stationary=True)


def drawn(kappa: float, series: int, seed: int) -> np.ndarray:
    """Series (time, series) from the dense covariance; sigma 0.3 and a trend."""
    apart = np.abs(YEARS[:, None] - YEARS[None])
    root = np.linalg.cholesky(0.09 / (2 * kappa) * np.exp(-kappa * apart))
    normals = np.random.default_rng(seed).standard_normal((34, series))
    return root @ normals + (1.2 - 0.14 * YEARS)[:, None]


def bootstrap(values: np.ndarray, samples: int = 499, seed: int = 1) -> GridBootstrap:
    return GridBootstrap(TIMES, values, fit(TIMES, values), samples, seed)


@pytest.mark.parametrize("kappa", [0.3, 1.5, 5.0])
def test_the_rank_of_an_estimate_is_uniform_under_the_true_kappa(kappa: float) -> None:
    """That is coverage, at every level at once; level, trend and sigma do not matter."""
    values = drawn(kappa, 300, 11)
    simulated = np.sort(bootstrap(values[:, 0], samples=3000).estimates(kappa).kappa)
    ranks = np.searchsorted(simulated, fit_many(TIMES, values).kappa) / 3000
    assert kstest(ranks, "uniform").pvalue > 1e-3


def test_short_samples_overstate_kappa() -> None:
    estimates = np.asarray(fit_many(TIMES, drawn(1.5, 300, 12)).kappa)
    assert estimates.mean() > 1.5 + 4 * estimates.std() / np.sqrt(300)


def test_the_interval_ends_where_the_estimate_is_rare() -> None:
    values = drawn(14.0, 1, 14)[:, 0]
    one = bootstrap(values)
    found = one.intervals()
    low, high = found.kappa
    assert 0 < low < found.unbiased < high < np.inf
    assert one.rank(low) == pytest.approx(0.975, abs=0.01)
    assert one.rank(high) == pytest.approx(0.025, abs=0.01)
    assert one.rank(found.unbiased) == pytest.approx(0.5, abs=0.01)
    assert found.unbiased < float(one.fitted.kappa)
    assert found.sigma[0] < float(one.fitted.sigma) < found.sigma[1]
    assert found.coefficients[1, 0] < one.fitted.coefficients[1] < found.coefficients[1, 1]


def test_a_random_walk_is_not_ruled_out_by_its_own_path() -> None:
    steps = 0.1 * np.random.default_rng(15).standard_normal(34)
    found = bootstrap(np.cumsum(steps)).intervals()
    assert found.kappa[0] == 0
    assert found.coefficients[1, 1] - found.coefficients[1, 0] > 0.4  # its trend is not known


def test_noise_has_no_upper_end() -> None:
    found = bootstrap(np.random.default_rng(16).standard_normal(34)).intervals()
    assert found.kappa[1] == np.inf
    assert found.kappa[0] > 1


def test_the_seed_decides() -> None:
    values = drawn(2.0, 1, 17)[:, 0]
    assert repr(bootstrap(values).intervals()) == repr(bootstrap(values).intervals())
    assert bootstrap(values).intervals().sigma != bootstrap(values, seed=2).intervals().sigma
