"""Ratings that follow the hazard, and cash that a contract traps below a floor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.config.terms import MarketPath
from simulator.credit.names import NAME
from tests.unit.credit.books import Deal, Run

pytestmark = pytest.mark.nojit

STILL = (("cp.drift_sd", 0.0), ("cp.notch_slope", 0.5))
RATED = replace(
    Deal(on=("counterparty_default",), parameters=STILL)
    .change("tranche", commitment=10.0, balance0=10.0)
    .change("customer", notch=8.0)
    .change("contract", rating_floor=10.0)
    .change("box", first_test=5)
)


def stressed(multiplier: float, *defaults: tuple[str, int]) -> MarketPath:
    return MarketPath((0.0,) * 37, 0.0, multiplier, 0.0, 1.0, defaults)


def rating(run: Run) -> np.ndarray:
    return np.array(run.engine.trace.name[:, NAME.rating, 0])


@pytest.mark.parametrize(
    ("multiplier", "notch"),
    [(1.0, 8.0), (np.exp(1.2), 10.0), (np.exp(1.26), 11.0), (np.exp(-0.3), 7.0)],
)
def test_a_rating_moves_with_the_log_of_the_hazard(multiplier: float, notch: float) -> None:
    # 1.2 / 0.5 = 2.4 notches round to two, 1.26 / 0.5 = 2.52 to three; 7.4 is 7
    run = replace(RATED, path=stressed(float(multiplier))).run()
    np.testing.assert_array_equal(rating(run), notch)
    trapped = np.where((np.arange(1, 37) >= 5) & (notch > 10.0), 1.0, 0.0)
    np.testing.assert_array_equal(run.box("trap_on"), trapped)


def test_trapped_cash_is_not_distributed() -> None:
    run = replace(RATED, path=stressed(4.0)).run()
    assert np.all(run.line("distributed")[:4] > 0.0)
    np.testing.assert_array_equal(run.line("distributed")[4:], 0.0)
    assert run.line("cash_trapped")[4] > 0.5


def test_a_customer_in_default_keeps_the_trap_shut_and_a_floor_of_none_does_not() -> None:
    path = stressed(1.0, ("customer", 9))
    run = replace(RATED, path=path).run()
    np.testing.assert_array_equal(run.box("trap_on")[4:8], 0.0)
    performing = run.box("status")[8:] == 0.0
    assert performing.any()
    np.testing.assert_array_equal(run.box("trap_on")[8:][performing], 1.0)
    free = replace(RATED, path=path).change("contract", rating_floor=0.0).run()
    assert np.all(free.box("trap_on") == 0.0)


def test_a_renewed_contract_asks_for_no_rating() -> None:
    short = RATED.change("contract", term_months=8)
    run = replace(short, path=stressed(4.0), parameters=(*STILL, ("cp.renew0", 0.95))).run()
    assert run.lease("months_left")[7] == 24.0, "the customer was meant to stay: another seed"
    np.testing.assert_array_equal(run.box("trap_on")[4:7], 1.0)
    np.testing.assert_array_equal(run.box("trap_on")[7:], 0.0)  # renewed before the test


def test_the_noise_is_a_random_walk_of_its_own_sd() -> None:
    paths = 64
    noisy = replace(RATED, parameters=(("cp.drift_sd", 2.0), STILL[1]), horizon=24)
    run = noisy.run(paths)
    rows = run.engine.state.names.rows[:, 0]
    walk = rows[NAME.rating_walk]
    np.testing.assert_array_equal(rows[NAME.rating], np.floor(8.0 + 2.0 * walk + 0.5))
    # variance after two years is 2, with a standard error of 2 sqrt(2 / n)
    assert abs(walk.var() - 2.0) < 4.0 * 2.0 * np.sqrt(2.0 / paths)
    assert abs(walk.mean()) < 4.0 * np.sqrt(2.0 / paths)


def test_with_defaults_off_a_rating_stands_still() -> None:
    run = replace(RATED, on=(), path=stressed(50.0)).run()
    np.testing.assert_array_equal(rating(run), 8.0)
