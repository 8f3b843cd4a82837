"""Leases: what a delivery of GPUs earns under its customer contract and after it.

Each delivery ("asset") carries its own lease; the assets of one contract share the contract's
draws.  A month runs: default or end of the customer, bill, renegotiation, end of term, re-letting.
Changes of price act from the next month on.

Model: docs/model.md §10; `cp.reneg_*`, `cp.relet_lag`, `cp.lgd_claim`, evidence section 4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.credit.names import NAME
from simulator.drivers.collateral import HOURS
from simulator.drivers.draws import beta_at_normal, normals, uniforms
from simulator.drivers.prices import tenor_factor
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lanes import entity_rows
from simulator.numerics.processes import monthly_event_probability
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
WITH_LENDERS = 1.0  # multiplier of the hazard of contracts that lenders must agree to change
RENEWAL_MONTHS = 24.0
MERCHANT_MONTHS = 12.0  # for which a merchant price is fixed
SCRAP_AFTER_MONTHS = 6.0
RELET_SD = 0.7  # of log lag
WORKOUT_SD = 0.5  # of log time to a claim's recovery
MONEYNESS_TRIGGER = 0.75
GLUT_BELOW = -0.14
LOSS_OF_RENEWAL = 0.05  # factor on renewal after vertical integration


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
def mean_relet_lag(params, tightness):
    """Return the mean re-letting lag in whole months; twice as long in a glut."""
    scale = 2.0 if tightness < GLUT_BELOW else 1.0
    return np.floor(params.relet_lag * exp(0.5 * RELET_SD * RELET_SD) * scale + 0.5)


@inner
def annuity(factor: float, months: float) -> float:
    """Return the present value of 1 a month for so many months at a monthly discount factor."""
    if months <= 0.0:
        return 0.0
    if factor >= 1.0:
        return months
    return factor * (1.0 - exp(months * log(factor))) / (1.0 - factor)


@inner
def start_reletting(params, state, seed, path, a, lane, month, tightness, reason):
    """Put an asset on the market: no revenue until the lag is over."""
    _, z = normals(seed, path, params.streams[LEASE_STREAM.renewal_streams, a], month)
    if params.centred:
        z = 0.0
    scale = 2.0 if tightness < GLUT_BELOW else 1.0
    lag = np.floor(params.relet_lag * exp(RELET_SD * z) * scale + 0.5)
    state.rows[LEASE.status, a, lane] = RELETTING
    state.rows[LEASE.clock, a, lane] = max(1.0, lag)
    state.rows[LEASE.first_term, a, lane] = 0.0
    if state.rows[LEASE.reason, a, lane] == NO_REASON:
        state.rows[LEASE.reason, a, lane] = reason


@inner
def end_contract(params, state, seed, path, a, lane, month, tightness, reason):
    """Void a contract by rejection or termination; what is undelivered is cancelled."""
    state.rows[LEASE.void, a, lane] = 1.0
    state.rows[LEASE.ended, a, lane] = month
    state.rows[LEASE.arrears, a, lane] = 0.0
    state.rows[LEASE.unearned, a, lane] = 0.0
    state.rows[LEASE.prepayment, a, lane] = 0.0
    state.rows[LEASE.reason, a, lane] = reason
    status = state.rows[LEASE.status, a, lane]
    if status == PENDING:
        state.rows[LEASE.status, a, lane] = CANCELLED
    elif status != COMMISSIONING:
        start_reletting(params, state, seed, path, a, lane, month, tightness, reason)


@inner
def reject(params, state, seed, path, a, lane, month, tightness, contract_price, availability):
    """Reject a contract in bankruptcy: a claim for what the market does not replace."""
    left = max(0.0, state.rows[LEASE.months_left, a, lane])
    if state.rows[LEASE.status, a, lane] >= CONTRACTED:
        lost = full_invoice(params, a, billed_price(params, state, a, lane, month), availability)
        replaced = full_invoice(
            params, a, comparable_price(params, a, left, contract_price), availability
        )
        lag = mean_relet_lag(params, tightness)
        factor = params.claim_discount
        after_lag = annuity(factor, left) - annuity(factor, min(lag, left))
        claim = (
            lost * annuity(factor, left)
            - replaced * after_lag
            - state.rows[LEASE.unearned, a, lane]
        )
        z_share, z_time = normals(seed, path, params.streams[LEASE_STREAM.claim_streams, a], month)
        years = params.claim_years * exp(WORKOUT_SD * z_time)
        state.rows[LEASE.claim, a, lane] = max(0.0, claim) * beta_at_normal(
            params.claim_table, z_share
        )
        state.rows[LEASE.claim_month, a, lane] = month + max(1.0, np.floor(12.0 * years + 0.5))
    end_contract(params, state, seed, path, a, lane, month, tightness, COUNTERPARTY)


@inner
def customer_events(
    params, state, names, seed, path, a, lane, month, tightness, contract_price, availability
):
    """Step (a): default, assumption, rejection, export control; return arrears received."""
    name = params.codes[LEASE_CODE.name, a]
    status = state.rows[LEASE.status, a, lane]
    if state.rows[LEASE.void, a, lane] > 0.0 or status > BACKSTOPPED:
        return 0.0
    if (
        names.rows[NAME.control_ended, name, lane] > 0.0
        and names.rows[NAME.control_ended, name, lane] < month
    ):
        end_contract(params, state, seed, path, a, lane, month, tightness, CONTROL)
        return 0.0
    defaulted = names.rows[NAME.default_month, name, lane]
    if defaulted == 0.0:
        return 0.0
    if status == CONTRACTED and defaulted == month:
        state.rows[LEASE.status, a, lane] = UNPAID
        state.rows[LEASE.clock, a, lane] = RESOLUTION_MONTHS
        backstop = params.codes[LEASE_CODE.backstop, a]
        if backstop >= 0 and state.cap_left[params.codes[LEASE_CODE.contract, a], lane] > 0.0:
            if names.rows[NAME.default_month, backstop, lane] == 0.0:
                state.rows[LEASE.status, a, lane] = BACKSTOPPED
        return 0.0
    if status == BACKSTOPPED:
        failed = names.rows[NAME.default_month, params.codes[LEASE_CODE.backstop, a], lane]
        spent = state.cap_left[params.codes[LEASE_CODE.contract, a], lane] <= 0.0
        if spent or (failed > 0.0 and failed < month):
            reject(
                params, state, seed, path, a, lane, month, tightness, contract_price, availability
            )
        return 0.0
    if status == CONTRACTED or month != defaulted + RESOLUTION_MONTHS:
        return 0.0
    left = state.rows[LEASE.months_left, a, lane]
    in_the_money = comparable_price(params, a, left, contract_price) >= billed_price(
        params, state, a, lane, month
    )
    if in_the_money and left > 0.0:
        received = state.rows[LEASE.arrears, a, lane]
        state.rows[LEASE.arrears, a, lane] = 0.0
        if status == UNPAID:
            state.rows[LEASE.status, a, lane] = CONTRACTED
        return received
    reject(params, state, seed, path, a, lane, month, tightness, contract_price, availability)
    return 0.0


@inlined
def bill_contract(params, state, names, a, lane, month, availability):
    """Step (b) for a lease under contract: invoice less prepayment credit, and who pays it."""
    name = params.codes[LEASE_CODE.name, a]
    status = state.rows[LEASE.status, a, lane]
    left = state.rows[LEASE.months_left, a, lane]
    if left <= 0.0:
        return 0.0
    invoice = full_invoice(params, a, billed_price(params, state, a, lane, month), availability)
    credits = params.terms[LEASE_TERM.credits, a]
    if (
        state.rows[LEASE.first_term, a, lane] > 0.0
        and left <= credits
        and state.rows[LEASE.unearned, a, lane] > 0.0
    ):
        credit = min(invoice, state.rows[LEASE.prepayment, a, lane] / credits)
        state.rows[LEASE.unearned, a, lane] = max(0.0, state.rows[LEASE.unearned, a, lane] - credit)
        invoice -= credit
    state.rows[LEASE.months_left, a, lane] = left - 1.0
    state.rows[LEASE.due, a, lane] = invoice
    paid = invoice
    if names.rows[NAME.control_clock, name, lane] > 0.0:
        paid *= 1.0 - params.offtake_hit
    if status == UNPAID:
        state.rows[LEASE.arrears, a, lane] += paid
        return 0.0
    if status == BACKSTOPPED:
        if names.rows[NAME.default_month, name, lane] == month:
            return 0.0
        contract = params.codes[LEASE_CODE.contract, a]
        paid = min(paid, state.cap_left[contract, lane])
        state.cap_left[contract, lane] -= paid
    return paid


@inlined
def bill_merchant(
    params, state, a, lane, contract_price, spot_price, utilisation, floor, availability
):
    """Step (b) for a merchant lease: price x utilisation, or idle below the cash floor."""
    if params.codes[LEASE_CODE.name, a] < 0:
        price = params.terms[LEASE_TERM.price_factor, a] * spot_price
    else:
        if state.rows[LEASE.merchant_left, a, lane] <= 0.0:
            state.rows[LEASE.merchant_price, a, lane] = (
                params.terms[LEASE_TERM.price_factor, a] * contract_price
            )
            state.rows[LEASE.merchant_left, a, lane] = MERCHANT_MONTHS
        state.rows[LEASE.merchant_left, a, lane] -= 1.0
        price = state.rows[LEASE.merchant_price, a, lane]
    if price * utilisation < floor:
        state.rows[LEASE.running, a, lane] = 0.0
        state.rows[LEASE.idle, a, lane] += 1.0
        if state.rows[LEASE.idle, a, lane] >= SCRAP_AFTER_MONTHS:
            state.rows[LEASE.status, a, lane] = GONE
        return 0.0
    state.rows[LEASE.idle, a, lane] = 0.0
    return full_invoice(params, a, price, availability) * utilisation


@inlined
def renegotiate(
    params,
    state,
    seed,
    path,
    a,
    lane,
    month,
    log_development,
    contract_price,
    availability,
    prior,
    headroom,
    u,
):
    """Step (c): a customer far out of the money asks for a lower price; `u` is its draw.

    Lenders who must agree refuse what takes more than their `headroom` (box, lane), and the
    customer rests as if it had been heard; what they grant leaves less for the next.
    """
    moneyness = (
        exp(log_development - state.rows[LEASE.log_reset, a, lane])
        * state.rows[LEASE.moneyness, a, lane]
    )
    hazard = params.terms[LEASE_TERM.consent, a] * (
        params.terms[LEASE_TERM.renegotiation_hazard, a] * prior
        + params.terms[LEASE_TERM.renegotiation_slope, a] * max(0.0, MONEYNESS_TRIGGER - moneyness)
    )
    if u < monthly_event_probability(hazard):
        _, z = normals(seed, path, params.streams[LEASE_STREAM.renegotiation_streams, a], month)
        market = comparable_price(params, a, state.rows[LEASE.months_left, a, lane], contract_price)
        concession = beta_at_normal(params.concession_table, z)
        accepted = state.rows[LEASE.accepted, a, lane]
        multiplier = price_multiplier(params, state, a, lane, accepted, month)
        cut = concession * max(0.0, state.rows[LEASE.price, a, lane] * multiplier - market)
        state.rows[LEASE.rest, a, lane] = 0.0
        if params.lender_consent and params.terms[LEASE_TERM.consent, a] == WITH_LENDERS:
            box = params.codes[LEASE_CODE.box, a]
            lost = full_invoice(params, a, cut, availability)
            if lost > headroom[box, lane]:
                return
            headroom[box, lane] -= lost
        if cut > 0.0:  # off the plain price: profile and escalator go on
            state.rows[LEASE.price, a, lane] -= cut / multiplier
        reset_moneyness(state, a, lane, log_development)


@inlined
def reset_moneyness(state, a, lane, log_development):
    """Measure surprises from today on: the price has just been set on today's market."""
    state.rows[LEASE.log_reset, a, lane] = log_development
    state.rows[LEASE.moneyness, a, lane] = 1.0


