"""Implied ratings."""

from __future__ import annotations

import math

import pytest

from simulator.analytics.rating import GRADES, RatingScale, fitted_scale

pytestmark = pytest.mark.nojit


def test_curve_goes_through_its_anchors() -> None:
    losses = fitted_scale().losses
    anchors = {"Aaa": 0.00002, "A3": 0.004, "Ba2": 0.046, "C": 1.0}
    for grade, loss in anchors.items():
        assert losses[grade] == pytest.approx(loss, rel=2e-4)


def test_curve_rises_and_has_all_notches() -> None:
    losses = fitted_scale().losses
    assert tuple(losses) == GRADES
    assert len(losses) == 21
    assert list(losses.values()) == sorted(losses.values())


def test_grades() -> None:
    scale = fitted_scale()
    assert scale.grade(0.0) == "Aaa"
    assert scale.grade(0.9999) == "C"
    assert scale.grade(2.0) == "C"
    assert scale.grade(math.nan) == "n/a"
    for grade, loss in scale.losses.items():
        assert scale.grade(loss) == grade
    assert scale.grade_range(0.004, 0.004) == "A3"
    assert scale.grade_range(-0.1, 0.046) == "Aaa to Ba2"


def test_boundary_is_the_geometric_mean() -> None:
    scale = RatingScale({"good": 0.01, "bad": 0.04})
    assert (scale.grade(0.02), scale.grade(0.0200001)) == ("good", "bad")


def test_bad_scales() -> None:
    with pytest.raises(ValueError, match=r"got A 0\.02, B 0\.01"):
        RatingScale({"A": 0.02, "B": 0.01})
    with pytest.raises(ValueError, match="at least one grade"):
        RatingScale({})
