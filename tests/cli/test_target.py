"""`neobox run --target-se`: on until precise enough, the bytes of the run of as many paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import simulator
from simulator.analytics.precision import parse_goals
from simulator.config.errors import NeoboxError
from simulator.dataset.reading import open_run, read_status
from simulator.sequential import Sequential, looks_of
from tests.unit.dataset.samples import bytes_below, plan_of

Call = Callable[..., Result]

POOL = """
schema: neobox.credit/1
name: two-names
start: 2026-11
horizon_months: 12
names:
  A: {exposure_usd_m: 100, hazard_per_year: 0.05, lgd: 0.4, loadings: [0.4]}
  B: {exposure_usd_m: 50, hazard_per_year: 0.08, lgd: 0.6, loadings: [0.4]}
"""


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Return a small credit-only study."""
    file = tmp_path / "pool.yaml"
    file.write_text(POOL)
    return file


def test_stops_at_a_look_with_the_bytes_of_a_plain_run(
    call: Call, pool: Path, tmp_path: Path
) -> None:
    goals = ("--target-se", "el <= 4%, es95 <= 2.2%")
    result = call("run", pool, *goals, "--out", tmp_path / "a", "--jobs", 2, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    taken = found["target"]["looks"]
    assert found["target"]["met"]
    assert [look["met"] for look in taken] == [False] * (len(taken) - 1) + [True]
    assert [look["paths"] for look in taken] == list(looks_of(1_000_000)[: len(taken)])
    assert len(taken) > 1
    paths = found["paths"]
    assert paths == taken[-1]["paths"]
    assert taken[-1]["estimates"][0]["relative_error"] <= 0.04
    assert found["book"]["expected_loss"]["value"] == taken[-1]["estimates"][0]["value"]
    plain = call("run", pool, "--paths", paths, "--out", tmp_path / "b", "--chunk", 999)
    assert plain.exit_code == 0, plain.output
    other = ("--chunk", 700, "--block", 64, "--executor", "serial")
    assert call("run", pool, *goals, *other, "--out", tmp_path / "c").exit_code == 0
    alike = [bytes_below(tmp_path / name) for name in "abc"]
    assert alike[0] == alike[1] == alike[2]
    assert alike[0]
    again = call("run", pool, *goals, "--out", tmp_path / "a", "--json")
    assert json.loads(again.stdout)["reused"]
    assert json.loads(again.stdout)["target"] == found["target"]
    refused = call("run", pool, "--target-se", "el <= 1%", "--out", tmp_path / "a")
    assert refused.exit_code == 2
    assert "other goals" in refused.stderr
    memory = simulator.simulate_until(pool, "el <= 4%, es95 <= 2.2%")
    assert memory.equals(open_run(tmp_path / "a").load())


def test_goes_on_after_an_interruption(
    call: Call, pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulator.cli.progress import ProgressLine

    command = ("run", pool, "--target-se", "el <= 4%, es95 <= 2.2%", "--chunk", 1500)

    def interrupt(self: ProgressLine, progress: Any) -> None:
        if progress.paths > 4500:
            raise KeyboardInterrupt

    out = tmp_path / "cut"
    with monkeypatch.context() as patch:
        patch.setattr(ProgressLine, "__call__", interrupt)
        assert call(*command, "--out", out).exit_code == 130
    assert not read_status(out).complete
    assert read_status(out).plan.paths == 6000
    refused = call("run", pool, "--target-se", "el <= 2%", "--out", out, "--resume")
    assert refused.exit_code == 2
    result = call(*command, "--out", out, "--resume")
    assert result.exit_code == 0, result.output
    assert "after 4,000 paths" not in result.stderr  # that look was taken
    assert call(*command, "--out", tmp_path / "whole").exit_code == 0
    assert bytes_below(out) == bytes_below(tmp_path / "whole")


def test_says_what_it_could_not_reach(call: Call, pool: Path, tmp_path: Path) -> None:
    goals = ("--target-se", "es99.9 <= 0.1%", "--paths", 4500)
    result = call("run", pool, *goals, "--out", tmp_path / "run")
    assert result.exit_code == 7
    assert "TARGET NOT MET after 4,500 paths: ES 99.9%" in result.stdout
    assert "rests on" in result.stdout
    assert "takes about" in result.stderr
    assert call("run", pool, *goals, "--out", tmp_path / "run").exit_code == 7  # the run is there
    found = json.loads(call("run", pool, *goals, "--out", tmp_path / "run", "--json").stdout)
    assert not found["target"]["met"]
    assert found["target"]["looks"][-1]["estimates"][0]["paths_needed"] > 10_000
    assert found["paths_needed"]["expected_shortfall"]["0.999"] > 4500


@pytest.mark.nojit
@pytest.mark.parametrize(
    "wrong", ["es <= 1%", "es99 <= 0%", "es40 <= 1%", "pd <= 1 usd_m", "el <= 5 bp", "el >= 1%", ""]
)
def test_wrong_goals(call: Call, pool: Path, tmp_path: Path, wrong: str) -> None:
    result = call("run", pool, "--target-se", wrong, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "--target-se: expected goals such as 'es99.9 <= 1%'" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.nojit
@pytest.mark.parametrize("method", ["quasi", "stratified"])
def test_spread_runs_have_a_fixed_number_of_paths(method: str) -> None:
    sequential = Sequential(parse_goals("el <= 1%"), 9000)
    with pytest.raises(NeoboxError, match="fixes the number of paths beforehand"):
        sequential.begin(plan_of(9000, sampling={"method": method}))
    first = sequential.begin(plan_of(9000, sampling={"method": "importance"}))
    assert (first.paths, first.looks) == (4000, (4000, 6000, 8000, 9000))
