"""The drivers as processes of the literature: closed forms with their own parameters.

`closed_forms.json` holds values in continuous time, with the law each is from. The model's months
are exact for what is a state at a month's end: there the closed form itself is asserted. Sums over
months approximate integrals: there the exact value of the sum is worked out beside the closed form,
the simulation is held to the sum, and how far the two are apart is asserted as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import binom, gamma

from simulator.drivers.memory import pack_memory
from simulator.drivers.rates import pack_rates
from simulator.numerics import monthly_event_probability, ou_coefficients, vasicek_mean_rate
from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    covariance_is,
    mean_is,
    ou_variance,
    share_is,
    variance_is,
)
from tests.unit.drivers.vasicek import bond, discrete_bond, sum_moments, sum_weights

CASES: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("closed_forms.json").read_text(encoding="utf-8")
)
VASICEK = [name for name in CASES if name.startswith("vasicek")]
LOG_PRICES = [name for name in CASES if name.startswith("log price")]
PATHS = 8_192


class Case:
    """Parameters and closed forms of one process.

    Parameters
    ----------
    name : str
        Key of `closed_forms.json`.
    """

    def __init__(self, name: str) -> None:
        self.parameters: dict[str, Any] = CASES[name]["parameters"]
        self.expected: dict[str, Any] = CASES[name]["expected"]
        tolerance = CASES[name]["tolerance"]
        self.close = {"abs": tolerance["abs"], "rel": tolerance["rel"]}

    def is_exactly(self, value: float, name: str) -> None:
        """Assert a deterministic value to the tolerance that belongs to the closed form."""
        assert value == pytest.approx(self.expected[name], **self.close), name


def rate_settings(case: Case) -> dict[str, float]:
    """Return a Vasicek case as parameters of SOFR."""
    p = case.parameters
    names = {"ir.kappa": "kappa", "ir.theta": "theta", "ir.sigma": "sigma", "ir.r0": "r0"}
    return {ours: p[theirs] for ours, theirs in names.items()}


def rate_terms(case: Case) -> tuple[tuple[float, float, float, float], int]:
    """Return r0, theta, kappa, sigma, and the horizon in months."""
    p = case.parameters
    return (p["r0"], p["theta"], p["kappa"], p["sigma"]), round(12 * p["T"])


@pytest.mark.parametrize("name", VASICEK)
def test_vasicek_rate_without_noise(name: str) -> None:
    """Mean of r(T) by the kernels with the noise off; the variance by the packed monthly step."""
    case = Case(name)
    terms, months = rate_terms(case)
    settings = rate_settings(case)
    quiet = market.run("rate.sofr", settings | {"drivers.rates": False}, paths=1, horizon=months)
    case.is_exactly(quiet["rate.sofr"][0, months], "mean_r")
    packed = pack_rates(quiet.parameters, months, rates=True, spreads=False)
    steps = packed.rate_decay ** (2 * np.arange(months))
    case.is_exactly(packed.rate_sd**2 * steps.sum(), "var_r")
    years = case.parameters["T"]
    case.is_exactly(ou_coefficients(terms[2], terms[3], years)[1] ** 2, "var_r")
    mean_rate = vasicek_mean_rate(terms[0], terms[1], terms[2], years)
    case.is_exactly(mean_rate * years, "mean_int")
    case.is_exactly(bond(*terms, years), "bond")  # the formula that other tests here lean on


@pytest.mark.parametrize("name", VASICEK)
def test_vasicek_rate_simulated(name: str) -> None:
    """r(T) has the closed form's law; ∫r, its covariance with r(T) and the bond by trapezoids."""
    case = Case(name)
    terms, months = rate_terms(case)
    found = market.run("rate.sofr", rate_settings(case), paths=PATHS, horizon=months)
    last = found["rate.sofr"][:, months]
    mean_is(last, case.expected["mean_r"])
    variance_is(last, case.expected["var_r"])
    share_is(last < 0.0, case.expected["P_r_negative"], "P(r < 0)")
    integral = found["rate.sofr"] @ sum_weights(months, 0.5) / 12.0
    mean, variance, covariance = sum_moments(*terms, months, ends=0.5)
    price = discrete_bond(*terms, months, ends=0.5)
    exact = {"mean_int": mean, "var_int": variance, "cov_r_int": covariance, "bond": price}
    for what, value in exact.items():
        assert value == pytest.approx(case.expected[what], rel=2e-4), what
    mean_is(integral, mean)
    variance_is(integral, variance)
    covariance_is(integral, last, covariance)
    mean_is(np.exp(-integral), price)


