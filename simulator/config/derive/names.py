"""Counterparties: rating to hazard, loading on stress, and the factor they follow."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulator.config.derive.ledger import Ledger
from simulator.config.ratings import LOWEST_INVESTMENT_GRADE, NOTCHES, Curves, curve, notch
from simulator.config.schema import Counterparty, StudyFile
from simulator.config.terms import Name

_AI = ("ai_lab", "neocloud")
_UNRATED = {
    "hyperscaler": "Baa1",
    "neocloud": "B1",
    "trading_firm": "Ba2",
    "corporate": "Ba2",
}
"""Notch of an unrated name by kind; an unrated AI lab takes cp.pd_ai_lab."""


def resolve_names(
    study: StudyFile, terms: Mapping[str, float], curves: Curves, ledger: Ledger
) -> dict[str, Name]:
    """Return every counterparty and sponsor as a name.

    Parameters
    ----------
    study
        The study.
    terms
        Parameters by id.
    curves
        Hazards by notch.
    ledger
        Takes what was filled.
    """
    names = {}
    for name in sorted({*study.counterparties, *study.sponsors}):
        block = study.counterparties.get(name, Counterparty(kind="neocloud"))
        sponsor = name if name in study.sponsors else ""
        if name not in study.counterparties:
            rule = "a sponsor of the tape is a neocloud and defaults only as one"
            ledger.note("counterparties", name, "kind", block.kind, rule)
        hazards, grade, number = _credit(name, block, sponsor, terms, curves, ledger)
        ai = block.kind in _AI if block.ai is None else block.ai
        names[name] = Name(
            id=name,
            hazard_per_year=hazards,
            beta=_loading(name, block, grade, terms, ledger),
            ai=ai,
            investment_grade=grade,
            hyperscaler=block.kind == "hyperscaler",
            export_exposed=block.export_exposed,
            sponsor=sponsor,
            efficiency_loading=block.efficiency_loading,
            notch=None if number is None else float(number),
        )
        ledger.assume("counterparties", name, block)
    return names


def _credit(
    name: str,
    block: Counterparty,
    sponsor: str,
    terms: Mapping[str, float],
    curves: Curves,
    ledger: Ledger,
) -> tuple[tuple[float, ...], bool, int | None]:
    """Return hazards by year, whether the name is investment grade, and its notch if it has one."""
    number = notch(block.rating)
    hazards = block.hazard_per_year
    if not hazards and number is None and block.kind == "ai_lab":
        hazards = (-math.log1p(-min(terms["cp.pd_ai_lab"], 0.999999)),)
        rule = "unrated AI lab: -ln(1 - cp.pd_ai_lab)"
        ledger.note("counterparties", name, "hazard_per_year", hazards[0], rule)
    elif not hazards:
        if number is None:
            number = NOTCHES[_UNRATED[block.kind]]
            rule = f"unrated {block.kind} reads as {_UNRATED[block.kind]}"
            ledger.note("counterparties", name, "rating", _UNRATED[block.kind], rule)
        hazards = curve(curves, number)
    grade = block.investment_grade
    if grade is None and number is not None:
        grade = number <= LOWEST_INVESTMENT_GRADE
    elif grade is None:
        limit = curve(curves, LOWEST_INVESTMENT_GRADE)
        grade = hazards[0] <= limit[0]
        rule = "no rating: investment grade if the first hazard is at most that of Baa3"
        ledger.note("counterparties", name, "investment_grade", grade, rule)
    return ((0.0,) if sponsor else hazards), grade, number


def _loading(
    name: str, block: Counterparty, grade: bool, terms: Mapping[str, float], ledger: Ledger
) -> float:
    kind = block.kind if block.kind in _AI else "ig" if grade else "other"
    rule = f"cp.beta.{kind}"
    return ledger.fill("counterparties", name, "beta", block.beta, terms[rule], rule)
