"""From Datasets to vectors and back: the one place where analytics knows xarray's shapes.

A result of the simulator is a Dataset with dimension ``path`` and dimensions of entities
(facility, box, sponsor, …); a result of analytics has no ``path`` and carries every estimate
``x`` with its standard error ``x_se``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from simulator.analytics.estimate import Estimate
from simulator.analytics.sample import Vector
from simulator.config.errors import NeoboxError, did_you_mean
from simulator.dataset.dims import MONTH


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
    dataset.variables[name].load()  # once; a column at a time would read the store each time
    values = dataset[name].isel(position).values
    return np.ascontiguousarray(values, dtype=np.float64)


def labels(dataset: xr.Dataset, dimension: str) -> list[str]:
    """Return the ids along a dimension as text; an empty list if it is absent."""
    if dimension not in dataset.dims:
        return []
    return [str(label) for label in dataset[dimension].values]


def path_weights(dataset: xr.Dataset) -> Vector | None:
    """Return the likelihood ratios of the paths, or None if they were drawn plainly."""
    if "path_weight" not in dataset:
        return None
    return vector(dataset, "path_weight")


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