def log_price_run(case: Case, driver: str) -> np.ndarray:
    """Return x by month, (path, month), of the driver that plays the case."""
    p = case.parameters
    months = round(12 * p["T"])
    settings: dict[str, float]
    if driver == "spread index":
        long_run = np.exp(p["alpha"] + p["sigma"] ** 2 / (4.0 * p["kappa"]))
        settings = {"cs.hy0": np.exp(p["x0"]), "cs.hy_mean": long_run, "dem.ap_lambda": 0.0}
        settings |= {"cs.kappa": p["kappa"], "cs.sigma": p["sigma"]}
        return market.run("rate.log_spread", settings, paths=PATHS, horizon=months)[
            "rate.log_spread"
        ]
    settings = {"pow.p0": np.exp(p["x0"]), "pow.kappa": p["kappa"], "pow.sigma": p["sigma"]}
    found = market.run("power.market", settings | {"pow.trend": 0.0}, paths=PATHS, horizon=months)
    return np.log(found["power.market"])


@pytest.mark.parametrize("name", LOG_PRICES)
def test_log_price_by_formula(name: str) -> None:
    """Monthly coefficients and what follows: half-life, autocorrelation, stationary law."""
    case = Case(name)
    p = case.parameters
    decay, sd = ou_coefficients(p["kappa"], p["sigma"])
    case.is_exactly(decay, "monthly_ar1_coefficient")
    case.is_exactly(sd, "monthly_innovation_sd")
    case.is_exactly(decay**3, "autocorr_3m")
    case.is_exactly(np.log(0.5) / np.log(decay) / 12.0, "half_life")
    case.is_exactly(sd**2 / (1.0 - decay**2), "stationary_var")
    long_run = case.expected["stationary_mean_price"]
    parameters = market.run("rate.sofr", paths=1, horizon=1).parameters
    parameters |= {"cs.kappa": p["kappa"], "cs.sigma": p["sigma"], "cs.hy_mean": long_run}
    far = 12_000  # months: nothing is left of where it started
    packed = pack_rates(parameters, far, rates=False, spreads=True)
    case.is_exactly(packed.mean_log_spread[far], "stationary_mean")


@pytest.mark.parametrize(
    ("name", "driver"),
    [(name, "spread index") for name in LOG_PRICES] + [("log price from its mean", "power")],
)
def test_log_price_simulated(name: str, driver: str) -> None:
    """x(T) and e^x(T) have the closed form's moments; the time average by monthly trapezoids."""
    case = Case(name)
    p = case.parameters
    x = log_price_run(case, driver)
    months = x.shape[1] - 1
    mean_is(x[:, months], case.expected["mean_x"])
    variance_is(x[:, months], case.expected["var_x"])
    mean_is(np.exp(x[:, months]), case.expected["mean_price"])
    variance_is(np.exp(x[:, months]), case.expected["var_price"])
    share_is(np.exp(x[:, months]) <= case.expected["price_quantile_99"], 0.99)
    years = np.arange(months + 1) / 12.0
    weights = sum_weights(months, 0.5) / months
    variance = ou_variance(p["kappa"], p["sigma"], 12.0 * years)
    mean = np.exp(p["alpha"] + (p["x0"] - p["alpha"]) * np.exp(-p["kappa"] * years) + variance / 2)
    gap = np.abs(np.subtract.outer(years, years))
    covariance = np.exp(-p["kappa"] * gap) * np.minimum.outer(variance, variance)
    second = weights @ (np.outer(mean, mean) * np.expm1(covariance)) @ weights
    average = np.exp(x) @ weights
    mean_is(average, float(weights @ mean))
    variance_is(average, float(second))
    assert weights @ mean == pytest.approx(case.expected["mean_time_average_price"], rel=0.01)
    assert np.sqrt(second) == pytest.approx(case.expected["sd_time_average_price"], rel=0.03)


