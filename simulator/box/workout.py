"""Workout: lenders run the box or sell it, whichever is worth more, and share what comes in.

Three months after the default they compare running it for cash with a sale after the lag; sales
of the same month share one market's depth.  What is left unpaid at the close may be called under
the parent's guarantee.

Model: docs/model.md §11; `wo.*`, `gpu.fire_haircut`, `cp.recovery_loan`.
"""

from __future__ import annotations

import numpy as np

from simulator.box import flows
from simulator.box.projection import (
    expected_sale_share,
    look_ahead,
    mean_coupon,
    projected_value,
)
from simulator.box.receipts import box_debt
from simulator.box.terms import (
    BOX,
    BOX_CODE,
    BOX_STREAM,
    BOX_TERM,
    CLOSED,
    FULL_RECOURSE,
    LIMITED_RECOURSE,
    PERFORMING,
    TRANCHE,
    TRANCHE_CODE,
)
from simulator.box.valuation import asset_value
from simulator.credit.leases import CANCELLED, GONE, LEASE, LEASE_CODE
from simulator.drivers.collateral import forced_share
from simulator.drivers.draws import beta_at_normal, normals
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner

DECISION_MONTHS = 3.0
RECOVERY_LOADING = 0.4  # of the loan's recovery on the AI factor


@inner
def pay_claims(params, state, box_params, b, lane, cash):
    """Pay lenders by rank, pro rata to claims; return what is left over."""
    for rank in range(box_params.codes[BOX_CODE.last_rank, b] + 1):
        claims = 0.0
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                claims += state.rows[TRANCHE.balance, d, lane]
        if claims <= 0.0:
            continue
        share = min(1.0, cash / claims)
        for d in range(
            box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
        ):
            if params.codes[TRANCHE_CODE.rank, d] == rank:
                paid = state.rows[TRANCHE.balance, d, lane] * share
                state.rows[TRANCHE.balance, d, lane] = max(
                    0.0, state.rows[TRANCHE.balance, d, lane] - paid
                )
                state.rows[TRANCHE.received, d, lane] += paid
                state.rows[TRANCHE.recovered, d, lane] += paid
        cash = max(0.0, cash - claims * share)
    return cash


@inner
def decide(view, box_params, boxes, state, b, lane, month):
    """Choose between running the box for cash and selling it after the lag."""
    factor = 1.0 / (1.0 + mean_coupon(box_params, state, b, lane) / 12.0)
    value_run = 0.0
    value_sale = 0.0
    weight = 1.0
    run_weight = 1.0
    sale_weight = 1.0
    last = max(box_params.run_months, box_params.sale_lag)
    look_ahead(view, box_params, boxes, b, lane, month, last)
    for ahead in range(1, last + 1):
        weight *= factor
        cash = max(0.0, view.outlook[ahead, b, lane])
        if ahead <= box_params.run_months:
            value_run += weight * cash
            run_weight = weight
        if ahead <= box_params.sale_lag:
            value_sale += weight * cash
            sale_weight = weight
    later = float(box_params.run_months)
    value_run += run_weight * projected_value(view, box_params, boxes, b, lane, month, later)
    today = projected_value(view, box_params, boxes, b, lane, month, 0.0)
    value_sale += sale_weight * today * expected_sale_share(view)
    months = box_params.run_months if value_run >= value_sale else box_params.sale_lag
    boxes.rows[BOX.sale_month, b, lane] = month + months


@inner
def open_claims(view, box_params, b, lane, month):
    """Return the present value of claims against customers not yet received, and strike them."""
    total = 0.0
    lease_state = view.lease_state
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        months = lease_state.rows[LEASE.claim_month, a, lane] - month
        if months > 0.0:
            factor = exp(months * log(view.leases.claim_discount))
            total += factor * lease_state.rows[LEASE.claim, a, lane]
            lease_state.rows[LEASE.claim_month, a, lane] = 0.0
    return total


@inner
def forced_proceeds(view, box_params, boxes, b, lane, month, seed, path):
    """Return what a sale of the box's GPUs this month brings, net, USD m."""
    z, _ = normals(
        seed,
        path,
        box_params.streams[BOX_STREAM.workout_streams, b],
        int(boxes.rows[BOX.default_month, b, lane]),
    )
    haircut = beta_at_normal(view.collateral.haircut_table, z)
    total = 0.0
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        depth = view.depth[view.leases.codes[LEASE_CODE.generation, a], lane]
        value = asset_value(
            box_params,
            boxes,
            view.leases,
            view.lease_state,
            view.deliveries,
            view.collateral,
            view.floors,
            b,
            a,
            lane,
            month,
            0.0,
            view.contract_prices,
            view.log_development,
            view.hits,
            view.overhang,
        )
        total += value * forced_share(haircut, depth, view.collateral.remarketing_cost)
    return total


@inner
def close_box(view, box_params, boxes, state, b, lane, month, guarantee_called):
    """Close a workout: the GPUs are gone, the unpaid claim may be called under the guarantee."""
    boxes.rows[BOX.status, b, lane] = CLOSED
    boxes.rows[BOX.sale_month, b, lane] = month
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if view.lease_state.rows[LEASE.status, a, lane] != CANCELLED:
            view.lease_state.rows[LEASE.status, a, lane] = GONE
    claim = box_debt(box_params, state, b, lane)
    called = 0.0
    if box_params.codes[BOX_CODE.recourse, b] == FULL_RECOURSE:
        called = claim
    elif box_params.codes[BOX_CODE.recourse, b] == LIMITED_RECOURSE:
        called = min(claim, box_params.terms[BOX_TERM.guarantee_cap, b])
    guarantee_called[b, lane] = called


