"""A stored run computed again: whole ones pass, whatever was tampered with is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from click.testing import CliRunner, Result

from simulator.api import simulate
from simulator.cli import main
from simulator.config.study import load_study
from simulator.config.template import write_template
from simulator.dataset.files import tree_size
from simulator.dataset.layout import as_bytes
from simulator.dataset.reading import open_run, read_status
from simulator.verification.verify import verify
from tests.unit.engine.small import OVERRIDES

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).resolve().parents[3]
POOL = ROOT / "configs" / "credit-pool.yaml"
PATHS, CHUNK = 90, 40


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def interrupt(progress: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a pool with every path of its series."""
    folder = tmp_path_factory.mktemp("verified") / "run"
    simulate(POOL, paths=PATHS, chunk=CHUNK, out=folder, keep_paths=True)
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def unsound(folder: Path, **options: Any) -> set[str]:
    """Names of the checks that failed."""
    checks = verify(folder, **{"blocks": 1, "paths": 2, "seed": 1, **options}).checks
    return {check.subject for check in checks if not check.sound}


def stored_file(folder: Path) -> Path:
    """The file that holds the losses of facilities."""
    chunks = folder / "scalars.zarr" / "lender_loss" / "c"
    (file,) = (path for path in chunks.rglob("*") if path.is_file())
    return file


def change(folder: Path, group: str, name: str, place: tuple[int, ...]) -> tuple[float, float]:
    """Flip the lowest bit of a stored number; what it was, and what it is."""
    array: Any = zarr.open_group(folder / group, mode="r+")[name]
    before = np.asarray(array[place])
    bits = before.view(f"u{before.itemsize}") ^ 1
    array[place] = bits.view(before.dtype)
    return before.item(), np.asarray(array[place]).item()


def repair(folder: Path) -> None:
    """Write sizes and hashes anew, as a careful hand would."""
    record = json.loads((folder / "run.json").read_text())
    lines = [json.loads(one) for one in (folder / "manifest.jsonl").read_text().splitlines()]
    for group, names in names_of(folder).items():
        arrays: Any = zarr.open_group(folder / group, mode="r")
        digest = hashlib.sha256()
        for name in names:
            digest.update(name.encode())
            digest.update(as_bytes(np.ascontiguousarray(arrays[name][:])))
        record["sha256"][group] = digest.hexdigest()
        record["files"][group] = tree_size(folder / group)
        for line in lines:
            pieces = [
                np.asarray(arrays[name][line["first"] : line["first"] + line["count"]])
                for name in names
            ]
            if group == "paths.zarr":
                pieces = [np.moveaxis(piece, 0, -1) for piece in pieces]
            joined = b"".join(piece.tobytes() for piece in pieces)
            kind = "scalar" if group == "scalars.zarr" else "series"
            line["sha256"][kind] = hashlib.sha256(joined).hexdigest()
    (folder / "run.json").write_text(json.dumps(record))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "manifest.jsonl").write_text(text)


def names_of(folder: Path) -> dict[str, list[str]]:
    """Names of the variables by group, in table order."""
    plan = read_status(folder).plan
    return {
        "scalars.zarr": [one.name for one in plan.scalars],
        "paths.zarr": [one.name for one in plan.series],
    }


def test_a_run_stands(whole: Path) -> None:
    verdict = verify(whole, blocks=3, paths=16, seed=5)
    assert verdict.equal
    assert [one.first % 16 for one in verdict.blocks] == [0, 0, 0]
    assert verdict.comparison is not None
    assert verdict.comparison.paths == 48
    assert {check.subject for check in verdict.checks} == {
        "sizes of files",
        "scalars.zarr",
        "fans.zarr",
        "paths.zarr",
        "manifest.jsonl",
        "ids and labels",
        "plan and study of the arrays",
        "study in the folder",
    }


def test_every_block_can_be_asked_for_and_then_series_are_hashed_too(whole: Path) -> None:
    verdict = verify(whole, blocks=99, paths=32)
    assert [one.count for one in verdict.blocks] == [32, 32, 26]
    assert verdict.equal
    assert verdict.checks[-1].subject == "series computed again"
    assert verdict.checks[-1].told == "3 chunks hashed as in the manifest"


