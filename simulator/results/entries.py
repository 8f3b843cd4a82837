"""The runs below a folder: of which study, how far, how large."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.config.errors import NeoboxError
from simulator.dataset.errors import RunBusyError, RunDamagedError
from simulator.dataset.files import DirectoryLock, read_json, tree_size
from simulator.dataset.folder import FORMAT, RUN, SCRATCH
from simulator.dataset.reading import RunStatus, read_status

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Entry", "ResultsError", "catalogue", "entry_of", "find_runs", "is_locked", "locate"]

FEWEST: Final = 4
"""Digits of a digest by which a run may be named."""


class ResultsError(NeoboxError):
    """A run or file of results that cannot be had as asked."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A run as the catalogue lists it.

    Attributes
    ----------
    directory : Path
        Its folder.
    status : str
        ``complete``; ``running`` if a process writes it now; ``unfinished`` if none does, so that
        it may be resumed; ``damaged`` if it does not open.
    study, digest : str
        Name of the study, hash of its resolved inputs; empty if damaged.
    start : str
        Start month "YYYY-MM" of the study.
    paths, done, seed : int
        Paths of the run, those of them that are on disk, seed.
    sampling : str
        How paths are drawn.
    bytes : int
        On disk, reports and figures in the folder included.
    created, finished : str
        Times, UTC; `finished` empty if it is not.
    problem : str
        What is wrong with it if it is damaged.
    """

    directory: Path
    status: str
    study: str = ""
    digest: str = ""
    start: str = ""
    paths: int = 0
    done: int = 0
    seed: int = 0
    sampling: str = ""
    bytes: int = 0
    created: str = ""
    finished: str = ""
    problem: str = ""

    @property
    def date(self) -> str:
        """When it was finished, or begun if it is not; sorts as text."""
        return self.finished or self.created

    def as_object(self) -> dict[str, Any]:
        """Return the entry as plain values for JSON."""
        return {name: getattr(self, name) for name in FIELDS} | {"run": str(self.directory)}


FIELDS: Final = (
    *("status", "study", "digest", "start", "paths", "done", "seed", "sampling"),
    *("bytes", "created", "finished", "problem"),
)


def run_folders(root: Path) -> Iterator[Path]:
    """Yield the folders below and including one that hold a run; hidden ones are left out."""
    for here, folders, files in os.walk(root):
        folders[:] = sorted(
            one for one in folders if not one.startswith(".") and not one.endswith(".zarr")
        )
        if RUN in files:
            folders[:] = [one for one in folders if one != SCRATCH]
            yield Path(here)


def find_runs(root: str | Path = "results") -> list[Entry]:
    """List the runs below a folder, the newest first.

    Parameters
    ----------
    root : path
        Folder; it may be a run itself.

    Returns
    -------
    list of Entry
        A folder whose ``run.json`` is of something else than a run is left out.

    Raises
    ------
    ResultsError
        If there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ResultsError(f"{root}: no such folder; give the one that holds the runs")
    found = [one for one in map(entry_of, run_folders(root)) if one is not None]
    return sorted(found, key=lambda one: (one.date, str(one.directory)), reverse=True)


def entry_of(directory: Path) -> Entry | None:
    """Look a run up; None if the folder holds something else."""
    if not is_run(directory):
        return None
    size = tree_size(directory)["bytes"]
    try:
        status = read_status(directory)
    except RunDamagedError as error:
        return Entry(directory, "damaged", bytes=size, problem=str(error))
    plan, record = status.plan, status.record
    problem = missing(status) if status.complete else ""
    done = sum(one.count for one in plan.chunks() if one.index in status.done)
    return Entry(
        directory,
        status=state(status, problem),
        study=plan.title,
        digest=plan.digest,
        start=plan.start,
        paths=plan.paths,
        done=plan.paths if status.complete else done,
        seed=plan.seed,
        sampling=str(plan.sampling.get("method", "plain")),
        bytes=size,
        created=str(record.get("created", "")),
        finished=str(record.get("finished", "")),
        problem=problem,
    )


def is_run(directory: Path) -> bool:
    """Tell whether a `run.json` is that of a run, of any version, or cut short."""
    try:
        form = read_json(directory / RUN).get("format", "")
    except RunDamagedError:
        return True
    return str(form).partition("/")[0] == FORMAT.partition("/")[0]


def missing(status: RunStatus) -> str:
    """Say which results of a complete run are not as they were written."""
    wrong = [
        name
        for name, size in status.record["files"].items()
        if not (status.directory / name).is_dir() or tree_size(status.directory / name) != size
    ]
    return f"{', '.join(wrong)}: files are missing or were changed" if wrong else ""


def state(status: RunStatus, problem: str) -> str:
    """Say how a run is doing."""
    if status.complete:
        return "damaged" if problem else "complete"
    return "running" if is_locked(status.directory) else "unfinished"


def is_locked(directory: Path) -> bool:
    """Tell whether a process is writing a run; False where folders cannot be locked."""
    try:
        DirectoryLock(directory).release()
    except RunBusyError:
        return True
    return False


def catalogue(root: str | Path = "results") -> xr.Dataset:
    """List the runs below a folder, the newest first.

    Parameters
    ----------
    root : path
        Folder.

    Returns
    -------
    Dataset (run)
        The fields of `Entry`, by folder of the run.
    """
    import numpy as np
    import xarray as xr

    entries = find_runs(root)
    columns = {name: [getattr(one, name) for one in entries] for name in FIELDS}
    whole = ("paths", "done", "seed", "bytes")
    return xr.Dataset(
        {
            name: ("run", np.array(values, dtype=np.int64 if name in whole else np.str_))
            for name, values in columns.items()
        },
        coords={"run": [str(one.directory) for one in entries]},
    )


def locate(run: str | Path, root: str | Path = "results") -> Path:
    """Find a run by its folder, by the name of its folder below another, or by its study's hash.

    Parameters
    ----------
    run : str or path
        A folder; else the name of a folder of a run below `root`, or at least four digits that a
        digest begins with.
    root : path
        Where to look.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ResultsError
        If there is no such run, or several.
    """
    if (Path(run) / RUN).is_file():
        return Path(run)
    name, root = str(run), Path(root)
    entries = find_runs(root) if root.is_dir() else []
    found = [one for one in entries if one.directory.name == name]
    if not found and len(name) >= FEWEST:
        found = [one for one in entries if one.digest.startswith(name)]
    if len(found) == 1:
        return found[0].directory
    if found:
        names = ", ".join(str(one.directory) for one in found[:5])
        raise ResultsError(
            f"{name}: {len(found)} runs below {root} answer to that ({names}); give the folder"
        )
    raise ResultsError(
        f"{name}: no folder of a run, and none below {root} of that name or digest; "
        f"`neobox results list` lists them"
    )
