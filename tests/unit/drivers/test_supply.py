"""Supply: completion, build lag, orders, cancellations, retirement, cobweb (docs/model.md §7)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, nbinom

from simulator.analytics.estimators import mean_difference
from simulator.drivers.prices import GENERATION
from simulator.numerics.quantiles import beta_parameters
from tests.unit.drivers import market
from tests.unit.drivers.agreement import ENOUGH, law_is, mean_is, variance_is

ROWS = (
    "supply.capacity supply.waiting supply.completion supply.gap supply.negative_months "
    "supply.tightness supply.pipeline price.deviation memory.regime memory.cost_factor "
    "market.supply_factor market.easing_left"
)
NOTHING_RETIRES = {"sup.mix.A100": 0.0, "sup.mix.H100_H200": 0.0}
ORDER_MONTH = 24


@pytest.fixture(scope="module")
def found():
    settings = {"drivers.easing": True, "ease.lambda": 0.2}
    return market.run(ROWS, NOTHING_RETIRES | settings, paths=4_096)


def speed_of(found) -> np.ndarray:
    """Return the speed of building in months 1..72: deferral, supply factor, shortage, easing."""
    exponent = (
        found.parameters["sup.defer"] * np.minimum(0.0, found["supply.tightness"][:, :-1])
        - 0.1 * found["market.supply_factor"][:, :1]
    )
    scarcity = np.where(found["memory.regime"][:, 1:] == 1.0, 0.9, 1.0)
    ease = np.where(found["market.easing_left"][:, 1:] > 0.0, 1.3, 1.0)
    return np.exp(exponent) * scarcity * ease


def ordered_in(found) -> np.ndarray:
    """Return ḡ_ref(t + lag)/12·e^(clip(resp·gap(t−1), −2, 1)) by month, 0 to t = 24 − lag."""
    p, months = found.parameters, np.arange(1, 73)
    growth = np.array([p[f"dem.g_path.{year}"] for year in range(2027, 2033)])
    lag = int(p["sup.lag"])
    planned = growth[np.minimum((months + lag - 1) // 12, 5)] / 12.0
    planned = np.where(months > 24 - lag, planned, 0.0)
    return planned * np.exp(np.clip(p["sup.resp"] * found["supply.gap"][:, :-1], -2.0, 1.0))


@pytest.mark.parametrize("mean", [0.4, 0.3])
def test_completion_of_announced_capacity(mean: float) -> None:
    """c_K = Beta(sup.complete, sd 0.1) over the reference share 0.4: mean one in the base study."""
    rows = market.run("supply.completion", {"sup.complete": mean}, paths=20_000, horizon=1)
    share = 0.4 * rows["supply.completion"][:, 0]
    mean_is(share, mean)
    variance_is(share, 0.1**2)
    points = np.array([0.2, 0.3, 0.4, 0.5, 0.6])
    law_is(share, points, beta.cdf(points, *beta_parameters(mean, 0.1)))


def order_one(state: market.MarketState, month: int) -> None:
    """Put one unit of log capacity on order, on top of what a path orders."""
    if month == ORDER_MONTH:
        state.supply.pipeline[0] += 1.0


def test_an_order_arrives_after_the_build_lag() -> None:
    """Four stages left at r = 4·speed/lag a month: arrival of an order is negative binomial.

    P(built n months later) = P(the fourth success of probability r by trial n), mean lag/speed;
    with neither deferral nor response nor cancellation, speed = e^(−0.1 S*).
    """
    rows = "supply.capacity market.supply_factor"
    linear = {"sup.resp": 0.0, "sup.defer": 0.0, "sup.cancel": 0.0, "drivers.memory": False}
    plain, more = (
        market.run(rows, linear | NOTHING_RETIRES, paths=256, horizon=216, touch=touch)
        for touch in (None, order_one)
    )
    built = (more["supply.capacity"] - plain["supply.capacity"])[:, ORDER_MONTH:]
    lag = plain.parameters["sup.lag"] / np.exp(-0.1 * plain["market.supply_factor"][:, :1])
    since = np.arange(built.shape[1])
    np.testing.assert_allclose(built, nbinom.cdf(since - 4, 4, 4.0 / lag), rtol=0.0, atol=1e-10)
    np.testing.assert_allclose((1.0 - built).sum(axis=1), lag[:, 0], rtol=1e-6)
    assert lag.mean() == pytest.approx(18.0, rel=0.02)


def test_orders_follow_the_price_gap_of_the_month_before(found) -> None:
    """Stage 1 takes in e^(resp·gap(t−1)) times what planners order; the upper clip is met."""
    stage = found["supply.pipeline"][:, :, 0]
    rate = np.minimum(1.0, 4.0 * speed_of(found) / found.parameters["sup.lag"])
    cancelled = found["supply.negative_months"][:, 1:] == 6.0
    keep = np.where(cancelled, 1.0 - found.parameters["sup.cancel"], 1.0)
    expected = ((1.0 - rate) * stage[:, :-1] + ordered_in(found)) * keep
    np.testing.assert_allclose(stage[:, 1:], expected, rtol=0.0, atol=1e-12)
    exponent = found.parameters["sup.resp"] * found["supply.gap"]
    assert exponent.max() > 1.0
    assert exponent.min() < -1.5


def test_gap_is_the_mean_of_a_year_of_prices_over_cost(found) -> None:
    """gap(t) = mean over t−11..t of v = q + β x0 − ln c, v(t ≤ 0) = β x0."""
    p = found.parameters
    start = p["gpu.beta_tight"] * p["sup.x0"]
    v = found["price.deviation"] + start - np.log(found["memory.cost_factor"])
    v[:, 0] = start
    past = np.concatenate([np.full((len(v), 11), start), v], axis=1)
    year = np.lib.stride_tricks.sliding_window_view(past, 12, axis=1).mean(axis=2)
    np.testing.assert_allclose(found["supply.gap"], year, rtol=0.0, atol=1e-12)


def test_cancellation_after_six_months_below_break_even(found) -> None:
    """Content = (before + announced + ordered − built)·keep, < 1 in the sixth such month."""
    p = found.parameters
    content = found["supply.waiting"] + found["supply.pipeline"].sum(axis=2)
    months = np.arange(1, 73)
    announced = np.select(
        [months <= 12, months <= 24],
        [p["sup.g_committed.first_12_months"], p["sup.g_committed.second_12_months"]],
        0.0,
    )
    ease = np.where(found["market.easing_left"][:, 1:] > 0.0, 1.3, 1.0)
    announced = announced / 12.0 * found["supply.completion"][:, :1] * ease
    built = np.diff(found["supply.capacity"], axis=1)
    full = content[:, :-1] + announced + ordered_in(found) - built
    below = np.zeros_like(full)
    run = np.zeros(len(full))
    for month in range(72):
        run = np.where(found["supply.gap"][:, month] < 0.0, run + 1.0, 0.0)
        below[:, month] = run
    np.testing.assert_array_equal(found["supply.negative_months"][:, 1:], below)
    keep = np.where(below == 6.0, 1.0 - p["sup.cancel"], 1.0)
    np.testing.assert_allclose(content[:, 1:], full * keep, rtol=0.0, atol=1e-12)
    assert (below == 6.0).sum() > 1_000
    assert (below > 6.0).sum() > 1_000  # a longer glut cancels no second time


def test_retirement_when_cash_margin_is_gone() -> None:
    """At a price under power and O&M a group leaves in month 6: K += ln(1 − share·e^(−K))."""
    low = {"gpu.p0_contract.A100": 0.05}
    rows = "supply.capacity"
    stays, leaves = (market.run(rows, extra, paths=512, horizon=6) for extra in ({}, low))
    before, after = stays["supply.capacity"], leaves["supply.capacity"]
    np.testing.assert_array_equal(after[:, :6], before[:, :6])
    share = stays.parameters["sup.mix.A100"] * np.exp(-before[:, 6])
    np.testing.assert_allclose(after[:, 6] - before[:, 6], np.log1p(-share), rtol=1e-10)


def five_cheap_months(state: market.MarketState, month: int) -> None:
    """Put the prices of all generations under the cash floor for months 0..4."""
    if month < 5:
        state.prices.generations[GENERATION.contract] = 0.01


def test_five_months_without_margin_retire_nothing() -> None:
    """The count starts anew: no generation leaves that had five such months."""
    plain, touched = (
        market.run("supply.capacity", paths=512, horizon=12, touch=touch)
        for touch in (None, five_cheap_months)
    )
    np.testing.assert_array_equal(touched["supply.capacity"], plain["supply.capacity"])


def test_high_prices_breed_overbuild() -> None:
    """The cobweb: what is ordered at high prices arrives late and takes tightness below nought.

    Third of the paths with the highest prices over months 13-24. Two years and a half after, most
    of them are in glut; on the same draws without a response of orders far fewer are, and at
    month 24, before what was ordered is built, the two markets hardly differ.
    """
    cobweb, numb = (
        market.run("supply.tightness supply.gap", settings) for settings in ({}, {"sup.resp": 0.0})
    )
    gap = cobweb["supply.gap"][:, 24]
    dear, cheap = gap > np.quantile(gap, 2 / 3), gap < np.quantile(gap, 1 / 3)
    x, without = cobweb["supply.tightness"], numb["supply.tightness"]
    assert x[dear, 24].mean() > 0.2
    assert (x[dear, 60] < 0.0).mean() > 0.5
    over = mean_difference(x[dear, 60] < 0.0, without[dear, 60] < 0.0)
    assert over.value > 0.15 + ENOUGH * over.se
    early, late = (mean_difference(x[dear, t], without[dear, t]) for t in (24, 60))
    assert late.value + ENOUGH * late.se < 4.0 * early.value < 0.0
    dear_then, cheap_then = x[dear, 60], x[cheap, 60]
    error = np.hypot(
        dear_then.std() / np.sqrt(dear_then.size), cheap_then.std() / np.sqrt(cheap_then.size)
    )
    assert dear_then.mean() < cheap_then.mean() - ENOUGH * error  # the order of the two is turned
