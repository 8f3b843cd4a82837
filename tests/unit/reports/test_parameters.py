"""The chapter on uncertain parameters: there if they are uncertain, with the table's numbers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from simulator.analytics import Analysis, analyse, headline
from simulator.cli.report import as_text
from simulator.reports import pictures
from simulator.reports.document import render
from simulator.reports.figures.parameters import effect_bars
from simulator.reports.sections import sections
from tests.unit.reports.synthetic import synthetic_run, with_uncertainty

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(with_uncertainty(synthetic_run(603)))


def table_of(analysis: Analysis) -> xr.Dataset:
    assert analysis.uncertainty is not None
    return analysis.uncertainty


def test_chapter_is_there(analysis: Analysis) -> None:
    drawn = {"parameters": pictures(analysis)["parameters"]}
    chapter = next(one for one in sections(analysis, drawn) if one.name == "uncertainty")
    assert chapter.title == "Within and between parameters"
    assert [image.name for image in chapter.images] == ["parameters"]
    assert [row[0] for row in chapter.tables[0].rows] == [
        "lender loss, book",
        "equity profit, all boxes",
    ]
    assert "76 draws of the parameters, 8 paths each" in chapter.tables[0].note
    assert [row[0] for row in chapter.folded[0].rows] == ["dem.sigma", "gpu.delta"]
    html = render(analysis)
    assert 'href="#uncertainty"' in html
    assert "nan" not in " ".join(" ".join(row) for row in chapter.tables[0].rows)


def test_chapter_is_not_there_where_parameters_are_certain() -> None:
    certain = analyse(synthetic_run(200))
    assert certain.uncertainty is None
    assert "parameters" not in pictures(certain)
    assert "uncertainty" not in [one.name for one in sections(certain, {})]
    assert "between parameters" not in as_text(headline(certain))


def test_no_figure_without_parameters() -> None:
    run = with_uncertainty(synthetic_run(100)).drop_dims("parameter")
    nameless = analyse(run)
    assert "parameters" not in pictures(nameless)
    assert "uncertainty" in [one.name for one in sections(nameless, {})]


def test_bars_are_the_effects(analysis: Analysis) -> None:
    table = table_of(analysis)
    axes = effect_bars(table, Figure().subplots(), "slope", ["gpu.delta", "dem.sigma"])
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == table["slope"].sel(parameter=["gpu.delta", "dem.sigma"]).values.tolist()
    figure = pictures(analysis)["parameters"].figure()
    figure.canvas.draw()
    for panel in figure.axes:
        box = panel.get_tightbbox()
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0


def test_line_of_the_headline(analysis: Analysis) -> None:
    text = as_text(headline(analysis))
    line = next(line for line in text.splitlines() if "between parameters" in line)
    assert line.endswith("% of the variance of losses")
    assert " ± " in line
    run = with_uncertainty(synthetic_run(603))
    for name in ("lender_loss", "lender_loss_share", "tranche_loss", "book_lender_loss"):
        run[name] = run[name] * 0.0
    lossless = as_text(headline(analyse(run)))
    assert "n/a of the variance" in lossless
    assert "< 3.9%" in lossless  # 3/76 draws
    assert np.isnan(table_of(analyse(run))["between_share"].values[0])