@inner
def recover_by_table(
    view, box_params, boxes, params, state, flow, b, lane, month, seed, path, guarantee_called
):
    """Workout without a collateral model: a drawn recovery after a drawn time."""
    default_month = int(boxes.rows[BOX.default_month, b, lane])
    z_own, z_time = normals(
        seed, path, box_params.streams[BOX_STREAM.recovery_streams, b], default_month
    )
    years = box_params.recovery_years * exp(0.5 * z_time)
    due = default_month + max(1.0, np.floor(12.0 * years + 0.5))
    if month != min(due, float(box_params.horizon)):
        return
    own = np.sqrt(1.0 - RECOVERY_LOADING * RECOVERY_LOADING)
    z = RECOVERY_LOADING * view.ai_factor[lane] + own * z_own
    exposure = 0.0
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        exposure += state.rows[TRANCHE.exposure, d, lane]
    reserves = release_reserves(boxes, flow, b, lane)
    cash = max(reserves, exposure * beta_at_normal(box_params.recovery_table, z))
    flow[flows.SALE_PROCEEDS, b, lane] = cash - reserves  # the drawn recovery is all there is
    left = pay_claims(params, state, box_params, b, lane, cash)
    flow[flows.RECOVERED, b, lane] = cash - left
    flow[flows.DISTRIBUTED, b, lane] += left
    close_box(view, box_params, boxes, state, b, lane, month, guarantee_called)


@inner
def release_reserves(boxes, flow, b, lane):
    """Empty trapped cash and all reserves; return what was in them, USD m."""
    reserves = (
        boxes.rows[BOX.reserve, b, lane]
        + boxes.rows[BOX.trapped, b, lane]
        + boxes.rows[BOX.power_reserve, b, lane]
        + boxes.rows[BOX.collected, b, lane]
    )
    boxes.rows[BOX.collected, b, lane] = 0.0
    boxes.rows[BOX.reserve, b, lane] = 0.0
    boxes.rows[BOX.trapped, b, lane] = 0.0
    boxes.rows[BOX.power_reserve, b, lane] = 0.0
    flow[flows.RESERVES_RELEASED, b, lane] += reserves
    return reserves


@inner
def sell(view, box_params, boxes, flow, b, lane, month, seed, path):
    """Sell a box's GPUs and its open claims; return the proceeds, USD m."""
    proceeds = forced_proceeds(view, box_params, boxes, b, lane, month, seed, path)
    proceeds += open_claims(view, box_params, b, lane, month)
    flow[flows.SALE_PROCEEDS, b, lane] = proceeds
    return proceeds


@inner
def close_at_horizon(
    view, box_params, boxes, params, state, flow, b, lane, month, seed, path, guarantee_called
):
    """Close at once a workout that begins at the horizon; the month's receipts are paid out."""
    if not box_params.collateral_model:
        recover_by_table(
            view,
            box_params,
            boxes,
            params,
            state,
            flow,
            b,
            lane,
            month,
            seed,
            path,
            guarantee_called,
        )
        return
    cash = release_reserves(boxes, flow, b, lane)
    cash += sell(view, box_params, boxes, flow, b, lane, month, seed, path)
    left = pay_claims(params, state, box_params, b, lane, cash)
    flow[flows.RECOVERED, b, lane] = cash - left
    flow[flows.DISTRIBUTED, b, lane] += left
    close_box(view, box_params, boxes, state, b, lane, month, guarantee_called)


@inner
def run_workout(
    view, box_params, boxes, params, state, flow, b, lane, month, seed, path, guarantee_called
):
    """Run one month of one workout; at the horizon it is closed at the forced value.

    Parameters
    ----------
    guarantee_called : (box, lane), USD m, written at the close
    """
    for d in range(
        box_params.codes[BOX_CODE.first_tranche, b], box_params.codes[BOX_CODE.end_tranche, b]
    ):
        state.rows[TRANCHE.balance, d, lane] += state.rows[TRANCHE.interest, d, lane]
    if not box_params.collateral_model:
        recover_by_table(
            view,
            box_params,
            boxes,
            params,
            state,
            flow,
            b,
            lane,
            month,
            seed,
            path,
            guarantee_called,
        )
        return
    elapsed = month - boxes.rows[BOX.default_month, b, lane]
    reserves = release_reserves(boxes, flow, b, lane)
    costs = min(flow[flows.OPERATING_COSTS, b, lane], flow[flows.RECEIPTS, b, lane])
    flow[flows.OPERATING_COSTS_PAID, b, lane] = costs
    cash = flow[flows.RECEIPTS, b, lane] + flow[flows.DISPOSALS, b, lane] - costs + reserves
    selling = boxes.rows[BOX.sale_month, b, lane] == month or month == box_params.horizon
    if selling:
        cash += sell(view, box_params, boxes, flow, b, lane, month, seed, path)
    left = pay_claims(params, state, box_params, b, lane, cash)
    flow[flows.RECOVERED, b, lane] = cash - left
    flow[flows.DISTRIBUTED, b, lane] = left
    if selling:
        close_box(view, box_params, boxes, state, b, lane, month, guarantee_called)
    elif box_debt(box_params, state, b, lane) <= flows.TINY:
        boxes.rows[BOX.sale_month, b, lane] = 0.0
        boxes.rows[BOX.status, b, lane] = PERFORMING
    elif elapsed == DECISION_MONTHS:
        decide(view, box_params, boxes, state, b, lane, month)
