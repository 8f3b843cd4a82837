"""The catalogue and what prune removes: on stored runs, running ones, broken ones and strangers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import simulator
from simulator.dataset.store import RunStore
from simulator.results import find_runs, locate, prunable, prune
from simulator.results.entries import ResultsError
from simulator.results.pruning import SUFFIX
from tests.unit.dataset.samples import Sample, plan_of, run

pytestmark = pytest.mark.nojit


def dated(directory: Path, time: str) -> Path:
    """Set the time at which a run was finished, or begun if it is not finished."""
    file = directory / "run.json"
    record = json.loads(file.read_text())
    key = "finished" if "finished" in record else "created"
    file.write_text(json.dumps({**record, key: time}))
    return directory


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of three complete runs of two studies, one unfinished and one damaged."""
    root = tmp_path / "results"
    for name, title, digest, day in (
        ("october", "book", "aaaa1", "2025-10-31"),
        ("november", "book", "aaaa2", "2025-11-30"),
        ("sweep/0001", "other", "bbbb1", "2025-11-15"),
    ):
        made = run(root / name, plan_of(300, title=title, digest=digest, seed=7))
        dated(made, f"{day}T08:00:00+00:00")
    plan = plan_of(300, title="book", digest="cccc1")
    with RunStore.create(root / "halfway", plan) as store:
        Sample(plan).write(store, store.missing_chunks()[:2])
    dated(root / "halfway", "2025-11-20T08:00:00+00:00")
    broken = dated(run(root / "broken", plan_of(200, digest="dddd1")), "2025-01-01T00:00:00+00:00")
    next((broken / "scalars.zarr").rglob("zarr.json")).unlink()
    stranger = root / "stranger"
    stranger.mkdir()
    (stranger / "run.json").write_text('{"format": "another"}')
    return root


def names(entries: list[simulator.results.Entry], root: Path) -> list[str]:
    return [one.directory.relative_to(root).as_posix() for one in entries]


def test_lists_the_newest_first(root: Path) -> None:
    entries = find_runs(root)
    assert names(entries, root) == ["november", "halfway", "sweep/0001", "october", "broken"]
    by_name = dict(zip(names(entries, root), entries, strict=True))
    assert [by_name[one].status for one in ("october", "halfway", "broken")] == [
        "complete",
        "unfinished",
        "damaged",
    ]
    october = by_name["october"]
    assert (october.study, october.digest, october.seed) == ("book", "aaaa1", 7)
    assert (october.paths, october.done, by_name["halfway"].done) == (300, 300, 256)
    files = [path for path in october.directory.rglob("*") if path.is_file()]
    assert october.bytes == sum(path.stat().st_size for path in files)
    assert "scalars.zarr" in by_name["broken"].problem
    table = simulator.results.catalogue(root)
    assert list(table["run"].values) == [str(one.directory) for one in entries]
    assert table["paths"].dtype.kind == "i"


def test_a_run_that_is_cut_short_or_written_now_is_told(root: Path) -> None:
    plan = plan_of(300, title="book", digest="cccc1")
    with RunStore.create(root / "halfway", plan, existing="resume"):
        status = {one.directory.name: one.status for one in find_runs(root)}
        assert status["halfway"] == "running"
    (root / "october" / "run.json").write_text('{"format": "neobox.r')
    status = {one.directory.name: one.status for one in find_runs(root)}
    assert (status["halfway"], status["october"]) == ("unfinished", "damaged")
    with pytest.raises(ResultsError, match="no such folder"):
        find_runs(root / "nowhere")


def test_locates_by_folder_name_and_hash(root: Path) -> None:
    assert locate(root / "october", root) == root / "october"
    assert locate("0001", root) == root / "sweep/0001"
    assert locate("bbbb", root) == root / "sweep/0001"
    with pytest.raises(ResultsError, match=r"2 runs below .* answer"):
        locate("aaaa", root)
    for unknown in ("bbb", "eeee1", "stranger"):
        with pytest.raises(ResultsError, match="results list"):
            locate(unknown, root)


def test_prunable(root: Path) -> None:
    def chosen(**conditions: object) -> set[str]:
        return set(names(prunable(root, **conditions), root))  # type: ignore[arg-type]

    assert chosen(keep_last=0) == {"october", "november", "sweep/0001"}
    assert chosen(keep_last=1) == {"october"}
    assert chosen(keep_last=5) == set()
    assert chosen(incomplete=True) == {"halfway", "broken"}
    until = datetime.now(UTC) - datetime(2025, 11, 18, tzinfo=UTC)
    assert chosen(incomplete=True, older_than=until) == {"broken"}
    assert chosen(older_than=until) == {"october", "sweep/0001"}
    assert chosen(older_than=until, keep_last=1) == {"october"}
    assert chosen(older_than=timedelta(days=36_500)) == set()
    assert chosen(keep_last=1, older_than=timedelta(days=36_500)) == set()
    with pytest.raises(ResultsError, match="--keep-last, --older-than or --incomplete"):
        prunable(root)


def test_prune_removes_what_it_listed_and_nothing_else(root: Path) -> None:
    left = root / f".gone{SUFFIX}"  # of a prune that was killed
    left.mkdir()
    (left / "run.json").write_text("{}")
    assert names(find_runs(root), root).count(left.name) == 0
    (root / "october" / "report.html").write_text("a report")
    gone = prune(prunable(root, keep_last=1), root)
    assert names(gone, root) == ["october"]
    assert not (root / "october").exists()
    assert not left.exists()
    assert sorted(one.name for one in root.iterdir()) == [
        *("broken", "halfway", "november", "stranger", "sweep")
    ]
    simulator.open_run(root / "november")


def test_prune_leaves_what_is_written_or_has_changed_since(root: Path) -> None:
    entries = prunable(root, incomplete=True)
    plan = plan_of(300, title="book", digest="cccc1")
    with RunStore.create(root / "halfway", plan, existing="resume") as store:
        assert "halfway" not in names(prunable(root, incomplete=True), root)
        assert names(prune(entries, root), root) == ["broken"]
        Sample(plan).write(store)
        store.finalise(threads=1)
    assert prune(entries, root) == []  # complete now: no longer what was listed
    simulator.open_run(root / "halfway")


def test_a_run_whose_folder_holds_others_stays(root: Path) -> None:
    inner = run(root / "november" / "inner", plan_of(200, title="inner", digest="ffff1"))
    outer = next(one for one in find_runs(root) if one.directory.name == "november")
    assert names(prunable(root, keep_last=0), root).count("november") == 0
    assert prune([outer], root) == []
    simulator.open_run(inner)
