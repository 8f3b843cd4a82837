"""The market as a study sets it: switches, the SOFR curve, the path of a stress case."""

from __future__ import annotations

import numpy as np

from simulator.config.drivers import FIXED_BY_PATH
from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Document
from simulator.config.schema import StudyFile
from simulator.config.terms import Book, MarketPath

__all__ = ["LARGEST", "largest", "market_path", "monthly_forwards", "switches_of"]

LARGEST = "largest-non-investment-grade"
"""Stands for a name in ``path.defaults``: the customer below investment grade that owes most."""


def switches_of(study: StudyFile) -> dict[str, bool]:
    """Return the switches of a study; a given path turns off what it replaces."""
    fixed = FIXED_BY_PATH if study.path else ()
    return study.drivers.model_dump() | dict.fromkeys(fixed, False)


def monthly_forwards(study: StudyFile) -> tuple[float, ...]:
    """Return SOFR forwards of months 1..H, linear between those given; empty without a curve."""
    if not study.sofr_curve:
        return ()
    months, rates = zip(*sorted(study.sofr_curve.items()), strict=True)
    every = np.interp(np.arange(1, study.horizon_months + 1), months, rates)
    return tuple(float(rate) for rate in every)


def market_path(
    study: StudyFile,
    book: Book,
    document: Document,
    out: Problems,
) -> MarketPath | None:
    """Return the path of a stress case by month; None if the market is simulated.

    Parameters
    ----------
    study, document
        The study, and where its keys stand.
    book
        The deals, for the largest customer.
    out
        Takes names that are not in the book.
    """
    block = study.path
    if block is None:
        return None
    months, ratios = zip(*sorted({0: 1.0, **block.price}.items()), strict=True)
    every = np.interp(np.arange(study.horizon_months + 1), months, np.log(ratios))
    defaults = {}
    for name, month in block.defaults.items():
        known = largest(book) if name == LARGEST else name
        if known not in {one.id for one in book.names}:
            customers = sorted(one.id for one in book.names)
            out.add(
                document.place(("path", "defaults", name)),
                f"path.defaults.{name}",
                expected="a customer or backstop of the book",
                got=repr(name),
                mend=did_you_mean(name, [*customers, LARGEST], f"taking one of {customers}"),
            )
        defaults[known] = month
    return MarketPath(
        log_price=tuple(float(value) for value in every),
        high_yield_peak_bp=block.high_yield_peak_bp or 0.0,
        hazard_multiplier=block.hazard_multiplier,
        delay_months=block.delay_months,
        capex_factor=block.capex_factor,
        defaults=tuple(sorted(defaults.items())),
    )


def largest(book: Book) -> str:
    """Return the customer below investment grade with the most contracted revenue, "" if none."""
    safe = {name.id for name in book.names if name.investment_grade or name.sponsor}
    gpus: dict[str, float] = {}
    for asset in book.assets:
        gpus[asset.contract] = gpus.get(asset.contract, 0.0) + asset.gpus
    owed: dict[str, float] = {}
    for contract in book.contracts:
        if contract.offtaker not in safe:
            revenue = contract.price * contract.term_months * gpus.get(contract.id, 0.0)
            owed[contract.offtaker] = owed.get(contract.offtaker, 0.0) + revenue
    return max(sorted(owed), key=lambda name: owed[name], default="")
