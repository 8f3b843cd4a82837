"""Support of boxes: guaranteed shortfalls as long as cash lasts, others where it pays.

A sponsor supports or cures a box of its own choice only if what it would get from it, guarantee
avoided included, is worth more than what the box would ask for.

Model: docs/model.md §12 (stage 12).
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.projection import (
    expected_sale_share,
    level_service,
    look_ahead,
    mean_coupon,
    months_to_maturity,
)
from simulator.box.receipts import box_debt
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_TERM,
    FULL_RECOURSE,
    LIMITED_RECOURSE,
    NO_RECOURSE,
    PERFORMING,
)
from simulator.numerics.jit import inlined, inner
from simulator.sponsor.terms import SPONSOR, SPONSOR_TERM


@inner
def worth_supporting(view, box_params, boxes, tranches, flow, b, lane, month, asked):
    """Return (cost, gain) of supporting a box: present values at the hurdle, USD m."""
    months = int(months_to_maturity(box_params, tranches, b, lane, month))
    debt = box_debt(box_params, tranches, b, lane)
    service = level_service(debt, mean_coupon(box_params, tranches, b, lane), float(months))
    cost = asked
    gain = 0.0
    weight = 1.0
    look_ahead(view, box_params, boxes, b, lane, month, months)
    for ahead in range(1, months + 1):
        weight *= box_params.hurdle
        margin = view.outlook[ahead, b, lane] - service
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
def note_asks(box_params, state, flow, rare):
    """Add up what boxes ask of each sponsor, shortfalls and cures; say whether any does."""
    state.rows[SPONSOR.asked, :] = 0.0
    asked = 0.0
    for b in range(box_params.codes.shape[1]):
        if not rare[b]:
            continue
        s = box_params.codes[BOX_CODE.sponsor, b]
        for lane in range(state.rows.shape[2]):
            amount = flow[flows.SHORTFALL, b, lane] + flow[flows.CURE_ASKED, b, lane]
            state.rows[SPONSOR.asked, s, lane] += amount
            asked = max(asked, amount)
    return asked > 0.0


@inner
def give_support(params, state, view, box_params, boxes, tranches, flow, rare, month, ranking):
    """Stage 12: guaranteed shortfalls first, then support and cures that are worth their cost.

    Parameters
    ----------
    rare : (box,), whether a box may ask for anything
    ranking : (box,), scratch
    """
    for s in range(params.terms.shape[1]):
        for lane in range(state.rows.shape[2]):
            state.rows[SPONSOR.duty_before, s, lane] = state.rows[SPONSOR.duty, s, lane]
            state.rows[SPONSOR.duty, s, lane] = 0.0
    if not params.enabled:
        return
    if not note_asks(box_params, state, flow, rare):
        return
    count = box_params.codes.shape[1]
    for s in range(params.terms.shape[1]):
        for lane in range(state.rows.shape[2]):
            if state.rows[SPONSOR.asked, s, lane] == 0.0:
                continue
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
                    if gain >= params.terms[SPONSOR_TERM.support_factor, s] * cost:
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
