"""The folder of a run: chunks as they are finished, the whole once all are there.

::

    results/<run>/
        config.yaml            as given
        config.resolved.json   with all defaults
        sampling.json          how paths are drawn, if not plainly
        run.json               status, plan, versions, times
        manifest.jsonl         one line per finished chunk
        scratch/               finished chunks, until the run is complete
        scalars.zarr           one number per path           } written when
        fans.zarr              quantiles by month            } the run is
        paths.zarr             all series, if asked for      } complete

A run is complete when `run.json` says so, which is written last.  Until then nothing opens as
whole.  Zarr folders are written by one process with chunks of their own, so that the same run has
the same bytes whatever the chunks, the workers and the interruptions.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from simulator.dataset.accumulate import SeriesAccumulator, disk_bytes
from simulator.dataset.errors import ChunkError, RunExistsError, RunIncompleteError, RunWriteError
from simulator.dataset.files import (
    DirectoryLock,
    is_temporary,
    read_json,
    remove,
    tree_size,
    write_json,
    write_text,
    writing,
)
from simulator.dataset.folder import (
    CONFIG,
    EXPECTED,
    FANS,
    FORMAT,
    MANIFEST,
    PATHS,
    RESOLVED,
    RUN,
    SAMPLING,
    SCALARS,
    SCRATCH,
)
from simulator.dataset.layout import Array
from simulator.dataset.manifest import ChunkRecord, Manifest
from simulator.dataset.plan import Chunk, RunPlan
from simulator.dataset.reading import RunStatus, open_run, read_status
from simulator.dataset.scratch import ChunkFiles, ChunkWriter

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Existing", "RunStore"]

Existing = Literal["refuse", "resume", "overwrite"]


class RunStore:
    """Writes a run chunk by chunk; made by `create`.

    Threads may call `write_chunk` at the same time.  Other processes use `writer` (which may be
    pickled) and hand its records to `commit`, here.

    Attributes
    ----------
    directory : Path
        Folder of the run.
    plan : RunPlan
        What is computed.  A resumed run keeps the chunks it began with.
    complete : bool
        Whether all results are there.
    writer : ChunkWriter
        Writes the files of a chunk.
    """

    def __init__(
        self, directory: Path, plan: RunPlan, lock: DirectoryLock, *, complete: bool
    ) -> None:
        self.directory = directory
        self.plan = plan
        self.complete = complete
        self.writer = ChunkWriter(directory / SCRATCH, plan)
        self._chunks = tuple(plan.chunks())
        self._lock = lock
        self._guard = threading.RLock()
        self._manifest = Manifest(directory / MANIFEST, plan.key)
        self._series = SeriesAccumulator(directory / SCRATCH, plan)

    @classmethod
    def create(
        cls,
        directory: str | Path,
        plan: RunPlan,
        *,
        config_text: str | None = None,
        resolved: Mapping[str, Any] | None = None,
        existing: Existing = "refuse",
    ) -> RunStore:
        """Begin, resume or reuse a run.

        Parameters
        ----------
        directory : path
            Folder of the run; made if it is not there.
        plan : RunPlan
            What is to be computed.
        config_text : str, optional
            The configuration as its author wrote it.
        resolved : mapping, optional
            The study with all defaults filled in, in JSON's own types.
        existing : {"refuse", "resume", "overwrite"}
            What to do about a run in the folder.  The same run, complete, is reused unless it is
            to be overwritten; one that differs is never resumed.

        Returns
        -------
        RunStore
            If it is `complete`, nothing is left to do.

        Raises
        ------
        RunExistsError
            If the folder holds something else, or an unfinished run and `existing` is "refuse".
        RunBusyError
            If another process is writing it.
        RunWriteError
            If the disk has too little room, or the folder cannot be written.
        """
        directory = Path(directory)
        if directory.exists() and not directory.is_dir():
            raise RunExistsError(f"{directory}: is a file; choose a folder with --out")
        with writing(directory, "nothing has been computed yet"):
            directory.mkdir(parents=True, exist_ok=True)
            lock = DirectoryLock(directory)
            try:
                found = find(directory, plan, existing)
                if found is None or not found.complete:
                    check_room(directory, plan)
                if found is None:
                    begin(directory, plan)
                if found is None or not found.complete:
                    prepare(directory, config_text, resolved)
                return cls._go_on(found or read_status(directory), lock)
            except BaseException:
                lock.release()
                raise

    @classmethod
    def _go_on(cls, found: RunStatus, lock: DirectoryLock) -> RunStore:
        store = cls(found.directory, found.plan, lock, complete=found.complete)
        if found.complete:
            store.close()
        else:
            store._forget_unsound()
        return store

    def _forget_unsound(self) -> None:
        """Drop chunks whose files a crash of the system has cut short."""
        records = self._manifest.records
        chunks = [chunk for chunk in self._chunks if chunk.index in records]
        files = ChunkFiles(self.writer.directory, self.plan, chunks)
        sound = files.sound(records, without_series=self._series.folded)
        for index in set(records) - sound:
            del records[index]

    @property
    def done(self) -> int:
        """Number of finished chunks."""
        return len(self._manifest.records)

    def expected(self) -> dict[str, Any] | None:
        """Return what the run's study expected at t0, if an earlier process has kept it."""
        path = self.directory / EXPECTED
        return read_json(path) if path.exists() else None

    def keep_expected(self, expected: Mapping[str, Any]) -> None:
        """Keep what the study expected at t0: a resumed run must not solve it anew."""
        with self._guard, self._writing():
            write_json(self.directory / EXPECTED, expected)

    def sampling(self) -> dict[str, Any] | None:
        """Return how the run's paths are drawn, if an earlier process has kept it."""
        path = self.directory / SAMPLING
        return read_json(path) if path.exists() else None

    def keep_sampling(self, sampling: Mapping[str, Any]) -> None:
        """Keep how paths are drawn: a resumed run must draw all its paths alike."""
        with self._guard, self._writing():
            write_json(self.directory / SAMPLING, sampling)

    def missing_chunks(self) -> list[Chunk]:
        """Return the chunks that are still to be computed, in order of paths."""
        if self.complete:
            return []
        return [chunk for chunk in self._chunks if chunk.index not in self._manifest.records]

    def grow(self, paths: int) -> None:
        """Go on to more paths; finished chunks stay.

        Parameters
        ----------
        paths : int
            One of the `RunPlan.looks` beyond those of the run.
        """
        plan = replace(self.plan, paths=paths)
        with self._guard, self._writing():
            check_room(self.directory, plan)
            record = {**read_json(self.directory / RUN), "plan": plan.to_json()}
            write_json(self.directory / RUN, record)
            self.plan = plan
            self.writer = ChunkWriter(self.directory / SCRATCH, plan)
            self._chunks = tuple(plan.chunks())
            self._series = SeriesAccumulator(self.directory / SCRATCH, plan)

    def note(self, name: str, content: object) -> None:
        """Keep something about the run, in JSON's own types, under a name in `run.json`."""
        with self._guard, self._writing():
            write_json(self.directory / RUN, {**read_json(self.directory / RUN), name: content})

    def so_far(self, names: Collection[str]) -> xr.Dataset:
        """Return scalars of a run whose chunks are all done but which is not finished.

        Parameters
        ----------
        names : collection of str
            Variables that are wanted; those the run does not hold are left out.
        """
        from simulator.dataset.build import LabelledArray, build

        files = ChunkFiles(self.writer.directory, self.plan, self._chunks)
        return build(
            self.plan,
            [
                LabelledArray(
                    one.name, one.dims, files.scalar(one.name, 0, self.plan.paths), one.attributes
                )
                for one in self.plan.scalars
                if one.name in names
            ],
        )

    def write_chunk(
        self, index: int, scalars: Mapping[str, Array], series: Mapping[str, Array]
    ) -> None:
        """Write a finished chunk; safe on disk once this returns.

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
        RunWriteError
            If the system refuses; finished chunks stay.
        """
        with self._writing():
            record = self.writer.write(self._chunks[index], scalars, series)
        self.commit(record)

    def commit(self, record: ChunkRecord) -> None:
        """Enter a chunk that `writer` wrote, maybe in another process.

        Parameters
        ----------
        record : ChunkRecord
            What `writer.write` returned.
        """
        if self.complete or record.plan != self.plan.key:
            raise ChunkError(f"{self.directory}: chunk {record.chunk} belongs to another run")
        with self._guard, self._writing():
            self._manifest.append(record)
            self._series.offer(self._manifest.records)

    def finalise(self, threads: int | None = None) -> None:
        """Write the results once all chunks are there; afterwards the run opens.

        Parameters
        ----------
        threads : int, optional
            By default one per core.

        Raises
        ------
        RunIncompleteError
            If chunks are missing.
        RunWriteError
            If the system refuses; finished chunks stay.
        """
        from simulator.dataset.finalise import write_results

        if self.complete:
            return
        if missing := self.missing_chunks():
            raise RunIncompleteError(
                f"{self.directory}: {len(missing)} of {self.plan.chunk_count} chunks are missing; "
                "run the same command with --resume"
            )
        path = self.directory / RESOLVED
        resolved = read_json(path) if path.exists() else None
        files = ChunkFiles(self.writer.directory, self.plan, self._chunks)
        with self._guard, self._writing():
            fans = self._series.fans(threads)
            results = write_results(
                self.directory, self.plan, resolved, files, fans, self.sampling()
            )
            self._manifest.rewrite()
            record = {**read_json(self.directory / RUN), **results}
            write_json(self.directory / RUN, {**record, "status": "complete", "finished": now()})
            self.complete = True
        self.close()

    def dataset(self) -> xr.Dataset:
        """Open the results; see `open_run`."""
        return open_run(self.directory)

    def close(self) -> None:
        """Give the folder up; what a complete run no longer needs is removed."""
        if self.complete:
            tidy(self.directory)
            remove(self.writer.directory)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self.directory, f"{self.done} of {len(self._chunks)} chunks are safe")


