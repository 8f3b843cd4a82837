"""Parameter uncertainty in hazards: one gamma multiplier per path and driver, mean one.

Model: docs/model.md §1 (Priors).  Never on default curves: those are fixed by the compensator.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import beta_at_normal
from simulator.drivers.steering import place_coordinate, prior_row
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normals
from simulator.numerics.processes import monthly_event_probability
from simulator.numerics.streams import stream_id_array

PRIORS = ("dem.ap_lambda", "eff.lambda", "cp.reneg", "reg.lambda", "sup.vi_lambda")
DEMAND, EFFICIENCY, RENEGOTIATION, POLICY, INTEGRATION = range(5)


class PriorParams(NamedTuple):
    """Frozen inputs."""

    table: NDArray[np.float64]  # quantiles of the gamma law
    enabled: bool
    streams: NDArray[np.uint64]  # (prior,), in the order of PRIORS


def pack_priors(table: NDArray[np.float64], *, enabled: bool) -> PriorParams:
    """Return the packed priors."""
    streams = stream_id_array([f"prior.{name}" for name in PRIORS])
    return PriorParams(table=table, enabled=enabled, streams=streams)


@inner
def draw_prior(params, steering, prior, seed, paths, coordinates, multiplier, spare):
    """Write the multiplier (lane,) of one driver's hazard; 1 where priors are switched off.

    Parameters
    ----------
    prior : int, of `PRIORS`
    coordinates : (coordinate, lane), chosen draws
    spare : (lane,), scratch
    """
    multiplier[:] = 1.0
    if params.enabled:
        start = np.int64(0)
        fill_normals(seed, paths, params.streams[prior], start, multiplier, spare)
        place_coordinate(coordinates, prior_row(steering, prior), multiplier)
        for lane in range(paths.shape[0]):
            multiplier[lane] = beta_at_normal(params.table, multiplier[lane])


@inner
def draw_probability(params, steering, prior, seed, paths, coordinates, hazard, probability, spare):
    """Write the monthly probability (lane,) of events with this hazard, per year, and prior."""
    draw_prior(params, steering, prior, seed, paths, coordinates, probability, spare)
    for lane in range(paths.shape[0]):
        probability[lane] = monthly_event_probability(hazard * probability[lane])
