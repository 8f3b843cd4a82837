"""One path written down in full: the rows of the state, copied after every month.

Copied in Python, between months, because one path is traced at a time: the kernels stay free of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.flows import LINES
from simulator.box.terms import BOX, TRANCHE
from simulator.credit.leases import LEASE
from simulator.credit.names import NAME
from simulator.drivers.demand import DEMAND
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY
from simulator.drivers.rates import RATE
from simulator.engine.market import MARKET
from simulator.engine.outputs import MARKET_SERIES
from simulator.engine.state import ModelState
from simulator.sponsor.terms import CLAIM, SPONSOR

__all__ = ["LEASE_FIELDS", "Trace", "new_trace", "record_month"]

LEASE_FIELDS = ("status", "price", "received", "due", "months_left", "reason")
LEASE_ROWS = [LEASE._fields.index(name) for name in LEASE_FIELDS]
TRANCHE_ROWS = [TRANCHE.balance, TRANCHE.interest, TRANCHE.received, TRANCHE.coupon]
SPONSOR_ROWS = [SPONSOR.cash, SPONSOR.default_month, SPONSOR.raised]
BOX_ROWS = [BOX.status, BOX.trap_on, BOX.default_month]


class Trace(NamedTuple):
    """One path, month by month."""

    flow: NDArray[np.float64]  # (month, line, box)
    tranche: NDArray[np.float64]  # (month, field, tranche): balance, interest, received, coupon
    lease: NDArray[np.float64]  # (month, field, asset), LEASE_FIELDS
    market: NDArray[np.float64]  # (month, series)
    sponsor: NDArray[np.float64]  # (month, field, sponsor): cash, default month, raised
    box_status: NDArray[np.float64]  # (month, field, box): status, trap on, default month
    box: NDArray[np.float64]  # (month, row of BOX, box)
    guarantee: NDArray[np.float64]  # (month, 1, box), called, USD m
    debt: NDArray[np.float64]  # (month, row of TRANCHE, tranche)
    holdco: NDArray[np.float64]  # (month, row of SPONSOR, sponsor)
    name: NDArray[np.float64]  # (month, row of NAME, name)
    policy: NDArray[np.float64]  # (month, row of POLICY, jurisdiction)
    systemic: NDArray[np.float64]  # (month, row of MARKET)
    demand: NDArray[np.float64]  # (month, row of DEMAND)
    efficiency: NDArray[np.float64]  # (month, row of EFFICIENCY)
    memory: NDArray[np.float64]  # (month, row of MEMORY)
    rates: NDArray[np.float64]  # (month, row of RATE)


def new_trace(
    months: int,
    tranches: int,
    boxes: int,
    assets: int,
    names: int,
    sponsors: int,
    jurisdictions: int = 1,
) -> Trace:
    """Allocate a trace of so many months."""

    def rows(of: tuple[int, ...], *entities: int) -> NDArray[np.float64]:
        return np.zeros((months, len(of), *entities))

    return Trace(
        flow=np.zeros((months, len(LINES), boxes)),
        tranche=np.zeros((months, 4, tranches)),
        lease=np.zeros((months, len(LEASE_FIELDS), assets)),
        market=np.zeros((months, len(MARKET_SERIES))),
        sponsor=np.zeros((months, 3, sponsors)),
        box_status=np.zeros((months, 3, boxes)),
        box=rows(BOX, boxes),
        guarantee=np.zeros((months, 1, boxes)),
        debt=rows(TRANCHE, tranches),
        holdco=rows(SPONSOR, sponsors),
        name=rows(NAME, names),
        policy=rows(POLICY, jurisdictions),
        systemic=rows(MARKET),
        demand=rows(DEMAND),
        efficiency=rows(EFFICIENCY),
        memory=rows(MEMORY),
        rates=rows(RATE),
    )


def record_month(trace: Trace, state: ModelState, month: int) -> None:
    """Copy this month of the first lane; t0 (month 0) is not kept.

    Parameters
    ----------
    trace : Trace
        Written at row ``month - 1``.
    state : ModelState
        As the month left it.
    month : int
        Just simulated.
    """
    if month == 0:
        return
    market, leases, tranches = state.market, state.leases.rows, state.tranches.rows
    sponsors, boxes = state.sponsors, state.boxes.rows
    now = {
        "flow": state.flow,
        "tranche": tranches[TRANCHE_ROWS],
        "lease": leases[LEASE_ROWS],
        "market": state.series,
        "sponsor": sponsors.rows[SPONSOR_ROWS],
        "box_status": boxes[BOX_ROWS],
        "box": boxes,
        "guarantee": sponsors.claims[[CLAIM.guarantee_called]],
        "debt": tranches,
        "holdco": sponsors.rows,
        "name": state.names.rows,
        "policy": market.policy.rows,
        "systemic": market.rows,
        "demand": market.demand.rows,
        "efficiency": market.efficiency.rows,
        "memory": market.memory.rows,
        "rates": market.rates.rows,
    }
    for name, rows in now.items():
        target = getattr(trace, name)[month - 1]
        lane = rows[..., 0]
        target[...] = lane[tuple(slice(length) for length in target.shape)]
