"""Events of default and their cause (§11)."""

from __future__ import annotations

from simulator.config.terms import Recourse
from tests.reference.draws import beta_draw, lognormal, rounded
from tests.reference.state import (
    TINY,
    AssetState,
    BoxState,
    Standing,
    Status,
    World,
)

SPONSOR, PAYMENT, MATURITY, TERMINATION, COVERAGE, LOAN_TO_VALUE, LIQUIDITY = range(1, 8)
REASONS = ("counterparty", "renegotiation", "control", "delay", "expiry")


def events_of_default(world: World, box: BoxState, t: int) -> None:
    """End of t: the first that applies, in order of naming."""
    count_arrears(box, t)
    if box.debt() <= TINY:
        return
    trigger = first_trigger(world, box, t)
    if trigger:
        default(world, box, t, trigger)


def count_arrears(box: BoxState, t: int) -> None:
    """Month-ends running with arrears; what is unpaid at maturity has its own event."""
    arrears = sum(tr.arrears for tr in box.tranches if t < tr.maturity) + box.carried_fees
    box.arrears_months = box.arrears_months + 1 if arrears > TINY else 0


def first_trigger(world: World, box: BoxState, t: int) -> int:
    terms = box.terms
    sponsor = world.sponsor_of(box)
    if terms.recourse is Recourse.FULL and 0 < sponsor.default_month == t - 1:
        return SPONSOR
    if box.arrears_months >= 2:
        return PAYMENT
    if any(tr.balance > TINY and t >= tr.maturity + 2 for tr in box.tranches):
        return MATURITY
    if terms.default_on_termination and is_a_contract_gone(box, t):
        return TERMINATION
    if box.cures_failed == "dscr":
        return COVERAGE
    if box.cures_failed == "ltv":
        return LOAN_TO_VALUE
    if box.liquidity_fails >= 2:
        return LIQUIDITY
    return 0


def is_a_contract_gone(box: BoxState, t: int) -> bool:
    """Every accepted asset of a contract is rejected or terminated, the last one in t."""
    contracts = {a.contract.terms.id for a in box.assets if a.contract is not None}
    for contract in contracts:
        accepted = [
            asset
            for asset in box.assets
            if asset.contract is not None
            and asset.contract.terms.id == contract
            and asset.accepted is not None
        ]
        ended = [asset.terminated_month for asset in accepted]
        if ended and all(month > 0 for month in ended) and max(ended) == t:
            return True
    return False


def default(world: World, box: BoxState, t: int, trigger: int) -> None:
    box.standing = Standing.WORKOUT
    box.default_month = t
    box.trigger = trigger
    box.cause = cause(world, box, t, trigger)
    box.carried_costs = box.carried_fees = 0.0
    for tranche in box.tranches:
        tranche.exposure_at_default = tranche.balance
        tranche.default_month = t
        tranche.undrawn = 0.0
        tranche.arrears_interest = tranche.arrears_principal = 0.0
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
    box.month.cash_absorbed = box.cash()
    box.reserve = box.power_reserve = box.trap = 0.0
    box.claims = []
    for asset in box.assets:
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
    reference = asset.first_price * asset.unit
    status = asset.status
    if status in (Status.PENDING, Status.COMMISSIONING, Status.CANCELLED) or asset.accepted == t:
        is_late = t > asset.terms.planned_delivery + rounded(world.p["box.commission"])
        came = 0.0
        if status is not Status.CANCELLED:
            came = (1.0 - world.p["del.revenue_lost"]) * asset.price * asset.unit
        return {"delay": max(0.0, reference - came)} if is_late else {}
    if status in (Status.UNPAID, Status.BACKSTOPPED):
        return {"counterparty": max(0.0, reference - asset.received)}
    if status is Status.CONTRACTED and asset.reason == "":
        cheaper = max(0.0, asset.first_price - asset.price) * asset.unit
        return {"renegotiation": cheaper, "control": asset.control_lost}
    if asset.reason == "":  # useful life over
        return {"expiry": reference}
    return {asset.reason: max(0.0, reference - asset.received - asset.merchant)}
