"""Lender loss, equity value and sponsor equity of one path (§13)."""

from __future__ import annotations

import math

from tests.reference.collateral import is_collateral, value
from tests.reference.debt import contract_cash, contract_months
from tests.reference.state import (
    TINY,
    AssetState,
    BoxState,
    SponsorState,
    Standing,
    Status,
    TrancheState,
    World,
)

DEPRECIATION_MONTHS = 72.0  # of equity at t0
WIPED_OUT = 0.05


def close_tranche_month(tranche: TrancheState) -> None:
    """D(t) = D(last)/(1 + Σ y(s)/12) with s from the last month in which interest was settled."""
    before, drawn_before = tranche.discount, tranche.drawn_pv
    tranche.drawn_pv += tranche.discount * tranche.draw
    tranche.rate_since_payment += tranche.coupon / 12.0
    tranche.discount = tranche.discount_at_payment / (1.0 + tranche.rate_since_payment)
    if not tranche.is_accruing:
        tranche.discount_at_payment, tranche.rate_since_payment = tranche.discount, 0.0
    tranche.drawn_pv += tranche.discount * tranche.fee_drawn  # at the end of the month
    tranche.balances.append(tranche.balance)
    due = tranche.interest_due if tranche.terms.box else tranche.interest
    tranche.interest_by_month.append(due + tranche.construction_interest)
    tranche.discounts.append(tranche.discount)
    tranche.late_draws.append(tranche.fee_drawn)
    tranche.discounted_draws.append((tranche.drawn_pv - drawn_before) / before)
    tranche.accrued_by_month.append(tranche.accrued)
    tranche.receipts_by_month.append(tranche.receipts)
    tranche.draws_by_month.append(tranche.draw)
    tranche.coupons.append(tranche.coupon)


def loss_pv(tranche: TrancheState) -> float:
    return tranche.discount * tranche.balance if tranche.default_month > 0 else 0.0


def loss_nominal(tranche: TrancheState) -> float:
    if tranche.default_month == 0:
        return 0.0
    return max(0.0, tranche.exposure_at_default - tranche.received_since_default)


def equity_at_start(box: BoxState) -> float:
    """in0."""
    terms = box.terms
    if not math.isnan(terms.equity0):
        return terms.equity0
    delivered = [asset for asset in box.assets if asset.delivered is not None]
    if not delivered:
        return 0.0
    cost = sum(
        asset.terms.cost * max(0.0, 1.0 - asset.age(0) / DEPRECIATION_MONTHS) for asset in delivered
    )
    return max(0.0, cost + box.cash() - box.debt())


def terminal_value(world: World, box: BoxState) -> float:
    """TV of a performing box at H."""
    if box.standing is not Standing.PERFORMING:
        return 0.0
    t = world.inputs.horizon
    v = (1.0 + world.p["eq.hurdle"]) ** (-1.0 / 12.0)
    total = box.cash() - box.claims_of_lenders()
    for asset in box.assets:
        if is_collateral(asset):
            cash, n = contract_beyond(world, box, asset, t, v)
            total += cash
            total += v**n * value(world, box, asset, t, ahead=n) * asset.terms.gpus / 1e6
    return max(0.0, total)


def contract_beyond(
    world: World, box: BoxState, asset: AssetState, t: int, v: float
) -> tuple[float, int]:
    """Present value of the contract's cash beyond H, and the months of its term left."""
    months = range(0) if asset.status is Status.UNPAID else contract_months(world, asset, t)
    if not months:
        return 0.0, 0
    total = 0.0
    for s in months:
        total += v ** (s - t) * max(0.0, contract_cash(world, box, asset, s, months.stop))
    return total, asset.remaining


def pnl(world: World, box: BoxState) -> tuple[float, float]:
    """Equity profit and present value of contributions, at the hurdle rate."""
    v = (1.0 + world.p["eq.hurdle"]) ** (-1.0 / 12.0)
    contributed = box.in_0
    received = v**world.inputs.horizon * box.terminal_value
    for t, (start, end, out) in enumerate(zip(box.in_start, box.in_end, box.out, strict=True), 1):
        contributed += v ** (t - 1) * start + v**t * end
        received += v**t * out
    return received - contributed, contributed


def moic(box: BoxState) -> float:
    put_in = box.in_0 + sum(box.in_start) + sum(box.in_end)
    taken_out = sum(box.out) + box.terminal_value
    return taken_out / put_in if put_in > TINY else math.nan


def flows(box: BoxState) -> list[float]:
    """Net equity flows at the end of months 0..H, terminal value included."""
    net = [0.0] * (len(box.out) + 1)
    net[0] -= box.in_0
    for t, (start, end, out) in enumerate(zip(box.in_start, box.in_end, box.out, strict=True), 1):
        net[t - 1] -= start
        net[t] += out - end
    net[-1] += box.terminal_value
    return net


def share_move(world: World, t: int) -> float:
    """V_H(t)/V_H(0) = e^(−hold.eq_beta·stress)."""
    return math.exp(-world.p["hold.eq_beta"] * world.market.stress[t])


def other_value_left(world: World, sponsor: SponsorState) -> float:
    """Business outside the tape at H, in money of t0: what it has not yet handed over as cash."""
    v = (1.0 + world.p["eq.hurdle"]) ** (-1.0 / 12.0)
    cash = max(0.0, sponsor.terms.other_cash_per_year) / 12.0
    handed_over = sum(v**s * cash for s in range(1, world.inputs.horizon + 1))
    left = max(0.0, sponsor.other_value - handed_over)
    return left * share_move(world, world.inputs.horizon)


def sponsor_pnl(world: World, sponsor: SponsorState) -> float:
    v = (1.0 + world.p["eq.hurdle"]) ** (-1.0 / 12.0)
    start = sponsor.terms.cash + sum(box.in_0 for box in sponsor.boxes) + sponsor.other_value
    start -= sum(note.terms.balance0 for note in sponsor.notes)
    end = 0.0
    if sponsor.default_month == 0:
        end = sponsor.cash + sum(box.terminal_value for box in sponsor.boxes)
        end -= sum(note.balance for note in sponsor.notes)
        end = v**world.inputs.horizon * end + other_value_left(world, sponsor)
    return sponsor.retained * max(0.0, end) - max(0.0, start)
