"""`calibrate_prices`: what comes out, where it goes, and what the shipped series say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import yaml

from simulator.calibration import Estimated, PriceCalibration, calibrate_prices
from simulator.calibration.ornstein_uhlenbeck import Times, simulate
from simulator.config.errors import ConfigError
from simulator.config.study import load_study
from simulator.config.template import write_template

pytestmark = pytest.mark.nojit

Write = Callable[..., Path]
Monthly = Callable[[Iterable[float]], Path]

SERIES = Path(__file__).parents[3] / "configs" / "calibration" / "series"


def prices(kappa: float, sigma: float, months: int, seed: int) -> np.ndarray:
    years = np.arange(months) / 12
    normals = np.random.default_rng(seed).standard_normal((months, 1))
    path = simulate(Times(years, np.ones((months, 1)), stationary=True), kappa, normals)[:, 0]
    return 3.0 * np.exp(-0.14 * years + sigma * path)


@pytest.fixture(scope="module")
def shipped() -> PriceCalibration:
    return calibrate_prices(SERIES / "gpu_list_prices.csv", "H100", samples=199)


def test_long_series_pin_the_parameters_down(monthly: Monthly) -> None:
    path = monthly(prices(3.0, 0.25, 480, 1))
    found = calibrate_prices(path, kind="contract", samples=99)
    for name, truth in (("gpu.ctr_kappa", 3.0), ("gpu.ctr_sigma", 0.25), ("gpu.delta", -0.14)):
        one = found[name]
        assert abs(one.value - truth) < 4 * one.se
        assert one.low < one.value < one.high
    assert found["gpu.ctr_kappa"].pinned_down
    assert "pins down gpu.ctr_kappa: base 0.8 lies outside" in str(found)
    with pytest.raises(KeyError):
        _ = found["gpu.spot_kappa"]


def test_the_shipped_series_say_how_little_they_pin_down(shipped: PriceCalibration) -> None:
    text = str(shipped)
    assert "34 values (3 blank), 2023-09 to 2026-09" in text
    assert "The series does not pin down gpu.spot_kappa: base 1.5 lies inside [0," in text
    assert "the sample spans 36 months" in text
    assert "Short samples overstate gpu.spot_kappa" in text
    assert "Jumps: the series does not support them" in text
    assert not shipped["gpu.delta"].written
    assert "gpu.delta" not in shipped.parameter_set()


def test_seven_days_pin_down_nothing_and_write_nothing_absurd() -> None:
    found = calibrate_prices(SERIES / "gpu_index_daily.csv", "H100_marketplace", samples=99)
    assert not any(one.pinned_down for one in found.estimates)
    assert "Jumps: not tested" in str(found)
    block = yaml.safe_load(found.parameter_set())["parameters"]["values"]
    assert block == {}
    assert "# outside its domain, so not written:" in found.parameter_set()


def test_a_column_that_stands_still_is_refused() -> None:
    with pytest.raises(ConfigError, match="H200_neocloud: expected a series that moves"):
        calibrate_prices(SERIES / "gpu_index_daily.csv", "H200_neocloud")


def test_the_parameter_set_is_a_block_that_studies_take(
    shipped: PriceCalibration, tmp_path: Path
) -> None:
    study = write_template(tmp_path / "study")[0]
    values = yaml.safe_load(shipped.parameter_set())["parameters"]["values"]
    assert set(values) == {"gpu.spot_kappa", "gpu.spot_sigma"}
    loaded = load_study(study, values)  # as --set gives them
    for name, value in values.items():
        assert loaded.inputs.parameters[name] == value
        assert value == pytest.approx(shipped[name].value, rel=1e-5)
    tree = yaml.safe_load(study.read_text(encoding="utf-8"))
    tree["parameters"] = {
        **(tree.get("parameters") or {}),
        **yaml.safe_load(shipped.parameter_set())["parameters"],
    }
    study.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    assert load_study(study).inputs.parameters["gpu.spot_sigma"] == values["gpu.spot_sigma"]


def test_each_line_carries_error_interval_and_observations(shipped: PriceCalibration) -> None:
    (line,) = [one for one in shipped.parameter_set().splitlines() if "gpu.spot_kappa" in one]
    for words in ("standard error", "95% 0 to", "34 observations", "not pinned down: base 1.5"):
        assert words in line


def test_the_seed_decides(monthly: Monthly) -> None:
    path = monthly(prices(1.5, 0.4, 40, 2))
    first, again, other = (calibrate_prices(path, samples=99, seed=seed) for seed in (1, 1, 2))
    assert first.as_object() == again.as_object()
    assert first["gpu.spot_sigma"].value == other["gpu.spot_sigma"].value
    assert first["gpu.spot_sigma"].low != other["gpu.spot_sigma"].low


def test_the_object_is_json(shipped: PriceCalibration) -> None:
    found = json.loads(json.dumps(shipped.as_object(), allow_nan=False))
    assert found["observations"] == 34
    assert [one["id"] for one in found["estimates"]][:2] == ["gpu.spot_kappa", "gpu.spot_sigma"]
    assert found["estimates"][0]["pinned_down"] is False


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="kind: expected spot or contract, got 'list'"):
        calibrate_prices("unread.csv", kind="list")


@pytest.mark.parametrize(
    ("se", "low", "high", "verdict"),
    [
        (0.10, 0.8, 1.2, "pins down gpu.spot_kappa: base 1.5 lies outside [0.8, 1.2]"),
        (0.40, 0.5, 2.0, "does not pin down gpu.spot_kappa: base 1.5 lies inside [0.5, 2]"),
        (0.02, 0.9, 1.6, "pins down gpu.spot_kappa: base 1.5 lies inside [0.9, 1.6]"),
        (
            0.90,
            0.1,
            1.4,
            "does not pin down gpu.spot_kappa: its standard error is 60% of it,"
            " though base 1.5 lies outside [0.1, 1.4]",
        ),
        (
            np.nan,
            0.1,
            1.4,
            "does not pin down gpu.spot_kappa: its likelihood has no peak,"
            " though base 1.5 lies outside [0.1, 1.4]",
        ),
    ],
)
def test_verdicts(se: float, low: float, high: float, verdict: str) -> None:
    one = Estimated(id="gpu.spot_kappa", value=1.0, se=se, low=low, high=high)
    assert one.verdict == verdict
    assert one.pinned_down == verdict.startswith("pins")
