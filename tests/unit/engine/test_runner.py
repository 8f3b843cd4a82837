"""Chunks, progress, interruptions."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulator.api import compute, create_store, plan_run, simulate, workers
from simulator.config.study import Study
from simulator.dataset.errors import RunExistsError
from simulator.engine.runner import BLOCK_LANES, CHUNK_BYTES, Progress, chunk_size
from tests.unit.engine.small import PATHS, as_bytes, differing

pytestmark = pytest.mark.nojit


def test_chunks_are_whole_blocks_that_fit() -> None:
    for bytes_per_path in (100, 20_000, 10**9):
        for paths in (1, 500, 10**6):
            for jobs in (1, 3, 64):
                size = chunk_size(bytes_per_path, paths, jobs)
                assert size % BLOCK_LANES == 0
                assert size == BLOCK_LANES or size * bytes_per_path <= CHUNK_BYTES
                assert size == BLOCK_LANES or size * jobs < paths


def test_progress() -> None:
    half = Progress(paths=600, total=1000, resumed=100, seconds=5.0)
    assert half.rate == 100.0
    assert half.left == 4.0
    assert math.isinf(Progress(0, 1000, 0, 0.0).left)


def test_progress_is_told_after_every_chunk(study: Study) -> None:
    told: list[Progress] = []
    simulate(study, paths=5, chunk=2, block=2, report=told.append)
    assert [progress.paths for progress in told] == [2, 4, 5]
    assert {progress.total for progress in told} == {5}


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_an_interrupted_run_goes_on(
    study: Study, baseline: dict[str, bytes], tmp_path: Path, executor: str
) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    options = {"paths": PATHS, "chunk": 3, "block": 3, "out": tmp_path, "executor": executor}
    with pytest.raises(KeyboardInterrupt):
        simulate(study, jobs=2, report=interrupt, **options)
    with pytest.raises(RunExistsError, match="--resume"):
        simulate(study, **options)
    told: list[Progress] = []
    run = simulate(study, resume=True, report=told.append, **options)
    assert told[0].resumed == 3
    assert told[-1].paths == PATHS
    assert differing(as_bytes(run), baseline) == []


def test_a_finished_run_is_reused(study: Study, tmp_path: Path) -> None:
    simulate(study, paths=2, out=tmp_path)
    told: list[Progress] = []
    simulate(study, paths=2, out=tmp_path, report=told.append)
    assert told == []
    with create_store(study, plan_run(study, paths=2, seed=1), tmp_path, "refuse") as store:
        compute(study, store)
        assert store.complete
    with pytest.raises(RunExistsError, match="seed: 1 there, 2 asked"):
        simulate(study, paths=2, seed=2, out=tmp_path)
    simulate(study, paths=2, seed=2, out=tmp_path, overwrite=True, report=told.append)
    assert len(told) == 1


def test_what_cannot_be(study: Study, study_file: Path) -> None:
    with pytest.raises(ValueError, match="jobs"):
        simulate(study, jobs=-1)
    with pytest.raises(ValueError, match="seed"):
        simulate(study, seed=-1)
    with pytest.raises(ValueError, match="block"):
        simulate(study, block=0)
    with pytest.raises(ValueError, match="paths"):
        simulate(study, paths=0)
    with pytest.raises(ValueError, match="overrides"):
        simulate(study, overrides={"horizon_months": 12})
    assert workers(0) >= 1
