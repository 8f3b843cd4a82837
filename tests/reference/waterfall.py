"""Stage 13: who is paid out of a performing box, and refinancing (§11)."""

from __future__ import annotations

import math
from collections.abc import Callable

from simulator.config.terms import Amortisation
from tests.reference.debt import annuity_payment
from tests.reference.draws import rounded
from tests.reference.projection import projected_cfads
from tests.reference.state import TINY, BoxState, SponsorState, TrancheState, World

KEPT_BETWEEN_PAYMENTS = (
    "debt_service_reserve",
    "power_reserve",
    "sweep",
    "cash_trap",
    "refund_claims",
    "distribution",
)
"""Lines that wait for the payment month: what would go there is kept in the box."""


def waterfall(world: World, box: BoxState, t: int) -> None:
    month = box.month
    month.disposals_left = prepay(box, month.cure + month.disposals)
    set_power_reserve_target(box)
    cash = collect(box)
    lines: dict[str, Callable[[World, BoxState, float], float]] = {
        "operating_costs": pay_operating_costs,
        "senior_fees": pay_senior_fees,
        "senior_interest": pay_senior_interest,
        "senior_principal": pay_senior_principal,
        "debt_service_reserve": top_up_reserve,
        "power_reserve": top_up_power_reserve,
        "junior_interest": pay_junior_interest,
        "junior_principal": pay_junior_principal,
        "sweep": sweep,
        "cash_trap": trap,
        "refund_claims": pay_refund_claims,
        "distribution": distribute,
    }
    is_payment_month = box.is_payment_month(t)
    for line in world.inputs.waterfall:
        if is_payment_month or line not in KEPT_BETWEEN_PAYMENTS:
            cash = max(0.0, cash - lines[line](world, box, cash))
    if not is_payment_month:
        box.collected = cash
        cash = 0.0
    if cash > TINY:
        raise AssertionError(f"cash left in box {box.id} after the waterfall of month {t}: {cash}")
    carry_what_is_unpaid(box)
    settle_cure(box)
    for tranche in box.tranches:
        if tranche.is_prepaid and not tranche.terms.shorten:
            tranche.payment = None


def prepay(box: BoxState, amount: float) -> float:
    """Prepay debt by rank; return what is left over."""
    groups = by_rank(box, senior=True) + by_rank(box, senior=False)
    paid = 0.0
    for tranche, part in pro_rata(groups, amount, lambda tr: tr.balance):
        tranche.balance = max(0.0, tranche.balance - part)
        tranche.arrears = max(0.0, tranche.arrears - part)
        tranche.receive(part)
        tranche.is_prepaid = tranche.is_prepaid or part > TINY
        paid += part
    box.month.paid_sweep += paid
    return max(0.0, amount - paid)


def settle_cure(box: BoxState) -> None:
    """A cure counts as cash flow of the window and starts the counts anew."""
    month = box.month
    if month.cure_asked <= 0.0:
        box.uncured_months = 0
        return
    if month.cure < month.cure_asked - TINY:
        box.uncured_months += 1
        return
    box.uncured_months = 0
    box.cures_used += 1
    box.dscr_fails = box.over_months = 0
    if box.window:
        box.window[-1][0] += month.cure


def collect(box: BoxState) -> float:
    """Cash of the month: receipts, releases, what reserves and the sponsor add when short."""
    month = box.month
    cash = month.receipts + month.prepayment_surplus + max(0.0, -month.hedge)
    cash += box.collected + month.disposals_left
    box.collected = 0.0
    if not box.trap_on or box.debt() <= TINY:
        month.trap_released, box.trap = box.trap, 0.0
        cash += month.trap_released
    for account, target in (
        ("reserve", month.reserve_target),
        ("power_reserve", month.power_reserve_target),
    ):
        excess = max(0.0, getattr(box, account) - target)
        setattr(box, account, getattr(box, account) - excess)
        month.reserves_released += excess
        cash += excess
    needed = month.operating_costs + box.carried_costs
    needed += fees_due(box)
    final = sum(min(tr.final, principal_due(tr)) for tr in box.tranches)
    needed += sum(tr.interest_due + principal_due(tr) for tr in box.tranches) - final
    short = max(0.0, needed + final - cash)

    month.trap_drawn = min(short, box.trap)
    box.trap -= month.trap_drawn
    short -= month.trap_drawn
    month.power_reserve_drawn = min(short, box.power_reserve)
    box.power_reserve -= month.power_reserve_drawn
    short -= month.power_reserve_drawn
    month.reserve_drawn = min(short, box.reserve)
    box.reserve -= month.reserve_drawn
    cash += month.trap_drawn + month.power_reserve_drawn + month.reserve_drawn
    month.support = min(max(0.0, needed - cash), month.support_given)
    return cash + month.support


