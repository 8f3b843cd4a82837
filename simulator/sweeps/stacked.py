"""Variables of many runs as one array, read run by run when its numbers are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from simulator.dataset.reading import open_run

__all__ = ["StackedRuns", "stacked"]

Labels = Mapping[str, tuple[Any, ...]]
"""By dimension, the labels along it."""


@lru_cache(maxsize=512)
def opened(directory: Path) -> xr.Dataset:
    """Open a complete run: its name says what it holds, so that it may stay open."""
    return open_run(directory)


class StackedRuns(BackendArray):
    """One variable of many runs along leading dimensions.

    Parameters
    ----------
    name : str
        Of the variable.
    runs : sequence of Path or None
        Folders in C order of the leading dimensions; None where a run is not finished.
    leading : tuple of int
        Lengths of these dimensions.
    dims : tuple of str
        Dimensions of the variable in a run.
    labels : mapping
        Labels along them in the stack; a run that lacks some is NaN there.
    dtype : dtype
        Of the variable in a run; whole numbers become float64 if any are missing.
    """

    def __init__(
        self,
        name: str,
        runs: Sequence[Path | None],
        leading: tuple[int, ...],
        dims: tuple[str, ...],
        labels: Labels,
        dtype: np.dtype[Any],
    ) -> None:
        self.name, self.runs, self.leading = name, runs, leading
        self.dims, self.labels = dims, labels
        self.dtype = dtype
        self.shape = (*leading, *(len(labels[dim]) for dim in dims))

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a part."""
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        first, rest = key[: len(self.leading)], key[len(self.leading) :]
        numbers = np.arange(len(self.runs)).reshape(self.leading)
        for axis in reversed(range(len(first))):
            numbers = numbers[(slice(None),) * axis + (first[axis],)]
        parts = [self._part(self.runs[number], rest) for number in np.ravel(numbers)]
        block = np.stack(parts) if parts else np.empty((0, *self._shape_of(rest)), self.dtype)
        return block.reshape(*np.shape(numbers), *block.shape[1:])

    def _part(self, run: Path | None, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read a part of one run."""
        held = None if run is None else opened(run)
        if held is None or self.name not in held:
            return np.full(self._shape_of(key), np.nan, self.dtype)
        lacks = [dim for dim in self.dims if labels_of(held, dim) != self.labels[dim]]
        if not lacks:
            at = dict(zip(self.dims, key, strict=True))
            return np.asarray(held[self.name].variable.isel(at).values, dtype=self.dtype)
        block = np.full([len(self.labels[dim]) for dim in self.dims], np.nan, self.dtype)
        places = [
            [self.labels[dim].index(one) for one in labels_of(held, dim)] for dim in self.dims
        ]
        block[np.ix_(*places)] = held[self.name].values
        for axis in reversed(range(len(key))):
            block = block[(slice(None),) * axis + (key[axis],)]
        return block

    def _shape_of(self, key: tuple[Any, ...]) -> tuple[int, ...]:
        lengths = [
            np.empty(len(self.labels[dim]))[at] for dim, at in zip(self.dims, key, strict=True)
        ]
        return tuple(len(one) for one in lengths if np.ndim(one))


def labels_of(run: xr.Dataset, dim: str) -> tuple[Any, ...]:
    """Return the labels of a run along a dimension, numbers from 0 if it has none."""
    return tuple(run[dim].values.tolist()) if dim in run.coords else tuple(range(run.sizes[dim]))


def stacked(
    runs: Sequence[Path | None], dims: tuple[str, ...], leading: tuple[int, ...]
) -> tuple[dict[str, xr.Variable], dict[str, Any]]:
    """Stack all variables of runs.

    Parameters
    ----------
    runs : sequence of Path or None
        In C order of the leading dimensions; None where a run is not finished.
    dims, leading : tuple
        Names and lengths of these dimensions.

    Returns
    -------
    dict of str to Variable
        Nothing of them is read yet.
    dict
        Coordinates of the runs' own dimensions that are the same in all of them.
    """
    held = {run: opened(run) for run in dict.fromkeys(runs) if run is not None}
    labels: dict[str, tuple[Any, ...]] = {}
    for run in held.values():
        for dim in map(str, run.dims):
            known = labels.setdefault(dim, labels_of(run, dim))
            if known != (mine := labels_of(run, dim)):
                labels[dim] = tuple(dict.fromkeys((*known, *mine)))
    variables: dict[str, xr.Variable] = {}
    for run in held.values():
        for name in map(str, run.data_vars):
            if name not in variables:
                variables[name] = _variable(name, run, runs, held, dims, leading, labels)
    return variables, _coordinates(list(held.values()), labels)


def _variable(
    name: str,
    template: xr.Dataset,
    runs: Sequence[Path | None],
    held: Mapping[Path, xr.Dataset],
    dims: tuple[str, ...],
    leading: tuple[int, ...],
    labels: Labels,
) -> xr.Variable:
    like = template[name].variable
    inner = tuple(map(str, like.dims))
    whole = all(
        run is not None
        and name in held[run]
        and all(labels_of(held[run], dim) == labels[dim] for dim in inner)
        for run in runs
    )
    dtype = like.dtype if whole or like.dtype.kind == "f" else np.dtype(np.float64)
    array = StackedRuns(name, runs, leading, inner, labels, dtype)
    return xr.Variable((*dims, *inner), indexing.LazilyIndexedArray(array), dict(like.attrs))


def _coordinates(held: Sequence[xr.Dataset], labels: Labels) -> dict[str, Any]:
    """Return labels of the runs' own dimensions, and what else all runs say of them."""
    if not held:
        return {}
    first = held[0]
    found: dict[str, Any] = {
        name: (one.dims, one.values, one.attrs)
        for name, one in first.coords.items()
        if all(name in run.coords and run.coords[name].identical(one) for run in held[1:])
    }
    for dim, values in labels.items():
        if dim in first.coords and dim not in found:
            found[dim] = ((dim,), list(values), first[dim].attrs)
    return found
