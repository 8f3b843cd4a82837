"""Means, probabilities, ratios and paired differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import (
    mean,
    mean_difference,
    probability,
    probability_interval,
    ratio,
)
from simulator.analytics.sample import effective_size

pytestmark = pytest.mark.nojit


def test_mean_and_its_error() -> None:
    value, se = mean([1.0, 2.0, 3.0, 6.0])
    assert value == 3.0
    assert se == pytest.approx(math.sqrt(14.0 / 3.0 / 4.0), rel=1e-15)


def test_mean_keeps_small_differences_of_large_numbers() -> None:
    value, se = mean(1e9 + np.array([0.0, 1.0, 2.0]))
    assert value == 1e9 + 1.0
    assert se == pytest.approx(1.0 / math.sqrt(3.0), rel=1e-12)


def test_one_path_has_no_error() -> None:
    assert math.isnan(mean([4.0]).se)


def test_zeros() -> None:
    zeros = np.zeros(1000)
    assert mean(zeros) == Estimate(0.0, 0.0)
    assert probability(zeros > 0) == Estimate(0.0, 0.0)
    assert probability_interval(probability(zeros > 0), 1000) == (0.0, 0.003)
    assert all(math.isnan(x) for x in ratio(zeros, zeros))


def test_probability_error_is_binomial() -> None:
    value, se = probability(np.arange(200) < 30)
    assert (value, se) == (0.15, pytest.approx(math.sqrt(0.15 * 0.85 / 200)))


@pytest.mark.parametrize("count", [1, 7, 50, 99, 199])
def test_wilson_interval_is_scipys(count: int) -> None:
    p = probability(np.arange(200) < count)
    expected = binomtest(count, 200).proportion_ci(method="wilson")
    assert probability_interval(p, 200) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_certain_event_is_bounded_below() -> None:
    assert probability_interval(Estimate(1.0, 0.0), 300) == (0.99, 1.0)


def test_ratio_is_that_of_sums() -> None:
    loss, claim = np.array([0.0, 30.0, 10.0]), np.array([0.0, 100.0, 100.0])
    value, se = ratio(loss, claim)
    assert value == 0.2
    residuals = loss - 0.2 * claim
    assert se == pytest.approx(residuals.std(ddof=1) / math.sqrt(3) / claim.mean())


def test_ratio_error_covers() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(1000):
        defaulted = rng.random(2000) < 0.1
        claim = np.where(defaulted, rng.uniform(50, 150, 2000), 0.0)
        value, se = ratio(claim * rng.beta(4, 6, 2000), claim)
        hits += abs(value - 0.4) < 1.959964 * se
    assert 930 <= hits <= 970


def test_paired_error_of_common_random_numbers() -> None:
    """CRN-P1: a bump of PD 2% to 2.2% on the same factor, large pool, rho 0.2."""
    z = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    base, bumped = (
        norm.cdf((norm.ppf(pd) - math.sqrt(0.2) * z) / math.sqrt(0.8)) for pd in (0.02, 0.022)
    )
    value, se = mean_difference(bumped, base)
    assert value == pytest.approx(0.002, rel=1e-4)
    assert se**2 * z.size == pytest.approx(4.133618706e-06, rel=2e-3)
    separate = math.hypot(mean(base).se, mean(bumped).se)
    assert separate**2 * z.size == pytest.approx(0.00151002162, rel=2e-3)


def test_weights_of_one_change_nothing() -> None:
    x = np.random.default_rng(2).exponential(size=500)
    ones = np.ones(500)
    assert mean(x, ones) == mean(x)
    assert ratio(x, x + 1, ones) == ratio(x, x + 1)
    assert probability(x > 1, ones).value == probability(x > 1).value


def test_weighted_mean_of_a_shifted_normal() -> None:
    """Paths drawn with mean 2 and weighted back to mean 0."""
    rng = np.random.default_rng(11)
    z = rng.normal(2.0, 1.0, 200_000)
    w = np.exp(-2.0 * z + 2.0)
    tail = probability(z > 2.5, w)
    assert abs(tail.value - norm.sf(2.5)) < 4.0 * tail.se
    plain = math.sqrt(norm.sf(2.5) * norm.cdf(2.5) / z.size)
    assert tail.se < plain / 4.0  # that is what the weights are for
    low, high = probability_interval(tail, z.size, weighted=True)
    assert low < tail.value < high
    assert high - low == pytest.approx(2 * 1.959964 * tail.se, rel=0.01)
    body = mean(z, w)
    assert abs(body.value) < 4.0 * body.se
    assert mean(np.full(z.size, 3.0), w) == (pytest.approx(3.0, rel=1e-12), pytest.approx(0.0))
    assert 0 < effective_size(w, z.size) < 0.2 * z.size


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "no paths"),
        ([1.0, math.nan], "1 of 2 values are not finite"),
        ([[1.0], [2.0]], "one dimension"),
    ],
)
def test_bad_samples(values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mean(values)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "one per path"),
        ([1.0, -1.0, 2.0], "none below 0"),
        ([0.5, 0.25, 0.25], "got a sum of 1"),
    ],
)
def test_bad_weights(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mean([1.0, 2.0, 3.0], weights)


def test_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="2 paths against 1"):
        mean_difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="2 numerators for 1"):
        ratio([1.0, 2.0], [1.0])
