"""A month of leases in packs of lanes: what all paths do side by side.

Quiet is a lease that waits for its delivery, is gone, is paid in full by a living customer who does
not renegotiate, earns merchant prices or looks for a customer.  What else can happen is left to
`lease_events.step_lease`, lane by lane.

Model: docs/model.md §10.
"""

from __future__ import annotations

from simulator.credit.leases import (
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    GONE,
    LEASE,
    LEASE_CODE,
    LEASE_STREAM,
    LEASE_TERM,
    MERCHANT,
    MERCHANT_MONTHS,
    MONEYNESS_TRIGGER,
    NEVER,
    NO_REASON,
    RELETTING,
    SCRAP_AFTER_MONTHS,
    full_invoice,
)
from simulator.credit.names import NAME
from simulator.numerics.elementary import exp_of
from simulator.numerics.jit import inlined
from simulator.numerics.lanes import any_of, floor_of, most, select, words_of
from simulator.numerics.philox import uniform_lanes
from simulator.numerics.processes import monthly_event_probability_of

ROUNDING = 1e-9  # by which a bound is widened, so that it holds after rounding


@inlined
def renegotiates(params, state, seed, paths, month, log_development, prior, draws, a, pack):
    """Say where a customer asks for a lower price this month; `draws` (lane,) is written.

    The hazard is looked at closely only where the draw is below what it can be at most: a price has
    fallen by no more than its log has, e^x >= 1 + x, and 1 - e^-h <= h.
    """
    stream = params.streams[LEASE_STREAM.renegotiation_streams, a]
    draw = uniform_lanes(seed, words_of(paths[pack]), stream, month, pack)
    consent = params.terms[LEASE_TERM.consent, a]
    base = params.terms[LEASE_TERM.renegotiation_hazard, a]
    slope = params.terms[LEASE_TERM.renegotiation_slope, a]
    log_change = log_development - state.rows[LEASE.log_reset, a, pack]
    at_reset = state.rows[LEASE.moneyness, a, pack]
    fallen = most(0.0, MONEYNESS_TRIGGER - (1.0 + log_change) * at_reset)
    limit = consent / 12.0 * (base * prior[pack] + slope * fallen)
    asks = draw < limit * (1.0 + ROUNDING) + ROUNDING
    draws[pack] = draw
    if any_of(asks):
        moneyness = exp_of(log_change) * at_reset
        hazard = consent * (base * prior[pack] + slope * most(0.0, MONEYNESS_TRIGGER - moneyness))
        asks = draw < monthly_event_probability_of(hazard)
    return asks


@inlined
def multiplier_at(params, state, a, accepted, month, pack):
    """Return what billing profile and escalator make of a price, see `leases.price_multiplier`."""
    row = params.codes[LEASE_CODE.profile, a]
    step = params.profiles[row, min(int(month), params.profiles.shape[1] - 1)]
    years = most(0.0, floor_of((month - accepted) / 12.0))
    multiplier = step * exp_of(params.terms[LEASE_TERM.log_escalator, a] * years)
    return select(state.rows[LEASE.first_term, a, pack] == 0.0, 1.0, multiplier)


