"""Stage 11: sales queue, deliveries, draws, receipts, costs, debt service due, tests (§11)."""

from __future__ import annotations

import math

from simulator.config.terms import Amortisation, Generation, Overrun
from tests.reference.collateral import (
    box_utilisation,
    cash_floor,
    collateral,
    cost_exchange,
    is_collateral,
    value,
)
from tests.reference.debt import (
    commission_months,
    coupon,
    expected_acceptance,
    final_principal,
    hold_payment,
    index,
    instalment,
    is_open,
    prepayment_of,
    projected_service,
    reference_costs,
)
from tests.reference.draws import rounded
from tests.reference.leases import (
    accept,
    moneyness_surprise,
    price_of_month,
    receipts_share,
)
from tests.reference.projection import colo_cost, operations_cost, power_cost
from tests.reference.state import (
    COMING,
    LEASED,
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

YEARS_OF_CHARGE = 5  # over which new GPUs are to be earned back
OUTBID_MONTHS = 6


def open_month(world: World, box: BoxState, t: int) -> None:
    """Forget last month's flows; set the coupons of this month."""
    box.month = Month()
    for tranche in box.tranches:
        open_tranche(world, tranche, t)


def open_tranche(world: World, tranche: TrancheState, t: int) -> None:
    tranche.coupon = coupon(tranche, t, world.market.sofr[t - 1])
    tranche.draw = tranche.interest = tranche.fee = tranche.fee_drawn = tranche.hedge = 0.0
    tranche.interest_due = tranche.construction_interest = 0.0
    tranche.instalment = tranche.final = 0.0
    tranche.receipts = 0.0
    tranche.is_accruing = tranche.is_prepaid = False


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
            if not awaits_sizing(tranche):
                tranche.undrawn = 0.0


def awaits_sizing(tranche: TrancheState) -> bool:
    """A SIZED tranche keeps its commitment for its last draw, at the fit."""
    return tranche.amortisation is Amortisation.SIZED and not tranche.is_sized


def deliver(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    month = box.month
    asset.status, asset.delivered = Status.COMMISSIONING, t
    capex = asset.terms.cost
    if not asset.terms.price_fixed:
        z = 0.0
        if world.is_on("delivery"):
            z, _ = world.draws.normals(f"asset.{asset.id}.cost", 0)
        capex *= math.exp(0.08 * z)
        if asset.generation.memory_exposed:
            capex *= world.market.c[max(0, t - 3)]
            capex *= world.market.tariff[asset.site.terms.jurisdiction]
    prepayment = prepayment_of(asset)
    set_credit(asset, prepayment)
    month.capex += capex
    overrun = max(0.0, capex - asset.terms.cost)
    if box.terms.overrun is Overrun.CUSTOMER:
        month.overrun_paid += overrun
        capex -= overrun
    elif box.terms.overrun is Overrun.ACCORDION:
        drawn = draw_accordion(box, t, overrun)
        month.accordion_drawn += drawn
        month.draws += drawn
        capex -= drawn
    debt = draw_debt(box, asset, t, capex, prepayment)
    month.prepayment += prepayment
    month.draws += debt
    month.capex_equity += max(0.0, capex - min(prepayment, capex) - debt)
    month.prepayment_surplus += max(0.0, prepayment - capex)


def draw_accordion(box: BoxState, t: int, overrun: float) -> float:
    """Lenders pay an overrun, pro rata to commitments of open tranches, up to the accordion."""
    tranches = [tranche for tranche in box.tranches if is_open(box, tranche, t)]
    commitments = sum(tranche.terms.commitment for tranche in tranches)
    amount = min(box.accordion_left, overrun)
    if box.trap_on or commitments <= TINY or amount <= 0.0:
        return 0.0
    box.accordion_left -= amount
    for tranche in tranches:
        tranche.draw += amount * tranche.terms.commitment / commitments
    return amount


def set_credit(asset: AssetState, prepayment: float) -> None:
    if asset.contract is None or prepayment <= 0.0:
        return
    terms = asset.contract.terms
    asset.credit_months = min(terms.credit_months, terms.term_months)
    asset.credit = prepayment / asset.credit_months
    asset.unearned = prepayment


def draw_debt(box: BoxState, asset: AssetState, t: int, capex: float, prepayment: float) -> float:
    if box.trap_on:
        return 0.0
    tranches = [tranche for tranche in box.tranches if is_open(box, tranche, t)]
    undrawn = sum(tranche.undrawn for tranche in tranches)
    if undrawn <= TINY:
        return 0.0
    advance = sum(tranche.undrawn * tranche.terms.advance for tranche in tranches) / undrawn
    amount = min(undrawn, advance * capex, max(0.0, capex - prepayment))
    for tranche in tranches:
        if tranche.terms.borrowing_base:
            amount = min(amount, room_under_base(box, tranche, t))
    for tranche in tranches:
        share = amount * tranche.undrawn / undrawn
        tranche.draw += share
        box.month.issue_discount += tranche.terms.issue_discount * share
    for tranche in tranches:  # after all shares are known
        tranche.undrawn -= amount * tranche.undrawn / undrawn
    return amount


def room_under_base(box: BoxState, tranche: TrancheState, t: int) -> float:
    """advance × depreciated cost of all that was delivered, less the debt of the box."""
    depreciated = sum(
        asset.terms.cost * max(0.0, 1.0 - asset.age(t) / tranche.terms.depreciation_months)
        for asset in box.assets
        if is_collateral(asset)
    )
    debt = box.debt() + sum(tr.draw for tr in box.tranches)
    return max(0.0, tranche.terms.advance * depreciated - debt)


# ------------------------------------------------------------------ receipts and costs


def receipts_and_costs(world: World, box: BoxState, t: int) -> None:
    month = box.month
    month.disposals = sum(amount for when, amount in box.disposals if when == t)
    if box.standing is Standing.CLOSED:
        return
    for asset in box.assets:
        month.invoices_due += asset.invoice_due
        month.invoices_received += min(asset.invoice_due, asset.received + asset.arrears_received)
        month.invoices += asset.received
        month.merchant += asset.merchant
        month.arrears_received += asset.arrears_received
        is_waiting = asset.status in (Status.PENDING, Status.COMMISSIONING)
        is_late = t > asset.terms.planned_delivery + commission_months(world, asset)
        is_owed = asset.contract is not None and not asset.is_void
        if is_owed and is_waiting and is_late:
            month.damages += damages(world, asset, t)
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
    had_none = box.first_acceptance() is None
    for asset in box.assets:
        is_commissioning = asset.status is Status.COMMISSIONING
        if is_commissioning and t >= asset.delivered + commission_months(world, asset):
            accept(world, asset, t)
    move_schedules(world, box)
    is_first = had_none and box.first_acceptance() == t
    is_funded = box.standing is Standing.PERFORMING and world.sponsor_of(box).is_alive_before(t)
    if is_first and is_funded:
        target = box.month.reserve_target + planned_cost_reserve(world, box, t)
        missing = max(0.0, target - box.reserve)
        box.reserve += missing
        box.month.reserve_equity += missing


def damages(world: World, asset: AssetState, t: int) -> float:
    return (1.0 - world.p["del.revenue_lost"]) * price_of_month(asset, t) * asset.unit


def add_costs(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    if box.terms.triple_net and asset.status in (Status.CONTRACTED, Status.BACKSTOPPED):
        return
    month = box.month
    if asset.is_running:
        month.power_cost += power_cost(world, box, asset, t)
    month.colo_cost += colo_cost(world, box, asset, t)
    month.operations_cost += operations_cost(world, box, asset, t)


# ------------------------------------------------------------------ scarce room


def newest_generation(world: World) -> Generation:
    """The accelerator with the highest contract price per kW at t0."""
    accelerators = [g for g in world.inputs.book.generations if not g.is_hall]
    return max(accelerators, key=lambda g: g.contract_price / g.kw)


def power_limited_sales(world: World, box: BoxState, t: int) -> None:
    """Old GPUs make way where power is scarce and new ones would earn more of it (§10).

    Outbid for six months running, after receipts and costs: sold at V·(1 − gpu.remarket_cost).
    """
    for asset in box.assets:
        is_asked = asset.site.terms.power_limited and asset.status is Status.MERCHANT
        if not is_asked or asset.generation.is_hall or not is_outbid(world, box, asset, t):
            asset.outbid_months = 0
            continue
        asset.outbid_months += 1
        if asset.outbid_months == OUTBID_MONTHS:
            worth = value(world, box, asset, t) * asset.terms.gpus / 1e6
            box.month.disposals += worth * (1.0 - world.p["gpu.remarket_cost"])
            asset.status = Status.GONE


def is_outbid(world: World, box: BoxState, asset: AssetState, t: int) -> bool:
    """max(0, P·U − floor)/kw < (P'·U − o'·X − c)/kw' − (floor − o·X)/kw, prime: the newest."""
    p, old, new = world.p, asset.generation, newest_generation(world)
    if new.name == old.name:
        return False
    utilisation = box_utilisation(world, box, t)
    exchange = cost_exchange(world, box, t)
    floor = cash_floor(world, box, asset, t)
    margin = max(0.0, asking_price(world, asset, t) * utilisation - floor)
    cost_per_gpu = asset.terms.cost * 1e6 / asset.terms.gpus
    place = floor - box.terms.operations_share * cost_per_gpu / 8760.0 * exchange
    operations = p["gpu.om"] * new.capex_usd / 8760.0 * exchange
    rate = p["eq.hurdle"]
    share = 1.0 / YEARS_OF_CHARGE
    if rate != 0.0:
        share = rate / (1.0 - (1.0 + rate) ** -YEARS_OF_CHARGE)
    charge = new.hardware_share * new.capex_usd * share / 8760.0
    earned = world.market.contract_price[new.name][t] * utilisation
    return margin / old.kw < (earned - operations - charge) / new.kw - place / old.kw


def asking_price(world: World, asset: AssetState, t: int) -> float:
    """Merchant price of an asset that is billed, or that it would be billed next."""
    market, name = world.market, asset.generation.name
    if asset.contract is None:
        return asset.k * market.spot_price[name][t]
    if asset.merchant_months <= 0:
        return asset.k * market.contract_price[name][t]
    return asset.merchant_price


# ------------------------------------------------------------------ debt service due


def move_schedules(world: World, box: BoxState) -> None:
    """Late acceptance moves maturity and start of amortisation, as far as it is known (§11)."""
    moving = [tr for tr in box.tranches if tr.terms.moves_with_acceptance and not tr.is_extended]
    first = box.first_acceptance()
    if first is None:
        waiting = [asset for asset in box.assets if asset.status in COMING]
        first = min((expected_acceptance(world, asset) for asset in waiting), default=math.inf)
    if first == math.inf or box.planned_acceptance == math.inf:
        return
    for tranche in moving:
        tranche.shift = max(0, int(first - box.planned_acceptance))
        tranche.maturity = tranche.terms.maturity + tranche.shift
        tranche.amortisation_start = tranche.terms.amortisation_start + tranche.shift


def debt_service_due(world: World, box: BoxState, t: int) -> None:
    """Draws, interest, fees and instalments of a performing box."""
    month = box.month
    if box.standing is not Standing.PERFORMING:
        return
    is_accepted = box.is_accepted_before(t)
    is_construction = not is_accepted and world.sponsor_of(box).is_alive_before(t)
    move_schedules(world, box)
    for tranche in box.tranches:
        terms = tranche.terms
        tranche.balance += tranche.draw
        if tranche.draw > 0.0:
            tranche.payment = None
        tranche.interest = tranche.balance * tranche.coupon / 12.0
        if not is_open(box, tranche, t):
            tranche.undrawn = 0.0
        tranche.fee = terms.undrawn_fee * tranche.undrawn / 12.0
        if not tranche.fixed and is_accepted:
            spread = terms.swap_rate - index(tranche, world.market.sofr[t - 1])
            tranche.hedge = tranche.hedge_share * tranche.balance * spread / 12.0
        month.interest += tranche.interest
        if is_construction:
            capitalise(box, tranche)
        else:
            fall_due(tranche, t)
            month.undrawn_fee += tranche.fee
            month.hedge += tranche.hedge
        base = max(0.0, tranche.balance - tranche.arrears)
        tranche.instalment = instalment(tranche, t, base, tranche.coupon)
        hold_payment(tranche, base)
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
    sum_period(box, t)
    if box.debt() > TINY:
        box.had_debt = True


def fall_due(tranche: TrancheState, t: int) -> None:
    """Interest is due in payment months and accrues, without interest on it, in the others."""
    tranche.accrued += tranche.interest
    tranche.is_accruing = not tranche.is_payment_month(t)
    if not tranche.is_accruing:
        tranche.interest_due, tranche.accrued = tranche.accrued, 0.0


def sum_period(box: BoxState, t: int) -> None:
    """Coverage of a payment month compares the cash and the service of its whole period."""
    month = box.month
    box.period_cfads += month.cfads
    month.debt_service = month.senior_interest_due + month.senior_principal_due + month.hedge
    box.period_service += month.debt_service
    if box.is_payment_month(t):
        month.tested_cfads, month.tested_service = box.period_cfads, box.period_service
        box.period_cfads = box.period_service = 0.0


def capitalise(box: BoxState, tranche: TrancheState) -> None:
    """Before the first acceptance: into the undrawn, interest first; the rest from equity.

    All from equity if the tranche does not capitalise.
    """
    month = box.month
    due = tranche.interest + tranche.fee
    added = min(due, tranche.undrawn) if tranche.terms.capitalises else 0.0
    interest_added = min(added, tranche.interest)
    tranche.balance += added
    tranche.undrawn -= added
    tranche.fee_drawn = added - interest_added
    tranche.construction_interest = tranche.interest - interest_added
    tranche.receive(tranche.construction_interest)
    month.capitalised += added
    month.construction_equity += due - added


# ------------------------------------------------------------------ reserves


def reserve_target(world: World, box: BoxState, t: int) -> float:
    """Next months of senior service after this month's instalment, at today's coupons.

    Where the reserve covers costs too: as many months of this month's.
    """
    total = 0.0
    months = rounded(box.terms.reserve_months)
    if box.terms.reserve_covers_costs and box.debt() > TINY:
        total += months * (box.month.operating_costs + max(0.0, box.month.hedge))
    for tranche in box.tranches:
        if tranche.terms.rank == 0:
            balance = max(0.0, tranche.balance - tranche.arrears - tranche.instalment)
            total += projected_service(tranche, t, balance, tranche.coupon, months)
    return total


def planned_cost_reserve(world: World, box: BoxState, t: int) -> float:
    """Planned costs of what is accepted, before there are months that tell what costs are."""
    if not box.terms.reserve_covers_costs or box.debt() <= TINY:
        return 0.0
    costs = sum(
        reference_costs(world, box, asset, t)
        for asset in box.assets
        if asset.accepted is not None and is_collateral(asset)
    )
    return rounded(box.terms.reserve_months) * costs


# ------------------------------------------------------------------ tests


def note_service(box: BoxState, t: int) -> None:
    """The window: the last three months with senior service due after the first acceptance."""
    month = box.month
    if box.is_accepted_before(t) and month.tested_service > TINY:
        box.window = [*box.window, [month.tested_cfads, month.tested_service]][-3:]


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
    cfads, service = box.window_sums()
    cure = 0.0
    is_started = t >= terms.first_test
    is_waived = t <= box.waived_until
    if is_started and (t - terms.first_test) % terms.test_interval == 0:
        if service > TINY:
            lockup = terms.lockup_dscr
            box.trap_flag = lockup > 0.0 and lockup * service - cfads > TINY
            is_tested = terms.default_dscr > 0.0 and not is_waived
            is_failed = is_tested and terms.default_dscr * service - cfads > TINY
            box.dscr_fails = box.dscr_fails + 1 if is_failed else 0
            if box.dscr_fails >= 2:
                cure = terms.default_dscr * service - cfads
        if terms.minimum_liquidity > 0.0 and world.is_on("sponsor"):
            is_low = world.sponsor_of(box).cash < terms.minimum_liquidity and not is_waived
            box.liquidity_fails = box.liquidity_fails + 1 if is_low else 0
    elif is_started and box.dscr_fails >= 2 and service > TINY:  # while a cure is awaited
        cure = max(0.0, terms.default_dscr * service - cfads)
        box.dscr_fails = box.dscr_fails if cure > TINY else 0
    is_breached = terms.trap_on_breach and any(a.status is Status.UNPAID for a in box.assets)
    is_unrealised = is_started and month.crr < terms.realisation_minimum
    is_downgraded = is_started and any(is_offtaker_downgraded(a, t) for a in box.assets)
    box.trap_on = box.trap_flag or is_unrealised or is_breached or is_downgraded
    month.trap_on = box.trap_on
    if is_started:
        excess = excess_debt(world, box, t, debt)
        box.over_months = box.over_months + 1 if excess > TINY and not is_waived else 0
        if box.over_months > terms.ratio_cure_months:
            cure = max(cure, excess)
    month.over = box.over_months
    month.cure_asked = min(cure, debt) if box.cures_used < terms.cures else 0.0


def excess_debt(world: World, box: BoxState, t: int, debt: float) -> float:
    """Debt above the larger-breached of the loan-to-cost and loan-to-value triggers.

    Debt is what this month's instalments leave; triggers step down with time.
    """
    terms, month = box.terms, box.month
    excess = 0.0
    debt -= sum(tranche.instalment for tranche in box.tranches)
    step_down = terms.ltv_step_down * t / 12.0
    if terms.ltc_trigger > 0.0:
        base = sum(asset.terms.cost for asset in box.assets if asset.is_delivered())
        month.ltc = debt / base if base > TINY else math.inf
        excess = max(excess, debt - max(0.0, terms.ltc_trigger - step_down) * base)
    if terms.ltv_trigger > 0.0:
        base = month.collateral
        month.ltv = debt / base if base > TINY else math.inf
        excess = max(excess, debt - max(0.0, terms.ltv_trigger - step_down) * base)
    return excess


def is_offtaker_downgraded(asset: AssetState, t: int) -> bool:
    """N(t) above the contract's floor, or the name in default; of rated names alone.

    While the first term runs or is to come, and after a rejection or termination.
    """
    if asset.contract is None or asset.contract.terms.rating_floor <= 0.0:
        return False
    is_watched = asset.is_void or (asset.is_first_term and asset.status in (*COMING, *LEASED))
    name = asset.contract.offtaker
    if not is_watched or name.notch is None:
        return False
    return name.notch > asset.contract.terms.rating_floor or name.is_in_default(t)


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
            power_limited_sales(world, box, t)
        if box.standing is Standing.PERFORMING:
            box.month.reserve_target = reserve_target(world, box, t)
            note_service(box, t)
            tests(world, box, t)
            box.month.shortfall = shortfall(box)
