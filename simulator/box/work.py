"""Scratch of a box's month, for the few lanes that are worked on one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.rows import row_names


@row_names
class NeedRows(NamedTuple):
    """Rows of the scratch."""

    needed: int  # costs, fees and debt service, USD m
    final: int  # principal left at maturity
    early: int  # disposals that found no debt to prepay
    busy: int  # 1 where more than a quiet end of the month may come


NEED = NeedRows(*range(4))


def new_needs(lanes: int) -> NDArray[np.float64]:
    """Return scratch for a block, (row of NEED, lane)."""
    return np.zeros((len(NEED), lanes))
