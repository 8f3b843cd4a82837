"""Leases: what a delivery of GPUs earns under its customer contract and after it.

Each delivery ("asset") carries its own lease; the assets of one contract share the contract's
draws.  Here are its terms, its state and its prices; what happens to it stands in
`credit.lease_events`, how a month is billed in `credit.billing`.

Model: docs/model.md §10; `cp.reneg_*`, `cp.relet_lag`, `cp.lgd_claim`, evidence section 4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.collateral import HOURS
from simulator.drivers.prices import tenor_factor
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import entity_rows
from simulator.numerics.rows import row_names

# Status of a lease, in the order of a life.
PENDING, COMMISSIONING, CONTRACTED, UNPAID, BACKSTOPPED, RELETTING, MERCHANT, CANCELLED, GONE = (
    0.0,
    1.0,
    2.0,
    3.0,
    4.0,
    5.0,
    6.0,
    7.0,
    8.0,
)

# Why contracted revenue is missing.
NO_REASON, COUNTERPARTY, RENEGOTIATION, CONTROL, DELAY, EXPIRY = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0

RESOLUTION_MONTHS = 3.0  # from default to assumption or rejection
REST_MONTHS = 12.0  # after a renegotiation, granted or refused
MERCHANT_MONTHS = 12.0  # for which a merchant price is fixed
SCRAP_AFTER_MONTHS = 6.0
MONEYNESS_TRIGGER = 0.75


@row_names
class LeaseTermRows(NamedTuple):
    """Rows of `LeaseParams.terms`."""

    gpus: int
    first_price: int  # USD per GPU-hour
    term: int  # months
    price_factor: int  # k
    moneyness: int  # at t0
    prepayment_share: int
    consent: int  # multiplier of the renegotiation hazard
    renegotiation_hazard: int  # per year
    renegotiation_slope: int  # per year
    accepted: int  # month <= 0 if accepted at t0, else NaN
    life: int  # months from acceptance to the end of useful life, NEVER = by economics alone
    credits: int  # last months of the term over which a prepayment is credited back
    rating_floor: int  # worst notch of the customer before cash is trapped, 0 = none
    log_escalator: int  # per year since acceptance


LEASE_TERM = LeaseTermRows(*range(14))


@row_names
class LeaseCodeRows(NamedTuple):
    """Rows of `LeaseParams.codes`."""

    generation: int
    box: int
    name: int  # offtaker, -1 = on-demand pool
    backstop: int  # name, -1 = none
    contract: int  # -1 = on-demand pool
    delivered: int  # 1 = delivered by t0
    currency: int  # of the price, 0 = dollar
    profile: int  # row of `profiles`, -1 = the same price in every month of the term


LEASE_CODE = LeaseCodeRows(*range(8))


@row_names
class LeaseStreamRows(NamedTuple):
    """Rows of `LeaseParams.streams`."""

    renegotiation_streams: int  # of the asset's contract
    claim_streams: int  # of the asset's contract
    renewal_streams: int


LEASE_STREAM = LeaseStreamRows(*range(3))


class LeaseParams(NamedTuple):
    """Frozen inputs, by asset unless said otherwise."""

    terms: NDArray[np.float64]  # (row of LEASE_TERM, ...)
    codes: NDArray[np.int64]  # (row of LEASE_CODE, ...)
    streams: NDArray[np.uint64]  # (row of LEASE_STREAM, ...)
    backstop_cap: NDArray[np.float64]  # (contract,), USD m
    profiles: NDArray[np.float64]  # (profile, month), multiplier of the price by calendar month
    tenor_discounts: NDArray[np.float64]  # (asset, 3): price of 1, 3 and 5 years, 1 for halls
    concession_table: NDArray[np.float64]
    claim_table: NDArray[np.float64]  # recovery of a claim
    claim_years: float  # median time to recovery
    claim_discount: float  # monthly factor
    relet_lag: float  # months, median
    renewal_probability: float
    offtake_hit: float  # share not paid under export control
    renegotiation: bool
    lender_consent: bool  # lenders refuse what their cover cannot bear
    centred: bool  # the base case: lags at their median, the likelier of renewal and departure


@row_names
class LeaseRows(NamedTuple):
    """Rows of `LeaseState.rows`."""

    status: int
    months_left: int  # of the term
    price: int  # USD per GPU-hour
    log_reset: int  # ln dev at the last reset
    moneyness: int  # moneyness0, 1 after a reset
    rest: int  # months since the last renegotiation
    clock: int  # months to resolution, or of re-letting
    arrears: int  # USD m
    prepayment: int  # received, USD m
    unearned: int  # of it, USD m
    first_term: int  # 1 until renewed or ended
    void: int  # 1 once rejected or terminated
    ended: int  # month of rejection or termination, 0 = none
    reason: int  # why the first contract no longer pays
    merchant_price: int
    merchant_left: int  # months the merchant price is still fixed
    idle: int  # months idle in a row
    running: int  # 1 if the GPUs draw power this month
    claim: int  # USD m, to be received
    claim_month: int  # 0 = none
    accepted: int  # month of acceptance, 10_000 = not yet
    received: int  # USD m, this month's cash of the lease
    due: int  # USD m, this month's contract invoice


LEASE = LeaseRows(*range(23))


class LeaseState(NamedTuple):
    """State by asset and lane."""

    rows: NDArray[np.float64]  # (row of LEASE, ...)
    cap_left: NDArray[np.float64]  # (contract, lane), of the backstop


NEVER = 10_000.0


def new_leases(assets: int, contracts: int, lanes: int) -> LeaseState:
    """Return state for a block."""
    return LeaseState(
        rows=entity_rows(len(LEASE), max(1, assets), lanes),
        cap_left=np.zeros((max(1, contracts), lanes)),
    )


@inner
def init_leases(params, state):
    """Reset a block to t0: what is accepted is under contract, the rest is pending."""
    state.rows[:] = 0.0
    for contract in range(params.backstop_cap.shape[0]):
        state.cap_left[contract] = params.backstop_cap[contract]
    for a in range(params.terms.shape[1]):
        state.rows[LEASE.price, a] = params.terms[LEASE_TERM.first_price, a]
        state.rows[LEASE.moneyness, a] = params.terms[LEASE_TERM.moneyness, a]
        state.rows[LEASE.rest, a] = REST_MONTHS
        state.rows[LEASE.first_term, a] = 1.0
        state.rows[LEASE.prepayment, a] = 0.0
        state.rows[LEASE.unearned, a] = 0.0
        state.rows[LEASE.months_left, a] = params.terms[LEASE_TERM.term, a]
        credited = 0.0
        if np.isnan(params.terms[LEASE_TERM.accepted, a]):
            state.rows[LEASE.accepted, a] = NEVER
            state.rows[LEASE.status, a] = PENDING
            if not params.codes[LEASE_CODE.delivered, a]:
                continue
            state.rows[LEASE.status, a] = COMMISSIONING
        else:
            state.rows[LEASE.accepted, a] = params.terms[LEASE_TERM.accepted, a]
            left = params.terms[LEASE_TERM.term, a] + params.terms[LEASE_TERM.accepted, a]
            state.rows[LEASE.status, a] = MERCHANT
            if params.codes[LEASE_CODE.name, a] >= 0:
                state.rows[LEASE.months_left, a] = left
                state.rows[LEASE.status, a] = CONTRACTED if left > 0.0 else MERCHANT
                state.rows[LEASE.reason, a] = NO_REASON if left > 0.0 else EXPIRY
                state.rows[LEASE.first_term, a] = 1.0 if left > 0.0 else 0.0
            credits = params.terms[LEASE_TERM.credits, a]
            credited = min(1.0, max(0.0, 1.0 - left / credits)) if credits > 0.0 else 0.0
        prepayment = contract_prepayment(params, a, params.terms[LEASE_TERM.first_price, a])
        state.rows[LEASE.prepayment, a] = prepayment
        state.rows[LEASE.unearned, a] = prepayment * (1.0 - credited)


@inner
def contract_prepayment(params, a, price):
    """Return what the customer prepays at delivery, USD m: a share of the contract's value."""
    value = full_invoice(params, a, price, 1.0) * params.terms[LEASE_TERM.term, a]
    return params.terms[LEASE_TERM.prepayment_share, a] * value


