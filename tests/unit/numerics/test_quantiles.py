"""Quantile tables against SciPy's distributions and against the moments they are named by."""

import math

import numpy as np
import pytest
from scipy import special, stats

from simulator.numerics import (
    TABLE_NODES,
    beta_parameters,
    beta_quantile_table,
    beta_quantile_table_ab,
    chi2_quantile_table,
    gamma_quantile_table,
    interpolate_table,
)

pytestmark = pytest.mark.nojit

Z = np.linspace(-8.0, 8.0, TABLE_NODES)


def moments(table):
    """Mean and standard deviation of the tabled law under a standard normal draw."""
    weights = stats.norm.pdf(Z) / stats.norm.pdf(Z).sum()
    mean = weights @ table
    return mean, math.sqrt(weights @ (table - mean) ** 2)


@pytest.mark.parametrize(("mean", "sd"), [(0.4, 0.2), (0.05, 0.1), (0.9, 0.05), (0.5, 0.01)])
def test_beta_parameters_give_back_the_moments(mean, sd):
    a, b = beta_parameters(mean, sd)
    assert stats.beta(a, b).mean() == pytest.approx(mean, rel=1e-12)
    assert stats.beta(a, b).std() == pytest.approx(sd, rel=1e-12)


def test_beta_parameters_worked_by_hand():
    assert beta_parameters(0.25, math.sqrt(0.0375)) == pytest.approx((1.0, 3.0), rel=1e-12)


@pytest.mark.parametrize(("mean", "sd"), [(0.5, 0.5), (0.1, 0.4), (0.5, 0.0), (0.5, -0.1)])
def test_impossible_beta_spread_is_refused(mean, sd):
    with pytest.raises(ValueError, match=r"standard deviation of a Beta law with mean"):
        beta_parameters(mean, sd)


@pytest.mark.parametrize("mean", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_impossible_beta_mean_is_refused(mean):
    with pytest.raises(ValueError, match="mean of a Beta law"):
        beta_parameters(mean, 0.1)


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (0.5, 0.7), (40.0, 2.0), (2.0, 40.0)])
def test_beta_table_is_the_quantile(a, b):
    table = beta_quantile_table_ab(a, b)
    assert table.shape == (TABLE_NODES,)
    assert (np.diff(table) >= 0.0).all()
    lower, upper = Z <= 0.0, Z >= 0.0
    np.testing.assert_allclose(
        special.betainc(a, b, table[lower]), special.ndtr(Z[lower]), rtol=1e-10
    )
    reliable = upper & (1.0 - table > 1e-4)  # nearer to one the value itself rounds
    np.testing.assert_allclose(
        special.betaincc(a, b, table[reliable]), special.ndtr(-Z[reliable]), rtol=1e-8
    )


def test_beta_tails_mirror_each_other():
    np.testing.assert_allclose(
        beta_quantile_table_ab(3.0, 2.0), 1.0 - beta_quantile_table_ab(2.0, 3.0)[::-1], atol=1e-14
    )
    assert 0.0 < 1.0 - beta_quantile_table_ab(2.0, 3.0)[-1] < 1e-4


@pytest.mark.parametrize(("mean", "sd"), [(0.4, 0.2), (0.05, 0.1), (0.9, 0.05)])
def test_beta_table_has_the_moments_asked_for(mean, sd):
    assert moments(beta_quantile_table(mean, sd)) == pytest.approx((mean, sd), rel=1e-5)


@pytest.mark.parametrize(
    ("mean", "sd"), [(0.3, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 0.2), (1.0, 0.2)]
)
def test_degenerate_beta_table_is_constant(mean, sd):
    assert (beta_quantile_table(mean, sd) == mean).all()


@pytest.mark.parametrize(("mean", "sd"), [(1.2, 0.0), (-0.1, 0.0), (0.5, 0.6), (1.0, -0.1)])
def test_impossible_beta_table_is_refused(mean, sd):
    with pytest.raises(ValueError, match="Beta law"):
        beta_quantile_table(mean, sd)


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0, 100.0])
def test_gamma_table(shape):
    table = gamma_quantile_table(1.5, shape)
    assert moments(table) == pytest.approx((1.5, 1.5 / math.sqrt(shape)), rel=1e-5)
    assert table[TABLE_NODES // 2] == pytest.approx(
        stats.gamma(shape, scale=1.5 / shape).median(), rel=1e-12
    )
    np.testing.assert_allclose(
        special.gammaincc(shape, table[-1] * shape / 1.5), special.ndtr(-8.0), rtol=1e-9
    )


def test_gamma_table_without_spread_is_constant():
    assert (gamma_quantile_table(2.0, math.inf) == 2.0).all()
    assert (gamma_quantile_table(0.0, 3.0) == 0.0).all()


@pytest.mark.parametrize(("mean", "shape"), [(-1.0, 2.0), (1.0, 0.0), (1.0, math.nan)])
def test_impossible_gamma_is_refused(mean, shape):
    with pytest.raises(ValueError, match="Gamma law"):
        gamma_quantile_table(mean, shape)


def test_chi_squared_table():
    table = chi2_quantile_table(4.0)
    nodes = np.arange(0, TABLE_NODES, 256)
    lower = nodes[Z[nodes] < 0.0]
    upper = nodes[Z[nodes] >= 0.0]
    np.testing.assert_allclose(table[lower], stats.chi2(4).ppf(special.ndtr(Z[lower])), rtol=1e-9)
    np.testing.assert_allclose(table[upper], stats.chi2(4).isf(special.ndtr(-Z[upper])), rtol=1e-9)
    with pytest.raises(ValueError, match="degrees of freedom"):
        chi2_quantile_table(0.0)


def test_interpolation_meets_the_nodes_and_is_linear_between():
    table = np.random.default_rng(1).normal(size=TABLE_NODES)
    for node in (0, 1, 7, 2048, TABLE_NODES - 2, TABLE_NODES - 1):
        assert interpolate_table(table, Z[node]) == table[node]
    quarter = interpolate_table(table, Z[100] + 0.25 / 256.0)
    assert quarter == pytest.approx(0.75 * table[100] + 0.25 * table[101], rel=1e-12)


def test_interpolation_is_flat_outside():
    table = np.linspace(3.0, 5.0, TABLE_NODES)
    for z in (-8.0, -8.1, -1e300, -math.inf):
        assert interpolate_table(table, z) == 3.0
    for z in (8.0, 8.1, 1e300, math.inf):
        assert interpolate_table(table, z) == 5.0
    assert math.isnan(interpolate_table(table, math.nan))


def test_interpolated_beta_is_close_to_the_exact_one():
    table = beta_quantile_table_ab(2.0, 5.0)
    z = np.linspace(-5.0, 5.0, 333)
    read = np.array([interpolate_table(table, value) for value in z])
    np.testing.assert_allclose(read, stats.beta(2, 5).ppf(special.ndtr(z)), atol=1e-6)
