import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.numerics import piecewise_linear

pytestmark = pytest.mark.nojit

numbers = st.floats(-1e3, 1e3)


@settings(deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=9, unique_by=lambda p: p[0]), numbers
)
def test_same_as_numpy(points, x):
    xs, ys = np.array(sorted(points)).T.copy()
    expected = np.interp(x, xs, ys)
    if xs.size > 1 and np.diff(xs).min() < 1e-9:
        return  # both round badly on such a step
    assert piecewise_linear(x, xs, ys) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_worked_by_hand():
    xs, ys = np.array([0.0, 12.0, 36.0]), np.array([1.0, 0.4, 0.1])
    expected = {-1.0: 1.0, 0.0: 1.0, 3.0: 0.85, 12.0: 0.4, 24.0: 0.25, 36.0: 0.1, 99.0: 0.1}
    for x, y in expected.items():
        assert piecewise_linear(x, xs, ys) == pytest.approx(y, rel=1e-14)


def test_a_jump_counts_from_its_abscissa_on():
    xs, ys = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 5.0, 5.0])
    assert piecewise_linear(np.nextafter(1.0, 0.0), xs, ys) == 0.0
    assert piecewise_linear(1.0, xs, ys) == 5.0


def test_one_point_is_a_constant():
    xs, ys = np.array([3.0]), np.array([7.0])
    assert [piecewise_linear(x, xs, ys) for x in (-9.0, 3.0, 9.0)] == [7.0, 7.0, 7.0]


def test_infinite_and_nan_arguments():
    xs, ys = np.array([0.0, 1.0]), np.array([2.0, 3.0])
    assert piecewise_linear(-math.inf, xs, ys) == 2.0
    assert piecewise_linear(math.inf, xs, ys) == 3.0
    assert math.isnan(piecewise_linear(math.nan, xs, ys))
