import math
import struct

import pytest

from simulator.numerics import bits_to_float, float_to_bits, kernel

pytestmark = pytest.mark.nojit


@kernel
def bits_of(value):
    return float_to_bits(value)


@kernel
def float_of(bits):
    return bits_to_float(bits)


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -2.5, 5e-324, 1.7976931348623157e308, math.inf])
def test_bits_of_a_float(value):
    (expected,) = struct.unpack("<q", struct.pack("<d", value))
    assert bits_of(value) == expected
    assert float_of(expected) == value
    assert math.copysign(1.0, float_of(expected)) == math.copysign(1.0, value)
