"""Stage 11: sales queue, deliveries, draws, receipts, costs, debt service due, tests (§11)."""

from __future__ import annotations

import math

from tests.reference.collateral import collateral, is_collateral
from tests.reference.debt import coupon, instalment, is_open, projected_service
from tests.reference.draws import rounded
from tests.reference.leases import accept, moneyness_surprise
from tests.reference.projection import colo_cost, operations_cost, power_cost
from tests.reference.state import (
    TINY,
    AssetState,
    BoxState,
    Month,
    Standing,
    Status,
    TrancheState,
    World,
)


def open_month(world: World, box: BoxState, t: int) -> None:
    """Forget last month's flows; set the coupons of this month."""
    box.month = Month()
    box.asked_for = box.cures_failed = ""
    for tranche in box.tranches:
        open_tranche(world, tranche, t)


def open_tranche(world: World, tranche: TrancheState, t: int) -> None:
    tranche.coupon = coupon(tranche, world.market.sofr[t - 1])
    tranche.draw = tranche.interest = tranche.fee = tranche.hedge = 0.0
    tranche.interest_due = tranche.instalment = 0.0
    tranche.interest_paid = tranche.principal_paid = tranche.sweep_paid = 0.0
    tranche.receipts = 0.0


# ------------------------------------------------------------------ sales queue


def sales_queue(world: World, t: int) -> None:
    """All GPUs of a generation sold in t share one fire-sale discount."""
    market = world.market
    for box in world.boxes:
        if box.standing is Standing.WORKOUT and box.sale_month == t:
            gpus = sum(asset.terms.gpus for asset in box.assets if is_collateral(asset))
            g = box.generation
            base = g.installed_base_m * 1e6
            if g.base_grows:
                base *= math.exp(market.K[t])
            market.f_sold[g.name] += gpus / base


# ------------------------------------------------------------------ deliveries


def deliveries(world: World, box: BoxState, t: int) -> None:
    """Start of month: who is cancelled, who arrives, who pays."""
    if box.standing is Standing.CLOSED:
        return
    long_stop = rounded(world.p["contract.long_stop"])
    sponsor = world.sponsor_of(box)
    is_stopped = 0 < box.default_month < t or not sponsor.is_alive_before(t)
    for asset in box.assets:
        if asset.status is not Status.PENDING:
            continue
        if is_stopped or asset.cancel_month == t:
            asset.status = Status.CANCELLED
        elif not asset.site.is_killed and t >= rounded(asset.due):
            deliver(world, box, asset, t)
        elif t == max(1, asset.terms.planned_delivery + long_stop):
            is_cheaper_elsewhere = (
                asset.contract is not None and moneyness_surprise(world, asset, t) < 0.9
            )
            if asset.site.is_killed or is_cheaper_elsewhere:
                asset.status = Status.CANCELLED


