"""The market of the shipped study without its deals, run on many paths by the compiled kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.config.study import load_study
from simulator.config.terms import ModelInputs
from simulator.drivers.currencies import CURRENCY
from simulator.drivers.demand import DEMAND
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION, PRICE, RELEASE
from simulator.drivers.rates import RATE
from simulator.drivers.silicon import SILICON
from simulator.drivers.supply import SUPPLY
from simulator.engine.compilation import compile_kernels
from simulator.engine.market import MARKET, MarketState
from simulator.engine.market_alone import reference_path, run_market, without_deals
from simulator.engine.pack_market import pack_market
from simulator.engine.state import ModelParams, ModelState

Array = NDArray[np.float64]
Touch = Callable[[MarketState, int], None]

STUDY = Path(__file__).resolve().parents[3] / "configs" / "neocloud-2026.yaml"
PATHS, SEED, LANES = 6_144, 2026, 2_048

ROWS: dict[str, tuple[Any, Callable[[MarketState], Array]]] = {
    "market": (MARKET, lambda market: market.rows),
    "policy": (POLICY, lambda market: market.policy.rows),
    "demand": (DEMAND, lambda market: market.demand.rows),
    "efficiency": (EFFICIENCY, lambda market: market.efficiency.rows),
    "silicon": (SILICON, lambda market: market.silicon.rows),
    "memory": (MEMORY, lambda market: market.memory.rows),
    "supply": (SUPPLY, lambda market: market.supply.rows),
    "price": (PRICE, lambda market: market.prices.rows),
    "generation": (GENERATION, lambda market: market.prices.generations),
    "release": (RELEASE, lambda market: market.prices.releases),
    "power": (POWER, lambda market: market.power.rows),
    "currency": (CURRENCY, lambda market: market.currencies.rows),
    "rate": (RATE, lambda market: market.rates.rows),
}
"""Tuple of row names, and where the rows stand, by driver."""

ARRAYS: dict[str, Callable[[MarketState, int], Array]] = {
    "shocks": lambda market, month: market.shocks[month],  # (factor, lane)
    "policy.probability": lambda market, _: market.policy.probability,  # (lane,)
    "supply.pipeline": lambda market, _: market.supply.pipeline,  # (stage, lane)
    "memory.cost_factor": lambda market, _: market.memory.cost_factor[0],  # (lane,)
}
"""State that stands outside such rows."""


class Market(dict[str, Array]):
    """Rows of the state by name (`"demand.level"`), each (path, month 0..H[, entity]).

    Attributes
    ----------
    inputs : ModelInputs
        What was run.
    """

    inputs: ModelInputs

    @property
    def parameters(self) -> dict[str, float]:
        """Values of the parameters."""
        return dict(self.inputs.parameters)


@lru_cache(maxsize=64)
def inputs_of(horizon: int, settings: frozenset[tuple[str, Any]]) -> ModelInputs:
    """Load the study with some settings and a horizon (months)."""
    return replace(load_study(STUDY, dict(settings)).inputs, horizon=horizon)


def pack(inputs: ModelInputs) -> ModelParams:
    """Pack a study without deals; what hyperscalers take in house still reaches the market."""
    compile_kernels()
    world, expected, horizon = inputs.world, inputs.expected, inputs.horizon
    reference = reference_path(expected, horizon)
    packed = pack_market(world, expected, horizon, reference, path=inputs.path)
    return without_deals(world, expected, horizon, packed)


def run(
    wanted: str,
    settings: dict[str, Any] | None = None,
    *,
    paths: int = PATHS,
    horizon: int = 72,
    seed: int = SEED,
    touch: Touch | None = None,
) -> Market:
    """Run the market and keep some rows of its state; the last runs are remembered.

    Parameters
    ----------
    wanted : str
        Names of rows, `driver.row` of `ROWS` or a key of `ARRAYS`, apart by blanks.
    settings : dict, optional
        Switches and parameters by their dotted names, over the shipped study.
    paths, horizon, seed : int
        How many paths (0, 1, ...) and months, and the seed of all draws.
    touch : callable, optional
        Given the state and the month, after the rows were kept: may change it.

    Returns
    -------
    Market
        Arrays by name, of shape (path, month 0..H[, entity]). Read only.
    """
    chosen = frozenset((settings or {}).items())
    return _run(tuple(sorted(wanted.split())), chosen, paths, horizon, seed, touch)


@lru_cache(maxsize=6)
def _run(
    wanted: tuple[str, ...],
    settings: frozenset[tuple[str, Any]],
    paths: int,
    horizon: int,
    seed: int,
    touch: Touch | None,
) -> Market:
    market = Market()
    market.inputs = inputs_of(horizon, settings)
    params = pack(market.inputs)
    kept: dict[str, Array] = {}  # (month[, entity], path): written and read along paths
    for first in range(0, paths, LANES):
        numbers = np.arange(first, min(first + LANES, paths), dtype=np.int64)
        lanes = slice(first, first + numbers.size)

        def watch(state: ModelState, month: int, lanes: slice = lanes) -> None:
            for name in wanted:
                now = row(state.market, name, month)
                if name not in kept:
                    kept[name] = np.empty((horizon + 1, *now.shape[:-1], paths))
                kept[name][month, ..., lanes] = now[..., : lanes.stop - lanes.start]
            if touch is not None:
                touch(state.market, month)

        run_market(params, seed, numbers, watch)
    for name, array in kept.items():
        array.flags.writeable = False
        market[name] = np.moveaxis(array, -1, 0)
    return market


def row(market: MarketState, name: str, month: int) -> Array:
    """Return a row of the state by name, ([entity, ]lane)."""
    if name in ARRAYS:
        return ARRAYS[name](market, month)
    driver, field = name.split(".")
    names, rows = ROWS[driver]
    return rows(market)[getattr(names, field)]


def multiplier(probability: Array, found: Market, hazard: str) -> Array:
    """Return the prior's multiplier (path,) behind monthly probabilities (path, month)."""
    return -12.0 * np.log1p(-probability[:, 0]) / found.parameters[hazard]
