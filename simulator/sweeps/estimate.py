"""What a sweep will cost, run by run: time, memory, disk; and what of it is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from simulator.config.estimate import BASE_MEGABYTES, PACKED, START_SECONDS, estimate, pool_seconds
from simulator.config.pool_study import PoolStudy
from simulator.config.sweep_file import BASE
from simulator.dataset.accumulate import disk_bytes
from simulator.dataset.layout import bytes_per_path
from simulator.dataset.plan import RunPlan
from simulator.sweeps.folder import SweepFolder
from simulator.sweeps.plan import Planned, PlannedSweep, load

__all__ = ["Cost", "RunCost", "cost_of"]

POINT_SECONDS: Final = 0.15
"""Of a run besides its paths: its study, its folder, its measures."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """Cost of the run of a point.

    Attributes
    ----------
    name : str
        Number of the point, or base.
    coordinates : mapping
        Of the point.
    key : str
        Name of the run.
    state : str
        ``to run``, ``found``, ``begun``, or ``as 3`` if it is the run of an earlier point.
    seconds : float
        By one worker; 0 if nothing is left to compute.
    memory_mb, disk_mb : float
        While it is computed, and what its results take.
    """

    name: str
    coordinates: Mapping[str, Any]
    key: str
    state: str
    seconds: float
    memory_mb: float
    disk_mb: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a sweep with so many workers."""

    runs: tuple[RunCost, ...]
    jobs: int
    paths: int
    seconds: float
    memory_mb: float
    disk_mb: float

    def __str__(self) -> str:
        """Return the cost as a line."""
        states = [one.state for one in self.runs]
        left = sum(state in ("to run", "begun") for state in states)
        distinct = len({one.key for one in self.runs})
        return (
            f"{len(self.runs) - 1} points and the base, {distinct} distinct runs of {self.paths:,} "
            f"paths, {left} to compute with {self.jobs} jobs: about {self.seconds:,.0f} s, "
            f"{self.memory_mb:,.0f} MB of memory, {self.disk_mb:,.0f} MB more on disk"
        )

    def as_object(self) -> dict[str, Any]:
        """Return the cost as plain values for JSON."""
        return asdict(self)


def cost_of(planned: PlannedSweep, folder: SweepFolder, jobs: int) -> Cost:
    """Estimate a sweep.

    Parameters
    ----------
    planned : PlannedSweep
        With the plans of all runs.
    folder : SweepFolder
        Where finished runs may stand.
    jobs : int
        Workers.
    """
    named = [(BASE, planned.base)] + [(str(i), one) for i, one in enumerate(planned.points)]
    seen: dict[str, str] = {}
    runs = []
    for name, one in named:
        runs.append(_run(name, one, planned, folder, seen.get(one.key)))
        seen.setdefault(one.key, name)
    left = [one for one in runs if one.state in ("to run", "begun")]
    at_a_time = min(jobs, max(1, len(left)))
    return Cost(
        runs=tuple(runs),
        jobs=jobs,
        paths=planned.sweep.paths,
        seconds=sum(one.seconds for one in left) / at_a_time,
        memory_mb=BASE_MEGABYTES + at_a_time * max((one.memory_mb for one in runs), default=0.0),
        disk_mb=sum(one.disk_mb for one in left),
    )


def _run(
    name: str, planned: Planned, whole: PlannedSweep, folder: SweepFolder, twin: str | None
) -> RunCost:
    """Estimate one run."""
    assert planned.plan is not None
    status = folder.status(planned.key)
    state = "to run" if status is None else "found" if status.complete else "begun"
    if twin is not None:
        state = f"as {twin}"
    seconds = _seconds(planned, whole) if state in ("to run", "begun") else 0.0
    scalars = bytes_per_path(planned.plan, "scalar") * planned.plan.paths
    return RunCost(
        name=name,
        coordinates=planned.point.coordinates,
        key=planned.key,
        state=state,
        seconds=seconds,
        memory_mb=2 * _chunk_bytes(planned.plan) / 1e6 + scalars / 1e6,
        disk_mb=(disk_bytes(planned.plan) * PACKED if state == "begun" else PACKED * scalars) / 1e6
        + 1.0,
    )


def _chunk_bytes(plan: RunPlan) -> int:
    size = bytes_per_path(plan, "scalar") + bytes_per_path(plan, "series")
    return size * min(plan.chunk, plan.paths)


def _seconds(planned: Planned, whole: PlannedSweep) -> float:
    """Estimate the time of one run by one worker."""
    study = load(whole.sweep, planned.point)
    paths = whole.sweep.paths
    if isinstance(study, PoolStudy):
        return POINT_SECONDS + pool_seconds(len(study.inputs.names), study.inputs.horizon, paths)
    return POINT_SECONDS + estimate(study.inputs, paths).seconds - START_SECONDS