def deliver(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    month = box.month
    asset.status, asset.delivered = Status.COMMISSIONING, t
    capex = asset.terms.cost
    if not asset.terms.price_fixed:
        c = world.market.c[t - 3] if t >= 3 else 1.0
        z = 0.0
        if world.is_on("delivery"):
            z, _ = world.draws.normals(f"asset.{asset.id}.cost", 0)
        capex *= c * math.exp(0.08 * z) * world.market.tariff[asset.site.terms.jurisdiction]
    prepayment = prepayment_of(asset)
    set_credit(asset, prepayment)
    debt = draw_debt(box, t, capex, prepayment)
    month.capex += capex
    month.prepayment += prepayment
    month.draws += debt
    month.capex_equity += max(0.0, capex - min(prepayment, capex) - debt)
    month.prepayment_surplus += max(0.0, prepayment - capex)


def prepayment_of(asset: AssetState) -> float:
    """π·price·gpus·730·term/10⁶."""
    if asset.contract is None:
        return 0.0
    terms = asset.contract.terms
    value = asset.price * asset.terms.gpus * 730.0 * terms.term_months / 1e6
    return terms.prepayment_share * value


def set_credit(asset: AssetState, prepayment: float) -> None:
    if asset.contract is None or prepayment <= 0.0:
        return
    asset.credit_months = min(36, asset.contract.terms.term_months)
    asset.credit = prepayment / asset.credit_months
    asset.unearned = prepayment


def draw_debt(box: BoxState, t: int, capex: float, prepayment: float) -> float:
    if box.trap_on:
        return 0.0
    tranches = [tranche for tranche in box.tranches if is_open(box, tranche, t)]
    undrawn = sum(tranche.undrawn for tranche in tranches)
    if undrawn <= TINY:
        return 0.0
    advance = sum(tranche.undrawn * tranche.terms.advance for tranche in tranches) / undrawn
    amount = min(undrawn, advance * capex, max(0.0, capex - prepayment))
    for tranche in tranches:
        share = amount * tranche.undrawn / undrawn
        tranche.draw += share
    for tranche in tranches:  # after all shares are known
        tranche.undrawn -= amount * tranche.undrawn / undrawn
    if amount > 0.0 and not box.discount_paid:
        pay_issue_discount(box)
    return amount


def pay_issue_discount(box: BoxState) -> None:
    """Equity pays OID and fees of loans that close after t0, with the first draw."""
    box.discount_paid = True
    for tranche in box.tranches:
        terms = tranche.terms
        if terms.balance0 <= TINY and terms.available_until >= 1:
            box.month.issue_discount += terms.issue_discount * terms.commitment


# ------------------------------------------------------------------ receipts and costs


def receipts_and_costs(world: World, box: BoxState, t: int) -> None:
    month = box.month
    if box.standing is Standing.CLOSED:
        return
    commission = rounded(world.p["box.commission"])
    for asset in box.assets:
        month.invoices_due += asset.invoice_due
        month.invoices_received += asset.received
        month.merchant += asset.merchant
        month.arrears_received += asset.arrears_received
        is_waiting = asset.status in (Status.PENDING, Status.COMMISSIONING)
        is_late = t > asset.terms.planned_delivery + commission
        if asset.contract is not None and is_waiting and is_late:
            month.damages += damages(world, asset)
        if asset.is_accepted_before(t) and asset.status is not Status.GONE:
            add_costs(world, box, asset, t)
    month.claims_received = sum(amount for when, amount in box.claims if when == t)
    box.claims = [claim for claim in box.claims if claim[0] > t]
    month.receipts = (
        month.invoices_received
        + month.merchant
        + month.arrears_received
        + month.damages
        + month.claims_received
    )
    default = world.sponsor_of(box).default_month
    if default > 0 and t == default + 1:
        cost = sum(asset.terms.cost for asset in box.assets if is_collateral(asset))
        month.transfer_cost = world.p["hold.transfer"] * cost
    month.operating_costs = (
        month.power_cost + month.colo_cost + month.operations_cost + month.transfer_cost
    )
    for asset in box.assets:
        if asset.status is Status.COMMISSIONING and t >= asset.delivered + commission:
            accept(world, asset, t)


def damages(world: World, asset: AssetState) -> float:
    return (1.0 - world.p["del.revenue_lost"]) * asset.price * asset.unit


def add_costs(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    if box.terms.triple_net:
        return
    month = box.month
    if asset.status is not Status.RELETTING and not asset.is_idle:
        month.power_cost += power_cost(world, box, asset, t)
    month.colo_cost += colo_cost(box, asset, t)
    month.operations_cost += operations_cost(box, asset)


# ------------------------------------------------------------------ debt service due


def debt_service_due(world: World, box: BoxState, t: int) -> None:
    """Draws, interest, fees and instalments of a performing box."""
    month = box.month
    if box.standing is not Standing.PERFORMING:
        return
    is_accepted = box.is_accepted_before(t)
    for tranche in box.tranches:
        terms = tranche.terms
        tranche.balance += tranche.draw
        tranche.interest = tranche.balance * tranche.coupon / 12.0
        if is_open(box, tranche, t):
            tranche.fee = terms.undrawn_fee * tranche.undrawn / 12.0
        if not tranche.fixed:
            index = max(terms.floor, world.market.sofr[t - 1])
            spread = terms.swap_rate - index
            tranche.hedge = tranche.hedge_share * tranche.balance * spread / 12.0
        month.interest += tranche.interest
        if is_accepted:
            tranche.interest_due = tranche.interest
            month.undrawn_fee += tranche.fee
            month.hedge += tranche.hedge
        else:
            capitalise(world, box, tranche, t)
        base = tranche.balance - tranche.arrears
        tranche.instalment = instalment(tranche, t, base, tranche.coupon)
    month.senior_fees = month.undrawn_fee + month.hedge
    month.cfads = month.receipts - month.operating_costs - month.undrawn_fee
    if is_accepted:
        senior = [tranche for tranche in box.tranches if tranche.terms.rank == 0]
        month.debt_service = (
            sum(tranche.interest_due + tranche.instalment for tranche in senior) + month.hedge
        )
    if box.debt() > TINY:
        box.had_debt = True


def capitalise(world: World, box: BoxState, tranche: TrancheState, t: int) -> None:
    """Before the first acceptance: into the undrawn, the rest from equity."""
    month = box.month
    due = tranche.interest + tranche.fee + tranche.hedge
    room = tranche.undrawn if is_open(box, tranche, t) else 0.0
    added = min(max(0.0, due), room)
    tranche.balance += added
    tranche.undrawn -= added
    month.capitalised += added
    rest = due - added
    interest = tranche.interest - min(added, tranche.interest)  # paid in cash
    if rest <= 0.0:  # nothing is left, or the hedge pays more than all interest
        month.hedge += rest
        tranche.receive(interest)
    elif world.sponsor_of(box).is_alive_before(t):
        month.construction_equity += rest
        tranche.receive(interest)
    else:  # nobody stands behind the box any more: due like any other
        tranche.interest_due = interest
        month.undrawn_fee += rest - interest


# ------------------------------------------------------------------ reserves


def reserve_target(world: World, box: BoxState, t: int) -> float:
    """Next months of senior service after this month's instalment, at today's coupons."""
    first = box.first_acceptance()
    if box.debt() <= TINY or first is None or first > t:
        return 0.0
    total = 0.0
    for tranche in box.tranches:
        if tranche.terms.rank == 0:
            balance = tranche.balance - tranche.arrears - tranche.instalment
            total += projected_service(
                tranche, t, balance, tranche.coupon, box.terms.reserve_months
            )
    return total


# ------------------------------------------------------------------ tests


def last_service_months(box: BoxState, t: int) -> list[Month]:
    """The last three months with senior service due after the first acceptance."""
    first = box.first_acceptance()
    if first is None:
        return []
    history = [*box.months, box.month]  # element s-1 is month s
    found = [
        history[s - 1]
        for s in range(max(1, first + 1), t + 1)
        if history[s - 1].debt_service > TINY
    ]
    return found[-3:]


def realisation_ratio(box: BoxState) -> float:
    """CRR: contracted cash received / due, last three months."""
    last = [*box.months[-2:], box.month]
    due = sum(month.invoices_due for month in last)
    received = sum(month.invoices_received for month in last)
    return received / due if due > TINY else 1.0


def tests(world: World, box: BoxState, t: int) -> None:
    month, terms = box.month, box.terms
    debt = box.debt()
    first = box.first_acceptance()
    has_asset = first is not None and first <= t
    window = last_service_months(box, t)
    cfads = sum(m.cfads + m.cure for m in window)  # a cure counts
    service = sum(m.debt_service for m in window)
    if service > TINY:
        month.dscr = cfads / service
    month.crr = realisation_ratio(box)

    cure = 0.0
    is_due = t >= terms.first_test and (t - terms.first_test) % terms.test_interval == 0
    if is_due and debt > TINY and has_asset:
        has_dscr = service > TINY
        box.trap_flag = has_dscr and month.dscr < terms.lockup_dscr
        fails = has_dscr and month.dscr < terms.default_dscr
        box.dscr_fails = box.dscr_fails + 1 if fails else 0
        if box.dscr_fails >= 2:
            cure = max(0.0, terms.default_dscr * service - cfads)
            box.asked_for = "dscr"
        if terms.minimum_liquidity > 0.0 and world.is_on("sponsor"):
            is_low = world.sponsor_of(box).cash < terms.minimum_liquidity
            box.liquidity_fails = box.liquidity_fails + 1 if is_low else 0
    is_breached = terms.trap_on_breach and any(a.status is Status.UNPAID for a in box.assets)
    is_unrealised = t >= terms.first_test and month.crr < terms.realisation_minimum
    box.trap_on = box.trap_flag or is_unrealised or is_breached
    month.trap_on = box.trap_on

    excess = excess_debt(world, box, t, debt) if debt > TINY and has_asset else 0.0
    box.over_months = box.over_months + 1 if excess > 0.0 else 0
    month.over = box.over_months
    if box.over_months >= 4 and excess > cure:
        cure = excess
        box.asked_for = box.asked_for or "ltv"
    month.cure_asked = cure


def excess_debt(world: World, box: BoxState, t: int, debt: float) -> float:
    """Debt above the larger-breached of the loan-to-cost and loan-to-value triggers."""
    terms, month = box.terms, box.month
    excess = 0.0
    if terms.ltc_trigger > 0.0:
        base = sum(asset.terms.cost for asset in box.assets if asset.is_delivered())
        month.ltc = debt / base if base > TINY else math.inf
        excess = max(excess, debt - terms.ltc_trigger * base)
    if terms.ltv_trigger > 0.0:
        base = month.collateral = collateral(world, box, t)
        month.ltv = debt / base if base > TINY else math.inf
        excess = max(excess, debt - terms.ltv_trigger * base)
    return excess


def total_service_due(box: BoxState) -> float:
    """Interest, instalments and arrears of all ranks."""
    return sum(tr.interest_due + tr.instalment + tr.arrears for tr in box.tranches)


def shortfall(box: BoxState) -> float:
    month = box.month
    due = month.operating_costs + box.carried_costs + month.senior_fees + box.carried_fees
    due += total_service_due(box)
    return max(0.0, due - month.receipts - box.cash())


def boxes_one(world: World, t: int) -> None:
    sales_queue(world, t)
    for box in world.boxes:
        deliveries(world, box, t)
        receipts_and_costs(world, box, t)
        debt_service_due(world, box, t)
        if box.standing is Standing.PERFORMING:
            tests(world, box, t)
            box.month.shortfall = shortfall(box)
