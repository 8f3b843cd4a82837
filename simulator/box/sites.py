"""Sites: energisation delays, killed projects, curtailment.

One draw per site, shared by all that stands there.  Delays lean on the supply-chain factor S*, so
that late sites come together with slow supply.

Model: docs/model.md §9; `del.*`, `pow.curtail`, evidence section 7 (time to power).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import beta_at_normal, normals, uniforms
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner
from simulator.numerics.normal import normal_quantile
from simulator.numerics.rows import row_names

DELAY_SD = 0.7  # of log delay
FIBRE_MEDIAN_MONTHS = 4.0
TECHNICAL_AVAILABILITY = 0.99


@row_names
class SiteTermRows(NamedTuple):
    """Rows of `SiteParams.terms`."""

    late_probability: int  # 0 where energised at t0
    fibre_probability: int  # 0 without network risk
    delay_median: int  # months
    kill_probability: int  # of a late site


SITE_TERM = SiteTermRows(*range(4))


@row_names
class SiteCodeRows(NamedTuple):
    """Rows of `SiteParams.codes`."""

    jurisdiction: int
    energised: int


SITE_CODE = SiteCodeRows(*range(2))


@row_names
class SiteStreamRows(NamedTuple):
    """Rows of `SiteParams.streams`."""

    site_streams: int
    more_streams: int
    fibre_streams: int


SITE_STREAM = SiteStreamRows(*range(3))


class SiteParams(NamedTuple):
    """Frozen inputs, by site unless said otherwise."""

    terms: NDArray[np.float64]  # (row of SITE_TERM, ...)
    codes: NDArray[np.int64]  # (row of SITE_CODE, ...)
    streams: NDArray[np.uint64]  # (row of SITE_STREAM, ...)
    supply_loading: float  # sqrt(del.rho)
    own_loading: float
    curtailment_table: NDArray[np.float64]


@row_names
class SiteRows(NamedTuple):
    """Rows of `SiteState.rows`."""

    delay: int  # months
    killed: int  # 1 = never energised
    availability: int  # share of hours


SITE = SiteRows(*range(3))


class SiteState(NamedTuple):
    """State by site and lane, fixed at t0."""

    rows: NDArray[np.float64]  # (row of SITE, ...)


def new_sites(sites: int, lanes: int) -> SiteState:
    """Return state for a block."""
    return SiteState(np.zeros((len(SITE), max(1, sites), lanes)))


@inner
def init_sites(params, state, seed, paths, supply_factor):
    """Draw each path's delays, kills and curtailment; `supply_factor` (lane,) is S*."""
    for site in range(params.terms.shape[1]):
        for lane in range(paths.shape[0]):
            path = paths[lane]
            _, u_curtail = uniforms(seed, path, params.streams[SITE_STREAM.more_streams, site], 0)
            curtailed = beta_at_normal(params.curtailment_table, normal_quantile(u_curtail))
            state.rows[SITE.availability, site, lane] = (1.0 - curtailed) * TECHNICAL_AVAILABILITY
            delay = 0.0
            killed = 0.0
            if params.terms[SITE_TERM.late_probability, site] > 0.0:
                u_late, _ = uniforms(seed, path, params.streams[SITE_STREAM.site_streams, site], 0)
                _, z_own = normals(seed, path, params.streams[SITE_STREAM.site_streams, site], 0)
                u_kill, _ = uniforms(seed, path, params.streams[SITE_STREAM.more_streams, site], 0)
                if u_late < params.terms[SITE_TERM.late_probability, site]:
                    z = params.supply_loading * supply_factor[lane] + params.own_loading * z_own
                    delay = params.terms[SITE_TERM.delay_median, site] * exp(DELAY_SD * z)
                    kill = params.terms[SITE_TERM.kill_probability, site]
                    killed = 1.0 if u_kill < kill else 0.0
            if params.terms[SITE_TERM.fibre_probability, site] > 0.0:
                u_fibre, _ = uniforms(
                    seed, path, params.streams[SITE_STREAM.fibre_streams, site], 0
                )
                _, z_fibre = normals(seed, path, params.streams[SITE_STREAM.fibre_streams, site], 0)
                if u_fibre < params.terms[SITE_TERM.fibre_probability, site]:
                    delay += FIBRE_MEDIAN_MONTHS * exp(DELAY_SD * z_fibre)
            state.rows[SITE.delay, site, lane] = delay
            state.rows[SITE.killed, site, lane] = killed
