"""What was lent: exposures of facilities and the lender's share of each."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simulator.analytics.frame import labels, vector
from simulator.analytics.sample import Vector
from simulator.dataset.dims import FACILITY, PATH, TRANCHE

SHARE_COORDINATES = ("facility_lender_share", "lender_share")


def lender_shares(dataset: xr.Dataset) -> Vector:
    """Return the lender's share of each facility, 1 where the run does not say.

    Returns
    -------
    (facility,) float64
    """
    for name in SHARE_COORDINATES:
        if name in dataset.coords:
            return np.asarray(dataset[name].values, dtype=np.float64)
    return np.ones(dataset.sizes[FACILITY])


def exposure(dataset: xr.Dataset, i: int) -> Vector:
    """Sum the tranches of facility `i`: opening claim and draws, PV [USD m], by path.

    NaN on every path if the run did not keep ``tranche_drawn_pv`` or which facility a tranche
    belongs to.
    """
    if "tranche_drawn_pv" not in dataset or "tranche_facility" not in dataset.coords:
        return np.full(dataset.sizes[PATH], np.nan)
    facility = labels(dataset, FACILITY)[i]
    owners = [str(owner) for owner in dataset["tranche_facility"].values]
    parts = [
        vector(dataset, "tranche_drawn_pv", **{TRANCHE: j})
        for j, owner in enumerate(owners)
        if owner == facility
    ]
    return np.sum(parts, axis=0) if parts else np.full(dataset.sizes[PATH], np.nan)


def share_of(loss: Vector, lent: Vector) -> Vector:
    """Divide losses by what was lent; no loss on nothing lent is a share of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((lent == 0.0) & (loss == 0.0), 0.0, loss / lent)
