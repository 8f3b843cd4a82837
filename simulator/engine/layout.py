"""The order of a book in packed arrays: assets and tranches grouped by box, all sorted by id.

Streams are keyed by id, so the order is a matter of layout and never of numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import (
    Asset,
    ModelInputs,
    Overlay,
    Structure,
    Tranche,
)


class Layout(NamedTuple):
    """The order of rows: what the engine's arrays stand for."""

    generations: tuple[str, ...]
    names: tuple[str, ...]
    sites: tuple[str, ...]
    contracts: tuple[str, ...]
    assets: tuple[Asset, ...]
    boxes: tuple[str, ...]
    tranches: tuple[Tranche, ...]
    sponsors: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    structures: tuple[Structure, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    halls: tuple[str, ...] = ()  # generations that are let by the kW

    def rows(self, *, halls: bool) -> NDArray[np.intp]:
        """Return the rows of generations that are halls, or GPUs."""
        return np.flatnonzero([(name in self.halls) == halls for name in self.generations])


def layout_of(inputs: ModelInputs) -> Layout:
    """Return the canonical order of a book."""
    book = inputs.book
    return Layout(
        generations=tuple(g.name for g in book.generations),
        names=tuple(sorted(n.id for n in book.names)),
        sites=tuple(sorted(s.id for s in book.sites)),
        contracts=tuple(sorted(c.id for c in book.contracts)),
        assets=tuple(sorted(book.assets, key=lambda a: (a.box, a.id))),
        boxes=tuple(sorted(b.id for b in book.boxes)),
        tranches=tuple(
            sorted(
                book.tranches,
                key=lambda d: (d.box == "", d.box, d.sponsor if d.box == "" else "", d.rank, d.id),
            )
        ),
        sponsors=tuple(sorted(s.id for s in book.sponsors)),
        jurisdictions=tuple(name for name, _ in book.jurisdictions),
        halls=tuple(g.name for g in book.generations if g.is_hall),
        structures=book.structures,
        overlays=book.overlays,
    )
