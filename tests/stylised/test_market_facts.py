"""Facts 4 and 9 of the market: breakthroughs that hurt and help, prices in reach of the sane.

Statistical claims are about the same paths with and without a cause, with paired standard errors.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean
from simulator.drivers.demand import DEMAND
from simulator.drivers.prices import PRICE
from simulator.engine.market_alone import reference_path, run_market, without_deals
from simulator.engine.pack_market import pack_market
from tests.unit.drivers import market

ENOUGH = 4.0  # standard errors
EARLY, LATE = 6, 48  # months after a breakthrough
EFFECTS = {"demand": "silicon.addressable", "price": "price.deviation"}
HELPING, HURTING = 1.2, 0.8  # long-run elasticities


@cache
def breakthrough(elasticity: float, age: int, effect: str, supply: bool) -> Estimate:
    """Return what a lone breakthrough does, against the same paths without efficiency.

    Parameters
    ----------
    elasticity : float
        Mean long-run elasticity ε_LR.
    age : int
        Months since the breakthrough, which fell in months 1 to 3 and stayed the only one.
    effect : str
        "demand": addressable log demand, so Δ itself; "price": q.
    supply : bool
        Whether supply answers; else capacity is that of the reference path.
    """
    settings: dict[str, Any] = {"drivers.priors": False, "drivers.supply": supply}
    settings |= {"eff.lambda": 0.12, "dem.price_resp": 0.0}  # demand itself answers no price
    rows = " ".join(EFFECTS.values()) + " efficiency.permanent"
    size = {"paths": 10_000, "horizon": LATE + 3}
    with_it = market.run(rows, settings | {"eff.e_lr": elasticity}, **size)
    without = market.run(rows, settings | {"drivers.efficiency": False}, **size)
    happened = np.diff(with_it["efficiency.permanent"], axis=1) != 0.0
    lone = happened[:, :3].any(axis=1) & (happened.sum(axis=1) == 1)
    path, month = np.nonzero(lone)[0], happened[lone].argmax(axis=1) + 1
    moved = with_it[EFFECTS[effect]] - without[EFFECTS[effect]]
    return mean(moved[path, month + age])


def is_negative(effect: Estimate) -> bool:
    """Tell whether an effect is below nought by more than its error could explain."""
    return effect.value < -ENOUGH * effect.se


def is_positive(effect: Estimate) -> bool:
    """Tell whether an effect is above nought by more than its error could explain."""
    return effect.value > ENOUGH * effect.se


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_breakthrough_hurts_at_first_and_helps_later(effect: str) -> None:
    """Fact 4: with ε_LR 1.2 demand and, where supply does not answer, prices."""
    assert is_negative(breakthrough(HELPING, EARLY, effect, supply=False))
    assert is_positive(breakthrough(HELPING, LATE, effect, supply=False))


@pytest.mark.parametrize("effect", EFFECTS)
def test_without_a_rebound_above_one_it_only_hurts(effect: str) -> None:
    """Fact 4: with ε_LR 0.8, at once, early and late."""
    for age in (0, EARLY, LATE):
        assert is_negative(breakthrough(HURTING, age, effect, supply=False))


def test_the_answer_of_supply_undoes_it() -> None:
    """Fact 4 holds for prices only while supply stands still: orders fall after low prices.

    After four years little is left of the fall of prices, while demand itself stays as much lower.
    """
    numb, answering = (breakthrough(HURTING, LATE, "price", supply=on) for on in (False, True))
    assert is_negative(numb)
    assert answering.value > numb.value + ENOUGH * np.hypot(answering.se, numb.se)
    assert abs(answering.value) < 0.5 * abs(numb.value)
    for age in (EARLY, LATE):
        demand = [breakthrough(HURTING, age, "demand", supply=on) for on in (False, True)]
        assert demand[0].value == pytest.approx(demand[1].value, abs=1e-12)


@pytest.mark.parametrize(
    ("probability", "figure"), [(0.05, -1.1), (0.5, -0.1), (0.95, 0.7)], ids=["5%", "50%", "95%"]
)
def test_prices_of_h100_after_three_years(probability: float, figure: float) -> None:
    """Fact 9: q + X_contract(H100) at month 36 of the base study, within 0.25 and four errors.

    Error of a quantile: √(p(1 − p)/n) over the density there, by the share within 0.05 of it.
    """
    found = market.run("price.deviation generation.contract_noise", paths=20_000, horizon=36)
    h100 = [generation.name for generation in found.inputs.book.generations].index("H100")
    price = found["price.deviation"][:, 36] + found["generation.contract_noise"][:, 36, h100]
    quantile = np.quantile(price, probability)
    density = np.mean(np.abs(price - quantile) < 0.05) / 0.1
    error = np.sqrt(probability * (1.0 - probability) / price.size) / density
    assert abs(quantile - figure) < 0.25 + ENOUGH * error


def surprise_of_prices(pocket: bool) -> np.ndarray:
    """Return q − q̄ by month 0..72 with every shock off but, if asked for, one air pocket.

    The pocket arrives in month 12 with the most likely trough and the median duration. What has no
    switch (systemic normals, completion) is put at its centre.
    """
    shocks = ("policy", "efficiency", "silicon", "memory", "generations", "price_noise", "power")
    shocks += ("rates", "spreads", "integration", "priors", "easing")
    settings = {f"drivers.{name}": False for name in shocks} | {"dem.ap_lambda": 0.0}
    inputs = market.inputs_of(72, frozenset(settings.items()))
    reference = reference_path(inputs.expected, inputs.horizon)
    terms = pack_market(inputs.world, inputs.expected, inputs.horizon, reference)
    completion = np.ones_like(terms.supply.completion_table)
    terms = terms._replace(
        shocks=terms.shocks._replace(cholesky=np.zeros((9, 9))),
        supply=terms.supply._replace(completion_table=completion),
    )
    surprise = np.zeros(73)

    def watch(state, month: int) -> None:
        surprise[month] = state.market.prices.rows[PRICE.surprise, 0]
        if pocket and month == 11:
            state.market.demand.rows[DEMAND.months_left] = 3.0 * inputs.parameters["dem.ap_dur"]
            state.market.demand.rows[DEMAND.trough] = inputs.parameters["dem.ap_mult.mode"]

    bare = without_deals(replace(inputs.world, hyperscalers=()), inputs.expected, 72, terms)
    run_market(bare, 1, np.zeros(1, dtype=np.int64), watch)
    return surprise


def test_a_lone_median_air_pocket() -> None:
    """Fact 9: prices fall 0.5 to 0.9 (log) below the reference, deepest as the pocket ends."""
    np.testing.assert_allclose(surprise_of_prices(pocket=False), 0.0, atol=1e-12)
    surprise = surprise_of_prices(pocket=True)
    assert not surprise[:12].any()
    assert 0.5 < -surprise.min() < 0.9
    assert surprise.argmin() == 29  # its eighteenth month
    assert surprise[60] > 0.0  # few were ordered in it: the cobweb