def test_the_choice_is_that_of_its_seed(whole: Path) -> None:
    choices = [
        [one.first for one in verify(whole, blocks=2, paths=2, seed=seed).blocks]
        for seed in (1, 1, 2)
    ]
    assert choices[0] == choices[1] != choices[2]
    assert verify(whole, blocks=1, paths=1).seed != verify(whole, blocks=1, paths=1).seed


def test_nothing_in_the_folder_changes(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    verify(run, blocks=2, paths=8)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_flipped_byte_of_a_file(run: Path) -> None:
    """Sizes stay, whatever the archive makes of it: the values are others or unreadable."""
    file = stored_file(run)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)
    result = call("verify", run, "--blocks", 1)
    assert result.exit_code == 1
    assert "WRONG" in result.stdout
    assert result.stdout.endswith("NOT verified\n")


def test_a_truncated_file(run: Path) -> None:
    file = stored_file(run)
    file.write_bytes(file.read_bytes()[:-9])
    result = call("verify", run, "--blocks", 1)
    assert result.exit_code == 1
    assert "files missing or changed in scalars.zarr" in result.stdout


def test_a_changed_number_names_its_chunk(run: Path) -> None:
    change(run, "scalars.zarr", "lender_loss", (70, 3))
    assert {"scalars.zarr", "manifest.jsonl"} <= unsound(run)
    (told,) = (c.told for c in verify(run, paths=2).checks if c.subject == "manifest.jsonl")
    assert told == "chunks 1 are not those that it hashed"


def test_a_changed_number_with_repaired_hashes(run: Path) -> None:
    was, now = change(run, "scalars.zarr", "lender_loss", (70, 3))
    repair(run)
    assert unsound(run) == set()  # only computing it again can tell
    verdict = verify(run, blocks=99, paths=16)
    assert not verdict.equal
    assert verdict.comparison is not None
    assert verdict.comparison.differing == {"lender_loss": 1}
    assert verdict.comparison.differing_paths == {70}
    first = verdict.comparison.first
    assert first is not None
    facility = str(open_run(run)["facility"].values[3])
    assert (first.variable, first.path, first.label) == ("lender_loss", 70, {"facility": facility})
    assert (first.stored, first.recomputed) == (now, was)
    result = call("verify", run, "--blocks", 99)
    assert result.exit_code == 1
    expected = f"first: lender_loss, path 70, facility {facility}: stored {now!r}, recomputed"
    assert expected in result.stdout


def test_a_changed_month_with_repaired_hashes(run: Path) -> None:
    change(run, "paths.zarr", "cumulative_lender_loss", (50, 6))
    change(run, "scalars.zarr", "book_lender_loss", (60,))
    repair(run)
    verdict = verify(run, blocks=99)
    assert verdict.comparison is not None
    assert verdict.comparison.differing == {"cumulative_lender_loss": 1, "book_lender_loss": 1}
    first = verdict.comparison.first
    assert first is not None
    assert (first.path, first.label) == (50, {"month": 7})
    found = json.loads(call("verify", run, "--blocks", 99, "--json").stdout)
    assert found["first_difference"]["label"] == {"month": 7}
    assert found["differing_paths"] == [50, 60]
    assert not found["equal"]
    wrong = {one["subject"] for one in found["checks"] if not one["sound"]}
    assert wrong == {"series computed again"}  # of the chunk whose hash was repaired


def test_fans_without_paths_are_held_by_series_computed_again(tmp_path: Path) -> None:
    simulate(POOL, paths=30, chunk=10, out=tmp_path / "run")
    manifest = tmp_path / "run" / "manifest.jsonl"
    lines = [json.loads(one) for one in manifest.read_text().splitlines()]
    lines[2]["sha256"]["series"] = "0" * 64
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert unsound(tmp_path / "run", blocks=99, paths=10) == {"series computed again"}


def test_a_changed_label(run: Path) -> None:
    array: Any = zarr.open_group(run / "scalars.zarr", mode="r+")["facility_lent"]
    array[0] = array[0] * 1.5
    assert "ids and labels" in unsound(run)


