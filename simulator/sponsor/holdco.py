"""The HoldCo's month: cash in, what is due, how it is found, default.

Short of cash a sponsor draws on its revolver, sells new notes if the market is open, then shares,
at a discount and up to a limit; still short, it defaults.  With cash to spare it repays its
revolver.

Model: docs/model.md §12; `hold.*` (judgement), maturity walls from the public record.
"""

from __future__ import annotations

from simulator.box import flows
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    FULL_RECOURSE,
    NO_RECOURSE,
    PERFORMING,
    TRANCHE,
)
from simulator.box.workout import pay_claims
from simulator.drivers.rates import new_issue_spread
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import pack_at, select
from simulator.sponsor.estate import default_of, settle_estate
from simulator.sponsor.own_debt import (
    accrue_own_debt,
    commitment_fees,
    draw_commitments,
    issue_notes,
    own_debt_due,
    pay_own_debt,
    repay_commitments,
)
from simulator.sponsor.terms import CLAIM, SPONSOR, SPONSOR_TERM, market_value

RAISE_SHARE = 0.25  # of market value a year
RAISE_DISCOUNT = 0.10


@inner
def raise_equity(params, state, s, lane, need, stress):
    """Sell shares for what is needed, within the year's limit; return the cash raised."""
    value = market_value(params, s, stress)
    limit = max(0.0, RAISE_SHARE * value - state.rows[SPONSOR.raised_this_year, s, lane])
    raised = min(need, limit)
    if raised > 0.0:
        state.rows[SPONSOR.raised_this_year, s, lane] += raised
        state.rows[SPONSOR.raised, s, lane] += raised
        state.rows[SPONSOR.retained, s, lane] *= value / (value + raised / (1.0 - RAISE_DISCOUNT))
    return raised


@inner
def gather_from_boxes(state, box_params, boxes, tranches, flow, rare, month):
    """Add up, for each sponsor, what its boxes paid, took and asked of its guarantees.

    Parameters
    ----------
    rare : (box,), whether equity may have paid into a box this month
    """
    lanes = state.rows.shape[2]
    rows = state.rows
    rows[SPONSOR.received, :] = 0.0
    rows[SPONSOR.contributed, :] = 0.0
    rows[SPONSOR.receipts, :] = 0.0
    rows[SPONSOR.called, :] = 0.0
    rows[SPONSOR.overdue, :] = 0.0
    for first in range(0, lanes, PACK):
        pack = pack_at(first, lanes)
        for b in range(box_params.codes.shape[1]):
            s = box_params.codes[BOX_CODE.sponsor, b]
            received = rows[SPONSOR.received, s, pack] + flow[flows.DISTRIBUTED, b, pack]
            rows[SPONSOR.received, s, pack] = received
            receipts = rows[SPONSOR.receipts, s, pack] + flow[flows.RECEIPTS, b, pack]
            rows[SPONSOR.receipts, s, pack] = receipts
            if rare[b]:
                paid = flow[flows.EQUITY_FOR_CAPEX, b, pack] + flow[flows.EQUITY_OTHER, b, pack]
                paid = paid + flow[flows.SUPPORT, b, pack] + flow[flows.CURE, b, pack]
                paid = rows[SPONSOR.contributed, s, pack] + paid
                rows[SPONSOR.contributed, s, pack] = paid
            if box_params.codes[BOX_CODE.recourse, b] == NO_RECOURSE:
                continue
            called = state.claims[CLAIM.guarantee_called, b, pack]
            called = select(boxes.rows[BOX.sale_month, b, pack] < month, called, 0.0)
            rows[SPONSOR.called, s, pack] = rows[SPONSOR.called, s, pack] + called
            if box_params.codes[BOX_CODE.recourse, b] != FULL_RECOURSE:
                continue
            performs = boxes.rows[BOX.status, b, pack] == PERFORMING
            for d in range(
                box_params.codes[BOX_CODE.first_tranche, b],
                box_params.codes[BOX_CODE.end_tranche, b],
            ):
                arrears = select(performs, tranches.rows[TRANCHE.arrears, d, pack], 0.0)
                rows[SPONSOR.overdue, s, pack] = rows[SPONSOR.overdue, s, pack] + arrears


@inlined
def pay_guarantees(state, box_params, boxes, tranche_params, tranches, s, lane, month):
    """Pay what was called under a sponsor's guarantees by the month before."""
    for b in range(box_params.codes.shape[1]):
        cash = state.claims[CLAIM.guarantee_called, b, lane]
        if (
            box_params.codes[BOX_CODE.sponsor, b] == s
            and cash > 0.0
            and boxes.rows[BOX.sale_month, b, lane] < month
        ):
            pay_claims(tranche_params, tranches, box_params, b, lane, cash)
            state.claims[CLAIM.guarantee_called, b, lane] = 0.0


