"""Runs that go on until their estimates are precise enough.

A run is looked at after fixed numbers of paths, `looks_of`: 4,000, 6,000, 8,000, 12,000, 16,000, …
and the maximum.  It stops at the first look at which every goal is met.  Looks depend on nothing
else, so that the run is, byte for byte, the run of as many paths, whatever the workers, chunks,
blocks and interruptions.

Stopping by an estimated error favours samples whose error looks small, and with losses that are
skewed to the right those are samples whose estimate is low.  Few looks, two for each doubling, and
at least `precision.ENOUGH` independent paths behind each estimate keep that bias well below the
error that was asked for; `docs/precision.md` tells how far.

>>> import simulator
>>> run = simulator.simulate_until("study.yaml", "es99.9 <= 1%")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.analytics.precision import VARIABLES, Goal, Judged, judge, parse_goals
from simulator.api import BLOCK_LANES, Report, compute, create_store, plan_run, workers
from simulator.config.errors import NeoboxError
from simulator.config.study import load_study
from simulator.dataset.errors import RunExistsError, RunNotFoundError
from simulator.dataset.memory import MemoryStore
from simulator.dataset.plan import RunPlan
from simulator.dataset.reading import read_status
from simulator.dataset.store import Existing, RunStore

if TYPE_CHECKING:
    import xarray as xr

    from simulator.config.pool_study import PoolStudy
    from simulator.config.study import Study

__all__ = ["MOST_PATHS", "Look", "Sequential", "looks_of", "simulate_until"]

FIRST_LOOK: Final = 4_000
"""Paths below which no error is believed."""

MOST_PATHS: Final = 1_000_000
"""Paths at which a run stops if no maximum is given."""

TARGET: Final = "target"
"""Of the goals in `run.json`."""


class SequentialError(NeoboxError):
    """A run that cannot go on path by path."""

    exit_code = 2


def looks_of(maximum: int) -> tuple[int, ...]:
    """Return the numbers of paths at which a run is looked at, the maximum last.

    Examples
    --------
    >>> looks_of(20_000), looks_of(1_000)
    ((4000, 6000, 8000, 12000, 16000, 20000), (1000,))
    """
    looks, step = [], FIRST_LOOK
    while step < maximum:
        looks += [step, step * 3 // 2]
        step *= 2
    return (*(look for look in looks if look < maximum), maximum)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found."""

    paths: int
    judged: tuple[Judged, ...]

    @property
    def met(self) -> bool:
        """Whether every goal is."""
        return all(one.met for one in self.judged)

    def __str__(self) -> str:
        """Return the look as a line."""
        return f"after {self.paths:,} paths: " + "; ".join(map(str, self.judged))

    def as_object(self) -> dict[str, Any]:
        """Return the look as plain values for JSON."""
        return {
            "paths": self.paths,
            "met": self.met,
            "estimates": [one.as_object() for one in self.judged],
        }


