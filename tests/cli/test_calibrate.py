"""`neobox calibrate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "configs" / "calibration" / "series" / "gpu_list_prices.csv"
PRICES = ("calibrate", "prices", LISTS, "--column", "H100", "--samples", "99")


def test_prices_are_printed_with_a_verdict(call: Call) -> None:
    result = call(*PRICES)
    assert result.exit_code == 0, result.output
    assert "prices: H100 of gpu_list_prices.csv, 34 values (3 blank)" in result.stdout
    assert "The series does not pin down gpu.spot_kappa: base 1.5 lies inside" in result.stdout


def test_files_are_written_and_a_study_takes_them(
    call: Call, template: Path, tmp_path: Path
) -> None:
    out = tmp_path / "fits" / "h100"
    result = call(*PRICES, "--kind", "contract", "--out", out)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["fit.png", "parameters.yaml"]
    assert (out / "fit.png").read_bytes().startswith(b"\x89PNG")
    values = yaml.safe_load((out / "parameters.yaml").read_text())["parameters"]["values"]
    assert set(values) == {"gpu.ctr_kappa", "gpu.ctr_sigma"}
    options = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    checked = call("check", template, *options)
    assert checked.exit_code == 0, checked.output


def test_an_older_calibration_is_not_lost(call: Call, tmp_path: Path) -> None:
    (tmp_path / "parameters.yaml").write_text("mine\n")
    refused = call(*PRICES, "--out", tmp_path)
    assert refused.exit_code == 2
    assert "replace it with --overwrite" in refused.stderr
    assert (tmp_path / "parameters.yaml").read_text() == "mine\n"
    assert call(*PRICES, "--out", tmp_path, "--overwrite").exit_code == 0
    assert "gpu.spot_sigma" in (tmp_path / "parameters.yaml").read_text()


def test_json_is_all_of_standard_output(call: Call, tmp_path: Path) -> None:
    result = call(*PRICES, "--json", "--out", tmp_path / "h100")
    found = json.loads(result.stdout)
    assert found["kind"] == "prices"
    assert found["estimates"][0]["low"] == 0
    assert str(tmp_path / "h100" / "fit.png") in result.stderr


@pytest.mark.parametrize("kind", ["prices", "memory", "rates", "hazards"])
def test_a_wrong_file_leaves_nothing_behind(call: Call, tmp_path: Path, kind: str) -> None:
    file, out = tmp_path / "wrong.csv", tmp_path / "out"
    file.write_text("month,x\n2025-01,dear\n2025-02,2\nlater,3\n")
    result = call("calibrate", kind, file, "--out", out)
    assert result.exit_code == 2
    assert f"{file}:" in result.stderr
    assert "mend by" in result.stderr
    assert not out.exists()
    assert "Traceback" not in result.output


def test_a_missing_file(call: Call, tmp_path: Path) -> None:
    result = call("calibrate", "rates", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "expected a table, got no such file" in result.stderr


def test_hazards_write_the_ratings_table(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "averages.csv"
    rows = [
        f"{letter},{','.join(f'{rate * year**0.9:.4f}' for year in range(1, 7))}"
        for letter, rate in zip(
            ("AAA", "AA", "A", "BBB", "BB", "B", "CCC/C"),
            (0.012, 0.03, 0.06, 0.2, 0.9, 4.0, 15.0),
            strict=True,
        )
    ]
    file.write_text("\n".join(["rating,y1,y2,y3,y4,y5,y6", *rows]) + "\n")
    result = call("calibrate", "hazards", file, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["fit.png", "parameters.yaml", "ratings.csv"]
    assert "Root mean square error" in result.stdout


def test_help_names_each_kind(call: Call) -> None:
    text = call("calibrate", "--help").stdout
    for kind in ("prices", "memory", "rates", "hazards", "docs/calibration.md"):
        assert kind in text
