"""Runs that go on: chunks end at looks and stay as the run grows; in the end it is a fixed run."""

from dataclasses import replace
from pathlib import Path

import pytest

from simulator.dataset import RunPlan, RunStore, accumulate, open_run
from simulator.dataset.memory import MemoryStore, in_memory
from tests.unit.dataset.samples import Sample, bytes_below, plan_of, run

LOOKS = (400, 700, 1200, 2000)


def growing(paths: int = 400, **changes: int) -> RunPlan:
    return plan_of(paths, 150, looks=LOOKS, **changes)


def test_no_chunk_spans_a_look() -> None:
    plan = growing(1200)
    chunks = list(plan.chunks())
    assert [chunk.first for chunk in chunks] == [0, 150, 300, 400, 550, 700, 850, 1000, 1150]
    assert sum(chunk.count for chunk in chunks) == 1200
    assert plan.chunk_count == len(chunks)
    shorter = list(growing(700).chunks())
    assert chunks[: len(shorter)] == shorter
    assert [chunk.count for chunk in plan_of(400, 150).chunks()] == [150, 150, 100]


def test_a_growing_run_keeps_its_key_and_is_the_fixed_one() -> None:
    assert growing(400).key == growing(1200).key
    assert plan_of(400, 150).key != plan_of(1200, 150).key
    assert growing(1200).differences(plan_of(1200, 99)) == []
    assert growing(1200).differences(plan_of(1000, 99))
    assert RunPlan.from_json(growing(700).to_json()) == growing(700)


@pytest.mark.parametrize("limit", [5000, 500])
def test_bytes_of_a_run_that_grew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Also where it grows beyond exact quantiles, its chunks folded and removed, and stops half."""
    monkeypatch.setattr(accumulate, "FOLD_PATHS", 200)
    sample = Sample(plan_of(1200))
    store = RunStore.create(tmp_path / "run", growing(exact_limit=limit))
    sample.write(store)
    assert store.so_far(("book_lender_loss", "none"))["book_lender_loss"].sizes["path"] == 400
    store.note("target", {"goals": ["el <= 1%"]})
    store.grow(700)
    sample.write(store, store.missing_chunks()[:1])
    store.close()
    again = RunStore.create(tmp_path / "run", growing(700, exact_limit=limit), existing="resume")
    assert [chunk.first for chunk in again.missing_chunks()] == [550]
    sample.write(again)
    again.grow(1200)
    sample.write(again)
    again.finalise(threads=2)
    fixed = run(tmp_path / "fixed", plan_of(1200, 512, exact_limit=limit))
    assert bytes_below(tmp_path / "run") == bytes_below(fixed)
    memory = MemoryStore(growing(exact_limit=limit))
    for paths in (700, 1200, None):
        for chunk in memory.missing_chunks():
            memory.write_chunk(chunk.index, *sample.chunk(chunk))
        if paths:
            assert memory.so_far(("book_lender_loss",)).sizes["path"] == memory.paths
            memory.grow(paths)
    expected = in_memory(replace(plan_of(1200), exact_limit=limit), *sample.whole())
    assert memory.dataset().equals(expected)
    assert open_run(tmp_path / "run").load().equals(expected)