@inlined
def full_invoice(params, a, price, availability):
    """Return a month's invoice of an asset at this price, USD m, before credits."""
    return price * params.terms[LEASE_TERM.gpus, a] * HOURS * availability / 1e6


@inlined
def price_multiplier(params, state, a, lane, accepted, month):
    """Return what billing profile and escalator make of a contract's price in a month.

    The price steps up on each anniversary of acceptance; a renewal is at a plain price again.

    Parameters
    ----------
    accepted : float
        Month of acceptance, known or expected; no escalator before it.
    """
    row = params.codes[LEASE_CODE.profile, a]
    if row < 0 or state.rows[LEASE.first_term, a, lane] == 0.0:
        return 1.0
    step = params.profiles[row, min(int(month), params.profiles.shape[1] - 1)]
    years = max(0.0, np.floor((month - accepted) / 12.0))
    return step * exp(params.terms[LEASE_TERM.log_escalator, a] * years)


@inlined
def billed_price(params, state, a, lane, month):
    """Return what a GPU-hour of a contract costs in this month, USD."""
    accepted = state.rows[LEASE.accepted, a, lane]
    multiplier = price_multiplier(params, state, a, lane, accepted, month)
    return state.rows[LEASE.price, a, lane] * multiplier


@inlined
def comparable_price(params, a, months, contract_price):
    """Return P^c: what the market would pay for this contract over its remaining months."""
    return (
        params.terms[LEASE_TERM.price_factor, a]
        * contract_price
        * tenor_factor(months, params.tenor_discounts[a])
    )


@inner
def reprice(params, state, moves):
    """Restate contract prices in dollars of this month; `moves` (currency, lane)."""
    for a in range(params.terms.shape[1]):
        currency = params.codes[LEASE_CODE.currency, a]
        if currency > 0:
            for lane in range(moves.shape[1]):
                state.rows[LEASE.price, a, lane] *= moves[currency, lane]
