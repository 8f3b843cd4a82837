"""Collateral: what a GPU of some age is worth in an orderly sale, and in a forced one.

The orderly value is the lower of a market value (a resale curve moved by prices, closed channels
and the overhang of earlier sales) and an income value (the cash margin still to come).

    V_mkt = hw max(0.02, curve(age) (1 - hit) dev^beta (1 - overhang/2))
    V_inc = sum over s <= n of max(0, P e^(d s/12) U - floor) 730 (1 + r)^(-s/12)
    net   = V max(0.1, 1 - H - 2 f) (1 - remarketing cost)

Curve, beta, n, d and r are those of the generation: a hall of a data centre wears out in decades
and its rent rises, so that its income is summed over n = 240 months, not over the 84 of a GPU.

Model: docs/model.md §8; `gpu.resale_*`, `gpu.fire_haircut`, evidence section 5 (executed sales).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.elementary import exp, exp_of, expm1_of, log, log_of
from simulator.numerics.jit import inlined, scalar
from simulator.numerics.lanes import floor_of, least, most, select
from simulator.numerics.quantiles import beta_quantile_table
from simulator.numerics.rows import row_names

HOURS = 730.0  # in a month
VALUE_FLOOR = 0.02  # of the price when new
OVERHANG_MONTHLY_DECAY = 2.0 ** (-1.0 / 6.0)
HAIRCUT_SD = 0.1
LAST_YEAR = 6  # of the curve


@row_names
class HardwareRows(NamedTuple):
    """Rows of `CollateralParams.terms`."""

    hardware_usd: int  # (generation,), price when new, USD per GPU
    installed_base: int  # (generation,), GPUs at t0
    base_grows: int  # (generation,), 1 = with world capacity
    resale_beta: int  # elasticity of the market value to prices
    resale_open: int  # 1 = policy can close its resale channels, 0 for halls
    log_late_life: int  # log of the curve a year, after its last
    price_drift: int  # d, log per year
    monthly_growth: int  # e^(d/12)
    income_months: int  # n
    revenue_log_ratio: int  # ln r and r/(1-r) of the discounts of revenue, see `annuity`
    revenue_scale: int
    cost_log_ratio: int  # of the plain discounts
    cost_scale: int


HARDWARE = HardwareRows(*range(13))


class CollateralParams(NamedTuple):
    """Frozen inputs."""

    terms: NDArray[np.float64]  # (row of HARDWARE, ...)
    curve: NDArray[np.float64]  # (generation, 7): share of the price when new at 0..6 years
    haircut_mean: float
    haircut_table: NDArray[np.float64]
    remarketing_cost: float


def pack_collateral(
    parameters: Mapping[str, float],
    *,
    hardware_usd: NDArray[np.float64],
    installed_base: NDArray[np.float64],
    base_grows: NDArray[np.float64],
    curve: NDArray[np.float64],
    late_life: NDArray[np.float64],
    resale_beta: NDArray[np.float64],
    resale_open: NDArray[np.float64],
    price_drift: NDArray[np.float64],
    income_months: NDArray[np.float64],
    income_rate: NDArray[np.float64],
) -> CollateralParams:
    """Return the packed collateral model.

    Parameters
    ----------
    hardware_usd, installed_base, base_grows : (generation,)
        Price when new, USD a unit; units at t0; 1 where they grow with world capacity.
    curve, late_life : (generation, 7) and (generation,)
        Share of that price at 0..6 years, and its factor a year afterwards.
    resale_beta, resale_open : (generation,)
        Elasticity of the market value to prices; 1 where policy can close resale channels.
    price_drift, income_months, income_rate : (generation,)
        Of the income value: log per year, months, discount rate per year.
    """
    p = parameters
    growth = [float(np.exp(drift / 12.0)) for drift in price_drift]
    discount = [float((1.0 + rate) ** (-1.0 / 12.0)) for rate in income_rate]
    revenue = [geometric_sum(a * b) for a, b in zip(growth, discount, strict=True)]
    cost = [geometric_sum(one) for one in discount]
    columns: dict[str, Any] = {
        "hardware_usd": hardware_usd,
        "installed_base": installed_base,
        "base_grows": base_grows,
        "resale_beta": resale_beta,
        "resale_open": resale_open,
        "log_late_life": [float(np.log(factor)) for factor in late_life],
        "price_drift": price_drift,
        "monthly_growth": growth,
        "income_months": income_months,
        "revenue_log_ratio": [one[0] for one in revenue],
        "revenue_scale": [one[1] for one in revenue],
        "cost_log_ratio": [one[0] for one in cost],
        "cost_scale": [one[1] for one in cost],
    }
    return CollateralParams(
        terms=np.array([columns[row] for row in HardwareRows._fields], dtype=np.float64),
        curve=curve,
        haircut_mean=p["gpu.fire_haircut"],
        haircut_table=beta_quantile_table(p["gpu.fire_haircut"], HAIRCUT_SD),
        remarketing_cost=p["gpu.remarket_cost"],
    )


@inlined
def resale_curve(params, generation, age_months):
    """Return the share of its price when new that a GPU of this age fetches."""
    return resale_curve_of(params, generation, float(age_months))


@inlined
def resale_curve_of(params, generation, age_months):
    """Return the resale curve at an age, or at each lane's of a pack."""
    years = most(0.0, age_months / 12.0)
    share = params.curve[generation, 0] + 0.0 * years
    for year in range(LAST_YEAR):  # the part of each year that has passed, and what it costs
        passed = least(1.0, most(0.0, years - year))
        cost = params.curve[generation, year + 1] - params.curve[generation, year]
        share = share + cost * passed
    late = most(0.0, years - LAST_YEAR)
    return share * exp_of(late * params.terms[HARDWARE.log_late_life, generation])


