"""What the GPUs of a box are worth in an orderly sale, on one path or on a pack of them.

    V = min(V_mkt, V_inc)

The market value is cheap, and mostly the lower one; the income value takes a logarithm and two
exponentials.  Any number of months' margin bounds it from below, so that two sums of margins tell
where it cannot be the lower one; only elsewhere is it computed.

Model: docs/model.md §8; `drivers.collateral`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.costs import COST_CODE, COST_TERM, cash_floor
from simulator.box.deliveries import DELIVERY_CODE
from simulator.box.terms import BOX, BOX_CODE, BOX_TERM
from simulator.credit.leases import CANCELLED, LEASE, LEASE_CODE, LEASE_TERM, PENDING
from simulator.drivers.collateral import (
    HARDWARE,
    HOURS,
    VALUE_FLOOR,
    annuity,
    income_value_of,
    orderly_value,
    resale_curve,
    resale_curve_of,
    rising_orderly_value,
)
from simulator.numerics.elementary import exp, exp_of
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import any_of, end_of, first_of, least, most, select, spread

SHORT_MONTHS = 30.0  # of margins that are tried besides all of them
ROUNDING = 1e-9  # by which a bound is widened, so that it holds after rounding


class Valuation(NamedTuple):
    """What boxes have in common when their GPUs are valued, of the month unless said otherwise."""

    odds_against: NDArray[np.float64]  # (box, lane), (1 - u)/u of each pool at t0
    slack: NDArray[np.float64]  # (lane,), factor on these odds
    moved: NDArray[np.float64]  # (generation, lane), dev^beta
    share: NDArray[np.float64]  # (asset,), of its price when new at its age, if accepted by t0
    margins: NDArray[np.float64]  # (4, generation), sums of revenue and cost, short and full
    fixed: NDArray[np.float64]  # (asset,), cash floor without power, USD per GPU-hour
    power: NDArray[np.float64]  # (asset,), what of it moves with power, MWh per GPU-hour


def new_valuation(boxes: int, assets: int, generations: int, lanes: int) -> Valuation:
    """Return scratch for a block."""
    return Valuation(
        odds_against=np.zeros((max(1, boxes), lanes)),
        slack=np.zeros(lanes),
        moved=np.zeros((generations, lanes)),
        share=np.zeros(max(1, assets)),
        margins=np.zeros((4, generations)),
        fixed=np.zeros(max(1, assets)),
        power=np.zeros(max(1, assets)),
    )


@inner
def note_pools(valuation, boxes):
    """Keep the odds against use of each pool (at t0)."""
    for b in range(boxes.rows.shape[1]):
        for lane in range(boxes.rows.shape[2]):
            valuation.odds_against[b, lane] = exp(-boxes.rows[BOX.utilisation_odds, b, lane])


@inner
def begin_valuation(
    valuation, collateral, leases, costs, prices, tightness, log_development, month
):
    """Compute what the boxes of a month have in common.

    Parameters
    ----------
    costs : CostParams
    prices : PriceParams
    tightness : (lane,)
    log_development : (generation, lane)
    """
    terms = collateral.terms
    for lane in range(tightness.shape[0]):
        tighter = tightness[lane] - prices.start_tightness
        valuation.slack[lane] = exp(-prices.utilisation_slope * tighter)
    for g in range(log_development.shape[0]):
        beta = terms[HARDWARE.resale_beta, g]
        for lane in range(tightness.shape[0]):
            valuation.moved[g, lane] = exp(beta * log_development[g, lane])
        full = terms[HARDWARE.income_months, g]
        short = min(SHORT_MONTHS, full)
        revenue, scale = terms[HARDWARE.revenue_log_ratio, g], terms[HARDWARE.revenue_scale, g]
        valuation.margins[0, g] = annuity(revenue, scale, short)
        valuation.margins[1, g] = annuity(revenue, scale, full)
        cost, scale = terms[HARDWARE.cost_log_ratio, g], terms[HARDWARE.cost_scale, g]
        valuation.margins[2, g] = annuity(cost, scale, short)
        valuation.margins[3, g] = annuity(cost, scale, full)
    for a in range(leases.terms.shape[1]):
        note_floor(valuation, costs, a, month)
        accepted = leases.terms[LEASE_TERM.accepted, a]
        if not np.isnan(accepted):
            g = leases.codes[LEASE_CODE.generation, a]
            valuation.share[a] = resale_curve(collateral, g, max(0.0, month - accepted))


@inlined
def note_floor(valuation, costs, a, month):
    """Write an asset's cash floor as a line in the price of power, a little above it."""
    hours = costs.terms[COST_TERM.gpus, a] * HOURS / (1.0 + ROUNDING)
    factor = costs.terms[COST_TERM.power_factor, a] * costs.terms[COST_TERM.power_mwh, a]
    hedged = costs.terms[COST_TERM.hedged, a]
    fixed = costs.terms[COST_TERM.hall, a] * costs.hall_path[month]
    fixed = 1e6 * (costs.terms[COST_TERM.operations, a] + fixed)
    valuation.fixed[a] = (fixed + factor * hedged * costs.power_path[month]) / hours
    valuation.power[a] = factor * (1.0 - hedged) / hours


@inlined
def pool_use(prices, boxes, tightness, b, pack):
    """Return the utilisation of a box's pool."""
    odds = boxes.rows[BOX.utilisation_odds, b, pack]
    odds = odds + prices.utilisation_slope * (tightness[pack] - prices.start_tightness)
    return 1.0 / (1.0 + exp_of(-odds))


