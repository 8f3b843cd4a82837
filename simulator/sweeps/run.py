"""Running a sweep: every point a run of its own, found if it is there, never computed twice.

Points are independent, so workers take whole points; each is a `RunStore` with all that protects
it.  A point that another process is computing is left to it and looked for again at the end: the
same command started twice shares the work.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.api import Progress, compute, create_store, workers
from simulator.config.sweep_file import read_sweep
from simulator.dataset.errors import RunBusyError
from simulator.dataset.reading import open_run
from simulator.sweeps.folder import SweepFolder, found_plan
from simulator.sweeps.measures import (
    READ,
    Losses,
    changes,
    losses_of,
    measures_of,
    unpaired_changes,
)
from simulator.sweeps.plan import Planned, PlannedSweep, plan_points, study_of
from simulator.sweeps.table import as_csv

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Report", "SweepProgress", "prepare_sweep", "run_sweep", "sweep"]

REFRESH: Final = 5.0
"""Seconds between two writings of the table of measures."""

WAIT: Final = 0.2
"""Seconds before a point that another process computes is looked for again."""


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep is.

    Attributes
    ----------
    done, total : int
        Runs that are finished, and all of them, the base among them.
    found : int
        Of those finished, how many were there before.
    seconds : float
        Since the start.
    point : str
        The point that was heard of last.
    paths : Progress, optional
        Of that point; None once it is finished.
    """

    done: int
    total: int
    found: int
    seconds: float
    point: str
    paths: Progress | None = None

    @property
    def left(self) -> float:
        """Seconds still to go; infinite before the first run."""
        made = self.done - self.found
        return (self.total - self.done) * self.seconds / made if made else float("inf")


Report = Callable[[SweepProgress], None]


class Stopped(Exception):
    """Work is to end at the next chunk: another point failed, or the user asked for it."""


def prepare_sweep(
    file: str | Path,
    assignments: Sequence[str] = (),
    *,
    paths: int | None = None,
    seed: int | None = None,
    out: str | Path = "results",
) -> tuple[PlannedSweep, SweepFolder]:
    """Read a sweep and name its runs; studies are read only if something changed since last time.

    Parameters
    ----------
    file, assignments, paths, seed
        As `config.sweep_file.read_sweep` takes them.
    out : path
        Folder of results.

    Raises
    ------
    ConfigError
        With all faults of all points; nothing has been written.
    """
    asked = read_sweep(file, assignments, paths, seed)
    folder = SweepFolder(Path(out), asked.name)
    return found_plan(asked, folder) or plan_points(asked), folder


def sweep(
    file: str | Path,
    assignments: Sequence[str] = (),
    *,
    paths: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    executor: str = "threads",
    out: str | Path = "results",
    report: Report | None = None,
) -> xr.Dataset:
    """Run a sweep, or what is left of it.

    Parameters
    ----------
    file : path
        A sweep file; or a study, with axes from `assignments`.
    assignments : sequence of str
        ``key=value,value`` as axes, ``key=value`` for all points.
    paths, seed : int, optional
        Instead of those of the file.
    jobs : int
        Points at a time, 0 for one per core.
    executor : {"threads", "processes", "serial"}
        What the workers are; other than threads they share one point after another.
    out : path
        Folder of results; runs in it are found by their inputs, whichever sweep made them.
    report : callable, optional
        Told of the progress.

    Returns
    -------
    xarray.Dataset
        See `simulator.open_sweep`.

    Examples
    --------
    >>> import simulator
    >>> found = simulator.sweep("configs/sweeps/credit-pool.yaml", jobs=2)  # doctest: +SKIP
    >>> found["book_expected_loss"].to_series()  # doctest: +SKIP
    """
    from simulator.sweeps.opening import open_sweep

    planned, folder = prepare_sweep(file, assignments, paths=paths, seed=seed, out=out)
    run_sweep(planned, folder, jobs=jobs, executor=executor, report=report)
    return open_sweep(folder.directory)


def run_sweep(
    planned: PlannedSweep,
    folder: SweepFolder,
    *,
    jobs: int = 1,
    executor: str = "threads",
    report: Report | None = None,
) -> None:
    """Compute the runs that a folder lacks, and measure them.

    Parameters
    ----------
    planned, folder
        What `prepare_sweep` returned.
    jobs, executor, report
        As `sweep` takes them.

    Raises
    ------
    RunWriteError
        If the system refuses; finished points and chunks stay.
    StudyChangedError
        If a file was changed meanwhile.
    """
    folder.begin(planned)
    _Work(planned, folder, workers(jobs), executor, report).finish()


