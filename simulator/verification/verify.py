"""The verdict on a stored run: its files, its study, its versions, and blocks computed again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.api import BLOCK_LANES, Progress, compute, plan_run, workers
from simulator.config.pool_study import PoolStudy
from simulator.config.schema import Sampling
from simulator.config.stored import stored_study
from simulator.config.study import Study
from simulator.dataset.errors import RunDamagedError, RunIncompleteError
from simulator.dataset.files import read_json
from simulator.dataset.folder import EXPECTED, MANIFEST, RESOLVED
from simulator.dataset.manifest import Manifest
from simulator.dataset.plan import Chunk, RunPlan
from simulator.dataset.provenance import current_versions
from simulator.dataset.reading import RunStatus, read_status
from simulator.engine.expectations import Expectations, expectations_of, from_json
from simulator.verification.blocks import (
    Comparison,
    Replay,
    choose_blocks,
    compare,
    replaying,
    series_hashes,
)
from simulator.verification.files import Check, Results, check_files

__all__ = ["Verdict", "verify"]


@dataclass(frozen=True)
class Verdict:
    """What became of a verification.

    Attributes
    ----------
    plan : RunPlan
        Of the stored run.
    checks : tuple of Check
        Everything but the numbers.
    versions : mapping of str to (str, str)
        What made the run and what is here, where the two differ.
    blocks : tuple of Chunk
        Computed again.
    seed : int
        Of their choice.
    comparison : Comparison, optional
        Of their numbers; None if the stored ones could not be read.
    """

    plan: RunPlan
    checks: tuple[Check, ...]
    versions: Mapping[str, tuple[str, str]]
    blocks: tuple[Chunk, ...]
    seed: int
    comparison: Comparison | None

    @property
    def equal(self) -> bool:
        """Whether nothing is amiss; other versions that give the same numbers are not."""
        numbers = self.comparison is not None and not self.comparison.differing
        return numbers and all(check.sound for check in self.checks)


def verify(
    directory: str | Path,
    *,
    blocks: int = 5,
    paths: int = BLOCK_LANES,
    seed: int | None = None,
    jobs: int = 1,
    executor: str = "threads",
    report: Callable[[Progress], None] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Compute randomly chosen blocks of a stored run again and compare them bit for bit.

    Parameters
    ----------
    directory : path
        Folder of a complete run; nothing in it is changed.
    blocks : int
        How many blocks; all if the run has no more.
    paths : int
        Paths of a block.
    seed : int, optional
        Of the choice. Drawn anew if it is not given, so that nobody knows which blocks will be
        looked at; the verdict tells it.
    jobs, executor
        As `simulator.simulate` takes them.
    report : callable, optional
        Told of the progress after every block.
    note : callable, optional
        Told what is being done.

    Returns
    -------
    Verdict
        Everything that was looked at.

    Raises
    ------
    RunNotFoundError, RunIncompleteError
        If no complete run stands there.
    RunDamagedError, StoredStudyError
        If its records or its study cannot be read, so that nothing can be computed again.
    """
    status = read_status(directory)
    if not status.complete:
        raise RunIncompleteError(
            f"{status.directory}: unfinished run, {status.progress} done; "
            "run the same command with --resume before it is verified"
        )
    if not (status.directory / RESOLVED).is_file():
        raise RunDamagedError(
            f"{status.directory / RESOLVED}: not there, so no path can be computed again; "
            "copy the folder again"
        )
    note("hashing the results")
    resolved = read_json(status.directory / RESOLVED)
    checks = check_files(status, resolved)
    study = as_drawn(stored_study(resolved, status.directory), status.plan)
    seed = secrets.randbits(32) if seed is None else seed
    again = replan(study, status.plan, paths)
    checks.append(check_study(status.plan, again))
    chosen = choose_blocks(again, blocks, seed)
    note(f"computing {sum(one.count for one in chosen):,} paths again")
    with replaying(status.directory, again, chosen) as replay:
        compute(
            study, replay, jobs=workers(jobs), executor=executor, block=BLOCK_LANES, report=report
        )
        comparison = comparison_of(status, replay, checks)
        checks += check_series(status, replay)
    if isinstance(study, Study):
        note("solving again what was expected at t0")
        checks.append(check_expected(status, study))
    return Verdict(
        status.plan, tuple(checks), changed_versions(status.plan), tuple(chosen), seed, comparison
    )


def as_drawn(study: Study | PoolStudy, plan: RunPlan) -> Study | PoolStudy:
    """Return a study whose paths are drawn as those of a run: it may have asked for another way."""
    return replace(study, sampling=Sampling(**(plan.sampling or {"method": "plain"})))


def replan(study: Study | PoolStudy, plan: RunPlan, paths: int) -> RunPlan:
    """Plan the stored run as it would be planned today, in blocks of so many paths."""
    return plan_run(
        study,
        paths=plan.paths,
        seed=plan.seed,
        chunk=min(paths, plan.paths),
        keep_paths=plan.keep_paths,
    )


def check_study(plan: RunPlan, again: RunPlan) -> Check:
    """Compare the plan of a run with the one that its study gives today, versions apart."""
    found = [one for one in plan.differences(again) if not one.startswith("versions.")]
    told = "not that of the plan: " + "; ".join(found[:5]) if found else "the one the plan names"
    return Check("study in the folder", not found, told)


def comparison_of(status: RunStatus, replay: Replay, checks: list[Check]) -> Comparison | None:
    """Compare numbers; if the stored ones cannot be read, say so among the checks."""
    try:
        return compare(Results(status), status.plan, replay)
    except Exception as error:  # a damaged archive fails in as many ways as it has layers
        checks.append(Check("stored blocks", False, f"cannot be read ({error})"))
        return None


def check_series(status: RunStatus, replay: Replay) -> list[Check]:
    """Hold recomputed series against the manifest, for chunks computed again as a whole."""
    records = Manifest(status.directory / MANIFEST, status.plan.key).records
    found = series_hashes(replay, records)
    wrong = [index for index, digest in found.items() if digest != records[index].sha256["series"]]
    if not found:
        return []
    told = f"{len(found)} chunks hashed as in the manifest"
    if wrong:
        told = f"not those that the manifest hashed in chunks {', '.join(map(str, wrong[:5]))}"
    return [Check("series computed again", not wrong, told)]


def check_expected(status: RunStatus, study: Study) -> Check:
    """Compare what a book's run expected at t0 with what is solved today."""
    path = status.directory / EXPECTED
    kept = from_json(study.inputs, read_json(path)) if path.is_file() else None
    if kept is None:
        return Check(EXPECTED, False, "not there, or not of this study")
    largest = gap(kept, expectations_of(study.inputs))
    told = f"differs from what is solved today by up to {largest:.2g}"
    return Check(EXPECTED, largest == 0.0, told if largest else "as it is solved today")


def gap(one: Expectations, other: Expectations) -> float:
    """Return the largest difference of two solutions."""
    pairs = [*zip(one.reference, other.reference, strict=True), (one[1], other[1])]
    return max(float(np.max(np.abs(a - b), initial=0.0)) for a, b in pairs)


def changed_versions(plan: RunPlan) -> dict[str, tuple[str, str]]:
    """Return what made a run and what is here, where the two differ."""
    now: dict[str, Any] = current_versions()
    return {
        name: (plan.versions.get(name, "unknown"), now[name])
        for name in now
        if plan.versions.get(name) != now[name]
    }
