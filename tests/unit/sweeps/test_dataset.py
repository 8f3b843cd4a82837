"""A sweep as one Dataset: numbers of its runs, labels, what is not there yet, what is found."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import simulator
from simulator.analytics.risk import risk_table
from simulator.config.files_read import note_file
from simulator.sweeps import plan as plans
from simulator.sweeps.run import SweepProgress, prepare_sweep
from tests.unit.sweeps.samples import POOL, SWEEP, bytes_of, write_sweep

HEAD = "schema: neobox.sweep/1\nbase: pool.yaml\npaths: 400\n"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def results(sweep: Path) -> Path:
    simulator.sweep(sweep, out=sweep.parent / "results", jobs=2)
    return sweep.parent / "results"


@pytest.fixture
def found(results: Path) -> xr.Dataset:
    return simulator.open_sweep(results / "sweeps" / "small")


def alone(sweep: Path, pd: str, exposure: float) -> xr.Dataset:
    """Simulate a point without a sweep."""
    changed = {"names.A.pd": pd, "names.B.exposure_usd_m": exposure}
    return simulator.simulate(sweep.parent / "pool.yaml", paths=300, seed=4, overrides=changed)


def test_every_number_is_that_of_a_run_alone(sweep: Path, found: xr.Dataset) -> None:
    assert found.attrs["status"] == "complete"
    at = {"names.A.pd": "3%", "names.B.exposure_usd_m": 50.0}
    run, point = alone(sweep, "3%", 50.0), found.sel(at)
    for name in run.data_vars:
        np.testing.assert_array_equal(point[name].values, run[name].values)
    risk = risk_table(run, levels=(0.95, 0.99, 0.999))
    for name in ("expected_loss", "loss_probability", "value_at_risk", "expected_shortfall"):
        for key in (name, f"{name}_se"):
            np.testing.assert_allclose(point[key].values, risk[key].values, rtol=1e-12)
            book = point[f"book_{key}"].values
            np.testing.assert_allclose(book, risk[f"book_{key}"].values, rtol=1e-12)
    np.testing.assert_allclose(
        point["default_probability"].values, risk["default_probability"].values, rtol=1e-12
    )


def test_changes_are_paired(sweep: Path, found: xr.Dataset) -> None:
    base = simulator.simulate(sweep.parent / "pool.yaml", paths=300, seed=4)
    point = found.sel({"names.A.pd": "3%", "names.B.exposure_usd_m": 10.0})
    difference = (point["book_lender_loss"] - base["book_lender_loss"]).values
    assert float(point["book_expected_loss_change"]) == pytest.approx(difference.mean())
    error = difference.std(ddof=1) / 300**0.5
    assert float(point["book_expected_loss_change_se"]) == pytest.approx(error)
    apart = np.hypot(float(point["book_expected_loss_se"]), base["book_lender_loss"].std() / 17.3)
    assert error < 0.8 * float(apart)  # what independent paths would give
    same = found.sel({"names.A.pd": "6%", "names.B.exposure_usd_m": 30.0})
    assert float(same["book_expected_loss_change"]) == 0.0
    assert float(same["book_expected_shortfall_change_se"].sel(level=0.99)) == 0.0
    assert found.attrs["base_run"] == str(same["run"].values)


def test_parts_are_read_as_asked_for(found: xr.Dataset) -> None:
    losses = found["lender_loss"]
    whole = losses.values
    assert whole.shape == (2, 3, 300, 3)
    np.testing.assert_array_equal(
        losses[1, ::2, 5:9, [0, 2]].values, whole[1, ::2, 5:9][..., [0, 2]]
    )
    np.testing.assert_array_equal(losses[[1, 0], 2, 7].values, whole[[1, 0], 2, 7])
    np.testing.assert_array_equal(losses[:, 1].mean("path").values, whole[:, 1].mean(axis=1))
    assert losses[:0].values.shape == (0, 3, 300, 3)


def test_a_second_call_finds_all_and_reads_no_study(
    sweep: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, told = bytes_of(results), []
    monkeypatch.setattr(plans, "load", None)  # not called
    simulator.sweep(sweep, out=results, report=told.append)
    last: SweepProgress = told[-1]
    assert (last.done, last.total, last.found) == (6, 6, 6)
    assert bytes_of(results) == before


def test_runs_are_found_by_another_sweep(sweep: Path, results: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(results, out)
    shutil.copy(sweep.parent / "pool.yaml", tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(SWEEP.replace("[3%, 6%]", "[0.06, 0.09]"), encoding="utf-8")
    told: list[SweepProgress] = []
    simulator.sweep(other, out=out, report=told.append)
    assert (told[-1].total, told[-1].found) == (6, 3)
    assert len(list((out / "runs").iterdir())) == 9


@pytest.mark.parametrize("what", ["study", "seed", "paths", "sweep"])
def test_what_has_changed_is_not_taken_for_the_same(what: str, tmp_path: Path) -> None:
    file = write_sweep(tmp_path)
    planned, folder = prepare_sweep(file, out=tmp_path / "out")
    folder.begin(planned)
    again, _ = prepare_sweep(file, out=tmp_path / "out")
    assert again.base.plan is None  # known from the catalogue
    assert list(again.runs) == list(planned.runs)
    options = {"seed": {"seed": 8}, "paths": {"paths": 301}}.get(what, {})
    if what == "study":
        write_sweep(tmp_path, pool=POOL.replace("exposure_usd_m: 20", "exposure_usd_m: 21"))
    if what == "sweep":
        write_sweep(tmp_path, SWEEP.replace("[3%, 6%]", "[3%, 7%]"))
    changed, _ = prepare_sweep(file, out=tmp_path / "out", **options)
    assert changed.base.plan is not None
    shared = set(changed.runs) & set(planned.runs)
    assert len(shared) == (4 if what == "sweep" else 0)


def test_files_that_a_study_names_are_watched(tmp_path: Path) -> None:
    table = tmp_path / "more.csv"
    table.write_text("name,exposure_usd_m,pd,lgd,loading_1\nD,5,0.1,0.5,0.3\n", encoding="utf-8")
    file = write_sweep(tmp_path, pool=POOL + "names_table: more.csv\n")
    planned, folder = prepare_sweep(file, out=tmp_path / "out")
    assert table.resolve() in planned.files
    folder.begin(planned)
    table.write_text(table.read_text().replace(",5,", ",6,"), encoding="utf-8")
    assert prepare_sweep(file, out=tmp_path / "out")[0].base.plan is not None
    note_file(table)  # outside of a sweep it does nothing


def test_unfinished_points_of_a_grid_are_nan(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(results, out)
    whole = simulator.open_sweep(results / "sweeps" / "small")
    gone = str(whole["run"].values[1, 0])
    shutil.rmtree(out / "runs" / gone)
    seen = simulator.open_sweep(out / "sweeps" / "small")
    assert (seen.attrs["status"], seen.attrs["progress"]) == ("incomplete", "5 of 6 points")
    assert seen["finished"].values.tolist() == [[True, True, True], [False, True, True]]
    for name in ("book_expected_loss", "lender_loss", "facility_default_month"):
        assert np.isnan(seen[name].values[1, 0]).all()
        np.testing.assert_array_equal(seen[name].values[0], whole[name].values[0])


def test_points_in_a_row_show_those_that_are_finished(tmp_path: Path) -> None:
    text = HEAD + "method: zip\naxes:\n  names.A.pd: [1%, 2%, 3%]\n  names.B.lgd: [0.1, 0.2, 0.3]\n"
    file, seen = write_sweep(tmp_path, text), []

    def look(progress: SweepProgress) -> None:
        if progress.done == 3:  # the base and two points
            seen.append(simulator.open_sweep(tmp_path / "out" / "sweeps" / "small"))

    whole = simulator.sweep(file, out=tmp_path / "out", report=look)
    assert seen[0].attrs["progress"] == "2 of 3 points"
    assert seen[0]["point"].values.tolist() == [0, 1]
    assert whole["names.B.lgd"].values.tolist() == [0.1, 0.2, 0.3]
    np.testing.assert_array_equal(
        seen[0]["book_lender_loss"].values, whole["book_lender_loss"].values[:2]
    )


def test_points_of_other_lengths_and_sampling_stand_side_by_side(tmp_path: Path) -> None:
    text = HEAD + "axes:\n  horizon_months: [12, 24]\n  sampling.method: [plain, importance]\n"
    found = simulator.sweep(write_sweep(tmp_path, text), out=tmp_path / "out")
    assert found["month"].values.tolist() == list(range(1, 25))
    debt = found["fan_outstanding_debt_mean"].sel({"sampling.method": "plain"})
    assert np.isnan(debt.sel(horizon_months=12, month=13)).all()
    assert not np.isnan(debt.sel(horizon_months=24, month=24)).any()
    weights = found["path_weight"].sel(horizon_months=24)
    assert np.isnan(weights.sel({"sampling.method": "plain"})).all()
    assert float(weights.sel({"sampling.method": "importance"}).mean()) == pytest.approx(1, abs=0.2)
    run = alone_by_importance(tmp_path)
    point = found.sel({"horizon_months": 24, "sampling.method": "importance"})
    risk = risk_table(run, levels=(0.95, 0.99, 0.999))
    for key in ("book_expected_loss", "book_expected_shortfall_se", "book_value_at_risk"):
        np.testing.assert_allclose(point[key].values, risk[key].values, rtol=1e-12)


def test_points_with_other_names_stand_side_by_side(tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("name,exposure_usd_m,pd,lgd,loading_1\nBB,5,0.9,0.5,0.3\n", encoding="utf-8")
    text = HEAD + "axes:\n  names_table: [more.csv, '']\n"
    found = simulator.sweep(write_sweep(tmp_path, text), out=tmp_path / "out")
    with_it, without = found.sel(names_table="more.csv"), found.sel(names_table="")
    assert found["facility"].values.tolist() == ["A", "B", "BB", "C"]
    run = simulator.simulate(
        tmp_path / "pool.yaml", paths=400, overrides={"names_table": "more.csv"}
    )
    np.testing.assert_array_equal(with_it["lender_loss"].values, run["lender_loss"].values)
    assert np.isnan(without["lender_loss"].sel(facility="BB")).all()
    assert float(with_it["expected_loss"].sel(facility="BB")) > 1.0
    assert np.isnan(with_it["expected_loss_change"].sel(facility="BB"))  # the base has no such name
    assert (with_it["lender_loss"] - without["lender_loss"]).sel(facility="C").sum() == 0.0


def alone_by_importance(folder: Path) -> xr.Dataset:
    return simulator.simulate(folder / "pool.yaml", paths=400, sampling="importance")


def test_independent_random_numbers_add_their_errors(tmp_path: Path) -> None:
    text = HEAD + "random_numbers: independent\naxes:\n  names.A.pd: [6%, 9%]\n"
    found = simulator.sweep(write_sweep(tmp_path, text), out=tmp_path / "out")
    same = found.isel({"names.A.pd": 0})  # the base, but on other paths
    assert float(same["book_expected_loss_change"]) != 0.0
    base = simulator.simulate(tmp_path / "pool.yaml", paths=400)["book_lender_loss"].values
    error = np.hypot(float(same["book_expected_loss_se"]), base.std(ddof=1) / 20.0)
    assert float(same["book_expected_loss_change_se"]) == pytest.approx(error)


def test_the_tables_say_the_same(results: Path, found: xr.Dataset) -> None:
    folder = results / "sweeps" / "small"
    index = list(csv.DictReader((folder / "sweep.csv").read_text().splitlines()))
    assert [row["point"] for row in index] == ["base", *map(str, range(6))]
    assert all((results / row["run"] / "run.json").exists() for row in index)
    rows = list(csv.DictReader((folder / "measures.csv").read_text().splitlines()))
    assert [row["entity"] for row in rows] == ["book", "A", "B", "C"] * 7
    point = found.isel({"names.A.pd": 1, "names.B.exposure_usd_m": 2})
    row = rows[-3]
    assert (row["point"], row["names.A.pd"], row["names.B.exposure_usd_m"]) == ("5", "6%", "50.0")
    at = point.sel(facility="A", level=0.99)
    assert float(row["expected_shortfall_0.99_se"]) == float(at["expected_shortfall_se"])
    assert float(row["expected_loss_change"]) == float(at["expected_loss_change"])
    assert row["expected_shortfall_0.99_change"] == ""