@inlined
def floor_at(view, a, month, pack):
    """Return the cash floor of an asset, USD per GPU-hour."""
    currency = view.costs.codes[COST_CODE.currency, a]
    power, rate = view.market_power[pack], view.exchange[currency, pack]
    return cash_floor(view.costs, a, month, power, rate)


@inner
def write_prices(prices, view, box_params, boxes, b, pack, month):
    """Write utilisation and cash floors of a box, for what then looks at them lane by lane."""
    boxes.rows[BOX.utilisation, b, pack] = pool_use(prices, boxes, view.tightness, b, pack)
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        view.floors[a, pack] = floor_at(view, a, month, pack)


@inlined
def earns_more(view, valuation, b, a, value, price, pack):
    """Say where the income of a GPU is surely worth more than a value in USD."""
    g = view.leases.codes[LEASE_CODE.generation, a]
    costs = view.costs
    rate = view.exchange[costs.codes[COST_CODE.currency, a], pack]
    floor = (valuation.fixed[a] + valuation.power[a] * view.market_power[pack]) * rate
    against = 1.0 + valuation.odds_against[b, pack] * valuation.slack[pack]
    worth = value * ((1.0 + ROUNDING) / HOURS)
    margins = valuation.margins
    in_short = price * margins[0, g] > (worth + floor * margins[2, g]) * against
    in_full = price * margins[1, g] > (worth + floor * margins[3, g]) * against
    return in_short | in_full


@inlined
def value_collateral(prices, view, valuation, box_params, boxes, b, pack, month):
    """Return the orderly value of a box's GPUs, USD m."""
    leases, rows = view.leases, view.lease_state.rows
    life = box_params.terms[BOX_TERM.useful_life, b]
    total = spread(0.0, pack)
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        g = leases.codes[LEASE_CODE.generation, a]
        terms = view.collateral.terms
        status = rows[LEASE.status, a, pack]
        held = (status > PENDING) & (status < CANCELLED)
        if not any_of(held):
            continue
        if terms[HARDWARE.price_drift, g] > 0.0:
            write_prices(prices, view, box_params, boxes, b, pack, month)
            view.values[pack] = 0.0
            for lane in range(first_of(pack), end_of(pack)):
                view.values[lane] = asset_value(
                    box_params,
                    boxes,
                    leases,
                    view.lease_state,
                    view.deliveries,
                    view.collateral,
                    view.floors,
                    b,
                    a,
                    lane,
                    month,
                    0.0,
                    view.contract_prices,
                    view.log_development,
                    view.hits,
                    view.overhang,
                )
            total = total + view.values[pack]
            continue
        accepted = leases.terms[LEASE_TERM.accepted, a]
        if np.isnan(accepted):
            age = most(0.0, month - rows[LEASE.accepted, a, pack])
            share = resale_curve_of(view.collateral, g, age)
        else:
            age = spread(max(0.0, month - accepted), pack)
            share = spread(valuation.share[a], pack)
        if life > 0.0:
            held = held & (age < life)
        hit = view.hits[view.deliveries.codes[DELIVERY_CODE.jurisdiction, a], pack]
        share = share * (1.0 - terms[HARDWARE.resale_open, g] * hit)
        share = share * valuation.moved[g, pack]
        share = share * (1.0 - 0.5 * view.overhang[g, pack])
        value = terms[HARDWARE.hardware_usd, g] * most(VALUE_FLOOR, share)
        price = view.contract_prices[g, pack]
        if any_of(held & ~earns_more(view, valuation, b, a, value, price, pack)):
            used = pool_use(prices, boxes, view.tightness, b, pack)
            floor = floor_at(view, a, month, pack)
            value = least(value, income_value_of(view.collateral, g, price, used, floor))
        gpus_m = leases.terms[LEASE_TERM.gpus, a] / 1e6
        total = total + select(held, value * gpus_m, 0.0)
    return total


@inner
def asset_value(
    box_params,
    boxes,
    leases,
    lease_state,
    deliveries,
    collateral,
    floors,
    b,
    a,
    lane,
    month,
    ahead,
    contract_prices,
    log_development,
    hits,
    overhang,
):
    """Return the orderly value of an asset `ahead` months on, USD m, prices at their drift."""
    from_acceptance = month - lease_state.rows[LEASE.accepted, a, lane]
    status = lease_state.rows[LEASE.status, a, lane]
    delivered = status > 0.0 and status < 7.0
    if not delivered:
        return 0.0
    age = max(0.0, from_acceptance) + ahead
    life = box_params.terms[BOX_TERM.useful_life, b]
    if life > 0.0 and age >= life:
        return 0.0
    g = leases.codes[LEASE_CODE.generation, a]
    drift = collateral.terms[HARDWARE.price_drift, g]
    hit = hits[deliveries.codes[DELIVERY_CODE.jurisdiction, a], lane]
    development, hanging = log_development[g, lane], overhang[g, lane]
    utilisation, floor = boxes.rows[BOX.utilisation, b, lane], floors[a, lane]
    price = contract_prices[g, lane]
    if ahead > 0.0:
        price *= exp(drift * ahead / 12.0)
    if drift > 0.0:
        value = rising_orderly_value(
            collateral, g, age, hit, development, hanging, price, utilisation, floor
        )
    else:
        value = orderly_value(
            collateral, g, age, hit, development, hanging, price, utilisation, floor
        )
    return value * (leases.terms[LEASE_TERM.gpus, a] / 1e6)
