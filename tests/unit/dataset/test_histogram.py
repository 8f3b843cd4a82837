import math

import numpy as np
import pytest

from simulator.dataset.histogram import Histogram
from simulator.dataset.order_statistics import LEVELS

GENERATOR = np.random.default_rng(3)
PATHS = 4000
SHAPES = {
    "normal": GENERATOR.standard_normal(PATHS),
    "wide": GENERATOR.standard_t(1.5, PATHS) * 1e4,
    "mostly zero": np.maximum(GENERATOR.standard_normal(PATHS) - 1.0, 0.0) * 300.0,
    "one value": np.full(PATHS, 5.25),
    "always zero": np.zeros(PATHS),
    "with gaps": np.where(GENERATOR.random(PATHS) < 0.3, np.nan, GENERATOR.gamma(2.0, 1.0, PATHS)),
}
TABLE = np.array(list(SHAPES.values()), np.float32)
ROWS = slice(0, len(TABLE))


def histogram_of(*parts: np.ndarray, pilot: int = 1000) -> Histogram:
    histogram = Histogram.empty(len(TABLE))
    histogram.set_edges(ROWS, TABLE[:, :pilot].copy())
    for part in parts:
        histogram.add(ROWS, np.ascontiguousarray(part))
    return histogram


@pytest.mark.nojit
def test_quantiles_agree_with_exact_ones_within_a_bin() -> None:
    histogram = histogram_of(TABLE)
    fan = histogram.fan()
    for row, values in enumerate(TABLE):
        valid = values[~np.isnan(values)]
        expected = np.quantile(valid, LEVELS, method="inverted_cdf")
        assert np.abs(fan.quantiles[:, row] - expected).max() <= histogram.width[row] * (1 + 1e-9)
        assert fan.counts[row] == len(valid)


@pytest.mark.nojit
def test_bins_are_narrow_against_the_spread_of_the_bulk() -> None:
    histogram = histogram_of(TABLE, pilot=PATHS)
    for row, values in enumerate(TABLE):
        lowest, highest = np.nanquantile(values, [0.0005, 0.9995])
        assert histogram.width[row] <= max((highest - lowest) / 1500, 1e-5)


@pytest.mark.nojit
def test_means_are_exact() -> None:
    means = histogram_of(TABLE).fan().means
    for row, values in enumerate(TABLE):
        valid = values[~np.isnan(values)].astype(float)
        assert means[row] == math.fsum(valid) / len(valid)


@pytest.mark.nojit
def test_tiny_and_huge_values_are_added_exactly() -> None:
    values = np.array([[1e-45, -1e-45, 3e38, 1e-40, -3e38]], np.float32)
    histogram = Histogram.empty(1)
    histogram.add(slice(0, 1), values)
    assert histogram.fan().means[0] == float(np.float32(1e-40)) / 5


@pytest.mark.nojit
def test_infinite_values_are_counted_and_make_the_mean_infinite() -> None:
    values = np.array([[1.0] * 99 + [np.inf]], np.float32)
    histogram = Histogram.empty(1)
    histogram.set_edges(slice(0, 1), values.copy())
    histogram.add(slice(0, 1), values)
    fan = histogram.fan()
    assert fan.means[0] == np.inf
    assert fan.counts[0] == 100
    np.testing.assert_allclose(fan.quantiles[:, 0], 1.0, atol=1e-5)


@pytest.mark.nojit
def test_parts_and_their_order_do_not_matter() -> None:
    whole = histogram_of(TABLE)
    parts = histogram_of(TABLE[:, 2500:], TABLE[:, :100], TABLE[:, 100:2500])
    np.testing.assert_array_equal(whole.counts, parts.counts)
    np.testing.assert_array_equal(whole.sums, parts.sums)


@pytest.mark.nojit
def test_quantiles_outside_the_edges_are_not_made_up() -> None:
    histogram = Histogram.empty(1)
    histogram.set_edges(slice(0, 1), np.linspace(0, 1, 100, dtype=np.float32)[None])
    histogram.add(slice(0, 1), np.linspace(-1, 1, 1000, dtype=np.float32)[None])
    quantiles = histogram.fan().quantiles[:, 0]
    below = np.array(LEVELS) < 0.45
    assert np.isnan(quantiles[below]).all()
    assert not np.isnan(quantiles[~below]).any()
