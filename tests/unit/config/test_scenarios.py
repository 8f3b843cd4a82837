"""Scenarios: what an overlay changes, where its faults are, what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from simulator.config import ConfigError, Problem, Study, load_study
from simulator.config.drivers import FIXED_BY_PATH
from simulator.drivers.rates import pack_rates
from tests.unit.config.conftest import Draft


def overlay(draft: Draft, name: str = "other", **blocks: Any) -> Path:
    path = draft.folder / f"{name}.yaml"
    tree = {"schema": "neobox.scenario/1", **blocks}
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path


def under(draft: Draft, *scenarios: Path, **overrides: Any) -> Study:
    return load_study(draft.write(), overrides, scenarios)


def faults(draft: Draft, *scenarios: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        under(draft, *scenarios)
    return caught.value.problems


def test_only_what_it_says_is_changed(draft: Draft) -> None:
    draft.study["parameters"] = {"values": {"dem.sigma": 0.3, "eff.e_lr": 1.0}}
    changes = {"parameters": {"values": {"dem.sigma": 0.4}}, "drivers": {"memory": False}}
    found = under(draft, overlay(draft, **changes)).inputs
    assert found.parameters["dem.sigma"] == 0.4
    assert found.parameters["eff.e_lr"] == 1.0
    assert not found.switches["memory"]
    assert found.switches["demand"]


def test_later_ones_win_and_single_values_win_over_them(draft: Draft) -> None:
    first = overlay(draft, "first", parameters={"values": {"dem.sigma": 0.1, "eff.e_sr": 0.4}})
    second = overlay(draft, "second", parameters={"values": {"dem.sigma": 0.2}})
    found = under(draft, first, second)
    assert found.inputs.parameters["dem.sigma"] == 0.2
    assert found.inputs.parameters["eff.e_sr"] == 0.4
    assert found.scenarios == ("first", "second")
    assert under(draft, first, second, **{"dem.sigma": 0.15}).inputs.parameters["dem.sigma"] == 0.15


def test_paths_and_curves_are_replaced_whole(draft: Draft) -> None:
    draft.study["sofr_curve"] = {1: 0.03, 24: 0.04}
    first = overlay(draft, "first", path={"price": {6: 0.5, 12: 0.4}, "delay_months": 3})
    second = overlay(draft, "second", path={"price": {24: 0.8}}, sofr_curve={1: 0.05})
    found = under(draft, first, second).inputs
    assert found.path is not None
    assert found.path.log_price[24] == pytest.approx(np.log(0.8))
    assert found.path.log_price[12] == pytest.approx(np.log(0.8) / 2.0)
    assert found.path.delay_months == 3
    assert set(found.sofr_forwards) == {0.05}


def test_cells_of_the_tape(draft: Draft) -> None:
    found = under(draft, overlay(draft, set={"boxes.*.reserve_months": 9})).inputs
    assert {box.reserve_months for box in found.book.boxes} == {9}


def test_what_was_expected_stays(draft: Draft) -> None:
    plain = draft.load().inputs
    bad = overlay(
        draft,
        parameters={"set": "stress"},
        drivers={"memory": False, "policy": False},
        correlations={"D": {"M": 0.2}},
        sofr_curve={1: 0.06},
    )
    found = under(draft, bad)
    assert found.inputs.expected == plain.expected
    assert found.inputs.parameters != plain.parameters
    assert found.inputs.sofr_forwards != plain.expected.sofr_forwards


def test_a_scenario_may_not_change_what_was_expected(draft: Draft) -> None:
    path = overlay(draft, reference={"set": "stress"}, horizon_months=24, parametrs={})
    found = faults(draft, path)
    assert [problem.path for problem in found] == ["reference", "horizon_months", "parametrs"]
    assert "no scenario changes" in found[0].mend
    assert "parameters" in found[2].mend
    assert all(problem.place.startswith(f"{path}:") for problem in found)


def test_faults_of_values_stand_in_the_overlay(draft: Draft) -> None:
    path = overlay(draft, parameters={"values": {"dem.sgma": 0.2}}, path={"price": {6: -1}})
    found = {problem.path: problem for problem in faults(draft, path)}
    assert found["parameters.values.dem.sgma"].place == f"{path}:4:5"
    (price,) = [one for name, one in found.items() if name.startswith("path.price")]
    assert price.place.startswith(f"{path}:7")


def test_another_format_is_refused(draft: Draft) -> None:
    path = draft.folder / "odd.yaml"
    path.write_text("parameters: {set: low}\n", encoding="utf-8")
    (problem,) = faults(draft, path)
    assert problem.path == "schema"
    (missing,) = faults(draft, draft.folder / "absent.yaml")
    assert missing.expected == "a scenario file"


def test_a_path_turns_off_what_it_replaces(draft: Draft) -> None:
    block = {"price": {12: 0.5}, "defaults": {"largest-non-investment-grade": 6}}
    found = under(draft, overlay(draft, path=block)).inputs
    assert found.path is not None
    assert not any(found.switches[name] for name in FIXED_BY_PATH)
    assert found.switches["renegotiation"]
    assert found.path.defaults == (("Example Lab", 6),)
    np.testing.assert_allclose(found.path.log_price[:13], np.log(0.5) * np.arange(13) / 12.0)
    np.testing.assert_allclose(found.path.log_price[12:], np.log(0.5))


def test_faults_of_a_path(draft: Draft) -> None:
    block = {"price": {12: 0.5}, "defaults": {"Example Labb": 6}}
    (problem,) = faults(draft, overlay(draft, path=block))
    assert "Example Lab" in problem.mend


def test_stress_on_correlations_is_checked(draft: Draft) -> None:
    plain, stressed = (
        draft.load().inputs,
        under(draft, overlay(draft, correlation_stress=1.3)).inputs,
    )
    before, after = np.array(plain.correlations), np.array(stressed.correlations)
    among = np.ix_([0, 1, 2, 3], [0, 1, 2, 3])  # Z, C, D, P
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(after[among][off], 1.3 * before[among][off])
    np.testing.assert_array_equal(after[4:, :], before[4:, :])
    (problem,) = faults(draft, overlay(draft, correlation_stress=1.8))
    assert "smallest eigenvalue -" in problem.got


def test_a_curve_is_repriced_month_by_month() -> None:
    """Mean discount factors of the noise around the packed means are those of the forwards.

    ln E exp(-I) = -E I + var I / 2 for I the sum of monthly rates over 12, normal; the variance is
    summed here over pairs of months.
    """
    months, kappa, sigma = 60, 0.25, 0.012
    forwards = tuple(0.03 + 0.02 * np.sin(t / 9.0) for t in range(1, months + 1))
    p = {"ir.r0": 0.03, "ir.theta": 0.2, "ir.kappa": kappa, "ir.sigma": sigma}
    p |= {"cs.kappa": 0.5, "cs.sigma": 0.4, "cs.hy0": 300.0, "cs.hy_mean": 400.0}
    p |= {"cs.ap_jump": 0.0, "cs.refi_shut": 0.5}
    packed = pack_rates(p, months, forwards, rates=True, spreads=True)
    a, s = packed.rate_decay, packed.rate_sd
    t = np.arange(1, months + 1)
    variance = s * s * (1.0 - a ** (2 * t)) / (1.0 - a * a)
    covariance = np.minimum.outer(variance, variance) * a ** np.abs(np.subtract.outer(t, t))
    for last in (1, 2, 12, 60):
        expected = packed.mean_rate[1 : last + 1].sum() / 12.0
        of_noise = covariance[:last, :last].sum() / 144.0
        assert expected - of_noise / 2.0 == pytest.approx(sum(forwards[:last]) / 12.0, rel=1e-12)
    calm = pack_rates(p, months, forwards, rates=False, spreads=True)
    np.testing.assert_array_equal(calm.mean_rate[1:], forwards)


def test_what_set_may_not_change_either(draft: Draft) -> None:
    path = overlay(draft, set={"reference.set": "stress", "horizon_months": 12})
    found = faults(draft, path)
    assert [problem.path for problem in found] == ["set.reference.set", "set.horizon_months"]
    assert found[0].place == f"{path}:3:3"


def test_faults_of_set_stand_in_the_overlay(draft: Draft) -> None:
    path = overlay(draft, set={"dem.sgma": 0.2, "debt.TERM-A.advance": "much"})
    places = {problem.place for problem in faults(draft, path)}
    assert places == {f"{path}:3:3", f"{path}:4:3"}