# ------------------------------------------------------------------ the lines


def pay_operating_costs(world: World, box: BoxState, cash: float) -> float:
    due = box.month.operating_costs + box.carried_costs
    box.month.paid_operating_costs = min(cash, due)
    return box.month.paid_operating_costs


def pay_senior_fees(world: World, box: BoxState, cash: float) -> float:
    due = fees_due(box)
    box.month.paid_senior_fees = min(cash, due)
    return box.month.paid_senior_fees


def fees_due(box: BoxState) -> float:
    """Undrawn fees, hedge settlements to be paid, fees carried over."""
    return box.month.undrawn_fee + max(0.0, box.month.hedge) + box.carried_fees


def by_rank(box: BoxState, *, senior: bool) -> list[list[TrancheState]]:
    """Tranches of equal rank together, the most senior first."""
    ranks = sorted({tr.terms.rank for tr in box.tranches if (tr.terms.rank == 0) == senior})
    return [[tr for tr in box.tranches if tr.terms.rank == rank] for rank in ranks]


def pro_rata(
    groups: list[list[TrancheState]], cash: float, due_of: Callable[[TrancheState], float]
) -> list[tuple[TrancheState, float]]:
    """Share cash by rank, within a rank pro rata to what is due."""
    payments = []
    for group in groups:
        dues = [due_of(tranche) for tranche in group]
        total = sum(dues)
        share = 1.0 if cash >= total else cash / total
        payments += [(tr, due * share) for tr, due in zip(group, dues, strict=True) if due > 0.0]
        cash = max(0.0, cash - total)
    return payments


def pay_interest(box: BoxState, cash: float, *, senior: bool) -> float:
    paid = 0.0
    for tranche, amount in pro_rata(by_rank(box, senior=senior), cash, lambda tr: tr.interest_due):
        tranche.receive(amount)
        unpaid = tranche.interest_due - amount
        if unpaid > 0.0:
            tranche.balance += unpaid
            tranche.arrears += unpaid if tranche.terms.catch_up else 0.0
        paid += amount
    return paid


def principal_due(tranche: TrancheState) -> float:
    return min(tranche.balance, tranche.instalment + tranche.final + tranche.arrears)


def pay_principal(box: BoxState, t: int, cash: float, *, senior: bool) -> float:
    """Instalments, final principal and arrears; at maturity only old arrears stay arrears."""
    paid = 0.0
    for tranche, amount in pro_rata(by_rank(box, senior=senior), cash, principal_due):
        late = principal_due(tranche) - amount
        if t >= tranche.maturity:
            late = min(late, max(0.0, tranche.arrears - amount))
        tranche.arrears = late if late > TINY and tranche.terms.catch_up else 0.0
        tranche.balance = max(0.0, tranche.balance - amount)
        tranche.receive(amount)
        paid += amount
    return paid


def pay_senior_interest(world: World, box: BoxState, cash: float) -> float:
    box.month.paid_senior_interest = pay_interest(box, cash, senior=True)
    return box.month.paid_senior_interest


def pay_junior_interest(world: World, box: BoxState, cash: float) -> float:
    box.month.paid_junior_interest = pay_interest(box, cash, senior=False)
    return box.month.paid_junior_interest


def pay_senior_principal(world: World, box: BoxState, cash: float) -> float:
    box.month.paid_senior_principal = pay_principal(box, world.t, cash, senior=True)
    return box.month.paid_senior_principal


def pay_junior_principal(world: World, box: BoxState, cash: float) -> float:
    box.month.paid_junior_principal = pay_principal(box, world.t, cash, senior=False)
    return box.month.paid_junior_principal


def top_up_reserve(world: World, box: BoxState, cash: float) -> float:
    amount = min(cash, max(0.0, box.month.reserve_target - box.reserve))
    box.reserve += amount
    box.month.paid_debt_service_reserve = amount
    return amount


def set_power_reserve_target(box: BoxState) -> None:
    """Nothing once the debt is paid."""
    months = box.terms.power_reserve_months if box.debt() > TINY else 0.0
    box.month.power_reserve_target = months * box.month.power_cost


