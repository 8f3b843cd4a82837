"""Stages 12 and 14: support and cures, liquidity, equity, default, estate (§12)."""

from __future__ import annotations

import math

from simulator.config.terms import Recourse
from tests.reference.accounts import share_move
from tests.reference.collateral import expected_net
from tests.reference.debt import annuity_payment
from tests.reference.projection import projected_cfads
from tests.reference.state import (
    TINY,
    BoxState,
    SponsorState,
    Standing,
    TrancheState,
    World,
)
from tests.reference.waterfall import issue_spread
from tests.reference.workout import guaranteed, pay_claims, recover

EXTENSION_MONTHS = 60
RAISE_LIMIT = 0.25  # of market value a year
ISSUE_PRICE = 0.9
ESTATE_SHARE = 0.92
SUPPORT_MONTHS = 60


# ------------------------------------------------------------------ stage 12


def support_and_cures(world: World, sponsor: SponsorState, t: int) -> None:
    """With the cash of t − 1: first the duty, then what pays."""
    sponsor.unpaid_duty_before, sponsor.unpaid_duty = sponsor.unpaid_duty, 0.0
    performing = [box for box in sponsor.boxes if box.standing is Standing.PERFORMING]
    is_able = world.is_on("sponsor") and sponsor.is_alive_before(t)
    paid = 0.0
    if is_able:
        paid = do_duty(sponsor, performing)
        choose(world, sponsor, performing, paid, t)


def do_duty(sponsor: SponsorState, performing: list[BoxState]) -> float:
    cash = max(0.0, sponsor.cash)
    paid = 0.0
    for box in performing:
        if box.terms.recourse is Recourse.FULL and box.month.shortfall > 0.0:
            amount = min(cash - paid, box.month.shortfall)
            box.month.support_given = amount
            paid += amount
            unpaid = box.month.shortfall - amount
            sponsor.unpaid_duty += unpaid
    return paid


def choose(
    world: World, sponsor: SponsorState, performing: list[BoxState], duty_paid: float, t: int
) -> None:
    minimum = world.p["hold.min_cash"] * sponsor.overhead_and_coupons
    budget = max(0.0, max(0.0, sponsor.cash) - duty_paid - minimum)
    candidates = []
    for box in performing:
        cure = box.month.cure_asked
        gap = 0.0 if box.terms.recourse is Recourse.FULL else box.month.shortfall
        if cure + gap <= TINY:
            continue
        need, worth = need_and_worth(world, box, cure + gap, t)
        is_worth_it = worth >= sponsor.terms.support_factor * need
        candidates.append((-(worth - need) / need, box.id, box, cure, gap, is_worth_it))
    for _, _, box, cure, gap, is_worth_it in sorted(candidates, key=lambda c: (c[0], c[1])):
        if is_worth_it and cure + gap <= budget:
            budget -= cure + gap
            box.month.cure = cure
            box.month.support_given += gap


def need_and_worth(world: World, box: BoxState, asked: float, t: int) -> tuple[float, float]:
    """N and W: projected shortfalls, and projected distributions plus deficiency avoided."""
    v = (1.0 + world.p["eq.hurdle"]) ** (-1.0 / 12.0)
    live = [tr for tr in box.tranches if tr.balance > TINY]
    last = max((tr.maturity for tr in live), default=t)
    n = max(1, min(SUPPORT_MONTHS, last - t))
    debt = box.debt()
    mean_coupon = sum(tr.balance * tr.coupon for tr in box.tranches) / debt if debt > TINY else 0.0
    service = annuity_payment(debt, mean_coupon, n) if debt > TINY else 0.0
    need, worth = asked, 0.0
    for s, cfads in enumerate(projected_cfads(world, box, t, n), start=1):
        need += v**s * max(0.0, service - cfads)
        worth += v**s * max(0.0, cfads - service)
    worth += guaranteed(box, max(0.0, box.debt() - expected_net(world, box, t)))
    return need, worth


# ------------------------------------------------------------------ stage 14


def contributions(box: BoxState) -> float:
    month = box.month
    return month.construction_equity + month.reserve_equity + month.support + month.cure


def liquidity(world: World, sponsor: SponsorState, t: int) -> None:
    raised = 0.0
    if not world.is_on("sponsor"):
        pay_notes_only(sponsor, t)
    elif sponsor.is_alive_before(t):
        raised = alive(world, sponsor, t)
    else:
        if t <= sponsor.estate_month:
            sponsor.cash += sum(box.month.distribution for box in sponsor.boxes)
        for note in sponsor.notes:
            note.interest = note.balance * note.coupon / 12.0
            note.balance += note.interest
    if sponsor.default_month > 0 and t == sponsor.estate_month:
        pay_estate(world, sponsor, t)
    sponsor.cash_by_month.append(sponsor.cash)
    sponsor.raised_by_month.append(raised)


