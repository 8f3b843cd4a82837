"""Looking ahead from inside a path: today's market and contracts, prices at their reference drift.

Used where someone in the model must decide: lenders in a workout, a sponsor asked for support, a
bank asked to refinance.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.costs import COST_CODE, COST_TERM, power_price
from simulator.box.deliveries import acceptance_to_come
from simulator.box.instalments import level_instalment
from simulator.box.terms import BOX, BOX_CODE, TRANCHE
from simulator.box.valuation import asset_value
from simulator.credit.billing import multiplier_at
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    UNPAID,
    full_invoice,
)
from simulator.drivers.collateral import HARDWARE
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import any_of, most, pack_at, select, spread

MONTHS_TO_MATURITY = 60
"""How far one looks ahead for a loan, at most."""


@inner
def look_ahead(view, box_params, boxes, b, lane, month, months):
    """Write into `view.outlook` what one would expect of a box's CFADS today, USD m a month.

    The months are looked at for the whole pack of the lane, and once: whoever asks next, in this
    month, finds them written.

    Parameters
    ----------
    view : MarketView
        Leases, deliveries, costs and this month's prices.
    months : int
        How far to look: `view.outlook[1]` .. `view.outlook[months]` are then known.
    """
    place = lane // PACK
    if view.looked[0, b, place] == month and view.looked[1, b, place] >= months:
        return
    view.looked[0, b, place] = month
    view.looked[1, b, place] = months
    pack = pack_at(place * PACK, view.tightness.shape[0])
    for ahead in range(1, months + 1):
        view.outlook[ahead, b, pack] = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        add_outlook(view, boxes, b, a, month, months, pack)


@inlined
def add_outlook(view, boxes, b, a, month, months, pack):
    """Add what an asset is expected to earn, net of its costs, to the outlook of its box."""
    leases, rows, costs = view.leases, view.lease_state.rows, view.costs
    status, left = rows[LEASE.status, a, pack], rows[LEASE.months_left, a, pack]
    ends = (status == CANCELLED) | (status == GONE)
    waits = status <= COMMISSIONING
    accepted = rows[LEASE.accepted, a, pack]
    start = spread(0.0, pack)
    if any_of(waits):
        start = most(0.0, acceptance_to_come(view.deliveries, view.delivery_state, a, pack) - month)
        accepted = select(waits, month + start, accepted)
        start = select(waits, start, 0.0)
    contracted = rows[LEASE.void, a, pack] == 0.0
    contracted = contracted & (status != UNPAID) & (status <= BACKSTOPPED)
    contracted = contracted & (leases.codes[LEASE_CODE.name, a] >= 0)
    hours = view.availability[a, pack]
    power = power_price(costs, a, month, view.market_power[pack])
    rate = view.exchange[costs.codes[COST_CODE.currency, a], pack]
    power = power * costs.terms[COST_TERM.power_mwh, a] / 1e6 * rate
    hall = costs.terms[COST_TERM.hall, a] * costs.hall_path[month]
    other = (costs.terms[COST_TERM.operations, a] + hall) * rate
    borne = 0.0 if costs.codes[COST_CODE.triple_net, a] > 0 else 1.0  # of a contract's costs
    contract_cost = borne * (power + other)
    g = leases.codes[LEASE_CODE.generation, a]
    market = view.spot_prices[g, pack]
    if leases.codes[LEASE_CODE.name, a] >= 0:
        market = view.contract_prices[g, pack]
    market = leases.terms[LEASE_TERM.price_factor, a] * market
    used, floor = boxes.rows[BOX.utilisation, b, pack], view.floors[a, pack]
    plain = rows[LEASE.price, a, pack]
    drift, life = view.collateral.terms[HARDWARE.price_drift, g], leases.terms[LEASE_TERM.life, a]
    has_profile = leases.codes[LEASE_CODE.profile, a] >= 0
    for ahead in range(1, months + 1):
        age = select(waits, ahead - start, month + ahead - accepted)
        counts = ~ends & (age <= life) & ~(waits & (start >= ahead))
        before = view.outlook[ahead, b, pack]
        price = plain
        if has_profile:
            price = plain * multiplier_at(
                leases, view.lease_state, a, accepted, month + ahead, pack
            )
        by_contract = before + full_invoice(leases, a, price, hours) - contract_cost
        price = market * exp(drift * ahead / 12.0)
        runs = price * used >= floor
        invoice = select(runs, full_invoice(leases, a, price, hours), 0.0) * used
        by_market = before + (invoice - select(runs, power, 0.0) - other)
        after = select(contracted & (start + left >= ahead), by_contract, by_market)
        view.outlook[ahead, b, pack] = select(counts, after, before)


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
    return min(float(MONTHS_TO_MATURITY), max(1.0, last - month))


__all__ = [
    "MONTHS_TO_MATURITY",
    "expected_sale_share",
    "level_service",
    "look_ahead",
    "mean_coupon",
    "months_to_maturity",
    "projected_value",
]
