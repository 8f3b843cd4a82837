"""Figures draw the numbers they are given and name their units."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.analytics import Analysis, analyse
from simulator.reports import FORMATS, Picture, pictures
from simulator.reports.figures import defaults, equity, fans, losses
from simulator.reports.order import by_risk
from tests.unit.reports.synthetic import synthetic_run

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(synthetic_run(2000))


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def test_fan_draws_quantiles(analysis: Analysis, axes: Axes) -> None:
    run = analysis.run
    result = fans.fan(run, axes, "rental_price_contract", title="H100", generation="H100")
    assert result is axes
    median = axes.get_lines()[-1]
    expected = run["fan_rental_price_contract"].sel(generation="H100", quantile=0.5).values
    np.testing.assert_array_equal(median.get_ydata(), expected)
    assert len(axes.collections) == 4
    assert axes.get_ylabel() == "USD per GPU-hour"
    assert axes.get_title(loc="left") == "H100" or axes.get_title() == "H100"
    assert axes.get_ylim()[0] == 0.0


@pytest.mark.parametrize(
    ("series", "unit"),
    [
        ("tightness", "log of demand over capacity"),
        ("high_yield_spread", "basis points"),
        ("sofr", "per year"),
        ("book_dscr", "times"),
        ("outstanding_debt", "USD m"),
        ("power_price", "USD/MWh"),
    ],
)
def test_fans_name_their_unit(analysis: Analysis, axes: Axes, series: str, unit: str) -> None:
    assert fans.fan(analysis.run, axes, series).get_ylabel() == unit


def test_fan_is_cut_openly(analysis: Analysis, axes: Axes) -> None:
    fans.fan(analysis.run, axes, "book_dscr", title="Coverage", clip=1.2, reference=1.0)
    assert axes.get_ylim()[1] == 1.2
    assert "axis cut at 1.2" in axes.get_title() + axes.get_title(loc="left")


def test_dates_are_on_the_axis(analysis: Analysis, axes: Axes) -> None:
    fans.fan(analysis.run, axes, "tightness")
    axes.figure.canvas.draw()
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert set(ticks) <= {str(year) for year in range(2026, 2035)}
    assert len(ticks) >= 5


def test_bars_are_the_estimates(analysis: Analysis, axes: Axes) -> None:
    names = by_risk(analysis)
    assert len(names) == 6
    losses.facility_bars(analysis.risk, axes, "expected_loss", names, label="USD m")
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == analysis.risk["expected_loss"].sel(facility=names).values.tolist()
    assert names[-1] == "Fir notes"  # not in the book
    assert widths[:-1] == sorted(widths[:-1], reverse=True)
    assert [label.get_text() for label in axes.get_yticklabels()] == names


def test_causes_stack_to_the_probability_of_default(analysis: Analysis, axes: Axes) -> None:
    names = by_risk(analysis)
    defaults.cause_bars(analysis.causes, axes, names)
    ends = {}
    for bar in axes.patches:
        ends[round(bar.get_y(), 6)] = bar.get_x() + bar.get_width()
    expected = analysis.risk["default_probability"].sel(facility=names).values
    np.testing.assert_allclose(list(ends.values()), expected, rtol=1e-12)


def test_exceedance_axis_is_logarithmic(analysis: Analysis, axes: Axes) -> None:
    losses.book_exceedance(analysis.exceedance, axes)
    assert axes.get_yscale() == "log"
    curve = axes.get_lines()[0]
    np.testing.assert_array_equal(curve.get_xdata(), analysis.exceedance["book_loss"].values)


def test_spread_and_curves(analysis: Analysis, axes: Axes) -> None:
    boxes = [str(box) for box in analysis.equity["box"].values]
    equity.spread(analysis.equity, axes, "moic", "box", boxes, label="times", reference=1.0)
    assert [patch.get_x() for patch in axes.patches[: len(boxes)]] == analysis.equity["moic"].sel(
        probability=0.05
    ).values.tolist()
    equity.chances(analysis.equity, Figure().subplots(), "box", boxes)
    other = Figure().subplots()
    defaults.default_curves(
        analysis.counterparty_defaults, other, "counterparty", ["Lab Two", "Lab Three"]
    )
    assert len(other.get_lines()) == 2
    assert other.get_lines()[0].get_ydata()[0] == 0.0


def test_figures_change_nothing_they_are_given(analysis: Analysis) -> None:
    tables = [table for table in analysis if table is not None]
    before = [table.copy(deep=True) for table in tables]
    for picture in pictures(analysis).values():
        picture.figure()
    assert all(a.identical(b) for a, b in zip(tables, before, strict=True))


@pytest.mark.parametrize("form", FORMATS)
def test_formats_have_repeatable_bytes(analysis: Analysis, form: str) -> None:
    picture = pictures(analysis)["convergence"]
    first = picture.render(form)
    assert first == picture.render(form)
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[form]
    assert first.startswith(start)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="svg, png, pdf, got gif"):
        Picture("x", "", "", [lambda axes: axes]).render("gif")


def test_labels_stand_clear_and_inside(analysis: Analysis) -> None:
    """Tick labels do not overlap, panels do not run into each other, nothing is cut off."""
    for name, picture in pictures(analysis).items():
        figure = picture.figure()
        figure.canvas.draw()
        panels = [axes.get_tightbbox() for axes in figure.axes]
        for panel in panels:
            assert figure.bbox.x0 <= panel.x0, name
            assert panel.x1 <= figure.bbox.x1, name
            assert figure.bbox.y0 <= panel.y0, name
            assert panel.y1 <= figure.bbox.y1, name
        for one, other in combinations(panels, 2):
            assert not one.overlaps(other), name
        for legend in figure.legends:
            assert legend.get_tightbbox().x0 >= 0.0, name
            assert not any(legend.get_tightbbox().overlaps(panel) for panel in panels), name
        for axes in figure.axes:
            labels = [one.get_window_extent() for one in axes.get_xticklabels() if one.get_text()]
            shown = [
                box
                for box in labels
                if axes.bbox.x0 - 1 < box.x0 + box.width / 2 < axes.bbox.x1 + 1
            ]
            assert all(left.x1 <= right.x0 for left, right in pairwise(shown)), name
