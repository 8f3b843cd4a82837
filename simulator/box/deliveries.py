"""Deliveries: when GPUs arrive, what they cost, who pays, and when they are accepted.

    due = max(planned + site delay, licence) + slips;   capex = cost x memory cost x noise x tariff
    debt = min(undrawn, advance x capex, capex - prepayment);   equity pays the rest

Model: docs/model.md §11; `del.*`, `mem.delay`, `box.commission`, `contract.long_stop`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.funding import fund_capex
from simulator.box.sites import SITE
from simulator.box.terms import BOX, BOX_CODE, PERFORMING, SIZED, TRANCHE, TRANCHE_CODE
from simulator.credit.lease_events import start_reletting
from simulator.credit.leases import (
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    COUNTERPARTY,
    DELAY,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    MERCHANT,
    NEVER,
    PENDING,
    RESOLUTION_MONTHS,
    UNPAID,
    billed_price,
    contract_prepayment,
    full_invoice,
)
from simulator.credit.names import NAME
from simulator.drivers.draws import normals, uniforms
from simulator.drivers.memory import CAPEX_LAG
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import floor_of, select
from simulator.numerics.rows import row_names

CAPEX_SD = 0.08  # of log capex
SLIP_SD = 0.7  # of log delay
LICENCE_MONTHS = 6.0  # median wait for an export licence
LICENCE_SD = 0.5  # of its log
LONG_STOP_MONEYNESS = 0.9  # the customer walks away if the market is cheaper than that


@row_names
class DeliveryTermRows(NamedTuple):
    """Rows of `DeliveryParams.terms`."""

    cost: int  # USD m
    planned: int  # month
    commission: int  # months from delivery to acceptance


DELIVERY_TERM = DeliveryTermRows(*range(3))


@row_names
class DeliveryCodeRows(NamedTuple):
    """Rows of `DeliveryParams.codes`."""

    site: int
    jurisdiction: int
    generation: int
    energised: int  # site energised at t0
    price_fixed: int
    pending: int  # not accepted at t0
    paid: int  # delivered and paid for by t0
    licence: int  # needs an export licence that is not granted yet
    memory_exposed: int  # memory and tariffs move its cost, a memory shortage its month


DELIVERY_CODE = DeliveryCodeRows(*range(9))


@row_names
class DeliveryStreamRows(NamedTuple):
    """Rows of `DeliveryParams.streams`."""

    cost_streams: int
    slip_streams: int
    licence_streams: int


DELIVERY_STREAM = DeliveryStreamRows(*range(3))


class DeliveryParams(NamedTuple):
    """Frozen inputs, by asset unless said otherwise."""

    terms: NDArray[np.float64]  # (row of DELIVERY_TERM, ...)
    codes: NDArray[np.int64]  # (row of DELIVERY_CODE, ...)
    streams: NDArray[np.uint64]  # (row of DELIVERY_STREAM, ...)
    long_stop_months: float
    slip_median: float  # months
    revenue_lost: float  # share of a late month's revenue not covered by damages
    noise: float  # CAPEX_SD, or 0
    path_delay: float  # months, of every delivery to come in a stress case
    licence_probability: float  # that a licence is granted


@row_names
class DeliveryRows(NamedTuple):
    """Rows of `DeliveryState.rows`."""

    due: int  # month, not rounded
    delivered: int  # month, NEVER = not yet


DELIVERY = DeliveryRows(*range(2))


class DeliveryState(NamedTuple):
    """State by asset and lane."""

    rows: NDArray[np.float64]  # (row of DELIVERY, ...)


def new_deliveries(assets: int, lanes: int) -> DeliveryState:
    """Return state for a block."""
    return DeliveryState(np.zeros((len(DELIVERY), assets, lanes)))


@inner
def licence_month(params, seed, path, a):
    """Return the month in which an export licence is granted, NEVER if it is refused."""
    if params.licence_probability >= 1.0:
        return 0.0
    z, u = licence_draws(seed, path, params.streams[DELIVERY_STREAM.licence_streams, a])
    return LICENCE_MONTHS * exp(LICENCE_SD * z) if u < params.licence_probability else NEVER


@inner
def licence_draws(seed, path, stream):
    """Return the wait's normal and the decision's uniform."""
    z, _ = normals(seed, path, stream, 0)
    _, u = uniforms(seed, path, stream, 0)
    return z, u


@inner
def init_deliveries(params, state, sites, seed, paths):
    """Set the due months from plans, site delays and licences.

    Nothing is ever delivered at a killed site, or without its licence.
    """
    for a in range(params.terms.shape[1]):
        site = params.codes[DELIVERY_CODE.site, a]
        for lane in range(state.rows.shape[2]):
            if not params.codes[DELIVERY_CODE.paid, a]:
                state.rows[DELIVERY.delivered, a, lane] = NEVER
                due = (
                    params.terms[DELIVERY_TERM.planned, a]
                    + sites.rows[SITE.delay, site, lane]
                    + params.path_delay
                )
                if params.codes[DELIVERY_CODE.licence, a]:
                    due = max(due, licence_month(params, seed, paths[lane], a))
                state.rows[DELIVERY.due, a, lane] = due
                if sites.rows[SITE.killed, site, lane] > 0.0:
                    state.rows[DELIVERY.due, a, lane] = NEVER
            else:
                state.rows[DELIVERY.delivered, a, lane] = params.terms[DELIVERY_TERM.planned, a]
                state.rows[DELIVERY.due, a, lane] = params.terms[DELIVERY_TERM.planned, a]


@inner
def slip_deliveries(
    params, state, leases, seed, paths, month, shortage_starts, site_slip, first, end
):
    """Push pending deliveries back: a shortage that starts, a moratorium on sites.

    Parameters
    ----------
    shortage_starts : (lane,), 1 in the month a memory shortage starts
    site_slip : (jurisdiction, lane), months
    first, end : int, assets first..end - 1
    """
    for a in range(first, end):
        if not params.codes[DELIVERY_CODE.pending, a]:
            continue
        exposed = params.codes[DELIVERY_CODE.memory_exposed, a] > 0
        for lane in range(paths.shape[0]):
            if leases.rows[LEASE.status, a, lane] != PENDING:
                continue
            if exposed and shortage_starts[lane] > 0.0:
                z, _ = normals(
                    seed, paths[lane], params.streams[DELIVERY_STREAM.slip_streams, a], month
                )
                state.rows[DELIVERY.due, a, lane] += params.slip_median * exp(SLIP_SD * z)
            if not params.codes[DELIVERY_CODE.energised, a]:
                state.rows[DELIVERY.due, a, lane] += site_slip[
                    params.codes[DELIVERY_CODE.jurisdiction, a], lane
                ]


@inlined
def expected_acceptance(params, state, a, lane):
    """Return the month in which a pending or commissioning asset is expected to be accepted."""
    commission = params.terms[DELIVERY_TERM.commission, a]
    if state.rows[DELIVERY.delivered, a, lane] < NEVER:
        return state.rows[DELIVERY.delivered, a, lane] + commission
    return np.floor(state.rows[DELIVERY.due, a, lane] + 0.5) + commission


@inlined
def acceptance_to_come(params, state, a, pack):
    """Return the expected month of acceptance on a pack of lanes, see `expected_acceptance`."""
    delivered = state.rows[DELIVERY.delivered, a, pack]
    due = floor_of(state.rows[DELIVERY.due, a, pack] + 0.5)
    month = select(delivered < NEVER, delivered, due)
    return month + params.terms[DELIVERY_TERM.commission, a]


@inlined
def planned_acceptance(params, a):
    """Return the month in which an asset was to be accepted as planned."""
    return params.terms[DELIVERY_TERM.planned, a] + params.terms[DELIVERY_TERM.commission, a]


@inlined
def cancelled(
    params, leases, lease_state, boxes, sponsor_default, a, b, lane, month, due, log_development
):
    """Say whether a pending delivery is called off this month."""
    failed = boxes.rows[BOX.default_month, b, lane]
    if (failed > 0.0 and failed < month) or (sponsor_default > 0.0 and sponsor_default < month):
        return True
    if month != max(1.0, params.terms[DELIVERY_TERM.planned, a] + params.long_stop_months):
        return False
    if due >= NEVER:
        return True
    if leases.codes[LEASE_CODE.name, a] < 0:
        return False
    surprise = exp(log_development - lease_state.rows[LEASE.log_reset, a, lane])
    return surprise * lease_state.rows[LEASE.moneyness, a, lane] < LONG_STOP_MONEYNESS


@inner
def step_deliveries(
    params,
    state,
    leases,
    lease_state,
    box_params,
    boxes,
    tranche_params,
    tranches,
    sponsors_default,
    flow,
    seed,
    paths,
    month,
    memory_cost,
    tariff,
    log_development,
    b,
):
    """Deliver or cancel what is pending of a box, at the start of the month.

    Parameters
    ----------
    memory_cost : (CAPEX_LAG + 1, lane), c(t), c(t-1), ...
    tariff : (jurisdiction, lane), factor on capex
    sponsors_default : (sponsor, lane), default month, 0 = none
    """
    for a in range(
        box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
    ):
        if not params.codes[DELIVERY_CODE.pending, a]:
            continue
        for lane in range(paths.shape[0]):
            if lease_state.rows[LEASE.status, a, lane] != PENDING:
                continue
            sponsor_default = sponsors_default[box_params.codes[BOX_CODE.sponsor, b], lane]
            if cancelled(
                params,
                leases,
                lease_state,
                boxes,
                sponsor_default,
                a,
                b,
                lane,
                month,
                state.rows[DELIVERY.due, a, lane],
                log_development[params.codes[DELIVERY_CODE.generation, a], lane],
            ):
                lease_state.rows[LEASE.status, a, lane] = CANCELLED
                if lease_state.rows[LEASE.reason, a, lane] == 0.0:
                    lease_state.rows[LEASE.reason, a, lane] = DELAY
                continue
            if np.floor(state.rows[DELIVERY.due, a, lane] + 0.5) > month:
                continue
            capex = params.terms[DELIVERY_TERM.cost, a]
            if not params.codes[DELIVERY_CODE.price_fixed, a]:
                z, _ = normals(
                    seed, paths[lane], params.streams[DELIVERY_STREAM.cost_streams, a], 0
                )
                noise = exp(params.noise * z)
                if params.codes[DELIVERY_CODE.memory_exposed, a]:
                    capex *= memory_cost[CAPEX_LAG, lane] * noise
                    capex *= tariff[params.codes[DELIVERY_CODE.jurisdiction, a], lane]
                else:
                    capex *= noise
            prepayment = 0.0
            if (
                leases.codes[LEASE_CODE.name, a] >= 0
                and leases.terms[LEASE_TERM.prepayment_share, a] > 0.0
            ):
                price = lease_state.rows[LEASE.price, a, lane]
                prepayment = contract_prepayment(leases, a, price)
                lease_state.rows[LEASE.prepayment, a, lane] = prepayment
                lease_state.rows[LEASE.unearned, a, lane] = prepayment
            fund_capex(
                params.terms[DELIVERY_TERM.cost],
                lease_state,
                box_params,
                boxes,
                tranche_params,
                tranches,
                flow,
                a,
                b,
                lane,
                month,
                capex,
                prepayment,
            )
            boxes.rows[BOX.capex_paid, b, lane] += params.terms[DELIVERY_TERM.cost, a]
            state.rows[DELIVERY.delivered, a, lane] = month
            lease_state.rows[LEASE.status, a, lane] = COMMISSIONING


@inner
def cancel_commitments(box_params, tranche_params, tranches, lease_state, month, b):
    """Cancel what is undrawn of a box of which nothing is still to be delivered or accepted.

    Sized debt waits for its fit: it is drawn against contracts, not against deliveries.
    """
    first = box_params.codes[BOX_CODE.first_tranche, b]
    end = box_params.codes[BOX_CODE.end_tranche, b]
    is_open = False
    for d in range(first, end):
        is_open = is_open or tranche_params.codes[TRANCHE_CODE.available_until, d] >= month
    if not is_open:
        return
    for lane in range(tranches.rows.shape[2]):
        waiting = False
        for a in range(
            box_params.codes[BOX_CODE.first_asset, b], box_params.codes[BOX_CODE.end_asset, b]
        ):
            waiting = waiting or lease_state.rows[LEASE.status, a, lane] <= COMMISSIONING
        if not waiting:
            for d in range(first, end):
                is_sized = tranche_params.codes[TRANCHE_CODE.amortisation, d] == SIZED
                if not is_sized or tranches.rows[TRANCHE.fitted, d, lane] > 0.0:
                    tranches.rows[TRANCHE.undrawn, d, lane] = 0.0


@inner
def damages(params, leases, lease_state, a, lane, month, availability):
    """Return what vendors and insurers pay for a late contracted delivery this month, USD m."""
    late = month > planned_acceptance(params, a)
    waiting = lease_state.rows[LEASE.status, a, lane] <= COMMISSIONING
    if (
        not (params.codes[DELIVERY_CODE.pending, a] and late and waiting)
        or leases.codes[LEASE_CODE.name, a] < 0
    ):
        return 0.0
    if lease_state.rows[LEASE.void, a, lane] > 0.0:
        return 0.0
    price = billed_price(leases, lease_state, a, lane, month)
    invoice = full_invoice(leases, a, price, availability)
    return (1.0 - params.revenue_lost) * invoice


@inner
def accept(params, state, leases, lease_state, names, seed, paths, month, tightness):
    """Accept, at the end of the month, what has been commissioned."""
    for a in range(params.terms.shape[1]):
        if not params.codes[DELIVERY_CODE.pending, a]:
            continue
        for lane in range(paths.shape[0]):
            if lease_state.rows[LEASE.status, a, lane] != COMMISSIONING:
                continue
            ready = expected_acceptance(params, state, a, lane)
            if ready > month:
                continue
            lease_state.rows[LEASE.accepted, a, lane] = month
            name = leases.codes[LEASE_CODE.name, a]
            if name < 0:
                lease_state.rows[LEASE.status, a, lane] = MERCHANT
            elif lease_state.rows[LEASE.void, a, lane] > 0.0:
                start_reletting(
                    leases,
                    lease_state,
                    seed,
                    paths[lane],
                    a,
                    lane,
                    month,
                    tightness[lane],
                    COUNTERPARTY,
                )
            else:
                lease_state.rows[LEASE.status, a, lane] = CONTRACTED
                failed = names.rows[NAME.default_month, name, lane]
                if failed > 0.0 and month < failed + RESOLUTION_MONTHS:
                    lease_state.rows[LEASE.status, a, lane] = UNPAID


@inner
def note_acceptance(params, leases, lease_state, boxes, month):
    """Remember the month of each box's first acceptance; after t0 of what was pending then."""
    for a in range(params.terms.shape[1]):
        if month > 0 and not params.codes[DELIVERY_CODE.pending, a]:
            continue
        b = leases.codes[LEASE_CODE.box, a]
        for lane in range(boxes.rows.shape[2]):
            if (
                lease_state.rows[LEASE.accepted, a, lane] <= month
                and lease_state.rows[LEASE.status, a, lane] >= CONTRACTED
            ):
                first = boxes.rows[BOX.first_acceptance, b, lane]
                boxes.rows[BOX.first_acceptance, b, lane] = min(
                    first, lease_state.rows[LEASE.accepted, a, lane]
                )


__all__ = [
    "PERFORMING",
    "DeliveryParams",
    "DeliveryState",
    "accept",
    "cancel_commitments",
    "damages",
    "expected_acceptance",
    "init_deliveries",
    "new_deliveries",
    "note_acceptance",
    "planned_acceptance",
    "slip_deliveries",
    "step_deliveries",
]
