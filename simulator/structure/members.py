"""What the loans of a structure pay in, month by month: from the state of tranches to collections.

A member pays interest and principal until it defaults; what it pays after that is recovery, and
its balance has left the pool. Draws are read off the present value of all draws.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.terms import TRANCHE, TRANCHE_CODE
from simulator.numerics.jit import inner
from simulator.structure.terms import (
    MEMBER,
    NOTE,
    NOTE_TERM,
    POOL,
    STRUCTURE_CODE,
)


@inner
def init_structures(params, state, tranches):
    """Reset structures to t0: notes are drawn as far as the members are, sized loans included."""
    state.notes[:] = 0.0
    state.pools[:] = 0.0
    state.members[:] = 0.0
    for s in range(state.pools.shape[1]):
        for lane in range(state.pools.shape[2]):
            drawn = 0.0
            for m in range(
                params.codes[STRUCTURE_CODE.first_member, s],
                params.codes[STRUCTURE_CODE.end_member, s],
            ):
                balance = tranches.rows[TRANCHE.balance, params.members[m], lane]
                drawn += params.shares[m] * balance
                state.members[MEMBER.drawn_pv, m, lane] = balance
                state.members[MEMBER.discount, m, lane] = 1.0
            state.pools[POOL.closing, s, lane] = drawn
            for n in range(
                params.codes[STRUCTURE_CODE.first_note, s],
                params.codes[STRUCTURE_CODE.end_note, s],
            ):
                state.notes[NOTE.balance, n, lane] = params.notes[NOTE_TERM.size, n] * drawn


@inner
def collect_members(params, state, debt_terms, tranches, boxes_default, sponsors_default):
    """Gather the month's collections of every structure.

    Parameters
    ----------
    boxes_default, sponsors_default : (box or sponsor, lane), month of default, 0 = none
    """
    pools, members = state.pools, state.members
    lanes = pools.shape[2]
    for s in range(pools.shape[1]):
        for lane in range(lanes):
            pools[POOL.opening, s, lane] = pools[POOL.closing, s, lane]
        for row in range(POOL.interest, POOL.drawn + 1):
            for lane in range(lanes):
                pools[row, s, lane] = 0.0
        for lane in range(lanes):
            pools[POOL.closing, s, lane] = 0.0
        for m in range(
            params.codes[STRUCTURE_CODE.first_member, s], params.codes[STRUCTURE_CODE.end_member, s]
        ):
            d, share = params.members[m], params.shares[m]
            b, owner = (
                debt_terms.codes[TRANCHE_CODE.box, d],
                debt_terms.codes[TRANCHE_CODE.sponsor, d],
            )
            for lane in range(lanes):
                failed = sponsors_default[owner, lane]
                if b >= 0:
                    failed = boxes_default[b, lane]
                received = share * tranches.rows[TRANCHE.received, d, lane]
                balance = share * tranches.rows[TRANCHE.balance, d, lane]
                drawn_pv = tranches.rows[TRANCHE.drawn_pv, d, lane]
                drawn = drawn_pv - members[MEMBER.drawn_pv, m, lane]
                drawn /= members[MEMBER.discount, m, lane]
                members[MEMBER.drawn_pv, m, lane] = drawn_pv
                members[MEMBER.discount, m, lane] = tranches.rows[TRANCHE.discount, d, lane]
                if members[MEMBER.defaulted, m, lane] > 0.0:
                    pools[POOL.recoveries, s, lane] += received
                    continue
                if drawn > flows.TINY:
                    pools[POOL.drawn, s, lane] += share * drawn
                interest = tranches.rows[TRANCHE.interest, d, lane]
                interest += tranches.rows[TRANCHE.construction, d, lane]
                interest = min(received, share * interest)
                pools[POOL.interest, s, lane] += interest
                pools[POOL.principal, s, lane] += received - interest
                if failed > 0.0:
                    members[MEMBER.defaulted, m, lane] = 1.0
                    pools[POOL.defaulted, s, lane] += balance
                else:
                    pools[POOL.closing, s, lane] += balance
