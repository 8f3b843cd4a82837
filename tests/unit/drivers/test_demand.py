"""Demand: growth residual, air pockets and their rebound against docs/model.md §3."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, norm

from simulator.numerics.quantiles import beta_parameters
from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    count_moments,
    covariance_is,
    law_is,
    mean_is,
    share_is,
    variance_is,
    within,
)

PERSISTENCE = 0.5
CALM = {"dem.ap_lambda": 0.0, "dem.price_resp": 0.0}
ROWS = (
    "demand.level demand.residual demand.multiplier demand.trough demand.months_left demand.lost "
    "demand.rebound demand.rebound_left demand.arrived demand.prior price.surprise"
)
CERTAIN = {"drivers.priors": False}


def planned(parameters: dict[str, float]) -> np.ndarray:
    """Return ḡ(t) of months 1..72, log per year."""
    return np.repeat([parameters[f"dem.g_path.{year}"] for year in range(2027, 2033)], 12)


@pytest.fixture(scope="module")
def calm():
    return market.run("demand.level demand.residual", CALM)


@pytest.fixture(scope="module")
def pockets():
    return market.run(ROWS, CERTAIN)


def fresh_arrivals(found) -> tuple[np.ndarray, np.ndarray]:
    """Return (path, month) of pockets that begin while none is running."""
    idle = found["demand.months_left"][:, :-1] == 0.0
    path, before = np.nonzero((found["demand.arrived"][:, 1:] > 0.0) & idle)
    return path, before + 1


def first_ends(found) -> tuple[np.ndarray, np.ndarray]:
    """Return (path, month) of the end of each path's first pocket: nothing returns before it."""
    left = found["demand.months_left"]
    ends = (left[:, :-1] > 0.0) & (left[:, 1:] == 0.0)
    path = np.nonzero(ends.any(axis=1))[0]
    return path, ends[path].argmax(axis=1) + 1


def test_level_after_a_year_has_the_spread_that_is_asked_for(calm) -> None:
    """Without pockets and price response L(12) ~ N(Σ ḡ/12, dem.sigma²)."""
    level, sigma = calm["demand.level"][:, 12], calm.parameters["dem.sigma"]
    deviation = (level - planned(calm.parameters)[:12].sum() / 12.0) / sigma
    mean_is(deviation, 0.0)
    variance_is(deviation, 1.0)
    law_is(deviation, norm.ppf([0.05, 0.5, 0.95]), [0.05, 0.5, 0.95])


@pytest.mark.parametrize("month", [1, 6, 24, 72])
def test_spread_of_the_level_grows_as_that_of_integrated_ar1(calm, month: int) -> None:
    """Var L(n) = (σ/N)² Σ_{k≤n} ((1 − φ^k)/(1 − φ))², N² the same sum to 12."""
    gains = ((1.0 - PERSISTENCE ** np.arange(1, 73)) / (1.0 - PERSISTENCE)) ** 2
    exact = calm.parameters["dem.sigma"] ** 2 * gains[:month].sum() / gains[:12].sum()
    level = calm["demand.level"][:, month]
    mean_is(level, planned(calm.parameters)[:month].sum() / 12.0)
    variance_is(level, exact)


def test_growth_residual_is_an_ar1(calm) -> None:
    """Var e(t) = s² (1 − φ^2t)/(1 − φ²), cov(e(t), e(t+h)) = φ^h Var e(t)."""
    gains = (1.0 - PERSISTENCE ** np.arange(1, 13)) / (1.0 - PERSISTENCE)
    scale = 12.0 * calm.parameters["dem.sigma"] / np.sqrt((gains**2).sum())
    residual = calm["demand.residual"]
    for month in (1, 2, 12, 48):
        variance = scale**2 * (1.0 - PERSISTENCE ** (2 * month)) / (1.0 - PERSISTENCE**2)
        variance_is(residual[:, month], variance, f"Var e({month})")
        for lag in (1, 2, 3):
            covariance_is(
                residual[:, month],
                residual[:, month + lag],
                PERSISTENCE**lag * variance,
                f"cov(e({month}), e({month + lag}))",
            )


