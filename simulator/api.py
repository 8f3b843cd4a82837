"""The front door for Python: a study in, a Dataset out.

>>> import simulator
>>> run = simulator.simulate("study.yaml", paths=10_000)  # doctest: +SKIP
>>> run["book_lender_loss"].mean()  # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from simulator.config.book_sampling import group_size
from simulator.config.pool_sampling import refuse_sampling
from simulator.config.pool_study import PoolStudy
from simulator.config.study import Study, load_study
from simulator.dataset.layout import bytes_per_path
from simulator.dataset.memory import MemoryStore
from simulator.dataset.plan import RunPlan
from simulator.dataset.provenance import current_versions
from simulator.dataset.store import Existing, RunStore
from simulator.engine.budget import MemoryBudget, parse_bytes
from simulator.engine.executors import reach
from simulator.engine.expectations import from_json, to_json
from simulator.engine.layout import layout_of
from simulator.engine.pool import (
    POOL_VARIABLES,
    PreparedPool,
    pool_ids,
    pool_labels,
    prepare_pool,
)
from simulator.engine.prepare import Prepared, prepare
from simulator.engine.results import ids_of, labels_of
from simulator.engine.runner import BLOCK_LANES, Progress, Runnable, chunk_size, run
from simulator.engine.sampling.books import find_sampling, sampler_of
from simulator.engine.uncertainty import parameter_ids

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "BLOCK_LANES",
    "Progress",
    "compute",
    "create_store",
    "plan_run",
    "simulate",
    "with_sampling",
    "workers",
]

Report = Callable[[Progress], None]
Drawn = TypeVar("Drawn", bound=Study | PoolStudy)
Method = Literal["plain", "importance", "quasi", "stratified"]


def simulate(
    study: Study | PoolStudy | str | Path | Mapping[str, Any],
    *,
    paths: int = 10_000,
    seed: int = 1,
    jobs: int = 1,
    executor: str = "threads",
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    scenarios: Sequence[str | Path] = (),
    sampling: Method | None = None,
    resume: bool = False,
    overwrite: bool = False,
    keep_paths: bool = False,
    chunk: int | None = None,
    block: int = BLOCK_LANES,
    memory: int | str | None = None,
    report: Report | None = None,
) -> xr.Dataset:
    """Simulate a study.

    Parameters
    ----------
    study : Study, PoolStudy, path or mapping
        A loaded study, a study file, or its keys.
    paths : int
        Number of paths.
    seed : int
        Of all random streams: the same seed draws the same world for every study.
    jobs : int
        Workers, 0 for one per core.
    executor : {"threads", "processes", "serial", "dask", "dask://host:port"}
        What the workers are: of this process, of this machine, or of a Dask cluster.
    out : path, optional
        Folder for the results, read back as they are asked for. Without it everything stays in
        memory, about 20 kB a path.
    overrides : mapping, optional
        Values by dotted key, as ``--set`` takes them; only with a study file.
    scenarios : sequence of path
        Overlays, later ones win; only with a study file.
    sampling : {"plain", "importance", "quasi", "stratified"}, optional
        How paths are drawn; as the study says by default.
    resume, overwrite : bool
        What to do about an unfinished run of this study, or about another run, in `out`. The
        same run, complete, is reused unless it is to be overwritten.
    keep_paths : bool
        Whether every path of every series is kept, not only quantiles by month.
    chunk, block : int
        Paths that are written at once, and advanced side by side; no result depends on them.
    memory : int or str, optional
        Bytes, or "2GB": chunks are so large, and so many are in work at a time, that the run
        takes about that much. Results that stay in memory (no `out`) come on top.
    report : callable, optional
        Told of the progress after every chunk.

    Returns
    -------
    xarray.Dataset
        One number per path and entity, quantiles by month, coordinates, provenance.

    Examples
    --------
    >>> from simulator import simulate
    >>> run = simulate("configs/neocloud-2026.yaml", paths=20_000, jobs=0)  # doctest: +SKIP
    >>> run["lender_loss"].mean("path").to_series()  # doctest: +SKIP
    """
    if not isinstance(study, Study | PoolStudy):
        study = load_study(study, overrides, scenarios)
    elif overrides or scenarios:
        raise ValueError(
            "overrides and scenarios change a study file: give its path, not a loaded study"
        )
    study = with_sampling(study, sampling)
    jobs = workers(jobs)
    limit = parse_bytes(memory) if isinstance(memory, str) else memory
    effort: dict[str, Any] = {"jobs": jobs, "executor": executor, "block": block, "memory": limit}
    plan = plan_run(study, paths=paths, seed=seed, chunk=chunk, keep_paths=keep_paths, **effort)
    reach(executor, jobs)
    if out is None:
        kept = MemoryStore(plan, resolved=study.resolved)
        compute(study, kept, **effort, report=report)
        return kept.dataset()
    existing: Existing = "overwrite" if overwrite else "resume" if resume else "refuse"
    with create_store(study, plan, out, existing) as store:
        compute(study, store, **effort, report=report)
    return store.dataset()


def workers(jobs: int) -> int:
    """Return the number of workers, one per core if 0 were asked for."""
    if jobs < 0:
        raise ValueError(f"jobs must be 0 (one per core) or more, got {jobs}")
    return jobs or os.cpu_count() or 1


def plan_run(
    study: Study | PoolStudy,
    *,
    paths: int,
    seed: int,
    jobs: int = 1,
    chunk: int | None = None,
    block: int = BLOCK_LANES,
    keep_paths: bool = False,
    executor: str = "threads",
    memory: int | None = None,
) -> RunPlan:
    """Say what a run is to compute.

    Parameters
    ----------
    study : Study or PoolStudy
        The study.
    paths, seed, jobs, chunk, block, keep_paths, executor
        As `simulate` takes them.
    memory : int, optional
        Bytes that the run may take.

    Returns
    -------
    RunPlan
        Equal plans are the same run.
    """
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")
    if not 0 <= seed < 1 << 63:
        raise ValueError(f"seed must be a whole number from 0 to 2^63 - 1, got {seed}")
    limit = None if memory is None else MemoryBudget(memory, executor, jobs).chunk_bytes
    contents = contents_of(study, paths)

    def plan(size: int) -> RunPlan:
        return RunPlan(
            paths=paths,
            chunk=size,
            seed=seed,
            horizon=study.inputs.horizon,
            start=str(study.resolved["study"]["start"]),
            digest=study.digest,
            versions=current_versions(),
            keep_paths=keep_paths,
            title=study.title,
            sampling=sampling_of(study),
            **contents,
        )

    if chunk is not None:
        return plan(chunk)
    draft = plan(1)
    size = bytes_per_path(draft, "scalar") + bytes_per_path(draft, "series")
    return plan(chunk_size(size, paths, jobs, block, limit))


def with_sampling(study: Drawn, method: Method | None) -> Drawn:
    """Return a study whose paths are drawn by another method; as it says itself if None."""
    if method is None:
        return study
    return replace(study, sampling=study.sampling.model_copy(update={"method": method}))


def sampling_of(study: Study | PoolStudy) -> dict[str, Any]:
    """Return how paths are drawn, as a plan says it: empty if plainly."""
    chosen = study.sampling
    if isinstance(study, PoolStudy):
        refuse_sampling(chosen)
    return {} if chosen.method == "plain" else chosen.model_dump(mode="json")


def contents_of(study: Study | PoolStudy, paths: int) -> dict[str, Any]:
    """Return the fields of a plan that say what a run of so many paths of a study holds."""
    if isinstance(study, PoolStudy):
        pool = study.inputs
        return {"ids": pool_ids(pool), "labels": pool_labels(pool), "variables": POOL_VARIABLES}
    inputs, layout = study.inputs, layout_of(study.inputs)
    return {
        "ids": ids_of(layout, parameter_ids(inputs)),
        "labels": labels_of(inputs, layout),
        "paths_per_draw": group_size(inputs, study.sampling, paths),
    }


def create_store(
    study: Study | PoolStudy, plan: RunPlan, out: str | Path, existing: Existing
) -> RunStore:
    """Begin, resume or reuse the folder of a run, with the study beside the results.

    Parameters
    ----------
    study : Study or PoolStudy
        The study.
    plan : RunPlan
        What `plan_run` returned for it.
    out : path
        The folder.
    existing : {"refuse", "resume", "overwrite"}
        What to do about a run that is there.

    Returns
    -------
    RunStore
        If it is `complete`, the same run was found finished.
    """
    text = study.path.read_text(encoding="utf-8") if study.path.is_file() else None
    return RunStore.create(out, plan, config_text=text, resolved=study.resolved, existing=existing)


def compute(
    study: Study | PoolStudy,
    store: RunStore | MemoryStore,
    *,
    jobs: int = 1,
    executor: str = "threads",
    block: int = BLOCK_LANES,
    report: Report | None = None,
    more: Callable[[], bool] | None = None,
    memory: int | None = None,
) -> None:
    """Compute what a store lacks; nothing if it is complete.

    Parameters
    ----------
    study : Study or PoolStudy
        The study.
    store : RunStore or MemoryStore
        Of a plan of that study.
    jobs, executor, block, report
        As `simulate` takes them.
    more : callable, optional
        Asked once all chunks are there: whether it has let the store grow.
    memory : int, optional
        Bytes that all of it may take, about.
    """
    if store.complete:
        return
    reach(executor, jobs)
    if isinstance(study, PoolStudy):
        prepared: Runnable = prepare_sampled_pool(study, store)
    else:
        prepared = prepare_book(study, store, jobs)
    run(
        prepared,
        store.plan,
        store,
        jobs=jobs,
        executor=executor,
        lanes=block,
        report=report,
        more=more,
        memory=memory,
    )


def prepare_sampled_pool(study: PoolStudy, store: RunStore | MemoryStore) -> PreparedPool:
    """Make a pool ready, with what a pilot found about how to draw its paths, or kept there."""
    prepared, chosen = prepare_pool(study.inputs), study.sampling
    if chosen.method == "plain":
        return prepared
    from simulator.engine.pool_pilot import Pilot, run_pilot  # SciPy's optimisers, only if needed

    kept = store.sampling()
    if kept is None:
        plan = store.plan
        pilot = run_pilot(
            prepared, plan.seed, chosen.level, chosen.defensive_share, chosen.pilot_paths
        )
        kept = {**pilot.to_json(), "measure": "book_lender_loss", "level": chosen.level}
        store.keep_sampling(kept)
    return Pilot.from_json(kept).applied(prepared)


def prepare_book(study: Study, store: RunStore | MemoryStore, jobs: int = 1) -> Prepared:
    """Make a book ready, with what was expected of it as the store knows it, or kept there."""
    known = store.expected() if isinstance(store, RunStore) else None
    prepared = prepare(study.inputs, from_json(study.inputs, known) if known else None)
    if isinstance(store, RunStore) and known is None:
        store.keep_expected(to_json(study.inputs, prepared.expectations))
    return sampled_book(study, prepared, store, jobs) if store.plan.sampling else prepared


def sampled_book(
    study: Study, prepared: Prepared, store: RunStore | MemoryStore, jobs: int
) -> Prepared:
    """Give a book its way of drawing paths, as the store knows it, or found now and kept there."""
    known: Mapping[str, Any] | None = store.sampling()
    if known is None:
        plan = store.plan
        known = find_sampling(prepared, study.sampling, plan.seed, plan.paths_per_draw, jobs)
        store.keep_sampling(known)
    return replace(prepared, sampler=sampler_of(prepared, known))
