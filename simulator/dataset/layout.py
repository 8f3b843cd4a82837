"""How the arrays of a chunk lie one after another in its file, and whether they fit the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.errors import ChunkError
from simulator.dataset.plan import RunPlan
from simulator.dataset.variables import Kind, Variable

__all__ = ["Array", "Field", "as_bytes", "bytes_per_path", "fields_of", "fit"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Field:
    """An array within the file of a chunk.

    Attributes
    ----------
    variable : Variable
        What it holds.
    shape : tuple of int
        (paths[, entity]) of a scalar, (months[, entity], paths) of a series.
    offset : int
        Bytes before it.
    """

    variable: Variable
    shape: tuple[int, ...]
    offset: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type in which it is stored."""
        return np.dtype(self.variable.dtype)

    @property
    def bytes(self) -> int:
        """Length in the file."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


def fields_of(plan: RunPlan, kind: Kind, count: int) -> dict[str, Field]:
    """Lay out the arrays of one kind.

    Parameters
    ----------
    plan : RunPlan
        The run.
    kind : {"scalar", "series"}
        Which file of the chunk.
    count : int
        Paths of the chunk.

    Returns
    -------
    dict of str to Field
        By variable, in the order in which they lie in the file.
    """
    layout: dict[str, Field] = {}
    offset = 0
    for variable in plan.scalars if kind == "scalar" else plan.series:
        entities = plan.entities(variable)
        shape = (count, *entities) if kind == "scalar" else (plan.horizon, *entities, count)
        layout[variable.name] = Field(variable, shape, offset)
        offset += layout[variable.name].bytes
    return layout


def bytes_per_path(plan: RunPlan, kind: Kind) -> int:
    """Return what one path takes in the files of chunks."""
    return sum(field.bytes for field in fields_of(plan, kind, 1).values())


def fit(layout: Mapping[str, Field], arrays: Mapping[str, Array]) -> list[Array]:
    """Return the arrays in the order, type and memory layout of the file.

    Parameters
    ----------
    layout : mapping of str to Field
        What is expected.
    arrays : mapping of str to ndarray
        What was handed over.

    Returns
    -------
    list of ndarray
        C-contiguous; not copied where they fit already.

    Raises
    ------
    ChunkError
        If a variable is missing, unknown, or of another shape or kind of number.
    """
    problems = [f"{name} is missing" for name in layout if name not in arrays]
    problems += [f"{name} is not in the plan" for name in arrays if name not in layout]
    for name in layout.keys() & arrays.keys():
        problems += mismatch(layout[name], np.asarray(arrays[name]))
    if problems:
        raise ChunkError(
            "the arrays of a chunk do not fit the plan: " + "; ".join(sorted(problems))
        )
    return [np.ascontiguousarray(arrays[name], dtype=layout[name].dtype) for name in layout]


def mismatch(field: Field, array: Array) -> list[str]:
    """Say what is wrong with an array, if anything is."""
    name = field.variable.name
    if array.shape != field.shape:
        return [f"{name} has shape {array.shape}, expected {field.shape}"]
    if not (np.can_cast(array.dtype, field.dtype, "same_kind") or array.dtype == np.bool_):
        return [f"{name} is {array.dtype}, expected {field.dtype}"]
    if array.dtype.kind in "iu" and field.dtype.kind == "i" and array.size:
        limits = np.iinfo(field.dtype)
        if array.min() < limits.min or array.max() > limits.max:
            return [f"{name} does not fit {field.dtype}: {array.min()} to {array.max()}"]
    return []


def as_bytes(array: Array) -> memoryview:
    """Return the memory of a C-contiguous array."""
    return array.reshape(-1).view(np.uint8).data
