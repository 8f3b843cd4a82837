"""What is changed about a facility: how much it lends, the cover it is built on, its reserve.

Only the terms of the loan move. Prices, contracts, costs and deliveries, the sponsor's cash and
what was expected at t0 stay as the study resolved them: nothing is derived anew from the changed
loan (a blank contract price stays the one that today's debt gave).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from simulator.config.errors import NeoboxError, did_you_mean
from simulator.config.terms import Amortisation, Book, Box, ModelInputs, Tranche

__all__ = ["LEVERS", "Lever", "SizingError", "lever_of"]

COVERED: Final = (Amortisation.DEPRECIATED, Amortisation.SIZED)
"""Schedules that read the cover they are sculpted on."""


class SizingError(NeoboxError):
    """A question that cannot be put to this study."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing that can be solved for.

    Parameters
    ----------
    name
        As it is asked for.
    words
        What it is, with its unit.
    today
        Its value in the study.
    bounds
        Smallest and largest value tried unless others are given.
    step
        Spacing of the values that are tried.
    more_is_riskier
        Whether the largest value is sought, else the smallest.
    percent
        Whether it is told in percent.
    apply
        Model inputs with another value.
    """

    name: str
    words: str
    today: float
    bounds: tuple[float, float]
    step: float
    more_is_riskier: bool
    percent: bool
    apply: Callable[[float], ModelInputs]


LEVERS: Final = ("advance", "dscr", "reserve")


def lever_of(inputs: ModelInputs, facility: str, name: str) -> Lever:
    """Return a lever of a facility.

    Parameters
    ----------
    inputs : ModelInputs
        The study.
    facility : str
        Of a box.
    name : {"advance", "dscr", "reserve"}
        What to solve for.

    Raises
    ------
    SizingError
        If there is no such facility, or it has no such term.
    """
    known = sorted({one.facility for one in inputs.book.tranches})
    mine = [one for one in inputs.book.tranches if one.facility == facility]
    if not mine:
        near = did_you_mean(facility, known, f"choosing one of {', '.join(known)}")
        raise SizingError(f"--facility: no facility {facility!r} in the book; mend by {near}")
    if not mine[0].box:
        raise SizingError(
            f"--facility: {facility} is debt of a HoldCo, which lends against no assets; "
            "mend by choosing a facility of a box"
        )
    if name not in MAKERS:
        near = did_you_mean(name, LEVERS, f"choosing one of {', '.join(LEVERS)}")
        raise SizingError(f"--solve-for: no lever {name!r}; mend by {near}")
    return MAKERS[name](inputs, facility, mine)


def _advance(inputs: ModelInputs, facility: str, tranches: list[Tranche]) -> Lever:
    """Scale advance, commitment and balance of every tranche together."""
    committed = sum(one.commitment for one in tranches)
    today = sum(one.advance * one.commitment for one in tranches) / committed

    def apply(value: float) -> ModelInputs:
        by = value / today

        def scaled(one: Tranche) -> Tranche:
            return replace(
                one,
                advance=by * one.advance,
                commitment=by * one.commitment,
                balance0=by * one.balance0,
            )

        return _with_tranches(inputs, facility, scaled)

    if not today > 0.0:
        raise SizingError(
            f"{facility}: its advance is 0, so that no multiple of it is another one; "
            "mend by giving debt.*.advance"
        )
    words, bounds = "debt over cost of the assets", (min(0.3, today), max(1.0, today))
    return Lever("advance", words, today, bounds, 1e-3, True, True, apply)


def _dscr(inputs: ModelInputs, facility: str, tranches: list[Tranche]) -> Lever:
    """Change the cover of the schedule if it reads one, else that of the lock-up."""
    if any(one.amortisation in COVERED for one in tranches):

        def sculpted(value: float) -> ModelInputs:
            return _with_tranches(
                inputs,
                facility,
                lambda one: replace(one, sculpt_dscr=value) if one.amortisation in COVERED else one,
            )

        today = min(one.sculpt_dscr for one in tranches if one.amortisation in COVERED)
        words = "cover by contracted cash that the schedule is sculpted on"
        return Lever("dscr", words, today, (1.0, 3.0), 0.01, False, False, sculpted)

    box = _box_of(inputs.book, tranches)

    def locked(value: float) -> ModelInputs:
        return _with_box(inputs, replace(box, lockup_dscr=value))

    least = max(1.0, box.default_dscr)
    words = "cover below which cash is locked up (the schedule reads none)"
    bounds = (least, max(3.0, least + 1.0))
    return Lever("dscr", words, box.lockup_dscr, bounds, 0.01, False, False, locked)


def _reserve(inputs: ModelInputs, facility: str, tranches: list[Tranche]) -> Lever:
    """Change the months of the box's debt-service reserve."""
    box = _box_of(inputs.book, tranches)

    def apply(value: float) -> ModelInputs:
        return _with_box(inputs, replace(box, reserve_months=value))

    words = "months of debt service in the reserve"
    return Lever("reserve", words, box.reserve_months, (0.0, 24.0), 1.0, False, False, apply)


MAKERS: Final = {"advance": _advance, "dscr": _dscr, "reserve": _reserve}


def _box_of(book: Book, tranches: list[Tranche]) -> Box:
    return next(box for box in book.boxes if box.id == tranches[0].box)


def _with_tranches(
    inputs: ModelInputs, facility: str, changed: Callable[[Tranche], Tranche]
) -> ModelInputs:
    tranches = tuple(
        changed(one) if one.facility == facility else one for one in inputs.book.tranches
    )
    return replace(inputs, book=replace(inputs.book, tranches=tranches))


def _with_box(inputs: ModelInputs, changed: Box) -> ModelInputs:
    boxes = tuple(changed if box.id == changed.id else box for box in inputs.book.boxes)
    return replace(inputs, book=replace(inputs.book, boxes=boxes))
