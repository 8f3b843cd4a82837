"""The Dataset of a run that is not written anywhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.dataset.build import LabelledArray, build, label_fans
from simulator.dataset.drawn import Drawn
from simulator.dataset.errors import RunIncompleteError
from simulator.dataset.fans import exact_fans
from simulator.dataset.layout import Array, fields_of, fit
from simulator.dataset.plan import WEIGHT, Chunk, RunPlan
from simulator.dataset.sampling import sampling_attributes
from simulator.dataset.variables import Variable

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MemoryStore", "in_memory"]


class MemoryStore:
    """Takes chunks like `RunStore`, keeps them in memory, returns a Dataset.

    Parameters
    ----------
    plan : RunPlan
        What is computed.
    resolved : mapping, optional
        The study with all defaults filled in.
    """

    def __init__(self, plan: RunPlan, *, resolved: Mapping[str, Any] | None = None) -> None:
        self.plan = plan
        self.resolved = resolved
        self.complete = False
        self._sampling: Mapping[str, Any] | None = None
        self._chunks = tuple(plan.chunks())
        self._scalars: dict[int, dict[str, Array]] = {}
        self._series: dict[int, dict[str, Array]] = {}
        self._fans: list[LabelledArray] = []

    @property
    def paths(self) -> int:
        """Number of paths."""
        return self.plan.paths

    @property
    def done(self) -> int:
        """Number of finished chunks."""
        return len(self._series)

    def sampling(self) -> Mapping[str, Any] | None:
        """Return how the run's paths are drawn, None if plainly."""
        return self._sampling

    def keep_sampling(self, sampling: Mapping[str, Any]) -> None:
        """Keep how paths are drawn."""
        self._sampling = sampling

    def missing_chunks(self) -> list[Chunk]:
        """Return the chunks that are still to be computed, in order of paths."""
        return [chunk for chunk in self._chunks if chunk.index not in self._series]

    def grow(self, paths: int) -> None:
        """Go on to more paths, one of the `RunPlan.looks`; finished chunks stay."""
        self.plan = replace(self.plan, paths=paths)
        self._chunks = tuple(self.plan.chunks())

    def so_far(self, names: Collection[str]) -> xr.Dataset:
        """Return some scalars of a run whose chunks are all done but which is not finished."""
        wanted = tuple(one for one in self.plan.scalars if one.name in names)
        return build(self.plan, self._whole(self._scalars, wanted, first_is_path=True))

    def write_chunk(
        self, index: int, scalars: Mapping[str, Array], series: Mapping[str, Array]
    ) -> None:
        """Keep a finished chunk; the arrays are not copied where they fit.

        Parameters
        ----------
        index : int
            Number of the chunk.
        scalars : mapping of str to ndarray (paths[, entity])
            One number per path.
        series : mapping of str to ndarray (months[, entity], paths)
            One number per month and path.

        Raises
        ------
        ChunkError
            If the arrays do not fit the plan.
        """
        count = self._chunks[index].count
        layout = fields_of(self.plan, "scalar", count)
        self._scalars[index] = dict(zip(layout, fit(layout, scalars), strict=True))
        layout = fields_of(self.plan, "series", count)
        self._series[index] = dict(zip(layout, fit(layout, series), strict=True))

    def drawn(self) -> Drawn:
        """Return how the paths were drawn."""
        weighted = any(variable.name == WEIGHT for variable in self.plan.scalars)
        parts = [self._scalars[chunk.index][WEIGHT] for chunk in self._chunks] if weighted else []
        return Drawn(np.concatenate(parts) if parts else None, self.plan.paths_per_draw)

    def rows(self, name: str, start: int, out: Array) -> None:
        """Fill a table with rows of a series, all paths side by side."""
        for chunk in self._chunks:
            table = self._series[chunk.index][name].reshape(-1, chunk.count)
            out[:, chunk.first : chunk.first + chunk.count] = table[start : start + len(out)]

    def finalise(self, threads: int | None = None) -> None:
        """Make the fans once all chunks are there.

        Parameters
        ----------
        threads : int, optional
            By default one per core.
        """
        if missing := self.missing_chunks():
            raise RunIncompleteError(f"{len(missing)} of {len(self._chunks)} chunks are missing")
        from simulator.dataset.histogram_fans import histogram_fans

        make = exact_fans if self.plan.paths <= self.plan.exact_limit else histogram_fans
        self._fans = list(label_fans(self.plan, make(self.plan, self, threads)))
        self.complete = True

    def dataset(self) -> xr.Dataset:
        """Return scalars and fans; and, if they are to be kept, all paths of the series."""
        if not self.complete:
            self.finalise()
        arrays = [*self._whole(self._scalars, self.plan.scalars, first_is_path=True), *self._fans]
        if self.plan.keep_paths:
            arrays += self._whole(self._series, self.plan.series, first_is_path=False)
        found = build(self.plan, arrays, self.resolved)
        drawn = sampling_attributes(self._sampling, lambda name: np.asarray(found[name].values))
        return found.assign_attrs(drawn)

    def _whole(
        self,
        parts: Mapping[int, Mapping[str, Array]],
        variables: tuple[Variable, ...],
        *,
        first_is_path: bool,
    ) -> list[LabelledArray]:
        arrays = []
        for variable in variables:
            pieces = [parts[chunk.index][variable.name] for chunk in self._chunks]
            data = np.concatenate(pieces, axis=0 if first_is_path else -1)
            data = data if first_is_path else np.moveaxis(data, -1, 0)
            arrays.append(LabelledArray(variable.name, variable.dims, data, variable.attributes))
        return arrays


def in_memory(
    plan: RunPlan,
    scalars: Mapping[str, Array],
    series: Mapping[str, Array],
    *,
    resolved: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Return the Dataset that `open_run` would return had the arrays been stored.

    Parameters
    ----------
    plan : RunPlan
        The run; its chunks do not matter.
    scalars : mapping of str to ndarray (paths[, entity])
        One number per path.
    series : mapping of str to ndarray (months[, entity], paths)
        One number per month and path.
    resolved : mapping, optional
        The study with all defaults filled in.

    Returns
    -------
    xarray.Dataset
        Scalars and fans.
    """
    store = MemoryStore(replace(plan, chunk=plan.paths), resolved=resolved)
    store.write_chunk(0, scalars, series)
    return store.dataset()
