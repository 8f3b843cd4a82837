"""Packed terms and state of structures: notes, their pools, and the month's collections."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.rows import row_names


@row_names
class StructureTermRows(NamedTuple):
    """Rows of `StructureParams.terms`."""

    original: int  # commitments of the pool, USD m
    fee: int  # per year of the pool's balance
    trigger_loss: int  # cumulative defaults over the original pool, 0 = no trigger


STRUCTURE_TERM = StructureTermRows(*range(3))


@row_names
class StructureCodeRows(NamedTuple):
    """Rows of `StructureParams.codes`."""

    first_note: int
    end_note: int
    first_member: int
    end_member: int
    sequential: int  # 0 = pro rata until the trigger


STRUCTURE_CODE = StructureCodeRows(*range(5))


@row_names
class NoteTermRows(NamedTuple):
    """Rows of `StructureParams.notes`."""

    size: int  # share of what the pool draws
    coupon: int  # per year


NOTE_TERM = NoteTermRows(*range(2))


class StructureParams(NamedTuple):
    """Frozen terms."""

    terms: NDArray[np.float64]  # (row of STRUCTURE_TERM, structure)
    codes: NDArray[np.int64]  # (row of STRUCTURE_CODE, structure)
    notes: NDArray[np.float64]  # (row of NOTE_TERM, note), most senior first in each structure
    members: NDArray[np.int64]  # (member,), row of the tranche
    shares: NDArray[np.float64]  # (member,)


@row_names
class NoteRows(NamedTuple):
    """Rows of `StructureState.notes`."""

    balance: int  # USD m
    unpaid: int  # interest, without interest on it
    written_down: int  # so far
    interest_paid: int  # so far
    principal_paid: int  # so far
    interest_now: int  # paid this month
    principal_now: int
    written_now: int


NOTE = NoteRows(*range(8))


@row_names
class PoolRows(NamedTuple):
    """Rows of `StructureState.pools`: the month's collections and what runs on, USD m."""

    interest: int  # collected this month
    principal: int
    recoveries: int
    defaulted: int  # balances of members that default this month
    drawn: int  # by members this month
    opening: int  # balance of the members not in default, at the start of the month
    closing: int  # and at its end
    default_so_far: int
    switched: int  # month from which principal is sequential, 0 = not yet
    cover: int  # excess spread paid as principal this month
    residual_now: int
    residual: int  # so far


POOL = PoolRows(*range(12))


@row_names
class MemberRows(NamedTuple):
    """Rows of `StructureState.members`: as they stood at the end of the month before."""

    defaulted: int  # 1 once it has
    drawn_pv: int
    discount: int


MEMBER = MemberRows(*range(3))


class StructureState(NamedTuple):
    """State by lane."""

    notes: NDArray[np.float64]  # (row of NOTE, note, lane)
    pools: NDArray[np.float64]  # (row of POOL, structure, lane)
    members: NDArray[np.float64]  # (row of MEMBER, member, lane)


def new_structures(structures: int, notes: int, members: int, lanes: int) -> StructureState:
    """Return state for a block."""
    return StructureState(
        notes=np.zeros((len(NOTE), notes, lanes)),
        pools=np.zeros((len(POOL), structures, lanes)),
        members=np.zeros((len(MEMBER), members, lanes)),
    )
