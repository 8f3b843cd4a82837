"""Packing the market: parameters to driver inputs, and the reference path.

Model: docs/model.md §0 (reference path), §1-§9.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import MarketPath, World
from simulator.drivers.currencies import pack_currencies
from simulator.drivers.demand import growth_path, pack_demand
from simulator.drivers.efficiency import pack_efficiency
from simulator.drivers.memory import pack_memory
from simulator.drivers.policy import pack_policy
from simulator.drivers.power import pack_power
from simulator.drivers.prices import pack_prices
from simulator.drivers.rates import pack_rates
from simulator.drivers.shocks import pack_shocks
from simulator.drivers.silicon import pack_silicon
from simulator.drivers.steering import unsteered
from simulator.drivers.supply import pack_supply
from simulator.engine.market import (
    MarketParams,
    ReferencePath,
)
from simulator.engine.priors import pack_priors
from simulator.numerics.quantiles import gamma_quantile_table
from simulator.numerics.streams import stream_id_array

HOURS_A_YEAR = 8760.0
SPREAD_PEAK_MONTH, SPREAD_BACK_MONTH = 12, 36


def empty_reference(horizon: int) -> ReferencePath:
    """Return a reference path of zeros, for the run that computes it."""
    return ReferencePath(*(np.zeros(horizon + 1) for _ in range(5)))


def pack_market(
    world: World,
    expected: World,
    horizon: int,
    reference: ReferencePath,
    *,
    path: MarketPath | None = None,
    centred: bool = False,
    easing: bool = True,
) -> MarketParams:
    """Pack the market drivers.

    Parameters
    ----------
    world : World
        What is simulated.
    expected : World
        What was expected at t0.
    horizon : int
        Months H.
    reference : ReferencePath
        Frozen expectations.
    path : MarketPath, optional
        What prices and spreads follow in a stress case.
    centred : bool
        Every shock, event and draw at its centre: the run that gives the reference path.
    easing : bool
        Whether the easing switch is respected (not on the pilot).
    """
    parameters = world.parameters
    on = {name: state and not centred for name, state in world.switches.items()}
    generations = world.generations
    names = tuple(g.name for g in generations)
    kw = np.array([g.kw for g in generations])
    capex = np.array([g.capex_usd for g in generations])
    return MarketParams(
        steering=unsteered(),
        shocks=pack_shocks(
            parameters,
            np.array(world.correlations),
            structural_link=world.switches["structural_link"],
            stressed_names=world.stressed,
            centred=centred,
        ),
        priors=pack_priors(gamma_quantile_table(1.0, parameters["prior.k"]), enabled=on["priors"]),
        policy=pack_policy(parameters, [w for _, w in world.jurisdictions], enabled=on["policy"]),
        demand=pack_demand(parameters, enabled=world.switches["demand"], centred=centred),
        efficiency=pack_efficiency(parameters, enabled=on["efficiency"]),
        silicon=pack_silicon(
            parameters,
            noise=on["silicon"],
            captive=world.switches["captive"] or centred,
            integration=on["integration"],
        ),
        memory=pack_memory(
            parameters, enabled=on["memory"], fixed_cost=path.capex_factor if path else 1.0
        ),
        supply=pack_supply(
            parameters,
            expected.parameters,
            growth_path(expected.parameters),
            names,
            enabled=world.switches["supply"] or centred,
            centred=centred,
            path_tightness=tightness_of(path, parameters, reference) if path else None,
        ),
        prices=pack_prices(
            parameters,
            names,
            contract_price=np.array([g.contract_price for g in generations]),
            spot_price=np.array([g.spot_price for g in generations]),
            drift=drifts(world, names),
            expected_drift=drifts(expected, names),
            tightness_share=np.array([g.tightness_share for g in generations]),
            steps_share=np.array([g.steps_share for g in generations]),
            brownian_sd=np.array([g.brownian_sd for g in generations]),
            noise=on["price_noise"],
            generations=on["generations"],
            centred=centred,
            glut=path is None,
        ),
        power=pack_power(parameters, enabled=on["power"]),
        currencies=pack_currencies(parameters, world.currencies, enabled=on["currencies"]),
        rates=pack_rates(
            parameters,
            horizon,
            world.sofr_forwards,
            spreads_of(path, reference) if path else None,
            rates=on["rates"],
            spreads=on["spreads"],
            centred=centred,
        ),
        reference=reference,
        easing_hazard=parameters["ease.lambda"] if on["easing"] and easing else 0.0,
        easing_stream=stream_id_array(["easing"])[0],
        world_floor_fixed=parameters["gpu.om"] * capex / HOURS_A_YEAR,
        world_floor_power=kw * parameters["gpu.pue"],
    )


def drifts(world: World, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the age drift of prices (generation,), log per year: its own, else that of GPUs."""
    own = {g.name: g.price_drift for g in world.generations}
    usual = world.parameters["gpu.delta"]
    return np.array([usual if own[name] is None else own[name] for name in names])


def tightness_of(
    path: MarketPath, parameters: Mapping[str, float], reference: ReferencePath
) -> NDArray[np.float64]:
    """Return the tightness (month,) at which prices stand where a stress case wants them.

    With memory and the glut drift off, q = beta (x - x0): so q - q_ref is the path.
    """
    wanted = reference.price_deviation + np.array(path.log_price)
    return np.asarray(parameters["sup.x0"] + wanted / parameters["gpu.beta_tight"])


def spreads_of(path: MarketPath, reference: ReferencePath) -> NDArray[np.float64]:
    """Return ln HY (month,) of a stress case: up to its peak by month 12, back by month 36."""
    if path.high_yield_peak_bp <= 0.0:
        return reference.log_spread
    expected = np.exp(reference.log_spread)
    months = np.arange(len(expected))
    back = expected[min(SPREAD_BACK_MONTH, len(expected) - 1)]
    knots, levels = (
        (0, SPREAD_PEAK_MONTH, SPREAD_BACK_MONTH),
        (
            expected[0],
            path.high_yield_peak_bp,
            back,
        ),
    )
    shocked = np.interp(months, knots, levels)
    return np.asarray(np.log(np.where(months < SPREAD_BACK_MONTH, shocked, expected)))
