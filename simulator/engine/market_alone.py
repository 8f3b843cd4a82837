"""The market without deals: the reference path, and the pilot that the compensator is solved on.

The same kernels as any study, run on a book that holds no deals, looked at after every month.

Model: docs/model.md §0 (reference path), §10 (compensator).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import WATERFALL_LINES, Book, ModelInputs, World
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.prices import PRICE
from simulator.drivers.rates import RATE
from simulator.drivers.supply import SUPPLY
from simulator.engine.block import run_block
from simulator.engine.market import MARKET, MarketParams, ReferencePath
from simulator.engine.outputs import new_outputs
from simulator.engine.pack import pack_model
from simulator.engine.pack_credit import name_classes
from simulator.engine.pack_market import empty_reference, pack_market
from simulator.engine.state import ModelParams, ModelState, new_state
from simulator.numerics.addressed import Addressed

__all__ = ["Pilot", "reference_path", "run_pilot"]


class Pilot(NamedTuple):
    """What default hazards follow, on many paths of the market as it was expected."""

    stress: NDArray[np.float64]  # (month + 1, path), of the sector
    efficiency: NDArray[np.float64]  # (month + 1, path), log of demand added by efficiency
    macro: NDArray[np.float64]  # (path,), static factor Z*
    ai_orthogonal: NDArray[np.float64]  # (path,), static factor C-orthogonal


Watch = Callable[[ModelState, int], None]

PILOT_SEED = 20261130
PILOT_LANES = 256


def without_deals(world: World, expected: World, horizon: int, market: MarketParams) -> ModelParams:
    """Pack a study that holds the names whose integrations the market feels, and no deals.

    Parameters
    ----------
    world, expected : World
        The market to be run, and what was expected of it.
    horizon : int
        Months H.
    market : MarketParams
        It, packed.
    """
    book = Book(
        generations=world.generations,
        jurisdictions=world.jurisdictions,
        names=world.hyperscalers,
        sites=(),
        contracts=(),
        assets=(),
        boxes=(),
        tranches=(),
        sponsors=(),
    )
    bare = ModelInputs(
        horizon=horizon,
        parameters=world.parameters,
        switches={**world.switches, "counterparty_default": False},  # nobody owes anything
        correlations=world.correlations,
        sofr_forwards=world.sofr_forwards,
        copula_nu=0.0,
        path=None,
        uncertainty=None,
        waterfall=WATERFALL_LINES,
        book=book,
        expected=expected,
    )
    classes, _ = name_classes(bare)
    return pack_model(bare, market, np.zeros((max(1, len(classes)), horizon + 1)))


def run_market(params: ModelParams, seed: int, paths: NDArray[np.int64], watch: Watch) -> None:
    """Run the market on a block of paths.

    Parameters
    ----------
    params : ModelParams
        From `without_deals`.
    seed : int
        Of all random streams.
    paths : ndarray (lane,)
        Numbers of the paths.
    watch : callable
        Given the state at t0 and after every month.
    """
    outputs = new_outputs(params.horizon, 0, 0, 0, 0, 0, 0)  # nothing is recorded
    state = new_state(params, paths.shape[0])
    run_block(Addressed(params), Addressed(state), seed, paths, Addressed(outputs), 0, watch)


def reference_path(expected: World, horizon: int) -> ReferencePath:
    """Run the centred market as it was expected at t0.

    Parameters
    ----------
    expected : World
        What was expected.
    horizon : int
        Months H.

    Returns
    -------
    ReferencePath
        By month 0..H.
    """
    calm = replace(expected, hyperscalers=())
    market = pack_market(calm, calm, horizon, empty_reference(horizon), centred=True)
    path = ReferencePath(*(np.zeros(horizon + 1) for _ in ReferencePath._fields))

    def watch(state: ModelState, month: int) -> None:
        found = state.market
        path.tightness[month] = found.supply.rows[SUPPLY.tightness, 0]
        path.log_spread[month] = found.rates.rows[RATE.log_spread, 0]
        if month > 0:
            path.price_deviation[month] = found.prices.rows[PRICE.deviation, 0]
            path.steps[month] = found.prices.rows[PRICE.steps, 0]
            path.capacity[month] = found.supply.rows[SUPPLY.capacity, 0]

    run_market(without_deals(calm, calm, horizon, market), 0, np.zeros(1, dtype=np.int64), watch)
    return path


def run_pilot(expected: World, horizon: int, reference: ReferencePath, paths: int) -> Pilot:
    """Run paths of the market as expected, on a key of their own, without easing.

    Parameters
    ----------
    expected : World
        What was expected.
    horizon : int
        Months H.
    reference : ReferencePath
        Its reference path.
    paths : int
        How many.

    Returns
    -------
    Pilot
        What default hazards follow.
    """
    market = pack_market(expected, expected, horizon, reference, easing=False)
    params = without_deals(expected, expected, horizon, market)
    pilot = Pilot(*np.zeros((2, horizon + 1, paths)), *np.zeros((2, paths)))
    for first in range(0, paths, PILOT_LANES):
        last = min(first + PILOT_LANES, paths)
        columns = slice(first, last)

        def watch(state: ModelState, month: int, columns: slice = columns) -> None:
            rows, efficiency = state.market.rows, state.market.efficiency.rows
            lanes = slice(columns.stop - columns.start)  # the rest fills up a pack
            pilot.stress[month, columns] = rows[MARKET.stress, lanes]
            pilot.efficiency[month, columns] = efficiency[EFFICIENCY.permanent, lanes]
            pilot.efficiency[month, columns] += efficiency[EFFICIENCY.transient, lanes]
            pilot.macro[columns] = rows[MARKET.macro, lanes]
            pilot.ai_orthogonal[columns] = rows[MARKET.ai_orthogonal, lanes]

        numbers = np.arange(first, last, dtype=np.int64)
        run_market(params, PILOT_SEED, numbers, watch)
    return pilot
