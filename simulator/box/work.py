"""Scratch of a box's month: one row each, by lane, for what all lanes do side by side.

A function writes the rows that it reads; nothing stays from box to box.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.terms import BOX, BOX_CODE, PERFORMING, TRANCHE
from simulator.numerics.jit import inner
from simulator.numerics.rows import row_names


@row_names
class WorkRows(NamedTuple):
    """Rows of the scratch."""

    performs: int  # 1 or 0
    debt: int  # USD m
    early: int  # disposals that found no debt to prepay
    needed: int  # costs, fees and debt service
    final: int  # principal left at maturity
    due: int  # on the line being paid
    share: int  # of it that is paid
    busy: int  # 1 where more than a quiet end of the month may come
    tested: int  # 1 where covenants are tested
    cfads: int  # of the coverage window
    service: int  # of the coverage window
    asked: int  # cure, USD m
    trap: int  # 1 where cash is trapped


WORK = WorkRows(*range(13))


def new_work(lanes: int) -> NDArray[np.float64]:
    """Return scratch for a block, (row of WORK, lane)."""
    return np.zeros((len(WORK), lanes))


@inner
def note_debt(box_params, boxes, tranches, work, b):
    """Note in which lanes a box performs, and what it owes there."""
    for lane in range(work.shape[1]):
        performs = boxes.rows[BOX.status, b, lane] == PERFORMING
        work[WORK.performs, lane] = 1.0 if performs else 0.0
        work[WORK.debt, lane] = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        for lane in range(work.shape[1]):
            work[WORK.debt, lane] += tranches.rows[TRANCHE.balance, d, lane]
