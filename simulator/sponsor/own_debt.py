"""A HoldCo's own debt: coupons, walls, converts, the revolver, new notes.

What falls due is extended if the market is open, else it must be paid; a convert is settled in
shares first if these are worth more.  A revolver is drawn when cash is short and repaid when there
is enough of it again; new notes are sold, while the market is open, before shares are.

Model: docs/model.md §12 (stage 14).
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.funding import add_to_balance
from simulator.box.instalments import final_principal, instalment_due
from simulator.box.payments import coupon_rate
from simulator.box.terms import TRANCHE, TRANCHE_CODE, TRANCHE_TERM
from simulator.numerics.jit import inlined, inner
from simulator.sponsor.terms import SPONSOR, market_value

EXTENSION_MONTHS = 60.0  # of a note that is extended, and life of a new one


@inlined
def may_convert(params, tranches, d, lane, month, stress, s):
    """Say whether a convert is settled in shares: at its own maturity, if they are worth more."""
    return (
        month >= tranches.rows[TRANCHE.maturity, d, lane]
        and tranches.rows[TRANCHE.refinanced, d, lane] == 0.0
        and market_value(params, s, stress) >= params.conversion_value[d]
    )


@inlined
def convert(params, state, tranches, s, d, lane):
    """Settle a convert in new shares: what today's holders keep falls, no cash moves."""
    balance = tranches.rows[TRANCHE.balance, d, lane]
    state.rows[SPONSOR.retained, s, lane] /= 1.0 + balance / params.conversion_value[d]
    tranches.rows[TRANCHE.received, d, lane] += balance
    tranches.rows[TRANCHE.balance, d, lane] = 0.0


@inlined
def own_debt_due(
    params, state, tranche_params, tranches, s, lane, month, sofr_before, shut, spread, stress
):
    """Set interest and instalments of a HoldCo's own debt; return (coupons, principal) due.

    Principal at or past maturity counts in `principal_due` whether it is extended or not.
    """
    coupons = 0.0
    principal = 0.0
    wall = 0.0
    is_alive = state.rows[SPONSOR.default_month, s, lane] == 0.0
    solvent = params.enabled and is_alive
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        coupon = coupon_rate(tranche_params, tranches, d, lane, month, sofr_before)
        tranches.rows[TRANCHE.coupon, d, lane] = coupon
        tranches.rows[TRANCHE.discount, d, lane] /= 1.0 + coupon / 12.0
        tranches.rows[TRANCHE.received, d, lane] = 0.0
        balance = tranches.rows[TRANCHE.balance, d, lane]
        tranches.rows[TRANCHE.interest, d, lane] = balance * coupon / 12.0
        if month >= tranches.rows[TRANCHE.maturity, d, lane] and balance > flows.TINY:
            wall += balance
            if solvent and may_convert(params, tranches, d, lane, month, stress, s):
                convert(params, state, tranches, s, d, lane)
                balance = 0.0
            elif solvent and shut == 0.0:
                tranches.rows[TRANCHE.maturity, d, lane] = month + EXTENSION_MONTHS
                tranches.rows[TRANCHE.margin, d, lane] = spread
                tranches.rows[TRANCHE.refinanced, d, lane] = 1.0
        instalment = instalment_due(tranche_params, tranches, d, lane, month, balance, coupon)
        if month < tranches.rows[TRANCHE.maturity, d, lane]:
            wall += instalment
        instalment += final_principal(tranches, d, lane, month, balance, instalment)
        tranches.rows[TRANCHE.instalment, d, lane] = instalment
        coupons += tranches.rows[TRANCHE.interest, d, lane]
        principal += tranches.rows[TRANCHE.instalment, d, lane]
    state.rows[SPONSOR.principal_due, s, lane] = wall if is_alive else 0.0
    return coupons, principal


