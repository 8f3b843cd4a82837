"""Stage 13 for boxes in default: run or sell, claims by rank, guarantees (§11)."""

from __future__ import annotations

from simulator.config.terms import Recourse
from tests.reference.collateral import (
    collateral,
    expected_net,
    is_collateral,
    sale_factor,
    value,
)
from tests.reference.draws import rounded
from tests.reference.projection import projected_cfads
from tests.reference.state import (
    TINY,
    BoxState,
    Obligation,
    Standing,
    Status,
    TrancheState,
    World,
)
from tests.reference.waterfall import by_rank, pro_rata

DECISION_LAG = 3


def accrue(box: BoxState) -> None:
    """claim ← claim·(1 + y/12)."""
    for tranche in box.tranches:
        tranche.interest = tranche.balance * tranche.coupon / 12.0
        tranche.balance += tranche.interest


def pay_claims(box: BoxState, cash: float) -> float:
    """Pay open claims by rank; return the surplus."""
    groups = by_rank(box, senior=True) + by_rank(box, senior=False)
    paid = 0.0
    for tranche, amount in pro_rata(groups, cash, lambda tr: tr.balance):
        tranche.balance = max(0.0, tranche.balance - amount)
        recover(tranche, amount)
        paid += amount
    return max(0.0, cash - paid)


def recover(tranche: TrancheState, amount: float) -> None:
    tranche.receive(amount)
    tranche.received_since_default += amount


def workout(world: World, box: BoxState, t: int) -> None:
    month = box.month
    accrue(box)
    month.paid_operating_costs = min(month.receipts, month.operating_costs)
    cash = month.receipts - month.paid_operating_costs + month.disposals
    if t == box.default_month + 1:
        cash += box.cash()
        month.reserves_released = box.cash()
        empty_accounts(box)
    month.workout_cash = cash
    is_sale = t in (box.sale_month, world.inputs.horizon)
    if is_sale:
        cash += sell(world, box, t)
    surplus = pay_claims(box, cash)
    month.workout_paid += cash - surplus
    month.distribution += surplus
    if is_sale:
        close(world, box, t)
    elif box.debt() <= TINY:
        return_to_performing(box)
    elif t == box.default_month + DECISION_LAG:
        decide(world, box, t)


def empty_accounts(box: BoxState) -> None:
    box.reserve = box.power_reserve = box.trap = box.collected = 0.0


def closed(world: World, box: BoxState, t: int) -> None:
    """A disposal that comes late pays what claims are left, then equity."""
    accrue(box)
    if box.month.disposals > 0.0 and world.is_on("collateral"):
        surplus = pay_claims(box, box.month.disposals)
        box.month.workout_cash = box.month.disposals
        box.month.workout_paid += box.month.disposals - surplus
        box.month.distribution += surplus


def sell(world: World, box: BoxState, t: int) -> float:
    """Net proceeds and the present value of open claim receivables."""
    month = box.month
    sold = world.market.f_sold[box.generation.name]
    month.sale_proceeds = collateral(world, box, t) * sale_factor(world, box.haircut, sold)
    month.sale_proceeds += receivables(world, box, t)
    box.claims = []
    return month.sale_proceeds


def receivables(world: World, box: BoxState, t: int) -> float:
    i = world.p["cp.claim_rate"] / 12.0
    return sum(amount * (1.0 + i) ** -(when - t) for when, amount in box.claims)


def return_to_performing(box: BoxState) -> None:
    """All claims are paid: the box goes on, free of debt; a sale is called off."""
    box.standing = Standing.PERFORMING
    box.sale_month = 0
    for tranche in box.tranches:
        tranche.balance = 0.0


def close(world: World, box: BoxState, t: int) -> None:
    box.standing = Standing.CLOSED
    box.closed_month = t
    for asset in box.assets:
        if asset.status is not Status.CANCELLED:
            asset.status = Status.GONE
    call_guarantee(world, box, t)


def call_guarantee(world: World, box: BoxState, t: int) -> None:
    amount = guaranteed(box, box.debt())
    sponsor = world.sponsor_of(box)
    if amount > TINY and world.is_on("sponsor") and sponsor.is_alive_before(t):
        sponsor.obligations.append(Obligation(box.id, amount, t))


def guaranteed(box: BoxState, deficiency: float) -> float:
    """What the parent owes of a deficiency."""
    if box.terms.recourse is Recourse.FULL:
        return deficiency
    if box.terms.recourse is Recourse.LIMITED:
        return min(box.terms.guarantee_cap, deficiency)
    return 0.0


def decide(world: World, box: BoxState, t: int) -> None:
    """Run if V_run ≥ V_sale."""
    p = world.p
    run, lag = rounded(p["wo.run_months"]), rounded(p["wo.sale_lag"])
    debt = box.debt()
    rate = sum(tr.balance * tr.coupon for tr in box.tranches) / debt
    v = 1.0 / (1.0 + rate / 12.0)
    cfads = [max(0.0, cash) for cash in projected_cfads(world, box, t, max(run, lag))]
    later = sum(
        value(world, box, asset, t, ahead=run) * asset.terms.gpus / 1e6
        for asset in box.assets
        if is_collateral(asset)
    )
    v_run = sum(v**s * cfads[s - 1] for s in range(1, run + 1)) + v**run * later
    v_sale = sum(v**s * cfads[s - 1] for s in range(1, lag + 1))
    v_sale += v**lag * expected_net(world, box, t)
    box.sale_month = t + (run if v_run >= v_sale else lag)


def recovery(world: World, box: BoxState, t: int) -> None:
    """Collateral model off: one drawn amount, once."""
    accrue(box)
    if t == box.recovery_month:
        collect_recovery(box)
        close(world, box, t)


def collect_recovery(box: BoxState) -> None:
    month = box.month
    amount = max(box.cash(), box.recovery_amount)  # reserves are part of what was drawn
    month.reserves_released += box.cash()
    month.sale_proceeds = amount - box.cash()
    empty_accounts(box)
    surplus = pay_claims(box, amount)
    month.recovery = amount
    month.workout_paid += amount - surplus
    month.distribution += surplus


def force_close(world: World, box: BoxState, t: int) -> None:
    """Workouts still open at H are closed at today's net."""
    month = box.month
    if box.standing is Standing.RECOVERY:
        collect_recovery(box)
    elif box.standing is Standing.WORKOUT:
        kept = box.cash()
        empty_accounts(box)
        month.reserves_released += kept
        month.workout_cash += kept
        cash = sell(world, box, t) + kept
        surplus = pay_claims(box, cash)
        month.workout_paid += cash - surplus
        month.distribution += surplus
    else:
        return
    close(world, box, t)
