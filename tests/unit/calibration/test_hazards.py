"""The curve of hazards: recovery, conditions, errors, the table a study reads."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

import simulator
from simulator.calibration import calibrate_hazards
from simulator.calibration.hazards import Cells, curve, curve_text, design, fit
from simulator.config.errors import ConfigError, Problems
from simulator.config.ratings import user_curves
from simulator.config.study import load_study
from simulator.config.template import write_template

pytestmark = pytest.mark.nojit

Write = Callable[..., Path]

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "configs" / "calibration" / "fit_hazards.py"
COEFFICIENTS = np.array(
    json.loads((SCRIPT.parent / "hazard_coefficients.json").read_text(encoding="utf-8"))[
        "coefficients"
    ]
)
LETTERS = {"AAA": 1, "AA": 3, "A": 6, "BBB": 9, "BB": 12, "B": 15, "CCC/C": 18}
HEAD = "rating,y1,y2,y3,y4,y5,y6"


def averages(noise: float = 0.0, seed: int = 1) -> list[str]:
    """A table of cumulative rates made from the committed curve."""
    random, made, lines = np.random.default_rng(seed), curve(COEFFICIENTS), [HEAD]
    for letter, notch in LETTERS.items():
        hazards = made[notch - 1] * np.exp(noise * random.standard_normal(6))
        rates = 100 * (1 - np.exp(-np.cumsum(hazards)))
        lines.append(",".join([letter, *(f"{rate:.8f}" for rate in rates)]))
    return lines


def test_a_curve_of_the_family_is_given_back(write: Write) -> None:
    found = calibrate_hazards(write(*averages()))
    letters = [notch - 1 for notch in LETTERS.values()]
    np.testing.assert_allclose(found.hazards[letters], curve(COEFFICIENTS)[letters], rtol=0.02)


def test_conditions_hold_under_noise(write: Write) -> None:
    found = calibrate_hazards(write(*averages(noise=0.3)))
    rises = np.diff(np.log(found.hazards[:18]), axis=0)
    above = found.hazards[:17] > 1.0001e-4  # the floor is flat
    assert rises[above].min() > 0.03 - 1e-6
    np.testing.assert_allclose(np.diff(np.log(found.hazards[17:]), axis=0), 0.25)


def test_errors_are_those_of_weighted_least_squares_where_no_condition_binds() -> None:
    """Cells close to a plane in notch and ln year: textbook covariance."""
    notch, year = (axis.ravel().astype(float) for axis in np.mgrid[1:19, 1:7])
    c = np.zeros(16)
    c[0], c[1] = -4.0, 2.0
    scatter = 0.002 * np.random.default_rng(2).standard_normal(len(notch))
    cells = Cells(notch, year, np.exp(design(notch, year) @ c + scatter))
    found = fit(cells)
    assert found.binding == 0
    weight = np.where(notch <= 3, 0.4, np.where(notch >= 15, 1.5, 1.0))
    x, y = weight[:, None] * design(notch, year), weight * np.log(cells.hazard)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    variance = residual @ residual / (len(y) - 16)
    expected = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    np.testing.assert_allclose(found.errors, expected, rtol=1e-3)
    assert np.all(np.abs(found.coefficients - c) < 4.5 * found.errors)


def test_binding_conditions_shrink_errors_to_what_stays_free(write: Write) -> None:
    found = calibrate_hazards(write(*averages(noise=0.05)))
    errors = np.array([one.se for one in found.estimates])
    assert np.all(errors >= 0)
    assert np.all(np.isfinite(errors))
    assert "of the conditions that hazards rise" in str(found)
    assert "Root mean square error of the fitted yearly hazards: AAA" in str(found)


def test_a_study_reads_the_table(write: Write, tmp_path: Path) -> None:
    found = calibrate_hazards(write(*averages(noise=0.05)))
    study = write_template(tmp_path / "study")[0]
    for name, text in found.files().items():
        (study.parent / name).write_text(text, encoding="utf-8")
    problems = Problems()
    curves = user_curves(study.parent / "ratings.csv", problems)
    assert not len(problems)
    assert set(curves) == set(range(1, 22))
    np.testing.assert_allclose(curves[9], found.hazards[8], atol=5e-7)
    overlay = yaml.safe_load(found.parameter_set())
    assert overlay == {"ratings_table": "ratings.csv"}
    assert load_study(study, overlay).digest != load_study(study).digest


WRONG = {
    "rating": (["Q9,1,2,3,4,5,6"], "rating: expected a rating from AAA to CCC, got 'Q9'"),
    "twice": (["AAA,1,2,3,4,5,6"], "rating: expected each once"),
    "falling": (["C+,1,2,3,4,5,6"], "got 'C+'"),
    "not percent": (["Baa1,1,2,3,4,5,101"], "y6: expected a cumulative rate in percent, 5 or more"),
    "blank": (["Baa1,1,2,,4,5,6"], "y3: expected a cumulative rate in percent, 2 or more"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_rows_are_told(write: Write, wrong: str) -> None:
    lines, said = WRONG[wrong]
    with pytest.raises(ConfigError) as caught:
        calibrate_hazards(write(*averages(), *lines))
    assert any(said in str(problem) for problem in caught.value.problems)
    assert all("data.csv:" in problem.place for problem in caught.value.problems)


def test_too_few_ratings_and_columns(write: Write) -> None:
    with pytest.raises(ConfigError, match="at least 6 ratings, got 3"):
        calibrate_hazards(write(*averages()[:4]))
    with pytest.raises(ConfigError, match="the columns y6"):
        calibrate_hazards(write("rating,y1,y2,y3,y4,y5", "AAA,1,2,3,4,5"))


def test_the_script_writes_the_table_of_the_package(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("fit_hazards", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(["--out", str(tmp_path / "hazards.csv")])
    shipped = Path(simulator.__file__).parent / "config" / "hazards.csv"
    text = (tmp_path / "hazards.csv").read_text(encoding="utf-8")
    assert text == shipped.read_text(encoding="utf-8") == curve_text(curve(COEFFICIENTS))
    table = tmp_path / "averages.csv"
    table.write_text("\n".join(averages()), encoding="utf-8")
    refit = json.loads(script.record(table))
    assert set(refit["relative_error_rms"]) == {"AAA", "AA", "A", "BBB", "BB", "B", "CCC"}
    assert max(refit["relative_error_rms"].values()) < 0.02
