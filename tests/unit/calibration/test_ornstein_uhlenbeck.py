"""The exact likelihood, its maximum and its curvature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from simulator.calibration.ornstein_uhlenbeck import (
    Fit,
    Moments,
    Times,
    fit,
    fit_covariance,
    fit_many,
    log_likelihood,
    profile,
    simulate,
)
from tests.unit.calibration.scores import assert_scores_are_standard

pytestmark = pytest.mark.nojit

KAPPA, SIGMA, TREND = 2.0, 0.4, -0.14


def times_of(years: np.ndarray, *, stationary: bool = True) -> Times:
    design = np.column_stack([np.ones_like(years), years - years.mean()])
    return Times(years, design, stationary)


def dense(years: np.ndarray) -> np.ndarray:
    """Covariance of the stationary process, from its definition."""
    apart = np.abs(years[:, None] - years[None])
    return SIGMA**2 / (2 * KAPPA) * np.exp(-KAPPA * apart)


def drawn(years: np.ndarray, seed: int) -> np.ndarray:
    """A series from the dense covariance, not from the code under test."""
    normals = np.random.default_rng(seed).standard_normal(len(years))
    return np.linalg.cholesky(dense(years)) @ normals + 1.0 + TREND * (years - years.mean())


def test_a_gap_is_the_full_likelihood_with_the_missing_months_integrated_out() -> None:
    months = np.arange(40) / 12
    kept = np.delete(np.arange(40), [3, 4, 5, 17, 30, 31])
    years = months[kept]
    values = drawn(months, 1)[kept]
    times = times_of(years)
    coefficients = np.array([1.1, -0.2])
    marginal = multivariate_normal(times.design @ coefficients, dense(months)[np.ix_(kept, kept)])
    ours = log_likelihood(times, values, KAPPA, SIGMA, coefficients)
    assert ours == pytest.approx(marginal.logpdf(values), abs=1e-9)


def test_a_given_first_value_is_conditioned_upon() -> None:
    years = np.array([0.0, 0.1, 0.4, 0.45, 1.0])
    values, b = drawn(years, 2), np.array([1.0, 0.0])
    times = times_of(years)
    first = multivariate_normal(times.design[0] @ b, dense(years)[:1, :1]).logpdf(values[:1])
    given = log_likelihood(times_of(years, stationary=False), values, KAPPA, SIGMA, b)
    assert given == pytest.approx(log_likelihood(times, values, KAPPA, SIGMA, b) - first, abs=1e-9)


def test_the_fit_is_a_maximum() -> None:
    years = np.delete(np.arange(80) / 12, [5, 6, 40])
    times, values = times_of(years), drawn(years, 3)
    best = fit(times, values)
    top = log_likelihood(times, values, float(best.kappa), float(best.sigma), best.coefficients)
    heights, sigma, _ = profile(Moments.of(times, values[:, None]), float(best.kappa))
    assert heights[0] == pytest.approx(top, abs=1e-9)
    assert sigma[0] == pytest.approx(float(best.sigma))
    for kappa, sigma, shift in [(1.02, 1, 0), (0.98, 1, 0), (1, 1.02, 0), (1, 0.98, 0), (1, 1, 1)]:
        nearby = log_likelihood(
            times,
            values,
            kappa * float(best.kappa),
            sigma * float(best.sigma),
            best.coefficients + 0.01 * shift,
        )
        assert nearby < top


def test_estimates_scatter_as_their_errors_say() -> None:
    scores = []
    for seed in range(8):
        random = np.random.default_rng(100 + seed)
        years = np.sort(random.choice(500, 400, replace=False)) / 12  # every fifth month missing
        times, values = times_of(years), drawn(years, seed)
        found = fit(times, values)
        errors = np.sqrt(np.diag(fit_covariance(times, values, found)))
        estimates = [found.kappa, found.sigma, found.coefficients[1]]
        scores.append((estimates - np.array([KAPPA, SIGMA, TREND])) / errors[[0, 1, 3]])
    assert_scores_are_standard(scores)


def test_errors_are_those_of_the_regression_by_the_delta_method() -> None:
    """Equal gaps, first value given: y' = a + b y + s e, all by textbook formulas."""
    step, years = 1 / 12, np.arange(240) / 12
    values = drawn(years, 5)
    times = Times(years, np.ones((240, 1)), stationary=False)
    found = fit(times, values)
    x = np.column_stack([np.ones(239), values[:-1]])
    (a, b), squares = np.linalg.lstsq(x, values[1:], rcond=None)[:2]
    variance = float(squares[0]) / 239
    kappa, theta = -np.log(b) / step, a / (1 - b)
    g = (1 - b**2) / (2 * kappa)
    assert found.kappa == pytest.approx(kappa, rel=1e-6)
    assert found.coefficients[0] == pytest.approx(theta, rel=1e-6)
    assert found.sigma == pytest.approx(np.sqrt(variance / g), rel=1e-6)
    of_line = variance * np.linalg.inv(x.T @ x)
    slope = -1 / (b * step)
    jacobian = np.array([[0, slope], [1 / (1 - b), a / (1 - b) ** 2]])
    expected = np.sqrt(np.diag(jacobian @ of_line @ jacobian.T))
    errors = np.sqrt(np.diag(fit_covariance(times, values, found)))
    assert errors[[0, 2]] == pytest.approx(expected, rel=2e-3)


def test_many_fits_are_the_single_ones() -> None:
    years = np.delete(np.arange(60) / 12, [9, 10])
    times = times_of(years)
    values = np.column_stack([drawn(years, seed) for seed in range(20)])
    many = fit_many(times, values)
    single = [fit(times, column) for column in values.T]
    kappas = np.array([float(one.kappa) for one in single])
    np.testing.assert_allclose(many.kappa, kappas, rtol=0.02)
    np.testing.assert_allclose(many.sigma, [float(one.sigma) for one in single], rtol=0.02)
    trends = [one.coefficients[1] for one in single]
    np.testing.assert_allclose(many.coefficients[1], trends, atol=0.01)


def test_simulated_paths_have_the_covariance_of_the_process() -> None:
    years = np.array([0.0, 0.1, 0.5, 0.6])
    normals = np.random.default_rng(6).standard_normal((4, 40_000))
    paths = SIGMA * simulate(times_of(years), KAPPA, normals)
    np.testing.assert_allclose(np.cov(paths), dense(years), atol=4 * 0.04 * np.sqrt(2 / 40_000))
    fixed = simulate(times_of(years, stationary=False), KAPPA, normals, first=0.7)
    assert np.all(fixed[0] == 0.7)
    mean = 0.7 * np.exp(-KAPPA * years[-1])
    assert fixed[-1].mean() == pytest.approx(mean, abs=4 * fixed[-1].std() / np.sqrt(40_000))


def test_a_series_without_a_peak_has_no_errors() -> None:
    """A straight line, or a kappa at the end of its range, is not dressed up with an error."""
    years = np.arange(30) / 12
    times = times_of(years)
    values = drawn(years, 7)
    off = fit_covariance(times, values, Fit(60.0, 0.4, np.array([1.0, TREND])))
    assert np.isnan(off).all()
