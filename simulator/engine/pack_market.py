"""Packing the market: parameters to driver inputs, and the reference path.

Model: docs/model.md §0 (reference path), §1-§9.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.config.terms import ModelInputs
from simulator.drivers.demand import growth_path, pack_demand
from simulator.drivers.efficiency import pack_efficiency
from simulator.drivers.memory import pack_memory
from simulator.drivers.policy import pack_policy
from simulator.drivers.power import pack_power
from simulator.drivers.prices import pack_prices
from simulator.drivers.rates import pack_rates
from simulator.drivers.shocks import pack_shocks
from simulator.drivers.silicon import pack_silicon
from simulator.drivers.supply import pack_supply
from simulator.engine.market import (
    MarketParams,
    ReferencePath,
)
from simulator.engine.priors import pack_priors
from simulator.numerics.quantiles import gamma_quantile_table
from simulator.numerics.streams import stream_id_array

HOURS_A_YEAR = 8760.0


def empty_reference(horizon: int) -> ReferencePath:
    """Return a reference path of zeros, for the run that computes it."""
    return ReferencePath(*(np.zeros(horizon + 1) for _ in range(5)))


def pack_market(
    inputs: ModelInputs,
    parameters: Mapping[str, float],
    reference: ReferencePath,
    *,
    centred: bool = False,
    easing: bool = True,
) -> MarketParams:
    """Pack the market drivers.

    Parameters
    ----------
    parameters : mapping
        The study's parameters, or its reference parameters.
    reference : ReferencePath
        Frozen expectations.
    centred : bool
        Every shock, event and draw at its centre: the run that gives the reference path.
    easing : bool
        Whether the easing switch of the study is respected (not on the pilot).
    """
    on = {name: state and not centred for name, state in inputs.switches.items()}
    generations = inputs.book.generations
    names = tuple(g.name for g in generations)
    kw = np.array([g.kw for g in generations])
    capex = np.array([g.capex_usd for g in generations])
    stressed = any(n.beta > 0.0 for n in inputs.book.names)
    return MarketParams(
        shocks=pack_shocks(
            parameters,
            np.array(inputs.correlations),
            structural_link=inputs.switches["structural_link"],
            stressed_names=stressed,
            centred=centred,
        ),
        priors=pack_priors(gamma_quantile_table(1.0, parameters["prior.k"]), enabled=on["priors"]),
        policy=pack_policy(
            parameters, [w for _, w in inputs.book.jurisdictions], enabled=on["policy"]
        ),
        demand=pack_demand(parameters, enabled=inputs.switches["demand"], centred=centred),
        efficiency=pack_efficiency(parameters, enabled=on["efficiency"]),
        silicon=pack_silicon(
            parameters,
            noise=on["silicon"],
            captive=inputs.switches["captive"] or centred,
            integration=on["integration"],
        ),
        memory=pack_memory(parameters, enabled=on["memory"]),
        supply=pack_supply(
            parameters,
            inputs.reference,
            growth_path(inputs.reference),
            names,
            enabled=inputs.switches["supply"] or centred,
            centred=centred,
        ),
        prices=pack_prices(
            parameters,
            names,
            np.array([g.contract_price for g in generations]),
            np.array([g.spot_price for g in generations]),
            inputs.reference["gpu.delta"],
            noise=on["price_noise"],
            generations=on["generations"],
            centred=centred,
        ),
        power=pack_power(parameters, enabled=on["power"]),
        rates=pack_rates(parameters, rates=on["rates"], spreads=on["spreads"], centred=centred),
        reference=reference,
        easing_hazard=parameters["ease.lambda"] if on["easing"] and easing else 0.0,
        easing_stream=stream_id_array(["easing"])[0],
        world_floor_fixed=parameters["gpu.om"] * capex / HOURS_A_YEAR,
        world_floor_power=kw * parameters["gpu.pue"],
    )
