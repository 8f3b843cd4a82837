"""Books in which nothing happens but what a test wants: every driver off, HoldCos by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import (
    NEW_NOTES,
    SWITCHES,
    Amortisation,
    Book,
    ModelInputs,
    Sponsor,
    Tranche,
)
from simulator.engine.paths import TracedPath, trace_path
from simulator.engine.prepare import prepare

SPONSOR = "Zeta"  # owns no box; last in order


def quiet(inputs: ModelInputs, *on: str, horizon: int = 12, **parameters: float) -> ModelInputs:
    """Return a study with every driver off but the sponsors, the collateral model and those named.

    A HoldCo's market value does not move with the market. Dots of parameter ids are underscores.
    """
    switches = dict.fromkeys(SWITCHES, False) | dict.fromkeys(("sponsor", "collateral", *on), True)
    values = dict(inputs.parameters) | {"hold.eq_beta": 0.0}
    values |= {name.replace("_", ".", 1): value for name, value in parameters.items()}
    return replace(inputs, horizon=horizon, switches=switches, parameters=values)


def note(name: str, balance: float, **terms: Any) -> Tranche:
    """Return a bullet note of the sponsor at no interest, due after the horizon."""
    usual: dict[str, Any] = {
        "id": name,
        "facility": name,
        "box": "",
        "sponsor": SPONSOR,
        "rank": 0,
        "commitment": balance,
        "balance0": balance,
        "available_until": 0,
        "maturity": 100,
        "fixed": True,
        "rate": 0.0,
        "floor": 0.0,
        "undrawn_fee": 0.0,
        "hedge_share": 0.0,
        "swap_rate": 0.0,
        "issue_discount": 0.0,
        "advance": 0.0,
        "amortisation": Amortisation.BULLET,
        "amortisation_start": 1,
        "sculpt_dscr": 0.0,
        "depreciation_months": 72,
        "balloon": 0.0,
        "lender_share": 0.0,
    }
    return Tranche(**(usual | terms))


def new_notes() -> Tranche:
    """Return the tranche on which the sponsor issues."""
    name = f"{SPONSOR}{NEW_NOTES}"
    return note(name, 0.0, fixed=False, maturity=0)


def with_sponsor(inputs: ModelInputs, *debt: Tranche, **terms: Any) -> ModelInputs:
    """Return a study with one sponsor more, who owns no box."""
    usual = {"cash": 0.0, "market_value": 0.0, "other_cash_per_year": 0.0, "lease_per_year": 0.0}
    sponsor = Sponsor(id=SPONSOR, **(usual | terms))
    book: Book = inputs.book
    tranches = tuple(sorted((*book.tranches, *debt), key=lambda d: d.id))
    sponsors = (*book.sponsors, sponsor)
    return replace(inputs, book=replace(book, tranches=tranches, sponsors=sponsors))


def traced(inputs: ModelInputs) -> TracedPath:
    """Simulate a path of a study."""
    return trace_path(prepare(inputs), seed=1, path=0)


def of_sponsor(path: TracedPath, row: int) -> NDArray[np.float64]:
    """Return a row of the sponsor's state by month."""
    return path.trace.holdco[:, row, path.prepared.layout.sponsors.index(SPONSOR)]


def of_tranche(path: TracedPath, name: str, row: int) -> NDArray[np.float64]:
    """Return a row of a tranche's state by month."""
    names = [one.id for one in path.prepared.layout.tranches]
    return path.trace.debt[:, row, names.index(name)]
