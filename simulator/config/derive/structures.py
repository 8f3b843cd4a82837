"""Structures and overlays of a study over the deals of its tape."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Document
from simulator.config.schema import StudyFile
from simulator.config.terms import Book, Note, Overlay, Structure


def structures_of(study: StudyFile) -> tuple[Structure, ...]:
    """Return the structures in the model's units."""
    return tuple(
        Structure(
            id=name,
            members=tuple(sorted(one.members.items())),
            notes=tuple(Note(note, term.size, term.coupon) for note, term in one.notes.items()),
            fee=one.fee,
            sequential=one.sequential,
            trigger_loss=one.trigger_loss,
        )
        for name, one in sorted(study.structures.items())
    )


def overlays_of(study: StudyFile) -> tuple[Overlay, ...]:
    """Return the overlays in the model's units."""
    return tuple(
        Overlay(
            id=name,
            facility=one.facility,
            box=one.box,
            attachment=one.attachment_usd_m,
            limit=one.limit_usd_m,
            share=one.share,
            premium=one.premium,
            floor_share=one.floor_share,
            floor_months=one.floor_months,
        )
        for name, one in sorted(study.overlays.items())
    )


def check_structures(study: StudyFile, book: Book, document: Document, out: Problems) -> None:
    """Check structures and overlays against the tranches, facilities and boxes of the book."""
    tranches = {tranche.id for tranche in book.tranches}
    facilities = {tranche.facility for tranche in book.tranches}
    boxes = {box.id for box in book.boxes}

    def must_know(where: tuple[str, ...], name: str, known: Iterable[str], kind: str) -> None:
        if name not in known:
            mend = did_you_mean(name, known, "choosing another")
            path = ".".join(where)
            out.add(document.place(where), path, expected=kind, got=repr(name), mend=mend)

    def fault(where: tuple[str, ...], expected: str, got: str, mend: str) -> None:
        out.add(document.place(where), ".".join(where), expected=expected, got=got, mend=mend)

    for name, one in study.structures.items():
        at = ("structures", name)
        for member in one.members:
            must_know((*at, "members", member), member, tranches, "a tranche of the tape")
        if not one.members or not one.notes:
            fault(at, "members and notes", "none", "adding at least one of each")
        total = sum(note.size for note in one.notes.values())
        if total > 1.0 + 1e-9:
            fault((*at, "notes"), "sizes that sum to at most 1", f"{total:g}", "scaling them")
    for name, cover in study.overlays.items():
        at = ("overlays", name)
        if cover.facility:
            must_know((*at, "facility"), cover.facility, facilities, "a facility of the tape")
        if not cover.box:
            continue
        must_know((*at, "box"), cover.box, boxes, "a box of the tape")
        if cover.facility or cover.attachment_usd_m:
            key = "facility" if cover.facility else "attachment_usd_m"
            fault((*at, key), "a floor or an insurance", "both", f"leaving out box or {key}")
        if cover.floor_months == 0:
            fault((*at, "floor_months"), "a number of months above 0", "none", "adding it")
