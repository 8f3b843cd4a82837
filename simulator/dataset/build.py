"""Arrays to xarray: the one place that gives numbers their coordinates and labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.dataset.dims import DIMENSION_NAMES, MONTH, QUANTILE
from simulator.dataset.fans import Fan
from simulator.dataset.layout import Array
from simulator.dataset.order_statistics import LEVELS
from simulator.dataset.plan import RunPlan
from simulator.dataset.provenance import attributes_of
from simulator.dataset.variables import SERIES, VARIABLES, Variable

__all__ = ["DATE", "LabelledArray", "build", "complete", "coordinates", "label_fans", "month_ends"]


DATE = {"long_name": "last day of the month"}
"""Attributes of the coordinate ``date``."""

ERROR_NOTES = {
    False: "half the 95% binomial interval of order statistics over 1.96; "
    "NaN if there are too few paths",
    True: "half of Woodruff's 95% interval over 1.96, by weight and over draws of parameters; "
    "NaN if there are too few paths",
}
"""How errors of quantiles were found, by whether paths carry weights or share draws."""

PARTS = ("", "_mean", "_mean_se", "_se", "_count")
ORDER = (*VARIABLES, *(f"fan_{series.name}{part}" for series in SERIES for part in PARTS))
"""Names of all variables that a Dataset may have, in its order."""


class LabelledArray(NamedTuple):
    """An array with the names of its dimensions and its attributes."""

    name: str
    dims: tuple[str, ...]
    data: Array
    attributes: dict[str, Any]


def month_ends(start: str, months: NDArray[np.int32]) -> NDArray[np.datetime64]:
    """Return the last day of months counted from the end of the start month (YYYY-MM)."""
    after = np.datetime64(start, "M") + (months + 1).astype("timedelta64[M]")
    return (after.astype("datetime64[D]") - np.timedelta64(1, "D")).astype("datetime64[ns]")


def coordinates(plan: RunPlan) -> list[LabelledArray]:
    """Return the coordinates of a run.

    Parameters
    ----------
    plan : RunPlan
        The run.

    Returns
    -------
    list of LabelledArray
        Months, their ends, quantile levels, ids, and labels of ids.
    """
    named = {dim: {"long_name": DIMENSION_NAMES[dim]} for dim in DIMENSION_NAMES}
    months = np.arange(1, plan.horizon + 1, dtype=np.int32)
    arrays = [
        LabelledArray(MONTH, (MONTH,), months, {**named[MONTH], "units": "month"}),
        LabelledArray("date", (MONTH,), month_ends(plan.start, months), DATE),
        LabelledArray(QUANTILE, (QUANTILE,), np.array(LEVELS), {**named[QUANTILE], "units": "1"}),
    ]
    for dim, ids in plan.ids.items():
        arrays.append(LabelledArray(dim, (dim,), as_text(ids), named[dim]))
    for name, (dim, values) in plan.labels.items():
        long_name = name.replace("_", " ")
        arrays.append(LabelledArray(name, (dim,), as_text(values), {"long_name": long_name}))
    return arrays


def as_text(values: Iterable[Any]) -> Array:
    """Return an array of strings or numbers; text stays text even if there is none."""
    array = np.asarray(tuple(values))
    return array if array.size else array.astype(np.str_)


def label_fans(plan: RunPlan, fans: Iterable[tuple[Variable, Fan]]) -> Iterator[LabelledArray]:
    """Name the parts of fans: quantiles, standard errors, means, and counts where paths are NaN.

    Parameters
    ----------
    plan : RunPlan
        The run.
    fans : iterable of (Variable, Fan)
        In table order.

    Yields
    ------
    LabelledArray
        ``fan_x``, ``fan_x_se``, ``fan_x_mean``, ``fan_x_mean_se`` and, if needed,
        ``fan_x_count``.
    """
    for variable, fan in fans:
        entity = (variable.entity,) if variable.entity else ()
        by_month = (MONTH, *entity)
        shape = (plan.horizon, *plan.entities(variable))
        name, label = f"fan_{variable.name}", variable.long_name
        plain = {"units": variable.units, "long_name": f"{label}, mean over paths"}
        central = {**plain, "long_name": f"{label}, quantiles over paths", **fan.attributes}
        error = {
            **plain,
            "long_name": f"{label}, standard error of quantiles",
            "comment": ERROR_NOTES[bool(plan.sampling) or plan.paths_per_draw > 1],
        }
        levels = (len(LEVELS), *shape)
        yield LabelledArray(name, (QUANTILE, *by_month), fan.quantiles.reshape(levels), central)
        yield LabelledArray(f"{name}_se", (QUANTILE, *by_month), fan.errors.reshape(levels), error)
        yield LabelledArray(f"{name}_mean", by_month, fan.means.reshape(shape), plain)
        spread = {"units": variable.units, "long_name": f"{label}, standard error of the mean"}
        yield LabelledArray(f"{name}_mean_se", by_month, fan.mean_errors.reshape(shape), spread)
        if variable.may_be_nan or (fan.counts < plan.paths).any():
            count = {"units": "1", "long_name": f"{label}, paths with a value"}
            yield LabelledArray(f"{name}_count", by_month, fan.counts.reshape(shape), count)


def build(
    plan: RunPlan,
    arrays: Iterable[LabelledArray],
    resolved: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Assemble the Dataset of a run.

    Parameters
    ----------
    plan : RunPlan
        The run.
    arrays : iterable of LabelledArray
        Data variables.
    resolved : mapping, optional
        The study with all defaults filled in.

    Returns
    -------
    xarray.Dataset
        With coordinates, CF attributes and provenance.
    """
    dataset = xr.Dataset(
        {array.name: (array.dims, array.data, array.attributes) for array in arrays},
        attrs=attributes_of(plan, resolved),
    )
    return complete(plan, dataset)


def complete(plan: RunPlan, dataset: xr.Dataset) -> xr.Dataset:
    """Give a Dataset its coordinates, and put its variables in order.

    Parameters
    ----------
    plan : RunPlan
        The run.
    dataset : xarray.Dataset
        Made in memory or read from disk.

    Returns
    -------
    xarray.Dataset
        The same from either: scalars, series, fans.
    """
    names = [name for name in ORDER if name in dataset]
    return dataset[names].assign_coords(
        {array.name: (array.dims, array.data, array.attributes) for array in coordinates(plan)}
    )
