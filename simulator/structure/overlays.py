"""Protection on the same paths: what is insured month by month, and floors under workout sales.

A floor pays a box's lenders, by rank, what a workout sale brings less than a share of cost that
runs off in a straight line with age; all that was ever delivered counts, whatever became of it.

Model: docs/model.md §18.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box import flows
from simulator.box.deliveries import DELIVERY_TERM
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    CLOSED,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.credit.leases import CANCELLED, LEASE, PENDING
from simulator.numerics.jit import inner
from simulator.numerics.rows import row_names


@row_names
class FloorTermRows(NamedTuple):
    """Rows of `OverlayParams.floors`."""

    share: int  # of cost
    months: int  # over which it runs off
    limit: int  # USD m
    paid_share: int  # of what is missing


FLOOR_TERM = FloorTermRows(*range(4))


class OverlayParams(NamedTuple):
    """Frozen terms; empty without overlays."""

    insured: NDArray[np.int64]  # (insured,), rows of tranches
    floors: NDArray[np.float64]  # (row of FLOOR_TERM, floor)
    floor_boxes: NDArray[np.int64]  # (floor,)


class OverlayState(NamedTuple):
    """State by lane."""

    annuity: NDArray[np.float64]  # (insured, lane), PV of claims outstanding, USD m times years
    floor_paid: NDArray[np.float64]  # (floor, lane), to the lender's book, PV
    floor_done: NDArray[np.float64]  # (floor, lane), 1 once the box has been closed


def new_overlays(insured: int, floors: int, lanes: int) -> OverlayState:
    """Return state for a block."""
    return OverlayState(
        np.zeros((insured, lanes)), np.zeros((floors, lanes)), np.zeros((floors, lanes))
    )


@inner
def init_overlays(state):
    """Reset a block to t0."""
    state.annuity[:] = 0.0
    state.floor_paid[:] = 0.0
    state.floor_done[:] = 0.0


@inner
def guaranteed_value(box_params, deliveries, leases, b, lane, month, share, months):
    """Return what a floor promises for the GPUs of a box, USD m."""
    value = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        status = leases.rows[LEASE.status, a, lane]
        if status == PENDING or status == CANCELLED:
            continue
        age = max(0.0, month - leases.rows[LEASE.accepted, a, lane])
        left = max(0.0, 1.0 - age / months)
        value += share * deliveries.terms[DELIVERY_TERM.cost, a] * left
    return value


@inner
def pay_by_rank(box_params, debt_terms, tranches, b, lane, amount):
    """Return the lender's part, PV, of an amount that pays claims by rank, pro rata within one."""
    held = 0.0
    first, end = (
        box_params.codes[BOX_CODE.first_tranche, b],
        box_params.codes[BOX_CODE.end_tranche, b],
    )
    for rank in range(box_params.codes[BOX_CODE.last_rank, b] + 1):
        claims = 0.0
        for d in range(first, end):
            if debt_terms.codes[TRANCHE_CODE.rank, d] == rank:
                claims += tranches.rows[TRANCHE.balance, d, lane]
        if claims <= flows.TINY:
            continue
        part = min(1.0, amount / claims)
        for d in range(first, end):
            if debt_terms.codes[TRANCHE_CODE.rank, d] == rank:
                paid = part * tranches.rows[TRANCHE.balance, d, lane]
                share = debt_terms.terms[TRANCHE_TERM.lender_share, d]
                held += share * tranches.rows[TRANCHE.discount, d, lane] * paid
        amount = max(0.0, amount - part * claims)
    return held


@inner
def step_overlays(
    params,
    state,
    box_params,
    boxes,
    debt_terms,
    tranches,
    sponsors_default,
    deliveries,
    leases,
    flow,
    month,
):
    """Add the month's insured claims, and what floors pay for boxes that were sold in it.

    Parameters
    ----------
    sponsors_default : (sponsor, lane), month of default, 0 = none
    """
    lanes = flow.shape[2]
    for i in range(params.insured.shape[0]):
        d = params.insured[i]
        b, owner = debt_terms.codes[TRANCHE_CODE.box, d], debt_terms.codes[TRANCHE_CODE.sponsor, d]
        for lane in range(lanes):
            failed = sponsors_default[owner, lane]
            if b >= 0:
                failed = boxes.rows[BOX.default_month, b, lane]
            if failed == 0.0:
                claim = tranches.rows[TRANCHE.balance, d, lane]
                state.annuity[i, lane] += tranches.rows[TRANCHE.discount, d, lane] * claim / 12.0
    for f in range(params.floor_boxes.shape[0]):
        b = params.floor_boxes[f]
        for lane in range(lanes):
            if boxes.rows[BOX.status, b, lane] != CLOSED or state.floor_done[f, lane] > 0.0:
                continue
            state.floor_done[f, lane] = 1.0
            if not box_params.collateral_model:  # nothing is sold
                continue
            promised = guaranteed_value(
                box_params,
                deliveries,
                leases,
                b,
                lane,
                month,
                params.floors[FLOOR_TERM.share, f],
                params.floors[FLOOR_TERM.months, f],
            )
            missing = max(0.0, promised - flow[flows.SALE_PROCEEDS, b, lane])
            amount = params.floors[FLOOR_TERM.paid_share, f] * missing
            amount = min(amount, params.floors[FLOOR_TERM.limit, f])
            state.floor_paid[f, lane] = pay_by_rank(
                box_params, debt_terms, tranches, b, lane, amount
            )
