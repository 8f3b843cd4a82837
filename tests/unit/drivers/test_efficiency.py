"""Efficiency breakthroughs and their rebound against docs/model.md §4."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import fsolve
from scipy.special import digamma, polygamma
from scipy.stats import beta, norm

from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    correlation_is,
    count_moments,
    law_is,
    mean_is,
    share_is,
    variance_is,
)

ROWS = (
    "efficiency.permanent efficiency.transient efficiency.sentiment efficiency.elasticity_long "
    "efficiency.decay efficiency.probability"
)
CERTAIN = {"drivers.priors": False}
FACTOR = "ZCDPMSEWR".index("E")
QUANTILES = np.array([0.01, 0.1, 0.5, 0.9, 0.99])


@pytest.fixture(scope="module")
def found():
    return market.run(ROWS, CERTAIN)


@pytest.fixture(scope="module")
def sizes():
    """Every breakthrough touches two fifths of demand, so that its size can be read off."""
    settings = {"eff.scope.min": 0.4, "eff.scope.max": 0.4}
    return market.run(ROWS + " shocks", CERTAIN | settings, paths=4_096)


def events(found) -> tuple[np.ndarray, np.ndarray]:
    """Return (path, month) of breakthroughs: A moves in no other month."""
    path, before = np.nonzero(np.diff(found["efficiency.permanent"], axis=1))
    return path, before + 1


def logs_of_saved(found, path, month) -> np.ndarray:
    """Return w = scope·ln(1 − s) of events, from the step of A = Σ w (1 − ε_LR)."""
    step = (
        found["efficiency.permanent"][path, month] - found["efficiency.permanent"][path, month - 1]
    )
    return step / (1.0 - found["efficiency.elasticity_long"][path, month])


def net(found) -> np.ndarray:
    """Return Δ = A + B."""
    return found["efficiency.permanent"] + found["efficiency.transient"]


def size_law(parameters) -> tuple[float, float]:
    """Return the shapes of the Beta law with the mean and 95% point that are asked for."""
    mean, q95 = parameters["eff.size.mean"], parameters["eff.size.q95"]
    n = fsolve(lambda n: beta.ppf(0.95, mean * n[0], (1.0 - mean) * n[0]) - q95, [7.0])[0]
    return mean * n, (1.0 - mean) * n


def test_number_of_breakthroughs(found) -> None:
    """Known hazard: Poisson thinned to one a month."""
    counts = (np.diff(found["efficiency.permanent"], axis=1) != 0.0).sum(axis=1)
    mean, variance = count_moments(72, found.parameters["eff.lambda"])
    mean_is(counts, mean)
    variance_is(counts, variance)


def test_number_of_breakthroughs_under_an_uncertain_hazard() -> None:
    """Gamma multiplier of the hazard: variance μ + μ²/k of the negative binomial law."""
    uncertain = market.run("efficiency.permanent efficiency.probability")
    counts = (np.diff(uncertain["efficiency.permanent"], axis=1) != 0.0).sum(axis=1)
    shape = uncertain.parameters["prior.k"]
    mean, variance = count_moments(72, uncertain.parameters["eff.lambda"], shape)
    mean_is(counts, mean)
    variance_is(counts, variance)
    assert variance > 1.5 * mean
    prior = market.multiplier(uncertain["efficiency.probability"], uncertain, "eff.lambda")
    mean_is(prior, 1.0)
    variance_is(prior, 1.0 / shape)


def test_size_of_a_breakthrough(sizes) -> None:
    """s ~ Beta with mean 0.35 and 95% point 0.65, whose shapes are 2.481 and 4.608."""
    a, b = size_law(sizes.parameters)
    assert (a, b) == pytest.approx((2.481, 4.608), abs=5e-4)
    path, month = events(sizes)
    size = -np.expm1(logs_of_saved(sizes, path, month) / 0.4)
    mean_is(size, sizes.parameters["eff.size.mean"])
    variance_is(size, a * b / ((a + b) ** 2 * (a + b + 1.0)))
    share_is(size <= sizes.parameters["eff.size.q95"], 0.95, "P(s <= q95)")
    law_is(size, beta.ppf(QUANTILES, a, b), QUANTILES)


def test_size_is_driven_by_the_efficiency_shock(sizes) -> None:
    """s = quantile of the Beta law at Φ(ξ_E(t)): so that it can be correlated with the rest."""
    path, month = events(sizes)
    size = -np.expm1(logs_of_saved(sizes, path, month) / 0.4)
    exact = beta.ppf(norm.cdf(sizes["shocks"][path, month, FACTOR]), *size_law(sizes.parameters))
    np.testing.assert_allclose(size, exact, rtol=0.0, atol=2e-5)


def test_scope_of_a_breakthrough(found) -> None:
    """w = U·ln(1 − s), U uniform and free of s.

    −ln(1 − s) has mean ψ(a+b) − ψ(b) and variance ψ′(b) − ψ′(a+b).
    """
    path, month = events(found)
    w = logs_of_saved(found, path, month)
    low, high = (found.parameters[f"eff.scope.{end}"] for end in ("min", "max"))
    a, b = size_law(found.parameters)
    mean_scope, square_scope = (low + high) / 2.0, (low * low + low * high + high * high) / 3.0
    mean_log = digamma(b) - digamma(a + b)
    square_log = polygamma(1, b) - polygamma(1, a + b) + mean_log**2
    mean_is(w, mean_scope * mean_log)
    variance_is(w, square_scope * square_log - (mean_scope * mean_log) ** 2)


def test_scope_is_uniform_and_free_of_size() -> None:
    """With ξ_E the size is known, and w/ln(1 − s) is the scope itself."""
    seen = market.run(ROWS + " shocks", CERTAIN | {"eff.lambda": 2.0}, paths=2_048, horizon=36)
    path, month = events(seen)
    size = beta.ppf(norm.cdf(seen["shocks"][path, month, FACTOR]), *size_law(seen.parameters))
    clear = size > 0.02  # below, the table's interpolation shows in the quotient
    scope = logs_of_saved(seen, path, month)[clear] / np.log1p(-size[clear])
    low, high = (seen.parameters[f"eff.scope.{end}"] for end in ("min", "max"))
    law_is(scope, low + QUANTILES * (high - low), QUANTILES, "scope")
    mean_is(scope, (low + high) / 2.0)
    variance_is(scope, (high - low) ** 2 / 12.0)
    correlation_is(scope, seen["shocks"][path, month, FACTOR][clear], 0.0)


def test_elasticity_and_half_life_are_drawn_once_per_path(found) -> None:
    """ε_LR ~ N(eff.e_lr, 0.15²), half-life η ~ LogN(eff.half_life, 0.4), independent."""
    elasticity = found["efficiency.elasticity_long"]
    np.testing.assert_array_equal(elasticity, np.repeat(elasticity[:, :1], 73, axis=1))
    score = (elasticity[:, 0] - found.parameters["eff.e_lr"]) / 0.15
    half_life = -np.log(2.0) / np.log(found["efficiency.decay"][:, 0])
    log_score = np.log(half_life / found.parameters["eff.half_life"]) / 0.4
    for normal in (score, log_score):
        mean_is(normal, 0.0)
        variance_is(normal, 1.0)
        law_is(normal, norm.ppf(QUANTILES), QUANTILES)
    correlation_is(score, log_score, 0.0)


def test_rebound_of_a_lone_breakthrough(found) -> None:
    """Δ(age) = w (1 − ε_LR) + w (ε_LR − ε_SR) 2^(−age/η): w (1 − ε_SR) at once, half-way at η."""
    path, month = events(found)
    lone = np.isin(path, np.nonzero(np.bincount(path, minlength=market.PATHS) == 1)[0])
    path, month = path[lone], month[lone]
    assert path.size > 1_500
    w = logs_of_saved(found, path, month)
    long_run = found["efficiency.elasticity_long"][path, 0]
    half_life = -np.log(2.0) / np.log(found["efficiency.decay"][path, 0])
    short_run = found.parameters["eff.e_sr"]
    delta = net(found)
    np.testing.assert_allclose(delta[path, month], w * (1.0 - short_run), rtol=0.0, atol=1e-12)
    assert (delta[path, month] < 0.0).all()
    for age in (1, 6, 24, 48):
        old = month + age <= 72
        exact = w * (1.0 - long_run) + w * (long_run - short_run) * 2.0 ** (-age / half_life)
        np.testing.assert_allclose(
            delta[path[old], month[old] + age], exact[old], rtol=0.0, atol=1e-12
        )


def test_rebound_ends_at_the_long_run() -> None:
    """With a short half-life Δ → w (1 − ε_LR): above nought where ε_LR > 1, else below."""
    quick = market.run(ROWS, CERTAIN | {"eff.half_life": 0.5}, paths=4_096)
    happened = np.diff(quick["efficiency.permanent"], axis=1) != 0.0
    settled = np.nonzero(happened[:, :24].any(axis=1) & ~happened[:, 24:].any(axis=1))[0]
    limit = quick["efficiency.permanent"][settled, 72]
    np.testing.assert_allclose(net(quick)[settled, 72], limit, rtol=0.0, atol=1e-6)
    gains = quick["efficiency.elasticity_long"][settled, 72] > 1.0
    assert (limit[gains] > 0.0).all()
    assert (limit[~gains] < 0.0).all()
    assert min(gains.sum(), (~gains).sum()) > 50


def test_sentiment(found) -> None:
    """Y jumps by N(eff.sentiment, eff.sentiment_sd²) and halves in two months."""
    path, month = events(found)
    sentiment = found["efficiency.sentiment"]
    jump = sentiment[path, month] - sentiment[path, month - 1] * 2.0**-0.5
    mean_is(jump, found.parameters["eff.sentiment"])
    variance_is(jump, found.parameters["eff.sentiment_sd"] ** 2)
    quiet = np.ones_like(sentiment, dtype=bool)
    quiet[path, month] = False
    before, now = sentiment[:, :-2], sentiment[:, 2:]
    both = quiet[:, 1:-1] & quiet[:, 2:]
    np.testing.assert_allclose(now[both], 0.5 * before[both], rtol=0.0, atol=1e-15)
