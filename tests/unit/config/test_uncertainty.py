"""Priors on parameters: laws, domains, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.config.priors import LAWS, law_of, quantile
from simulator.config.terms import Prior
from tests.unit.config.conftest import Draft

GOOD: dict[str, dict[str, Any]] = {
    "dem.sigma": {"law": "lognormal", "median": 0.2, "sd_log": 0.3},
    "eff.e_lr": {"law": "normal", "mean": 1.12, "sd": 0.15},
    "sup.complete": {"law": "beta", "mean": 0.4, "sd": 0.05},
    "reg.lambda": {"law": "gamma", "mean": 0.4, "shape": 4},
    "gpu.delta": {"law": "uniform", "min": -0.3, "max": -0.1},
    "sup.lag": {"law": "triangular", "min": 15, "mode": 18, "max": 24},
}


def with_priors(draft: Draft, priors: dict[str, Any], paths: int = 8) -> Draft:
    draft.study["uncertainty"] = {"paths_per_draw": paths, "priors": priors}
    return draft


def test_every_law(draft: Draft) -> None:
    found = with_priors(draft, GOOD).load().inputs
    assert found.uncertainty is not None
    assert found.uncertainty.paths_per_draw == 8
    assert {prior.law for prior in found.uncertainty.priors} == set(LAWS)
    assert set(GOOD) <= {prior.id for prior in found.uncertainty.priors}


MOMENTS = {
    "gamma": ((0.4, 4.0, 0.0), 0.4, 0.2),
    "normal": ((1.0, 0.1, 0.0), 1.0, 0.1),
    "beta": ((0.4, 0.08, 0.0), 0.4, 0.08),
    "lognormal": ((2.0, 0.5, 0.0), 2.0 * np.exp(0.125), None),
    "uniform": ((-1.0, 3.0, 0.0), 1.0, 4.0 / 12.0**0.5),
    "triangular": ((0.0, 1.0, 5.0), 2.0, None),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_numbers_of_a_law_mean_what_they_say(name: str) -> None:
    numbers, mean, sd = MOMENTS[name]
    law = law_of(Prior("x", name, *numbers, -np.inf, np.inf, "x"))
    assert law.mean() == pytest.approx(mean)
    if sd is not None:
        assert law.std() == pytest.approx(sd)


def test_a_law_is_cut_to_the_domain() -> None:
    prior = Prior("x", "normal", 0.1, 0.1, 0.0, 0.0, 0.25, "x")
    values = quantile(prior, np.linspace(0.001, 0.999, 999))
    assert values.min() > 0.0
    assert values.max() < 0.25
    assert np.all(np.diff(values) > 0.0)


def test_judged_hazards_move_with_the_draw_and_not_on_every_path(draft: Draft) -> None:
    found = with_priors(draft, {"dem.sigma": GOOD["dem.sigma"]}).load().inputs
    assert found.uncertainty is not None
    streams = {prior.id: prior.stream for prior in found.uncertainty.priors}
    assert streams["cp.reneg_h0_ig"] == streams["cp.reneg_h0_nig"] == "cp.reneg"
    assert "dem.ap_lambda" in streams
    assert not found.switches["priors"]
    assert found.expected.switches["priors"]


def test_a_prior_of_ones_own_replaces_the_judged_one(draft: Draft) -> None:
    given = {"law": "uniform", "min": 0.1, "max": 0.2}
    found = with_priors(draft, {"dem.ap_lambda": given}).load().inputs
    assert found.uncertainty is not None
    laws = [prior.law for prior in found.uncertainty.priors if prior.id == "dem.ap_lambda"]
    assert laws == ["uniform"]


def test_without_the_switch_only_the_given_ones_are_uncertain(draft: Draft) -> None:
    draft.study["drivers"] = {"priors": False}
    found = with_priors(draft, {"dem.sigma": GOOD["dem.sigma"]}).load().inputs
    assert found.uncertainty is not None
    assert [prior.id for prior in found.uncertainty.priors] == ["dem.sigma"]


REFUSED = {
    "dem.sigm": ({"law": "normal", "mean": 0.2, "sd": 0.1}, "a parameter id", "dem.sigma"),
    "cp.cycle_ar": ({"law": "uniform", "min": 0.1, "max": 0.2}, "in use", "removing"),
    "loan.ltv0": ({"law": "uniform", "min": 0.6, "max": 0.8}, "that paths read", "sweep"),
    "dem.sigma": ({"law": "normal", "mean": 0.2}, "normal with mean, sd", "exactly these"),
    "eff.e_lr": ({"law": "normal", "mean": 0.0, "sd": 1.0}, "at least 95%", "narrowing"),
    "gpu.delta": ({"law": "uniform", "min": -0.1, "max": -0.3}, "min below max", "narrowing"),
    "sup.complete": ({"law": "beta", "mean": 0.4, "sd": 0.6}, "sd below", "narrowing"),
    "sup.lag": ({"law": "triangular", "min": 20, "mode": 18, "max": 24}, "order", "narrowing"),
    "reg.lambda": ({"law": "gamma", "mean": -1.0, "shape": 2}, "above 0", "narrowing"),
}


def test_every_fault_at_once(draft: Draft) -> None:
    with_priors(draft, {name: block for name, (block, _, _) in REFUSED.items()})
    found = {
        problem.path.removeprefix("uncertainty.priors."): problem for problem in draft.problems()
    }
    assert set(found) == set(REFUSED)
    for name, (_, expected, mend) in REFUSED.items():
        assert expected in found[name].expected, name
        assert mend in found[name].mend, name


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dem.ap_mult.mode": -0.5}, "at least dem.ap_mult.min"),
        ({"eff.size.q95": 0.3}, "more than eff.size.mean"),
        ({"dem.ap_rebound": 0.02}, "Beta law with sd 0.2"),
        ({"mem.shape": 6, "mem.dur_bal": 5}, "at least mem.shape"),
    ],
)
def test_parameters_that_contradict_each_other(
    draft: Draft, values: dict[str, float], said: str
) -> None:
    assert said in draft.problem(values).expected