def test_a_changed_study(run: Path) -> None:
    """A study that agrees with its own digest, but not with that of the run."""
    from simulator.config.plain import canonical_json

    file = run / "config.resolved.json"
    resolved = json.loads(file.read_text())
    resolved["inputs"]["discount_rate"] += 0.01
    text = canonical_json(resolved["inputs"]).encode()
    file.write_text(json.dumps(resolved))
    refused = call("verify", run)
    assert refused.exit_code == 2
    assert "not what its digest says" in refused.stderr
    resolved["digest"] = hashlib.sha256(text).hexdigest()
    file.write_text(json.dumps(resolved))
    assert unsound(run) == {"study in the folder", "plan and study of the arrays"}
    assert not verify(run).equal


def test_other_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are named, and so is whether the numbers agree all the same."""
    from simulator.dataset.provenance import current_versions

    older = {**current_versions(), "numba": "0.60.0"}
    with monkeypatch.context() as patch:
        patch.setattr("simulator.api.current_versions", lambda: older)
        simulate(POOL, paths=20, out=tmp_path / "run")
    result = call("verify", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "made by other versions: numba 0.60.0 then" in result.stdout
    assert "the run stands with numbers that these versions give as well" in result.stdout


def test_an_unfinished_run_and_the_same_resumed(tmp_path: Path) -> None:
    options: dict[str, Any] = {"paths": 30, "chunk": 10, "out": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        simulate(POOL, report=interrupt, **options)
    result = call("verify", tmp_path / "run")
    assert result.exit_code == 4
    assert "1 of 3 chunks" in result.stderr
    simulate(POOL, resume=True, **options)
    assert verify(tmp_path / "run", blocks=99, paths=7).equal


def test_a_run_drawn_by_importance(tmp_path: Path) -> None:
    """What the pilot found is part of the run; the study in the folder says plain."""
    run = tmp_path / "run"
    study = load_study(POOL, {"sampling.pilot_paths": 200})
    simulate(study, paths=40, out=run, sampling="importance")
    verdict = verify(run, blocks=2, paths=10)
    assert verdict.equal, verdict
    assert "path_weight" in open_run(run)
    kept = json.loads((run / "sampling.json").read_text())
    factors = len(kept["proposal"]["shifts"][0])
    shifts = [[0.0] * factors, [-1.0] * factors]
    proposal = {"shares": [0.5, 0.5], "shifts": shifts, "target": 0.0}
    kept |= {"method": "importance", "proposal": proposal}
    (run / "sampling.json").write_text(json.dumps(kept))
    comparison = verify(run, blocks=4, paths=10).comparison
    assert comparison is not None
    assert "path_weight" in comparison.differing


def test_a_run_that_went_on_until_its_error_was_small(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = call("run", POOL, "--target-se", "el <= 40%", "--chunk", 100, "--out", run)
    assert result.exit_code == 0, result.output
    assert verify(run, blocks=3, paths=16).equal


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.mkdir()])
def test_no_run(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "run")
    result = call("verify", tmp_path / "run")
    assert result.exit_code == 2
    assert "no run here" in result.stderr


def test_no_study(run: Path) -> None:
    (run / "config.resolved.json").unlink()
    result = call("verify", run)
    assert result.exit_code == 1
    assert "no path can be computed again" in result.stderr


def test_a_book_with_uncertain_parameters_and_what_it_expected(tmp_path: Path) -> None:
    """Interrupted and resumed; then what it expected at t0 is tampered with."""
    study = write_template(tmp_path / "study")[0]
    changes: dict[str, Any] = {
        **OVERRIDES,
        "horizon_months": 12,
        "uncertainty.paths_per_draw": 2,
        "uncertainty.priors": {"dem.sigma": {"law": "lognormal", "median": 0.2, "sd_log": 0.5}},
    }
    run = tmp_path / "run"
    options: dict[str, Any] = {"paths": 6, "chunk": 3, "out": run, "overrides": changes}
    with pytest.raises(KeyboardInterrupt):
        simulate(study, report=interrupt, **options)
    simulate(study, resume=True, **options)
    verdict = verify(run, blocks=99, paths=3)
    assert verdict.equal, verdict
    assert verdict.comparison is not None
    assert verdict.comparison.paths == 6
    assert "parameter_value" in open_run(run)
    expected = json.loads((run / "expected.json").read_text())
    row = next(iter(expected["reference"]))
    expected["reference"] = {
        name: [value * 1.01 for value in values] if name == row else values
        for name, values in expected["reference"].items()
    }
    (run / "expected.json").write_text(json.dumps(expected))
    assert unsound(run) == {"expected.json"}