def top_up_power_reserve(world: World, box: BoxState, cash: float) -> float:
    set_power_reserve_target(box)
    amount = min(cash, max(0.0, box.month.power_reserve_target - box.power_reserve))
    box.power_reserve += amount
    box.month.paid_power_reserve = amount
    return amount


def sweep(world: World, box: BoxState, cash: float) -> float:
    month, terms = box.month, box.terms
    wanted = math.inf
    if box.over_months == 0:
        base = month.tested_cfads - terms.sweep_threshold * month.tested_service
        wanted = max(0.0, terms.sweep_share * base)
    amount = min(cash, wanted)
    return amount - prepay(box, amount)


def trap(world: World, box: BoxState, cash: float) -> float:
    if not box.trap_on:
        return 0.0
    if box.debt() <= TINY:  # what is trapped is free
        released, box.trap = box.trap, 0.0
        box.month.trap_released += released
        return -released
    box.trap += cash
    box.month.paid_cash_trap = cash
    return cash


def pay_refund_claims(world: World, box: BoxState, cash: float) -> float:
    """No prepayment is ever received before delivery, so nothing is refunded."""
    return 0.0


def distribute(world: World, box: BoxState, cash: float) -> float:
    box.month.distribution += cash
    return cash


def carry_what_is_unpaid(box: BoxState) -> None:
    """Costs and fees that were not paid wait."""
    month = box.month
    fees = fees_due(box) - month.paid_senior_fees
    box.carried_costs += month.operating_costs - month.paid_operating_costs
    box.carried_fees = max(0.0, fees)
    box.carried_costs = max(0.0, box.carried_costs)


# ------------------------------------------------------------------ refinancing


def issue_spread(world: World, sponsor: SponsorState, kind: str, t: int) -> float:
    """New-issue spread, fraction per year; kind is "box", "ig" or "holdco"."""
    p, hy = world.p, world.market.hy[t]
    if kind == "ig":
        spread = p["cs.ig_margin"] * math.sqrt(hy / p["cs.hy0"])
    elif kind == "box":
        spread = p["cs.neo_beta"] * hy
    else:
        spread = p["cs.hold_beta"] * hy
    repaid = sum(1 for box in sponsor.boxes if 0 < box.repaid_month < t)
    spread *= max(0.6, math.exp(-p["cs.learn"] * repaid))
    if any(t - 24 <= box.default_month <= t - 1 for box in sponsor.boxes if box.default_month):
        spread *= 1.5
    return spread / 1e4


def refinance(world: World, box: BoxState, t: int) -> None:
    """At the end of t ≥ maturity a balance left may be extended."""
    matured = [tr for tr in box.tranches if t >= tr.maturity and tr.balance > TINY]
    if matured and can_refinance(world, box, t):
        for tranche in matured:
            extend(world, box, tranche, t)


def refinancing_spread(world: World, box: BoxState, t: int) -> float:
    kind = "ig" if box.terms.investment_grade else "box"
    return issue_spread(world, world.sponsor_of(box), kind, t)


def refinancing_parameter(world: World, box: BoxState, name: str) -> float:
    """`refi.<name>`, or `hall.refi_<name>` of a box of halls."""
    generations = {one.name: one for one in world.inputs.book.generations}
    is_hall = generations[box.terms.generation].is_hall
    return world.p[f"hall.refi_{name}" if is_hall else f"refi.{name}"]


def can_refinance(world: World, box: BoxState, t: int) -> bool:
    p = world.p
    if not world.market.market_open[t]:
        return False
    debt = box.debt()
    if debt > refinancing_parameter(world, box, "ltv") * box.month.collateral:
        return False
    rate = world.market.sofr[t] + refinancing_spread(world, box, t)
    months = rounded(refinancing_parameter(world, box, "months"))
    service = 12.0 * annuity_payment(debt, rate, months)
    return sum(projected_cfads(world, box, t, 12)) >= p["refi.dscr"] * service


def extend(world: World, box: BoxState, tranche: TrancheState, t: int) -> None:
    tranche.is_extended = True
    tranche.maturity = t + rounded(refinancing_parameter(world, box, "months"))
    tranche.fixed = False
    tranche.rate = refinancing_spread(world, box, t)
    tranche.hedge_share = 0.0
    tranche.amortisation = Amortisation.LEVEL
    tranche.amortisation_start = t + 1
    tranche.balloon_amount = 0.0
    tranche.fit = tranche.payment = None
