"""Overlays packed, and what they pay path by path: gross and net stand side by side.

An insurance pays on the loss that the lender's book bears; a floor has been paid on the paths
themselves (`structure.overlays`), and never more than is lost in the end.

Model: docs/model.md §18.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import Overlay, Tranche
from simulator.structure.overlays import FLOOR_TERM, OverlayParams

if TYPE_CHECKING:
    from simulator.engine.layout import Layout
    from simulator.engine.outputs import Outputs

__all__ = ["overlay_scalars", "pack_overlays"]


def covers(overlay: Overlay, tranche: Tranche) -> bool:
    """Tell whether an overlay protects a tranche: of its box, of its facility, or of the book."""
    if overlay.box:
        return tranche.box == overlay.box
    return overlay.facility in ("", tranche.facility)


def insured_rows(overlays: Sequence[Overlay], tranches: Sequence[Tranche]) -> list[int]:
    """Return the rows of the tranches that any overlay protects."""
    return [
        row
        for row, tranche in enumerate(tranches)
        if any(covers(overlay, tranche) for overlay in overlays)
    ]


def pack_overlays(
    overlays: Sequence[Overlay], tranches: Sequence[Tranche], boxes: Sequence[str]
) -> OverlayParams:
    """Pack overlays over tranches and boxes that stand in this order."""
    floors = [overlay for overlay in overlays if overlay.box]
    terms = np.zeros((len(FLOOR_TERM), len(floors)))
    terms[FLOOR_TERM.share] = [one.floor_share for one in floors]
    terms[FLOOR_TERM.months] = [one.floor_months for one in floors]
    terms[FLOOR_TERM.limit] = [one.limit for one in floors]
    terms[FLOOR_TERM.paid_share] = [one.share for one in floors]
    return OverlayParams(
        insured=np.array(insured_rows(overlays, tranches), dtype=np.int64),
        floors=terms,
        floor_boxes=np.array([boxes.index(one.box) for one in floors], dtype=np.int64),
    )


def overlay_scalars(
    layout: Layout, outputs: Outputs, book_loss: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return payouts and premiums by overlay, and the loss of the book net of payouts.

    Parameters
    ----------
    layout : Layout
        Order of the book.
    outputs : Outputs
        Of a chunk.
    book_loss : ndarray (path,)
        Of the lender's book, PV.

    Returns
    -------
    dict of str to ndarray (path[, overlay])
        Empty without overlays.
    """
    if not layout.overlays:
        return {}
    rows = insured_rows(layout.overlays, layout.tranches)
    floor = 0
    payouts, premiums = [], []
    for overlay in layout.overlays:
        loss, insured = np.zeros_like(book_loss), np.zeros_like(book_loss)
        for place, row in enumerate(rows):
            tranche = layout.tranches[row]
            if covers(overlay, tranche):
                loss += tranche.lender_share * outputs.tranche_loss[row]
                insured += tranche.lender_share * outputs.insured_annuity[place]
        if overlay.box:
            payouts.append(np.minimum(outputs.floor_paid[floor], loss))
            floor += 1
        else:
            layer = np.clip(loss - overlay.attachment, 0.0, overlay.limit)
            payouts.append(overlay.share * layer)
        premiums.append(overlay.premium * insured)
    paid = np.array(payouts)
    net = book_loss.copy()
    for payout in paid:
        net -= payout
    return {
        "overlay_payout": np.ascontiguousarray(paid.T),
        "overlay_premium": np.ascontiguousarray(np.array(premiums).T),
        "book_lender_loss_net": np.maximum(0.0, net),
    }
