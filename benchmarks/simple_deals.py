"""A book of many simple deals: one contract, one delivery and one level loan each, all running."""

from __future__ import annotations

from dataclasses import replace

from simulator.config.terms import Amortisation, ModelInputs, Recourse

__all__ = ["LOAN_MONTHS", "with_simple_deals"]

LOAN_MONTHS = 60
"""Months for which each deal owes debt."""

MODEL = "CCAC_VIII"
"""Box of the reference book whose hardware, customer and site the deals have."""


def with_simple_deals(inputs: ModelInputs, deals: int) -> ModelInputs:
    """Return the study with so many simple deals in place of its book."""
    book = inputs.book
    box = next(one for one in book.boxes if one.id == MODEL)
    contract = next(one for one in book.contracts if one.box == box.id)
    asset = next(one for one in book.assets if one.contract == contract.id)
    tranche = next(one for one in book.tranches if one.box == box.id)
    ids = [f"D{k:04d}" for k in range(deals)]
    simple = replace(
        book,
        boxes=tuple(replace(box, id=one, recourse=Recourse.NONE) for one in ids),
        contracts=tuple(replace(contract, id=one, box=one, term_months=LOAN_MONTHS) for one in ids),
        assets=tuple(
            replace(
                asset,
                id=one,
                box=one,
                contract=one,
                accepted=-6,
                cost_delivered_at_t0=True,
                planned_delivery=-8,
            )
            for one in ids
        ),
        tranches=tuple(
            replace(
                tranche,
                id=one,
                facility=one,
                box=one,
                commitment=0.8 * asset.cost,
                balance0=0.75 * asset.cost,
                available_until=0,
                maturity=LOAN_MONTHS,
                amortisation=Amortisation.LEVEL,
                amortisation_start=1,
                fixed=False,
                rate=0.0225,
                lender_share=1.0,
            )
            for one in ids
        ),
        sponsors=tuple(one for one in book.sponsors if one.id == box.sponsor),
    )
    return replace(inputs, book=simple)
