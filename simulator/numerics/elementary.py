"""Exponential and logarithm as branch-free formulas, so that loops over them vectorise.

Numba as installed from a package index has no vector library: ``math.exp`` in a loop is one call
per element. These are the textbook reductions to a short interval, a polynomial fitted there at
Chebyshev nodes (60 digits), and the exponent put back through the bits of the float.

Only +, −, ×, ÷, comparisons and bit operations, each correctly rounded, and never fused: an
element gets the same bits in the vector body of a loop, in its scalar tail, and in plain Python.
"""

from __future__ import annotations

import math
from typing import Any

from simulator.numerics.bits import bits_to_float, float_to_bits
from simulator.numerics.jit import scalar
from simulator.numerics.lanes import select

__all__ = ["exp", "exp_of", "expm1", "expm1_of", "log", "log_of"]

INFINITY = math.inf
NOT_A_NUMBER = math.nan

# log(2) in two parts; the first has 21 trailing zero bits, so that an exponent times it is exact.
LOG_2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
LOG_2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
ONE_OVER_LOG_2 = 1.4426950408889634

# Adding this rounds to an integer, which then stands in the low bits.
ROUNDER = 1.5 * 2.0**52
ROUNDER_BITS = 0x4338000000000000
EXPONENT_BIAS = 1023
MANTISSA_BITS = 52

LARGEST_EXPONENT = 710.0  # exp is infinite beyond
SMALLEST_EXPONENT = -746.0  # exp is zero below
HALF_LOG_2 = 0.34657359027997264

SMALLEST_NORMAL = 2.0**-1022
TWO_TO_54 = 2.0**54
ROOT_HALF_BITS = 0x3FE6A09E667F3BCD  # of sqrt(1/2)


@scalar
def _beyond_linear(r: Any) -> Any:
    """Return exp(r) - 1 - r for |r| <= log(2) / 2, within 2**-61."""
    p = 2.0914717341716378e-09
    p = p * r + 2.5105259538448494e-08
    p = p * r + 2.755727357010214e-07
    p = p * r + 2.7557255297969643e-06
    p = p * r + 2.4801587325605324e-05
    p = p * r + 1.984126987490126e-04
    p = p * r + 1.388888888888373e-03
    p = p * r + 8.333333333326112e-03
    p = p * r + 4.166666666666667e-02
    p = p * r + 1.666666666666667e-01
    p = p * r + 0.5
    return r * r * p


@scalar
def exp(x: float) -> float:
    """Return e**x.

    Parameters
    ----------
    x : float
        Any float64.

    Returns
    -------
    float
        Within 1 unit in the last place; infinite above 709.78, zero below -745.13, nan for nan.

    Notes
    -----
    x = n log 2 + r with integer n and abs(r) <= log(2) / 2, so e**x = 2**n e**r. The power of two
    is applied in two halves, so that neither overflows before the product does.
    """
    result: float = exp_of(float(x))
    return result


@scalar
def exp_of(x: Any) -> Any:
    """Return e**x of a float, or of each lane of a pack, see `exp`."""
    clipped = select(x > SMALLEST_EXPONENT, x, SMALLEST_EXPONENT)  # nan is small: no overflow
    clipped = select(clipped < LARGEST_EXPONENT, clipped, LARGEST_EXPONENT)
    rounded = clipped * ONE_OVER_LOG_2 + ROUNDER
    n = float_to_bits(rounded) - ROUNDER_BITS
    n_float = rounded - ROUNDER
    high = clipped - n_float * LOG_2_HIGH
    low = n_float * LOG_2_LOW
    mantissa = 1.0 + (high - (low - _beyond_linear(high - low)))
    half = n >> 1
    scale = bits_to_float((half + EXPONENT_BIAS) << MANTISSA_BITS)
    rest = bits_to_float((n - half + EXPONENT_BIAS) << MANTISSA_BITS)
    result = mantissa * scale * rest
    return select(x == x, result, x)


@scalar
def expm1(x: float) -> float:
    """Return e**x - 1 without losing digits near zero.

    Parameters
    ----------
    x : float
        Any float64.

    Returns
    -------
    float
        Within 4 units in the last place; nan for nan.
    """
    result: float = expm1_of(float(x))
    return result


@scalar
def expm1_of(x: Any) -> Any:
    """Return e**x - 1 of a float, or of each lane of a pack, see `expm1`."""
    is_small = abs(x) <= HALF_LOG_2
    near_zero = select(is_small, x, 0.0)
    return select(is_small, near_zero + _beyond_linear(near_zero), exp_of(x) - 1.0)


@scalar
def log_of_normal(x: float) -> float:
    """Return the natural logarithm of a normal positive number; of others no number of use.

    x = 2**k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); s = f / (2 + f);
    log(1 + f) = log((1 + s) / (1 - s)) = f - f**2/2 + s (f**2/2 + s**2 R(s**2)).
    """
    bits = float_to_bits(x)
    k = (bits - ROOT_HALF_BITS) >> MANTISSA_BITS
    f = bits_to_float(bits - (k << MANTISSA_BITS)) - 1.0
    result: float = _log_from(f, bits_to_float(k + ROUNDER_BITS) - ROUNDER)
    return result


@scalar
def _log_from(f: Any, k: Any) -> Any:
    """Return log(2**k (1 + f))."""
    s = f / (2.0 + f)
    z = s * s
    p = 0.146171283998073
    p = p * z + 0.15331666676597175
    p = p * z + 0.1818289077802613
    p = p * z + 0.22222211112104948
    p = p * z + 0.2857142862611452
    p = p * z + 0.399999999998992
    p = p * z + 0.666666666666667
    half_square = 0.5 * f * f
    correction = s * (half_square + z * p) + k * LOG_2_LOW
    return k * LOG_2_HIGH - ((half_square - correction) - f)


@scalar
def log(x: float) -> float:
    """Return the natural logarithm.

    Parameters
    ----------
    x : float
        Any float64.

    Returns
    -------
    float
        Within 1 unit in the last place; minus infinity at zero, nan below zero and for nan.
    """
    result: float = log_of(float(x))
    return result


@scalar
def log_of(x: Any) -> Any:
    """Return the natural logarithm of a float, or of each lane of a pack, see `log`."""
    is_ordinary = (x > 0.0) & (x < INFINITY)
    ordinary = select(is_ordinary, x, 1.0)
    is_subnormal = ordinary < SMALLEST_NORMAL
    normal = select(is_subnormal, ordinary * TWO_TO_54, ordinary)
    bits = float_to_bits(normal)
    k = (bits - ROOT_HALF_BITS) >> MANTISSA_BITS
    f = bits_to_float(bits - (k << MANTISSA_BITS)) - 1.0
    k_float = bits_to_float(k + ROUNDER_BITS) - ROUNDER - select(is_subnormal, 54.0, 0.0)
    result = _log_from(f, k_float)
    limit = select(x == 0.0, -INFINITY, select(x > 0.0, x, NOT_A_NUMBER))
    return select(is_ordinary, result, limit)