def pay_notes_only(sponsor: SponsorState, t: int) -> None:
    """Sponsors off: cash stands still, notes are served and repaid."""
    for note in sponsor.notes:
        note.interest = note.balance * note.coupon / 12.0
        note.instalment = note.balance if t >= note.maturity else 0.0
        note.receive(note.interest + note.instalment)
        note.balance -= note.instalment


def alive(world: World, sponsor: SponsorState, t: int) -> float:
    """Liquidity of a sponsor that has not defaulted; return the equity raised."""
    p, terms = world.p, sponsor.terms
    if (t - 1) % 12 == 0:
        sponsor.raised_in_year = 0.0
    for box in sponsor.boxes:
        month = box.month
        sponsor.cash += month.distribution - contributions(box)
        sponsor.cash -= month.capex_equity + month.issue_discount
    sponsor.cash += terms.other_cash_per_year / 12.0

    overhead = p["hold.overhead"] * sum(box.month.receipts for box in sponsor.boxes)
    coupons = 0.0
    maturities = 0.0
    for note in sponsor.notes:
        note.interest = note.balance * note.coupon / 12.0
        coupons += note.interest
        if t >= note.maturity and note.balance > TINY:
            if can_convert(world, sponsor, note, t):
                convert(sponsor, note)
            elif world.market.market_open[t]:
                extend_note(world, sponsor, note, t)
            else:
                note.instalment = note.balance
                maturities += note.balance
    fees = 0.0
    for note in sponsor.notes:
        if t > note.terms.available_until or t >= note.maturity:
            note.undrawn = 0.0
        fees += note.terms.undrawn_fee * note.undrawn / 12.0
    called = [obligation for obligation in sponsor.obligations if obligation.called < t]
    due = overhead + terms.lease_per_year / 12.0 + coupons + maturities + fees
    due += sum(amount for month, amount in terms.purchases if month == t)
    due += sum(obligation.amount for obligation in called)
    duty = duty_still_open(sponsor)

    raised = 0.0
    if due + duty > sponsor.cash:
        draw_revolver(sponsor, due + duty - sponsor.cash)
    need = due + duty - sponsor.cash
    if need > 0.0:
        need -= issue_notes(world, sponsor, need, t)
    if need > 0.0:
        raised = raise_equity(world, sponsor, need, t)
    if sponsor.cash < due + duty - TINY:
        sponsor_default(world, sponsor, t)
        return raised
    sponsor.cash -= due
    for note in sponsor.notes:
        note.receive(note.interest + note.instalment)
        note.balance -= note.instalment
    for obligation in called:
        box = next(box for box in sponsor.boxes if box.id == obligation.box)
        pay_guarantee(box, obligation.amount)
    sponsor.obligations = [o for o in sponsor.obligations if o.called >= t]
    sponsor.overhead_and_coupons = overhead + coupons
    repay_revolver(world, sponsor, duty, t)
    return raised


def market_value(world: World, sponsor: SponsorState, t: int) -> float:
    """V_H(t) = V_H(0)·e^(−hold.eq_beta·stress), of all shares."""
    return sponsor.terms.market_value * share_move(world, t)


def can_convert(world: World, sponsor: SponsorState, note: TrancheState, t: int) -> bool:
    """Holders take shares at the first maturity if the sponsor is worth enough."""
    trigger = note.terms.conversion_value
    if trigger is None or note.is_extended:
        return False
    return market_value(world, sponsor, t) >= trigger


def convert(sponsor: SponsorState, note: TrancheState) -> None:
    """The balance is settled in shares worth balance·V_H/conversion_value; the coupon in cash."""
    sponsor.retained /= 1.0 + note.balance / note.terms.conversion_value
    note.receive(note.balance)
    note.balance = 0.0


def issue_notes(world: World, sponsor: SponsorState, need: float, t: int) -> float:
    """New notes before shares, up to a share of market value; return what they bring."""
    note = sponsor.new_notes()
    is_distressed = any(
        0 < t - box.default_month <= 24 for box in sponsor.boxes if box.default_month
    )
    if note is None or is_distressed or not world.market.market_open[t]:
        return 0.0
    limit = world.p["hold.borrow_share"] * market_value(world, sponsor, t) - note.balance
    amount = min(need, limit)
    if amount <= TINY:
        return 0.0
    weight = amount / (note.balance + amount)
    months = (1.0 - weight) * max(0, note.maturity - t) + weight * EXTENSION_MONTHS
    note.maturity = t + math.floor(months + 0.5)
    spread = issue_spread(world, sponsor, "holdco", t)
    note.rate = (1.0 - weight) * note.rate + weight * spread
    note.fixed = False
    note.balance += amount
    note.fee_drawn += amount  # counted as a draw at the end of the month
    sponsor.cash += amount
    return amount


