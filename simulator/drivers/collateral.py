"""Collateral: what a GPU of some age is worth in an orderly sale, and in a forced one.

The orderly value is the lower of a market value (a resale curve moved by prices, closed channels
and the overhang of earlier sales) and an income value (the cash margin still to come).

    V_mkt = hw max(0.02, curve(age) (1 - hit) dev^beta (1 - overhang/2))
    V_inc = sum over s <= 84 of max(0, P e^(d s/12) U - floor) 730 (1 + r)^(-s/12)
    net   = V max(0.1, 1 - H - 2 f) (1 - remarketing cost)

Model: docs/model.md §8; `gpu.resale_*`, `gpu.fire_haircut`, evidence section 5 (executed sales).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.elementary import exp, expm1, log
from simulator.numerics.jit import inlined, scalar
from simulator.numerics.quantiles import beta_quantile_table
from simulator.numerics.rows import row_names

INCOME_MONTHS = 84.0
HOURS = 730.0  # in a month
VALUE_FLOOR = 0.02  # of the price when new
OVERHANG_MONTHLY_DECAY = 2.0 ** (-1.0 / 6.0)
HAIRCUT_SD = 0.1
LAST_YEAR = 6  # of the curve
LOG_LATE_LIFE_RATIO = float(np.log(17.0 / 25.0))  # a year, beyond it


@row_names
class HardwareRows(NamedTuple):
    """Rows of `CollateralParams.terms`."""

    hardware_usd: int  # (generation,), price when new, USD per GPU
    installed_base: int  # (generation,), GPUs at t0
    base_grows: int  # (generation,), 1 = with world capacity


HARDWARE = HardwareRows(*range(3))


class CollateralParams(NamedTuple):
    """Frozen inputs."""

    terms: NDArray[np.float64]  # (row of HARDWARE, ...)
    curve: NDArray[np.float64]  # (7,): share of the price when new at 0..6 years
    resale_beta: float
    price_drift: float  # d, log per year: age drift and three quarters of a generation step
    monthly_decay: float  # e^(d/12)
    revenue_sum: NDArray[
        np.float64
    ]  # (2,): ln r and r/(1-r) of the decayed discounts, see `annuity_of`
    cost_sum: NDArray[np.float64]  # (2,): of the plain discounts
    haircut_mean: float
    haircut_table: NDArray[np.float64]
    remarketing_cost: float


def pack_collateral(
    parameters: Mapping[str, float],
    hardware_usd: NDArray[np.float64],
    installed_base: NDArray[np.float64],
    base_grows: NDArray[np.float64],
) -> CollateralParams:
    """Return the packed collateral model."""
    p = parameters
    decay = float(np.exp((p["gpu.delta"] - 0.75 * p["gpu.gen_step"]) / 12.0))
    discount = float((1.0 + p["col.rate"]) ** (-1.0 / 12.0))
    return CollateralParams(
        curve=np.array([1.0] + [p[f"gpu.resale_curve.y{year}"] for year in range(1, 7)]),
        resale_beta=p["gpu.resale_beta"],
        price_drift=p["gpu.delta"] - 0.75 * p["gpu.gen_step"],
        monthly_decay=decay,
        revenue_sum=geometric_sum(decay * discount),
        cost_sum=geometric_sum(discount),
        haircut_mean=p["gpu.fire_haircut"],
        haircut_table=beta_quantile_table(p["gpu.fire_haircut"], HAIRCUT_SD),
        remarketing_cost=p["gpu.remarket_cost"],
        terms=np.array([hardware_usd, installed_base, base_grows]),
    )


@inlined
def resale_curve(curve, age_months):
    """Return the share of its price when new that a GPU of this age fetches."""
    years = max(0.0, age_months / 12.0)
    share = curve[0]
    for year in range(LAST_YEAR):  # the part of each year that has passed, and what it costs
        passed = min(1.0, max(0.0, years - year))
        share += (curve[year + 1] - curve[year]) * passed
    return share * exp(max(0.0, years - LAST_YEAR) * LOG_LATE_LIFE_RATIO)


@inlined
def market_value(params, generation, age_months, hit, log_development, overhang):
    """Return V_mkt of one GPU in USD."""
    share = (
        resale_curve(params.curve, age_months)
        * (1.0 - hit)
        * exp(params.resale_beta * log_development)
        * (1.0 - 0.5 * overhang)
    )
    return params.terms[HARDWARE.hardware_usd, generation] * max(VALUE_FLOOR, share)


def geometric_sum(ratio: float) -> NDArray[np.float64]:
    """Return ln r and r/(1-r): r + r^2 + ... + r^n is -expm1(n ln r) r/(1-r)."""
    safe = ratio if abs(ratio - 1.0) > 1e-9 else 1.0 - 1e-9
    return np.array([np.log(safe), safe / (1.0 - safe)])


@inlined
def annuity_of(terms, months):
    """Return r + r^2 + ... up to a number of months, from `geometric_sum`."""
    return -expm1(months * terms[0]) * terms[1]


@inlined
def income_value(params, price, utilisation, floor):
    """Return V_inc of one GPU in USD: the margin still to come, up to its last positive month.

    Parameters
    ----------
    price : float
        One-year contract price, USD per GPU-hour, falling by `price_drift` a year.
    floor : float
        Cash cost, USD per GPU-hour.
    """
    decay = params.price_drift / 12.0
    income = price * utilisation
    earns = income * params.monthly_decay > floor
    share = floor / income if earns and floor > 0.0 else 1.0
    until = np.floor(log(share) / decay) if decay < 0.0 and floor > 0.0 else INCOME_MONTHS
    months = min(INCOME_MONTHS, until)
    revenue = income * annuity_of(params.revenue_sum, months)
    margin = HOURS * max(0.0, revenue - floor * annuity_of(params.cost_sum, months))
    return margin if earns else 0.0


@inlined
def orderly_value(
    params, generation, age_months, hit, log_development, overhang, price, utilisation, floor
):
    """Return V of one GPU in USD: the lower of market and income value."""
    return min(
        market_value(params, generation, age_months, hit, log_development, overhang),
        income_value(params, price, utilisation, floor),
    )


@scalar
def forced_share(haircut: float, depth: float, remarketing_cost: float) -> float:
    """Return net proceeds of a forced sale per unit of orderly value.

    `depth` is the share of the installed base offered in the month.
    """
    return max(0.1, 1.0 - haircut - 2.0 * depth) * (1.0 - remarketing_cost)
