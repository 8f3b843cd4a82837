"""Power prices, and what curtailment and late sites leave of it (docs/model.md §9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta, norm

from simulator.box.sites import SITE
from simulator.engine.market import MARKET
from simulator.engine.market_alone import reference_path, run_market
from simulator.engine.pack import pack_model
from simulator.engine.pack_market import pack_market
from simulator.numerics.quantiles import beta_parameters
from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    correlation_is,
    covariance_is,
    law_is,
    mean_is,
    ou_variance,
    share_is,
    variance_is,
)

QUANTILES = np.array([0.01, 0.1, 0.5, 0.9, 0.99])


@pytest.fixture(scope="module")
def found():
    return market.run("power.deviation power.market")


@pytest.mark.parametrize("month", [1, 6, 24])
def test_log_price_is_an_ornstein_uhlenbeck_process(found, month: int) -> None:
    """Var W(t) = σ²(1 − e^(−2κt))/2κ, cov(W(t), W(t+h)) = e^(−κh) Var W(t)."""
    kappa, sigma = (found.parameters[f"pow.{name}"] for name in ("kappa", "sigma"))
    exact = float(ou_variance(kappa, sigma, month))
    w = found["power.deviation"]
    mean_is(w[:, month], 0.0)
    variance_is(w[:, month], exact)
    law_is(w[:, month], norm.ppf(QUANTILES) * np.sqrt(exact), QUANTILES)
    for lag in (1, 12):
        covariance_is(w[:, month], w[:, month + lag], exact * np.exp(-kappa * lag / 12.0))


def test_stationary_variance(found) -> None:
    """After six years of κ = 1.5 a year W has its stationary variance σ²/2κ."""
    kappa, sigma = (found.parameters[f"pow.{name}"] for name in ("kappa", "sigma"))
    variance_is(found["power.deviation"][:, 72], sigma**2 / (2.0 * kappa))


def test_price_follows_its_trend(found) -> None:
    """Price = p0·e^(trend·t/12 + W), mean p0·e^(trend·t/12 + Var W/2), in USD per MWh."""
    p, months = found.parameters, np.arange(73)
    trend = p["pow.p0"] * np.exp(p["pow.trend"] * months / 12.0)
    np.testing.assert_allclose(
        found["power.market"], trend * np.exp(found["power.deviation"]), rtol=1e-12
    )
    for month in (12, 72):
        variance = float(ou_variance(p["pow.kappa"], p["pow.sigma"], month))
        mean_is(found["power.market"][:, month], trend[month] * np.exp(variance / 2.0))


def run_sites(settings: dict[str, Any], paths: int = 20_000) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the study, and rows of its sites and S* at t0: (row, site, path) and (path,)."""
    inputs = market.inputs_of(1, frozenset(settings.items()))
    nothing: dict[str, Any] = dict.fromkeys(("contracts", "assets", "boxes", "tranches"), ())
    bare = replace(inputs, book=replace(inputs.book, names=(), sponsors=(), **nothing))
    reference = reference_path(bare.expected, bare.horizon)
    terms = pack_market(bare.world, bare.expected, bare.horizon, reference)
    kept: list[np.ndarray] = []

    def watch(state, month: int) -> None:
        if month == 0:
            kept.extend((state.sites.rows.copy(), state.market.rows[MARKET.supply_factor].copy()))

    run_market(pack_model(bare, terms, np.zeros((1, 2))), market.SEED, np.arange(paths), watch)
    return inputs, kept[0], kept[1]


def test_availability_of_sites() -> None:
    """0.99 (1 − κ), κ ~ Beta with mean and sd pow.curtail, by site, independent between sites."""
    inputs, rows, _ = run_sites({"pow.curtail": 0.05})
    curtailed = 1.0 - rows[SITE.availability] / 0.99
    a, b = beta_parameters(0.05, 0.05)
    for site in range(len(inputs.book.sites)):
        mean_is(curtailed[site], 0.05)
        variance_is(curtailed[site], 0.05**2)
        law_is(curtailed[site], beta.ppf(QUANTILES, a, b), QUANTILES)
    covariance_is(curtailed[0], curtailed[1], 0.0)


def test_late_sites_lean_on_the_supply_factor() -> None:
    """Late with del.p·factor, LogN(del.size, 0.7) at √ρ S* + √(1−ρ) z, killed with del.kill."""
    inputs, rows, supply = run_sites({})
    p = inputs.parameters
    sites = [i for i, s in enumerate(inputs.book.sites) if not s.energised and not s.network_risk]
    assert sites
    for i in sites:
        delay = rows[SITE.delay, i]
        share_is(delay > 0.0, p["del.p"] * inputs.book.sites[i].delay_factor, "late")
        late = delay > 0.0
        score = np.log(delay[late] / p["del.size"]) / 0.7
        mean_is(score, 0.0)
        variance_is(score, 1.0)
        correlation_is(score, supply[late], np.sqrt(p["del.rho"]))
        share_is(rows[SITE.killed, i, late], p["del.kill"], "killed")
        assert not rows[SITE.killed, i, ~late].any()
    energised = [i for i, s in enumerate(inputs.book.sites) if s.energised]
    assert not rows[SITE.delay, energised].any()


def test_fibre_comes_late_at_remote_sites() -> None:
    """Under network risk, where power is never late: LogN(4, 0.7) months with fibre_probability."""
    inputs, rows, _ = run_sites({"del.p": 0.0})
    remote = [i for i, s in enumerate(inputs.book.sites) if s.network_risk and not s.energised]
    others = [i for i in range(len(inputs.book.sites)) if i not in remote]
    assert remote
    for i in remote:
        late = rows[SITE.delay, i] > 0.0
        share_is(late, inputs.book.sites[i].fibre_probability, "late fibre")
        score = np.log(rows[SITE.delay, i, late] / 4.0) / 0.7
        mean_is(score, 0.0)
        variance_is(score, 1.0)
    assert not rows[SITE.delay, others].any()
    assert not rows[SITE.killed].any()
