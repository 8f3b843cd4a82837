"""No switch shifts another driver's draws: every draw has an address of its own.

A small book runs on the same paths with each switch of a study thrown in turn. Levels may move, as
drivers act on each other by the model; compared are the rows of the state that hold a driver's own
draws, bit for bit, and the switches that move a row are exactly those that the model says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.box.deliveries import DELIVERY
from simulator.box.sites import SITE
from simulator.box.terms import BOX
from simulator.config.drivers import Drivers
from simulator.config.study import load_study
from simulator.config.template import write_template
from simulator.config.terms import ModelInputs
from simulator.credit.names import NAME, NAME_LANE
from simulator.engine.block import run_block
from simulator.engine.prepare import prepare
from simulator.engine.state import ModelState
from tests.unit.drivers import market
from tests.unit.engine.small import OVERRIDES

PATHS, BLOCK, SEED, HORIZON = 256, 128, 3, 36
SWITCHES = tuple(Drivers.model_fields)

SYSTEMIC = "structural_link"
"""Moves what is drawn from the nine normals, but Z and C, the first two: it lowers other pairs."""


class Draw(NamedTuple):
    """Rows that hold nothing but draws of one driver."""

    rows: str
    """Names of rows, as in `market.ROWS`."""
    moved_by: str = ""
    """Switches that change them by the model: the driver's own, its prior, events it hears of."""


DRAWS: dict[str, Draw] = {
    "credit factors": Draw("market.macro market.ai market.ai_orthogonal"),
    "supply factor": Draw("market.supply_factor", SYSTEMIC),
    "growth residual": Draw("demand.residual", f"demand {SYSTEMIC}"),
    "arrival of pockets": Draw("demand.arrived", "demand priors"),
    "priors": Draw("demand.prior renegotiation_prior", "priors"),
    "hazard of breakthroughs": Draw("efficiency.probability", "efficiency priors"),
    "hazard of policy": Draw("policy.probability", "policy priors"),
    "hazard of integrations": Draw("names.probability", "integration priors"),
    "rebound": Draw("efficiency.elasticity_long efficiency.decay"),
    "breakthroughs": Draw("efficiency.permanent", f"efficiency priors easing {SYSTEMIC}"),
    "sentiment": Draw("efficiency.sentiment", "efficiency priors"),
    "share of silicon": Draw("silicon.noise", "silicon"),
    "memory regime": Draw("memory.regime memory.stage memory.spell_months", "memory easing"),
    "memory price": Draw("memory.log_price", f"memory easing {SYSTEMIC}"),
    "completion": Draw("supply.completion"),
    "releases": Draw("release.release_month release.release_size price.steps", "generations"),
    "contract noise": Draw("generation.contract_noise", f"price_noise {SYSTEMIC}"),
    "spot noise": Draw("generation.spot_noise", f"price_noise {SYSTEMIC}"),
    "power": Draw("power.deviation power.market", f"power {SYSTEMIC}"),
    "rates": Draw("rate.sofr", f"rates {SYSTEMIC}"),
    "exchange rates": Draw("currency.rate", "currencies"),
    "spreads": Draw("rate.log_spread", "spreads demand priors"),  # pockets make it jump
    "policy": Draw(
        "policy.tariff policy.resale_hit policy.control policy.site_slip", "policy priors"
    ),
    "easing": Draw("market.easing_event", "easing"),
    "default thresholds": Draw("names.threshold"),
    "integrations": Draw("names.integrated", "integration priors"),
    "late and killed sites": Draw("sites.delay sites.killed", f"delivery {SYSTEMIC}"),
    "curtailment": Draw("sites.availability"),
    "utilisation of pools": Draw("boxes.utilisation_odds"),
    "deliveries at t0": Draw("deliveries.due_at_t0", f"delivery memory {SYSTEMIC}"),
}

POCKETS = ("demand.trough", "demand.months_left")
"""Drawn when a pocket arrives while none is running."""

BOOK = {
    "names.threshold": lambda state: state.names.rows[NAME.threshold],
    "names.integrated": lambda state: state.names.rows[NAME.integrated],
    "names.probability": lambda state: state.names.lanes[NAME_LANE.probability],
    "renegotiation_prior": lambda state: state.renegotiation_prior,
    "sites.delay": lambda state: state.sites.rows[SITE.delay],
    "sites.killed": lambda state: state.sites.rows[SITE.killed],
    "sites.availability": lambda state: state.sites.rows[SITE.availability],
    "boxes.utilisation_odds": lambda state: state.boxes.rows[BOX.utilisation_odds],
}
"""Draws outside the market, by name."""