def test_demand_adds_up(pockets) -> None:
    """12 (L(t) − L(t−1)) = ḡ m + e − resp (q − q̄)(t−1) + 12 r, r set before t's own step."""
    before, now = slice(0, 72), slice(1, 73)
    due = pockets["demand.rebound"][:, before] * (pockets["demand.rebound_left"][:, before] > 0.0)
    growth = (
        planned(pockets.parameters) * pockets["demand.multiplier"][:, now]
        + pockets["demand.residual"][:, now]
        - pockets.parameters["dem.price_resp"] * pockets["price.surprise"][:, before]
    )
    step = np.diff(pockets["demand.level"], axis=1)
    np.testing.assert_allclose(step, growth / 12.0 + due, rtol=0.0, atol=1e-13)
    assert np.abs(pockets["price.surprise"]).max() > 0.5  # the response had something to answer


def test_number_of_pockets(pockets) -> None:
    """Known hazard: Poisson thinned to one a month, variance as good as the mean."""
    counts = pockets["demand.arrived"].sum(axis=1)
    mean, variance = count_moments(72, pockets.parameters["dem.ap_lambda"])
    assert variance == pytest.approx(mean, rel=0.02)
    mean_is(counts, mean)
    variance_is(counts, variance)


def test_number_of_pockets_under_an_uncertain_hazard() -> None:
    """A gamma multiplier (mean 1, shape k) gives the negative binomial's variance μ + μ²/k."""
    found = market.run("demand.arrived demand.prior", {"dem.ap_lambda": 0.3})
    shape = found.parameters["prior.k"]
    prior, counts = found["demand.prior"][:, 0], found["demand.arrived"].sum(axis=1)
    mean_is(prior, 1.0)
    variance_is(prior, 1.0 / shape)
    mean, variance = count_moments(72, 0.3, shape)
    assert variance == pytest.approx(mean + mean**2 / shape, rel=0.06)
    mean_is(counts, mean)
    variance_is(counts, variance)
    sharper = counts.var() - counts.mean()  # over that of a Poisson law
    assert sharper > 0.5 * mean**2 / shape


def test_duration_of_a_pocket(pockets) -> None:
    """d = max(9, ceil(3 q e^(0.45 z))): P(d ≤ n) = Φ(ln(n/3q)/0.45) for whole n ≥ 9."""
    path, month = fresh_arrivals(pockets)
    duration = pockets["demand.months_left"][path, month] + 1.0  # the month of arrival is over
    median = 3.0 * pockets.parameters["dem.ap_dur"]
    points = np.array([9, 12, 15, 18, 24, 30, 42])
    law_is(duration, points, norm.cdf(np.log(points / median) / 0.45))
    assert duration.min() == 9.0


def test_trough_of_a_pocket(pockets) -> None:
    """Triangular (a, b, c): mean (a+b+c)/3, variance (a²+b²+c²−ab−ac−bc)/18."""
    path, month = fresh_arrivals(pockets)
    trough = pockets["demand.trough"][path, month]
    a, b, c = (pockets.parameters[f"dem.ap_mult.{part}"] for part in ("min", "mode", "max"))
    mean_is(trough, (a + b + c) / 3.0)
    variance_is(trough, (a * a + b * b + c * c - a * b - a * c - b * c) / 18.0)
    share_is(trough <= b, (b - a) / (c - a), "P(trough <= mode)")
    assert a <= trough.min() < trough.max() <= c


def test_onset_takes_three_months(pockets) -> None:
    """m falls by (1 − m*)/onset a month, then stands at m*: on pockets that no second one meets."""
    path, month = fresh_arrivals(pockets)
    path, month = path[month <= 72 - 9], month[month <= 72 - 9]
    ages = np.arange(9)  # no pocket is shorter
    path, months = path[:, None], month[:, None] + ages
    alone = ~pockets["demand.arrived"][path, months[:, 1:]].any(axis=1)
    alone &= pockets["demand.multiplier"][path[:, 0], month - 1] == 1.0  # not straight after one
    path, months = path[alone], months[alone]
    trough, onset = (
        pockets["demand.trough"][path, months[:, :1]],
        pockets.parameters["dem.ap_onset"],
    )
    exact = np.maximum(trough, 1.0 - (1.0 - trough) * (ages + 1) / onset)
    np.testing.assert_allclose(pockets["demand.multiplier"][path, months], exact, atol=1e-12)
    assert len(exact) > 3_000


