import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator.dataset import (
    ChunkError,
    RunBusyError,
    RunDamagedError,
    RunExistsError,
    RunIncompleteError,
    RunNotFoundError,
    RunStore,
    RunWriteError,
    disk_bytes,
    open_run,
    read_status,
)
from simulator.dataset.files import tree_size
from simulator.dataset.memory import MemoryStore, in_memory
from tests.unit.dataset.samples import Sample, bytes_below, plan_of, run

BULK = ("lender_loss", "equity_irr", "tightness", "box_dscr")
RESOLVED = {"schema": "neobox/1", "books": [{"name": "Größe"}]}


def test_every_number_comes_back(tmp_path: Path) -> None:
    plan = plan_of(keep_paths=True)
    dataset = open_run(run(tmp_path / "run", plan))
    for name, values in Sample(plan).values.items():
        assert dataset[name].dtype == values.dtype
        np.testing.assert_array_equal(dataset[name].values, values)
    assert (dataset["lender_loss"].values == 0.0).any()
    assert np.isnan(dataset["equity_irr"].values).any()
    assert not np.isnan(dataset["lender_loss"].values).any()


@pytest.mark.parametrize("keep_paths", [False, True])
@pytest.mark.parametrize("exact_limit", [1000, 999])
def test_a_run_in_memory_is_the_run_on_disk(
    tmp_path: Path, keep_paths: bool, exact_limit: int
) -> None:
    plan = plan_of(keep_paths=keep_paths, exact_limit=exact_limit)
    stored = open_run(run(tmp_path / "run", plan, resolved=RESOLVED))
    whole = in_memory(plan, *Sample(plan).whole(), resolved=RESOLVED)
    xr.testing.assert_identical(stored.load(), whole)
    assert list(stored.data_vars) == list(whole.data_vars)


def test_memory_takes_chunks_in_any_order() -> None:
    plan = plan_of()
    store = MemoryStore(plan)
    for chunk in reversed(store.missing_chunks()):
        assert not store.complete
        store.write_chunk(chunk.index, *Sample(plan).chunk(chunk))
    xr.testing.assert_identical(store.dataset(), in_memory(plan, *Sample(plan).whole()))


def test_memory_refuses_to_end_early() -> None:
    with pytest.raises(RunIncompleteError, match="8 of 8 chunks are missing"):
        MemoryStore(plan_of()).finalise()


def test_a_dataset_explains_itself(tmp_path: Path) -> None:
    dataset = open_run(run(tmp_path / "run", plan_of(title="Base case"), resolved=RESOLVED))
    assert dataset.attrs["title"] == "Base case"
    assert json.loads(dataset.attrs["provenance"])["study"] == RESOLVED
    for name, variable in dataset.data_vars.items():
        assert variable.attrs["units"], name
        assert variable.attrs["long_name"], name
    for name, coordinate in dataset.coords.items():
        assert coordinate.attrs["long_name"], name
    assert dataset["month"].values.tolist() == [1, 2, 3, 4, 5]
    ends = ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
    assert np.datetime_as_string(dataset["date"].values, "D").tolist() == ends
    assert dataset["sponsor"].values.tolist() == ["Größe AG"]
    assert dataset["box_sponsor"].dims == ("box",)
    assert len(repr(dataset)) < 6000


def test_a_dataset_can_be_selected_by_id_month_and_level(tmp_path: Path) -> None:
    dataset = open_run(run(tmp_path / "run", plan_of()))
    fan = dataset["fan_box_dscr"].sel(quantile=0.95, month=3, box="box-2")
    assert fan.size == 1
    assert (dataset["fan_box_dscr_count"] < 1000).all()
    assert dataset["fan_box_dscr_se"].dims == ("quantile", "month", "box")
    assert dataset["fan_box_dscr_mean"].dims == ("month", "box")
    assert "fan_tightness_count" not in dataset


def test_groups_open_without_this_package(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of())
    scalars = xr.open_zarr(directory / "scalars.zarr", consolidated=False, chunks=None)
    assert scalars["facility"].values.tolist() == ["ddtl-1", "ddtl-2"]
    assert (scalars["lender_loss"].values == 0.0).any()
    assert (scalars["facility_default_cause"].values == 0).any()
    fans = xr.open_zarr(directory / "fans.zarr", consolidated=False, chunks=None)
    assert str(fans["date"].values[0]).startswith("2026-12-31")