Array = NDArray[np.float64]


class Run(NamedTuple):
    """What one setting of the switches gave."""

    rows: dict[str, Array]  # (month 0..H, ..., path)
    results: dict[str, Array]
    cholesky: Array

    def independent(self) -> Array:
        """Return the nine normals before they are correlated, (month 1..H, 9, path)."""
        return np.linalg.solve(self.cholesky, self.rows["shocks"][1:])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> ModelInputs:
    """A small book whose loans default, three years, all switches on but the slow compensator."""
    file = write_template(tmp_path_factory.mktemp("study"))[0]
    return load_study(file, OVERRIDES | {"horizon_months": HORIZON}).inputs


def run(inputs: ModelInputs) -> Run:
    """Run a book and keep every row that is compared."""
    prepared = prepare(inputs)
    state, outputs = prepared.state(BLOCK), prepared.outputs(PATHS)
    wanted = " ".join(draw.rows for draw in DRAWS.values()).split()
    kept: dict[str, list[Array]] = {name: [] for name in [*wanted, "shocks", *POCKETS]}

    def watch(state: ModelState, month: int) -> None:
        for name, months in kept.items():
            if name in BOOK:
                months.append(BOOK[name](state).copy())
            elif name == "deliveries.due_at_t0":
                if month == 0:
                    months.append(state.deliveries.rows[DELIVERY.due].copy())
            else:
                months.append(market.row(state.market, name, month).copy())

    blocks = []
    for first in range(0, PATHS, BLOCK):
        paths = np.arange(first, first + BLOCK, dtype=np.int64)
        run_block(prepared.packed, state, SEED, paths, outputs, first, watch)
        blocks.append({name: np.array(months) for name, months in kept.items()})
        for months in kept.values():
            months.clear()
    rows = {name: np.concatenate([one[name] for one in blocks], axis=-1) for name in kept}
    results = {
        name: array
        for name, array in outputs.fields._asdict().items()
        if isinstance(array, np.ndarray)
    }
    cholesky = prepared.params.market.shocks.cholesky
    return Run(rows, results, cholesky)


@pytest.fixture(scope="module")
def base(inputs: ModelInputs) -> Run:
    return run(inputs)


@pytest.fixture(scope="module")
def thrown(inputs: ModelInputs) -> Any:
    """Return the run with one switch thrown, each computed once."""
    known: dict[str, Run] = {}

    def get(switch: str) -> Run:
        if switch not in known:
            known.clear()  # tests of a switch stand together
            on = {**inputs.switches, switch: not inputs.switches[switch]}
            known[switch] = run(replace(inputs, switches=on))
        return known[switch]

    return get


def bits(array: Array) -> bytes:
    """Return an array as bytes."""
    return np.ascontiguousarray(array).tobytes()


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_leaves_the_draws_of_others(base: Run, thrown: Any, switch: str) -> None:
    other: Run = thrown(switch)
    if switch == SYSTEMIC:  # other correlations of the same independent normals
        np.testing.assert_allclose(other.independent(), base.independent(), rtol=0.0, atol=1e-12)
    else:
        assert bits(other.rows["shocks"]) == bits(base.rows["shocks"])
    moved = {
        name
        for name, draw in DRAWS.items()
        for row in draw.rows.split()
        if bits(other.rows[row]) != bits(base.rows[row])
    }
    assert moved == {name for name, draw in DRAWS.items() if switch in draw.moved_by.split()}
    same_pockets(base, other)
    changed = [n for n, array in base.results.items() if bits(array) != bits(other.results[n])]
    assert changed, "the switch does nothing"


def same_pockets(base: Run, other: Run) -> None:
    """Assert that a pocket that both runs meet at rest has the same trough and duration."""

    def fresh(of: Run) -> NDArray[np.bool_]:
        return (of.rows["demand.arrived"][1:] > 0.0) & (of.rows["demand.months_left"][:-1] == 0.0)

    both = fresh(base) & fresh(other)
    for name in POCKETS:
        assert bits(base.rows[name][1:][both]) == bits(other.rows[name][1:][both])