class _Work:
    """A sweep under way."""

    def __init__(
        self,
        planned: PlannedSweep,
        folder: SweepFolder,
        jobs: int,
        executor: str,
        report: Report | None,
    ) -> None:
        self.planned, self.folder = planned, folder
        self.jobs, self.executor, self.report = jobs, executor, report
        self.runs = planned.runs
        self.measures: dict[str, Any] = {}
        self.found = 0
        self.guard = threading.Lock()
        self.stop = threading.Event()
        self.start = self.written = time.monotonic()

    def finish(self) -> None:
        """Finish the base, then the rest, then the table."""
        base, *others = self.runs.values()
        self.work(deque([base]), self.jobs)
        at_a_time = min(self.jobs, len(others)) if self.executor == "threads" else 1
        pending = deque(others)
        if at_a_time <= 1:
            self.work(pending, self.jobs)
        else:
            self.spread(pending, at_a_time)
        self.keep_table()

    def spread(self, pending: deque[Planned], at_a_time: int) -> None:
        """Let threads take points; the first that fails stops the others at their next chunk."""
        inner = max(1, self.jobs // at_a_time)
        with ThreadPoolExecutor(at_a_time) as pool:
            tasks = [pool.submit(self.work, pending, inner) for _ in range(at_a_time)]
            try:
                for task in tasks:
                    task.result()
            except BaseException:
                self.stop.set()
                raise

    def work(self, pending: deque[Planned], jobs: int) -> None:
        """Finish points until none is left."""
        while not self.stop.is_set():
            try:
                planned = pending.popleft()
            except IndexError:
                return
            try:
                self.settle(planned, jobs)
            except RunBusyError:
                pending.append(planned)
                time.sleep(WAIT)
            except Stopped:
                return
            except BaseException:
                self.stop.set()
                raise

    def settle(self, planned: Planned, jobs: int) -> None:
        """Compute the run of a point and measure it, unless that is done."""
        key, folder = planned.key, self.folder
        status = folder.status(key)
        found = status is not None and status.complete
        losses = None if found else self.simulate(planned, jobs)
        measures = folder.measures(key, self.planned.base.key)
        if measures is None:
            measures = self.measured(key, losses or losses_of(open_run(folder.run(key))))
            folder.keep_measures(key, measures)
        with self.guard:
            self.measures[key] = measures
            self.found += found
        self.tell(planned)
        if time.monotonic() - self.written > REFRESH:
            self.keep_table()

    def simulate(self, planned: Planned, jobs: int) -> Losses | None:
        """Compute what the run of a point lacks, and return its losses unless none was lacking."""
        study, plan = study_of(self.planned.sweep, planned)
        losses: list[Losses] = []

        def told(progress: Progress) -> None:
            self.tell(planned, progress)
            if self.stop.is_set():
                raise Stopped

        def read() -> bool:
            """Read losses before they are compressed; no more paths are wanted."""
            method = plan.sampling.get("method", "plain")
            losses.append(losses_of(store.so_far(READ).assign_attrs(sampling_method=method)))
            return False

        with create_store(study, plan, self.folder.run(planned.key), "resume") as store:
            compute(study, store, jobs=jobs, executor=self.executor, report=told, more=read)
        return losses[0] if losses else None

    def measured(self, key: str, losses: Losses) -> dict[str, Any]:
        """Measure a run, and its change against the base."""
        base, measures = self.planned.base.key, measures_of(losses)
        if key == base:
            self.base = losses
        common = self.planned.sweep.random_numbers == "common"
        if common or key == base:
            change = changes(losses, self.base)
        else:
            against = self.folder.measures(base, base)
            assert against is not None  # it comes first
            change = unpaired_changes(measures, against["measures"])
        return {"base": base, "measures": measures, "changes": change}

    @cached_property
    def base(self) -> Losses:
        """Losses of the base, read if it was found."""
        return losses_of(open_run(self.folder.run(self.planned.base.key)))

    def tell(self, planned: Planned, progress: Progress | None = None) -> None:
        """Report progress, one at a time."""
        if self.report:
            seconds = time.monotonic() - self.start
            with self.guard:
                counts = (len(self.measures), len(self.runs), self.found)
                self.report(SweepProgress(*counts, seconds, str(planned.point), progress))

    def keep_table(self) -> None:
        """Write all measures so far."""
        with self.guard:
            measures = dict(self.measures)
            self.written = time.monotonic()
        self.folder.keep_table(as_csv(self.rows(measures)))

    def rows(self, measures: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any], Any]]:
        """Yield name, coordinates and measures of every point that has any, the base first."""
        names = list(self.planned.points[0].point.coordinates)
        base = self.planned.base.key
        if base in measures:
            yield "base", dict.fromkeys(names, ""), measures[base]
        for number, one in enumerate(self.planned.points):
            if one.key in measures:
                yield str(number), dict(one.point.coordinates), measures[one.key]
