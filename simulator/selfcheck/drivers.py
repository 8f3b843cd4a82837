"""One driver of the market by itself: everything else is switched off, its state is read monthly.

The kernels step by months. A case in years is run in as many steps as it needs, of any length: the
clock of the driver is stretched so that a step lasts T/n years, and rates and volatilities per
year are handed over per twelve steps. What is exact by the month is then exact by the step, and
integrals over time, which months only approximate, come out as finely as the steps are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.config.parameters import parameter_table
from simulator.config.terms import CORRELATION_ORDER, SWITCHES, Generation, World
from simulator.engine.compilation import compile_kernels
from simulator.engine.market import MarketState
from simulator.engine.market_alone import reference_path, run_market, without_deals
from simulator.engine.pack_market import pack_market
from simulator.engine.state import ModelState
from simulator.selfcheck.kinds import Draws

__all__ = ["MACHINE", "Clock", "run_driver"]

Values = NDArray[np.float64]
LANES = 2_048
STEPS_A_YEAR = 12  # of the drivers

MACHINE = Generation(
    name="machine",
    contract_price=1.0,
    spot_price=1.0,
    kw=1.0,
    capex_usd=1.0,
    hardware_share=1.0,
    installed_base_m=1.0,
    base_grows=False,
)


@dataclass(frozen=True)
class Clock:
    """How the years of a case are cut into steps of a driver.

    Attributes
    ----------
    years : float
        Length of the case.
    steps : int
        Into how many steps it is cut.
    """

    years: float
    steps: int

    @property
    def step(self) -> float:
        """Length of a step, years."""
        return self.years / self.steps

    def rate(self, per_year: float) -> float:
        """Return a rate per year as the driver takes it, per twelve steps."""
        return per_year * self.step * STEPS_A_YEAR

    def volatility(self, per_root_year: float) -> float:
        """Return a volatility per root year as the driver takes it."""
        return per_root_year * float(np.sqrt(self.step * STEPS_A_YEAR))

    def hazard(self, per_year: float) -> float:
        """Return a hazard whose chance of an event in a step is exactly `per_year` times a step.

        At most one event comes in a step: so their mean number is that of the case.
        """
        return float(-np.log1p(-per_year * self.step) * STEPS_A_YEAR)


def run_driver(
    parameters: Mapping[str, float],
    switches: Sequence[str],
    steps: int,
    draws: Draws,
    read: Callable[[MarketState], Values],
    kept: Callable[[Values], Values],
    generation: Generation = MACHINE,
) -> Values:
    """Simulate a driver alone.

    Parameters
    ----------
    parameters : mapping
        By id, over the base values of the parameter table; no domain is enforced.
    switches : sequence of str
        What is on.
    steps : int
        How many steps (months of the driver).
    draws : Draws
        Seed, and how many paths.
    read : callable
        What is read of the state at the start and after every step, (..., lane).
    kept : callable
        What is kept of it: from (step 0..n, ..., lane) to (..., lane).
    generation : Generation
        Of the machine or hall in the market.

    Returns
    -------
    ndarray (..., path)
        What was kept.
    """
    compile_kernels()
    world = world_of(parameters, switches, generation)
    market = pack_market(world, world, steps, reference_path(world, steps))
    params = without_deals(world, world, steps, market)
    blocks = []
    for first in range(0, draws.paths, LANES):
        by_step: list[Values] = []

        def watch(state: ModelState, _step: int, by_step: list[Values] = by_step) -> None:
            by_step.append(np.array(read(state.market)))

        numbers = np.arange(first, min(first + LANES, draws.paths), dtype=np.int64)
        run_market(params, draws.seed, numbers, watch)
        lanes = numbers.size  # the state has whole packs of them
        blocks.append(kept(np.array(by_step)[..., :lanes]))
    return np.concatenate(blocks, axis=-1)


def world_of(
    parameters: Mapping[str, float], switches: Sequence[str], generation: Generation
) -> World:
    """Return a market in which nothing moves but what is switched on, all shocks independent."""
    size = len(CORRELATION_ORDER)
    values = {name: one.base for name, one in parameter_table().items()} | dict(parameters)
    return World(
        # kernels are compiled by type: a whole number among them would compile all of them again
        parameters={name: float(value) for name, value in values.items()},
        switches={name: name in switches for name in SWITCHES},
        correlations=tuple(tuple(float(i == j) for j in range(size)) for i in range(size)),
        sofr_forwards=(),
        generations=(generation,),
        jurisdictions=(("place", 1.0),),
        hyperscalers=(),
        currencies=(),
        stressed=False,
    )
