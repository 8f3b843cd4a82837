"""The HoldCo: liquidity, support for its boxes, its own debt, default and estate.

A sponsor pays the shortfalls it has guaranteed as long as it has cash, and supports or cures other
boxes only where that is worth more than it costs.  Short of cash it draws on its revolver, then
sells shares, at a discount and up to a limit; still short, it defaults, and its guarantees and
notes share one estate.

Model: docs/model.md §12; `hold.*` (judgement), maturity walls from the public record.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box import flows
from simulator.box.debt import coupon_rate, final_principal, instalment_due
from simulator.box.projection import (
    expected_sale_share,
    level_service,
    mean_coupon,
    months_to_maturity,
    projected_cash,
)
from simulator.box.receipts import box_debt
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    CLOSED,
    FULL_RECOURSE,
    LIMITED_RECOURSE,
    NO_RECOURSE,
    PERFORMING,
    TRANCHE,
    TRANCHE_CODE,
    TRANCHE_TERM,
    WORKOUT,
)
from simulator.box.workout import pay_claims
from simulator.drivers.rates import new_issue_spread
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.rows import row_names

RAISE_SHARE = 0.25  # of market value a year
RAISE_DISCOUNT = 0.10
ESTATE_COST = 0.08
EXTENSION_MONTHS = 60.0
DISTRESS_MONTHS = 24.0


@row_names
class SponsorTermRows(NamedTuple):
    """Rows of `SponsorParams.terms`."""

    cash0: int  # USD m
    market_value: int  # USD m
    other_cash: int  # USD m per month, business outside the tape
    lease: int  # USD m per month


SPONSOR_TERM = SponsorTermRows(*range(4))


class SponsorParams(NamedTuple):
    """Frozen terms, by sponsor unless said otherwise."""

    terms: NDArray[np.float64]  # (row of SPONSOR_TERM, ...)
    overhead: float  # share of receipts
    minimum_months: float  # of overhead and coupons kept as cash
    equity_beta: float  # fall of log market value per unit of stress
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


SPONSOR = SponsorRows(*range(10))


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


@inner
def init_sponsors(params, state):
    """Reset a block to t0."""
    state.rows[:] = 0.0
    state.claims[:] = 0.0
    state.rows[SPONSOR.retained] = 1.0
    for s in range(params.terms.shape[1]):
        state.rows[SPONSOR.cash, s] = params.terms[SPONSOR_TERM.cash0, s]


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


@inner
def worth_supporting(view, box_params, boxes, tranches, flow, b, lane, month, asked):
    """Return (cost, gain) of supporting a box: present values at the hurdle, USD m."""
    months = int(months_to_maturity(box_params, tranches, b, lane, month))
    debt = box_debt(box_params, tranches, b, lane)
    service = level_service(debt, mean_coupon(box_params, tranches, b, lane), float(months))
    cost = asked
    gain = 0.0
    weight = 1.0
    for ahead in range(1, months + 1):
        weight *= box_params.hurdle
        margin = projected_cash(view, box_params, boxes, b, lane, month, ahead) - service
        if margin < 0.0:
            cost -= weight * margin
        else:
            gain += weight * margin
    if box_params.codes[BOX_CODE.recourse, b] != NO_RECOURSE:
        net = expected_sale_share(view) * flow[flows.COLLATERAL, b, lane]
        deficiency = max(0.0, debt - net)
        if box_params.codes[BOX_CODE.recourse, b] == LIMITED_RECOURSE:
            deficiency = min(deficiency, box_params.terms[BOX_TERM.guarantee_cap, b])
        gain += deficiency
    return cost, gain


@inlined
def asked_by_choice(box_params, flow, b, lane):
    """Return what a box asks for beyond its guaranteed shortfall, USD m."""
    asked = flow[flows.CURE_ASKED, b, lane]
    if box_params.codes[BOX_CODE.recourse, b] != FULL_RECOURSE:
        asked += flow[flows.SHORTFALL, b, lane]
    return asked


@inner
def give_support(params, state, view, box_params, boxes, tranches, flow, month, ranking):
    """Stage 12: guaranteed shortfalls first, then support and cures that are worth their cost.

    Parameters
    ----------
    ranking : (box,), scratch
    """
    for s in range(params.terms.shape[1]):
        for lane in range(state.rows.shape[2]):
            state.rows[SPONSOR.duty_before, s, lane] = state.rows[SPONSOR.duty, s, lane]
            state.rows[SPONSOR.duty, s, lane] = 0.0
    if not params.enabled:
        return
    count = box_params.codes.shape[1]
    for s in range(params.terms.shape[1]):
        for lane in range(state.rows.shape[2]):
            if state.rows[SPONSOR.default_month, s, lane] > 0.0:
                continue
            cash = max(0.0, state.rows[SPONSOR.cash, s, lane])
            candidates = 0
            for b in range(count):
                ranking[b] = -np.inf
                if (
                    box_params.codes[BOX_CODE.sponsor, b] != s
                    or boxes.rows[BOX.status, b, lane] != PERFORMING
                ):
                    continue
                shortfall = flow[flows.SHORTFALL, b, lane]
                if box_params.codes[BOX_CODE.recourse, b] == FULL_RECOURSE and shortfall > 0.0:
                    given = min(shortfall, cash)
                    flow[flows.SUPPORT, b, lane] = given
                    cash -= given
                    state.rows[SPONSOR.duty, s, lane] += shortfall - given
                asked = asked_by_choice(box_params, flow, b, lane)
                if asked > flows.TINY:
                    cost, gain = worth_supporting(
                        view, box_params, boxes, tranches, flow, b, lane, month, asked
                    )
                    if gain >= cost:
                        ranking[b] = (gain - cost) / cost
                        candidates += 1
            budget = max(
                0.0, cash - params.minimum_months * state.rows[SPONSOR.fixed_costs, s, lane]
            )
            for _ in range(candidates):
                best = int(0.0)  # not a literal, see opening.open_block
                for b in range(1, count):
                    if ranking[b] > ranking[best]:
                        best = b
                asked = asked_by_choice(box_params, flow, best, lane)
                if asked <= budget:
                    budget -= asked
                    flow[flows.CURE, best, lane] = flow[flows.CURE_ASKED, best, lane]
                    if box_params.codes[BOX_CODE.recourse, best] != FULL_RECOURSE:
                        flow[flows.SUPPORT, best, lane] = flow[flows.SHORTFALL, best, lane]
                ranking[best] = -np.inf


@inlined
def own_debt_due(params, tranche_params, tranches, s, lane, month, sofr_before, shut, spread):
    """Set interest and instalments of a HoldCo's own debt; return (coupons, principal) due."""
    coupons = 0.0
    principal = 0.0
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] >= 0
            or tranche_params.codes[TRANCHE_CODE.sponsor, d] != s
        ):
            continue
        coupon = coupon_rate(tranche_params, tranches, d, lane, month, sofr_before)
        tranches.rows[TRANCHE.coupon, d, lane] = coupon
        tranches.rows[TRANCHE.discount, d, lane] /= 1.0 + coupon / 12.0
        tranches.rows[TRANCHE.received, d, lane] = 0.0
        balance = tranches.rows[TRANCHE.balance, d, lane]
        tranches.rows[TRANCHE.interest, d, lane] = balance * coupon / 12.0
        if (
            month >= tranches.rows[TRANCHE.maturity, d, lane]
            and balance > flows.TINY
            and shut == 0.0
        ):
            if params.enabled:
                tranches.rows[TRANCHE.maturity, d, lane] = month + EXTENSION_MONTHS
                tranches.rows[TRANCHE.margin, d, lane] = spread
                tranches.rows[TRANCHE.refinanced, d, lane] = 1.0
        instalment = instalment_due(tranche_params, tranches, d, lane, month, balance, coupon)
        instalment += final_principal(tranches, d, lane, month, balance, instalment)
        tranches.rows[TRANCHE.instalment, d, lane] = instalment
        coupons += tranches.rows[TRANCHE.interest, d, lane]
        principal += tranches.rows[TRANCHE.instalment, d, lane]
    return coupons, principal


