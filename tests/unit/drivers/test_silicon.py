"""Custom silicon and captive capacity against docs/model.md §5."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tests.unit.drivers import market
from tests.unit.drivers.agreement import covariance_is, law_is, mean_is, variance_is

ROWS = (
    "silicon.noise silicon.share silicon.addressable silicon.released silicon.captive "
    "supply.tightness demand.level efficiency.permanent efficiency.transient"
)
QUANTILES = np.array([0.01, 0.1, 0.5, 0.9, 0.99])


@pytest.fixture(scope="module")
def found():
    return market.run(ROWS, {"drivers.integration": False})


@pytest.mark.parametrize("month", [1, 12, 36, 72])
def test_noise_of_the_share_is_brownian(found, month: int) -> None:
    """n(t) ~ N(0, sup.asic_noise² t/12), increments independent: cov(n(t), n(72)) = Var n(t)."""
    noise, sd = found["silicon.noise"], found.parameters["sup.asic_noise"]
    exact = sd**2 * month / 12.0
    mean_is(noise[:, month], 0.0)
    variance_is(noise[:, month], exact)
    covariance_is(noise[:, month], noise[:, 72], exact)
    law_is(noise[:, month], norm.ppf(QUANTILES) * np.sqrt(exact), QUANTILES)


def test_share_rises_along_a_line_for_five_years(found) -> None:
    """Mean share: the line from 2026 to 2031 (month 60), then flat."""
    start, end = (found.parameters[f"sup.asic_share.{year}"] for year in (2026, 2031))
    for month in (12, 30, 60, 72):
        line = start + (end - start) * min(1.0, month / 60.0)
        mean_is(found["silicon.share"][:, month], line, f"share at {month}")


def test_addressable_demand(found) -> None:
    """L^a = L + Δ + ln(1 − sh(t)) − ln(1 − sh(0)): what custom chips serve is lost."""
    start = found.parameters["sup.asic_share.2026"]
    lost = np.log1p(-found["silicon.share"]) - np.log1p(-start)
    delta = found["efficiency.permanent"] + found["efficiency.transient"]
    expected = found["demand.level"] + delta + lost
    np.testing.assert_allclose(
        found["silicon.addressable"][:, 1:], expected[:, 1:], rtol=0.0, atol=1e-13
    )


def test_captive_capacity_comes_below_and_goes_above(found) -> None:
    """On if x(t−1) < −0.3, off if x(t−1) > 0, in between as it was."""
    tightness, on = found["supply.tightness"], np.zeros(market.PATHS)
    kept_on = kept_off = 0
    for month in range(1, 73):
        x = tightness[:, month - 1]
        on = np.where(x < -0.3, 1.0, np.where(x > 0.0, 0.0, on))
        between = (x >= -0.3) & (x <= 0.0)
        kept_on += int((on[between] == 1.0).sum())
        kept_off += int((on[between] == 0.0).sum())
        np.testing.assert_array_equal(found["silicon.released"][:, month], on)
    assert min(kept_on, kept_off) > 1_000  # both branches of the hysteresis were seen
    ratio = found.parameters["sup.captive_release"] / found.parameters["sup.merchant_share"]
    np.testing.assert_allclose(
        found["silicon.captive"], np.log1p(ratio) * found["silicon.released"], rtol=1e-14
    )


def test_captive_capacity_deepens_a_glut() -> None:
    """Same draws without it: x differs by ln(1 + release/share) when it first comes."""
    rows = "supply.tightness silicon.released"
    with_it, without = (
        market.run(rows, {"drivers.integration": False, "drivers.captive": on}, paths=2_048)
        for on in (True, False)
    )
    on = with_it["silicon.released"] > 0.0
    path = np.nonzero(on.any(axis=1))[0]
    month = on[path].argmax(axis=1)
    ratio = with_it.parameters["sup.captive_release"] / with_it.parameters["sup.merchant_share"]
    gap = with_it["supply.tightness"] - without["supply.tightness"]
    assert path.size > 300
    np.testing.assert_array_equal(gap[path, month - 1], 0.0)
    np.testing.assert_allclose(gap[path, month], -np.log1p(ratio), rtol=1e-12)


def test_integrations_take_demand_from_the_month_after() -> None:
    """L^a falls by sup.vi_demand per event up to t−1, on the same draws."""
    rows = "silicon.addressable demand.level"
    calm = {"dem.price_resp": 0.0, "sup.vi_lambda": 0.5}
    with_it, without = (
        market.run(rows, calm | {"drivers.integration": on}, paths=1_024) for on in (True, False)
    )
    lost = without["silicon.addressable"] - with_it["silicon.addressable"]
    lost = lost / with_it.parameters["sup.vi_demand"]
    np.testing.assert_allclose(lost, np.round(lost), atol=1e-9)
    assert (np.diff(np.round(lost), axis=1) >= 0.0).all()
    assert not np.round(lost)[:, 1].any()  # an event of month 1 acts from month 2 on
    assert np.round(lost)[:, 72].max() == sum(
        name.hyperscaler for name in with_it.inputs.book.names
    )
