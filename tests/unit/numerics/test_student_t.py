"""Student's t against a table computed with 40 digits, closed forms and SciPy."""

import math

import numpy as np
import pytest
from scipy import special

from simulator.numerics import JIT_DISABLED, normal_cdf, student_t_cdf, student_t_quantile

pytestmark = pytest.mark.nojit

# x, degrees of freedom, distribution function to 18 digits (mpmath, incomplete Beta).
DISTRIBUTION = [
    (-50.0, 0.5, 0.0453526064029663789),
    (-4.5, 0.5, 0.150626581277768703),
    (-0.1, 0.5, 0.473165810564303201),
    (1.25, 0.5, 0.725137773455379097),
    (-50.0, 3.0, 8.80857602063598708e-6),
    (-4.5, 3.0, 0.0102452061722267047),
    (-0.1, 3.0, 0.463326174400402912),
    (1.25, 3.0, 0.850035266024568694),
    (-50.0, 7.5, 4.82819261605674165e-11),
    (-4.5, 7.5, 0.00117716163965106849),
    (-0.1, 7.5, 0.46148266603389509),
    (1.25, 7.5, 0.875554053450059354),
    (-50.0, 30.0, 9.3577088296113563e-31),
    (-4.5, 30.0, 0.000047596796960562344),
    (-0.1, 30.0, 0.460504805895135576),
    (1.25, 30.0, 0.88951848789342168),
    (-50.0, 200.0, 2.71028773989124276e-115),
    (-4.5, 200.0, 5.75939063143766495e-6),
    (-0.1, 200.0, 0.460222246252160519),
    (-4.5, 5000.0, 3.47475532779649177e-6),
    (-0.1, 5000.0, 0.460174167282865766),
    (1.25, 5000.0, 0.894320975506269505),
]


@pytest.mark.parametrize(("x", "nu", "expected"), DISTRIBUTION)
def test_distribution_function(x, nu, expected):
    assert student_t_cdf(x, nu) == pytest.approx(expected, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("nu", [0.3, 1.0, 2.5, 4.0, 10.0, 49.9, 50.1, 1e3, 1e4])
def test_distribution_function_everywhere(nu):
    generator = np.random.default_rng(1)
    size = 20 if JIT_DISABLED else 500
    x = np.concatenate([3.0 * generator.normal(size=size), generator.uniform(-30.0, 30.0, size)])
    computed = np.array([student_t_cdf(value, nu) for value in x])
    np.testing.assert_allclose(computed, special.stdtr(nu, x), rtol=1e-9, atol=1e-14)
    near = np.abs(x) < 6.0
    np.testing.assert_allclose(computed[near], special.stdtr(nu, x[near]), rtol=1e-12)


def test_closed_forms():
    for x in (-1e8, -30.0, -1.0, -1e-6, 0.5, 7.0):
        cauchy = math.atan2(1.0, -x) / math.pi
        assert student_t_cdf(x, 1.0) == pytest.approx(cauchy, rel=1e-12)
        two = 1.0 / (math.sqrt(2.0 + x * x) * (math.sqrt(2.0 + x * x) - x)) if x < 0.0 else None
        if two is not None:
            assert student_t_cdf(x, 2.0) == pytest.approx(two, rel=1e-12)


def test_many_degrees_of_freedom_are_normal():
    for x in (-6.0, -1.0, 0.3, 4.0):
        assert student_t_cdf(x, math.inf) == normal_cdf(x)
        assert student_t_cdf(x, 1e10) == normal_cdf(x)
        assert student_t_cdf(x, 5e8) == pytest.approx(normal_cdf(x), rel=2e-6)
        assert abs(student_t_cdf(x, 5e8) - normal_cdf(x)) < 3e-9


def test_special_points():
    assert student_t_cdf(0.0, 3.0) == 0.5
    assert student_t_cdf(-math.inf, 3.0) == 0.0
    assert student_t_cdf(math.inf, 3.0) == 1.0
    assert math.isnan(student_t_cdf(math.nan, 3.0))
    assert math.isnan(student_t_cdf(1.0, 0.0))
    assert math.isnan(student_t_cdf(1.0, -2.0))


@pytest.mark.parametrize("nu", [1.0, 3.0, 4.5, 30.0, 1e3])
@pytest.mark.parametrize("probability", [1e-9, 1e-4, 0.03, 0.4, 0.5, 0.8, 0.999])
def test_quantile_inverts_the_distribution_function(nu, probability):
    quantile = student_t_quantile(probability, nu)
    assert student_t_cdf(quantile, nu) == pytest.approx(probability, rel=1e-10)


def test_quantile_from_a_textbook_table():
    assert student_t_quantile(0.975, 4.0) == pytest.approx(2.7764451, abs=1e-7)
    assert student_t_quantile(0.05, 10.0) == pytest.approx(-1.8124611, abs=1e-7)


def test_quantile_at_the_ends():
    assert student_t_quantile(0.0, 3.0) == -math.inf
    assert student_t_quantile(1.0, 3.0) == math.inf
    assert student_t_quantile(0.025, math.inf) == pytest.approx(-1.959963984540054, rel=1e-14)


def test_quantile_outside_its_domain_is_refused():
    with pytest.raises(ValueError, match="probability"):
        student_t_quantile(1.5, 3.0)
    with pytest.raises(ValueError, match="degrees of freedom"):
        student_t_quantile(0.5, 0.0)