@inlined
def commitment_fees(tranche_params, tranches, s, lane, month):
    """Return the fees on a HoldCo's open commitments, USD m; those past their end lapse."""
    fees = 0.0
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            if not may_draw(tranche_params, tranches, d, lane, month):
                tranches.rows[TRANCHE.undrawn, d, lane] = 0.0
            undrawn = tranches.rows[TRANCHE.undrawn, d, lane]
            fees += tranche_params.terms[TRANCHE_TERM.undrawn_fee, d] * undrawn / 12.0
    return fees


@inlined
def may_draw(tranche_params, tranches, d, lane, month):
    """Say whether a tranche can still be drawn: in its draw period and before it falls due."""
    return (
        month <= tranche_params.codes[TRANCHE_CODE.available_until, d]
        and month < tranches.rows[TRANCHE.maturity, d, lane]
    )


@inner
def draw_commitments(tranche_params, tranches, s, lane, need):
    """Draw on a HoldCo's open commitments, pro rata to what is undrawn; return the cash, USD m."""
    undrawn = 0.0
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            undrawn += tranches.rows[TRANCHE.undrawn, d, lane]
    drawn = min(need, undrawn)
    if drawn <= flows.TINY:
        return 0.0
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            part = drawn * tranches.rows[TRANCHE.undrawn, d, lane] / undrawn
            tranches.rows[TRANCHE.undrawn, d, lane] -= part
            tranches.rows[TRANCHE.balance, d, lane] += part
            tranches.rows[TRANCHE.drawn_pv, d, lane] += (
                tranches.rows[TRANCHE.discount, d, lane] * part
            )
    return drawn


