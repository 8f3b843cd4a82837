"""From the engine's arrays to the variables of a dataset: names, order of axes, sums by facility.

Model: docs/model.md §13 (facilities and the lender's book).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs
from simulator.config.units import HALL
from simulator.engine.layout import Layout
from simulator.engine.outputs import MARKET_SERIES, Outputs
from simulator.engine.structures import note_ids, note_sizes

__all__ = ["Arrays", "Facility", "facilities_of", "ids_of", "labels_of", "scalars_of", "series_of"]

Arrays = dict[str, NDArray[Any]]

CAUSE_SPONSOR = 6  # of HoldCo debt: nothing but the sponsor stands behind it
TRIGGER_PAYMENT = 2


class Facility(NamedTuple):
    """A facility: the rows of its tranches, and whose default is its default."""

    id: str
    tranches: tuple[int, ...]  # rows, in order
    box: int  # row, -1 = HoldCo debt
    sponsor: int  # row


def facilities_of(layout: Layout) -> tuple[Facility, ...]:
    """Return the facilities in the order of their first tranche.

    Parameters
    ----------
    layout : Layout
        Order of a book.

    Returns
    -------
    tuple of Facility
        Boxes before HoldCos, as the tranches stand.
    """
    members: dict[str, list[int]] = {}
    for row, tranche in enumerate(layout.tranches):
        members.setdefault(tranche.facility, []).append(row)
    facilities = []
    for name, rows in members.items():
        first = layout.tranches[rows[0]]
        box = layout.boxes.index(first.box) if first.box else -1
        facilities.append(Facility(name, tuple(rows), box, layout.sponsors.index(first.sponsor)))
    return tuple(facilities)


def ids_of(layout: Layout, parameters: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Return the ids along each entity dimension of a dataset; `parameters` are uncertain ones."""
    optional = {
        "parameter": parameters,
        "hall": layout.halls,
        "note": note_ids(layout.structures),
        "structure": tuple(one.id for one in layout.structures),
        "overlay": tuple(one.id for one in layout.overlays),
    }
    return {dim: ids for dim, ids in optional.items() if ids} | {
        "facility": tuple(facility.id for facility in facilities_of(layout)),
        "tranche": tuple(tranche.id for tranche in layout.tranches),
        "box": layout.boxes,
        "sponsor": layout.sponsors,
        "counterparty": layout.names,
        "generation": tuple(name for name in layout.generations if name not in layout.halls),
    }


def labels_of(inputs: ModelInputs, layout: Layout) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """Return further coordinates: who owns, holds and ranks what.

    Parameters
    ----------
    inputs : ModelInputs
        The study.
    layout : Layout
        Its order.

    Returns
    -------
    dict of str to (dimension, values)
        As `RunPlan.labels` takes them; the box of HoldCo debt is "".
    """
    boxes = {box.id: box for box in inputs.book.boxes}
    facilities = facilities_of(layout)
    tranches = layout.tranches
    sizes = note_sizes(layout.structures, tranches)
    notes = {"note_size": ("note", sizes)} if sizes else {}
    owners = tuple(layout.boxes[f.box] if f.box >= 0 else "" for f in facilities)
    return notes | {
        "facility_box": ("facility", owners),
        "facility_sponsor": ("facility", tuple(layout.sponsors[f.sponsor] for f in facilities)),
        "tranche_facility": ("tranche", tuple(tranche.facility for tranche in tranches)),
        "tranche_rank": ("tranche", tuple(tranche.rank for tranche in tranches)),
        "tranche_lender_share": ("tranche", tuple(tranche.lender_share for tranche in tranches)),
        "box_sponsor": ("box", tuple(boxes[name].sponsor for name in layout.boxes)),
        "box_generation": ("box", tuple(boxes[name].generation for name in layout.boxes)),
    }


def total(rows: NDArray[np.float64], members: tuple[int, ...]) -> NDArray[np.float64]:
    """Add rows one after another: the order of a sum is part of the result."""
    added = np.zeros(rows.shape[1])
    for row in members:
        added += rows[row]
    return added


