"""Stage 11: sales queue, deliveries, draws, receipts, costs, debt service due, tests (§11)."""

from __future__ import annotations

import math

from tests.reference.collateral import collateral, is_collateral
from tests.reference.debt import (
    coupon,
    final_principal,
    instalment,
    is_open,
    prepayment_of,
    projected_service,
)
from tests.reference.draws import rounded
from tests.reference.leases import accept, moneyness_surprise, receipts_share
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
    is_never,
)


def open_month(world: World, box: BoxState, t: int) -> None:
    """Forget last month's flows; set the coupons of this month."""
    box.month = Month()
    for tranche in box.tranches:
        open_tranche(world, tranche, t)


def open_tranche(world: World, tranche: TrancheState, t: int) -> None:
    tranche.coupon = coupon(tranche, world.market.sofr[t - 1])
    tranche.draw = tranche.interest = tranche.fee = tranche.fee_drawn = tranche.hedge = 0.0
    tranche.interest_due = tranche.instalment = tranche.final = 0.0
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
        is_at_long_stop = t == max(1, asset.terms.planned_delivery + long_stop)
        is_cheaper_elsewhere = (
            asset.contract is not None and moneyness_surprise(world, asset, t) < 0.9
        )
        is_called_off = is_at_long_stop and (is_never(asset) or is_cheaper_elsewhere)
        if is_stopped or is_called_off:
            asset.status = Status.CANCELLED
            asset.reason = asset.reason or "delay"
        elif not is_never(asset) and t >= rounded(asset.due):
            deliver(world, box, asset, t)
    if not any(asset.status in (Status.PENDING, Status.COMMISSIONING) for asset in box.assets):
        for tranche in box.tranches:
            tranche.undrawn = 0.0


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
        box.month.issue_discount += tranche.terms.issue_discount * share
    for tranche in tranches:  # after all shares are known
        tranche.undrawn -= amount * tranche.undrawn / undrawn
    return amount


# ------------------------------------------------------------------ receipts and costs


def receipts_and_costs(world: World, box: BoxState, t: int) -> None:
    month = box.month
    if box.standing is Standing.CLOSED:
        return
    commission = rounded(world.p["box.commission"])
    for asset in box.assets:
        month.invoices_due += asset.invoice_due
        month.invoices_received += min(asset.invoice_due, asset.received + asset.arrears_received)
        month.invoices += asset.received
        month.merchant += asset.merchant
        month.arrears_received += asset.arrears_received
        is_waiting = asset.status in (Status.PENDING, Status.COMMISSIONING)
        is_late = t > asset.terms.planned_delivery + commission
        is_owed = asset.contract is not None and not asset.is_void
        if is_owed and is_waiting and is_late:
            month.damages += damages(world, asset)
        if asset.is_accepted_before(t) and asset.status is not Status.GONE:
            add_costs(world, box, asset, t)
    month.claims_received = sum(amount for when, amount in box.claims if when == t)
    box.claims = [claim for claim in box.claims if claim[0] > t]
    month.receipts = (
        month.invoices
        + month.merchant
        + month.arrears_received
        + month.damages
        + month.claims_received
    )
    share = receipts_share(world, box, t)
    month.receipts *= share
    month.invoices_received *= share
    default = world.sponsor_of(box).default_month
    if default > 0 and t == default + 1:
        cost = sum(
            asset.terms.cost
            for asset in box.assets
            if asset.is_accepted_before(t) and asset.status is not Status.GONE
        )
        month.transfer_cost = world.p["hold.transfer"] * cost
    month.operating_costs = (
        month.power_cost + month.colo_cost + month.operations_cost + month.transfer_cost
    )


