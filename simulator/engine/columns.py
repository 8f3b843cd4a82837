"""Columns of packed arrays: numbers, codes and streams in the order of named rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.streams import stream_id_array

IntegerColumn = NDArray[np.int64] | NDArray[np.bool_]


def floats(values: Sequence[float]) -> NDArray[np.float64]:
    """Return a float64 array."""
    return np.array(values, dtype=np.float64)


def ints(values: Sequence[int]) -> NDArray[np.int64]:
    """Return an int64 array."""
    return np.array(values, dtype=np.int64)


def bools(values: Sequence[bool]) -> NDArray[np.bool_]:
    """Return a bool array."""
    return np.array(values, dtype=np.bool_)


def float_rows(rows: tuple[int, ...], **columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stack columns of terms: one row a term, in the order of its Rows tuple."""
    return np.array([columns[name] for name in fields_of(rows)], dtype=np.float64)


def code_rows(rows: tuple[int, ...], **columns: IntegerColumn) -> NDArray[np.int64]:
    """Stack columns of whole-number terms and flags."""
    return np.array([columns[name] for name in fields_of(rows)], dtype=np.int64)


def stream_rows(rows: tuple[int, ...], **columns: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stack columns of stream numbers."""
    return np.array([columns[name] for name in fields_of(rows)], dtype=np.uint64)


def fields_of(rows: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of a Rows tuple."""
    names: tuple[str, ...] = rows._fields  # type: ignore[attr-defined]
    return names


def whole_months(months: float) -> float:
    """Return a duration rounded to months."""
    return float(np.floor(months + 0.5))


def indices(order: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each wanted id, -1 for the empty id."""
    rows = {name: row for row, name in enumerate(order)}
    return ints([rows[name] if name else -1 for name in wanted])


def streams_of(names: Sequence[str]) -> NDArray[np.uint64]:
    """Return stream numbers of names that may repeat (the assets of a contract share its draws)."""
    known = dict(zip(sorted(set(names)), stream_id_array(sorted(set(names))), strict=True))
    return np.array([known[name] for name in names], dtype=np.uint64)


def ranges(owners: Sequence[str], order: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    """Return first and end row of each owner in a list grouped by owner."""
    listed = list(owners)
    first = [listed.index(owner) if owner in listed else 0 for owner in order]
    counts = [listed.count(owner) for owner in order]
    return ints(first), ints([f + n for f, n in zip(first, counts, strict=True)])