def test_compound_poisson() -> None:
    """Months by which moratoria delay sites: arrivals thinned to one a month, exponential sizes.

    The compound binomial of n months is the compound Poisson's limit; both tails are asserted.
    """
    case = Case("compound poisson")
    severity, months, thinning = case.parameters["severity_mean"], 120, 0.2
    arrival = case.parameters["lam"] / months / thinning
    hazard = -12.0 * np.log1p(-arrival)
    assert monthly_event_probability(hazard) == pytest.approx(arrival, rel=1e-12)
    settings = {"drivers.priors": False, "reg.lambda": hazard, "reg.site_hit": severity}
    found = market.run("policy.site_slip", settings, paths=PATHS, horizon=months)
    total = found["policy.site_slip"].sum(axis=(1, 2))
    q = arrival * thinning
    mean_is(total, case.expected["mean"])
    variance = months * q * (2.0 - q) * severity**2
    assert variance == pytest.approx(case.expected["var"], rel=0.011)
    variance_is(total, variance)
    counts = np.arange(1, months + 1)
    for point, closed in case.expected["P_gt"].items():
        tail = gamma.sf(float(point), counts, scale=severity)
        exact = float(binom.pmf(counts, months, q) @ tail)
        assert exact == pytest.approx(closed, rel=0.05)
        share_is(total > float(point), exact, f"P(total > {point})")


def test_two_markov_regimes() -> None:
    """Balance and glut of memory as a continuous chain seen at month ends: P = e^(Q/12), exactly.

    Occupation of the first state and survival under regime hazards are sums by trapezoids.
    """
    case = Case("two markov regimes")
    monthly = expm(np.array(case.parameters["Q"]) / 12.0)
    settings = {
        "mem.shape": 1,
        "mem.start": 0,
        "mem.p_bal_to_glut": 1.0,
        "mem.dur_bal": 1.0 / monthly[0, 1],
        "mem.dur_glut": 1.0 / monthly[1, 0],
    }
    months = round(12 * case.parameters["T"])
    found = market.run("memory.regime", settings, paths=PATHS, horizon=months)
    leaves = pack_memory(found.parameters, enabled=True).exit_probability[[0, 2]]
    np.testing.assert_allclose(
        [leaves[1] / leaves.sum(), leaves[0] / leaves.sum()],
        case.expected["stationary"],
        rtol=1e-10,
    )
    first = found["memory.regime"] == 0.0
    share_is(first[:, months], case.expected["state_probs_T"][0], "first state at T")

    weights = sum_weights(months, 0.5) / 12.0
    powers = [np.linalg.matrix_power(monthly, n)[:, 0] for n in range(months + 1)]
    here = np.array([power[0] for power in powers])  # P(first at t | first at 0), stationary chain
    lag = np.abs(np.subtract.outer(np.arange(months + 1), np.arange(months + 1)))
    earlier = np.minimum.outer(np.arange(months + 1), np.arange(months + 1))
    mean = float(weights @ here)
    sd = float(np.sqrt(weights @ (here[earlier] * here[lag]) @ weights - mean**2))
    assert mean == pytest.approx(case.expected["occupation0_mean"], rel=1e-3)
    assert sd == pytest.approx(case.expected["occupation0_sd"], rel=1e-2)
    occupation = first @ weights
    mean_is(occupation, mean)
    variance_is(occupation, sd**2)

    hazard = np.array(case.parameters["haz"]) / 12.0
    law = np.array(case.parameters["pi0"]) * np.exp(-hazard / 2.0)
    for month in range(1, months + 1):
        law = law @ monthly * np.exp(-hazard * (0.5 if month == months else 1.0))
    assert law.sum() == pytest.approx(case.expected["survival"], rel=1e-4)
    exposure = np.where(first, hazard[0], hazard[1]) @ (12.0 * weights)
    mean_is(np.exp(-exposure), float(law.sum()))


def test_erlang_spell() -> None:
    """A shortage of three stages has the Erlang law's mean d, and a thinner tail.

    Stages are geometric, of mean d/k months: the variance is d²/k − d instead of d²/k, and a spell
    outlives two years about a quarter less often (8.6% instead of 11.3%).
    """
    case = Case("erlang spell")
    stages, mean = case.parameters["erlang_k"], case.parameters["mean_months"]
    settings = {"mem.start": 1, "mem.dur_short": mean, "mem.shape": stages}
    found = market.run("memory.regime", settings, paths=PATHS, horizon=120)
    left = found["memory.regime"] != 1.0
    assert left.any(axis=1).all()
    spell = left.argmax(axis=1)
    mean_is(spell, case.expected["mean_sojourn"])
    variance_is(spell, mean**2 / stages - mean)
    lasting = float(binom.cdf(stages - 1, 24, stages / mean))
    assert lasting / case.expected["P_lasts_gt_24"] == pytest.approx(0.76, abs=0.01)
    share_is(spell > 24, lasting, "P(spell > 24)")
