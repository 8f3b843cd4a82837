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

from simulator.dataset.dims import MONTH, PATH
from simulator.dataset.plan import RunPlan
from simulator.dataset.reading import RunStatus, open_run

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
    runs : sequence of RunStatus or None
        In C order of the leading dimensions; None where a run is not finished.
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
        runs: Sequence[RunStatus | None],
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
        parts = [self._part(self.runs[int(number)], rest) for number in np.ravel(numbers)]
        block = np.stack(parts) if parts else np.empty((0, *self._shape_of(rest)), self.dtype)
        return block.reshape((*np.shape(numbers), *block.shape[1:]))

    def _part(self, run: RunStatus | None, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read a part of one run."""
        held = None if run is None else opened(run.directory)
        if run is None or held is None or self.name not in held:
            return np.full(self._shape_of(key), np.nan, self.dtype)
        mine = labels_of(run.plan, held)
        if all(mine[dim] == self.labels[dim] for dim in self.dims):
            at = dict(zip(self.dims, key, strict=True))
            return np.asarray(held[self.name].variable.isel(at).values, dtype=self.dtype)
        block = np.full([len(self.labels[dim]) for dim in self.dims], np.nan, self.dtype)
        places = [[self.labels[dim].index(one) for one in mine[dim]] for dim in self.dims]
        block[np.ix_(*places)] = held[self.name].values
        for axis in reversed(range(len(key))):
            block = block[(slice(None),) * axis + (key[axis],)]
        return block

    def _shape_of(self, key: tuple[Any, ...]) -> tuple[int, ...]:
        lengths = [
            np.empty(len(self.labels[dim]))[at] for dim, at in zip(self.dims, key, strict=True)
        ]
        return tuple(len(one) for one in lengths if np.ndim(one))


def labels_of(plan: RunPlan, like: xr.Dataset) -> dict[str, tuple[Any, ...]]:
    """Return the labels of a run along each dimension, without opening it.

    Parameters
    ----------
    plan : RunPlan
        Of the run.
    like : Dataset
        A run, for dimensions that are the same in all.
    """
    found = {str(dim): tuple(range(size)) for dim, size in like.sizes.items()}
    found |= {str(dim): tuple(like[dim].values.tolist()) for dim in like.dims if dim in like.coords}
    return (
        found
        | dict(plan.ids)
        | {
            PATH: tuple(range(plan.paths)),
            MONTH: tuple(range(1, plan.horizon + 1)),
        }
    )


def kind_of(run: RunStatus) -> tuple[Any, ...]:
    """Return what decides the variables and labels of a run."""
    plan = run.plan
    ids = tuple(plan.ids.items())
    return ids, plan.horizon, plan.paths, plan.variables, plan.sampling.get("method")


def stacked(
    runs: Sequence[RunStatus | None], dims: tuple[str, ...], leading: tuple[int, ...]
) -> tuple[dict[str, xr.Variable], dict[str, Any]]:
    """Stack all variables of runs; of runs alike only the first is opened.

    Parameters
    ----------
    runs : sequence of RunStatus or None
        In C order of the leading dimensions; None where a run is not finished.
    dims, leading : tuple
        Names and lengths of these dimensions.

    Returns
    -------
    dict of str to Variable
        Nothing of them is read yet.
    dict
        Coordinates of the runs' own dimensions.
    """
    kinds: dict[tuple[Any, ...], RunStatus] = {}
    for run in runs:
        if run is not None:
            kinds.setdefault(kind_of(run), run)
    held = [opened(run.directory) for run in kinds.values()]
    labels: dict[str, tuple[Any, ...]] = {}
    for run, one in zip(kinds.values(), held, strict=True):
        for dim, mine in labels_of(run.plan, one).items():
            known = labels.setdefault(dim, mine)
            if known != mine:
                labels[dim] = tuple(dict.fromkeys((*known, *mine)))
    alike = len(kinds) == 1 and all(run is not None for run in runs)
    variables: dict[str, xr.Variable] = {}
    for one in held:
        for name, like in one.variables.items():
            if name in one.data_vars and name not in variables:
                dtype = like.dtype if alike or like.dtype.kind == "f" else np.dtype(np.float64)
                inner = tuple(map(str, like.dims))
                array = StackedRuns(str(name), runs, leading, inner, labels, dtype)
                lazy = indexing.LazilyIndexedArray(array)
                variables[str(name)] = xr.Variable((*dims, *inner), lazy, dict(like.attrs))
    return variables, _coordinates(held, labels)


def _coordinates(held: Sequence[xr.Dataset], labels: Labels) -> dict[str, Any]:
    """Return labels of the runs' own dimensions, and what else all runs say of them."""
    if not held:
        return {}
    first = held[0]
    found: dict[str, Any] = {
        str(name): (one.dims, one.values, one.attrs)
        for name, one in first.coords.items()
        if all(name in run.coords and run.coords[name].identical(one) for run in held[1:])
    }
    for run in held:
        for dim, values in labels.items():
            if dim in run.coords and dim not in found:
                found[dim] = ((dim,), list(values), run[dim].attrs)
    return found
