"""Chosen draws: coordinates of a path that a way of sampling sets in place of the path's own.

Most of what a path draws matters to no tail.  What does is known by few numbers, all standard
normal and independent under the model: for each systemic shock its sum over a period (scaled to
variance one), a path's share of completed capacity, the multipliers of judged hazards, and each
name's own part of its default score.  Importance, quasi-random and stratified sampling choose
these; everything else stays as the path draws it.

    eps_t  <-  eps_t - mean of the period + coordinate / sqrt(months of the period)

The part of a period's normals that is orthogonal to their sum is independent of it, so that with
standard normal coordinates the law of the path is what it was.  Without coordinates (no rows, as
in every plain run) nothing is read and nothing is changed.

Model: docs/model.md §19.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.jit import inner

SHOCKS = 9
PRIORS = 5

__all__ = [
    "SteeringParams",
    "completion_row",
    "first_name_row",
    "new_coordinates",
    "place_coordinate",
    "place_shocks",
    "prior_row",
    "unsteered",
]


class SteeringParams(NamedTuple):
    """Which coordinates there are: rows of shocks by period, then those of `completion_row` on."""

    periods: NDArray[np.int64]  # (period, 2), first and last month
    rows: int  # coordinates of a path; 0 if it draws all of them itself


def unsteered() -> SteeringParams:
    """Return the parameters of plain sampling."""
    return SteeringParams(np.zeros((0, 2), dtype=np.int64), 0)


def new_coordinates(params: SteeringParams, lanes: int) -> NDArray[np.float64]:
    """Allocate the coordinates of a block (row, lane), to be filled before it is opened."""
    return np.zeros((params.rows, lanes))


@inner
def completion_row(params):
    """Return the row of the share of capacity that is completed."""
    return SHOCKS * params.periods.shape[0]


@inner
def prior_row(params, prior):
    """Return the row of the multiplier of a judged hazard."""
    return SHOCKS * params.periods.shape[0] + 1 + prior


@inner
def first_name_row(params):
    """Return the row of the first name's own normal."""
    return SHOCKS * params.periods.shape[0] + 1 + PRIORS


@inner
def place_coordinate(coordinates, row, draws):
    """Put one coordinate in place of the normals (lane,) drawn for it."""
    if coordinates.shape[0] > 0:
        for lane in range(draws.shape[0]):
            draws[lane] = coordinates[row, lane]


@inner
def place_shocks(params, coordinates, shocks):
    """Give the independent normals of each period the sums that are wanted.

    Parameters
    ----------
    params : SteeringParams
    coordinates : (row, lane), row 9 p + k for shock k in period p
    shocks : (month, 9, lane), independent standard normals; rewritten
    """
    if coordinates.shape[0] == 0:
        return
    for period in range(params.periods.shape[0]):
        first, last = params.periods[period, 0], params.periods[period, 1]
        months = last - first + 1.0
        for k in range(SHOCKS):
            row = SHOCKS * period + k
            for lane in range(shocks.shape[2]):
                total = 0.0
                for month in range(first, last + 1):
                    total += shocks[month, k, lane]
                change = coordinates[row, lane] / np.sqrt(months) - total / months
                for month in range(first, last + 1):
                    shocks[month, k, lane] += change
