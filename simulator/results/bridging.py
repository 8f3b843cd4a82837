"""What moved since last month, split into time, data and parameters on the same random numbers.

Four studies, each a step from the one before: last month's; last month's rolled along its base case
to this month's t0 (time); this month's with last month's model (data); this month's (parameters).
What lies between last month's run as it was reported and last month's study on these random numbers
is noise, and whatever else differs: other versions, another seed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulator.config.study import Study, load_book
from simulator.dataset.files import write_text
from simulator.dataset.reading import open_run
from simulator.results.comparison import estimates_of, paired_designs

if TYPE_CHECKING:
    import xarray as xr

    from simulator.analytics.estimate import Estimate
    from simulator.api import Progress

__all__ = ["MODEL", "STEPS", "bridge", "bridge_table"]

STEPS: Final = ("last", "time", "data", "parameters")
"""Studies, by the part that leads to each from the one before."""

MODEL: Final = (
    *("parameters", "reference", "drivers", "correlations", "correlation_stress", "copula"),
    *("sofr_curve", "path", "uncertainty", "sampling", "waterfall", "ratings_table"),
)
"""Keys of a study that are its model; all others, and the tape, are its data."""


def bridge(
    last: str | Path,
    this: str | Path,
    *,
    out: str | Path,
    paths: int = 10_000,
    seed: int = 1,
    jobs: int = 1,
    last_run: str | Path | None = None,
    report: Callable[[str, Progress | None], None] | None = None,
) -> xr.Dataset:
    """Split what moved between two months' books.

    Parameters
    ----------
    last, this : path
        Study files of last month and of this month, the second of the same t0 or a later one.
    out : path
        Folder for the studies and runs of the steps; finished ones in it are reused.
    paths, seed, jobs
        As `simulate` takes them, the same for all steps.
    last_run : path, optional
        Last month's run as it was reported: adds ``noise``.
    report : callable, optional
        Told the name of a step as it starts, and of its progress.

    Returns
    -------
    Dataset (measure)
        See `bridge_table`.
    """
    studies = step_studies(Path(last), Path(this), Path(out))
    reported = None if last_run is None else open_run(last_run)
    runs: dict[str, xr.Dataset] = {}
    by_inputs: dict[tuple[str, object], xr.Dataset] = {}
    for name, study in studies.items():
        key = (study.digest, study.sampling)
        if key not in by_inputs:
            by_inputs[key] = run_step(
                study, Path(out), name, paths=paths, seed=seed, jobs=jobs, report=report
            )
        runs[name] = by_inputs[key]
    return bridge_table(runs, reported)


def run_step(
    study: Study,
    out: Path,
    name: str,
    *,
    paths: int,
    seed: int,
    jobs: int,
    report: Callable[[str, Progress | None], None] | None,
) -> xr.Dataset:
    """Run a step, or find it finished: its folder is named by all that shapes its numbers."""
    from simulator.api import compute, create_store, plan_run, workers

    def told(progress: Progress) -> None:
        if report:
            report(name, progress)

    if report:
        report(name, None)
    plan = plan_run(study, paths=paths, seed=seed, jobs=workers(jobs))
    shape = hashlib.sha256(json.dumps(plan.identity(), sort_keys=True).encode()).hexdigest()
    with create_store(study, plan, out / f"{name}-{shape[:10]}", "resume") as store:
        compute(study, store, jobs=workers(jobs), report=told)
    return store.dataset()


def step_studies(last: Path, this: Path, out: Path) -> dict[str, Study]:
    """Load the study of every step, so that all faults show before the first path."""
    from simulator.rolling import rolled_study

    before, after = load_book(last), load_book(this)
    start = str(after.resolved["study"]["start"])
    passed = start != before.resolved["study"]["start"]
    file = out / "studies" / "data.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, with_model_of(last, this, file.parent))
    return {
        "last": before,
        "time": rolled_study(last, start, out / "studies" / "time") if passed else before,
        "data": load_book(file),
        "parameters": after,
    }


def with_model_of(last: Path, this: Path, folder: Path) -> str:
    """Return this month's study, as a file in a folder, with the model of last month's."""
    from simulator.rolling.files import moved, study_text, tree_of

    before = moved(tree_of(last), last.parent, folder)
    after = moved(tree_of(this), this.parent, folder)
    tree = {key: value for key, value in after.items() if key not in MODEL}
    tree |= {key: before[key] for key in MODEL if key in before}
    tapes = [tree["tape"]] if isinstance(tree["tape"], str) else tree["tape"]
    tree["tape"] = [os.path.relpath(this.parent / one, folder) for one in tapes]
    return study_text(tree)


def bridge_table(runs: Mapping[str, xr.Dataset], reported: xr.Dataset | None = None) -> xr.Dataset:
    """Split a change into steps.

    Parameters
    ----------
    runs : mapping of str to Dataset
        Runs of the `STEPS`, of one seed and as many paths.
    reported : Dataset, optional
        Last month's run as it was reported.

    Returns
    -------
    Dataset (measure)
        Of the book: ``last``, the parts ``time``, ``data`` and ``parameters``, ``this``, each with
        ``*_se`` (of parts that of the difference path by path), and ``units``. The parts add up to
        the difference of this and last. With a reported run also ``reported`` and ``noise``, its
        difference to ``last``, with the paired error if seed and number of paths are the same.
    """
    import numpy as np
    import xarray as xr

    from simulator.analytics.measures import Measure

    measures = [Measure(kind) for kind in ("el", "p(loss)", "pd")]
    measures += [Measure("es", level) for level in (0.95, 0.99, 0.999)]

    def between(before: xr.Dataset, after: xr.Dataset) -> list[list[Estimate]]:
        """Estimate each measure before and after, and its change; measures across."""
        designs = paired_designs(before, after)
        rows = [estimates_of(one, before, after, designs) for one in measures]
        return [list(column) for column in zip(*rows, strict=True)]

    columns: dict[str, list[Estimate]] = {}
    if reported is not None:
        columns["reported"], _, columns["noise"] = between(reported, runs["last"])
    for before, after in pairwise(STEPS):
        was, now, change = between(runs[before], runs[after])
        columns.setdefault("last", was)
        columns |= {after: change, "this": now}
    columns["this"] = columns.pop("this")  # last of all
    data = {
        f"{name}{suffix}": ("measure", np.array([one[part] for one in estimates]))
        for name, estimates in columns.items()
        for part, suffix in enumerate(("", "_se"))
    }
    units = ["1" if one.is_probability else "million USD" for one in measures]
    return xr.Dataset(
        {**data, "units": ("measure", units)},
        coords={"measure": [str(one) for one in measures]},
        attrs={"columns": list(columns)},
    )