@inlined
def pay_own_debt(tranche_params, tranches, s, lane):
    """Pay what is due on a HoldCo's own debt."""
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            paid = (
                tranches.rows[TRANCHE.interest, d, lane]
                + tranches.rows[TRANCHE.instalment, d, lane]
            )
            tranches.rows[TRANCHE.received, d, lane] = paid
            tranches.rows[TRANCHE.balance, d, lane] = max(
                0.0,
                tranches.rows[TRANCHE.balance, d, lane]
                - tranches.rows[TRANCHE.instalment, d, lane],
            )


@inlined
def accrue_own_debt(tranche_params, tranches, s, lane):
    """Add unpaid interest to the claims of a defaulted HoldCo's creditors."""
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            tranches.rows[TRANCHE.balance, d, lane] += tranches.rows[TRANCHE.interest, d, lane]


@inner
def default_of(state, view, box_params, boxes, tranche_params, tranches, flow, s, lane, month):
    """Put a HoldCo into default: claims on its estate are fixed here."""
    state.rows[SPONSOR.default_month, s, lane] = month
    accrue_own_debt(tranche_params, tranches, s, lane)
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
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


@inner
def settle_estate(state, box_params, boxes, tranche_params, tranches, flow, s, lane):
    """Pay the estate out, pari passu on the claims as they stood at the default, once."""
    estate = max(0.0, state.rows[SPONSOR.cash, s, lane])
    claims = 0.0
    for b in range(box_params.codes.shape[1]):
        if box_params.codes[BOX_CODE.sponsor, b] != s:
            continue
        if boxes.rows[BOX.status, b, lane] == PERFORMING:
            debt = box_debt(box_params, tranches, b, lane)
            estate += max(0.0, flow[flows.COLLATERAL, b, lane] - debt)
        claims += state.claims[CLAIM.deficiency, b, lane]
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            claims += tranches.rows[TRANCHE.exposure, d, lane]
    estate *= 1.0 - ESTATE_COST
    rate = min(1.0, estate / claims) if claims > flows.TINY else 0.0
    for d in range(tranche_params.codes.shape[1]):
        if (
            tranche_params.codes[TRANCHE_CODE.box, d] < 0
            and tranche_params.codes[TRANCHE_CODE.sponsor, d] == s
        ):
            paid = rate * tranches.rows[TRANCHE.exposure, d, lane]
            tranches.rows[TRANCHE.balance, d, lane] -= paid
            tranches.rows[TRANCHE.received, d, lane] += paid
            tranches.rows[TRANCHE.recovered, d, lane] += paid
    for b in range(box_params.codes.shape[1]):
        if (
            box_params.codes[BOX_CODE.sponsor, b] == s
            and state.claims[CLAIM.deficiency, b, lane] > 0.0
        ):
            cash = rate * state.claims[CLAIM.deficiency, b, lane]
            pay_claims(tranche_params, tranches, box_params, b, lane, cash)
    state.rows[SPONSOR.cash, s, lane] = 0.0


@inner
def raise_equity(params, state, s, lane, need, stress):
    """Sell shares for what is needed, within the year's limit; return the cash raised."""
    value = params.terms[SPONSOR_TERM.market_value, s] * exp(-params.equity_beta * stress)
    limit = max(0.0, RAISE_SHARE * value - state.rows[SPONSOR.raised_this_year, s, lane])
    raised = min(need, limit)
    if raised > 0.0:
        state.rows[SPONSOR.raised_this_year, s, lane] += raised
        state.rows[SPONSOR.raised, s, lane] += raised
        state.rows[SPONSOR.retained, s, lane] *= value / (value + raised / (1.0 - RAISE_DISCOUNT))
    return raised


@inlined
def flows_with_boxes(box_params, boxes, flow, s, lane):
    """Return (distributions, contributions, receipts) of a sponsor's boxes this month, USD m."""
    received = 0.0
    contributed = 0.0
    receipts = 0.0
    for b in range(box_params.codes.shape[1]):
        if box_params.codes[BOX_CODE.sponsor, b] == s:
            received += flow[flows.DISTRIBUTED, b, lane]
            receipts += flow[flows.RECEIPTS, b, lane]
            contributed += (
                flow[flows.EQUITY_FOR_CAPEX, b, lane]
                + flow[flows.EQUITY_OTHER, b, lane]
                + flow[flows.SUPPORT, b, lane]
                + flow[flows.CURE, b, lane]
            )
    return received, contributed, receipts


