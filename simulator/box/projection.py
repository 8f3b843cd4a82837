"""Looking ahead from inside a path: today's market and contracts, prices at their reference drift.

Used where someone in the model must decide: lenders in a workout, a sponsor asked for support, a
bank asked to refinance.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.costs import COST_CODE, asset_cost
from simulator.box.debt import level_instalment
from simulator.box.deliveries import expected_acceptance
from simulator.box.terms import BOX, BOX_CODE, TRANCHE
from simulator.box.valuation import asset_value
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    MERCHANT,
    UNPAID,
    full_invoice,
    price_multiplier,
)
from simulator.drivers.collateral import HARDWARE
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner


@inner
def projected_cash(view, box_params, boxes, b, lane, month, ahead):
    """Return the CFADS of a box `ahead` months from now, USD m, as one would expect it today.

    Parameters
    ----------
    view : MarketView
        Leases, deliveries, costs and this month's prices.
    """
    leases, lease_state = view.leases, view.lease_state
    total = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        status = lease_state.rows[LEASE.status, a, lane]
        if status == CANCELLED or status == GONE:
            continue
        left = lease_state.rows[LEASE.months_left, a, lane]
        start = 0.0
        if status <= COMMISSIONING:
            start = expected_acceptance(view.deliveries, view.delivery_state, a, lane) - month
            start = max(0.0, start)
            if ahead <= start:
                continue
            age = ahead - start
        else:
            age = month + ahead - lease_state.rows[LEASE.accepted, a, lane]
        if age > leases.terms[LEASE_TERM.life, a]:
            continue
        hours = view.availability[a, lane]
        rate = view.exchange[view.costs.codes[COST_CODE.currency, a], lane]
        contracted = (
            leases.codes[LEASE_CODE.name, a] >= 0 and lease_state.rows[LEASE.void, a, lane] == 0.0
        )
        contracted = contracted and status != UNPAID and status <= BACKSTOPPED
        if contracted and ahead <= start + left:
            accepted = lease_state.rows[LEASE.accepted, a, lane]
            if status <= COMMISSIONING:
                accepted = month + start
            multiplier = price_multiplier(leases, lease_state, a, lane, accepted, month + ahead)
            price = lease_state.rows[LEASE.price, a, lane] * multiplier
            total += full_invoice(leases, a, price, hours)
            power, other = asset_cost(
                view.costs, a, month, view.market_power[lane], rate, CONTRACTED, 1.0
            )
            total -= power + other
            continue
        g = leases.codes[LEASE_CODE.generation, a]
        market = view.spot_prices[g, lane]
        if leases.codes[LEASE_CODE.name, a] >= 0:
            market = view.contract_prices[g, lane]
        price = leases.terms[LEASE_TERM.price_factor, a] * market
        price *= exp(view.collateral.terms[HARDWARE.price_drift, g] * ahead / 12.0)
        utilisation = boxes.rows[BOX.utilisation, b, lane]
        running = 1.0 if price * utilisation >= view.floors[a, lane] else 0.0
        power, other = asset_cost(
            view.costs, a, month, view.market_power[lane], rate, MERCHANT, running
        )
        total += running * full_invoice(leases, a, price, hours) * utilisation - power - other
    return total


@inner
def projected_value(view, box_params, boxes, b, lane, month, ahead):
    """Return the orderly value of a box's GPUs `ahead` months from now, USD m."""
    total = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        total += asset_value(
            box_params,
            boxes,
            view.leases,
            view.lease_state,
            view.deliveries,
            view.collateral,
            view.floors,
            b,
            a,
            lane,
            month,
            ahead,
            view.contract_prices,
            view.log_development,
            view.hits,
            view.overhang,
        )
    return total


@inner
def expected_sale_share(view):
    """Return expected net proceeds of a forced sale per unit of orderly value."""
    collateral = view.collateral
    return max(0.1, 1.0 - collateral.haircut_mean) * (1.0 - collateral.remarketing_cost)


@inner
def level_service(debt, coupon, months):
    """Return the monthly level payment that repays `debt` over so many months, USD m."""
    if debt <= flows.TINY:
        return 0.0
    return debt * coupon / 12.0 + level_instalment(debt, coupon, max(1.0, months))


@inner
def mean_coupon(box_params, tranches, b, lane):
    """Return the balance-weighted coupon of a box, per year."""
    weighted = 0.0
    debt = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        weighted += tranches.rows[TRANCHE.balance, d, lane] * tranches.rows[TRANCHE.coupon, d, lane]
        debt += tranches.rows[TRANCHE.balance, d, lane]
    return weighted / debt if debt > flows.TINY else 0.0


@inner
def months_to_maturity(box_params, tranches, b, lane, month):
    """Return months to the latest maturity of a box with a balance, between 1 and 60."""
    last = float(month)
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if tranches.rows[TRANCHE.balance, d, lane] > flows.TINY:
            last = max(last, tranches.rows[TRANCHE.maturity, d, lane])
    return min(60.0, max(1.0, last - month))


__all__ = [
    "expected_sale_share",
    "level_service",
    "mean_coupon",
    "months_to_maturity",
    "projected_cash",
    "projected_value",
]