def test_a_second_pocket_only_deepens_and_prolongs(pockets) -> None:
    running = (pockets["demand.arrived"][:, 1:] > 0.0) & (
        pockets["demand.months_left"][:, :-1] > 0.0
    )
    path, before = np.nonzero(running)
    assert path.size > 500
    trough, left = pockets["demand.trough"], pockets["demand.months_left"]
    deeper = trough[path, before + 1] < trough[path, before]
    longer = left[path, before + 1] > left[path, before] - 1.0
    assert (trough[path, before + 1] <= trough[path, before]).all()
    assert (left[path, before + 1] >= left[path, before] - 1.0).all()
    assert deeper.any()
    assert longer.any()
    assert not (deeper & longer).all()


def test_part_of_what_was_lost_returns(pockets) -> None:
    """Over 24 months returns share·lost, lost = Σ ḡ (1 − m)/12, share ~ Beta(mean 0.5, sd 0.2)."""
    path, end = first_ends(pockets)
    kept = end <= 72 - 24
    path, end = path[kept], end[kept]
    growth = np.concatenate([[0.0], planned(pockets.parameters)])
    missing = growth * (1.0 - pockets["demand.multiplier"]) / 12.0
    lost = np.cumsum(missing, axis=1)[path, end]  # of the first pocket: m was 1 before it
    np.testing.assert_allclose(pockets["demand.lost"][path, end], lost, rtol=0.0, atol=1e-13)
    share = 24.0 * pockets["demand.rebound"][path, end] / lost
    a, b = beta_parameters(pockets.parameters["dem.ap_rebound"], 0.2)
    mean_is(share, pockets.parameters["dem.ap_rebound"])
    variance_is(share, 0.2**2)
    points = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    law_is(share, points, beta.cdf(points, a, b))
    assert (pockets["demand.rebound_left"][path, end] == 24.0).all()


def test_overbuild_raises_arrivals() -> None:
    """Hazard λ e^(β slack), slack = max(0, −x(t−1)): Σ (arrived − p) is a martingale, Var Σ p(1−p).

    The same uniforms are read, so no pocket of the market without the dependence is missing.
    """
    plain = market.run("demand.arrived supply.tightness", CERTAIN)
    feeding = market.run("demand.arrived supply.tightness", CERTAIN | {"dem.ap_beta": 3.0})
    arrived, slack = feeding["demand.arrived"][:, 1:], -feeding["supply.tightness"][:, :-1]
    hazard = feeding.parameters["dem.ap_lambda"] * np.exp(3.0 * np.maximum(0.0, slack))
    p = -np.expm1(-hazard / 12.0)
    error = np.sqrt((p * (1.0 - p)).sum())
    within(arrived.sum(), p.sum(), error, "arrivals")
    tight, deep = slack <= 0.0, slack > 0.3
    base = -np.expm1(-feeding.parameters["dem.ap_lambda"] / 12.0)
    share_is(arrived[tight], base, "arrivals while tight")
    assert arrived[deep].mean() > 2.0 * base
    assert (arrived >= plain["demand.arrived"][:, 1:]).all()
    assert arrived.sum() > plain["demand.arrived"].sum() + 4.0 * error


def test_price_response_is_a_brake() -> None:
    """High prices slow demand: a stronger response narrows the spread of price surprises."""
    weak, strong = (
        market.run("price.surprise", {"dem.ap_lambda": 0.0, "dem.price_resp": value}, paths=4_096)
        for value in (0.0, 2.0)
    )
    assert strong["price.surprise"][:, 36].std() < 0.8 * weak["price.surprise"][:, 36].std()


def test_switched_off_demand_follows_its_path() -> None:
    found = market.run("demand.level demand.arrived", {"drivers.demand": False}, paths=8)
    expected = np.concatenate([[0.0], np.cumsum(planned(found.parameters)) / 12.0])
    np.testing.assert_allclose(found["demand.level"], np.tile(expected, (8, 1)), atol=1e-12)
    assert not found["demand.arrived"].any()
