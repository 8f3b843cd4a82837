"""Standard deviation, skewness, kurtosis: values and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.analytics.estimate import Estimate
from simulator.analytics.moments import (
    kurtosis,
    skewness,
    standard_deviation,
    variance_error,
)

pytestmark = pytest.mark.nojit

EXACT = {standard_deviation: 2.0, skewness: 2.0 / 2.0, kurtosis: 3.0 + 6.0 / 4.0}  # Gamma(4, 1)


@pytest.mark.parametrize("estimate", EXACT)
def test_scores_over_samples_are_standard_normal(estimate) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    found = [estimate(rng.gamma(4.0, 1.0, 20_000)) for _ in range(200)]
    z = np.array([(one.value - EXACT[estimate]) / one.se for one in found])
    assert abs(z.mean()) < 0.35  # skewness and kurtosis are biased by a few 1/n
    assert 0.75 < z.std() < 1.25


@pytest.mark.parametrize("estimate", EXACT)
def test_weights_give_the_moments_of_the_law_they_lead_to(estimate) -> None:  # type: ignore[no-untyped-def]
    x = np.random.default_rng(4).gamma(4.0, 2.0, 200_000)  # drawn wider
    weights = 2.0**4 * np.exp(-0.5 * x)
    found = estimate(x, weights)
    assert abs(found.value - EXACT[estimate]) < 4.0 * found.se
    assert found.se < 0.05 * EXACT[estimate]


def test_a_constant_has_no_shape() -> None:
    same = np.full(10, 3.0)
    assert standard_deviation(same) == Estimate(0.0, 0.0)
    assert math.isnan(skewness(same).value)
    assert math.isnan(kurtosis(same).se)


def test_how_well_an_error_is_known() -> None:
    """Of n events of a probability the error of its variance is 1/√n; of a constant unbounded."""
    event = np.zeros(100_000)
    event[:25] = 1.0
    assert variance_error(event) == pytest.approx(0.2, rel=1e-3)
    assert variance_error(np.ones(5)) == math.inf