def acceptance(world: World, box: BoxState, t: int) -> None:
    """End of month, after the waterfall: equity fills the DSRA at the first acceptance."""
    commission = rounded(world.p["box.commission"])
    had_none = box.first_acceptance() is None
    for asset in box.assets:
        if asset.status is Status.COMMISSIONING and t >= asset.delivered + commission:
            accept(world, asset, t)
    is_first = had_none and box.first_acceptance() == t
    is_funded = box.standing is Standing.PERFORMING and world.sponsor_of(box).is_alive_before(t)
    if is_first and is_funded:
        missing = max(0.0, box.month.reserve_target - box.reserve)
        box.reserve += missing
        box.month.reserve_equity += missing


def damages(world: World, asset: AssetState) -> float:
    return (1.0 - world.p["del.revenue_lost"]) * asset.price * asset.unit


def add_costs(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    if box.terms.triple_net and asset.status in (Status.CONTRACTED, Status.BACKSTOPPED):
        return
    month = box.month
    if asset.is_running:
        month.power_cost += power_cost(world, box, asset, t)
    month.colo_cost += colo_cost(world, box, asset, t)
    month.operations_cost += operations_cost(world, box, asset, t)


# ------------------------------------------------------------------ debt service due


def debt_service_due(world: World, box: BoxState, t: int) -> None:
    """Draws, interest, fees and instalments of a performing box."""
    month = box.month
    if box.standing is not Standing.PERFORMING:
        return
    is_accepted = box.is_accepted_before(t)
    is_construction = not is_accepted and world.sponsor_of(box).is_alive_before(t)
    for tranche in box.tranches:
        terms = tranche.terms
        tranche.balance += tranche.draw
        tranche.interest = tranche.balance * tranche.coupon / 12.0
        if not is_open(box, tranche, t):
            tranche.undrawn = 0.0
        tranche.fee = terms.undrawn_fee * tranche.undrawn / 12.0
        if not tranche.fixed and is_accepted:
            index = max(terms.floor, world.market.sofr[t - 1])
            spread = terms.swap_rate - index
            tranche.hedge = tranche.hedge_share * tranche.balance * spread / 12.0
        month.interest += tranche.interest
        if is_construction:
            capitalise(box, tranche)
        else:
            tranche.interest_due = tranche.interest
            month.undrawn_fee += tranche.fee
            month.hedge += tranche.hedge
        base = max(0.0, tranche.balance - tranche.arrears)
        tranche.instalment = instalment(tranche, t, base, tranche.coupon)
        tranche.final = final_principal(tranche, t, base, tranche.instalment)
        month.final_principal_due += tranche.final
        month.arrears_due += tranche.arrears
        if terms.rank == 0:
            month.senior_interest_due += tranche.interest_due
            month.senior_principal_due += tranche.instalment
        else:
            month.junior_service_due += tranche.interest_due + tranche.instalment
    month.senior_fees = month.undrawn_fee + month.hedge
    month.cfads = month.receipts - month.operating_costs - month.undrawn_fee
    month.debt_service = month.senior_interest_due + month.senior_principal_due + month.hedge
    if box.debt() > TINY:
        box.had_debt = True


def capitalise(box: BoxState, tranche: TrancheState) -> None:
    """Before the first acceptance: into the undrawn, interest first; the rest from equity."""
    month = box.month
    due = tranche.interest + tranche.fee
    added = min(due, tranche.undrawn)
    interest_added = min(added, tranche.interest)
    tranche.balance += added
    tranche.undrawn -= added
    tranche.fee_drawn = added - interest_added
    tranche.receive(tranche.interest - interest_added)
    month.capitalised += added
    month.construction_equity += due - added


# ------------------------------------------------------------------ reserves


def reserve_target(world: World, box: BoxState, t: int) -> float:
    """Next months of senior service after this month's instalment, at today's coupons."""
    total = 0.0
    for tranche in box.tranches:
        if tranche.terms.rank == 0:
            balance = max(0.0, tranche.balance - tranche.arrears - tranche.instalment)
            months = rounded(box.terms.reserve_months)
            total += projected_service(tranche, t, balance, tranche.coupon, months)
    return total


# ------------------------------------------------------------------ tests


def note_service(box: BoxState, t: int) -> None:
    """The window: the last three months with senior service due after the first acceptance."""
    if box.is_accepted_before(t) and box.month.debt_service > TINY:
        box.window = [*box.window, [box.month.cfads, box.month.debt_service]][-3:]


def window_sums(box: BoxState) -> tuple[float, float]:
    return sum(cfads for cfads, _ in box.window), sum(service for _, service in box.window)


def realisation_ratio(box: BoxState) -> float:
    """CRR: contracted cash received / due, last three months."""
    last = [*box.months[-2:], box.month]
    due = sum(month.invoices_due for month in last)
    received = sum(month.invoices_received for month in last)
    return received / due if due > TINY else 1.0


def tests(world: World, box: BoxState, t: int) -> None:
    month, terms = box.month, box.terms
    debt = box.debt()
    month.crr = realisation_ratio(box)
    box.trap_on = False
    if debt <= TINY or not box.is_accepted_before(t):
        box.trap_flag = False
        return
    cfads, service = window_sums(box)
    cure = 0.0
    is_started = t >= terms.first_test
    if is_started and (t - terms.first_test) % terms.test_interval == 0:
        if service > TINY:
            box.trap_flag = cfads < terms.lockup_dscr * service
            is_failed = cfads < terms.default_dscr * service
            box.dscr_fails = box.dscr_fails + 1 if is_failed else 0
            if box.dscr_fails >= 2:
                cure = terms.default_dscr * service - cfads
        if terms.minimum_liquidity > 0.0 and world.is_on("sponsor"):
            is_low = world.sponsor_of(box).cash < terms.minimum_liquidity
            box.liquidity_fails = box.liquidity_fails + 1 if is_low else 0
    is_breached = terms.trap_on_breach and any(a.status is Status.UNPAID for a in box.assets)
    is_unrealised = is_started and month.crr < terms.realisation_minimum
    box.trap_on = month.trap_on = box.trap_flag or is_unrealised or is_breached
    if is_started:
        excess = excess_debt(world, box, t, debt)
        box.over_months = box.over_months + 1 if excess > TINY else 0
        if box.over_months >= 4:
            cure = max(cure, excess)
    month.over = box.over_months
    month.cure_asked = min(cure, debt) if box.cures_used < terms.cures else 0.0


def excess_debt(world: World, box: BoxState, t: int, debt: float) -> float:
    """Debt above the larger-breached of the loan-to-cost and loan-to-value triggers."""
    terms, month = box.terms, box.month
    excess = 0.0
    if terms.ltc_trigger > 0.0:
        base = sum(asset.terms.cost for asset in box.assets if asset.is_delivered())
        month.ltc = debt / base if base > TINY else math.inf
        excess = max(excess, debt - terms.ltc_trigger * base)
    if terms.ltv_trigger > 0.0:
        base = month.collateral
        month.ltv = debt / base if base > TINY else math.inf
        excess = max(excess, debt - terms.ltv_trigger * base)
    return excess


def total_service_due(box: BoxState) -> float:
    """Interest, instalments and arrears of all ranks."""
    return sum(tr.interest_due + tr.instalment + tr.arrears for tr in box.tranches)


def shortfall(box: BoxState) -> float:
    """What the box itself cannot pay; final principal waits for refinancing."""
    month = box.month
    due = month.operating_costs + box.carried_costs + month.senior_fees + box.carried_fees
    due += total_service_due(box)
    return max(0.0, due - month.receipts - month.prepayment_surplus - box.cash())


def boxes_one(world: World, t: int) -> None:
    for box in world.boxes:
        deliveries(world, box, t)
        receipts_and_costs(world, box, t)
        debt_service_due(world, box, t)
        if box.standing is not Standing.CLOSED:
            box.month.collateral = collateral(world, box, t)
        if box.standing is Standing.PERFORMING:
            box.month.reserve_target = reserve_target(world, box, t)
            note_service(box, t)
            tests(world, box, t)
            box.month.shortfall = shortfall(box)
