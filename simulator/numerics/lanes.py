"""Eight paths at once: a value of eight lanes that kernels compute with as with one number.

A loop over lanes that touches many rows does not vectorise: the compiler cannot know that rows do
not overlap, and what it cannot prove it does one lane at a time.  Here a kernel says itself that
it works on a pack of lanes, and all that it computes stays in registers:

    for first in range(0, lanes, PACK):
        pack = pack_at(first, lanes)
        cash = flow[flows.RECEIPTS, b, pack]
        paid = least(cash, due[b, pack])
        rows[BOX.reserve, b, pack] = select(performs, cash - paid, 0.0)

`+ - * /`, comparisons, `& | ~` work lane by lane, with single numbers too; `select` takes the place
of `if`.  Each operation is the correctly rounded one of a single lane, so that a lane gets the same
bits in a pack as on its own.  The last axis of what is read and written has whole packs
(`whole_packs`).  Without the compiler a pack is an array of the lane numbers that are left, and its
values are arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from simulator.numerics.jit import JIT_DISABLED, scalar
from simulator.numerics.lane_types import (
    FLOATS,
    INTEGERS,
    PACK,
    PLACE,
    TRUTHS,
    WORDS,
    Lanes,
    broadcast,
    common,
    rounding,
)

__all__ = [
    "MOST_LANES",
    "PACK",
    "ROOM",
    "any_of",
    "end_of",
    "entity_rows",
    "first_of",
    "floor_of",
    "least",
    "most",
    "number_of",
    "pack_at",
    "select",
    "spread",
    "whole_packs",
    "words_of",
]


MOST_LANES = 128
"""Lanes of a block with deals, at most."""

ROOM = MOST_LANES + PACK
"""Numbers from one row of an entity to its next: known to the compiler, see `entity_rows`."""


def entity_rows(rows: int, entities: int, lanes: int) -> NDArray[np.float64]:
    """Return zeros (row, entity, lane) that lie in memory entity by entity.

    The rows of a box lie at fixed distances from each other, so that a kernel finds all of them
    from one address; they share pages of memory, and no two of them the same lines of a cache.

    Raises
    ------
    ValueError
        If there is more than one entity, and there are more than `MOST_LANES` lanes.
    """
    if JIT_DISABLED:
        return np.zeros((rows, entities, lanes))
    if lanes > MOST_LANES and entities > 1:
        raise ValueError(f"a block of paths has at most {MOST_LANES} lanes: got {lanes}")
    room = np.zeros(rows * entities * ROOM + max(0, lanes - ROOM))  # without deals rows may overlap
    strides = (8 * ROOM, 8 * ROOM * rows, 8)
    return np.lib.stride_tricks.as_strided(room, (rows, entities, lanes), strides)


def whole_packs(lanes: int) -> int:
    """Return the number of lanes to keep state for, so that the last pack is whole."""
    return lanes if JIT_DISABLED else -(-lanes // PACK) * PACK


if JIT_DISABLED:

    def pack_at(first: int, lanes: int) -> Any:
        """Return the place of the pack that begins with a lane."""
        return np.arange(first, lanes)

    def select(condition: Any, value: Any, other: Any) -> Any:
        """Return `value` where the condition holds, else `other`."""
        if isinstance(condition, np.ndarray):
            return np.where(condition, value, other)
        return value if condition else other

    def any_of(condition: Any) -> bool:
        """Say whether a condition holds on any lane of a pack."""
        return bool(np.any(condition))

    def first_of(pack: Any) -> int:
        """Return the first lane of a pack."""
        return int(pack[0])

    def end_of(pack: Any) -> int:
        """Return the lane after the last of a pack."""
        return int(pack[-1]) + 1

    def spread(value: Any, pack: Any) -> Any:
        """Return one number for all lanes of a pack."""
        return np.full(len(pack), value)

    def floor_of(value: Any) -> Any:
        """Return the largest whole number not above each."""
        return np.floor(value)

    def words_of(numbers: Any) -> Any:
        """Return whole numbers that are not negative as words of bits."""
        return numbers.astype(np.uint64)

    def number_of(words: Any) -> Any:
        """Return whole numbers below 2**63 as floats."""
        return words.astype(np.float64) if isinstance(words, np.ndarray) else float(words)

else:

    @intrinsic
    def pack_at(_context: Any, first: Any, lanes: Any) -> Any:
        """Return the place of the pack that begins with a lane."""

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return context.cast(builder, args[0], sig.args[0], types.int64)

        return PLACE(types.unliteral(first), types.unliteral(lanes)), generate

    @intrinsic
    def select(_context: Any, condition: Any, value: Any, other: Any) -> Any:
        """Return `value` where the condition holds, else `other`."""
        value, other = types.unliteral(value), types.unliteral(other)
        kind = common((value, other))
        if kind is None and condition == TRUTHS:
            kind = FLOATS

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            if kind is None:
                a, b = (
                    context.cast(builder, args[i], sig.args[i], sig.return_type) for i in (1, 2)
                )
                return builder.select(args[0], a, b)
            a, b = (broadcast(context, builder, sig.args[i], args[i], kind) for i in (1, 2))
            return builder.select(args[0], a, b)

        return (kind or types.float64)(condition, value, other), generate

    @intrinsic
    def any_of(_context: Any, condition: Any) -> Any:
        """Say whether a condition holds on any lane of a pack."""

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            bits = builder.bitcast(args[0], ir.IntType(PACK))
            return builder.icmp_unsigned("!=", bits, ir.IntType(PACK)(0))

        return types.boolean(condition), generate

    @intrinsic
    def first_of(_context: Any, pack: Any) -> Any:
        """Return the first lane of a pack."""
        return types.int64(pack), lambda context, builder, sig, args: args[0]

    @intrinsic
    def end_of(_context: Any, pack: Any) -> Any:
        """Return the lane after the last of a pack."""

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.add(args[0], ir.IntType(64)(PACK))

        return types.int64(pack), generate

    @intrinsic
    def spread(_context: Any, value: Any, pack: Any) -> Any:
        """Return one number for all lanes of a pack."""
        value = types.unliteral(value)
        kind = {types.float64: FLOATS, types.uint64: WORDS}.get(value, INTEGERS)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return broadcast(context, builder, sig.args[0], args[0], kind)

        return kind(value, pack), generate

    @intrinsic
    def floor_of(_context: Any, value: Any) -> Any:
        """Return the largest whole number not above each."""
        emit = rounding("floor")
        return value(value), lambda context, builder, sig, args: emit(builder, args[0])

    @intrinsic
    def words_of(_context: Any, numbers: Any) -> Any:
        """Return whole numbers that are not negative as words of bits."""
        return WORDS(numbers), lambda context, builder, sig, args: args[0]

    @intrinsic
    def number_of(_context: Any, words: Any) -> Any:
        """Return whole numbers below 2**63 as floats."""
        result = FLOATS if isinstance(words, Lanes) else types.float64

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.uitofp(args[0], context.get_value_type(sig.return_type))

        return result(words), generate


@scalar
def most(a: Any, b: Any) -> Any:
    """Return the larger of two, lane by lane: `max(a, b)`."""
    return select(b > a, b, a)


@scalar
def least(a: Any, b: Any) -> Any:
    """Return the smaller of two, lane by lane: `min(a, b)`."""
    return select(b < a, b, a)
