"""Easing: every constraint gives way in the same month (docs/model.md §1, Easing)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.drivers import market
from tests.unit.drivers.agreement import count_moments, mean_is, variance_is

ROWS = (
    "market.easing_event market.easing_left memory.regime memory.stage memory.shortage_starts "
    "silicon.released efficiency.permanent efficiency.elasticity_long efficiency.sentiment"
)
EASING = {"drivers.easing": True, "ease.lambda": 0.2}


@pytest.fixture(scope="module")
def found():
    return market.run(ROWS, EASING)


def test_number_of_easings(found) -> None:
    """Hazard ease.lambda without a prior: Poisson thinned to one a month, whatever `priors` is."""
    counts = found["market.easing_event"].sum(axis=1)
    mean, variance = count_moments(72, 0.2)
    mean_is(counts, mean)
    variance_is(counts, variance)


def test_easing_lasts_two_years_and_starts_anew(found) -> None:
    left = np.zeros(market.PATHS)
    for month in range(1, 73):
        event = found["market.easing_event"][:, month] > 0.0
        left = np.where(event, 24.0, np.maximum(0.0, left - 1.0))
        np.testing.assert_array_equal(found["market.easing_left"][:, month], left)


def test_every_part_eases_in_the_month(found) -> None:
    """Memory is in the first stage of a glut, no shortage starts, captive capacity is released."""
    event = found["market.easing_event"] > 0.0
    assert event.sum() > 5_000
    assert (found["memory.regime"][event] == 2.0).all()
    assert (found["memory.stage"][event] == 1.0).all()
    assert not found["memory.shortage_starts"][event].any()
    assert (found["silicon.released"][event] == 1.0).all()


def test_easing_brings_one_breakthrough_without_sentiment() -> None:
    """w = 0.5·ln(1 − 0.5), so A falls by w (1 − ε_LR), and Y does not move."""
    alone = market.run(ROWS, EASING | {"eff.lambda": 0.0}, paths=2_048)
    step = np.diff(alone["efficiency.permanent"], axis=1)
    w = 0.5 * np.log(0.5) * alone["market.easing_event"][:, 1:]
    expected = w * (1.0 - alone["efficiency.elasticity_long"][:, 1:])
    np.testing.assert_allclose(step, expected, rtol=0.0, atol=1e-14)
    assert not alone["efficiency.sentiment"].any()


def test_a_driver_that_is_off_ignores_its_part() -> None:
    off = {f"drivers.{name}": False for name in ("efficiency", "captive", "memory")}
    found = market.run(ROWS + " silicon.captive", EASING | off, paths=2_048)
    assert found["market.easing_event"].any()
    assert not found["efficiency.permanent"].any()
    assert not found["silicon.captive"].any()
    assert not found["memory.regime"].any()
