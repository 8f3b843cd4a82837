"""What a sweep is to compute: one run for each point, named by all that shapes its numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from simulator.api import plan_run
from simulator.config.errors import ConfigError, NeoboxError, Problems
from simulator.config.files_read import file_hash, files_read, table_hash
from simulator.config.pool_study import PoolStudy
from simulator.config.study import Study, load_study
from simulator.config.sweep_file import Point, Sweep
from simulator.dataset.layout import bytes_per_path
from simulator.dataset.plan import RunPlan
from simulator.dataset.provenance import current_versions
from simulator.engine.runner import BLOCK_LANES, CHUNKS_PER_JOB, chunk_size

__all__ = ["Planned", "PlannedSweep", "StudyChangedError", "plan_points", "request_of", "study_of"]

HEX: Final = 20
"""Digits of the name of a run: of 80 bits, twins are not to be feared."""


class StudyChangedError(NeoboxError):
    """A file of the study was changed while the sweep was under way."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Planned:
    """A point and its run.

    Attributes
    ----------
    point : Point
        What it changes.
    key : str
        Name of its run: equal for equal inputs, seeds, paths, versions and sampling.
    plan : RunPlan, optional
        None if the name was known from an earlier call.
    """

    point: Point
    key: str
    plan: RunPlan | None = None


@dataclass(frozen=True)
class PlannedSweep:
    """A sweep whose studies are all sound.

    Attributes
    ----------
    sweep : Sweep
        As read.
    base : Planned
        The study that others are compared with.
    points : tuple of Planned
        In the order of the sweep.
    request : str
        Hash of the sweep and of every file that its studies were read from.
    files : tuple of Path
        Those files.
    """

    sweep: Sweep
    base: Planned
    points: tuple[Planned, ...]
    request: str
    files: tuple[Path, ...]

    @property
    def runs(self) -> dict[str, Planned]:
        """The runs, by name: the base, then each the first time it comes."""
        found = {self.base.key: self.base}
        for one in self.points:
            found.setdefault(one.key, one)
        return found


@dataclass(slots=True)
class _Gathered:
    """Problems of all points, each told once."""

    out: Problems = field(default_factory=Problems)

    def planned(self, sweep: Sweep, point: Point) -> Planned | None:
        """Read the study of a point, and name its run; None if it is not sound."""
        try:
            plan = plan_of(load(sweep, point), sweep, point)
        except ConfigError as error:
            self.out.extend(error.problems)
            return None
        return Planned(point, key_of(plan), plan)


def plan_points(sweep: Sweep) -> PlannedSweep:
    """Read the study of every point, and name their runs.

    Parameters
    ----------
    sweep : Sweep
        As read.

    Returns
    -------
    PlannedSweep
        Nothing has been computed or written.

    Raises
    ------
    ConfigError
        With all faults of all points.
    """
    gathered = _Gathered()
    with files_read() as files:
        base, *points = (gathered.planned(sweep, one) for one in (sweep.base, *sweep.points))
    if gathered.out:
        raise ConfigError(gathered.out.found)
    assert base is not None
    names = tuple(sorted(files))
    sound = tuple(one for one in points if one is not None)
    return PlannedSweep(sweep, base, sound, request_of(sweep, names), names)


def load(sweep: Sweep, point: Point) -> Study | PoolStudy:
    """Read the study of a point."""
    return load_study(sweep.study, point.overrides, point.scenarios, point.places)


def study_of(sweep: Sweep, planned: Planned) -> tuple[Study | PoolStudy, RunPlan]:
    """Read the study of a planned point again: all of them would not fit in memory.

    Raises
    ------
    StudyChangedError
        If it is another study by now.
    """
    study = load(sweep, planned.point)
    plan = plan_of(study, sweep, planned.point)
    if key_of(plan) != planned.key:
        raise StudyChangedError(
            f"{sweep.study}: point {planned.point} is not the study it was when the sweep "
            "started; run the same command again"
        )
    return study, plan


def plan_of(study: Study | PoolStudy, sweep: Sweep, point: Point) -> RunPlan:
    """Plan the run of a point: in as few chunks as fit in memory, whatever the number of jobs."""
    draft = plan_run(study, paths=sweep.paths, seed=point.seed, chunk=BLOCK_LANES)
    size = bytes_per_path(draft, "scalar") + bytes_per_path(draft, "series")
    return replace(draft, chunk=chunk_size(size, sweep.paths * CHUNKS_PER_JOB, 1))


def key_of(plan: RunPlan) -> str:
    """Return the name of the run of a plan."""
    return sha256(plan.identity())[:HEX]


def request_of(sweep: Sweep, files: Iterable[Path]) -> str:
    """Return the hash of all that decides which runs a sweep has.

    Parameters
    ----------
    sweep : Sweep
        As read.
    files : iterable of Path
        What its studies are read from, scenarios included.

    Returns
    -------
    str
        As long as it is the same, so are the names of the runs: no study need be read for them.
    """
    return sha256(
        {
            "study": str(sweep.study.resolve()),
            "paths": sweep.paths,
            "points": [told(one) for one in (sweep.base, *sweep.points)],
            "axes": {key: list(values) for key, values in sweep.axes.items()},
            "files": {str(path): file_hash(path) for path in files},
            "versions": current_versions(),
            "tables": table_hash(),
        }
    )


def told(point: Point) -> dict[str, Any]:
    """Return a point as plain values."""
    return {
        "coordinates": dict(point.coordinates),
        "overrides": dict(point.overrides),
        "scenarios": [str(path.resolve()) for path in point.scenarios],
        "seed": point.seed,
    }


def sha256(plain: Mapping[str, Any]) -> str:
    """Return the hash of plain values."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
