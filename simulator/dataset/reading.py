"""Opening a run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.dataset.errors import RunDamagedError, RunIncompleteError, RunNotFoundError
from simulator.dataset.files import read_json, tree_size
from simulator.dataset.folder import FORMAT, MANIFEST, RUN, SCRATCH
from simulator.dataset.manifest import Manifest
from simulator.dataset.plan import RunPlan

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["RunStatus", "open_run", "read_status"]


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes
    ----------
    directory : Path
        Its folder.
    plan : RunPlan
        What it computes.
    complete : bool
        Whether all results are there.
    done : frozenset of int
        Finished chunks.
    record : mapping
        Content of `run.json`.
    """

    directory: Path
    plan: RunPlan
    complete: bool
    done: frozenset[int]
    record: Mapping[str, Any]

    @property
    def progress(self) -> str:
        """Say how much is done."""
        return f"{len(self.done)} of {self.plan.chunk_count} chunks"


def read_status(directory: str | Path) -> RunStatus:
    """Read how far a run is.

    Parameters
    ----------
    directory : path
        Folder of the run.

    Returns
    -------
    RunStatus
        Without opening its results.

    Raises
    ------
    RunNotFoundError
        If there is no run.
    RunDamagedError
        If `run.json` cannot be read.
    """
    directory = Path(directory)
    path = directory / RUN
    if not path.is_file():
        raise RunNotFoundError(
            f"{directory}: no run here ({RUN} is missing); give the folder that "
            "`neobox run --out` wrote"
        )
    record = read_json(path)
    if record.get("format") != FORMAT:
        raise RunDamagedError(
            f"{path}: format {record.get('format')!r}, this version reads {FORMAT!r}; "
            "run the study again with --overwrite"
        )
    try:
        plan = RunPlan.from_json(record["plan"])
        complete = record["status"] == "complete" and bool(record["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunDamagedError(
            f"{path}: not as it was written ({error!r}); restore the file, "
            "or run again with --overwrite"
        ) from error
    done = frozenset(Manifest(directory / MANIFEST, plan.key).records)
    return RunStatus(directory, plan, complete, done, record)


def open_run(directory: str | Path, *, partial: bool = False) -> xr.Dataset:
    """Open the results of a run; numbers are read when they are asked for.

    Parameters
    ----------
    directory : path
        Folder of the run.
    partial : bool
        Whether an unfinished run may be opened: the scalars of its finished chunks, with the
        numbers of their paths, and ``status: incomplete`` among the attributes.

    Returns
    -------
    xarray.Dataset
        Scalars and fans; and, if they were kept, all paths of the series.

    Raises
    ------
    RunIncompleteError
        If the run is not complete (and `partial` is not set).
    RunDamagedError
        If parts of a complete run are missing.
    RunNotFoundError
        If there is no run.
    """
    status = read_status(directory)
    if status.complete:
        return open_complete(status)
    if partial:
        return open_partial(status)
    raise RunIncompleteError(
        f"{status.directory}: unfinished run, {status.progress} done; "
        "run the same command with --resume to finish it"
    )


def open_complete(status: RunStatus) -> xr.Dataset:
    """Open all groups of a complete run as one Dataset."""
    import xarray as xr

    from simulator.dataset.build import complete

    expected: Mapping[str, Any] = status.record["files"]
    for name, size in expected.items():
        if not (status.directory / name).is_dir() or tree_size(status.directory / name) != size:
            raise RunDamagedError(
                f"{status.directory / name}: files are missing or were changed; copy the folder "
                "again, or run the same command with --overwrite"
            )
    groups = [
        xr.open_zarr(status.directory / name, chunks=None, consolidated=False) for name in expected
    ]
    dataset = groups[0]
    for group in groups[1:]:
        dataset = dataset.assign(group.data_vars)
    return complete(status.plan, dataset)


def open_partial(status: RunStatus) -> xr.Dataset:
    """Load the scalars of the finished chunks of a run."""
    import numpy as np

    from simulator.dataset.build import LabelledArray, build
    from simulator.dataset.dims import PATH
    from simulator.dataset.scratch import ChunkFiles

    plan = status.plan
    chunks = [chunk for chunk in plan.chunks() if chunk.index in status.done]
    if not chunks:
        raise RunIncompleteError(
            f"{status.directory}: unfinished run, no chunk done yet; "
            "run the same command with --resume"
        )
    files = ChunkFiles(status.directory / SCRATCH, plan, chunks)
    arrays = [
        LabelledArray(
            variable.name,
            variable.dims,
            files.scalar(variable.name, 0, files.paths),
            variable.attributes,
        )
        for variable in plan.scalars
    ]
    paths = np.concatenate([np.arange(chunk.first, chunk.first + chunk.count) for chunk in chunks])
    dataset = build(plan, arrays).assign_coords({PATH: paths})
    dataset.attrs.update(status="incomplete", progress=status.progress)
    return dataset
