"""Reading a float's 64 bits as an integer and back, in compiled code and in plain Python."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from simulator.numerics.jit import JIT_DISABLED
from simulator.numerics.lane_types import FLOATS, INTEGERS

__all__ = ["bits_to_float", "float_to_bits"]

if JIT_DISABLED:

    def float_to_bits(value: Any) -> Any:
        """Return the bits of a float64 as a signed 64-bit integer."""
        if isinstance(value, np.ndarray):  # of a pack of lanes
            return value.view(np.int64)
        return int(struct.unpack("<q", struct.pack("<d", value))[0])

    def bits_to_float(bits: Any) -> Any:
        """Return the float64 that has the bits of a signed 64-bit integer."""
        if isinstance(bits, np.ndarray):
            return bits.view(np.float64)
        return float(struct.unpack("<d", struct.pack("<q", bits))[0])

else:

    @intrinsic
    def float_to_bits(_context: Any, value: Any) -> Any:
        """Return the bits of a float64 as a signed 64-bit integer."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

        return (INTEGERS if value == FLOATS else types.int64)(value), generate

    @intrinsic
    def bits_to_float(_context: Any, bits: Any) -> Any:
        """Return the float64 that has the bits of a signed 64-bit integer."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

        return (FLOATS if bits == INTEGERS else types.float64)(bits), generate
