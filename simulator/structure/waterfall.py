"""The month of a structure: collections in, fee, interest, principal and losses of notes out.

    interest:   fee, interest of each note in order (with what is unpaid), cover of the month's
                defaults as principal, residual
    principal:  principal, recoveries and cover; sequential, or pro rata to opening balances until
                the trigger; what no note is owed any more goes to the residual
    losses:     notes above the pool's balance are written down from the most junior up, for good

Model: docs/model.md §18.
"""

from __future__ import annotations

from simulator.numerics.jit import inner
from simulator.structure.terms import NOTE, NOTE_TERM, POOL, STRUCTURE_CODE, STRUCTURE_TERM


@inner
def pay_interest(params, state, s, lane):
    """Pay fee and interest of one structure; return what is left for principal and residual."""
    pools, notes = state.pools, state.notes
    first, end = (
        params.codes[STRUCTURE_CODE.first_note, s],
        params.codes[STRUCTURE_CODE.end_note, s],
    )
    cash = pools[POOL.interest, s, lane]
    fee = params.terms[STRUCTURE_TERM.fee, s] / 12.0 * pools[POOL.opening, s, lane]
    cash -= min(cash, fee)
    for n in range(first, end):
        coupon = params.notes[NOTE_TERM.coupon, n]
        due = notes[NOTE.balance, n, lane] * coupon / 12.0 + notes[NOTE.unpaid, n, lane]
        paid = min(cash, due)
        notes[NOTE.unpaid, n, lane] = due - paid
        notes[NOTE.interest_now, n, lane] = paid
        notes[NOTE.interest_paid, n, lane] += paid
        cash -= paid
    return cash


@inner
def pay_principal(params, state, s, lane, cash, month):
    """Pay principal of one structure; return what no note is owed."""
    pools, notes = state.pools, state.notes
    first, end = (
        params.codes[STRUCTURE_CODE.first_note, s],
        params.codes[STRUCTURE_CODE.end_note, s],
    )
    trigger = params.terms[STRUCTURE_TERM.trigger_loss, s]
    limit = trigger * params.terms[STRUCTURE_TERM.original, s]
    if trigger > 0.0 and pools[POOL.default_so_far, s, lane] > limit:
        if pools[POOL.switched, s, lane] == 0.0:
            pools[POOL.switched, s, lane] = month
    in_order = params.codes[STRUCTURE_CODE.sequential, s] > 0
    in_order = in_order or pools[POOL.switched, s, lane] > 0.0
    owed = 0.0
    for n in range(first, end):
        owed += notes[NOTE.balance, n, lane]
    share = min(1.0, cash / owed) if owed > 0.0 else 0.0
    for n in range(first, end):
        balance = notes[NOTE.balance, n, lane]
        paid = min(cash, balance) if in_order else min(cash, share * balance)
        notes[NOTE.balance, n, lane] = balance - paid
        notes[NOTE.principal_now, n, lane] = paid
        notes[NOTE.principal_paid, n, lane] += paid
        cash -= paid
    return cash


@inner
def write_down(params, state, s, lane):
    """Write notes above the pool's balance down, the most junior first."""
    pools, notes = state.pools, state.notes
    first, end = (
        params.codes[STRUCTURE_CODE.first_note, s],
        params.codes[STRUCTURE_CODE.end_note, s],
    )
    excess = -pools[POOL.closing, s, lane]
    for n in range(first, end):
        excess += notes[NOTE.balance, n, lane]
    for back in range(end - first):
        n = end - 1 - back
        lost = min(max(0.0, excess), notes[NOTE.balance, n, lane])
        notes[NOTE.balance, n, lane] -= lost
        notes[NOTE.written_now, n, lane] = lost
        notes[NOTE.written_down, n, lane] += lost
        excess -= lost


@inner
def pay_structures(params, state, month):
    """Run the month of every structure on every lane, from its collections in `state.pools`."""
    pools, notes = state.pools, state.notes
    for s in range(pools.shape[1]):
        for lane in range(pools.shape[2]):
            for n in range(
                params.codes[STRUCTURE_CODE.first_note, s], params.codes[STRUCTURE_CODE.end_note, s]
            ):
                notes[NOTE.balance, n, lane] += (
                    params.notes[NOTE_TERM.size, n] * pools[POOL.drawn, s, lane]
                )
            defaulted = pools[POOL.defaulted, s, lane]
            pools[POOL.default_so_far, s, lane] += defaulted
            spread = pay_interest(params, state, s, lane)
            cover = min(spread, defaulted)
            cash = pools[POOL.principal, s, lane] + pools[POOL.recoveries, s, lane] + cover
            left = pay_principal(params, state, s, lane, cash, month)
            write_down(params, state, s, lane)
            pools[POOL.cover, s, lane] = cover
            pools[POOL.residual_now, s, lane] = spread - cover + left
            pools[POOL.residual, s, lane] += spread - cover + left
