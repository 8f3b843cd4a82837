"""The normal law against tables computed with 40 digits, and against SciPy."""

import math

import numpy as np
import pytest
from scipy import special

from simulator.numerics import JIT_DISABLED, normal_cdf, normal_quantile

pytestmark = pytest.mark.nojit

SIZE = 500 if JIT_DISABLED else 20_000

# Distribution function to 20 digits (mpmath, erfc at 40 digits).
DISTRIBUTION = [
    (-37.0, 5.7255712225245768227e-300),
    (-30.3, 5.7317235033154952943e-202),
    (-20.7, 1.731851879019737858e-95),
    (-12.1, 5.2805587674335603344e-34),
    (-8.0, 6.2209605742717841235e-16),
    (-5.5, 1.8989562465887719384e-8),
    (-3.3, 0.0004834241423837775071),
    (-2.25, 0.012224472655044703153),
    (-1.0, 0.15865525393145705141),
    (-0.7, 0.24196365222307302862),
    (-0.277, 0.39089005307264218287),
    (-0.03125, 0.4875350825656228727),
    (0.0, 0.5),
    (0.5, 0.69146246127401310364),
    (1.7, 0.95543453724145695634),
    (3.0, 0.99865010196836990547),
    (5.0, 0.99999971334842812081),
    (8.25, 0.9999999999999999208),
]

# Quantile at the exact binary value of the argument to 25 digits (mpmath, 60 digits).
QUANTILE = [
    (1e-300, -37.04709629936119923654704),
    (1e-100, -21.27345356096532429417952),
    (1e-50, -14.93333753478848898065821),
    (1e-20, -9.262340089798407579572095),
    (1e-16, -8.222082216130435615182015),
    (1e-12, -7.034483825301131932614176),
    (1e-6, -4.753424308822898957338864),
    (0.001, -3.090232306167813535358005),
    (0.02425, -1.972961051311884837602748),
    (0.075, -1.439531470938455934949801),
    (0.1, -1.281551565544600435334517),
    (0.25, -0.674489750196081743202227),
    (0.4, -0.2533471031357997413246887),
    (0.49999, -0.00002506628274896000852684996),
    (0.500001, 0.00000250662827470570519913909),
    (0.9, 1.281551565544600593487448),
    (0.925, 1.43953147093845622906332),
    (0.975, 1.959963984540053855604431),
    (0.9999, 3.719016485455708386722759),
    (0.9999999998835847, 6.337957754553789252493251),
    (0.9999999999999999, 8.209536151601386855630769),
]


@pytest.mark.parametrize(("x", "expected"), DISTRIBUTION)
def test_distribution_function(x, expected):
    assert normal_cdf(x) == pytest.approx(expected, rel=1e-15, abs=0.0)


@pytest.mark.parametrize(("low", "high"), [(-37.0, -3.0), (-3.0, 3.0), (3.0, 9.0)])
def test_distribution_function_everywhere(low, high):
    x = np.random.default_rng(1).uniform(low, high, SIZE)
    computed = np.array([normal_cdf(value) for value in x])
    # SciPy squares the argument without care, hence the room in the far tail.
    np.testing.assert_allclose(computed, special.ndtr(x), rtol=1e-15 * max(4.0, low * low))


def test_distribution_function_at_special_points():
    assert normal_cdf(math.inf) == 1.0
    assert normal_cdf(-math.inf) == 0.0
    assert 0.0 < normal_cdf(-38.4) < 1e-321
    assert normal_cdf(-45.0) == 0.0
    assert math.isnan(normal_cdf(math.nan))


@pytest.mark.parametrize(("probability", "expected"), QUANTILE)
def test_quantile(probability, expected):
    assert normal_quantile(probability) == pytest.approx(expected, rel=1e-15, abs=0.0)


def test_quantile_everywhere():
    generator = np.random.default_rng(2)
    probability = np.concatenate(
        [
            generator.uniform(0.0, 1.0, SIZE),
            10.0 ** generator.uniform(-307.0, 0.0, SIZE),
            1.0 - 10.0 ** generator.uniform(-15.0, 0.0, SIZE),
            0.5 + np.array([-0.425, 0.425]) + np.array([[-1e-16], [0.0], [1e-16]]).T.ravel()[:2],
            math.exp(-25.0) * np.array([1.0 - 1e-15, 1.0, 1.0 + 1e-15]),
        ]
    )
    computed = np.array([normal_quantile(p) for p in probability])
    np.testing.assert_allclose(computed, special.ndtri(probability), rtol=2e-15)


def test_quantile_is_odd_where_the_complement_is_exact():
    for k in range(1, 1024):
        assert normal_quantile(k / 2048.0) == -normal_quantile(1.0 - k / 2048.0)


def test_quantile_at_the_ends():
    assert normal_quantile(0.0) == -math.inf
    assert normal_quantile(1.0) == math.inf
    assert normal_quantile(0.5) == 0.0
    assert normal_quantile(5e-324) == pytest.approx(special.ndtri(5e-324), rel=2e-15)


@pytest.mark.parametrize("probability", [-1e-9, 1.0 + 1e-9, math.nan, math.inf, -math.inf])
def test_quantile_outside_its_domain_is_nan(probability):
    assert math.isnan(normal_quantile(probability))
