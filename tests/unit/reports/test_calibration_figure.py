"""The figure of a calibration draws the numbers it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from simulator.calibration import PriceCalibration, calibrate_memory, calibrate_prices
from simulator.calibration.regimes import Chain, simulate
from simulator.reports.calibration import PANELS, picture_of
from simulator.reports.figures import calibration as figures
from tests.unit.calibration.test_regimes import TRUE

pytestmark = pytest.mark.nojit

LISTS = Path(__file__).parents[3] / "configs" / "calibration" / "series" / "gpu_list_prices.csv"


@pytest.fixture(scope="module")
def found() -> PriceCalibration:
    return calibrate_prices(LISTS, "H100", samples=99)


def test_prices_are_drawn_with_their_gap(found: PriceCalibration) -> None:
    axes = figures.prices(found, Figure().subplots())
    seen = np.asarray(axes.get_lines()[-1].get_ydata(), float)
    np.testing.assert_array_equal(seen[np.isfinite(seen)], found.series.values)
    assert np.isnan(seen).sum() == 1  # October to December 2023
    assert axes.get_ylabel() == "USD per GPU-hour"


def test_reversion_marks_estimate_and_base(found: PriceCalibration) -> None:
    axes = figures.reversion(found, Figure().subplots())
    upright = {line.get_label(): float(line.get_xdata()[0]) for line in axes.get_lines()[1:]}
    assert upright == {"estimate": found.estimates[0].value, "base value": 1.5}
    assert "gpu.spot_kappa" in axes.get_xlabel()


def test_shades_cover_the_spells(tmp_path: Path) -> None:
    moves, _ = simulate(Chain.of(3), TRUE, 150, seed=1)
    index = 100 * np.exp(np.cumsum([0.0, *moves]))
    lines = [f"{2005 + i // 12}-{i % 12 + 1:02d},{one:.6f}" for i, one in enumerate(index)]
    path = tmp_path / "dram.csv"
    path.write_text("\n".join(["month,dram", *lines]) + "\n")
    memory = calibrate_memory(path)
    axes = figures.cycle(memory, Figure().subplots())
    assert len(axes.patches) == len(memory.spells)
    assert sorted(text for text in axes.get_legend_handles_labels()[1] if text != "seen") == sorted(
        {("balanced", "shortage", "glut")[one.regime] for one in memory.spells}
    )


def test_the_picture_is_repeatable_and_told_in_words(found: PriceCalibration) -> None:
    picture = picture_of(found)
    assert len(picture.panels) == len(PANELS["prices"])
    assert "does not pin down gpu.spot_kappa" in picture.alt
    assert picture.render("png", dpi=40) == picture_of(found).render("png", dpi=40)
