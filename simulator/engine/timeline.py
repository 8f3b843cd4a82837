"""What happened on a path, when and why: the trace of a path told as a list of events.

Nothing is simulated here; every event is a change between two months of a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box import flows
from simulator.box.terms import BOX, CLOSED, PERFORMING, TRANCHE, WORKOUT
from simulator.dataset.variables import CAUSES, TRIGGERS
from simulator.engine.leases_told import lease_events
from simulator.engine.market_told import market_events
from simulator.engine.paths import TracedPath
from simulator.engine.results import Facility, facilities_of
from simulator.sponsor.terms import SPONSOR

__all__ = ["Event", "events_of"]

SMALLEST = 0.005
"""USD millions below which a payment is not worth a line."""

Column = NDArray[np.float64]


class Event(NamedTuple):
    """Something that happened in a month."""

    month: int
    kind: str  # market, policy, customer, contract, delivery, box, default, sponsor
    text: str


def events_of(path: TracedPath, facility: str) -> list[Event]:
    """Tell a path from the point of view of one facility.

    Parameters
    ----------
    path : TracedPath
        The path.
    facility : str
        Id of the facility.

    Returns
    -------
    list of Event
        By month: the market, the facility's box (for HoldCo debt every box of the sponsor), its
        customers and its sponsor.
    """
    (chosen,) = [one for one in facilities_of(path.prepared.layout) if one.id == facility]
    found = [Event(*event) for event in market_events(path)]
    for box in boxes_behind(path, chosen):
        found += [Event(*event) for event in lease_events(path, box)]
        found += box_events(path, box)
    found += sponsor_events(path, chosen)
    return sorted(found, key=lambda event: event.month)


def boxes_behind(path: TracedPath, facility: Facility) -> list[int]:
    """Return the rows of the boxes that a facility lives on."""
    if facility.box >= 0:
        return [facility.box]
    layout = path.prepared.layout
    owner = layout.sponsors[facility.sponsor]
    owned = {tranche.box for tranche in layout.tranches if tranche.sponsor == owner}
    return [row for row, name in enumerate(layout.boxes) if name in owned]


def spells(amounts: Column) -> Iterator[tuple[int, int, float]]:
    """Yield first month, last month and sum of every run of amounts worth telling."""
    first = 0
    for month in range(1, len(amounts) + 2):
        inside = month <= len(amounts) and amounts[month - 1] > SMALLEST
        if inside and not first:
            first = month
        elif not inside and first:
            yield first, month - 1, float(amounts[first - 1 : month - 1].sum())
            first = 0


def until(first: int, last: int) -> str:
    """Say how long a spell lasts, if more than its first month."""
    return f" until month {last}" if last > first else ""


def turns(values: Column, start: float = 0.0) -> Iterator[tuple[int, float, float]]:
    """Yield month, value before and value of every change."""
    before = start
    for month, value in enumerate(values, start=1):
        if value != before:
            yield month, float(before), float(value)
        before = value


def box_events(path: TracedPath, b: int) -> list[Event]:
    """Tell covenants, support, default and workout of a box."""
    trace = path.trace
    name = path.prepared.layout.boxes[b]
    found = [*covenant_events(path, b), *default_events(path, b)]
    told = {
        flows.SUPPORT: "sponsor supports {} with USD {:,.1f} m{}",
        flows.CURE: "sponsor cures {} with USD {:,.1f} m{}",
        flows.DISPOSALS: "disposals of {} bring USD {:,.1f} m{}",
        flows.DEBT_SERVICE_RESERVE_USED: "debt service reserve of {} is drawn, USD {:,.1f} m{}",
        flows.SALE_PROCEEDS: "GPUs of {} are sold for USD {:,.1f} m net{}",
    }
    performing = trace.box[:, BOX.status, b] == PERFORMING
    for line, text in told.items():
        amounts = trace.flow[:, line, b]
        if line == flows.DEBT_SERVICE_RESERVE_USED:
            amounts = np.where(performing, amounts, 0.0)
        for first, last, amount in spells(amounts):
            found.append(Event(first, "box", text.format(name, amount, until(first, last))))
    return found + refinancings(path, b)


def covenant_events(path: TracedPath, b: int) -> Iterator[Event]:
    """Tell breaches and traps of a box."""
    trace, name = path.trace, path.prepared.layout.boxes[b]
    rows = trace.box[:, :, b]
    for month, _, trap in turns(rows[:, BOX.trap_on]):
        if rows[month - 1, BOX.status] == PERFORMING:
            text = f"cash of {name} is trapped" if trap else f"trap of {name} ends"
            yield Event(month, "box", text)
    for month, _, used in turns(rows[:, BOX.waivers_used]):
        until = rows[month - 1, BOX.waived_until]
        yield Event(
            month,
            "box",
            f"lenders of {name} waive a default ({used:.0f} so far), "
            f"tests rest until month {until:.0f}",
        )
    tests = (
        ("dscr_fails", f"{name} fails the DSCR test ({{:.2f}})", flows.DSCR),
        ("over_months", f"{name} is over its LTC or LTV trigger (LTV {{:.0%}})", flows.LTV),
        ("liquidity_fails", f"sponsor of {name} is below the minimum liquidity", flows.LTV),
    )
    for row, text, line in tests:
        for month, before, fails in turns(rows[:, BOX._fields.index(row)]):
            if fails > before and (before == 0.0 or row != "over_months"):
                again = f", {fails:.0f} in a row" if fails > 1.0 else ""
                yield Event(month, "box", text.format(trace.flow[month - 1, line, b]) + again)


def default_events(path: TracedPath, b: int) -> Iterator[Event]:
    """Tell the default of a box and what came of it."""
    trace, name = path.trace, path.prepared.layout.boxes[b]
    rows = trace.box[:, :, b]
    for month, _, _ in turns(rows[:, BOX.default_month]):
        trigger = TRIGGERS[int(rows[month - 1, BOX.trigger])].replace("_", " ")
        cause = CAUSES[int(rows[month - 1, BOX.cause])].replace("_", " ")
        claim = trace.flow[month - 1, flows.DEBT, b]
        yield Event(
            month,
            "default",
            f"{name} DEFAULTS: event of default {trigger}, cause {cause}, claim USD {claim:,.1f} m",
        )
    for month, _, sale in turns(rows[:, BOX.sale_month]):
        if sale > month:
            yield Event(month, "default", decision(path, name, month, int(sale)))
    for month, before, called in turns(trace.guarantee[:, 0, b]):
        if called > before:
            amount = called - before
            yield Event(month, "default", f"guarantee of {name} is called for USD {amount:,.1f} m")
    for month, before, status in turns(rows[:, BOX.status]):
        paid = float(trace.flow[:month, flows.RECOVERED, b].sum())
        if before == WORKOUT and status == PERFORMING:
            yield Event(month, "default", f"claims on {name} are paid in full (USD {paid:,.1f} m)")
        elif status == CLOSED:
            yield Event(
                month, "default", f"{name} is closed; lenders got USD {paid:,.1f} m in the workout"
            )


def decision(path: TracedPath, name: str, month: int, sale: int) -> str:
    """Say whether lenders run a box for cash first or sell it as soon as they can."""
    horizon = path.prepared.horizon
    early = f" (month {horizon}, the horizon, comes first)" if sale > horizon else ""
    if sale - month == path.prepared.params.boxes.run_months:
        return (
            f"lenders decide to run {name} for {sale - month} months and to sell it then,"
            f" in month {sale}{early}"
        )
    return f"lenders decide to sell {name} at once: the sale is made in month {sale}{early}"


def refinancings(path: TracedPath, b: int) -> list[Event]:
    """Tell extensions of a box's debt at market spreads."""
    found = []
    for d, tranche in enumerate(path.prepared.layout.tranches):
        if tranche.box != path.prepared.layout.boxes[b]:
            continue
        rows = path.trace.debt[:, :, d]
        for month, before, maturity in turns(rows[:, TRANCHE.maturity], tranche.maturity):
            if maturity > before:
                spread = 1e4 * rows[month - 1, TRANCHE.margin]
                told = f"{tranche.id} is refinanced to month {maturity:.0f}"
                found.append(Event(month, "box", f"{told} at SOFR + {spread:.0f} bp"))
    return found


def sponsor_events(path: TracedPath, facility: Facility) -> list[Event]:
    """Tell what became of the sponsor behind a facility."""
    rows = path.trace.holdco[:, :, facility.sponsor]
    name = path.prepared.layout.sponsors[facility.sponsor]
    found = [
        Event(month, "sponsor", f"{name} raises USD {raised - before:,.0f} m of equity")
        for month, before, raised in turns(rows[:, SPONSOR.raised])
        if raised > before
    ]
    found += [
        Event(month, "sponsor", f"{name} DEFAULTS with USD {rows[month - 1, SPONSOR.cash]:,.0f} m")
        for month, _, _ in turns(rows[:, SPONSOR.default_month])
    ]
    return found
