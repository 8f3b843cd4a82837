"""Default of a HoldCo, and the estate that its creditors share.

The estate is what cash is left, the surplus of boxes that still perform, and the business outside
the tape as a going concern.  Notes and guarantees share it by rank.

Model: docs/model.md §12 (default, estate).
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.projection import expected_sale_share
from simulator.box.receipts import box_debt
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    CLOSED,
    FULL_RECOURSE,
    LIMITED_RECOURSE,
    PERFORMING,
    TRANCHE,
    TRANCHE_CODE,
    WORKOUT,
)
from simulator.box.workout import pay_claims
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.sponsor.own_debt import accrue_own_debt
from simulator.sponsor.terms import CLAIM, SPONSOR, owes

ESTATE_COST = 0.08


@inner
def default_of(state, view, box_params, boxes, tranche_params, tranches, flow, s, lane, month):
    """Put a HoldCo into default: claims on its estate are fixed here."""
    state.rows[SPONSOR.default_month, s, lane] = month
    accrue_own_debt(tranche_params, tranches, s, lane)
    for d in range(tranche_params.codes.shape[1]):
        if owes(tranche_params, d, s):
            tranches.rows[TRANCHE.exposure, d, lane] = tranches.rows[TRANCHE.balance, d, lane]
            tranches.rows[TRANCHE.undrawn, d, lane] = 0.0
    for b in range(box_params.codes.shape[1]):
        if box_params.codes[BOX_CODE.sponsor, b] != s:
            continue
        recourse = box_params.codes[BOX_CODE.recourse, b]
        debt = box_debt(box_params, tranches, b, lane)
        net = expected_sale_share(view) * flow[flows.COLLATERAL, b, lane]
        claim = 0.0
        if boxes.rows[BOX.status, b, lane] == CLOSED:
            claim = state.claims[CLAIM.guarantee_called, b, lane]
        elif recourse == FULL_RECOURSE:
            claim = max(0.0, debt - net)
        elif recourse == LIMITED_RECOURSE and boxes.rows[BOX.status, b, lane] == WORKOUT:
            claim = min(box_params.terms[BOX_TERM.guarantee_cap, b], max(0.0, debt - net))
        state.claims[CLAIM.deficiency, b, lane] = claim
        state.claims[CLAIM.guarantee_called, b, lane] = 0.0


@inlined
def estate_value(params, state, box_params, boxes, tranches, flow, s, lane, stress):
    """Return what a HoldCo's estate brings after its costs, USD m."""
    estate = max(0.0, state.rows[SPONSOR.cash, s, lane])
    for b in range(box_params.codes.shape[1]):
        if (
            box_params.codes[BOX_CODE.sponsor, b] == s
            and boxes.rows[BOX.status, b, lane] == PERFORMING
        ):
            debt = box_debt(box_params, tranches, b, lane)
            estate += max(0.0, flow[flows.COLLATERAL, b, lane] - debt)
    business = state.rows[SPONSOR.other_value, s, lane] * exp(-params.equity_beta * stress)
    return (1.0 - ESTATE_COST) * (estate + params.estate_share * business)


@inlined
def claims_of_rank(state, box_params, tranche_params, tranches, s, lane, rank):
    """Return the claims of a rank on a HoldCo's estate, USD m; guarantees rank with the first."""
    claims = 0.0
    if rank == 0:
        for b in range(box_params.codes.shape[1]):
            if box_params.codes[BOX_CODE.sponsor, b] == s:
                claims += state.claims[CLAIM.deficiency, b, lane]
    for d in range(tranche_params.codes.shape[1]):
        if owes(tranche_params, d, s) and tranche_params.codes[TRANCHE_CODE.rank, d] == rank:
            claims += tranches.rows[TRANCHE.exposure, d, lane]
    return claims


@inner
def settle_estate(
    params, state, box_params, boxes, tranche_params, tranches, flow, s, lane, stress
):
    """Pay the estate out once, by rank, pro rata to the claims as they stood at the default."""
    left = estate_value(params, state, box_params, boxes, tranches, flow, s, lane, stress)
    state.rows[SPONSOR.cash, s, lane] = 0.0
    for rank in range(params.last_rank + 1):
        claims = claims_of_rank(state, box_params, tranche_params, tranches, s, lane, rank)
        if claims <= flows.TINY:
            continue
        rate = min(1.0, left / claims)
        left = max(0.0, left - rate * claims)
        for d in range(tranche_params.codes.shape[1]):
            if owes(tranche_params, d, s) and tranche_params.codes[TRANCHE_CODE.rank, d] == rank:
                paid = rate * tranches.rows[TRANCHE.exposure, d, lane]
                tranches.rows[TRANCHE.balance, d, lane] -= paid
                tranches.rows[TRANCHE.received, d, lane] += paid
                tranches.rows[TRANCHE.recovered, d, lane] += paid
        if rank == 0:
            for b in range(box_params.codes.shape[1]):
                if (
                    box_params.codes[BOX_CODE.sponsor, b] == s
                    and state.claims[CLAIM.deficiency, b, lane] > 0.0
                ):
                    cash = rate * state.claims[CLAIM.deficiency, b, lane]
                    pay_claims(tranche_params, tranches, box_params, b, lane, cash)
