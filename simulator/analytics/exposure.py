"""What was lent, and what part of it the lender of the book holds.

Shares are held tranche by tranche (coordinate ``tranche_lender_share``); a facility is the sum of
its tranches (coordinate ``tranche_facility``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from simulator.analytics.frame import labels, vector
from simulator.analytics.sample import Vector
from simulator.dataset.dims import FACILITY, PATH, TRANCHE


class Holding(NamedTuple):
    """The lender's part of one facility; arrays (path,)."""

    lent: Vector  # opening claim and draws, PV [USD m]
    loss: Vector  # PV [USD m]
    share: Vector  # of the facility


def tranches_of(dataset: xr.Dataset, i: int) -> list[int]:
    """Return the positions of the tranches of facility `i`; empty if the run does not say."""
    if "tranche_facility" not in dataset.coords:
        return []
    facility = labels(dataset, FACILITY)[i]
    owners = dataset["tranche_facility"].values
    return [j for j, owner in enumerate(owners) if str(owner) == facility]


def exposure(dataset: xr.Dataset, i: int) -> Vector:
    """Sum what was lent over the tranches of facility `i`: opening claim and draws, PV [USD m].

    What is lent may be the same on all paths (coordinate ``facility_lent``). NaN on every path if
    the run does not say.
    """
    if "facility_lent" in dataset.coords:
        return np.full(dataset.sizes[PATH], float(dataset["facility_lent"].values[i]))
    tranches = tranches_of(dataset, i)
    if not tranches or "tranche_drawn_pv" not in dataset:
        return np.full(dataset.sizes[PATH], np.nan)
    lent = np.zeros(dataset.sizes[PATH])
    for j in tranches:
        lent += vector(dataset, "tranche_drawn_pv", **{TRANCHE: j})
    return lent


def holding(dataset: xr.Dataset, i: int) -> Holding:
    """Return the lender's part of facility `i`, all of it if the run names no shares."""
    lent = exposure(dataset, i)
    loss = vector(dataset, "lender_loss", **{FACILITY: i})
    tranches = tranches_of(dataset, i)
    if not tranches or "tranche_lender_share" not in dataset.coords:
        return Holding(lent, loss, np.ones_like(loss))
    shares = np.asarray(dataset["tranche_lender_share"].values, dtype=np.float64)[tranches]
    if (shares == shares[0]).all():
        return Holding(shares[0] * lent, shares[0] * loss, np.full_like(loss, shares[0]))
    parts = [
        [vector(dataset, name, **{TRANCHE: j}) for j in tranches]
        for name in ("tranche_drawn_pv", "tranche_loss")
    ]
    held_lent, held_loss = (
        np.sum([s * part for s, part in zip(shares, some, strict=True)], axis=0) for some in parts
    )
    return Holding(held_lent, held_loss, share_of(held_lent, lent))


def share_of(part: Vector, whole: Vector) -> Vector:
    """Divide path by path; nothing of nothing is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((whole == 0.0) & (part == 0.0), 0.0, part / whole)
