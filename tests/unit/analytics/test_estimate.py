"""How numbers are printed."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulator.analytics.estimate import (
    decimals_of,
    format_estimate,
    format_number,
    format_probability,
    format_significant,
)

pytestmark = pytest.mark.nojit

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "se", "text"),
    [
        (12.345, 0.41, "12.3 ± 0.4"),
        (12.345, 0.14, "12.35 ± 0.14"),
        (12.345, 0.097, "12.35 ± 0.10"),
        (0.000123456, 0.0000021, "0.000123 ± 0.000002"),
        (98765.4, 321.0, "98,800 ± 300"),
        (98765.4, 1210.0, "98,800 ± 1,200"),
        (0.2, 7.0, "0 ± 7"),
        (-0.02, 0.3, "0.0 ± 0.3"),
        (-5.25, 0.3, "-5.2 ± 0.3"),
        (5.0, 0.0, "5"),
        (0.0, 0.0, "0"),
        (1234.5678, NAN, "1,235 ± n/a"),
        (NAN, NAN, "n/a"),
        (math.inf, 1.0, "inf"),
        (5950.0, 9.1e-13, "5,950"),  # rounding noise of a constant is no error
    ],
)
def test_digits_follow_the_error(value: float, se: float, text: str) -> None:
    assert format_estimate(value, se) == text


def test_percent() -> None:
    assert format_estimate(0.0123456, 0.00042, percent=True) == "1.23 ± 0.04%"
    assert format_estimate(1.0, 0.0, percent=True) == "100%"


@given(
    st.floats(1e-9, 1e9),
    st.floats(1e-9, 1e9),
)
def test_printed_number_is_within_the_printed_error(value: float, se: float) -> None:
    assume(se > 1e-9 * value)  # below that it counts as rounding noise
    shown, error = format_estimate(value, se).replace(",", "").split(" ± ")
    assert abs(float(shown) - value) <= 0.51 * 10.0 ** -decimals_of(se)
    assert abs(float(error) - se) <= 0.26 * se  # 1 digit: at worst 0.25 is printed as 0.2 or 0.3


def test_what_is_too_small_to_matter() -> None:
    assert format_estimate(0.0, 4e-5, resolution=0.001) == "0"
    assert format_estimate(12.34567, 4e-5, resolution=0.001) == "12.35"
    assert format_estimate(0.02, 0.004, resolution=0.001) == "0.020 ± 0.004"


def test_probability_at_the_ends_is_a_bound() -> None:
    assert format_probability(0.0, 0.0, 100_000) == "< 0.003%"
    assert format_probability(1.0, 0.0, 1000) == "> 99.7%"
    assert format_probability(0.5, 0.005, 10_000) == "50.0 ± 0.5%"


def test_plain_numbers() -> None:
    assert format_significant(NAN) == "n/a"
    assert format_significant(-math.inf) == "-inf"
    assert format_significant(0.00012345, 3) == "0.000123"
    assert format_number(-0.4, 0) == "0"
