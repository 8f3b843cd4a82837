"""Systemic normals have the correlations of docs/model.md §1, and so have the static factors."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from scipy.stats import norm

from simulator.config.terms import ModelInputs
from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    ENOUGH,
    correlation_is,
    law_is,
    mean_is,
    variance_is,
    within,
)

FACTORS = "ZCDPMSEWR"
LINKED = {"DP": 0.15, "MP": 0.10, "EP": 0.0, "SP": 0.0}
"""What is left of a correlation once the equations carry the rest."""
STRESSED = {"CD": 0.15, "CP": 0.15}
"""The same where a name's hazard loads on the stress of the sector."""
MACRO = {"cp.rho_macro": 0.4}
"""Another value than the C-Z entry of the study's matrix, which it replaces."""
UNSTRESSED = dict.fromkeys((f"cp.beta.{kind}" for kind in ("ai_lab", "neocloud", "other", "ig")), 0)
QUANTILES = np.array([0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])


def effective(inputs: ModelInputs, reduced: dict[str, float]) -> np.ndarray:
    """Return the study's matrix with C-Z replaced, and what else is said."""
    matrix = np.array(inputs.correlations)
    for pair, value in {"CZ": inputs.parameters["cp.rho_macro"], **reduced}.items():
        i, j = (FACTORS.index(letter) for letter in pair)
        matrix[i, j] = matrix[j, i] = value
    return matrix


@pytest.mark.parametrize(
    ("settings", "reduced"),
    [
        ({"drivers.structural_link": False}, {}),
        ({"drivers.structural_link": True}, LINKED | STRESSED),
        ({"drivers.structural_link": True, **UNSTRESSED}, LINKED),
    ],
    ids=["no link", "link", "link, no name under stress"],
)
def test_correlations_of_the_nine_normals(settings, reduced) -> None:
    """Mean 0, variance 1, E ξ_i ξ_j = R_ij: errors 1/√n, √(2/n), √((1 + R²)/n)."""
    found = market.run("shocks", settings | MACRO, paths=2_048, horizon=60)
    draws = found["shocks"][:, 1:].reshape(-1, 9)
    root = np.sqrt(len(draws))
    exact = effective(found.inputs, reduced)
    for i, name in enumerate(FACTORS):
        within(draws[:, i].mean(), 0.0, 1.0 / root, f"mean of {name}")
        law_is(draws[:, i], norm.ppf(QUANTILES), QUANTILES, name)
    moments = draws.T @ draws / len(draws)
    errors = np.sqrt(1.0 + exact**2) / root
    for i, j in combinations_with_replacement(range(9), 2):
        within(moments[i, j], exact[i, j], errors[i, j], f"E {FACTORS[i]}·{FACTORS[j]}")


def test_months_are_independent() -> None:
    """E ξ_i(t) ξ_j(t+1) = 0, error 1/√n."""
    shocks = market.run("shocks", paths=2_048, horizon=60)["shocks"]
    now, after = shocks[:, 1:-1].reshape(-1, 9), shocks[:, 2:].reshape(-1, 9)
    lagged = now.T @ after / len(now)
    assert np.abs(lagged).max() < ENOUGH / np.sqrt(len(now))


def test_static_factors() -> None:
    """Z*, C*, S* are N(0, 1); corr(Z*, C*) = ρ, corr(Z*, S*) = √(24/60) R_ZS, C⊥ is free of Z*.

    Sums of 60 and of 24 months share 24: covariance 24 R/√(60·24).
    """
    names = ("macro", "ai", "ai_orthogonal", "supply_factor")
    wanted = " ".join(f"market.{name}" for name in names)
    found = market.run(wanted, MACRO, paths=20_000, horizon=1)
    macro, ai, orthogonal, supply = (found[f"market.{name}"][:, 0] for name in names)
    for name, factor in zip(names, (macro, ai, orthogonal, supply), strict=True):
        mean_is(factor, 0.0, name)
        variance_is(factor, 1.0, name)
        law_is(factor, norm.ppf(QUANTILES), QUANTILES, name)
    exact = effective(found.inputs, LINKED | STRESSED)
    overlap = np.sqrt(24.0 / 60.0)
    rho = MACRO["cp.rho_macro"]
    z, c, s = (FACTORS.index(letter) for letter in "ZCS")
    correlation_is(macro, ai, rho, "Z*, C*")
    correlation_is(macro, orthogonal, 0.0, "Z*, C⊥")
    correlation_is(ai, orthogonal, np.sqrt(1.0 - rho**2), "C*, C⊥")
    correlation_is(macro, supply, overlap * exact[z, s], "Z*, S*")
    correlation_is(ai, supply, overlap * exact[c, s], "C*, S*")


def test_static_factors_do_not_depend_on_the_horizon() -> None:
    """They sum 60 and 24 months of shocks, whatever the study's horizon is."""
    rows = "market.macro market.ai market.supply_factor"
    short, long = market.run(rows, paths=64, horizon=12), market.run(rows, paths=64, horizon=72)
    for name in rows.split():
        np.testing.assert_array_equal(short[name][:, 0], long[name][:, 0])