@inlined
def market_value(params, generation, age_months, hit, log_development, overhang):
    """Return V_mkt of one GPU in USD."""
    share = (
        resale_curve(params, generation, age_months)
        * (1.0 - params.terms[HARDWARE.resale_open, generation] * hit)
        * exp(params.terms[HARDWARE.resale_beta, generation] * log_development)
        * (1.0 - 0.5 * overhang)
    )
    return params.terms[HARDWARE.hardware_usd, generation] * max(VALUE_FLOOR, share)


def geometric_sum(ratio: float) -> tuple[float, float]:
    """Return ln r and r/(1-r): r + r^2 + ... + r^n is -expm1(n ln r) r/(1-r)."""
    safe = ratio if abs(ratio - 1.0) > 1e-9 else 1.0 - 1e-9
    return float(np.log(safe)), safe / (1.0 - safe)


@inlined
def annuity(log_ratio, scale, months):
    """Return r + r^2 + ... up to a number of months, from `geometric_sum`."""
    return -expm1_of(months * log_ratio) * scale


@inlined
def margin_until(params, generation, income, floor, months):
    """Return the value today of all margins of a unit up to a month, USD."""
    revenue = income * annuity(
        params.terms[HARDWARE.revenue_log_ratio, generation],
        params.terms[HARDWARE.revenue_scale, generation],
        months,
    )
    cost = floor * annuity(
        params.terms[HARDWARE.cost_log_ratio, generation],
        params.terms[HARDWARE.cost_scale, generation],
        months,
    )
    return revenue - cost


@inlined
def income_value(params, generation, price, utilisation, floor):
    """Return V_inc of one GPU in USD: the margin still to come, up to its last positive month.

    Parameters
    ----------
    price : float
        One-year contract price, USD per GPU-hour, falling by the price drift of the generation.
    floor : float
        Cash cost, USD per GPU-hour.
    """
    return income_value_of(params, generation, float(price), utilisation, floor)


@inlined
def income_value_of(params, generation, price, utilisation, floor):
    """Return V_inc of one GPU in USD, or of one on each lane of a pack, see `income_value`."""
    decay = params.terms[HARDWARE.price_drift, generation] / 12.0
    income_months = params.terms[HARDWARE.income_months, generation]
    income = price * utilisation
    earns = income * params.terms[HARDWARE.monthly_growth, generation] > floor
    has_floor = floor > 0.0
    share = select(earns & has_floor, floor / select(earns, income, 1.0), 1.0)
    falls = decay < 0.0
    until = floor_of(log_of(share) / (decay if falls else 1.0))
    months = least(income_months, select(has_floor & falls, until, income_months))
    margin = HOURS * most(0.0, margin_until(params, generation, income, floor, months))
    return select(earns, margin, 0.0)


@inlined
def rising_income_value(params, generation, price, utilisation, floor):
    """Return V_inc where prices rise: the margin from its first positive month on, in USD."""
    income = price * utilisation
    income_months = params.terms[HARDWARE.income_months, generation]
    losing = 0.0  # months before the first in which rent covers the cash cost
    if income <= 0.0:
        losing = income_months
    elif floor > income:
        growth = params.terms[HARDWARE.price_drift, generation] / 12.0
        losing = min(income_months, np.floor(log(floor / income) / growth))
    margin = margin_until(params, generation, income, floor, income_months)
    return HOURS * max(0.0, margin - margin_until(params, generation, income, floor, losing))


@inlined
def orderly_value(
    params, generation, age_months, hit, log_development, overhang, price, utilisation, floor
):
    """Return V of one GPU in USD: the lower of market and income value."""
    return min(
        market_value(params, generation, age_months, hit, log_development, overhang),
        income_value(params, generation, price, utilisation, floor),
    )


@inlined
def rising_orderly_value(
    params, generation, age_months, hit, log_development, overhang, price, utilisation, floor
):
    """Return V of a unit whose rent rises, a kW of a hall as a rule, in USD."""
    return min(
        market_value(params, generation, age_months, hit, log_development, overhang),
        rising_income_value(params, generation, price, utilisation, floor),
    )


@scalar
def forced_share(haircut: float, depth: float, remarketing_cost: float) -> float:
    """Return net proceeds of a forced sale per unit of orderly value.

    `depth` is the share of the installed base offered in the month.
    """
    return max(0.1, 1.0 - haircut - 2.0 * depth) * (1.0 - remarketing_cost)
