"""Payment dates and coupons of debt.

Model: docs/model.md §11.
"""

from __future__ import annotations

import numpy as np

from simulator.box.terms import (
    BOX_CODE,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
)
from simulator.numerics.jit import inlined


@inlined
def index_rate(params, d, sofr_before):
    """Return the index of a floating coupon: SOFR of the month before, between floor and cap."""
    floored = max(params.terms[TRANCHE_TERM.floor, d], sofr_before)
    return min(params.terms[TRANCHE_TERM.rate_cap, d], floored)


@inlined
def margin_of(params, d, month):
    """Return the margin (or fixed rate) of a month as agreed at the start, per year."""
    margin = params.terms[TRANCHE_TERM.rate, d]
    step_month = params.codes[TRANCHE_CODE.margin_step_month, d]
    if step_month > 0 and month >= step_month:
        margin += params.terms[TRANCHE_TERM.margin_step, d]
    return margin


@inlined
def coupon_rate(params, state, d, lane, month, sofr_before):
    """Return the coupon of the month, per year."""
    if state.rows[TRANCHE.refinanced, d, lane] > 0.0:
        return index_rate(params, d, sofr_before) + state.rows[TRANCHE.margin, d, lane]
    margin = margin_of(params, d, month)
    if params.codes[TRANCHE_CODE.fixed, d]:
        return margin
    return index_rate(params, d, sofr_before) + margin


@inlined
def is_payment_month(box_params, b, month):
    """Say whether a month ends on a payment date of a box's debt."""
    anchor = box_params.codes[BOX_CODE.payment_anchor, b]
    return (month - anchor) % box_params.codes[BOX_CODE.payment_interval, b] == 0


@inlined
def pays(params, state, d, lane, month):
    """Say whether a tranche pays in a month: on a payment date, and once it has matured."""
    interval = params.codes[TRANCHE_CODE.payment_interval, d]
    on_date = (month - params.codes[TRANCHE_CODE.payment_anchor, d]) % interval == 0
    return on_date or month >= state.rows[TRANCHE.maturity, d, lane]


@inlined
def periods_left(params, d, month, maturity):
    """Return the number of payments from a payment month up to maturity, both included."""
    return np.ceil((maturity - month) / params.codes[TRANCHE_CODE.payment_interval, d]) + 1.0
