from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from simulator.dataset.order_statistics import LEVELS, quantiles_at, ranks


@pytest.mark.parametrize("count", [1, 2, 3, 10, 99, 100, 101, 1000, 65_536, 100_000, 123_457])
def test_rank_is_the_smallest_that_reaches_the_level(count: int) -> None:
    for level, rank in zip(LEVELS, ranks(count).centre, strict=True):
        exact = Fraction(str(level))
        assert Fraction(int(rank), count) >= exact > Fraction(int(rank) - 1, count)


def test_interval_is_given_only_where_it_lies_within_the_sample() -> None:
    low, high = ranks(100).low, ranks(100).high
    outside = [LEVELS.index(level) for level in (0.01, 0.05, 0.99)]
    np.testing.assert_array_equal(np.flatnonzero(low == 0), outside)
    np.testing.assert_array_equal(np.flatnonzero(high == 0), outside)
    assert (high <= 100).all()


@pytest.mark.parametrize("count", [1000, 10_000])
def test_interval_covers_the_true_quantile_as_often_as_it_says(count: int) -> None:
    _, low, high = ranks(count)
    for level, lowest, highest in zip(LEVELS, low, high, strict=True):
        if lowest:
            below = stats.binom(count, level)  # values under the true quantile
            covered = below.cdf(highest - 1) - below.cdf(lowest - 1)
            assert 0.945 < covered < 0.98


def test_standard_error_is_that_of_the_density() -> None:
    generator = np.random.default_rng(5)
    count = 20_000
    errors = []
    for _ in range(50):
        ordered = np.sort(generator.standard_normal(count))
        errors.append(quantiles_at(lambda rank, ordered=ordered: ordered[rank - 1], count)[1])
    level = np.array(LEVELS)
    quantile = stats.norm.ppf(level)
    expected = np.sqrt(level * (1 - level) / count) / stats.norm.pdf(quantile)
    np.testing.assert_allclose(np.mean(errors, axis=0), expected, rtol=0.06)


def test_no_values_no_quantiles() -> None:
    quantiles, errors = quantiles_at(lambda rank: rank.astype(float), 0)
    assert np.isnan(quantiles).all()
    assert np.isnan(errors).all()
