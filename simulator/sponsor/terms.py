"""Packed terms and state of HoldCos, shared by the stages of a sponsor's month."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.terms import BOX, BOX_CODE, TRANCHE_TERM
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.rows import row_names

DISTRESS_MONTHS = 24.0


@row_names
class SponsorTermRows(NamedTuple):
    """Rows of `SponsorParams.terms`."""

    cash0: int  # USD m
    market_value: int  # USD m
    other_cash: int  # USD m per month, business outside the tape
    lease: int  # USD m per month
    support_factor: int  # gain over cost at which a box is worth supporting
    other_value: int  # USD m at t0, business outside the tape; NaN = what the market pays for it


SPONSOR_TERM = SponsorTermRows(*range(6))


class SponsorParams(NamedTuple):
    """Frozen terms, by sponsor unless said otherwise."""

    terms: NDArray[np.float64]  # (row of SPONSOR_TERM, ...)
    purchases: NDArray[np.float64]  # (..., month), USD m due in each month of the path
    first_tranche: NDArray[np.int64]  # rows of own debt
    end_tranche: NDArray[np.int64]
    new_notes: NDArray[np.int64]  # tranche that new notes are issued on, -1 = none
    conversion_value: NDArray[np.float64]  # (tranche,), USD m of the sponsor, infinite = never
    last_rank: int  # of all HoldCo debt
    overhead: float  # share of receipts
    minimum_months: float  # of overhead and coupons kept as cash
    borrow_share: float  # new notes over market value
    equity_beta: float  # fall of log market value per unit of stress
    estate_share: float  # of the value of business outside the tape, in an estate
    estate_lag: float  # months
    spread_beta: float  # cs.hold_beta
    learning: float
    horizon: int
    enabled: bool


@row_names
class ClaimRows(NamedTuple):
    """Rows of `SponsorState.claims`."""

    guarantee_called: int  # (box, lane), due from the next month on
    deficiency: int  # (box, lane), claim on the estate


CLAIM = ClaimRows(*range(2))


@row_names
class SponsorRows(NamedTuple):
    """Rows of `SponsorState.rows`."""

    cash: int
    default_month: int  # 0 = none
    retained: int  # share of the equity still held by today's holders
    raised: int  # USD m, all years
    raised_this_year: int
    duty: int  # unpaid guaranteed shortfall of this month
    duty_before: int  # of the month before
    fixed_costs: int  # overhead and coupons of the month
    repaid: int  # boxes repaid up to the month before
    distressed: int  # 1 within 24 months of a box's default
    other_value: int  # USD m at t0, business outside the tape
    principal_due: int  # of own debt in the month, extended or not, USD m
    received: int  # distributions of its boxes this month
    contributed: int  # to its boxes this month
    receipts: int  # of its boxes this month
    called: int  # under its guarantees by the month before
    overdue: int  # arrears of its performing, fully guaranteed boxes
    asked: int  # shortfalls and cures of its boxes


SPONSOR = SponsorRows(*range(18))


class SponsorState(NamedTuple):
    """State by sponsor and lane, unless said otherwise."""

    claims: NDArray[np.float64]  # (row of CLAIM, ...)
    rows: NDArray[np.float64]  # (row of SPONSOR, ...)


def new_sponsors(sponsors: int, boxes: int, lanes: int) -> SponsorState:
    """Return state for a block."""
    return SponsorState(
        claims=np.zeros((len(CLAIM), max(1, boxes), lanes)),
        rows=np.zeros((len(SPONSOR), max(1, sponsors), lanes)),
    )


@inlined
def market_value(params, s, stress):
    """Return V_H(t) of all shares, USD m: it falls with the stress of the sector."""
    return params.terms[SPONSOR_TERM.market_value, s] * exp(-params.equity_beta * stress)


@inner
def init_sponsors(params, state, box_params, tranche_params, equity0):
    """Reset a block to t0.

    Business outside the tape is worth what the tape says, else what the market pays for the whole
    company beyond its cash and its boxes, before its debt.

    Parameters
    ----------
    equity0 : (box, lane), value of the equity of each box at t0, USD m
    """
    state.rows[:] = 0.0
    state.claims[:] = 0.0
    state.rows[SPONSOR.retained] = 1.0
    for s in range(params.terms.shape[1]):
        cash = params.terms[SPONSOR_TERM.cash0, s]
        debt = opening_debt(params, tranche_params, s)
        for lane in range(state.rows.shape[2]):
            state.rows[SPONSOR.cash, s, lane] = cash
            value = params.terms[SPONSOR_TERM.other_value, s]
            if np.isnan(value):
                held = equity_in_boxes(box_params, equity0, s, lane)
                whole = params.terms[SPONSOR_TERM.market_value, s] + debt
                value = max(0.0, whole - cash - held)
            state.rows[SPONSOR.other_value, s, lane] = value


@inner
def opening_debt(params, tranche_params, s):
    """Return a HoldCo's own debt at t0, USD m."""
    total = 0.0
    for d in range(params.first_tranche[s], params.end_tranche[s]):
        total += tranche_params.terms[TRANCHE_TERM.balance0, d]
    return total


@inner
def equity_in_boxes(box_params, values, s, lane):
    """Add up values (box, lane) of a sponsor's boxes, USD m."""
    total = 0.0
    for b in range(box_params.codes.shape[1]):
        if box_params.codes[BOX_CODE.sponsor, b] == s:
            total += values[b, lane]
    return total


@inner
def note_track_record(box_params, boxes, state, month):
    """Count, for each sponsor, boxes repaid and recent defaults up to the month before."""
    state.rows[SPONSOR.repaid, :] = 0.0
    state.rows[SPONSOR.distressed, :] = 0.0
    for b in range(box_params.codes.shape[1]):
        s = box_params.codes[BOX_CODE.sponsor, b]
        for lane in range(state.rows.shape[2]):
            state.rows[SPONSOR.repaid, s, lane] += boxes.rows[BOX.repaid, b, lane]
            failed = boxes.rows[BOX.default_month, b, lane]
            if failed > 0.0 and month - DISTRESS_MONTHS <= failed < month:
                state.rows[SPONSOR.distressed, s, lane] = 1.0
