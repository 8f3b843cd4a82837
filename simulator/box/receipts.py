"""What a box takes in and owes this month: receipts, costs, CFADS, reserve target, shortfall.

Model: docs/model.md §11.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.costs import COST_CODE, COST_TERM, asset_cost
from simulator.box.debt import add_scheduled_service, is_payment_month
from simulator.box.deliveries import DELIVERY_CODE, damages
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    CLOSED,
    PERFORMING,
    TRANCHE,
    TRANCHE_CODE,
    WINDOW,
    WINDOWS,
)
from simulator.credit.leases import (
    CANCELLED,
    COMMISSIONING,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    PENDING,
)
from simulator.drivers.collateral import HARDWARE, orderly_value, rising_orderly_value
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner

TRANSFER_MONTHS = 3.0
TRANSFER_MONTHS_WITH_LICENCE = 1.0


@inner
def collect(
    box_params,
    boxes,
    leases,
    lease_state,
    deliveries,
    costs,
    availability,
    flow,
    month,
    market_power,
    exchange,
    sponsors_default,
):
    """Add up receipts and operating costs of every box that is not closed.

    Parameters
    ----------
    market_power : (lane,), USD per MWh before the regional factor
    exchange : (currency, lane)
    sponsors_default : (sponsor, lane), default month, 0 = none
    """
    slot = month % WINDOW
    lanes = market_power.shape[0]
    for b in range(box_params.codes.shape[1]):
        for lane in range(lanes):
            boxes.windows[WINDOWS.due_window, slot, b, lane] = 0.0
            boxes.windows[WINDOWS.received_window, slot, b, lane] = 0.0
        for a in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            collect_from(boxes, lease_state, flow, slot, a, b)
            collect_rarely(leases, lease_state, deliveries, availability, flow, month, a, b)
            add_costs(lease_state, costs, flow, month, market_power, exchange, a, b)
        for lane in range(lanes):
            flow[flows.OPERATING_COSTS, b, lane] += flow[flows.POWER_COST, b, lane]
        change_servicer(box_params, boxes, lease_state, costs, flow, month, sponsors_default, b)


@inner
def collect_from(boxes, lease_state, flow, slot, a, b):
    """Add what an asset's customer paid to its box's receipts and coverage window."""
    for lane in range(flow.shape[2]):
        flow[flows.RECEIPTS, b, lane] += lease_state.rows[LEASE.received, a, lane]
    for lane in range(flow.shape[2]):
        boxes.windows[WINDOWS.due_window, slot, b, lane] += lease_state.rows[LEASE.due, a, lane]
    for lane in range(flow.shape[2]):
        boxes.windows[WINDOWS.received_window, slot, b, lane] += min(
            lease_state.rows[LEASE.received, a, lane], lease_state.rows[LEASE.due, a, lane]
        )


@inner
def collect_rarely(leases, lease_state, deliveries, availability, flow, month, a, b):
    """Add damages for late deliveries, and claims against customers that are paid this month."""
    if deliveries.codes[DELIVERY_CODE.pending, a]:
        for lane in range(flow.shape[2]):
            if lease_state.rows[LEASE.status, a, lane] <= COMMISSIONING:
                flow[flows.RECEIPTS, b, lane] += damages(
                    deliveries, leases, lease_state, a, lane, month, availability[a, lane]
                )
    for lane in range(flow.shape[2]):
        if lease_state.rows[LEASE.claim_month, a, lane] == month:
            flow[flows.RECEIPTS, b, lane] += lease_state.rows[LEASE.claim, a, lane]
            lease_state.rows[LEASE.claim_month, a, lane] = 0.0


@inner
def add_costs(lease_state, costs, flow, month, market_power, exchange, a, b):
    """Add an asset's costs to its box's: power apart, the rest to the operating costs."""
    currency = costs.codes[COST_CODE.currency, a]
    for lane in range(flow.shape[2]):
        power, _ = asset_cost(
            costs,
            a,
            month,
            market_power[lane],
            exchange[currency, lane],
            lease_state.rows[LEASE.status, a, lane],
            lease_state.rows[LEASE.running, a, lane],
        )
        accepted = lease_state.rows[LEASE.accepted, a, lane] < month
        flow[flows.POWER_COST, b, lane] += power if accepted else 0.0
    for lane in range(flow.shape[2]):
        status = lease_state.rows[LEASE.status, a, lane]
        rate = exchange[currency, lane]
        _, other = asset_cost(costs, a, month, market_power[lane], rate, status, 0.0)
        accepted = lease_state.rows[LEASE.accepted, a, lane] < month
        flow[flows.OPERATING_COSTS, b, lane] += other if accepted else 0.0


@inner
def change_servicer(box_params, boxes, lease_state, costs, flow, month, sponsors_default, b):
    """Charge the servicer's transfer after a sponsor's default, and halve receipts for a while."""
    months = TRANSFER_MONTHS
    if box_params.codes[BOX_CODE.operating_licence, b]:
        months = TRANSFER_MONTHS_WITH_LICENCE
    for lane in range(flow.shape[2]):
        failed = sponsors_default[box_params.codes[BOX_CODE.sponsor, b], lane]
        if failed == 0.0 or failed >= month or month > failed + months:
            continue
        if boxes.rows[BOX.status, b, lane] == CLOSED:
            continue
        flow[flows.RECEIPTS, b, lane] *= 0.5
        boxes.windows[WINDOWS.received_window, month % WINDOW, b, lane] *= 0.5
        if month == failed + 1.0:
            for a in range(
                box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
            ):
                status = lease_state.rows[LEASE.status, a, lane]
                if lease_state.rows[LEASE.accepted, a, lane] < month and status != GONE:
                    flow[flows.OPERATING_COSTS, b, lane] += (
                        box_params.transfer_cost * costs.terms[COST_TERM.cost, a]
                    )


@inner
def value_collateral(
    box_params,
    boxes,
    leases,
    lease_state,
    deliveries,
    collateral,
    floors,
    flow,
    month,
    contract_prices,
    log_development,
    hits,
    overhang,
):
    """Write the orderly value of each box's GPUs, USD m.

    Parameters
    ----------
    floors : (asset, lane), cash floor, USD per GPU-hour
    contract_prices, log_development, overhang : (generation, lane)
    hits : (jurisdiction, lane), resale hit of a policy event
    """
    for b in range(box_params.codes.shape[1]):
        flow[flows.COLLATERAL, b] = 0.0
        life = box_params.terms[BOX_TERM.useful_life, b]
        for a in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            g = leases.codes[LEASE_CODE.generation, a]
            place = deliveries.codes[DELIVERY_CODE.jurisdiction, a]
            gpus_m = leases.terms[LEASE_TERM.gpus, a] / 1e6
            if collateral.terms[HARDWARE.price_drift, g] > 0.0:
                for lane in range(boxes.rows.shape[2]):
                    flow[flows.COLLATERAL, b, lane] += asset_value(
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
                        0.0,
                        contract_prices,
                        log_development,
                        hits,
                        overhang,
                    )
                continue
            for lane in range(boxes.rows.shape[2]):  # without branches, so that it vectorises
                status = lease_state.rows[LEASE.status, a, lane]
                age = max(0.0, month - lease_state.rows[LEASE.accepted, a, lane])
                value = orderly_value(
                    collateral,
                    g,
                    age,
                    hits[place, lane],
                    log_development[g, lane],
                    overhang[g, lane],
                    contract_prices[g, lane],
                    boxes.rows[BOX.utilisation, b, lane],
                    floors[a, lane],
                )
                held = status > PENDING and status < CANCELLED and (life <= 0.0 or age < life)
                flow[flows.COLLATERAL, b, lane] += value * gpus_m if held else 0.0


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


@inner
def measure_coverage(box_params, boxes, tranche_params, tranches, flow, month):
    """Compute CFADS, the coverage window, the reserve target and the shortfall of the month.

    In short loops over few rows each, so that all of them vectorise.
    """
    for b in range(box_params.codes.shape[1]):
        measure_cash(boxes, flow, b)
        add_to_period(box_params, boxes, flow, b, month)
        set_reserve_target(box_params, boxes, tranche_params, tranches, flow, b, month)
        if is_payment_month(box_params, b, month):
            move_window(boxes, b, month)
        measure_shortfall(boxes, flow, b)


@inner
def measure_cash(boxes, flow, b):
    """Write the cash flow available for debt service, and that service."""
    lanes = flow.shape[2]
    for lane in range(lanes):
        performs = boxes.rows[BOX.status, b, lane] == PERFORMING
        costs = flow[flows.OPERATING_COSTS, b, lane] + flow[flows.SENIOR_FEES, b, lane]
        cash = flow[flows.RECEIPTS, b, lane] - costs
        flow[flows.CFADS, b, lane] = cash if performs else 0.0
    for lane in range(lanes):
        performs = boxes.rows[BOX.status, b, lane] == PERFORMING
        senior = (
            flow[flows.SENIOR_INTEREST_DUE, b, lane] + flow[flows.SENIOR_PRINCIPAL_DUE, b, lane]
        )
        service = senior + flow[flows.HEDGE_SETTLEMENT, b, lane]
        flow[flows.DEBT_SERVICE, b, lane] = service if performs else 0.0


@inner
def add_to_period(box_params, boxes, flow, b, month):
    """Add up cash flow and debt service since the last payment date."""
    kept = 0.0 if is_payment_month(box_params, b, month - 1) else 1.0
    for lane in range(flow.shape[2]):
        cash = flow[flows.CFADS, b, lane]
        service = flow[flows.DEBT_SERVICE, b, lane]
        boxes.rows[BOX.period_cfads, b, lane] = kept * boxes.rows[BOX.period_cfads, b, lane] + cash
        before = kept * boxes.rows[BOX.period_service, b, lane]
        boxes.rows[BOX.period_service, b, lane] = before + service


@inner
def set_reserve_target(box_params, boxes, tranche_params, tranches, flow, b, month):
    """Set the reserve target: months of senior service to come, and of costs if it covers them."""
    lanes = flow.shape[2]
    target = boxes.rows[BOX.reserve_target, b]
    for lane in range(lanes):
        boxes.rows[BOX.reserve_target, b, lane] = 0.0
    months = box_params.codes[BOX_CODE.reserve_months, b]
    if months <= 0:
        return
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        if tranche_params.codes[TRANCHE_CODE.rank, d] == 0:
            add_scheduled_service(tranche_params, tranches, d, month, months, target)
    if box_params.codes[BOX_CODE.reserve_covers_costs, b]:
        for lane in range(lanes):
            if box_debt(box_params, tranches, b, lane) > flows.TINY:
                hedge = max(0.0, flow[flows.HEDGE_SETTLEMENT, b, lane])
                target[lane] += months * (flow[flows.OPERATING_COSTS, b, lane] + hedge)


@inner
def move_window(boxes, b, month):
    """Move the coverage window on by a payment date with debt service, once the box runs."""
    windows = boxes.windows
    for slot in range(WINDOW - 1):
        for lane in range(boxes.rows.shape[2]):
            moves = serves(boxes, b, lane, month)
            cash = windows[WINDOWS.cfads_window, slot, b, lane]
            after = windows[WINDOWS.cfads_window, slot + 1, b, lane]
            windows[WINDOWS.cfads_window, slot, b, lane] = after if moves else cash
            service = windows[WINDOWS.service_window, slot, b, lane]
            after = windows[WINDOWS.service_window, slot + 1, b, lane]
            windows[WINDOWS.service_window, slot, b, lane] = after if moves else service
    for lane in range(boxes.rows.shape[2]):
        moves = serves(boxes, b, lane, month)
        cash = windows[WINDOWS.cfads_window, WINDOW - 1, b, lane]
        new = boxes.rows[BOX.period_cfads, b, lane]
        windows[WINDOWS.cfads_window, WINDOW - 1, b, lane] = new if moves else cash
        service = windows[WINDOWS.service_window, WINDOW - 1, b, lane]
        new = boxes.rows[BOX.period_service, b, lane]
        windows[WINDOWS.service_window, WINDOW - 1, b, lane] = new if moves else service


@inlined
def serves(boxes, b, lane, month):
    """Say whether a box has had debt to serve since its last payment date, and runs."""
    return (
        boxes.rows[BOX.period_service, b, lane] > flows.TINY
        and boxes.rows[BOX.first_acceptance, b, lane] < month
        and boxes.rows[BOX.status, b, lane] == PERFORMING
    )


@inner
def measure_shortfall(boxes, flow, b):
    """Write what the month asks for beyond its cash and the accounts of the box."""
    lanes = flow.shape[2]
    for lane in range(lanes):
        flow[flows.SHORTFALL, b, lane] = senior_needs(boxes, flow, b, lane)
    for lane in range(lanes):
        own = (
            flow[flows.RECEIPTS, b, lane]
            + max(0.0, -flow[flows.HEDGE_SETTLEMENT, b, lane])
            + flow[flows.PREPAYMENT_SURPLUS, b, lane]
        )
        flow[flows.SHORTFALL, b, lane] -= own
    for lane in range(lanes):
        accounts = (
            boxes.rows[BOX.trapped, b, lane]
            + boxes.rows[BOX.power_reserve, b, lane]
            + boxes.rows[BOX.reserve, b, lane]
            + boxes.rows[BOX.collected, b, lane]
        )
        performs = boxes.rows[BOX.status, b, lane] == PERFORMING
        short = max(0.0, flow[flows.SHORTFALL, b, lane] - accounts)
        flow[flows.SHORTFALL, b, lane] = short if performs else 0.0


@inlined
def senior_needs(boxes, flow, b, lane):
    """Return what costs, fees and all debt service ask for, without final principal, USD m."""
    return (
        flow[flows.OPERATING_COSTS, b, lane]
        + flow[flows.SENIOR_FEES, b, lane]
        + max(0.0, flow[flows.HEDGE_SETTLEMENT, b, lane])
        + flow[flows.SENIOR_INTEREST_DUE, b, lane]
        + flow[flows.SENIOR_PRINCIPAL_DUE, b, lane]
        + flow[flows.JUNIOR_SERVICE_DUE, b, lane]
        + flow[flows.ARREARS_DUE, b, lane]
        + boxes.rows[BOX.cost_arrears, b, lane]
        + boxes.rows[BOX.fee_arrears, b, lane]
    )


@inlined
def window_dscr(boxes, b, lane):
    """Return (sum of CFADS, sum of debt service) over the coverage window."""
    cfads = 0.0
    service = 0.0
    for slot in range(WINDOW):
        cfads += boxes.windows[WINDOWS.cfads_window, slot, b, lane]
        service += boxes.windows[WINDOWS.service_window, slot, b, lane]
    return cfads, service


@inlined
def realisation_ratio(boxes, b, lane):
    """Return contracted cash received over due in the last three months; 1 if nothing was due."""
    due = 0.0
    received = 0.0
    for slot in range(WINDOW):
        due += boxes.windows[WINDOWS.due_window, slot, b, lane]
        received += boxes.windows[WINDOWS.received_window, slot, b, lane]
    return received / due if due > flows.TINY else 1.0


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
