"""From Datasets to vectors and back: the one place where analytics knows xarray's shapes.

A result of the simulator is a Dataset with dimension ``path`` and dimensions of entities
(facility, box, sponsor, …); a result of analytics has no ``path`` and carries every estimate
``x`` with its standard error ``x_se``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import xarray as xr

from simulator.analytics.estimate import Estimate
from simulator.analytics.sample import Design, Vector, independent_draws
from simulator.config.errors import NeoboxError, did_you_mean
from simulator.dataset.dims import MONTH, PATH

WHOLE: Final = 1 << 26
"""Bytes of a variable up to which it is kept in memory once it is read; larger ones, of very many
paths, are read a column at a time."""


class MissingVariableError(NeoboxError):
    """A run does not hold a variable that a measure needs.

    Parameters
    ----------
    name : str
        What was asked for.
    held : sequence of str
        What there is.
    """

    exit_code = 2

    def __init__(self, name: str, held: Sequence[str]) -> None:
        self.name, self.held = name, tuple(held)
        near = did_you_mean(name, held, "running the study again with all variables")
        super().__init__(f"the run holds no variable {name!r}; mend by {near}")


def vector(dataset: xr.Dataset, name: str, **position: int) -> Vector:
    """Read one variable over paths, in path order, at a position along its other dimensions.

    Parameters
    ----------
    dataset : Dataset
        With dimension ``path``.
    name : str
        Variable.
    **position : int
        Index along each other dimension.

    Raises
    ------
    MissingVariableError
        If the Dataset lacks the variable.
    """
    if name not in dataset:
        raise MissingVariableError(name, [str(held) for held in dataset])
    held = dataset.variables[name]
    if held.nbytes <= WHOLE:
        held.load()  # once; a column at a time would read the store each time
    values = dataset[name].isel(position).values
    return np.ascontiguousarray(values, dtype=np.float64)


def labels(dataset: xr.Dataset, dimension: str) -> list[str]:
    """Return the ids along a dimension as text; an empty list if it is absent."""
    if dimension not in dataset.dims:
        return []
    return [str(label) for label in dataset[dimension].values]


def path_weights(dataset: xr.Dataset) -> Design | None:
    """Return how the paths were drawn, or None if each was drawn plainly and by itself.

    Parameters
    ----------
    dataset : Dataset
        A run: ``path_weight(path)`` holds likelihood ratios, the attribute ``paths_per_draw``
        says how many consecutive paths share a draw of uncertain parameters, or are spread evenly
        with each other if ``sampling_method`` is quasi or stratified.

    Returns
    -------
    Design or None
        Groups follow the numbers of the paths, so that some of the paths keep theirs.
    """
    weights = vector(dataset, "path_weight") if "path_weight" in dataset else None
    shared = int(dataset.attrs.get("paths_per_draw", 1))
    if shared <= 1:
        return None if weights is None else Design(weights)
    count = dataset.sizes[PATH]
    numbers = dataset[PATH].values if PATH in dataset.coords else np.arange(count)
    spread = dataset.attrs.get("sampling_method") in ("quasi", "stratified")
    return Design(weights, np.asarray(numbers, dtype=np.int64) // shared, spread)


def draws_of(dataset: xr.Dataset) -> float:
    """Return the number of independent draws that bounds what a run never saw.

    See `sample.independent_draws`.
    """
    return independent_draws(path_weights(dataset), dataset.sizes[PATH])


def estimates(
    name: str,
    dims: Sequence[str],
    values: Iterable[object],
    shape: Sequence[int],
    long_name: str,
    units: str,
) -> dict[str, xr.Variable]:
    """Two variables, ``name`` and ``name_se``, from estimates in C order over `dims`."""
    block = np.array(list(values), dtype=np.float64).reshape(*shape, 2)
    return {
        name: xr.Variable(dims, block[..., 0].copy(), {"long_name": long_name, "units": units}),
        f"{name}_se": xr.Variable(
            dims,
            block[..., 1].copy(),
            {"long_name": f"Monte Carlo standard error of {long_name}", "units": units},
        ),
    }


def estimate_at(table: xr.Dataset, name: str, **selection: object) -> Estimate:
    """Read one estimate with its error out of a table of analytics."""
    picked = table[[name, f"{name}_se"]].sel(selection)
    return Estimate(float(picked[name]), float(picked[f"{name}_se"]))


def horizon_months(dataset: xr.Dataset) -> int:
    """Last month of the simulation."""
    return int(dataset[MONTH].values.max())
