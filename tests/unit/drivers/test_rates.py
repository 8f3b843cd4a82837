"""SOFR and the spread index: moments, bond prices, jumps, shut months (docs/model.md §9)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    covariance_is,
    law_is,
    mean_is,
    ou_variance,
    share_is,
    variance_is,
)
from tests.unit.drivers.vasicek import bond, discrete_bond

QUANTILES = np.array([0.01, 0.1, 0.5, 0.9, 0.99])
ROWS = "rate.sofr rate.sofr_before rate.log_spread rate.shut demand.arrived shocks"
NO_POCKETS = {"dem.ap_lambda": 0.0}


@pytest.fixture(scope="module")
def calm():
    return market.run("rate.sofr rate.log_spread", NO_POCKETS)


@pytest.fixture(scope="module")
def lively():
    return market.run(ROWS, {"drivers.priors": False})


def log_spread_mean(p: dict[str, float]) -> float:
    """Return m = ln hy_mean − σ²/4κ: the index itself then has mean hy_mean in the long run."""
    return np.log(p["cs.hy_mean"]) - p["cs.sigma"] ** 2 / (4.0 * p["cs.kappa"])


@pytest.mark.parametrize("month", [1, 12, 36, 72])
def test_sofr_is_a_vasicek_rate(calm, month: int) -> None:
    """r(t) ~ N(θ + (r0 − θ) e^(−κt), σ²(1 − e^(−2κt))/2κ)."""
    p = calm.parameters
    mean = p["ir.theta"] + (p["ir.r0"] - p["ir.theta"]) * np.exp(-p["ir.kappa"] * month / 12.0)
    variance = float(ou_variance(p["ir.kappa"], p["ir.sigma"], month))
    rate = calm["rate.sofr"][:, month]
    mean_is(rate, mean)
    variance_is(rate, variance)
    law_is(rate, mean + norm.ppf(QUANTILES) * np.sqrt(variance), QUANTILES)


def test_sofr_forgets_at_the_rate_of_mean_reversion(calm) -> None:
    """cov(r(t), r(t+h)) = e^(−κh) Var r(t)."""
    p, rate = calm.parameters, calm["rate.sofr"]
    for month, lag in ((12, 1), (12, 24), (36, 36)):
        variance = float(ou_variance(p["ir.kappa"], p["ir.sigma"], month))
        exact = variance * np.exp(-p["ir.kappa"] * lag / 12.0)
        covariance_is(rate[:, month], rate[:, month + lag], exact)


@pytest.mark.parametrize("months", [12, 36, 72])
def test_bond_price(calm, months: int) -> None:
    """E e^(−Σ r/12) over month ends 0..n−1 against its Gaussian expectation, and Vasicek's bond.

    The sum is normal: E = e^(−mean + variance/2), both summed exactly over the AR(1) of the months.
    Vasicek (1977) integrates instead of summing; the gap of the two is computed, not allowed for.
    """
    p = calm.parameters
    terms = (p["ir.r0"], p["ir.theta"], p["ir.kappa"], p["ir.sigma"])
    price = np.exp(-calm["rate.sofr"][:, :months].sum(axis=1) / 12.0)
    exact, closed = discrete_bond(*terms, months), bond(*terms, months / 12.0)
    mean_is(price, exact, "bond by months")
    assert abs(exact - closed) < 2e-4
    trapezoid = discrete_bond(*terms, months, ends=0.5)
    assert abs(trapezoid - closed) < 1e-6  # of second order in the month


def test_coupons_are_set_on_the_rate_of_the_month_before(lively) -> None:
    np.testing.assert_array_equal(lively["rate.sofr_before"][:, 1:], lively["rate.sofr"][:, :-1])


@pytest.mark.parametrize("month", [1, 12, 36, 72])
def test_spread_index_without_pockets(calm, month: int) -> None:
    """ln HY is OU from ln hy0 to m; HY itself has the lognormal mean e^(mean + variance/2)."""
    p = calm.parameters
    centre, decay = log_spread_mean(p), np.exp(-p["cs.kappa"] * month / 12.0)
    mean = centre + decay * (np.log(p["cs.hy0"]) - centre)
    variance = float(ou_variance(p["cs.kappa"], p["cs.sigma"], month))
    log_spread = calm["rate.log_spread"][:, month]
    mean_is(log_spread, mean)
    variance_is(log_spread, variance)
    law_is(log_spread, mean + norm.ppf(QUANTILES) * np.sqrt(variance), QUANTILES)
    mean_is(np.exp(log_spread), np.exp(mean + variance / 2.0))


def test_long_run_mean_of_the_spread_index() -> None:
    """After fifteen years E HY = cs.hy_mean: the correction −σ²/4κ takes the convexity out."""
    found = market.run("rate.log_spread", NO_POCKETS, paths=4_096, horizon=180)
    mean_is(np.exp(found["rate.log_spread"][:, 180]), found.parameters["cs.hy_mean"])


def test_pockets_widen_spreads_and_bad_news_is_a_low_normal(lively) -> None:
    """ln HY(t) − m = e^(−κ/12)(ln HY(t−1) − m) − s ξ_Z + jump·[a pocket arrives], exactly."""
    p = lively.parameters
    decay, centre = np.exp(-p["cs.kappa"] / 12.0), log_spread_mean(p)
    sd = np.sqrt(float(ou_variance(p["cs.kappa"], p["cs.sigma"], 1)))
    deviation = lively["rate.log_spread"] - centre
    step = deviation[:, 1:] - decay * deviation[:, :-1]
    arrived = lively["demand.arrived"][:, 1:]
    expected = p["cs.ap_jump"] * arrived - sd * lively["shocks"][:, 1:, 0]
    np.testing.assert_allclose(step, expected, rtol=0.0, atol=1e-13)
    mean_is(step[arrived > 0.0], p["cs.ap_jump"])
    mean_is(step[arrived == 0.0], 0.0)


def test_jumps_shift_the_mean_of_the_index(lively) -> None:
    """E ln HY(n) rises by jump·p Σ_{j<n} e^(−κj/12), p the probability of a pocket in a month."""
    p = lively.parameters
    arrives = -np.expm1(-p["dem.ap_lambda"] / 12.0)
    centre = log_spread_mean(p)
    for month in (12, 72):
        decays = np.exp(-p["cs.kappa"] * np.arange(month + 1) / 12.0)
        mean = centre + decays[month] * (np.log(p["cs.hy0"]) - centre)
        mean += p["cs.ap_jump"] * arrives * decays[:month].sum()
        mean_is(lively["rate.log_spread"][:, month], mean)


def test_market_shuts_only_above_800_bp(lively) -> None:
    """Above 800 bp shut with probability cs.refi_shut, month by month anew; below never."""
    wide = lively["rate.log_spread"][:, 1:] > np.log(800.0)
    shut = lively["rate.shut"][:, 1:]
    assert wide.sum() > 10_000
    assert not shut[~wide].any()
    share_is(shut[wide], lively.parameters["cs.refi_shut"])
    again = wide[:, 1:] & wide[:, :-1]
    for state in (0.0, 1.0):
        share_is(shut[:, 1:][again & (shut[:, :-1] == state)], lively.parameters["cs.refi_shut"])


def test_switched_off_rates_and_spreads_follow_their_means() -> None:
    settings = {"drivers.rates": False, "drivers.spreads": False}
    found = market.run("rate.sofr rate.log_spread", settings, paths=4)
    p, years = found.parameters, np.arange(73) / 12.0
    rate = p["ir.theta"] + (p["ir.r0"] - p["ir.theta"]) * np.exp(-p["ir.kappa"] * years)
    centre = log_spread_mean(p)
    spread = centre + (np.log(p["cs.hy0"]) - centre) * np.exp(-p["cs.kappa"] * years)
    np.testing.assert_allclose(found["rate.sofr"], np.tile(rate, (4, 1)), rtol=1e-12)
    np.testing.assert_allclose(found["rate.log_spread"], np.tile(spread, (4, 1)), rtol=1e-12)


def test_exact_bonds_agree_as_the_step_shrinks() -> None:
    """The two formulas of this folder meet: the trapezoid's gap falls by four per halving."""
    terms = (0.02, 0.04, 0.25, 0.02)
    closed = bond(*terms, 5.0)
    gaps = [
        discrete_bond(*terms, 60 * fine, ends=0.5, step=1.0 / 12.0 / fine) - closed
        for fine in (1, 2, 4)
    ]
    assert gaps[0] / gaps[1] == pytest.approx(4.0, rel=0.01)
    assert gaps[1] / gaps[2] == pytest.approx(4.0, rel=0.01)
    assert abs(gaps[2]) < 1e-6
