"""The types of a pack of lanes, and what the compiler emits for its operators, see `lanes`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import register_model

PACK = 16
"""Lanes of a pack."""


class Lanes(types.Type):
    """Type of eight numbers side by side.

    Parameters
    ----------
    number : numba.types.Type
        float64, int64, uint64, or boolean for the result of a comparison.
    """

    def __init__(self, number: Any) -> None:
        self.number = number
        super().__init__(name=f"Lanes.{number}")


class PackType(types.Type):
    """Type of the place of a pack: its first lane."""

    def __init__(self) -> None:
        super().__init__(name="Pack")


FLOATS, INTEGERS, WORDS = Lanes(types.float64), Lanes(types.int64), Lanes(types.uint64)


TRUTHS, PLACE = Lanes(types.boolean), PackType()


LLVM_NUMBERS = {FLOATS: ir.DoubleType(), INTEGERS: ir.IntType(64), WORDS: ir.IntType(64)}


def vector_type(kind: Any) -> Any:
    """Return the type that LLVM knows a pack's values by."""
    return ir.VectorType(LLVM_NUMBERS.get(kind, ir.IntType(1)), PACK)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """How values of a pack travel: as a vector."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, vector_type(kind))


@register_model(PackType)
class PackModel(models.PrimitiveModel):
    """How a pack's place travels: as a number."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.IntType(64))


def broadcast(context: Any, builder: Any, kind: Any, value: Any, wanted: Any) -> Any:
    """Emit eight times a single number; what is eight already passes."""
    if isinstance(kind, Lanes):
        return value
    number = context.cast(builder, value, kind, wanted.number)
    empty = ir.Constant(vector_type(wanted), ir.Undefined)
    one = builder.insert_element(empty, number, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), PACK), [0] * PACK)
    return builder.shuffle_vector(one, empty, zeros)


def is_number(kind: Any) -> bool:
    """Say whether a type is that of a single number or truth value."""
    return isinstance(types.unliteral(kind), types.Number | types.Boolean)


def common(kinds: Any) -> Any:
    """Return the lanes that a mix of lanes and numbers is computed in, None if there are none."""
    packs = {kind for kind in kinds if isinstance(kind, Lanes)}
    others = [kind for kind in kinds if not isinstance(kind, Lanes)]
    if len(packs) != 1 or not all(map(is_number, others)):
        return None
    return packs.pop()


Emit = Callable[[Any, Any, Any, Any], Any]


def define(symbol: Any, accepted: tuple[Any, ...], result: Any, emit: Emit) -> None:
    """Teach the compiler an operator on packs: `emit(builder, kind, left, right)`."""

    def key(*_: Any) -> None:
        """Stand for the operator."""

    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            kind = common(args)
            if len(args) != 2 or kind not in accepted:
                return None
            return signature(result or kind, *map(types.unliteral, args))

        def get_impl_key(self, sig: Any) -> Any:
            return key

    infer_global(symbol)(Template)

    @lower_builtin(key, types.Any, types.Any)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = common(sig.args)
        left, right = (
            broadcast(context, builder, of, value, kind)
            for of, value in zip(sig.args, args, strict=True)
        )
        return emit(builder, kind, left, right)


def by_kind(of_floats: str, of_integers: str) -> Emit:
    """Return what emits one instruction on floats and another on integers."""
    return lambda builder, kind, a, b: getattr(
        builder, of_floats if kind is FLOATS else of_integers
    )(a, b)


def shift_right(builder: Any, kind: Any, left: Any, right: Any) -> Any:
    """Emit a shift that keeps the sign of signed numbers."""
    return builder.ashr(left, right) if kind is INTEGERS else builder.lshr(left, right)


def comparison(sign: str) -> Emit:
    """Return what emits a comparison; with NaN all are false but `!=`."""

    def emit(builder: Any, kind: Any, left: Any, right: Any) -> Any:
        if kind is FLOATS:
            ordered = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
            return ordered(sign, left, right)
        compare = builder.icmp_signed if kind is INTEGERS else builder.icmp_unsigned
        return compare(sign, left, right)

    return emit


NUMBERS = (FLOATS, INTEGERS, WORDS)


WHOLE = (INTEGERS, WORDS)


for symbols, accepted, result, emit in (
    ((operator.add, operator.iadd), NUMBERS, None, by_kind("fadd", "add")),
    ((operator.sub, operator.isub), NUMBERS, None, by_kind("fsub", "sub")),
    ((operator.mul, operator.imul), NUMBERS, None, by_kind("fmul", "mul")),
    ((operator.truediv, operator.itruediv), (FLOATS,), None, by_kind("fdiv", "sdiv")),
    ((operator.lshift,), WHOLE, None, by_kind("", "shl")),
    ((operator.rshift,), WHOLE, None, shift_right),
    ((operator.xor,), WHOLE, None, by_kind("", "xor")),
    ((operator.and_,), (*WHOLE, TRUTHS), None, by_kind("", "and_")),
    ((operator.or_,), (*WHOLE, TRUTHS), None, by_kind("", "or_")),
    ((operator.lt,), NUMBERS, TRUTHS, comparison("<")),
    ((operator.le,), NUMBERS, TRUTHS, comparison("<=")),
    ((operator.gt,), NUMBERS, TRUTHS, comparison(">")),
    ((operator.ge,), NUMBERS, TRUTHS, comparison(">=")),
    ((operator.eq,), NUMBERS, TRUTHS, comparison("==")),
    ((operator.ne,), NUMBERS, TRUTHS, comparison("!=")),
):
    for symbol in symbols:
        define(symbol, accepted, result, emit)