def test_an_empty_dimension_is_no_problem(tmp_path: Path) -> None:
    plan = plan_of(ids={**plan_of().ids, "generation": (), "box": ()}, labels={})
    stored = open_run(run(tmp_path / "run", plan)).load()
    assert stored["fan_rental_price_spot"].shape == (9, 5, 0)
    xr.testing.assert_identical(stored, in_memory(plan, *Sample(plan).whole()))


def test_threads_may_write_at_the_same_time(tmp_path: Path) -> None:
    plan = plan_of(chunk=7)
    sample = Sample(plan)
    with RunStore.create(tmp_path / "run", plan) as store:
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda chunk: store.write_chunk(chunk.index, *sample.chunk(chunk)),
                    store.missing_chunks(),
                )
            )
        assert store.done == 143
        store.finalise()
    assert bytes_below(tmp_path / "run") == bytes_below(run(tmp_path / "other", plan_of()))


def test_other_processes_write_and_this_one_commits(tmp_path: Path) -> None:
    import pickle

    plan = plan_of()
    sample = Sample(plan)
    with RunStore.create(tmp_path / "run", plan) as store:
        writer = pickle.loads(pickle.dumps(store.writer))
        for chunk in store.missing_chunks():
            store.commit(pickle.loads(pickle.dumps(writer.write(chunk, *sample.chunk(chunk)))))
        store.finalise()
    assert bytes_below(tmp_path / "run") == bytes_below(run(tmp_path / "other", plan))


def test_records_of_another_run_are_refused(tmp_path: Path) -> None:
    plan, other = plan_of(), plan_of(seed=2)
    with (
        RunStore.create(tmp_path / "run", plan) as store,
        RunStore.create(tmp_path / "other", other) as stranger,
    ):
        chunk = stranger.missing_chunks()[0]
        record = stranger.writer.write(chunk, *Sample(other).chunk(chunk))
        with pytest.raises(ChunkError, match="belongs to another run"):
            store.commit(record)


def test_the_folder_of_a_complete_run_is_tidy(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of(), config_text="paths: 10\n", resolved=RESOLVED)
    assert sorted(path.name for path in directory.iterdir()) == [
        "config.resolved.json",
        "config.yaml",
        "fans.zarr",
        "manifest.jsonl",
        "run.json",
        "scalars.zarr",
    ]
    assert (directory / "config.yaml").read_text() == "paths: 10\n"
    assert json.loads((directory / "config.resolved.json").read_text()) == RESOLVED
    record = json.loads((directory / "run.json").read_text())
    assert record["status"] == "complete"
    assert record["created"] <= record["finished"]


# What stands in the folder already


def test_a_complete_run_is_reused(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of())
    before = bytes_below(directory)
    with RunStore.create(directory, plan_of(chunk=50)) as store:
        assert store.complete
        assert store.missing_chunks() == []
        store.finalise()
    assert bytes_below(directory) == before


def test_another_run_is_refused_by_what_differs(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of())
    for existing in ("refuse", "resume"):
        with pytest.raises(RunExistsError, match=r"seed: 1 there, 2 asked.*--out.*--overwrite"):
            RunStore.create(directory, plan_of(seed=2), existing=existing)
    assert read_status(directory).complete


def test_an_unfinished_run_is_resumed_only_if_asked(tmp_path: Path) -> None:
    plan = plan_of()
    sample = Sample(plan)
    with RunStore.create(tmp_path / "run", plan) as store:
        sample.write(store, store.missing_chunks()[2:5])
    with pytest.raises(RunExistsError, match=r"3 of 8 chunks done; finish it with --resume"):
        RunStore.create(tmp_path / "run", plan)
    with RunStore.create(tmp_path / "run", plan_of(chunk=999), existing="resume") as store:
        assert store.plan.chunk == 128  # as it began
        assert [chunk.index for chunk in store.missing_chunks()] == [0, 1, 5, 6, 7]
        sample.write(store)
        store.finalise()
    assert bytes_below(tmp_path / "run") == bytes_below(run(tmp_path / "other", plan))