@inlined
def commitment_fees(params, tranche_params, tranches, s, lane, month):
    """Return the fees on a HoldCo's open commitments, USD m; those past their end lapse."""
    fees = 0.0
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        if not may_draw(tranche_params, tranches, d, lane, month):
            tranches.rows[TRANCHE.undrawn, d, lane] = 0.0
        undrawn = tranches.rows[TRANCHE.undrawn, d, lane]
        fees += tranche_params.terms[TRANCHE_TERM.undrawn_fee, d] * undrawn / 12.0
    return fees


@inlined
def may_draw(tranche_params, tranches, d, lane, month):
    """Say whether a tranche can still be drawn: in its draw period and before it falls due."""
    return (
        month <= tranche_params.codes[TRANCHE_CODE.available_until, d]
        and month < tranches.rows[TRANCHE.maturity, d, lane]
    )


@inner
def draw_commitments(params, tranches, s, lane, need):
    """Draw on a HoldCo's open commitments, pro rata to what is undrawn; return the cash, USD m."""
    undrawn = 0.0
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        undrawn += tranches.rows[TRANCHE.undrawn, d, lane]
    drawn = min(need, undrawn)
    if drawn <= flows.TINY:
        return 0.0
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        part = drawn * tranches.rows[TRANCHE.undrawn, d, lane] / undrawn
        tranches.rows[TRANCHE.undrawn, d, lane] -= part
        add_to_balance(tranches, d, lane, part)
    return drawn


@inner
def repay_commitments(params, tranche_params, tranches, s, lane, month, spare):
    """Repay a revolver that can be drawn again, in order of rank and id; return the cash, USD m."""
    left = spare
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        if may_draw(tranche_params, tranches, d, lane, month):
            paid = min(left, tranches.rows[TRANCHE.balance, d, lane])
            tranches.rows[TRANCHE.balance, d, lane] -= paid
            tranches.rows[TRANCHE.undrawn, d, lane] += paid
            tranches.rows[TRANCHE.received, d, lane] += paid
            left -= paid
    return spare - left


@inner
def issue_notes(params, tranches, s, lane, month, need, stress, spread):
    """Sell new notes for what is needed, up to a share of market value; return the cash, USD m.

    They stand on one tranche, whose margin and months to maturity are those of its parts, weighted
    by balance.
    """
    d = params.new_notes[s]
    if d < 0:
        return 0.0
    before = tranches.rows[TRANCHE.balance, d, lane]
    room = params.borrow_share * market_value(params, s, stress) - before
    amount = min(need, room)
    if amount <= flows.TINY:
        return 0.0
    weight = amount / (before + amount)
    left = max(0.0, tranches.rows[TRANCHE.maturity, d, lane] - month)
    months = np.floor((1.0 - weight) * left + weight * EXTENSION_MONTHS + 0.5)
    margin = (1.0 - weight) * tranches.rows[TRANCHE.margin, d, lane] + weight * spread
    tranches.rows[TRANCHE.maturity, d, lane] = month + months
    tranches.rows[TRANCHE.margin, d, lane] = margin
    tranches.rows[TRANCHE.refinanced, d, lane] = 1.0
    add_to_balance(tranches, d, lane, amount)
    return amount


@inlined
def pay_own_debt(params, tranches, s, lane):
    """Pay what is due on a HoldCo's own debt."""
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        paid = tranches.rows[TRANCHE.interest, d, lane] + tranches.rows[TRANCHE.instalment, d, lane]
        tranches.rows[TRANCHE.received, d, lane] += paid
        tranches.rows[TRANCHE.balance, d, lane] = max(
            0.0,
            tranches.rows[TRANCHE.balance, d, lane] - tranches.rows[TRANCHE.instalment, d, lane],
        )


@inlined
def accrue_own_debt(params, tranches, s, lane):
    """Add unpaid interest to the claims of a defaulted HoldCo's creditors."""
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        tranches.rows[TRANCHE.balance, d, lane] += tranches.rows[TRANCHE.interest, d, lane]