@inner
def end_of_term(
    params, state, names, seed, path, a, lane, month, tightness, log_development, contract_price
):
    """Step (d): renew for two years at the market, or re-let."""
    name = params.codes[LEASE_CODE.name, a]
    probability = min(0.95, params.renewal_probability * exp(0.5 * tightness))
    if names.rows[NAME.integrated, name, lane] > 0.0:
        probability *= LOSS_OF_RENEWAL
    u, _ = uniforms(seed, path, params.streams[LEASE_STREAM.renewal_streams, a], month)
    if params.centred:
        u = 0.5
    if u < probability and names.rows[NAME.default_month, name, lane] == 0.0:
        state.rows[LEASE.price, a, lane] = comparable_price(
            params, a, RENEWAL_MONTHS, contract_price
        )
        state.rows[LEASE.months_left, a, lane] = RENEWAL_MONTHS
        state.rows[LEASE.first_term, a, lane] = 0.0
        state.rows[LEASE.reason, a, lane] = EXPIRY
        reset_moneyness(state, a, lane, log_development)
    else:
        start_reletting(params, state, seed, path, a, lane, month, tightness, EXPIRY)


@inner
def retire_asset(state, a, lane):
    """Scrap an asset at the end of its useful life."""
    state.rows[LEASE.status, a, lane] = GONE
    if state.rows[LEASE.reason, a, lane] == NO_REASON:
        state.rows[LEASE.reason, a, lane] = EXPIRY


