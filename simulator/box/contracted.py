"""What the contracts of a box still promise: the cash that schedules and values rest on.

Model: docs/model.md §11 (Debt service), §13.
"""

from __future__ import annotations

from simulator.box.costs import planned_cost
from simulator.box.deliveries import expected_acceptance
from simulator.credit.leases import (
    BACKSTOPPED,
    COMMISSIONING,
    LEASE,
    LEASE_CODE,
    LEASE_TERM,
    contract_prepayment,
    full_invoice,
    price_multiplier,
)
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner


@inner
def contract_outlook(
    deliveries, delivery_state, leases, lease_state, availability, a, lane, fitted
):
    """Return what an asset's contract still promises, seen from the end of month `fitted`.

    Returns
    -------
    start, end : float
        Paid months are start + 1 .. end; none if end <= start.
    invoice : float
        USD m a month, before credits, at the plain price (see `contract_due`).
    credit, credit_from : float
        Prepayment credited back, USD m a month, in months above `credit_from`.
    accepted : float
        Month of acceptance, known or expected.
    """
    nothing = float(fitted)
    status = lease_state.rows[LEASE.status, a, lane]
    if (
        leases.codes[LEASE_CODE.name, a] < 0
        or status > BACKSTOPPED
        or lease_state.rows[LEASE.void, a, lane] > 0.0
    ):
        return nothing, nothing, 0.0, 0.0, nothing, nothing
    if status <= COMMISSIONING:
        start = max(float(fitted), expected_acceptance(deliveries, delivery_state, a, lane))
        left = leases.terms[LEASE_TERM.term, a]
        accepted = start
    else:
        start = float(fitted)
        left = lease_state.rows[LEASE.months_left, a, lane]
        accepted = lease_state.rows[LEASE.accepted, a, lane]
    term_end = start + left
    end = min(term_end, accepted + leases.terms[LEASE_TERM.life, a])
    price = lease_state.rows[LEASE.price, a, lane]
    invoice = full_invoice(leases, a, price, availability)
    credit = 0.0
    credits = leases.terms[LEASE_TERM.credits, a]
    if (
        lease_state.rows[LEASE.first_term, a, lane] > 0.0
        and leases.terms[LEASE_TERM.prepayment_share, a] > 0.0
    ):
        prepayment = lease_state.rows[LEASE.prepayment, a, lane]
        if prepayment == 0.0:
            prepayment = contract_prepayment(leases, a, price)
        credit = prepayment / credits
    return start, end, invoice, credit, term_end - credits, accepted


@inlined
def contract_due(leases, lease_state, a, lane, month, invoice, credit, credit_from, accepted):
    """Return what a contract promises for a month of its `contract_outlook`, USD m."""
    billed = invoice * price_multiplier(leases, lease_state, a, lane, accepted, month)
    return billed - min(billed, credit) if month > credit_from else billed


@inner
def add_contracted_cash(
    deliveries,
    delivery_state,
    leases,
    lease_state,
    costs,
    availability,
    a,
    lane,
    fitted,
    last,
    cash,
):
    """Add an asset's contracted cash of months fitted + 1 .. last to `cash` (month,), USD m.

    Invoice less prepayment credit less planned operating costs, within the contract term.
    """
    start, end, invoice, credit, credit_from, accepted = contract_outlook(
        deliveries, delivery_state, leases, lease_state, availability, a, lane, fitted
    )
    for month in range(int(min(start, 1e6)) + 1, int(min(end, float(last))) + 1):
        due = contract_due(
            leases, lease_state, a, lane, month, invoice, credit, credit_from, accepted
        )
        cash[month] += due - planned_cost(costs, a, month)


@inner
def contracted_value(
    deliveries, delivery_state, leases, lease_state, costs, availability, a, lane, fitted, factor
):
    """Return the value at `fitted` of an asset's contracted cash, no month's below zero, USD m.

    `factor` is a monthly discount factor.
    """
    start, end, invoice, credit, credit_from, accepted = contract_outlook(
        deliveries, delivery_state, leases, lease_state, availability, a, lane, fitted
    )
    total = 0.0
    weight = exp((start - fitted) * log(factor))
    for month in range(int(min(start, 1e6)) + 1, int(min(end, 1e6)) + 1):
        weight *= factor
        due = contract_due(
            leases, lease_state, a, lane, month, invoice, credit, credit_from, accepted
        )
        total += weight * max(0.0, due - planned_cost(costs, a, month))
    return total
