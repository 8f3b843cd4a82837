"""Events of default and their cause (§11)."""

from __future__ import annotations

from simulator.config.terms import Recourse
from tests.reference.debt import commission_months
from tests.reference.draws import beta_draw, lognormal, rounded
from tests.reference.leases import price_multiplier
from tests.reference.projection import projected_cfads
from tests.reference.state import (
    COMING,
    TINY,
    AssetState,
    BoxState,
    Standing,
    Status,
    World,
)

LONGEST_PROJECTION = 60
SPONSOR, PAYMENT, MATURITY, TERMINATION, COVERAGE, LOAN_TO_VALUE, LIQUIDITY = range(1, 8)
WAIVABLE = (TERMINATION, COVERAGE, LOAN_TO_VALUE, LIQUIDITY)
REASONS = ("counterparty", "renegotiation", "control", "delay", "expiry")


def events_of_default(world: World, box: BoxState, t: int) -> None:
    """End of t: the first that applies, in order of naming."""
    count_arrears(box, t)
    if box.debt() <= TINY:
        return
    trigger = first_trigger(world, box, t)
    if trigger in WAIVABLE and can_be_waived(world, box, t):
        waive(world, box, t)
    elif trigger:
        default(world, box, t, trigger)


def count_arrears(box: BoxState, t: int) -> None:
    """Month-ends running with arrears, and with a balance past maturity."""
    arrears = sum(tr.arrears for tr in box.tranches) + box.carried_fees
    is_late = any(tr.balance > TINY and t >= tr.maturity for tr in box.tranches)
    has_debt = box.debt() > TINY
    box.arrears_months = box.arrears_months + 1 if has_debt and arrears > TINY else 0
    box.late_months = box.late_months + 1 if has_debt and is_late else 0


def first_trigger(world: World, box: BoxState, t: int) -> int:
    terms = box.terms
    sponsor = world.sponsor_of(box)
    if terms.recourse is Recourse.FULL and not sponsor.is_alive_before(t):
        return SPONSOR
    if box.arrears_months >= 2:
        return PAYMENT
    if box.late_months >= 3:
        return MATURITY
    if terms.default_on_termination and is_a_contract_gone(box, t):
        return TERMINATION
    if box.dscr_fails >= 2 and is_past_cure(box):
        return COVERAGE
    if box.over_months > terms.ratio_cure_months and is_past_cure(box):
        return LOAN_TO_VALUE
    if box.liquidity_fails >= 2:
        return LIQUIDITY
    return 0


def is_past_cure(box: BoxState) -> bool:
    """Asked for more than cure_months months running, or no cure is left."""
    return box.uncured_months > box.terms.cure_months or box.cures_used >= box.terms.cures


def can_be_waived(world: World, box: BoxState, t: int) -> bool:
    """Lenders amend if projected cash covers the debt: Σ v^s·max(0, CFADS(s)) ≥ debt."""
    if not world.is_on("amendments") or box.waivers >= world.p["box.waivers"]:
        return False
    debt = box.debt()
    live = [tranche for tranche in box.tranches if tranche.balance > TINY]
    last = max((tranche.maturity for tranche in live), default=t)
    months = max(1, min(LONGEST_PROJECTION, last - t))
    rate = sum(tranche.balance * tranche.coupon for tranche in live) / debt
    v = 1.0 / (1.0 + rate / 12.0)
    cfads = projected_cfads(world, box, t, months)
    return sum(v**s * max(0.0, cash) for s, cash in enumerate(cfads, start=1)) >= debt


def waive(world: World, box: BoxState, t: int) -> None:
    """A fee is due next month; the tests start anew and rest for a while."""
    box.waivers += 1
    box.month.waiver_fee = world.p["box.waiver_fee"] * box.debt()
    box.carried_fees += box.month.waiver_fee
    box.dscr_fails = box.over_months = box.liquidity_fails = box.uncured_months = 0
    box.waived_until = t + rounded(world.p["box.waiver_months"])


def is_a_contract_gone(box: BoxState, t: int) -> bool:
    """A contract ended in t for some asset, and no accepted asset is under it any more."""
    ended = {
        asset.contract.terms.id
        for asset in box.assets
        if asset.contract is not None and asset.terminated_month == t
    }
    alive = {
        asset.contract.terms.id
        for asset in box.assets
        if asset.contract is not None and asset.accepted is not None and not asset.is_void
    }
    return bool(ended - alive)


def default(world: World, box: BoxState, t: int, trigger: int) -> None:
    box.standing = Standing.WORKOUT
    box.default_month = t
    box.trigger = trigger
    box.cause = cause(world, box, t, trigger)
    box.carried_costs = box.carried_fees = 0.0
    for tranche in box.tranches:
        tranche.balance += tranche.accrued
        tranche.accrued = 0.0
        tranche.is_accruing = False
        tranche.exposure_at_default = tranche.balance
        tranche.default_month = t
        tranche.undrawn = 0.0
        tranche.arrears = 0.0
    if world.is_on("collateral"):
        z, _ = world.draws.normals(f"box.{box.id}.workout", t)
        box.haircut = beta_draw(world.p["gpu.fire_haircut"], 0.1, z)
    else:
        drawn_recovery(world, box, t)


def drawn_recovery(world: World, box: BoxState, t: int) -> None:
    """Without a collateral model the recovery is a draw, and the assets go at once."""
    p = world.p
    box.standing = Standing.RECOVERY
    z_share, z_time = world.draws.normals(f"box.{box.id}.recovery", t)
    z = 0.4 * world.market.C_star + 0.84**0.5 * z_share
    box.recovery_amount = box.debt() * beta_draw(p["cp.recovery_loan"], 0.25, z)
    delay = max(1, rounded(12.0 * lognormal(p["cp.workout_time"], 0.5, z_time)))
    box.recovery_month = t + delay
    box.claims = []
    box.disposals = []
    for asset in box.assets:
        if asset.status is not Status.CANCELLED:
            asset.status = Status.GONE


# ------------------------------------------------------------------ cause


def cause(world: World, box: BoxState, t: int, trigger: int) -> str:
    """What took most contracted revenue in month t."""
    if trigger == SPONSOR:
        return "sponsor"
    lost = dict.fromkeys(REASONS, 0.0)
    for asset in box.assets:
        if asset.contract is not None:
            for reason, amount in lost_revenue(world, asset, t).items():
                lost[reason] += amount
    largest = max(REASONS, key=lambda reason: lost[reason])  # the first of equals
    if lost[largest] > TINY:
        return largest
    return "refinancing" if trigger == MATURITY else "costs and rates"


def lost_revenue(world: World, asset: AssetState, t: int) -> dict[str, float]:
    """Contracted revenue of month t at the first price that did not come, by reason."""
    full = asset.first_price * price_multiplier(asset, t, asset.accepted) * asset.unit
    received = asset.received + asset.merchant + asset.arrears_received
    missing = max(0.0, full - received)
    status = asset.status
    if asset.reason in ("counterparty", "control"):
        return {asset.reason: missing}
    if status in (*COMING, Status.CANCELLED):
        is_late = t > asset.terms.planned_delivery + commission_months(world, asset)
        return {"delay": missing} if is_late or status is Status.CANCELLED else {}
    if status in (Status.UNPAID, Status.BACKSTOPPED):
        return {"counterparty": missing}
    if asset.reason == "expiry":
        return {"expiry": missing}
    if status is Status.CONTRACTED:
        return {
            "renegotiation": full * max(0.0, 1.0 - asset.price / asset.first_price),
            "control": max(0.0, asset.invoice_due - received),
        }
    return {}
