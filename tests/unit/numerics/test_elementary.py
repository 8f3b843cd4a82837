"""exp, expm1 and log against 50-digit decimal arithmetic."""

import math
import struct
from decimal import Context, Decimal

import numpy as np
import pytest

from simulator.numerics import JIT_DISABLED, exp, expm1, log

pytestmark = pytest.mark.nojit

DIGITS = Context(prec=60, Emin=-(10**6), Emax=10**6)
SIZE = 300 if JIT_DISABLED else 3000


def ulps(computed, exact):
    """Error in units in the last place of the correctly rounded result."""
    return float(abs(Decimal(computed) - exact) / Decimal(math.ulp(float(exact))))


def worst(function, exact, arguments):
    return max(ulps(function(x), exact(Decimal(x))) for x in arguments.tolist())


def exact_exp(x):
    return DIGITS.exp(x)


def exact_expm1(x):
    if abs(x) < Decimal("1e-20"):
        return x + x * x / 2
    return DIGITS.subtract(DIGITS.exp(x), Decimal(1))


def exact_log(x):
    return DIGITS.ln(x)


@pytest.mark.parametrize(
    ("low", "high"), [(-745.0, 709.78), (-30.0, 30.0), (-1.0, 1.0), (-1e-5, 1e-5)]
)
def test_exp_within_one_ulp(low, high):
    arguments = np.random.default_rng(1).uniform(low, high, SIZE)
    assert worst(exp, exact_exp, arguments) <= 1.0


def test_exp_within_one_ulp_where_the_reduction_changes_cell():
    edges = (np.arange(-1074, 1024) + 0.5) * math.log(2.0)
    arguments = np.concatenate([np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf)])
    assert worst(exp, exact_exp, arguments[:: 10 if JIT_DISABLED else 1]) <= 1.0


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (0.0, 1.0),
        (-0.0, 1.0),
        (709.782712893384, 1.797693134862273e308),
        (709.7827128933841, math.inf),
        (1e308, math.inf),
        (math.inf, math.inf),
        (-745.1332191019411, 5e-324),
        (-745.1332191019412, 0.0),
        (-1e308, 0.0),
        (-math.inf, 0.0),
        (5e-324, 1.0),
    ],
)
def test_exp_at_the_ends_of_its_range(x, expected):
    assert exp(x) == pytest.approx(expected, rel=1e-13, abs=0.0)


def test_exp_of_a_subnormal_result_is_not_flushed_to_zero():
    assert worst(exp, exact_exp, np.linspace(-745.1, -708.4, 200)) <= 1.0


def test_log_within_one_ulp():
    generator = np.random.default_rng(2)
    arguments = np.concatenate(
        [
            np.exp(generator.uniform(-744.0, 709.0, SIZE)),
            generator.uniform(0.5, 2.0, SIZE),
            1.0 + generator.uniform(-1e-6, 1e-6, SIZE),
            2.0 ** np.arange(-1074, 1024, 10),
            np.nextafter(2.0 ** np.arange(-1000, 1024, 10) * math.sqrt(0.5), 0.0),
        ]
    )
    assert worst(log, exact_log, arguments[arguments != 1.0]) <= 1.0


@pytest.mark.parametrize(
    ("x", "expected"), [(0.0, -math.inf), (-0.0, -math.inf), (1.0, 0.0), (math.inf, math.inf)]
)
def test_log_at_special_points(x, expected):
    assert log(x) == expected


@pytest.mark.parametrize("x", [-1.0, -5e-324, -math.inf, math.nan])
def test_log_of_no_positive_number_is_nan(x):
    assert math.isnan(log(x))


def test_expm1_within_four_ulps():
    generator = np.random.default_rng(3)
    arguments = np.concatenate(
        [
            generator.uniform(-40.0, 700.0, SIZE),
            generator.uniform(-1.0, 1.0, SIZE),
            -(10.0 ** generator.uniform(-300.0, 0.0, SIZE)),
        ]
    )
    assert worst(expm1, exact_expm1, arguments) <= 4.0


def test_expm1_at_special_points():
    assert expm1(0.0) == 0.0
    assert expm1(-math.inf) == -1.0
    assert expm1(math.inf) == math.inf
    assert expm1(1e-300) == 1e-300


@pytest.mark.parametrize("function", [exp, expm1])
def test_nan_stays_nan(function):
    assert math.isnan(function(math.nan))


def test_known_bits():
    """The same bits compiled and in plain Python, on any processor: results can be compared."""
    arguments = [(k - 50) / 16 for k in range(101)]
    values = [f(x) for x in arguments for f in (exp, expm1)] + [
        log(abs(x) + 0.01) for x in arguments
    ]
    checksum = sum(bits * (n + 1) for n, (bits,) in enumerate(map(bits_of, values))) % 2**64
    assert f"{checksum:#018x}" == "0xae1bd4779aadc409"


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))
