"""Rental prices by generation: noise, correlations, releases, identity (docs/model.md §8)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    correlation_is,
    covariance_is,
    law_is,
    mean_is,
    ou_variance,
    variance_is,
)

NOISE = "generation.contract_noise generation.spot_noise"
PRICES = (
    "generation.contract generation.spot price.steps price.deviation price.glut price.utilisation "
    "supply.tightness memory.rent efficiency.sentiment"
)
RELEASES = "release.release_month release.release_size price.steps"
KINDS = {"contract": "ctr", "spot": "spot"}
QUANTILES = np.array([0.01, 0.1, 0.5, 0.9, 0.99])


@pytest.fixture(scope="module")
def noise():
    return market.run(NOISE)


def test_noise_is_an_ornstein_uhlenbeck_process(noise) -> None:
    """X(0) = 0, mean 0, Var X(t) = σ²(1 − e^(−2κt))/2κ, cov(X(t), X(t+h)) = e^(−κh) Var X(t)."""
    for kind, row in KINDS.items():
        kappa, sigma = (noise.parameters[f"gpu.{row}_{name}"] for name in ("kappa", "sigma"))
        for generation in (0, 1, 5):
            x = noise[f"generation.{kind}_noise"][:, :, generation]
            for month in (1, 12, 36, 66):
                exact = float(ou_variance(kappa, sigma, month))
                mean_is(x[:, month], 0.0, f"{kind} {month}")
                variance_is(x[:, month], exact, f"{kind} {month}")
                law_is(x[:, month], norm.ppf(QUANTILES) * np.sqrt(exact), QUANTILES)
                for lag in (1, 6):
                    shared = exact * np.exp(-kappa * lag / 12.0)
                    covariance_is(x[:, month], x[:, month + lag], shared, f"{kind} {month}+{lag}")


@pytest.mark.parametrize("month", [1, 36])
def test_generations_move_together(noise, month: int) -> None:
    """corr(X_g, X_h) = gpu.rho_gen for every pair, contract or spot, at any time."""
    rho = noise.parameters["gpu.rho_gen"]
    for kind in KINDS:
        x = noise[f"generation.{kind}_noise"][:, month]
        for g, h in combinations(range(x.shape[1]), 2):
            correlation_is(x[:, g], x[:, h], rho, f"{kind} {g}, {h}")


def test_spot_follows_contract(noise) -> None:
    """Common shocks have correlation 0.7, own ones none: that of innovations is 0.7 ρ."""
    decay = np.exp(-noise.parameters["gpu.ctr_kappa"] / 12.0)
    spot_decay = np.exp(-noise.parameters["gpu.spot_kappa"] / 12.0)
    contract, spot = (noise[f"generation.{kind}_noise"] for kind in KINDS)
    contract_shock = (contract[:, 24] - decay * contract[:, 23])[:, [0, 3, 5]]
    spot_shock = (spot[:, 24] - spot_decay * spot[:, 23])[:, [0, 3, 5]]
    for g in range(3):
        for h in range(3):
            exact = 0.7 * noise.parameters["gpu.rho_gen"]
            correlation_is(contract_shock[:, g], spot_shock[:, h], exact)


def test_common_shocks_of_spot_and_contract() -> None:
    """With ρ = 0.99 nearly all is common: correlation 0.7·0.99 of the innovations of month 1."""
    found = market.run(NOISE, {"gpu.rho_gen": 0.99}, horizon=1)
    contract, spot = (found[f"generation.{kind}_noise"][:, 1, 1] for kind in KINDS)
    correlation_is(contract, spot, 0.7 * 0.99)


def test_price_shock_of_the_market_drives_contracts() -> None:
    """corr(X_contract(1), ξ_P(1)) = √ρ, that of spot 0.7 √ρ."""
    found = market.run(NOISE + " shocks", horizon=1)
    shock = found["shocks"][:, 1, "ZCDPMSEWR".index("P")]
    root = np.sqrt(found.parameters["gpu.rho_gen"])
    correlation_is(found["generation.contract_noise"][:, 1, 2], shock, root)
    correlation_is(found["generation.spot_noise"][:, 1, 2], shock, 0.7 * root)


def test_one_release_a_year_within_three_months() -> None:
    """Month 12 j + U(−3, 3), size gpu.gen_step N(1, ½²), half for odd j; steps add them up."""
    found = market.run(RELEASES)
    months, sizes = (found[f"release.release_{row}"][:, 0] for row in ("month", "size"))
    step = found.parameters["gpu.gen_step"]
    assert months.shape[1] == 6
    for release in range(6):
        late = months[:, release] - 12.0 * (release + 1)
        assert -3.0 <= late.min() < late.max() <= 3.0
        law_is(late, 6.0 * (QUANTILES - 0.5), QUANTILES)
        mean_is(late, 0.0)
        variance_is(late, 6.0**2 / 12.0)
        whole = step * (0.5 if release % 2 == 0 else 1.0)
        mean_is(sizes[:, release], whole)
        variance_is(sizes[:, release], (0.5 * whole) ** 2)
    past = months[:, None, :] <= np.arange(73)[None, :, None]
    expected = (sizes[:, None, :] * past).sum(axis=2)
    np.testing.assert_allclose(found["price.steps"], expected, rtol=0.0, atol=1e-14)


def test_price_of_a_generation() -> None:
    """ln P = ln P(0) + δ t/12 − steps + q + X + [spot] Y, with q = β (x − x0) + G + F."""
    found = market.run(PRICES + " " + NOISE, paths=2_048)
    p, months = found.parameters, np.arange(73)
    q = (
        p["gpu.beta_tight"] * (found["supply.tightness"] - p["sup.x0"])
        + found["price.glut"]
        + found["memory.rent"]
    )
    np.testing.assert_allclose(found["price.deviation"][:, 1:], q[:, 1:], rtol=0.0, atol=1e-13)
    trend = p["gpu.delta"] * months / 12.0 - found["price.steps"] + found["price.deviation"]
    extra = {"contract": 0.0, "spot": found["efficiency.sentiment"][:, :, None]}
    for kind in KINDS:
        start = [getattr(g, f"{kind}_price") for g in found.inputs.book.generations]
        log_price = np.log(start) + trend[:, :, None] + found[f"generation.{kind}_noise"]
        expected = np.exp(log_price + extra[kind])
        np.testing.assert_allclose(found[f"generation.{kind}"], expected, rtol=1e-12)


def test_glut_drift() -> None:
    """G falls by (sup.glut_decay − δ)/12 a month while x < −0.14, else halves in nine months."""
    found = market.run(PRICES + " " + NOISE, paths=2_048)
    fall = (found.parameters["sup.glut_decay"] - found.parameters["gpu.delta"]) / 12.0
    before, now = found["price.glut"][:, :-1], found["price.glut"][:, 1:]
    slack = found["supply.tightness"][:, 1:] < -0.14
    assert fall == pytest.approx(-0.16 / 12.0)
    np.testing.assert_allclose(now[slack], before[slack] + fall, rtol=0.0, atol=1e-14)
    np.testing.assert_allclose(now[~slack], before[~slack] * 0.5 ** (1.0 / 9.0), rtol=1e-14)
    assert min(slack.sum(), (now[~slack] < -0.01).sum()) > 5_000


def test_utilisation_answers_tightness() -> None:
    """ln odds = logit(gpu.util) + slope (x − x0): 80% becomes 71% when tightness falls by 0.2."""
    found = market.run(PRICES + " " + NOISE, paths=2_048)
    p = found.parameters
    odds = np.log(p["gpu.util"] / (1.0 - p["gpu.util"]))
    odds = odds + p["gpu.util_slope"] * (found["supply.tightness"] - p["sup.x0"])
    expected = 1.0 / (1.0 + np.exp(-odds))
    np.testing.assert_allclose(found["price.utilisation"][:, 1:], expected[:, 1:], rtol=1e-12)
    slack = np.abs(found["supply.tightness"] - (p["sup.x0"] - 0.2)) < 0.002
    assert found["price.utilisation"][slack].mean() == pytest.approx(0.71, abs=0.005)


def test_switched_off_noise_and_releases() -> None:
    settings = {"drivers.price_noise": False, "drivers.generations": False}
    found = market.run(NOISE + " " + RELEASES, settings, paths=16)
    assert not found["generation.contract_noise"].any()
    assert not found["generation.spot_noise"].any()
    np.testing.assert_array_equal(found["release.release_month"][3, 0], 12.0 * np.arange(1, 7))
    half = found.parameters["gpu.gen_step"] / 2.0
    np.testing.assert_allclose(
        found["price.steps"][:, [11, 12, 24, 36]], [[0, half, 3 * half, 4 * half]] * 16
    )