@inner
def find_cash(params, state, tranches, s, lane, month, asked, shut, spread, stress):
    """Bring cash up to what is asked for, as far as commitments, bonds and shares go.

    Parameters
    ----------
    shut : float
        1 if no bonds can be sold.
    """
    need = asked - state.rows[SPONSOR.cash, s, lane]
    if need > 0.0:
        drawn = draw_commitments(params, tranches, s, lane, need)
        state.rows[SPONSOR.cash, s, lane] += drawn
        need = asked - state.rows[SPONSOR.cash, s, lane]
    if need > 0.0 and shut == 0.0 and state.rows[SPONSOR.distressed, s, lane] == 0.0:
        borrowed = issue_notes(params, tranches, s, lane, month, need, stress, spread)
        state.rows[SPONSOR.cash, s, lane] += borrowed
        need = asked - state.rows[SPONSOR.cash, s, lane]
    if need > 0.0:
        state.rows[SPONSOR.cash, s, lane] += raise_equity(params, state, s, lane, need, stress)


@inner
def step_sponsors(
    params,
    state,
    view,
    box_params,
    boxes,
    tranche_params,
    tranches,
    flow,
    rare,
    month,
    sofr_before,
    stress,
):
    """Stage 14: the HoldCo's month, after its boxes'.

    Parameters
    ----------
    sofr_before, stress : (lane,)
    """
    gather_from_boxes(state, box_params, boxes, tranches, flow, rare, month)
    for s in range(params.terms.shape[1]):
        for lane in range(state.rows.shape[2]):
            if (month - 1) % 12 == 0:
                state.rows[SPONSOR.raised_this_year, s, lane] = 0.0
            spread = new_issue_spread(
                exp(view.log_spread[lane]),
                params.spread_beta,
                state.rows[SPONSOR.repaid, s, lane],
                state.rows[SPONSOR.distressed, s, lane] > 0.0,
                params.learning,
            )
            coupons, principal = own_debt_due(
                params,
                state,
                tranche_params,
                tranches,
                s,
                lane,
                month,
                sofr_before[lane],
                view.shut[lane],
                spread,
                stress[lane],
            )
            received = state.rows[SPONSOR.received, s, lane]
            if not params.enabled:
                pay_own_debt(params, tranches, s, lane)
                continue
            if state.rows[SPONSOR.default_month, s, lane] > 0.0:
                if month <= state.rows[SPONSOR.default_month, s, lane] + params.estate_lag:
                    state.rows[SPONSOR.cash, s, lane] += received
                accrue_own_debt(params, tranches, s, lane)
            else:
                contributed = state.rows[SPONSOR.contributed, s, lane]
                state.rows[SPONSOR.cash, s, lane] += (
                    received - contributed + params.terms[SPONSOR_TERM.other_cash, s]
                )
                overhead = params.overhead * state.rows[SPONSOR.receipts, s, lane]
                state.rows[SPONSOR.fixed_costs, s, lane] = overhead + coupons
                called = state.rows[SPONSOR.called, s, lane]
                fees = commitment_fees(params, tranche_params, tranches, s, lane, month)
                lease = params.terms[SPONSOR_TERM.lease, s]
                due = overhead + lease + coupons + principal + fees + called
                due += params.purchases[s, month]
                duty = min(
                    state.rows[SPONSOR.duty_before, s, lane], state.rows[SPONSOR.overdue, s, lane]
                )
                find_cash(
                    params,
                    state,
                    tranches,
                    s,
                    lane,
                    month,
                    due + duty,
                    view.shut[lane],
                    spread,
                    stress[lane],
                )
                if state.rows[SPONSOR.cash, s, lane] < due + duty - flows.TINY:
                    default_of(
                        params,
                        state,
                        view,
                        box_params,
                        boxes,
                        tranches,
                        flow,
                        s,
                        lane,
                        month,
                    )
                else:
                    state.rows[SPONSOR.cash, s, lane] -= due
                    pay_own_debt(params, tranches, s, lane)
                    if called > 0.0:
                        pay_guarantees(
                            state, box_params, boxes, tranche_params, tranches, s, lane, month
                        )
                    kept = duty + params.minimum_months * state.rows[SPONSOR.fixed_costs, s, lane]
                    spare = state.rows[SPONSOR.cash, s, lane] - kept
                    if spare > 0.0:
                        state.rows[SPONSOR.cash, s, lane] -= repay_commitments(
                            params, tranche_params, tranches, s, lane, month, spare
                        )
            failed = state.rows[SPONSOR.default_month, s, lane]
            if failed > 0.0 and month == min(failed + params.estate_lag, float(params.horizon)):
                settle_estate(
                    params,
                    state,
                    box_params,
                    boxes,
                    tranche_params,
                    tranches,
                    flow,
                    s,
                    lane,
                    stress[lane],
                )