@inlined
def full_recourse_arrears(box_params, boxes, tranches, s, lane):
    """Return the arrears of a sponsor's performing fully guaranteed boxes, USD m."""
    total = 0.0
    for b in range(box_params.codes.shape[1]):
        if (
            box_params.codes[BOX_CODE.sponsor, b] == s
            and box_params.codes[BOX_CODE.recourse, b] == FULL_RECOURSE
        ):
            if boxes.rows[BOX.status, b, lane] == PERFORMING:
                for d in range(
                    box_params.codes[BOX_CODE.first_tranche, b],
                    box_params.codes[BOX_CODE.end_tranche, b],
                ):
                    total += tranches.rows[TRANCHE.arrears, d, lane]
    return total


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
    month,
    sofr_before,
    stress,
):
    """Stage 14: the HoldCo's month, after its boxes'.

    Parameters
    ----------
    sofr_before, stress : (lane,)
    """
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
            defaulted = state.rows[SPONSOR.default_month, s, lane] > 0.0
            coupons, principal = own_debt_due(
                params,
                tranche_params,
                tranches,
                s,
                lane,
                month,
                sofr_before[lane],
                1.0 if defaulted else view.shut[lane],
                spread,
            )
            received, contributed, receipts = flows_with_boxes(box_params, boxes, flow, s, lane)
            if not params.enabled:
                pay_own_debt(tranche_params, tranches, s, lane)
                continue
            if defaulted:
                if month <= state.rows[SPONSOR.default_month, s, lane] + params.estate_lag:
                    state.rows[SPONSOR.cash, s, lane] += received
                accrue_own_debt(tranche_params, tranches, s, lane)
            else:
                state.rows[SPONSOR.cash, s, lane] += (
                    received - contributed + params.terms[SPONSOR_TERM.other_cash, s]
                )
                overhead = params.overhead * receipts
                state.rows[SPONSOR.fixed_costs, s, lane] = overhead + coupons
                called = 0.0
                for b in range(box_params.codes.shape[1]):
                    if (
                        box_params.codes[BOX_CODE.sponsor, b] == s
                        and state.claims[CLAIM.guarantee_called, b, lane] > 0.0
                    ):
                        if boxes.rows[BOX.sale_month, b, lane] < month:
                            called += state.claims[CLAIM.guarantee_called, b, lane]
                fees = commitment_fees(tranche_params, tranches, s, lane, month)
                lease = params.terms[SPONSOR_TERM.lease, s]
                due = overhead + lease + coupons + principal + fees + called
                duty = min(
                    state.rows[SPONSOR.duty_before, s, lane],
                    full_recourse_arrears(box_params, boxes, tranches, s, lane),
                )
                need = due + duty - state.rows[SPONSOR.cash, s, lane]
                if need > 0.0:
                    state.rows[SPONSOR.cash, s, lane] += draw_commitments(
                        tranche_params, tranches, s, lane, need
                    )
                    need = due + duty - state.rows[SPONSOR.cash, s, lane]
                if need > 0.0:
                    state.rows[SPONSOR.cash, s, lane] += raise_equity(
                        params, state, s, lane, need, stress[lane]
                    )
                if state.rows[SPONSOR.cash, s, lane] < due + duty - flows.TINY:
                    default_of(
                        state,
                        view,
                        box_params,
                        boxes,
                        tranche_params,
                        tranches,
                        flow,
                        s,
                        lane,
                        month,
                    )
                else:
                    state.rows[SPONSOR.cash, s, lane] -= due
                    pay_own_debt(tranche_params, tranches, s, lane)
                    for b in range(box_params.codes.shape[1]):
                        if (
                            box_params.codes[BOX_CODE.sponsor, b] == s
                            and state.claims[CLAIM.guarantee_called, b, lane] > 0.0
                        ):
                            if boxes.rows[BOX.sale_month, b, lane] < month:
                                cash = state.claims[CLAIM.guarantee_called, b, lane]
                                pay_claims(tranche_params, tranches, box_params, b, lane, cash)
                                state.claims[CLAIM.guarantee_called, b, lane] = 0.0
            failed = state.rows[SPONSOR.default_month, s, lane]
            if failed > 0.0 and month == min(failed + params.estate_lag, float(params.horizon)):
                settle_estate(state, box_params, boxes, tranche_params, tranches, flow, s, lane)