def test_overwriting_leaves_nothing_of_the_old_run(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of(keep_paths=True), config_text="old")
    with RunStore.create(directory, plan_of(seed=2), existing="overwrite") as store:
        assert not (directory / "config.yaml").exists()
        assert not (directory / "paths.zarr").exists()
        with pytest.raises(RunIncompleteError):
            open_run(directory)
        Sample(store.plan).write(store)
        store.finalise()
    assert bytes_below(directory) == bytes_below(run(tmp_path / "other", plan_of(seed=2)))


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    for existing in ("refuse", "resume", "overwrite"):
        with pytest.raises(RunExistsError, match=r"not a run \(thesis.tex\).*--out"):
            RunStore.create(tmp_path, plan_of(), existing=existing)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunExistsError, match="is a file"):
        RunStore.create(tmp_path / "run", plan_of())


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        RunStore.create(tmp_path / "run", plan_of()),
        pytest.raises(RunBusyError, match="being written already"),
    ):
        RunStore.create(tmp_path / "run", plan_of(), existing="resume")
    RunStore.create(tmp_path / "run", plan_of(), existing="resume").close()


def test_a_run_that_cannot_fit_is_refused_before_it_begins(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of())
    with pytest.raises(RunWriteError, match=r"takes about \d+\.\d GB .* fewer paths"):
        RunStore.create(directory, plan_of(paths=10**13, chunk=10**12), existing="overwrite")
    assert read_status(directory).complete  # what was there still is


@pytest.mark.parametrize("keep_paths", [False, True])
def test_the_room_that_is_announced_is_enough(tmp_path: Path, keep_paths: bool) -> None:
    plan = plan_of(paths=20_000, chunk=20_000, keep_paths=keep_paths, variables=BULK)
    with RunStore.create(tmp_path / "run", plan) as store:
        Sample(plan).write(store)
        assert tree_size(tmp_path / "run")["bytes"] <= disk_bytes(plan)
        store.finalise()
    assert tree_size(tmp_path / "run")["bytes"] < disk_bytes(plan)


def test_results_are_named_by_their_values(tmp_path: Path) -> None:
    first, second, other = (
        read_status(run(tmp_path / name, plan)).record["sha256"]
        for name, plan in [
            ("first", plan_of()),
            ("second", plan_of(chunk=77)),
            ("other", plan_of(seed=2)),
        ]
    )
    assert first == second
    assert first["scalars.zarr"] != other["scalars.zarr"]
    assert first["fans.zarr"] != other["fans.zarr"]


# What cannot be opened


def test_nothing_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match=r"no run here \(run.json is missing\)"):
        open_run(tmp_path / "nothing")


def test_an_unfinished_run_opens_only_in_part_and_says_so(tmp_path: Path) -> None:
    plan = plan_of()
    with RunStore.create(tmp_path / "run", plan) as store:
        with pytest.raises(RunIncompleteError, match="no chunk done yet"):
            open_run(tmp_path / "run", partial=True)
        Sample(plan).write(store, [store.missing_chunks()[index] for index in (1, 7)])
        with pytest.raises(RunIncompleteError, match="6 of 8 chunks are missing"):
            store.finalise()
    with pytest.raises(RunIncompleteError, match=r"2 of 8 chunks done; .*--resume"):
        open_run(tmp_path / "run")
    part = open_run(tmp_path / "run", partial=True)
    assert part.attrs["status"] == "incomplete"
    assert part.attrs["progress"] == "2 of 8 chunks"
    assert part["path"].values.tolist() == [*range(128, 256), *range(896, 1000)]
    expected = Sample(plan).values["lender_loss"][part["path"].values]
    np.testing.assert_array_equal(part["lender_loss"].values, expected)


@pytest.mark.parametrize("lost", ["scalars.zarr/lender_loss/c/0/0", "fans.zarr/zarr.json"])
def test_a_lost_file_is_noticed(tmp_path: Path, lost: str) -> None:
    directory = run(tmp_path / "run", plan_of())
    (directory / lost).unlink()
    with pytest.raises(RunDamagedError, match=r"zarr: files are missing or were changed; copy"):
        open_run(directory)


def test_a_torn_run_file_is_noticed(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of())
    (directory / "run.json").write_text('{"format": "neobox.r')
    with pytest.raises(RunDamagedError, match=r"run.json: not readable as JSON"):
        open_run(directory)


def test_another_format_is_noticed(tmp_path: Path) -> None:
    directory = run(tmp_path / "run", plan_of())
    record = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**record, "format": "neobox.run/9"}))
    with pytest.raises(RunDamagedError, match=r"'neobox.run/9', this version reads 'neobox.run/1'"):
        open_run(directory)


def test_arrays_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    plan = plan_of()
    scalars, series = Sample(plan).chunk(next(iter(plan.chunks())))
    del scalars["lender_loss"]
    with RunStore.create(tmp_path / "run", plan) as store:
        with pytest.raises(ChunkError, match="lender_loss is missing"):
            store.write_chunk(0, scalars, series)
        assert store.done == 0
