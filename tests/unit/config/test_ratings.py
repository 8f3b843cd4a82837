from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulator.config.errors import Problems
from simulator.config.ratings import MOODYS, SP, curve, notch, package_curves, user_curves


def test_spellings() -> None:
    assert [notch(name) for name in MOODYS] == list(range(1, 22))
    assert [notch(name) for name in SP] == list(range(1, 21))
    assert notch("investment-grade") == notch("BBB+") == notch("Baa1") == 8
    assert notch("Non-investment-grade") == notch("BB") == notch("Ba2") == 12
    assert notch("Aa") == notch("AA") == 3
    assert notch("CCC/C") == notch("Caa2")
    assert notch("Q1") is None
    assert notch("aaa") is None


def test_package_curves_worsen_with_the_notch_and_never_fall_below_a_basis_point() -> None:
    curves = package_curves()
    five_years = [sum(curve(curves, number)[:5]) for number in range(1, 22)]
    assert five_years == sorted(five_years)
    assert min(min(curve(curves, number)) for number in range(1, 22)) >= 1e-4


def test_missing_notches_are_interpolated_in_logs() -> None:
    curves = {3: (0.001, 0.002), 6: (0.008,)}
    assert curve(curves, 3) == (0.001, 0.002)
    assert curve(curves, 4) == pytest.approx((0.002, 0.002 ** (2 / 3) * 0.008 ** (1 / 3)))
    assert curve(curves, 1) == (0.001, 0.002)
    assert curve(curves, 21) == (0.008,)


def test_floor() -> None:
    assert curve({1: (0.0, 0.5)}, 1) == (1e-4, 0.5)


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    path, out = tmp_path / "r.csv", Problems()
    path.write_text("rating,pd1,pd2\nBBB,0.01,0.02\nB,0.2,0.1\n", encoding="utf-8")
    curves = user_curves(path, out)
    assert not out
    assert curves[9] == pytest.approx((-math.log(0.99), -math.log(0.98)))


@pytest.mark.parametrize(
    "text",
    [
        "rating,y1\nQ1,0.1\n",
        "rating,y1\nBBB,-0.1\n",
        "rating,y1\nBBB,many\n",
        "rating,pd1\nBBB,1.0\n",
        "rating,y1\nBBB,\n",
        "rating,y1\nBBB,nan\n",
        "grade,y1\nBBB,0.1\n",
        "",
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str) -> None:
    path, out = tmp_path / "r.csv", Problems()
    path.write_text(text, encoding="utf-8")
    user_curves(path, out)
    assert len(out) == 1, list(map(str, out))