@dataclass
class Sequential:
    """A run into a store until its goals are met.

    Parameters
    ----------
    goals : tuple of Goal
        What is wanted.
    maximum : int
        Paths at which the run stops in any case.
    told : callable, optional
        Told of every look.
    """

    goals: tuple[Goal, ...]
    maximum: int = MOST_PATHS
    told: Callable[[Look], None] | None = None
    store: RunStore | MemoryStore | None = field(default=None, init=False)

    @property
    def record(self) -> dict[str, Any]:
        """The goals as `run.json` keeps them: a resumed run must have the same."""
        return {"goals": [str(goal) for goal in self.goals], "maximum": self.maximum}

    def begin(self, plan: RunPlan) -> RunPlan:
        """Return the plan of the first look of a run.

        Raises
        ------
        SequentialError
            If paths are drawn in a way that fixes their number beforehand.
        """
        method = plan.sampling.get("method", "plain")
        if method in ("quasi", "stratified"):
            raise SequentialError(
                f"--target-se: {method} sampling fixes the number of paths beforehand; mend by "
                "plain or importance sampling, or leave --target-se out and give --paths"
            )
        looks = looks_of(self.maximum)
        return replace(plan, paths=looks[0], looks=looks)

    def open(
        self, study: Study | PoolStudy, plan: RunPlan, out: str | Path, existing: Existing
    ) -> RunStore:
        """Begin, resume or reuse the folder of a run; see `api.create_store`.

        Raises
        ------
        RunExistsError
            Also if a run with other goals stands there.
        """
        first = self.begin(plan)
        if existing != "overwrite":
            try:
                status = read_status(out)
            except RunNotFoundError:
                status = None
            if status is not None:
                if status.record.get(TARGET) != self.record:
                    raise RunExistsError(
                        f"{out}: holds a run with other goals or a fixed number of paths; choose "
                        "another folder with --out, or replace it with --overwrite"
                    )
                first = replace(first, paths=status.plan.paths)
        store = create_store(study, first, out, existing)
        if not store.complete:
            store.note(TARGET, self.record)
        return store

    def run(
        self,
        study: Study | PoolStudy,
        store: RunStore | MemoryStore,
        *,
        jobs: int = 1,
        executor: str = "threads",
        block: int = BLOCK_LANES,
        report: Report | None = None,
        memory: int | None = None,
    ) -> None:
        """Compute chunks until every goal is met, or the maximum is reached; finish the store."""
        self.store = store
        options: dict[str, Any] = {"jobs": jobs, "executor": executor, "block": block}
        compute(study, store, **options, report=report, more=self._more, memory=memory)

    def _more(self) -> bool:
        """Look at what there is; let the store grow unless that is enough."""
        assert self.store is not None
        plan = self.store.plan
        look = Look(plan.paths, tuple(judge(self.store.so_far(VARIABLES), self.goals)))
        if self.told:
            self.told(look)
        further = [paths for paths in plan.looks if paths > plan.paths]
        if look.met or not further:
            return False
        self.store.grow(further[0])
        return True

    def looks(self, run: xr.Dataset) -> list[Look]:
        """Return all looks that a finished run was stopped by, from its own numbers."""
        count = run.sizes["path"]
        held = run[[name for name in VARIABLES if name in run]].load()
        return [
            Look(paths, tuple(judge(held, self.goals, paths)))
            for paths in looks_of(self.maximum)
            if paths <= count
        ]


def simulate_until(
    study: Study | PoolStudy | str | Path | Mapping[str, Any],
    target_se: str,
    *,
    paths: int = MOST_PATHS,
    seed: int = 1,
    jobs: int = 1,
    executor: str = "threads",
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    scenarios: Sequence[str | Path] = (),
    resume: bool = False,
    overwrite: bool = False,
    keep_paths: bool = False,
    chunk: int | None = None,
    block: int = BLOCK_LANES,
    report: Report | None = None,
    told: Callable[[Look], None] | None = None,
) -> xr.Dataset:
    """Simulate a study until estimates of its book are precise enough.

    Parameters
    ----------
    study : Study, PoolStudy, path or mapping
        A loaded study, a study file, or its keys.
    target_se : str
        Goals, see `analytics.precision`: ``"es99.9 <= 1%, el <= 2 usd_m"``.
    paths : int
        The most paths.
    seed, jobs, executor, out, overrides, scenarios, resume, overwrite, keep_paths, chunk, block
        As `api.simulate` takes them.
    report : callable, optional
        Told of the progress after every chunk.
    told : callable, optional
        Told of every look.

    Returns
    -------
    xarray.Dataset
        The run of as many paths as it took, or of `paths` if those were not enough:
        `Sequential.looks` says which.
    """
    goals = parse_goals(target_se)
    loaded = (
        load_study(study, overrides, scenarios)
        if isinstance(study, str | Path | Mapping)
        else study
    )
    sequential = Sequential(goals, paths, told)
    jobs = workers(jobs)
    plan = plan_sequential(
        loaded, paths=paths, seed=seed, jobs=jobs, chunk=chunk, block=block, keep_paths=keep_paths
    )
    options: dict[str, Any] = {"jobs": jobs, "executor": executor, "block": block}
    if out is None:
        memory = MemoryStore(sequential.begin(plan), resolved=loaded.resolved)
        sequential.run(loaded, memory, **options, report=report)
        return memory.dataset()
    existing: Existing = "overwrite" if overwrite else "resume" if resume else "refuse"
    with sequential.open(loaded, plan, out, existing) as store:
        sequential.run(loaded, store, **options, report=report)
    return store.dataset()


def plan_sequential(study: Study | PoolStudy, *, paths: int, **options: Any) -> RunPlan:
    """Say what a run is to compute at most; chunks are small enough to share a step between looks.

    Parameters
    ----------
    study, paths, options
        As `api.plan_run` takes them.
    """
    return replace(plan_run(study, paths=min(paths, FIRST_LOOK), **options), paths=paths)
