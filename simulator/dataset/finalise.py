"""From finished chunks to the folders a reader opens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.dataset.build import coordinates, label_fans
from simulator.dataset.dims import PATH
from simulator.dataset.fans import Fan
from simulator.dataset.files import tree_size
from simulator.dataset.folder import FANS, PATHS, SCALARS
from simulator.dataset.layout import Array
from simulator.dataset.plan import RunPlan
from simulator.dataset.provenance import attributes_of
from simulator.dataset.sampling import sampling_attributes
from simulator.dataset.scratch import ChunkFiles
from simulator.dataset.variables import Variable
from simulator.dataset.zarr_group import StoredArray, stored, write_group

__all__ = ["write_results"]


def write_results(
    directory: Path,
    plan: RunPlan,
    resolved: Mapping[str, Any] | None,
    files: ChunkFiles,
    fans: Iterable[tuple[Variable, Fan]],
    sampling: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the Zarr groups of a run.

    Parameters
    ----------
    directory : Path
        Folder of the run.
    plan : RunPlan
        The run.
    resolved : mapping, optional
        The study with all defaults filled in.
    files : ChunkFiles
        All chunks.
    fans : iterable of (Variable, Fan)
        Of every series.
    sampling : mapping, optional
        How paths were drawn, if not plainly.

    Returns
    -------
    dict
        For `run.json`: by group, the sha256 of its values and the size of its folder.
    """
    groups: dict[str, Iterable[StoredArray]] = {
        SCALARS: (whole(plan, variable, files.scalar) for variable in plan.scalars),
        FANS: (stored(array) for array in label_fans(plan, fans)),
    }
    if plan.keep_paths:
        groups[PATHS] = (whole(plan, variable, files.series) for variable in plan.series)
    drawn = sampling_attributes(sampling, lambda name: files.scalar(name, 0, plan.paths))
    attributes = attributes_of(plan, resolved) | drawn
    hashes = {
        name: write_group(directory / name, arrays, coordinates(plan), attributes)
        for name, arrays in groups.items()
    }
    return {"sha256": hashes, "files": {name: tree_size(directory / name) for name in groups}}


def whole(plan: RunPlan, variable: Variable, read: Callable[[str, int, int], Array]) -> StoredArray:
    """Describe a variable of all paths that is read piece by piece."""
    lengths = {PATH: plan.paths, "month": plan.horizon}
    shape = tuple(
        lengths[dim] if dim in lengths else len(plan.ids.get(dim, ())) for dim in variable.dims
    )
    return StoredArray(
        variable.name,
        variable.dims,
        shape,
        np.dtype(variable.dtype),
        variable.attributes,
        lambda start, stop: read(variable.name, start, stop),
    )