def define_unary(symbol: Any, kind: Any, emit: Callable[[Any, Any], Any]) -> None:
    """Teach the compiler an operator on one pack."""

    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            return signature(kind, kind) if tuple(args) == (kind,) else None

    infer_global(symbol)(Template)

    @lower_builtin(symbol, Lanes)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return emit(builder, args[0])


def rounding(name: str) -> Callable[[Any, Any], Any]:
    """Return what emits a function that LLVM knows by name."""

    def emit(builder: Any, value: Any) -> Any:
        kind = ir.FunctionType(value.type, [value.type])
        width = f"v{PACK}" if isinstance(value.type, ir.VectorType) else ""
        function = get_or_insert_function(builder.module, kind, f"llvm.{name}.{width}f64")
        return builder.call(function, [value])

    return emit


define_unary(operator.neg, FLOATS, lambda builder, value: builder.fneg(value))
define_unary(operator.invert, TRUTHS, lambda builder, value: builder.not_(value))
define_unary(abs, FLOATS, rounding("fabs"))


def address(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Emit the address of a pack in an array whose lanes lie side by side."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    indices: list[Any] = [args[1]]
    places: Any = sig.args[1]
    if isinstance(sig.args[1], types.BaseTuple):
        indices = [
            context.cast(builder, builder.extract_value(args[1], i), kind, types.intp)
            if kind is not PLACE
            else builder.extract_value(args[1], i)
            for i, kind in enumerate(places)
        ]
    item = ir.IntType(64)(sig.args[0].dtype.bitwidth // 8)
    offset = builder.mul(indices[-1], item)
    for axis in range(sig.args[0].ndim - 1):
        stride = builder.extract_value(array.strides, axis)
        offset = builder.add(builder.mul(indices[axis], stride), offset)
    start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    return builder.gep(start, [offset], inbounds=True)


def kind_in(array: Any, index: Any) -> Any:
    """Return the lanes that an array holds if the index ends in a pack, else None."""
    parts: tuple[Any, ...] = (index,)
    if isinstance(index, types.BaseTuple):
        several: Any = index
        parts = tuple(several)
    if not isinstance(array, types.Array) or parts[-1:] != (PLACE,):
        return None
    if len(parts) != array.ndim:
        return None
    known = {types.float64: FLOATS, types.float32: FLOATS, types.int64: INTEGERS}
    return known.get(array.dtype)


def read_pack(*_: Any) -> None:
    """Stand for the read of a pack."""


def write_pack(*_: Any) -> None:
    """Stand for the writing of a pack."""


@infer_global(operator.getitem)
class ReadPack(AbstractTemplate):
    """Types ``array[row, pack]``."""

    def generic(self, args: Any, kws: Any) -> Any:
        """Return the lanes that are read."""
        kind = kind_in(*args)
        return None if kind is None else signature(kind, *args)

    def get_impl_key(self, sig: Any) -> Any:
        """Keep clear of other indices."""
        return read_pack


@infer_global(operator.setitem)
class WritePack(AbstractTemplate):
    """Types ``array[row, pack] = value``."""

    def generic(self, args: Any, kws: Any) -> Any:
        """Accept lanes of the array's kind, or one number for all."""
        kind = kind_in(*args[:2])
        value = types.unliteral(args[2])
        if kind is None or not (value == kind or isinstance(value, types.Number)):
            return None
        return signature(types.void, args[0], args[1], value)

    def get_impl_key(self, sig: Any) -> Any:
        """Keep clear of other indices."""
        return write_pack


@lower_builtin(read_pack, types.Any, types.Any)
def lower_read(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Emit the load of a pack."""
    place = builder.bitcast(
        address(context, builder, sig, args), vector_type(sig.return_type).as_pointer()
    )
    value = builder.load(place)
    value.align = sig.args[0].dtype.bitwidth // 8
    return value


@lower_builtin(write_pack, types.Any, types.Any, types.Any)
def lower_write(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Emit the store of a pack; what a row of single precision takes is rounded."""
    kind = kind_in(*sig.args[:2])
    value = broadcast(context, builder, sig.args[2], args[2], kind)
    if sig.args[0].dtype == types.float32:
        value = builder.fptrunc(value, ir.VectorType(ir.FloatType(), PACK))
    place = builder.bitcast(address(context, builder, sig, args), value.type.as_pointer())
    store = builder.store(value, place)
    store.align = sig.args[0].dtype.bitwidth // 8
    return context.get_dummy_value()