def repay_revolver(world: World, sponsor: SponsorState, duty: float, t: int) -> None:
    """Cash that is not needed repays what can be drawn again, by rank, then by id."""
    spare = sponsor.cash - duty - world.p["hold.min_cash"] * sponsor.overhead_and_coupons
    for note in sorted(sponsor.notes, key=lambda n: (n.terms.rank, n.terms.id)):
        is_open = t <= note.terms.available_until and t < note.maturity
        amount = min(spare, note.balance)
        if note.terms.commitment <= 0.0 or not is_open or amount <= 0.0:
            continue
        note.balance -= amount
        note.undrawn += amount
        note.receive(amount)
        sponsor.cash -= amount
        spare -= amount


def draw_revolver(sponsor: SponsorState, need: float) -> None:
    """Before shares are sold: open commitments, pro rata, at the end of the month."""
    undrawn = sum(note.undrawn for note in sponsor.notes)
    amount = min(need, undrawn)
    if amount <= TINY:
        return
    for note in sponsor.notes:
        part = amount * note.undrawn / undrawn
        note.undrawn -= part
        note.balance += part
        note.fee_drawn += part  # counted as a draw at the end of the month
    sponsor.cash += amount


def pay_guarantee(box: BoxState, amount: float) -> None:
    """Lenders of a box receive from the parent, at most their claim."""
    box.month.guarantee_paid += amount - pay_claims(box, amount)


def duty_still_open(sponsor: SponsorState) -> float:
    """Outstanding duty of t − 1, as far as its boxes are still in arrears."""
    arrears = sum(
        tranche.arrears
        for box in sponsor.boxes
        if box.terms.recourse is Recourse.FULL and box.standing is Standing.PERFORMING
        for tranche in box.tranches
    )
    return min(sponsor.unpaid_duty_before, arrears)


def extend_note(world: World, sponsor: SponsorState, note: TrancheState, t: int) -> None:
    note.is_extended = True
    note.maturity = t + EXTENSION_MONTHS
    note.fixed = False
    note.rate = issue_spread(world, sponsor, "holdco", t)


def raise_equity(world: World, sponsor: SponsorState, need: float, t: int) -> float:
    value = market_value(world, sponsor, t)
    amount = min(need, max(0.0, RAISE_LIMIT * value - sponsor.raised_in_year))
    if amount <= 0.0:
        return 0.0
    sponsor.raised_in_year += amount
    sponsor.cash += amount
    sponsor.retained *= value / (value + amount / ISSUE_PRICE)
    return amount


def sponsor_default(world: World, sponsor: SponsorState, t: int) -> None:
    """Nothing is paid; claims are fixed now, the estate is shared out later."""
    sponsor.default_month = t
    lag = math.floor(world.p["hold.estate_lag"] + 0.5)
    sponsor.estate_month = min(t + lag, world.inputs.horizon)
    for note in sponsor.notes:
        note.balance += note.interest
        note.default_month = t
        note.exposure_at_default = note.balance
        note.undrawn = 0.0
        note.instalment = 0.0
        sponsor.note_claims[note.terms.id] = note.balance
    for box in sponsor.boxes:
        amount = deficiency_claim(world, box, t)
        if amount > TINY:
            sponsor.deficiency[box.id] = amount


def deficiency_claim(world: World, box: BoxState, t: int) -> float:
    debt = box.debt()
    if box.terms.recourse is Recourse.NONE or debt <= TINY:
        return 0.0
    if box.terms.recourse is Recourse.LIMITED and box.standing is Standing.PERFORMING:
        return 0.0
    if box.standing is Standing.CLOSED:
        return sum(o.amount for o in world.sponsor_of(box).obligations if o.box == box.id)
    return guaranteed(box, max(0.0, debt - expected_net(world, box, t)))


def pay_estate(world: World, sponsor: SponsorState, t: int) -> None:
    """By rank, pro rata: deficiency claims stand beside the notes of rank 0."""
    equity = sum(
        max(0.0, box.month.collateral - box.debt())
        for box in sponsor.boxes
        if box.standing is Standing.PERFORMING
    )
    concern = world.p["hold.estate_share"] * sponsor.other_value * share_move(world, t)
    left = ESTATE_SHARE * (max(0.0, sponsor.cash) + equity + concern)
    sponsor.cash = 0.0
    for rank in sorted({0, *(note.terms.rank for note in sponsor.notes)}):
        notes = [note for note in sponsor.notes if note.terms.rank == rank]
        guaranteed_boxes = [box for box in sponsor.boxes if box.id in sponsor.deficiency]
        deficiencies = guaranteed_boxes if rank == 0 else []
        claims = sum(sponsor.note_claims[note.terms.id] for note in notes)
        claims += sum(sponsor.deficiency[box.id] for box in deficiencies)
        if claims <= TINY:
            continue
        rate = min(1.0, left / claims)
        left -= rate * claims
        if rank == 0:
            sponsor.payout_rate = rate
        for note in notes:
            amount = min(note.balance, rate * sponsor.note_claims[note.terms.id])
            note.balance -= amount
            recover(note, amount)
        for box in deficiencies:
            pay_guarantee(box, rate * sponsor.deficiency[box.id])
