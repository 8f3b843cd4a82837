"""What happens to a lease on one path: default or end of its customer, renegotiation, re-letting.

A month runs: default or end of the customer, bill, renegotiation, end of term, re-letting.  Changes
of price act from the next month on.  Quiet months are billed in `credit.billing`.

Model: docs/model.md §10; `cp.reneg_*`, `cp.relet_lag`, `cp.lgd_claim`, evidence section 4.
"""

from __future__ import annotations

import numpy as np

from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    CONTROL,
    COUNTERPARTY,
    EXPIRY,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_STREAM,
    LEASE_TERM,
    MERCHANT,
    MERCHANT_MONTHS,
    MONEYNESS_TRIGGER,
    NO_REASON,
    PENDING,
    RELETTING,
    RESOLUTION_MONTHS,
    REST_MONTHS,
    SCRAP_AFTER_MONTHS,
    UNPAID,
    billed_price,
    comparable_price,
    full_invoice,
    price_multiplier,
)
from simulator.credit.names import NAME
from simulator.drivers.draws import beta_at_normal, normals, uniforms
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner
from simulator.numerics.processes import monthly_event_probability

WITH_LENDERS = 1.0  # multiplier of the hazard of contracts that lenders must agree to change
RENEWAL_MONTHS = 24.0
RELET_SD = 0.7  # of log lag
WORKOUT_SD = 0.5  # of log time to a claim's recovery
GLUT_BELOW = -0.14
LOSS_OF_RENEWAL = 0.05  # factor on renewal after vertical integration


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