def scalars_of(layout: Layout, outputs: Outputs) -> Arrays:
    """Return one number per path and entity.

    Parameters
    ----------
    layout : Layout
        Order of the book.
    outputs : Outputs
        Of a chunk.

    Returns
    -------
    dict of str to ndarray (path[, entity])
        By the names of `dataset.variables`.
    """
    rows = {
        **facility_rows(layout, outputs),
        **box_rows(outputs),
        "tranche_loss": outputs.tranche_loss,
        "tranche_drawn_pv": outputs.tranche_drawn_pv,
        "sponsor_equity_pnl": outputs.sponsor_pnl,
        "sponsor_equity_loss_share": outputs.sponsor_loss_share,
        "sponsor_default_month": whole(outputs.sponsor_default_month),
        "sponsor_retained_share": outputs.sponsor_retained,
        "sponsor_raised": outputs.sponsor_raised,
        "counterparty_default_month": whole(outputs.name_default_month),
    }
    if layout.structures:
        rows |= {
            "note_loss": outputs.note_loss,
            "note_interest": outputs.note_interest,
            "note_principal": outputs.note_principal,
            "structure_residual": outputs.structure_residual,
        }
    scalars: Arrays = {name: np.ascontiguousarray(array.T) for name, array in rows.items()}
    held = np.array([[tranche.lender_share] for tranche in layout.tranches]).reshape(-1, 1)
    everyone = tuple(range(len(layout.tranches)))
    scalars["book_lender_loss"] = total(held * outputs.tranche_loss, everyone)
    return scalars


def facility_rows(layout: Layout, outputs: Outputs) -> Arrays:
    """Return what lenders of each facility got and lost, (facility, path)."""
    facilities = facilities_of(layout)

    def sums(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        added = [total(rows, facility.tranches) for facility in facilities]
        return np.array(added).reshape(len(facilities), rows.shape[1])

    def of_owner(
        by_box: NDArray[np.float64], otherwise: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Take a row of the box, or for HoldCo debt one of the sponsor's."""
        rows = [by_box[f.box] if f.box >= 0 else otherwise[f.sponsor] for f in facilities]
        return np.array(rows).reshape(len(facilities), otherwise.shape[1])

    failed = outputs.sponsor_default_month
    loss, lent = sums(outputs.tranche_loss), sums(outputs.tranche_drawn_pv)
    return {
        "lender_loss": loss,
        "lender_principal_loss": sums(outputs.tranche_nominal_loss),
        "lender_loss_share": np.divide(loss, lent, out=np.zeros_like(loss), where=lent > 0.0),
        "exposure_at_default": sums(outputs.tranche_exposure),
        "recovered_after_default": sums(outputs.tranche_recovered),
        "facility_default_month": whole(of_owner(outputs.box_default_month, failed)),
        "facility_default_cause": code(
            of_owner(outputs.box_cause, np.where(failed > 0.0, CAUSE_SPONSOR, 0.0))
        ),
        "facility_default_trigger": code(
            of_owner(outputs.box_trigger, np.where(failed > 0.0, TRIGGER_PAYMENT, 0.0))
        ),
        "facility_censored": code(np.minimum(1.0, sums(outputs.tranche_censored))),
    }


def box_rows(outputs: Outputs) -> Arrays:
    """Return what the equity of each box got, (box, path)."""
    return {
        "equity_pnl": outputs.equity_pnl,
        "equity_contributions": outputs.equity_contributions,
        "equity_moic": outputs.equity_moic,
        "equity_irr": outputs.equity_irr,
        "equity_irr_state": code(outputs.equity_irr_state),
        "equity_wiped_out": code(outputs.equity_wiped_out),
        "equity_loss_share": outputs.equity_loss_share,
        "box_terminal_value": outputs.box_terminal_value,
        "box_first_breach_month": whole(outputs.box_first_breach),
        "box_waivers": whole(outputs.box_waivers),
    }


def series_of(layout: Layout, outputs: Outputs) -> Arrays:
    """Return one number per month, entity and path.

    Parameters
    ----------
    layout : Layout
        Order of the book.
    outputs : Outputs
        Of a chunk.

    Returns
    -------
    dict of str to ndarray (month[, entity], path)
        By the names of `dataset.variables`; the outputs themselves.
    """
    series: Arrays = dict(zip(MARKET_SERIES, outputs.market, strict=True))
    gpus: NDArray[np.intp] | slice = slice(None)  # the outputs themselves, if there are no halls
    if layout.halls:
        gpus, halls = layout.rows(halls=False), layout.rows(halls=True)
        series |= {
            "hall_rent": outputs.contract_price[:, halls] * np.float32(HALL.hours),
            "hall_value_factor": outputs.resale_factor[:, halls],
        }
    return series | {
        "rental_price_contract": outputs.contract_price[:, gpus],
        "rental_price_spot": outputs.spot_price[:, gpus],
        "resale_factor": outputs.resale_factor[:, gpus],
        "box_dscr": outputs.box_dscr,
        "box_ltv": outputs.box_ltv,
        "sponsor_cash": outputs.sponsor_cash,
        "sponsor_principal_due": outputs.sponsor_principal_due,
        "sponsor_short_of_cash": outputs.sponsor_short,
    }


def whole(months: NDArray[np.float64]) -> NDArray[np.int16]:
    """Return months and counts as whole numbers."""
    return months.astype(np.int16)


def code(values: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return codes and flags as small whole numbers."""
    return values.astype(np.int8)
