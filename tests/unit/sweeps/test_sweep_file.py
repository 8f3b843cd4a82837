"""Sweep files: points as they are meant, and every fault of every point at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.config.errors import ConfigError
from simulator.config.sweep_file import Sweep, read_sweep
from simulator.sweeps.plan import plan_points
from tests.unit.sweeps.samples import POOL, write_sweep

pytestmark = pytest.mark.nojit

HEAD = "schema: neobox.sweep/1\nbase: pool.yaml\n"


def sweep_of(folder: Path, text: str, *assignments: str) -> Sweep:
    return read_sweep(write_sweep(folder, HEAD + text), assignments)


def values(sweep: Sweep, key: str) -> list[object]:
    return [point.overrides.get(key) for point in sweep.points]


def test_a_grid_is_every_combination_with_its_last_axis_fastest(tmp_path: Path) -> None:
    sweep = sweep_of(
        tmp_path, "axes:\n  horizon_months: [12, 24]\n  discount_rate: {from: 0, to: 0.3, num: 4}\n"
    )
    assert values(sweep, "horizon_months") == [12] * 4 + [24] * 4
    assert values(sweep, "discount_rate") == [0.0, 0.1, 0.2, 0.3] * 2
    assert dict(sweep.axes) == {"horizon_months": (12, 24), "discount_rate": (0.0, 0.1, 0.2, 0.3)}
    assert {point.seed for point in sweep.points} == {1}


def test_zip_goes_along_and_scenarios_cross_it(tmp_path: Path) -> None:
    sweep = sweep_of(
        tmp_path,
        "method: zip\naxes:\n  horizon_months: [12, 24]\n  discount_rate: [1%, 2%]\n"
        "scenarios:\n  calm: {}\n  harsh: {names.A.lgd: 90%}\n",
    )
    assert [str(point) for point in sweep.points] == [
        "scenario=calm, horizon_months=12, discount_rate=1%",
        "scenario=calm, horizon_months=24, discount_rate=2%",
        "scenario=harsh, horizon_months=12, discount_rate=1%",
        "scenario=harsh, horizon_months=24, discount_rate=2%",
    ]
    assert values(sweep, "names.A.lgd") == [None, None, "90%", "90%"]
    assert not sweep.axes


@pytest.mark.parametrize("method", ["random", "latin_hypercube", "sobol"])
def test_drawn_points_follow_their_laws(tmp_path: Path, method: str) -> None:
    text = (
        f"method: {method}\npoints: 256\ndesign_seed: 7\naxes:\n"
        "  discount_rate: {from: 0.01, to: 0.05}\n"
        "  names.A.lgd: {law: beta, mean: 0.5, sd: 0.1}\n"
        "  names.B.lgd: {law: normal, mean: 0.4, sd: 0.2, from: 0.2, to: 0.6}\n"
        "  horizon_months: [12, 24, 36]\n"
    )
    sweep = sweep_of(tmp_path, text)
    assert sweep.points == sweep_of(tmp_path, text).points
    assert sweep.points != sweep_of(tmp_path, text.replace("7", "8")).points
    rates = np.array(values(sweep, "discount_rate"))
    lgd = np.array(values(sweep, "names.A.lgd"))
    cut = np.array(values(sweep, "names.B.lgd"))
    assert stats.kstest(rates, stats.uniform(0.01, 0.04).cdf).pvalue > 0.01
    assert stats.kstest(lgd, stats.beta(12, 12).cdf).pvalue > 0.01
    assert cut.min() >= 0.2
    assert cut.max() <= 0.6
    months, counts = np.unique(values(sweep, "horizon_months"), return_counts=True)
    assert months.tolist() == [12, 24, 36]
    assert counts.min() > 55
    if method != "random":  # each of 256 slices of the law holds one point
        assert set(((rates - 0.01) / 0.04 * 256).astype(int)) == set(range(256))


def test_the_command_line_wins(tmp_path: Path) -> None:
    text = "axes:\n  horizon_months: [12, 24]\n  discount_rate: [1%, 2%]\n"
    sweep = sweep_of(tmp_path, text, "horizon_months=36", "discount_rate=0,5%,7%", "names.A.pd=0.1")
    assert dict(sweep.axes) == {"discount_rate": (0, "5%", "7%")}
    assert values(sweep, "horizon_months") == [36] * 3
    assert sweep.base.overrides == {"horizon_months": 36, "names.A.pd": 0.1}


def test_a_study_takes_axes_from_the_command_line(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    sweep = read_sweep(tmp_path / "pool.yaml", ["horizon_months=12,24"], paths=50, seed=9)
    assert len(plan_points(sweep).points) == 2
    assert (sweep.name, sweep.paths, sweep.seed) == ("pool", 50, 9)
    with pytest.raises(ConfigError, match="expected something that varies"):
        read_sweep(tmp_path / "pool.yaml")


def test_deals_come_and_go_with_their_tape() -> None:
    book = Path(__file__).resolve().parents[3] / "configs" / "ai-infrastructure-2026.yaml"
    axis = "tape=[neocloud-2026,ai-infrastructure-2026],[neocloud-2026]"
    planned = plan_points(read_sweep(book, [axis]))
    whole, part = (one.plan.ids["facility"] for one in planned.points if one.plan is not None)
    assert set(part) < set(whole)
    assert planned.sweep.axes["tape"] == ("neocloud-2026+ai-infrastructure-2026", "neocloud-2026")
    assert planned.points[0].key == planned.base.key


def test_random_numbers_of_their_own(tmp_path: Path) -> None:
    text = "random_numbers: independent\naxes:\n  horizon_months: [12, 24, 36]\n"
    sweep = sweep_of(tmp_path, text)
    seeds = {point.seed for point in sweep.points}
    assert len(seeds | {sweep.base.seed}) == 4
    assert all(0 <= seed < 1 << 63 for seed in seeds)


FAULTS = {
    "method: zip\naxes:\n  a: [1, 2]\n  b: [1]\n": "5?:1: axes: expected as many values",
    "method: list\naxes:\n  a: [1, 2]\n": ":3:1: method: expected list with scenarios alone",
    "method: sobol\naxes:\n  a: {from: 0, to: 1}\n": "points: expected a number of points",
    "points: 3\naxes:\n  a: [1, 2]\n": ":3:1: points: expected none",
    "axes:\n  a: {from: 0, to: 1}\n": ":4:3: axes.a: expected a list, or from and to with num",
    "axes:\n  a: 3\n": ":4:3: axes.a: expected a list of values, got 3",
    "axes:\n  a: [1, 1]\n": ":4:10: axes.a: expected each value once",
    "axes:\n  a: [1, 2]\nset: {a: 3}\n": "a: expected a key that no axis has",
    "axes:\n  a: [1, 2]\nscenarios:\n  x: {a: 3}\n": ":6:7: scenarios.x.a: expected a key that no",
    "axis:\n  a: [1, 2]\n": r"axis: expected a known key, .* 'axes' \(did you mean",
    "paths: 0\naxes:\n  a: [1, 2]\n": ":3:1: paths: expected a whole number of paths",
    "method: random\npoints: 4\naxes:\n  a: {law: beta, mean: 2, sd: 1}\n": "a mean between",
    "method: random\npoints: 4\naxes:\n  a: {law: beta, mean: 2}\n": "expected beta with mean, sd",
    "method: random\npoints: 4\naxes:\n  a: {from: 2, to: 1}\n": "expected from below to, or a law",
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_of_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=FAULTS[text]) as raised:
        sweep_of(tmp_path, text)
    assert all(", mend by " in str(problem) for problem in raised.value.problems)


def test_faults_of_all_points_come_at_once_and_where_they_stand(tmp_path: Path) -> None:
    text = (
        "axes:\n  names.A.pd: [3%, 200%]\n  copula.nuu: [4, 5]\n"
        "scenarios:\n  plain: {}\n  wrong:\n    names.B.lgd: many\n  lost: gone.yaml\n"
    )
    sweep = sweep_of(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        plan_points(sweep)
    told = [str(problem) for problem in raised.value.problems]
    file = tmp_path / "small.yaml"
    assert any(one.startswith(f"{file}:4:20: names.A.pd") for one in told)
    assert any(one.startswith(f"{file}:5:") and "copula.nuu" in one for one in told)
    assert any(one.startswith(f"{file}:9:5: names.B.lgd") for one in told)
    assert any("no scenario" in one for one in told)  # a pool takes blocks, not overlay files
    assert len(told) == len(set(told)) == 5


def test_faults_of_the_study_are_told_once(tmp_path: Path) -> None:
    file = write_sweep(tmp_path, pool=POOL.replace("lgd: 60%", "lgd: 160%"))
    with pytest.raises(ConfigError) as raised:
        plan_points(read_sweep(file))
    assert [one.place for one in raised.value.problems] == [f"{tmp_path / 'pool.yaml'}:6:35"]
