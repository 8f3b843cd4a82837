"""Writing a folder of arrays as a Zarr v3 group that describes itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.dataset.build import LabelledArray
from simulator.dataset.files import remove, replace_directory, temporary
from simulator.dataset.layout import Array, as_bytes

__all__ = ["StoredArray", "rows_per_chunk", "stored", "write_group"]

CHUNK_BYTES = 1 << 25
CHUNK_ROWS = 65_536


@dataclass(frozen=True)
class StoredArray:
    """An array that is written block by block along its first dimension.

    Attributes
    ----------
    name : str
        Of the array.
    dims : tuple of str
        Names of its dimensions.
    shape : tuple of int
        Their lengths.
    dtype : dtype
        Type of its numbers, or text.
    attributes : mapping
        In JSON's own types.
    block : callable
        Takes first row and the one after the last, returns them.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]
    block: Callable[[int, int], Array]


def stored(array: LabelledArray) -> StoredArray:
    """Return an array in memory as one to be written; dates become days since 1970."""
    data, attributes = array.data, array.attributes
    if data.dtype.kind == "M":
        data = data.astype("datetime64[D]").astype(np.int64)
        attributes = {**attributes, "units": "days since 1970-01-01", "calendar": "standard"}
    return StoredArray(
        array.name,
        array.dims,
        data.shape,
        data.dtype,
        attributes,
        lambda start, stop: data[start:stop],
    )


def rows_per_chunk(shape: tuple[int, ...], itemsize: int) -> int:
    """Return a chunk length that depends on nothing but the array.

    Parameters
    ----------
    shape : tuple of int
        Of the whole array.
    itemsize : int
        Bytes per number.

    Returns
    -------
    int
        A power of two of at most 32 MB, or all rows.
    """
    per_row = max(1, int(np.prod(shape[1:]))) * itemsize
    rows = CHUNK_ROWS
    while rows > 1 and rows * per_row > CHUNK_BYTES:
        rows //= 2
    return max(1, min(rows, shape[0]))


def write_group(
    target: Path,
    arrays: Iterable[StoredArray],
    coordinates: Iterable[LabelledArray],
    attributes: Mapping[str, Any],
) -> str:
    """Write a group beside its place and move it there in one step.

    Parameters
    ----------
    target : Path
        Folder of the group; replaced if it is there.
    arrays : iterable of StoredArray
        Data variables.
    coordinates : iterable of LabelledArray
        Those whose dimensions the data variables use are written too.
    attributes : mapping
        Of the group.

    Returns
    -------
    str
        sha256 of the values of the data variables, in order; the same for any compression.
    """
    import zarr

    draft = temporary(target)
    remove(draft)
    try:
        group = zarr.create_group(draft, zarr_format=3, attributes=dict(attributes))
        digest = hashlib.sha256()
        used: set[str] = set()
        for array in arrays:
            digest.update(array.name.encode())
            write_array(group, array, digest.update)
            used |= set(array.dims)
        for coordinate in coordinates:
            if used.issuperset(coordinate.dims):
                write_array(group, stored(coordinate), None)
        replace_directory(draft, target)
    except BaseException:
        remove(draft)
        raise
    return digest.hexdigest()


def write_array(group: Any, array: StoredArray, see: Callable[[memoryview], object] | None) -> None:
    """Create an array in a group and fill it."""
    from zarr.codecs import BloscCodec

    text = array.dtype.kind == "U"
    rows = rows_per_chunk(array.shape, array.dtype.itemsize)
    whole = (rows, *(max(1, length) for length in array.shape[1:]))
    columns = len(whole) == 2 and rows < array.shape[0] and not text
    target = group.create_array(
        array.name,
        shape=array.shape,
        chunks=(rows, 1) if columns else whole,
        shards=whole if columns else None,  # one file, of which a column can be read alone
        dtype=str if text else array.dtype,
        fill_value=fill_value(array.dtype),
        dimension_names=array.dims,
        attributes=dict(array.attributes),
        compressors=None if text else BloscCodec(cname="lz4", shuffle="bitshuffle"),
        config={"write_empty_chunks": True},
    )
    for start in range(0, array.shape[0], rows):
        stop = min(start + rows, array.shape[0])
        values = np.ascontiguousarray(array.block(start, stop))
        target[start:stop] = values.astype(object) if text else values
        if see:
            see(as_bytes(values))


def fill_value(dtype: np.dtype[Any]) -> Any:
    """Return what a missing part of an array reads as: NaN, −1 or no text, never a plain zero."""
    return {"f": np.nan, "i": -1}.get(dtype.kind, "" if dtype.kind == "U" else 0)
