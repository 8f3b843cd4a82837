"""Structures packed, and a structure run by itself on collections that are given.

Model: docs/model.md §18.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import Structure, Tranche
from simulator.numerics.addressed import Addressed
from simulator.numerics.jit import kernel
from simulator.structure.terms import (
    NOTE,
    NOTE_TERM,
    POOL,
    STRUCTURE_CODE,
    STRUCTURE_TERM,
    StructureParams,
    new_structures,
)
from simulator.structure.waterfall import pay_structures

__all__ = ["note_ids", "note_sizes", "pack_structures", "pool_commitment", "run_structure"]

COLLECTED = ("interest", "principal", "recoveries", "defaulted", "drawn", "opening", "closing")


@kernel
def pay_month(params, state, month):
    """Run one month of structures whose collections stand in `state.pools`."""
    pay_structures(params, state, month)


def pool_commitment(structure: Structure, tranches: Sequence[Tranche]) -> float:
    """Return what the members of a structure have committed, USD m."""
    commitments = {tranche.id: tranche.commitment for tranche in tranches}
    return sum(share * commitments[name] for name, share in structure.members)


def note_ids(structures: Sequence[Structure]) -> tuple[str, ...]:
    """Return the ids of all notes: structure and note."""
    return tuple(f"{one.id}.{note.id}" for one in structures for note in one.notes)


def note_sizes(structures: Sequence[Structure], tranches: Sequence[Tranche]) -> tuple[float, ...]:
    """Return the sizes of all notes, USD m: their shares of the pool's commitments."""
    return tuple(
        note.size * pool_commitment(one, tranches) for one in structures for note in one.notes
    )


def pack_structures(
    structures: Sequence[Structure], originals: Sequence[float], rows: Mapping[str, int]
) -> StructureParams:
    """Pack structures.

    Parameters
    ----------
    structures : sequence of Structure
        In order of id.
    originals : sequence of float
        Commitments of their pools, USD m.
    rows : mapping of str to int
        Row of each tranche by id.
    """
    terms = np.zeros((len(STRUCTURE_TERM), len(structures)))
    codes = np.zeros((len(STRUCTURE_CODE), len(structures)), dtype=np.int64)
    notes = [note for one in structures for note in one.notes]
    members = [member for one in structures for member in one.members]
    first_note, first_member = 0, 0
    for s, one in enumerate(structures):
        terms[STRUCTURE_TERM.original, s] = originals[s]
        terms[STRUCTURE_TERM.fee, s] = one.fee
        terms[STRUCTURE_TERM.trigger_loss, s] = one.trigger_loss
        codes[STRUCTURE_CODE.first_note, s] = first_note
        codes[STRUCTURE_CODE.first_member, s] = first_member
        first_note += len(one.notes)
        first_member += len(one.members)
        codes[STRUCTURE_CODE.end_note, s] = first_note
        codes[STRUCTURE_CODE.end_member, s] = first_member
        codes[STRUCTURE_CODE.sequential, s] = int(one.sequential)
    packed = np.zeros((len(NOTE_TERM), len(notes)))
    packed[NOTE_TERM.size] = [note.size for note in notes]
    packed[NOTE_TERM.coupon] = [note.coupon for note in notes]
    return StructureParams(
        terms=terms,
        codes=codes,
        notes=packed,
        members=np.array([rows[name] for name, _ in members], dtype=np.int64),
        shares=np.array([share for _, share in members], dtype=np.float64),
    )


def run_structure(
    structure: Structure, original: float, collections: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """Run one structure on given collections of a pool that is drawn in full at t0.

    Parameters
    ----------
    structure : Structure
        Its members are not looked at.
    original : float
        The pool at t0.
    collections : mapping of str to ndarray (month,)
        ``interest``, ``principal``, ``recoveries``, ``defaulted`` (balances that leave the pool by
        default), and the pool's balance that ``opening`` and ``closing`` find not in default.

    Returns
    -------
    dict of str to ndarray
        By row of `NOTE`, (month, note); by row of `POOL`, (month,).
    """
    params = pack_structures([structure], [original], {name: 0 for name, _ in structure.members})
    notes = len(structure.notes)
    state = new_structures(1, notes, 1, 1)
    state.notes[NOTE.balance, :, 0] = original * params.notes[NOTE_TERM.size]
    months = len(collections["interest"])
    by_note = np.zeros((months, len(NOTE), notes))
    by_pool = np.zeros((months, len(POOL)))
    packed, addressed = Addressed(params), Addressed(state)
    for month in range(months):
        for name in COLLECTED:
            row = POOL._fields.index(name)
            state.pools[row, 0, 0] = collections[name][month] if name in collections else 0.0
        pay_month(packed.argument, addressed.argument, month + 1)
        by_note[month] = state.notes[:, :, 0]
        by_pool[month] = state.pools[:, 0, 0]
    return {name: by_note[:, row] for row, name in enumerate(NOTE._fields)} | {
        name: by_pool[:, row] for row, name in enumerate(POOL._fields)
    }
