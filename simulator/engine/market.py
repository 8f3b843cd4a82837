"""The market's half of the month: stages 1 to 9, which read nothing of the boxes but old sales.

Model: docs/model.md §1-§9.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.currencies import (
    CurrencyParams,
    CurrencyState,
    init_currencies,
    new_currencies,
    step_currencies,
)
from simulator.drivers.demand import (
    DEMAND,
    DemandParams,
    DemandState,
    init_demand,
    new_demand,
    step_demand,
)
from simulator.drivers.efficiency import (
    EFFICIENCY,
    EfficiencyParams,
    EfficiencyState,
    init_efficiency,
    new_efficiency,
    step_efficiency,
)
from simulator.drivers.memory import (
    MEMORY,
    MemoryParams,
    MemoryState,
    init_memory,
    new_memory,
    step_memory,
)
from simulator.drivers.policy import (
    PolicyParams,
    PolicyState,
    init_policy,
    new_policy,
    step_policy,
)
from simulator.drivers.power import PowerParams, PowerState, init_power, new_power, step_power
from simulator.drivers.prices import (
    GENERATION,
    PRICE,
    PriceParams,
    PriceState,
    init_prices,
    new_prices,
    step_prices,
)
from simulator.drivers.rates import RATE, RateParams, RateState, init_rates, new_rates, step_rates
from simulator.drivers.shocks import FACTOR_MONTHS, ShockParams, draw_shocks, static_factors
from simulator.drivers.silicon import (
    SILICON,
    SiliconParams,
    SiliconState,
    init_silicon,
    new_silicon,
    step_silicon,
)
from simulator.drivers.steering import SteeringParams, new_coordinates
from simulator.drivers.supply import (
    SUPPLY,
    SupplyParams,
    SupplyState,
    init_supply,
    new_supply,
    record_gap,
    step_supply,
)
from simulator.engine import priors
from simulator.engine.priors import PriorParams, draw_prior, draw_probability
from simulator.numerics.elementary import exp
from simulator.numerics.jit import merged
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.processes import monthly_event_probability
from simulator.numerics.rows import row_names

EASING_MONTHS = 24.0


class ReferencePath(NamedTuple):
    """What was expected at t0, by month 0..H: frozen across scenarios."""

    tightness: NDArray[np.float64]
    price_deviation: NDArray[np.float64]  # q
    steps: NDArray[np.float64]
    capacity: NDArray[np.float64]  # K
    log_spread: NDArray[np.float64]  # ln HY


class MarketParams(NamedTuple):
    """Frozen inputs of all market drivers."""

    steering: SteeringParams
    shocks: ShockParams
    priors: PriorParams
    policy: PolicyParams
    demand: DemandParams
    efficiency: EfficiencyParams
    silicon: SiliconParams
    memory: MemoryParams
    supply: SupplyParams
    prices: PriceParams
    power: PowerParams
    currencies: CurrencyParams
    rates: RateParams
    reference: ReferencePath
    easing_hazard: float  # per year
    easing_stream: np.uint64
    world_floor_fixed: NDArray[np.float64]  # (generation,), O&M of the world's GPUs, USD per hour
    world_floor_power: NDArray[np.float64]  # (generation,), kWh per GPU-hour with PUE


@row_names
class MarketRows(NamedTuple):
    """Rows of `MarketState.rows`."""

    macro: int  # (lane,), Z*
    ai_orthogonal: int
    ai: int  # C*
    supply_factor: int  # S*
    easing_event: int  # (lane,)
    easing_left: int  # months
    stress: int  # (lane,)
    first: int  # scratch
    second: int  # scratch
    third: int  # scratch


MARKET = MarketRows(*range(10))


class MarketState(NamedTuple):
    """State of all market drivers, and scratch."""

    rows: NDArray[np.float64]  # (row of MARKET, ...)
    shocks: NDArray[np.float64]  # (month, 9, lane)
    coordinates: NDArray[np.float64]  # (coordinate, lane), chosen draws
    policy: PolicyState
    demand: DemandState
    efficiency: EfficiencyState
    silicon: SiliconState
    memory: MemoryState
    supply: SupplyState
    prices: PriceState
    power: PowerState
    currencies: CurrencyState
    rates: RateState
    floors: NDArray[np.float64]  # (generation,), world cash floor


def new_market(
    jurisdictions: int,
    generations: int,
    currencies: int,
    horizon: int,
    lanes: int,
    steering: SteeringParams,
) -> MarketState:
    """Return state for a block of lanes; `currencies` includes the dollar."""
    months = max(horizon, FACTOR_MONTHS) + 1
    return MarketState(
        rows=np.zeros((len(MARKET), lanes)),
        shocks=np.zeros((months, 9, lanes)),
        coordinates=new_coordinates(steering, lanes),
        policy=new_policy(jurisdictions, lanes),
        demand=new_demand(lanes),
        efficiency=new_efficiency(lanes),
        silicon=new_silicon(lanes),
        memory=new_memory(lanes),
        supply=new_supply(lanes),
        prices=new_prices(generations, horizon, lanes),
        power=new_power(lanes),
        currencies=new_currencies(currencies, lanes),
        rates=new_rates(lanes),
        floors=np.zeros(generations),
    )


@merged
def init_market(params, state, seed, paths):
    """Reset a block to t0: systemic normals, static factors, draws made once per path."""
    first, second = state.rows[MARKET.first], state.rows[MARKET.second]
    steering, coordinates = params.steering, state.coordinates
    draw_shocks(params.shocks, steering, seed, paths, coordinates, state.shocks, first)
    static_factors(
        params.shocks,
        state.shocks,
        state.rows[MARKET.macro],
        state.rows[MARKET.ai_orthogonal],
        state.rows[MARKET.ai],
        state.rows[MARKET.supply_factor],
    )
    init_policy(state.policy)
    init_demand(state.demand)
    init_efficiency(params.efficiency, state.efficiency, seed, paths, first, second)
    init_silicon(state.silicon)
    init_memory(params.memory, state.memory)
    init_supply(params.supply, steering, state.supply, seed, paths, coordinates, first, second)
    init_prices(params.prices, state.prices, seed, paths, first, second)
    init_power(params.power, state.power)
    init_currencies(state.currencies)
    init_rates(params.rates, state.rates)
    state.rows[MARKET.easing_event, :] = 0.0
    state.rows[MARKET.easing_left, :] = 0.0
    state.rows[MARKET.stress, :] = 0.0
    draw_prior(
        params.priors,
        steering,
        priors.DEMAND,
        seed,
        paths,
        coordinates,
        state.demand.rows[DEMAND.prior],
        second,
    )
    for lane in range(paths.shape[0]):
        state.demand.rows[DEMAND.probability, lane] = monthly_event_probability(
            params.demand.pocket_hazard * state.demand.rows[DEMAND.prior, lane]
        )
    draw_probability(
        params.priors,
        steering,
        priors.EFFICIENCY,
        seed,
        paths,
        coordinates,
        params.efficiency.hazard,
        state.efficiency.rows[EFFICIENCY.probability],
        second,
    )
    draw_probability(
        params.priors,
        steering,
        priors.POLICY,
        seed,
        paths,
        coordinates,
        params.policy.hazard,
        state.policy.probability,
        second,
    )


@merged
def step_easing(params, state, seed, paths, month):
    """Draw the event in which every constraint eases at once."""
    for lane in range(paths.shape[0]):
        state.rows[MARKET.easing_event, lane] = 0.0
        state.rows[MARKET.easing_left, lane] = max(0.0, state.rows[MARKET.easing_left, lane] - 1.0)
    if params.easing_hazard > 0.0:
        fill_uniform_pairs(
            seed,
            paths,
            params.easing_stream,
            month,
            state.rows[MARKET.first],
            state.rows[MARKET.second],
        )
        p = monthly_event_probability(params.easing_hazard)
        for lane in range(paths.shape[0]):
            if state.rows[MARKET.first, lane] < p:
                state.rows[MARKET.easing_event, lane] = 1.0
                state.rows[MARKET.easing_left, lane] = EASING_MONTHS


@merged
def step_market(params, state, seed, paths, month, integrations):
    """Advance the market one month.

    Parameters
    ----------
    integrations : (lane,)
        Vertical-integration events up to the month before.
    """
    shocks = state.shocks[month]
    first, second = state.rows[MARKET.first], state.rows[MARKET.second]
    reference = params.reference
    step_easing(params, state, seed, paths, month)
    step_policy(params.policy, state.policy, seed, paths, month, first, second)
    step_demand(
        params.demand,
        state.demand,
        seed,
        paths,
        month,
        shocks,
        state.supply.rows[SUPPLY.tightness],
        state.prices.rows[PRICE.surprise],
        first,
        second,
    )
    step_efficiency(
        params.efficiency,
        state.efficiency,
        seed,
        paths,
        month,
        shocks,
        state.rows[MARKET.easing_event],
        first,
        second,
    )
    for lane in range(paths.shape[0]):
        state.rows[MARKET.third, lane] = (
            state.efficiency.rows[EFFICIENCY.permanent, lane]
            + state.efficiency.rows[EFFICIENCY.transient, lane]
        )
    step_silicon(
        params.silicon,
        state.silicon,
        seed,
        paths,
        month,
        state.demand.rows[DEMAND.level],
        state.rows[MARKET.third],
        integrations,
        state.supply.rows[SUPPLY.tightness],
        state.rows[MARKET.easing_event],
        first,
        second,
    )
    step_memory(
        params.memory,
        state.memory,
        seed,
        paths,
        month,
        shocks,
        state.rows[MARKET.easing_event],
        first,
        second,
    )
    planned_power = params.power.start_price * exp(params.power.trend * month / 12.0)
    for g in range(state.floors.shape[0]):
        state.floors[g] = (
            params.world_floor_fixed[g] + params.world_floor_power[g] * planned_power / 1000.0
        )
    step_supply(
        params.supply,
        state.supply,
        month,
        state.memory.rows[MEMORY.regime],
        state.rows[MARKET.supply_factor],
        state.rows[MARKET.easing_left],
        state.silicon.rows[SILICON.addressable],
        state.silicon.rows[SILICON.captive],
        state.prices.generations[GENERATION.contract],
        state.prices.rows[PRICE.utilisation],
        state.floors,
        reference.capacity[month],
    )
    step_prices(
        params.prices,
        state.prices,
        seed,
        paths,
        month,
        shocks,
        state.supply.rows[SUPPLY.tightness],
        state.memory.rows[MEMORY.rent],
        state.efficiency.rows[EFFICIENCY.sentiment],
        reference.price_deviation[month],
        reference.steps[month],
        first,
        second,
        state.rows[MARKET.third],
    )
    record_gap(
        params.supply,
        state.supply,
        month,
        state.prices.rows[PRICE.deviation],
        state.memory.rows[MEMORY.log_cost],
    )
    step_power(params.power, state.power, month, shocks)
    step_currencies(params.currencies, state.currencies, seed, paths, month, first, second)
    step_rates(
        params.rates, state.rates, seed, paths, month, shocks, state.demand.rows[DEMAND.arrived]
    )
    for lane in range(paths.shape[0]):
        state.rows[MARKET.stress, lane] = -state.prices.rows[PRICE.surprise, lane] + 0.5 * (
            state.rates.rows[RATE.log_spread, lane] - reference.log_spread[month]
        )
