"""The coordinates of a path that sampling may choose, by name.

Under the model all of them are independent standard normals (`drivers.steering`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import CORRELATION_ORDER
from simulator.drivers.shocks import FACTOR_MONTHS
from simulator.drivers.steering import PRIORS, SHOCKS, SteeringParams
from simulator.engine import priors

__all__ = ["coordinate_names", "steering_of"]

PERIOD_MONTHS: Final = 12
"""Systemic shocks are chosen by the year: losses hardly know in which month of it one fell."""


def steering_of(horizon: int, names: int) -> SteeringParams:
    """Return which coordinates a book of so many counterparties has.

    Parameters
    ----------
    horizon : int
        Months of a path.
    names : int
        Counterparties.

    Returns
    -------
    SteeringParams
        Periods of a year, over all months that are drawn; the last one may be shorter.
    """
    months = max(horizon, FACTOR_MONTHS)
    first = np.arange(1, months + 1, PERIOD_MONTHS, dtype=np.int64)
    last = np.minimum(first + PERIOD_MONTHS - 1, months)
    periods = np.ascontiguousarray(np.column_stack([first, last]))
    return SteeringParams(periods, SHOCKS * len(first) + 1 + PRIORS + names)


def coordinate_names(steering: SteeringParams, names: Sequence[str]) -> tuple[str, ...]:
    """Return what each coordinate is, such as ``"shock Z, months 1-12"`` or ``"name Meta"``."""
    periods: NDArray[np.int64] = steering.periods
    return (
        *(
            f"shock {shock}, months {first}-{last}"
            for first, last in periods.tolist()
            for shock in CORRELATION_ORDER
        ),
        "share of capacity completed",
        *(f"hazard {prior}" for prior in priors.PRIORS),
        *(f"name {name}" for name in names),
    )