@inlined
def bill_quietly(params, state, names, month, availability, asks, a, pack):
    """Bill the quiet lanes of a lease; return where it is not quiet, and where it is a merchant.

    Parameters
    ----------
    availability : pack, share of hours
    asks : pack, where the customer renegotiates
    """
    status = state.rows[LEASE.status, a, pack]
    left = state.rows[LEASE.months_left, a, pack]
    name = params.codes[LEASE_CODE.name, a]
    serves = (status == CONTRACTED) & (left > 1.0)
    credits = params.terms[LEASE_TERM.credits, a]
    if credits > 0.0:
        credited = (left <= credits) & (state.rows[LEASE.unearned, a, pack] > 0.0)
        serves = serves & ~credited
    waits = status <= COMMISSIONING
    if any_of(waits):
        waits = waits & (state.rows[LEASE.void, a, pack] == 0.0)
    late = (status == MERCHANT) | (status == RELETTING)
    gone = status >= CANCELLED
    failed = names.rows[NAME.default_month, name, pack]
    control = names.rows[NAME.control_clock, name, pack]
    control = control + names.rows[NAME.control_ended, name, pack]
    trouble = failed + control > 0.0
    if any_of(trouble):  # a contract that a failed customer has kept is paid like any other
        kept = (status == CONTRACTED) & (failed < month) & (control == 0.0)
        kept = kept & (params.codes[LEASE_CODE.profile, a] < 0)  # else its price is billed anew
        asks = asks & (failed == 0.0)
        trouble = trouble & ~kept & ~gone
    busy = (asks | trouble | ~(waits | serves | gone)) & ~late
    life = params.terms[LEASE_TERM.life, a]
    if life < NEVER:
        over = month - state.rows[LEASE.accepted, a, pack] > life
        over = over & (~gone | (state.rows[LEASE.reason, a, pack] == NO_REASON))
        busy = busy | over
        late = late & ~over
    serves = ~busy & (status == CONTRACTED)
    state.rows[LEASE.months_left, a, pack] = select(serves, left - 1.0, left)
    invoice = full_invoice(params, a, state.rows[LEASE.price, a, pack], availability)
    received = select(serves, invoice, 0.0)
    if params.codes[LEASE_CODE.profile, a] >= 0:
        accepted = state.rows[LEASE.accepted, a, pack]
        received = received * multiplier_at(params, state, a, accepted, month, pack)
    state.rows[LEASE.received, a, pack] = received
    state.rows[LEASE.due, a, pack] = received
    state.rows[LEASE.running, a, pack] = select(serves, 1.0, 0.0)
    if params.renegotiation:
        rest = state.rows[LEASE.rest, a, pack]
        rests = ~busy & (status <= CONTRACTED)
        state.rows[LEASE.rest, a, pack] = select(rests, rest + 1.0, rest)
    return busy, late


@inlined
def wait_for_market(params, state, month, a, pack):
    """Begin the month of GPUs without a contract; return where they retire, where they earn."""
    state.rows[LEASE.received, a, pack] = 0.0
    state.rows[LEASE.due, a, pack] = 0.0
    state.rows[LEASE.running, a, pack] = 0.0
    status = state.rows[LEASE.status, a, pack]
    over = month - state.rows[LEASE.accepted, a, pack] > params.terms[LEASE_TERM.life, a]
    return over, (status == MERCHANT) & ~over


@inlined
def bill_late(
    params, state, contract_price, spot_price, utilisation, floor, availability, late, a, pack
):
    """Bill merchant lanes, price x utilisation or idle below the cash floor, and count re-letting.

    Parameters
    ----------
    contract_price, spot_price, utilisation, floor, availability : pack
    late : pack, where the lease is merchant or looks for a customer
    """
    status = state.rows[LEASE.status, a, pack]
    merchant = late & (status == MERCHANT)
    reletting = late & (status == RELETTING)
    factor = params.terms[LEASE_TERM.price_factor, a]
    merchant_left = state.rows[LEASE.merchant_left, a, pack]
    if params.codes[LEASE_CODE.name, a] < 0:
        price = factor * spot_price
    else:
        is_new = merchant_left <= 0.0
        price = select(is_new, factor * contract_price, state.rows[LEASE.merchant_price, a, pack])
        left = select(is_new, MERCHANT_MONTHS, merchant_left) - 1.0
        merchant_left = select(merchant, left, merchant_left)
        before = state.rows[LEASE.merchant_price, a, pack]
        state.rows[LEASE.merchant_price, a, pack] = select(merchant, price, before)
    idles = merchant & (price * utilisation < floor)
    earns = merchant & ~idles
    idle = state.rows[LEASE.idle, a, pack]
    months = select(idles, idle + 1.0, select(earns, 0.0, idle))
    state.rows[LEASE.idle, a, pack] = months
    status = select(idles & (months >= SCRAP_AFTER_MONTHS), GONE, status)
    invoice = full_invoice(params, a, price, availability) * utilisation
    received = select(earns, invoice, state.rows[LEASE.received, a, pack])
    state.rows[LEASE.received, a, pack] = received
    running = select(earns, 1.0, state.rows[LEASE.running, a, pack])
    state.rows[LEASE.running, a, pack] = running
    clock = state.rows[LEASE.clock, a, pack]
    clock = select(reletting, clock - 1.0, clock)
    state.rows[LEASE.clock, a, pack] = clock
    let = reletting & (clock <= 0.0)
    state.rows[LEASE.status, a, pack] = select(let, MERCHANT, status)
    state.rows[LEASE.merchant_left, a, pack] = select(let, 0.0, merchant_left)


__all__ = ["bill_late", "bill_quietly", "multiplier_at", "renegotiates", "wait_for_market"]
