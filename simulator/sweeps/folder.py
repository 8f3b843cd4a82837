"""The folder of results of sweeps.

::

    results/
        runs/<key>/              one run for each distinct point; shared by all sweeps of the folder
        sweeps/<name>/
            sweep.json           points, their coordinates and the names of their runs
            sweep.csv            the same, to read
            measures/<key>.json  risk of a finished run, and its change against the base
            measures.csv         all of them in one table, as they come

A run is named by the hash of its inputs, seed, paths, versions and sampling: the same inputs are
found, whichever sweep computed them.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.config.sweep_file import BASE, Sweep
from simulator.dataset.errors import RunBusyError, RunDamagedError, RunNotFoundError
from simulator.dataset.files import DirectoryLock, read_json, write_json, write_text, writing
from simulator.dataset.reading import RunStatus, read_status
from simulator.dataset.store import tidy
from simulator.sweeps.plan import Planned, PlannedSweep, request_of

__all__ = ["SweepFolder", "found_plan", "open_folder"]

FORMAT: Final = "neobox.sweeps/1"

TURN: Final = 0.01
"""Seconds between tries to write where another process is writing."""


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """Where a sweep stands.

    Attributes
    ----------
    root : Path
        Folder of results, shared by sweeps.
    name : str
        Of the sweep.
    """

    root: Path
    name: str

    @property
    def directory(self) -> Path:
        """Folder of the sweep's tables."""
        return self.root / "sweeps" / self.name

    @property
    def catalogue(self) -> Path:
        """File that says which point is which run."""
        return self.directory / "sweep.json"

    @property
    def table(self) -> Path:
        """File of all measures so far."""
        return self.directory / "measures.csv"

    def run(self, key: str) -> Path:
        """Return the folder of a run."""
        return self.root / "runs" / key

    def status(self, key: str) -> RunStatus | None:
        """Read how far a run is, None if it has not begun; its arrays are not opened."""
        try:
            return read_status(self.run(key))
        except RunNotFoundError:
            return None

    def measures(self, key: str, base: str) -> dict[str, Any] | None:
        """Read the measures of a run against a base, None if they are not there."""
        path = self._measures(key)
        if not path.exists():
            return None
        found = read_json(path)
        return found if found.get("base") == base else None

    def keep_measures(self, key: str, measures: Mapping[str, Any]) -> None:
        """Keep the measures of a run."""
        text = json.dumps(measures, sort_keys=True) + "\n"  # without indents, which take long
        with self.writing():
            write_text(self._measures(key), text)

    def _measures(self, key: str) -> Path:
        return self.directory / "measures" / f"{key}.json"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder for as long as something is written; processes that share it wait."""
        with writing(self.directory, "finished points are safe"):
            lock = self._lock()
            try:
                yield
            finally:
                lock.release()

    def _lock(self) -> DirectoryLock:
        while True:
            try:
                return DirectoryLock(self.directory)
            except RunBusyError:
                time.sleep(TURN)

    def begin(self, planned: PlannedSweep) -> None:
        """Write the catalogue of a sweep; what an interrupted writer left half done goes."""
        with writing(self.directory, "nothing has been computed yet"):
            self._measures("").parent.mkdir(parents=True, exist_ok=True)
        with self.writing():
            for folder in (self.directory, self._measures("").parent):
                tidy(folder)
            write_text(self.directory / "sweep.csv", index(planned))
            write_json(self.catalogue, record(planned))

    def keep_table(self, text: str) -> None:
        """Write the table of all measures so far."""
        with self.writing():
            write_text(self.table, text)


def record(planned: PlannedSweep) -> dict[str, Any]:
    """Return the catalogue of a sweep as plain values."""
    sweep = planned.sweep
    return {
        "format": FORMAT,
        "request": planned.request,
        "files": [str(path) for path in planned.files],
        "study": str(sweep.study),
        "method": sweep.method,
        "random_numbers": sweep.random_numbers,
        "paths": sweep.paths,
        "seed": sweep.seed,
        "base": planned.base.key,
        "axes": [{"name": name, "values": list(values)} for name, values in sweep.axes.items()],
        "points": [
            {"run": one.key, "seed": one.point.seed, "coordinates": dict(one.point.coordinates)}
            for one in planned.points
        ],
    }


def index(planned: PlannedSweep) -> str:
    """Return the table of points and their runs, as CSV."""
    names = list(planned.points[0].point.coordinates)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["point", *names, "seed", "run"])
    base = planned.base
    writer.writerow([BASE, *[""] * len(names), base.point.seed, f"runs/{base.key}"])
    for number, one in enumerate(planned.points):
        values = [one.point.coordinates[name] for name in names]
        writer.writerow([number, *values, one.point.seed, f"runs/{one.key}"])
    return text.getvalue()


def open_folder(directory: str | Path) -> tuple[SweepFolder, dict[str, Any]]:
    """Return the folder of a sweep and its catalogue.

    Parameters
    ----------
    directory : path
        ``results/sweeps/<name>``.

    Raises
    ------
    RunNotFoundError
        If no sweep is there.
    RunDamagedError
        If another version wrote it.
    """
    directory = Path(directory).absolute()
    folder = SweepFolder(directory.parent.parent, directory.name)
    if not folder.catalogue.is_file():
        raise RunNotFoundError(
            f"{directory}: no sweep here (sweep.json is missing); give the folder sweeps/<name> "
            "below the one that `neobox sweep --out` was given"
        )
    found = read_json(folder.catalogue)
    if found.get("format") != FORMAT:
        raise RunDamagedError(
            f"{folder.catalogue}: format {found.get('format')!r}, this version reads {FORMAT!r}; "
            "run the sweep again: finished runs are found"
        )
    return folder, found


def found_plan(sweep: Sweep, folder: SweepFolder) -> PlannedSweep | None:
    """Return the plan of a sweep as its catalogue knows it; None if anything has changed since.

    Parameters
    ----------
    sweep : Sweep
        As read now.
    folder : SweepFolder
        Where an earlier call may have left a catalogue.
    """
    if not folder.catalogue.is_file():
        return None
    found = read_json(folder.catalogue)
    if found.get("format") != FORMAT:
        return None
    files = tuple(Path(name) for name in found["files"])
    if found["request"] != request_of(sweep, files):
        return None
    points = tuple(
        Planned(point, known["run"])
        for point, known in zip(sweep.points, found["points"], strict=True)
    )
    base = Planned(sweep.base, found["base"])
    return PlannedSweep(sweep, base, points, found["request"], files)
