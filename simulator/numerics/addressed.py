"""Named tuples that kernels take by address instead of by value.

Numba passes a tuple of arrays to every function as its bare parts, seven to eleven numbers an
array: with the state of a whole model in hand a call passes hundreds, and the compiler spends most
of its time on moving them.  Here a tuple is laid out once in memory, as rows of 64-bit words, and a
kernel gets the address.  In a kernel it reads like the tuple itself: ``state.boxes.rows[i, j]``.

    scalar     its value, integers and booleans widened
    array      address of the first element, then its shape; C order or that of
               `lanes.entity_rows`, so strides follow
    tuple      its fields one after another

The words never change while the tuple lives (the arrays' elements may), which the compiler is told
(`invariant.load`): addresses are read once, before a loop, and loops vectorise as with arguments.
"""

from __future__ import annotations

import hashlib
from typing import Any, Generic, TypeVar

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.core.typing.typeof import typeof
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    register_model,
    unbox,
)
from numpy.typing import NDArray

from simulator.numerics.jit import JIT_DISABLED
from simulator.numerics.lanes import ROOM

__all__ = ["Addressed", "AddressedType"]

Fields = TypeVar("Fields", bound=tuple[Any, ...])

WORD = ir.IntType(64)


class Addressed(Generic[Fields]):
    """A named tuple laid out in memory for kernels.

    Parameters
    ----------
    fields : NamedTuple
        Of floats, integers, booleans, C-contiguous arrays, and named tuples of these.

    Attributes
    ----------
    fields : NamedTuple
        The same: kept, because kernels read and write its arrays.
    address : int
        Of the first word.

    Raises
    ------
    TypeError
        If a field cannot be laid out.
    """

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.words: NDArray[np.uint64] = np.array(words_of(fields), dtype=np.uint64)
        self.address: int = self.words.ctypes.data
        self._numba_type_ = None if JIT_DISABLED else AddressedType(typeof(fields))

    @property
    def argument(self) -> Any:
        """What a kernel is called with; the tuple itself where compilation is switched off."""
        return self.fields if JIT_DISABLED else self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the fields: addresses mean nothing elsewhere."""
        return type(self), (self.fields,)


def words_of(value: Any) -> list[int]:
    """Return the 64-bit words of a field."""
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous and value.strides != entity_strides(value):
            raise TypeError("arrays taken by address must be C-contiguous, or of `entity_rows`")
        return [value.ctypes.data, *value.shape]
    if isinstance(value, tuple):
        return [word for field in value for word in words_of(field)]
    if isinstance(value, float | np.floating):
        return [int(np.float64(value).view(np.uint64))]
    if isinstance(value, bool | int | np.bool_ | np.integer):
        return [int(value) % 2**64]
    raise TypeError(f"{type(value).__name__} cannot be taken by address")


def entity_strides(value: NDArray[Any]) -> tuple[int, ...]:
    """Return the strides of an array of `lanes.entity_rows`."""
    row = value.itemsize * ROOM
    return (row, row * value.shape[0], value.itemsize)


def words_in(kind: Any) -> int:
    """Return how many words a field of this type takes."""
    if isinstance(kind, types.Array):
        return 1 + int(kind.ndim)
    fields: tuple[Any, ...] = getattr(kind, "types", ())  # of a tuple
    return sum(map(words_in, fields)) if fields else 1


class AddressedType(types.Type):
    """Type of the address of a named tuple.

    Parameters
    ----------
    target : numba.types.NamedTuple
        Type of the tuple.
    """

    def __init__(self, target: Any) -> None:
        self.target = target
        digest = hashlib.blake2b(target.name.encode(), digest_size=8).hexdigest()
        super().__init__(name=f"Addressed.{target.instance_class.__name__}.{digest}")

    def field(self, name: str) -> tuple[types.Type, int]:
        """Return type and first word of a field."""
        position = self.target.fields.index(name)
        first = sum(words_in(kind) for kind in self.target.types[:position])
        return self.target.types[position], first


register_model(AddressedType)(models.OpaqueModel)


@infer_getattr
class AddressedAttribute(AttributeTemplate):
    """Types the fields: a tuple inside is taken by address as well."""

    key = AddressedType

    def generic_resolve(self, value: Any, name: str) -> Any:  # type: ignore[override]
        """Return the type of a field, None if there is none of that name."""
        if name not in value.target.fields:
            return None
        kind, _ = value.field(name)
        return AddressedType(kind) if isinstance(kind, types.BaseNamedTuple) else kind


@lower_getattr_generic(AddressedType)
def read_field(context: Any, builder: Any, kind: AddressedType, value: Any, name: str) -> Any:
    """Emit the read of a field."""
    field, first = kind.field(name)
    start = builder.bitcast(value, WORD.as_pointer())
    if isinstance(field, types.BaseNamedTuple):
        inside = builder.gep(start, [WORD(first)], inbounds=True)
        return builder.bitcast(inside, value.type)
    if isinstance(field, types.Array):
        shape = [read_word(builder, start, first + 1 + axis) for axis in range(field.ndim)]
        return array_at(context, builder, field, read_word(builder, start, first), shape)
    word = read_word(builder, start, first)
    if isinstance(field, types.Boolean):
        return builder.icmp_unsigned("!=", word, WORD(0))
    if isinstance(field, types.Float):
        return builder.bitcast(word, context.get_value_type(field))
    return word


def read_word(builder: Any, start: Any, position: int) -> Any:
    """Emit the read of one word, which no kernel ever changes."""
    word = builder.load(builder.gep(start, [WORD(position)], inbounds=True))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def array_at(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    """Emit the struct that Numba knows an array by; no owner, so nothing is counted."""
    item = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides: list[Any] = []
    step = WORD(item)
    for length in reversed(shape):
        strides.insert(0, step)
        step = builder.mul(step, length)
    if kind.layout == "A":  # of `lanes.entity_rows`: numbers that the compiler knows
        row = WORD(item * ROOM)
        strides = [row, builder.mul(row, shape[0]), WORD(item)]
    items = WORD(1)
    for length in shape:
        items = builder.mul(items, length)
    model = context.data_model_manager[kind]
    struct = ir.Constant(model.get_value_type(), ir.Undefined)

    def put(struct: Any, name: str, *parts: Any) -> Any:
        position = model.get_field_position(name)
        if name in ("shape", "strides"):
            for axis, part in enumerate(parts):
                struct = builder.insert_value(struct, part, [position, axis])
            return struct
        return builder.insert_value(struct, parts[0], [position])

    for owner in ("meminfo", "parent"):
        none = ir.Constant(model.get_value_type().elements[model.get_field_position(owner)], None)
        struct = put(struct, owner, none)
    pointer = model.get_value_type().elements[model.get_field_position("data")]
    struct = put(struct, "data", builder.inttoptr(data, pointer))
    struct = put(struct, "nitems", items)
    struct = put(struct, "itemsize", WORD(item))
    struct = put(struct, "shape", *shape)
    return put(struct, "strides", *strides)


@unbox(AddressedType)
def take_address(kind: AddressedType, holder: Any, c: Any) -> NativeValue:
    """Emit what takes the address out of an `Addressed`."""
    number = c.pyapi.object_getattr_string(holder, "address")
    address = c.pyapi.long_as_ulonglong(number)
    c.pyapi.decref(number)
    return NativeValue(c.builder.inttoptr(address, c.context.get_value_type(kind)))
