"""Exchange rates: no drift in the mean, volatility as said, independent of each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from simulator.box import flows
from simulator.config.study import load_study
from simulator.config.template import write_template
from simulator.engine.paths import trace_path
from simulator.engine.prepare import prepare
from simulator.engine.trace import Trace
from simulator.numerics.philox import normal_pair
from simulator.numerics.streams import stream_id_array
from tests.unit.drivers import market
from tests.unit.drivers.agreement import correlation_is, mean_is, variance_is

SEED, PATH = 3, 0


@pytest.fixture(scope="module")
def rates() -> np.ndarray:
    """Log rates of two currencies, (path, month, currency)."""
    inputs = market.inputs_of(60, frozenset())
    first, second = (contract.id for contract in inputs.book.contracts[:2])
    settings = {f"contracts.{first}.currency": "EUR", f"contracts.{second}.currency": "NOK"}
    found = market.run("currency.rate price.deviation", settings, horizon=60)
    rows = found["currency.rate"]
    assert (rows[..., 0] == 1.0).all()  # the dollar
    return np.log(rows[..., 1:])


@pytest.mark.parametrize("month", [1, 12, 60])
def test_law_of_a_rate(rates: np.ndarray, month: int) -> None:
    """ln X(t) is normal with variance s²t and mean −s²t/2, so that E X(t) = 1."""
    variance = 0.1**2 * month / 12.0
    for currency in range(2):
        now = rates[:, month, currency]
        mean_is(now, -variance / 2.0)
        variance_is(now, variance)
        mean_is(np.exp(now), 1.0)


def test_moves_are_independent(rates: np.ndarray) -> None:
    moves = np.diff(rates, axis=1)
    correlation_is(moves[:, 30, 0], moves[:, 30, 1], 0.0)
    correlation_is(moves[:, 30, 0], moves[:, 31, 0], 0.0)


def test_switched_off_rates_stay() -> None:
    inputs = market.inputs_of(12, frozenset())
    changes = {f"contracts.{inputs.book.contracts[0].id}.currency": "EUR"}
    found = market.run("currency.rate", changes | {"drivers.currencies": False}, horizon=12)
    assert found["currency.rate"].shape[-1] == 2
    assert (found["currency.rate"] == 1.0).all()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Trace]:
    """Run one path on which customers pay and nothing else happens."""
    file = write_template(tmp_path_factory.mktemp("study"))[0]
    off = ("renegotiation", "counterparty_default", "policy", "integration", "compensator")
    calm = {f"drivers.{name}": False for name in off} | {"horizon_months": 18}
    return lambda **changes: (
        trace_path(prepare(load_study(file, calm | changes).inputs), SEED, PATH).trace
    )


def rate(currency: str) -> np.ndarray:
    """X(1..18) from its definition."""
    stream = stream_id_array([f"fx.{currency}"])[0]
    z = np.array([normal_pair(SEED, PATH, stream, month)[0] for month in range(1, 19)])
    s = 0.1 / np.sqrt(12.0)
    return np.exp(np.cumsum(s * z - s * s / 2.0))


def test_a_contract_in_euros_pays_euros(quiet: Callable[..., Trace]) -> None:
    """Its invoices follow the rate; costs, and what other boxes are paid, do not."""
    dollars, euros = quiet(), quiet(**{"contracts.SEARCH-1.currency": "EUR"})
    paid, moved = (run.flow[:, flows.RECEIPTS] for run in (dollars, euros))
    ratio = moved[:, 0] / paid[:, 0]
    np.testing.assert_allclose(ratio, rate("EUR"), rtol=1e-12)
    np.testing.assert_array_equal(moved[:, 1], paid[:, 1])
    costs = (run.flow[:, flows.OPERATING_COSTS] for run in (dollars, euros))
    np.testing.assert_array_equal(*costs)


def test_costs_in_kroner_follow_the_krone(quiet: Callable[..., Trace]) -> None:
    dollars, kroner = quiet(), quiet(**{"boxes.BOX-A.cost_currency": "NOK"})
    for line in (flows.OPERATING_COSTS, flows.POWER_COST):
        ratio = kroner.flow[:, line, 0] / dollars.flow[:, line, 0]
        np.testing.assert_allclose(ratio, rate("NOK"), rtol=1e-12)
        np.testing.assert_array_equal(kroner.flow[:, line, 1], dollars.flow[:, line, 1])
