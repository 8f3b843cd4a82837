"""Customers, contracts and deliveries of a box told as events.

The deliveries of a contract move together as a rule, so events of the same month, contract and
kind are told once, with the GPUs (or the kW of a hall) concerned.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.config.units import GPU, HALL, Unit
from simulator.credit.leases import (
    BACKSTOPPED,
    CANCELLED,
    COMMISSIONING,
    CONTRACTED,
    GONE,
    LEASE_CODE,
    LEASE_TERM,
    MERCHANT,
    PENDING,
    RELETTING,
    UNPAID,
)
from simulator.credit.names import NAME
from simulator.engine.paths import TracedPath
from simulator.engine.trace import LEASE_FIELDS

__all__ = ["lease_events"]

Told = tuple[int, str, str]  # month, kind, text

STATUS, PRICE, MONTHS_LEFT = (LEASE_FIELDS.index(x) for x in ("status", "price", "months_left"))

ARRIVALS = {
    COMMISSIONING: "are delivered",
    CONTRACTED: "are accepted: the contract starts",
    RELETTING: "are accepted without a customer",
    MERCHANT: "are accepted for the on-demand pool",
    CANCELLED: "are cancelled",
}
CHANGES = {
    UNPAID: "stop being paid for",
    BACKSTOPPED: "are paid for by the backstop",
    CONTRACTED: "are paid for again: the contract is assumed",
    RELETTING: "come off contract and look for a customer",
    MERCHANT: "are let on the market",
    CANCELLED: "are cancelled",
    GONE: "are sold or scrapped",
}
"""What a new status says about the GPUs of a lease, by whether they had been accepted."""


def lease_events(path: TracedPath, b: int) -> list[Told]:
    """Tell what became of the customers, contracts and deliveries of a box.

    Parameters
    ----------
    path : TracedPath
        The path.
    b : int
        Row of the box.

    Returns
    -------
    list of (month, kind, text)
        Not in order.
    """
    gpus: dict[Told, float] = {}
    leases = path.prepared.params.leases
    rows = np.flatnonzero(leases.codes[LEASE_CODE.box] == b)
    unit = unit_of_box(path, b)
    for a in rows:
        for told in changes_of(path, int(a), unit):
            gpus[told] = gpus.get(told, 0.0) + leases.terms[LEASE_TERM.gpus, a]
    found = [
        (month, kind, f"{owner}: {count:,.0f} {unit.many} {text}")
        for (month, kind, both), count in gpus.items()
        for owner, text in [both.split("\0")]
    ]
    names = {
        int(leases.codes[row, a]) for row in (LEASE_CODE.name, LEASE_CODE.backstop) for a in rows
    }
    return found + [told for j in sorted(names - {-1}) for told in name_events(path, j)]


def unit_of_box(path: TracedPath, b: int) -> Unit:
    """Return the unit in which a box is told: GPUs by the hour, halls by the kW and month."""
    layout = path.prepared.layout
    generation = layout.generations[path.prepared.params.box_generation[b]]
    return HALL if generation in layout.halls else GPU


def changes_of(path: TracedPath, a: int, unit: Unit) -> Iterator[Told]:
    """Yield the changes of one lease; its contract and the text stand on both sides of a NUL."""
    leases = path.prepared.params.leases
    asset = path.prepared.layout.assets[a]
    owner = asset.contract or asset.id
    status, price = start_status(path, a), leases.terms[LEASE_TERM.first_price, a]
    left = np.inf
    for month, row in enumerate(path.trace.lease[:, :, a], start=1):
        now, cost = row[STATUS], row[PRICE]
        if now != status:
            arriving = status in (PENDING, COMMISSIONING)
            text = (ARRIVALS if arriving else CHANGES).get(now, "")
            late = month - asset.planned_delivery
            if now == COMMISSIONING and late > 0:
                text += f", {late:.0f} month{'s' if late > 1 else ''} late"
            if text:
                yield month, "delivery" if arriving else "contract", f"{owner}\0{text}"
        elif row[MONTHS_LEFT] > left:
            told = f"are renewed at USD {cost * unit.hours:.2f} {unit.time}"
            yield month, "contract", f"{owner}\0{told}"
        elif cost < price:
            said = f"{cost * unit.hours:.2f} {unit.time}"
            told = f"are renegotiated from USD {price * unit.hours:.2f} to {said}"
            yield month, "contract", f"{owner}\0{told}"
        status, price, left = now, cost, row[MONTHS_LEFT]


def start_status(path: TracedPath, a: int) -> float:
    """Return the status of a lease at t0."""
    leases = path.prepared.params.leases
    accepted = leases.terms[LEASE_TERM.accepted, a]
    if np.isnan(accepted):
        return COMMISSIONING if leases.codes[LEASE_CODE.delivered, a] else PENDING
    left = leases.terms[LEASE_TERM.term, a] + accepted
    return CONTRACTED if leases.codes[LEASE_CODE.name, a] >= 0 and left > 0.0 else MERCHANT


def name_events(path: TracedPath, j: int) -> Iterator[Told]:
    """Tell default, integration and end by export control of a customer."""
    name, rows = path.prepared.layout.names[j], path.trace.name[:, :, j]
    texts = {
        NAME.default_month: "DEFAULTS",
        NAME.integrated: "turns to chips and halls of its own",
        NAME.control_ended: "may no longer be served: export control ends its contracts",
    }
    for row, text in texts.items():
        months = np.flatnonzero(rows[:, row])
        if months.size:
            yield int(months[0]) + 1, "customer", f"{name} {text}"