def find(directory: Path, plan: RunPlan, existing: Existing) -> RunStatus | None:
    """Return the run that stands in a folder if it is the one that is asked for.

    Parameters
    ----------
    directory : Path
        The folder.
    plan : RunPlan
        The run that is asked for.
    existing : {"refuse", "resume", "overwrite"}
        What to do about a run that is there.

    Returns
    -------
    RunStatus or None
        None if a new run is to begin.
    """
    if not (directory / RUN).exists():
        strangers = sorted(path.name for path in directory.iterdir() if path.name[0] != ".")
        if strangers:
            raise RunExistsError(
                f"{directory}: holds files that are not a run ({', '.join(strangers[:3])}); "
                "choose another folder with --out"
            )
        return None
    if existing == "overwrite":
        return None
    status = read_status(directory)
    if differences := status.plan.differences(plan):
        raise RunExistsError(
            f"{directory}: holds another run ({'; '.join(differences[:5])}); "
            "choose another folder with --out, or replace it with --overwrite"
        )
    if not status.complete and existing == "refuse":
        raise RunExistsError(
            f"{directory}: holds an unfinished run of this study, {status.progress} done; "
            "finish it with --resume, replace it with --overwrite, "
            "or choose another folder with --out"
        )
    return status


def check_room(directory: Path, plan: RunPlan) -> None:
    """Refuse a run that cannot fit on its disk; what the folder holds already counts as room."""
    needed = disk_bytes(plan)
    room = shutil.disk_usage(directory).free + tree_size(directory)["bytes"]
    if needed > room:
        raise RunWriteError(
            f"{directory}: the run takes about {needed / 1e9:.1f} GB on disk while it is "
            f"computed, {room / 1e9:.1f} GB are free; make room, ask for fewer paths, "
            "or choose a folder on another disk with --out"
        )


def begin(directory: Path, plan: RunPlan) -> None:
    """Make a folder that of a new run, whatever run it held."""
    record = {"format": FORMAT, "status": "running", "plan": plan.to_json(), "created": now()}
    write_json(directory / RUN, record)  # first: from here on the old run is gone
    for name in (MANIFEST, SCRATCH, CONFIG, RESOLVED, EXPECTED, SAMPLING):
        remove(directory / name)


def prepare(directory: Path, config_text: str | None, resolved: Mapping[str, Any] | None) -> None:
    """Lay out the folder of a run that is to be computed."""
    tidy(directory)
    for name in (SCALARS, FANS, PATHS):
        remove(directory / name)
    scratch = directory / SCRATCH
    scratch.mkdir(exist_ok=True)
    tidy(scratch)
    if config_text is not None:
        write_text(directory / CONFIG, config_text)
    if resolved is not None:
        write_json(directory / RESOLVED, resolved)


def tidy(directory: Path) -> None:
    """Remove what an interrupted writer left half done."""
    for path in directory.iterdir():
        if is_temporary(path):
            remove(path)


def now() -> str:
    """Return the time of day, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
