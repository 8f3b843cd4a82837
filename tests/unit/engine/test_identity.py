"""The same run bit for bit, whatever the workers, chunks, blocks, store and order of a tape."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.api import simulate
from simulator.config.study import Study, load_study
from simulator.dataset.reading import open_run
from tests.unit.engine.small import OVERRIDES, PATHS, as_bytes, differing, results

pytestmark = pytest.mark.nojit

WAYS: dict[str, dict[str, Any]] = {
    "two threads": {"jobs": 2, "chunk": 3, "block": 3},
    "serial": {"executor": "serial", "chunk": 4},
    "chunks of one path": {"chunk": 1},
    "chunks of seven paths": {"chunk": 7},
    "blocks of one path": {"block": 1},
    "blocks that do not divide": {"block": 4},
}


@pytest.mark.parametrize("way", WAYS)
def test_any_way_to_the_same_bits(study: Study, baseline: dict[str, bytes], way: str) -> None:
    assert differing(results(study, **WAYS[way]), baseline) == []


def test_processes(study: Study, baseline: dict[str, bytes], tmp_path: Path) -> None:
    found = results(study, executor="processes", jobs=2, chunk=3, out=tmp_path / "run")
    assert differing(found, baseline) == []


def test_in_memory_as_on_disk(study: Study, baseline: dict[str, bytes], tmp_path: Path) -> None:
    stored = simulate(study, paths=PATHS, chunk=4, out=tmp_path / "run")
    assert differing(as_bytes(stored), baseline) == []
    assert differing(as_bytes(open_run(tmp_path / "run")), baseline) == []


def test_tape_in_another_order(
    study_file: Path, baseline: dict[str, bytes], tmp_path: Path
) -> None:
    shutil.copytree(study_file.parent, tmp_path / "study")
    for table in (tmp_path / "study" / "tape").glob("*.csv"):
        head, *rows = csv.reader(table.read_text(encoding="utf-8").splitlines())
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *reversed(rows)])
    turned = load_study(tmp_path / "study" / study_file.name, OVERRIDES)
    assert differing(results(turned), baseline) == []


def test_more_paths_begin_with_the_same(study: Study, baseline: dict[str, bytes]) -> None:
    run = simulate(study, paths=PATHS + 3, block=5)
    for name in ("tranche_loss", "equity_pnl", "counterparty_default_month"):
        assert run[name].values[:PATHS].tobytes() == baseline[name], name


def test_another_seed_is_another_world(study: Study, baseline: dict[str, bytes]) -> None:
    run = simulate(study, paths=PATHS, seed=2, block=PATHS)
    assert run["equity_pnl"].values.tobytes() != baseline["equity_pnl"]


def test_nothing_is_missing(study: Study) -> None:
    run = simulate(study, paths=3)
    assert run.attrs["digest"] == study.digest
    for name, variable in run.data_vars.items():
        if "path" in variable.dims and not variable.attrs.get("comment", "").startswith("NaN"):
            assert np.isfinite(variable.values.astype(float)).all(), name
