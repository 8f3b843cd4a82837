"""The variables of the market: what they are, and where a block of paths holds them.

Where a run of the study keeps the same quantity, it has the same name here.

Model: docs/model.md §1-§9; docs/drivers tells them one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.sites import SITE
from simulator.config.units import HALL as HALL_UNIT
from simulator.dataset.dims import GENERATION, HALL, MONTH, PATH
from simulator.dataset.variables import FRACTION, NO_YES, Variable
from simulator.drivers.collateral import HARDWARE
from simulator.drivers.currencies import CURRENCY
from simulator.drivers.demand import DEMAND
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION as BY_GENERATION
from simulator.drivers.prices import PRICE
from simulator.drivers.rates import RATE
from simulator.drivers.silicon import SILICON
from simulator.drivers.supply import SUPPLY
from simulator.engine.market import MARKET
from simulator.engine.state import ModelParams, ModelState

__all__ = ["JURISDICTION", "MARKET_VARIABLES", "MarketVariable"]

JURISDICTION: Final = "jurisdiction"
REGIMES: Final = ("balanced", "shortage", "glut")
RENT: Final = "USD per GPU-hour"

Floats = NDArray[np.float64]
Read = Callable[[ModelParams, ModelState, int], Floats]
"""From the state at the end of a month (0 = t0) to (lane,) or (entity, lane); prices of GPUs and of
halls both return all generations, of which the rows of theirs are kept."""


class MarketVariable(NamedTuple):
    """A variable of the market, and how it is read off a block."""

    variable: Variable
    read: Read


def of(
    name: str,
    units: str,
    long_name: str,
    read: Read,
    *,
    entity: str | None = None,
    flags: tuple[str, ...] = (),
) -> MarketVariable:
    """Return a variable by path and month, and by entity if there is one."""
    dims = (PATH, MONTH, entity) if entity else (PATH, MONTH)
    return MarketVariable(Variable(name, dims, "float32", units, long_name, flags), read)


def rows(driver: str, *picked: int, to: Callable[[Floats], Floats] = np.asarray) -> Read:
    """Return a reader of the sum of some rows of a driver, changed by `to`."""

    def read(_params: ModelParams, state: ModelState, _month: int) -> Floats:
        held = getattr(state.market, driver).rows
        return to(sum(held[row] for row in picked))

    return read


def rent(row: int) -> Read:
    """Return a reader of a row of prices by generation."""
    return lambda _params, state, _month: state.market.prices.generations[row]


def hall_rent(_params: ModelParams, state: ModelState, _month: int) -> Floats:
    """Return the rent of a kW-month of every generation; of halls alone it means anything."""
    return state.market.prices.generations[BY_GENERATION.contract] * HALL_UNIT.hours


def exchange_rate(_params: ModelParams, state: ModelState, _month: int) -> Floats:
    """Return the rate of the first currency of the book, 1 if all of it is in dollars."""
    rates = state.market.currencies.rows[CURRENCY.rate]
    return rates[min(1, len(rates) - 1)]


def resale_factor(params: ModelParams, state: ModelState, _month: int) -> Floats:
    """Return dev^beta; no deal sells here, so nothing overhangs."""
    development = state.market.prices.generations[BY_GENERATION.log_development]
    beta = params.collateral.terms[HARDWARE.resale_beta][:, None]
    return np.asarray(np.exp(beta * development))


def silicon_share(params: ModelParams, state: ModelState, month: int) -> Floats:
    """Return the share of custom silicon; the state holds none yet at t0."""
    share = state.market.silicon.rows[SILICON.share]
    return share if month > 0 else np.full_like(share, params.market.silicon.share_start)


def pipeline(_params: ModelParams, state: ModelState, _month: int) -> Floats:
    """Return what is committed and not built, and what is on order."""
    supply = state.market.supply
    return np.asarray(supply.pipeline.sum(axis=0) + supply.rows[SUPPLY.waiting])


def site_late(_params: ModelParams, state: ModelState, month: int) -> Floats:
    """Return 1 while the site is not energised so many months after it was due."""
    killed, delay = state.sites.rows[SITE.killed, 0], state.sites.rows[SITE.delay, 0]
    return np.maximum(killed, delay > month)


MARKET_VARIABLES: Final = (
    of(
        "demand_index",
        FRACTION,
        "Compute demand, t0 = 1",
        rows("demand", DEMAND.level, to=np.exp),
    ),
    of(
        "demand_growth_multiplier",
        FRACTION,
        "Share of planned demand growth that comes, below 1 in an air pocket",
        rows("demand", DEMAND.multiplier),
    ),
    of(
        "air_pocket",
        FRACTION,
        "Air pocket of demand",
        rows("demand", DEMAND.multiplier, to=lambda m: np.asarray(m < 1.0)),
        flags=NO_YES,
    ),
    of(
        "efficiency_offset",
        FRACTION,
        "Log of demand added or lost to efficiency surprises",
        rows("efficiency", EFFICIENCY.permanent, EFFICIENCY.transient),
    ),
    of(
        "sentiment",
        FRACTION,
        "Log of spot prices moved by sentiment after a breakthrough",
        rows("efficiency", EFFICIENCY.sentiment),
    ),
    of(
        "custom_silicon_share",
        FRACTION,
        "Share of demand served by custom silicon",
        silicon_share,
    ),
    of(
        "captive_offered",
        FRACTION,
        "Captive capacity offered to the market",
        rows("silicon", SILICON.released),
        flags=NO_YES,
    ),
    of(
        "captive_release",
        FRACTION,
        "Log of capacity added by captive owners",
        rows("silicon", SILICON.captive),
    ),
    of(
        "memory_regime",
        FRACTION,
        "State of the memory market",
        rows("memory", MEMORY.regime),
        flags=REGIMES,
    ),
    of(
        "memory_price_index",
        FRACTION,
        "Memory price, t0 = 1",
        rows("memory", MEMORY.log_price, to=np.exp),
    ),
    of(
        "memory_cost_factor",
        FRACTION,
        "Factor of memory scarcity on capital expenditure",
        lambda _params, state, _month: state.market.memory.cost_factor[0],
    ),
    of(
        "capacity_index",
        FRACTION,
        "Compute capacity, t0 = 1",
        rows("supply", SUPPLY.capacity, to=np.exp),
    ),
    of(
        "pipeline",
        FRACTION,
        "Log of capacity committed or on order, not yet energised",
        pipeline,
    ),
    of(
        "tightness",
        FRACTION,
        "Log of compute demand over capacity",
        rows("supply", SUPPLY.tightness),
    ),
    of(
        "price_deviation",
        FRACTION,
        "Log deviation of rental prices by tightness, glut and memory",
        rows("prices", PRICE.deviation),
    ),
    of(
        "release_steps",
        FRACTION,
        "Log of rental prices lost to newer generations",
        rows("prices", PRICE.steps),
    ),
    of("utilisation", FRACTION, "Utilisation of the market", rows("prices", PRICE.utilisation)),
    of(
        "rental_price_contract",
        RENT,
        "Rental price, one-year contract",
        rent(BY_GENERATION.contract),
        entity=GENERATION,
    ),
    of(
        "rental_price_spot",
        RENT,
        "Rental price, spot",
        rent(BY_GENERATION.spot),
        entity=GENERATION,
    ),
    of(
        "resale_factor",
        FRACTION,
        "Factor on the resale curve of a GPU",
        resale_factor,
        entity=GENERATION,
    ),
    of("hall_rent", "USD per kW-month", "Rent of a hall", hall_rent, entity=HALL),
    of(
        "hall_value_factor",
        FRACTION,
        "Factor on the value of a hall by age",
        resale_factor,
        entity=HALL,
    ),
    of(
        "power_price", "USD/MWh", "Power price of the reference region", rows("power", POWER.market)
    ),
    of(
        "exchange_rate",
        FRACTION,
        "Exchange rate of the first currency besides the dollar, t0 = 1",
        exchange_rate,
    ),
    of("sofr", "1/year", "SOFR, annual rate", rows("rates", RATE.sofr)),
    of(
        "high_yield_spread",
        "bp",
        "High-yield spread index",
        rows("rates", RATE.log_spread, to=np.exp),
    ),
    of(
        "credit_market_shut",
        FRACTION,
        "Refinancing market shut",
        rows("rates", RATE.shut),
        flags=NO_YES,
    ),
    of(
        "stress",
        FRACTION,
        "Stress of the sector",
        lambda _params, state, _month: state.market.rows[MARKET.stress],
    ),
    of(
        "tariff_factor",
        FRACTION,
        "Factor of tariffs on the cost of undelivered servers",
        rows("policy", POLICY.tariff),
        entity=JURISDICTION,
    ),
    of(
        "export_control",
        FRACTION,
        "Export control announced in the month",
        rows("policy", POLICY.control),
        entity=JURISDICTION,
        flags=NO_YES,
    ),
    of(
        "resale_hit",
        FRACTION,
        "Fraction of resale value lost to closed channels",
        rows("policy", POLICY.resale_hit),
        entity=JURISDICTION,
    ),
    of(
        "site_slip",
        "month",
        "Delay of unbuilt sites announced in the month",
        rows("policy", POLICY.site_slip),
        entity=JURISDICTION,
    ),
    of(
        "easing",
        FRACTION,
        "All constraints easing",
        lambda _params, state, _month: np.asarray(state.market.rows[MARKET.easing_left] > 0.0),
        flags=NO_YES,
    ),
    of(
        "site_late",
        FRACTION,
        "A site without power at t0, due then, is still not energised",
        site_late,
        flags=NO_YES,
    ),
)
"""In the order of causes."""
