"""Importance sampling of pools by the cases in the package, and how such cases are read."""

from __future__ import annotations

import json

import pytest

from simulator.selfcheck import Draws, kind_of
from simulator.selfcheck.folder import SHIPPED, numbers, verdict
from simulator.selfcheck.formulas import formula

FILE = SHIPPED / "rare_pools.json"
CASES = {one["id"]: one for one in json.loads(FILE.read_text(encoding="utf-8"))["cases"]}
LEFT_OUT = {  # by case, what paths as few as these do not show, or show of the reference alone
    "GL05": {f"P/{loss}/se" for loss in (10000, 14000, 18000, 22000, 30000, 40000)},
}


@pytest.mark.parametrize("name", CASES)
def test_cases_of_rare_pools(name: str) -> None:
    found = verdict(CASES[name], Draws(seed=3, paths=20_000, folder=SHIPPED))
    assert found.passed, (found.where, found.worst)
    assert set(found.missing) == LEFT_OUT.get(name, set())
    assert all(0.0 < one.se < 0.1 * abs(one.value) for one in (found.found or {}).values())


def test_losses_below_the_aim_are_not_told() -> None:
    case = json.loads(json.dumps(CASES["GL05"]))
    case["params"]["x_for_IS"] = 20_000.0
    found = verdict(case, Draws(seed=3, paths=4_000))
    assert {"P/10000/value", "P/14000/value", "P/18000/value"} <= set(found.missing)
    assert "P/22000/value" in (found.found or {})


def test_kinds_are_told_by_parameters_and_by_what_is_asked() -> None:
    params = {"N": 10, "PD": 0.1, "rho": 0.1, "x": 4}
    assert kind_of(params, ["shift_only/var_per_rep"]) == "tilted_equal_pool"
    assert kind_of(params, ["total_prob"]) == "finite_pool"
    two = CASES["TWO-MODES"]
    assert kind_of(two["params"], dict(numbers(two["expected"]))) == "two_mode_pool"


def test_formulas() -> None:
    assert formula("max(0.01*(1+1.0*sin(16*pi*k/1000)),1e-14)", k=31.25) == pytest.approx(0.02)
    assert formula("-2**3 / 4 + min(k, 7)", k=9) == 5.0
    for text in ("__import__('os')", "k.real", "open(k)", "[k]", "1 +", "'a'"):
        with pytest.raises(ValueError, match=r"not a formula|expected numbers, pi, k"):
            formula(text, k=1.0)
