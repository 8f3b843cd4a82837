"""What a box takes in and owes this month: receipts, costs, CFADS, reserve target, shortfall.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.costs import COST_CODE, COST_TERM, power_price
from simulator.box.deliveries import DELIVERY_CODE, damages
from simulator.box.payments import is_payment_month
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    CLOSED,
    TRANCHE,
    WINDOW,
    WINDOWS,
)
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    GONE,
    LEASE,
)
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import any_of, end_of, first_of, least, most, select, spread

TRANSFER_MONTHS = 3.0
TRANSFER_MONTHS_WITH_LICENCE = 1.0


@inlined
def collect(
    box_params,
    boxes,
    leases,
    lease_state,
    deliveries,
    costs,
    availability,
    flow,
    b,
    pack,
    month,
    market_power,
    exchange,
    sponsors_default,
):
    """Add up receipts and operating costs of a box; return (receipts, power, costs), USD m.

    Parameters
    ----------
    market_power : (lane,), USD per MWh before the regional factor
    exchange : (currency, lane)
    sponsors_default : (sponsor, lane), default month, 0 = none
    """
    zero = spread(0.0, pack)
    receipts, power_cost, other_cost = zero, zero, zero
    due_now, received_now = zero, zero
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        received = lease_state.rows[LEASE.received, a, pack]
        due = lease_state.rows[LEASE.due, a, pack]
        receipts = receipts + received
        due_now = due_now + due
        received_now = received_now + least(received, due)
        claims = lease_state.rows[LEASE.claim_month, a, pack] == month
        late = deliveries.codes[DELIVERY_CODE.pending, a] > 0
        if late or any_of(claims):
            flow[flows.RECEIPTS, b, pack] = receipts
            for lane in range(first_of(pack), end_of(pack)):
                collect_rarely(
                    leases, lease_state, deliveries, availability, flow, month, a, b, lane
                )
            receipts = flow[flows.RECEIPTS, b, pack]
        power, other = cost_of_asset(lease_state, costs, month, market_power, exchange, a, pack)
        power_cost, other_cost = power_cost + power, other_cost + other
    if box_params.terms[BOX_TERM.realisation_minimum, b] > 0.0:
        slot = month % WINDOW
        boxes.windows[WINDOWS.due_window + slot, b, pack] = due_now
        boxes.windows[WINDOWS.received_window + slot, b, pack] = received_now
    operating = other_cost + power_cost
    failed = sponsors_default[box_params.codes[BOX_CODE.sponsor, b], pack]
    if any_of((failed > 0.0) & (failed < month) & (failed + TRANSFER_MONTHS >= month)):
        flow[flows.RECEIPTS, b, pack] = receipts
        flow[flows.OPERATING_COSTS, b, pack] = operating
        change_servicer(
            box_params,
            boxes,
            lease_state,
            costs,
            flow,
            month,
            sponsors_default,
            b,
            first_of(pack),
            end_of(pack),
        )
        receipts = flow[flows.RECEIPTS, b, pack]
        operating = flow[flows.OPERATING_COSTS, b, pack]
    return receipts, power_cost, operating


@inner
def collect_rarely(leases, lease_state, deliveries, availability, flow, month, a, b, lane):
    """Add damages for late deliveries, and claims against customers that are paid this month."""
    if deliveries.codes[DELIVERY_CODE.pending, a]:
        if lease_state.rows[LEASE.status, a, lane] <= COMMISSIONING:
            flow[flows.RECEIPTS, b, lane] += damages(
                deliveries, leases, lease_state, a, lane, month, availability[a, lane]
            )
    if lease_state.rows[LEASE.claim_month, a, lane] == month:
        flow[flows.RECEIPTS, b, lane] += lease_state.rows[LEASE.claim, a, lane]
        lease_state.rows[LEASE.claim_month, a, lane] = 0.0


@inlined
def cost_of_asset(lease_state, costs, month, market_power, exchange, a, pack):
    """Return (power, other) cost of an accepted asset this month, on a pack, USD m.

    Both in dollars: `exchange` has the rates of the currencies that costs are paid in.
    """
    status = lease_state.rows[LEASE.status, a, pack]
    bears = (status < CANCELLED) & (lease_state.rows[LEASE.accepted, a, pack] < month)
    if costs.codes[COST_CODE.triple_net, a] > 0:
        bears = bears & ~((status == CONTRACTED) | (status == BACKSTOPPED))
        if not any_of(bears):
            return spread(0.0, pack), spread(0.0, pack)
    rate = exchange[costs.codes[COST_CODE.currency, a], pack]
    mwh = costs.terms[COST_TERM.power_mwh, a]
    power = power_price(costs, a, month, market_power[pack]) * mwh / 1e6 * rate
    hall = costs.terms[COST_TERM.hall, a] * costs.hall_path[month]
    other = (costs.terms[COST_TERM.operations, a] + hall) * rate
    runs = lease_state.rows[LEASE.running, a, pack] > 0.0
    return select(bears & runs, power, 0.0), select(bears, other, 0.0)


@inner
def change_servicer(
    box_params, boxes, lease_state, costs, flow, month, sponsors_default, b, first, end
):
    """Charge the servicer's transfer after a sponsor's default, and halve receipts for a while."""
    months = TRANSFER_MONTHS
    if box_params.codes[BOX_CODE.operating_licence, b]:
        months = TRANSFER_MONTHS_WITH_LICENCE
    for lane in range(first, end):
        failed = sponsors_default[box_params.codes[BOX_CODE.sponsor, b], lane]
        if failed == 0.0 or failed >= month or month > failed + months:
            continue
        if boxes.rows[BOX.status, b, lane] == CLOSED:
            continue
        flow[flows.RECEIPTS, b, lane] *= 0.5
        boxes.windows[WINDOWS.received_window + month % WINDOW, b, lane] *= 0.5
        if month == failed + 1.0:
            for a in range(
                box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
            ):
                status = lease_state.rows[LEASE.status, a, lane]
                if lease_state.rows[LEASE.accepted, a, lane] < month and status != GONE:
                    flow[flows.OPERATING_COSTS, b, lane] += (
                        box_params.transfer_cost * costs.terms[COST_TERM.cost, a]
                    )


@inlined
def add_to_period(box_params, boxes, b, month, cash, service, pack):
    """Add up cash flow and debt service since the last payment date."""
    if not is_payment_month(box_params, b, month - 1):
        cash = boxes.rows[BOX.period_cfads, b, pack] + cash
        service = boxes.rows[BOX.period_service, b, pack] + service
    boxes.rows[BOX.period_cfads, b, pack] = cash
    boxes.rows[BOX.period_service, b, pack] = service
    return cash, service


@inlined
def set_reserve_target(box_params, boxes, to_come, costs, hedge, debt, b, pack):
    """Set the reserve target: months of senior service to come, and of costs if it covers them."""
    target = to_come
    if box_params.codes[BOX_CODE.reserve_covers_costs, b]:
        months = box_params.codes[BOX_CODE.reserve_months, b]
        more = target + months * (costs + most(0.0, hedge))
        target = select(debt > flows.TINY, more, target)
    boxes.rows[BOX.reserve_target, b, pack] = target


@inlined
def move_window(boxes, b, serves, cash, service, pack):
    """Move the coverage window on where debt was served since the last payment date.

    Returns
    -------
    cfads, service : pack
        Sums of the window.
    """
    windows = boxes.windows
    total_cash, total_service = spread(0.0, pack), spread(0.0, pack)
    for slot in range(WINDOW):
        held_cash = windows[WINDOWS.cfads_window + slot, b, pack]
        held_service = windows[WINDOWS.service_window + slot, b, pack]
        if slot == WINDOW - 1:
            next_cash, next_service = cash, service
        else:
            next_cash = windows[WINDOWS.cfads_window + slot + 1, b, pack]
            next_service = windows[WINDOWS.service_window + slot + 1, b, pack]
        held_cash = select(serves, next_cash, held_cash)
        held_service = select(serves, next_service, held_service)
        windows[WINDOWS.cfads_window + slot, b, pack] = held_cash
        windows[WINDOWS.service_window + slot, b, pack] = held_service
        total_cash = total_cash + held_cash
        total_service = total_service + held_service
    return total_cash, total_service


@inlined
def window_sums(boxes, b, pack):
    """Return (sum of CFADS, sum of debt service) over the coverage window, on a pack."""
    cfads, service = spread(0.0, pack), spread(0.0, pack)
    for slot in range(WINDOW):
        cfads = cfads + boxes.windows[WINDOWS.cfads_window + slot, b, pack]
        service = service + boxes.windows[WINDOWS.service_window + slot, b, pack]
    return cfads, service


@inlined
def realisation_ratio(boxes, b, pack):
    """Return contracted cash received over due in the last three months; 1 if nothing was due."""
    due, received = spread(0.0, pack), spread(0.0, pack)
    for slot in range(WINDOW):
        due = due + boxes.windows[WINDOWS.due_window + slot, b, pack]
        received = received + boxes.windows[WINDOWS.received_window + slot, b, pack]
    counts = due > flows.TINY
    return select(counts, received / select(counts, due, 1.0), 1.0)


@inlined
def debt_of(box_params, tranches, b, pack):
    """Return the debt of a box on a pack, USD m."""
    total = spread(0.0, pack)
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        total = total + tranches.rows[TRANCHE.balance, d, pack]
    return total


@inlined
def box_debt(box_params, tranches, b, lane):
    """Return the debt of a box, USD m."""
    total = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        total += tranches.rows[TRANCHE.balance, d, lane]
    return total


@inlined
def accrued_interest(box_params, tranches, b, lane):
    """Return interest of a box since its last payment date, not yet due, USD m."""
    total = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        total += tranches.rows[TRANCHE.accrued, d, lane]
    return total