@inner
def reprice(params, state, moves):
    """Restate contract prices in dollars of this month; `moves` (currency, lane)."""
    for a in range(params.terms.shape[1]):
        currency = params.codes[LEASE_CODE.currency, a]
        if currency > 0:
            for lane in range(moves.shape[1]):
                state.rows[LEASE.price, a, lane] *= moves[currency, lane]


@inner
def step_lease(
    params,
    state,
    names,
    seed,
    path,
    a,
    lane,
    month,
    tightness,
    contract_price,
    spot_price,
    log_development,
    utilisation,
    floor,
    availability,
    prior,
    headroom,
    draw,
):
    """Advance one lease on one lane by a month and bill it, whatever happens to it.

    Parameters
    ----------
    names : NameState, after this month's defaults
    contract_price, spot_price, log_development : float, of its generation
    utilisation : float, of its box's pool
    floor : float, cash floor of merchant hours, USD per GPU-hour
    availability : float, share of hours
    prior : float, multiplier of the renegotiation hazard
    headroom : (box, lane), cash a month that lenders can spare, USD m; what is granted is taken off
    draw : float, uniform of the renegotiation

    Notes
    -----
    Writes `received`, `due`, `running` of the month; the rest of the state moves on.
    """
    name = params.codes[LEASE_CODE.name, a]
    contracted = name >= 0
    state.rows[LEASE.due, a, lane] = 0.0
    state.rows[LEASE.received, a, lane] = 0.0
    state.rows[LEASE.running, a, lane] = 0.0
    if month - state.rows[LEASE.accepted, a, lane] > params.terms[LEASE_TERM.life, a]:
        retire_asset(state, a, lane)
    cash = 0.0
    if contracted and (
        names.rows[NAME.default_month, name, lane] > 0.0
        or names.rows[NAME.control_ended, name, lane] > 0.0
    ):
        cash += customer_events(
            params,
            state,
            names,
            seed,
            path,
            a,
            lane,
            month,
            tightness,
            contract_price,
            availability,
        )
    status = state.rows[LEASE.status, a, lane]
    if status == CANCELLED or status == GONE:
        return
    if status >= CONTRACTED and status <= BACKSTOPPED:
        state.rows[LEASE.running, a, lane] = 1.0
        cash += bill_contract(params, state, names, a, lane, month, availability)
    elif status == MERCHANT:
        state.rows[LEASE.running, a, lane] = 1.0
        cash += bill_merchant(
            params,
            state,
            a,
            lane,
            contract_price,
            spot_price,
            utilisation,
            floor,
            availability,
        )
    state.rows[LEASE.received, a, lane] = cash
    void = state.rows[LEASE.void, a, lane] > 0.0
    if not contracted or (void and status <= COMMISSIONING):
        return
    if params.renegotiation and status <= CONTRACTED:
        state.rows[LEASE.rest, a, lane] += 1.0
        rested = state.rows[LEASE.rest, a, lane] >= REST_MONTHS
        if rested and names.rows[NAME.default_month, name, lane] == 0.0:
            renegotiate(
                params,
                state,
                seed,
                path,
                a,
                lane,
                month,
                log_development,
                contract_price,
                availability,
                prior,
                headroom,
                draw,
            )
    if (status == CONTRACTED or status == BACKSTOPPED) and (
        state.rows[LEASE.months_left, a, lane] <= 0.0
    ):
        end_of_term(
            params,
            state,
            names,
            seed,
            path,
            a,
            lane,
            month,
            tightness,
            log_development,
            contract_price,
        )
    elif status == RELETTING:
        state.rows[LEASE.clock, a, lane] -= 1.0
        if state.rows[LEASE.clock, a, lane] <= 0.0:
            state.rows[LEASE.status, a, lane] = MERCHANT
            state.rows[LEASE.merchant_left, a, lane] = 0.0
