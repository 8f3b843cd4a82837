"""Default times of counterparties: a Cox process with a copula threshold.

Each legal name has one default time.  Its hazard follows its rating curve, moved by the stress of
the sector; the threshold that the integrated hazard must reach is correlated across names through
a credit-cycle factor and an AI factor.  A compensator keeps each name's survival curve what it was
said to be, so that stress moves defaults in time and together, but adds none on average.  Delta is
demand added by efficiency: a name with gamma > 0 fails where efficiency makes compute cheap.

    Lambda(t) = Lambda(t-1) + h/12 exp(beta stress - gamma Delta - c(t)),   default when Lambda >= E
    E = -ln(1 - Phi(w)),   w = a Z* + b C_orthogonal + sqrt(1 - a^2 - b^2) eps

Model: docs/model.md §10; `cp.*`, evidence section 4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.credit.thresholds import draw_mixing, mix_scores, set_thresholds
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.steering import first_name_row, place_coordinate
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normals, fill_uniform_pairs
from simulator.numerics.rows import row_names

CONTROL_MONTHS = 12.0
OTHER_MACRO_LOADING = 0.24**0.5


@row_names
class NameTermRows(NamedTuple):
    """Rows of `NameParams.terms`."""

    beta: int  # (name,)
    macro_loading: int  # a
    ai_loading: int  # b
    efficiency_loading: int  # gamma
    notch: int  # rating at t0, Aaa = 1


NAME_TERM = NameTermRows(*range(5))


@row_names
class NameCodeRows(NamedTuple):
    """Rows of `NameParams.codes`."""

    group: int  # (name,), row of the compensator
    sponsor: int  # (name,), -1 = not a simulated sponsor
    jurisdiction: int  # (name,), of export control, -1 = none
    integrates: int  # (name,), hyperscalers
    certain: int  # (name,), month in which a stress case lets it default, 0 = none
    drifts: int  # (name,), 1 if a contract looks at its rating


NAME_CODE = NameCodeRows(*range(6))


@row_names
class NameStreamRows(NamedTuple):
    """Rows of `NameParams.streams`."""

    default_streams: int  # (name,)
    integration_streams: int  # (name,)
    rating_streams: int  # (name,)


NAME_STREAM = NameStreamRows(*range(3))


class NameParams(NamedTuple):
    """Frozen inputs, by counterparty."""

    terms: NDArray[np.float64]  # (row of NAME_TERM, ...)
    codes: NDArray[np.int64]  # (row of NAME_CODE, ...)
    streams: NDArray[np.uint64]  # (row of NAME_STREAM, ...)
    hazard: NDArray[np.float64]  # (name, year), per year, times cp.pd_curve
    compensator: NDArray[np.float64]  # (group, month)
    integration_hazard: float  # per year
    degrees_of_freedom: float  # of the t copula, 0 = Gaussian
    chi2_table: NDArray[np.float64]
    copula_stream: np.uint64
    log_multiplier: float  # of hazards in a stress case, as rating drift sees it
    notch_slope: float  # log hazard per notch
    drift_sd: float  # notches per root year
    enabled: bool


@row_names
class NameRows(NamedTuple):
    """Rows of `NameState.rows`."""

    integrated_hazard: int  # Lambda
    threshold: int  # E
    default_month: int  # 0 = none
    integrated: int  # 1 after vertical integration
    control_clock: int  # months of reduced payment left
    control_ended: int  # month in which the control ended the contracts, 0 = none
    rating_walk: int  # W, root years
    rating: int  # notch of the month, Aaa = 1; larger is worse


NAME = NameRows(*range(8))


@row_names
class NameLaneRows(NamedTuple):
    """Rows of `NameState.lanes`."""

    integrations: int  # (lane,), number of them
    probability: int  # (lane,), of an integration in a month, by name


NAME_LANE = NameLaneRows(*range(2))


class NameState(NamedTuple):
    """State by counterparty and lane."""

    rows: NDArray[np.float64]  # (row of NAME, ...)
    lanes: NDArray[np.float64]  # (row of NAME_LANE, ...)


def new_names(names: int, lanes: int) -> NameState:
    """Return state for a block."""
    return NameState(
        rows=np.zeros((len(NAME), names, lanes)), lanes=np.zeros((len(NAME_LANE), lanes))
    )


@inner
def init_names(
    params, steering, state, seed, paths, coordinates, macro, ai_orthogonal, mixing, own, spare
):
    """Reset a block to t0 and draw each name's threshold.

    Parameters
    ----------
    coordinates : (coordinate, lane), chosen draws
    macro, ai_orthogonal : (lane,), static factors Z* and C-orthogonal
    mixing, own, spare : (lane,), scratch
    """
    lanes = paths.shape[0]
    start = np.int64(0)
    state.rows[:] = 0.0
    state.lanes[NAME_LANE.integrations] = 0.0
    nu = params.degrees_of_freedom
    draw_mixing(seed, paths, params.copula_stream, nu, params.chi2_table, mixing, own, spare)
    for name in range(params.terms.shape[1]):
        state.rows[NAME.rating, name] = params.terms[NAME_TERM.notch, name]
        a = params.terms[NAME_TERM.macro_loading, name]
        b = params.terms[NAME_TERM.ai_loading, name]
        rest = np.sqrt(1.0 - a * a - b * b)
        stream = params.streams[NAME_STREAM.default_streams, name]
        fill_normals(seed, paths, stream, start, own, spare)
        place_coordinate(coordinates, first_name_row(steering) + name, own)
        for lane in range(lanes):
            spare[lane] = a * macro[lane] + b * ai_orthogonal[lane]
        mix_scores(spare, rest, own, mixing, state.rows[NAME.threshold, name])
        set_thresholds(state.rows[NAME.threshold, name], nu)


@inner
def step_names(
    params,
    state,
    seed,
    paths,
    month,
    stress,
    efficiency,
    control_events,
    sponsor_default_month,
    first,
    second,
):
    """Advance one month: export controls, defaults, integrations.

    Parameters
    ----------
    stress : (lane,), sector stress of this month
    efficiency : (row of EFFICIENCY, lane), of which the log of demand added (or lost, < 0) counts
    control_events : (jurisdiction, lane), 1 where an export control was announced this month
    sponsor_default_month : (sponsor, lane), 0 = none
    first, second : (lane,), scratch
    """
    lanes = paths.shape[0]
    year = min((month - 1) // 12, params.hazard.shape[1] - 1)
    for name in range(params.terms.shape[1]):
        place = params.codes[NAME_CODE.jurisdiction, name]
        if place >= 0:
            for lane in range(lanes):
                if (
                    control_events[place, lane] > 0.0
                    and state.rows[NAME.control_clock, name, lane] == 0.0
                    and state.rows[NAME.control_ended, name, lane] == 0.0
                ):
                    state.rows[NAME.control_clock, name, lane] = CONTROL_MONTHS
        sponsor = params.codes[NAME_CODE.sponsor, name]
        if sponsor >= 0:
            for lane in range(lanes):
                failed = sponsor_default_month[sponsor, lane]
                if (
                    failed > 0.0
                    and failed < month
                    and state.rows[NAME.default_month, name, lane] == 0.0
                ):
                    state.rows[NAME.default_month, name, lane] = month
        elif params.enabled:
            hazard = params.hazard[name, year] / 12.0
            beta = params.terms[NAME_TERM.beta, name]
            gamma = params.terms[NAME_TERM.efficiency_loading, name]
            compensator = params.compensator[params.codes[NAME_CODE.group, name], month]
            certain = params.codes[NAME_CODE.certain, name] == month
            for lane in range(lanes):
                added = (
                    efficiency[EFFICIENCY.permanent, lane] + efficiency[EFFICIENCY.transient, lane]
                )
                state.rows[NAME.integrated_hazard, name, lane] += hazard * exp(
                    beta * stress[lane] - gamma * added - compensator
                )
                reached = (
                    state.rows[NAME.integrated_hazard, name, lane]
                    >= state.rows[NAME.threshold, name, lane]
                )
                defaults = (reached or certain) and (
                    state.rows[NAME.default_month, name, lane] == 0.0
                )
                state.rows[NAME.default_month, name, lane] = (
                    month if defaults else state.rows[NAME.default_month, name, lane]
                )
        if params.codes[NAME_CODE.drifts, name] and params.enabled:
            compensator = params.compensator[params.codes[NAME_CODE.group, name], month]
            stream = params.streams[NAME_STREAM.rating_streams, name]
            fill_normals(seed, paths, stream, month, first, second)
            drift_rating(params, state, name, stress, efficiency, compensator, first)
        if params.codes[NAME_CODE.integrates, name] and params.integration_hazard > 0.0:
            fill_uniform_pairs(
                seed,
                paths,
                params.streams[NAME_STREAM.integration_streams, name],
                month,
                first,
                second,
            )
            for lane in range(lanes):
                p = state.lanes[NAME_LANE.probability, lane]
                if first[lane] < p and state.rows[NAME.integrated, name, lane] == 0.0:
                    state.rows[NAME.integrated, name, lane] = 1.0
                    state.lanes[NAME_LANE.integrations, lane] += 1.0


@inner
def drift_rating(params, state, name, stress, efficiency, compensator, draws):
    """Move a name's rating: what its hazard has become, in notches, and noise of its own.

    Parameters
    ----------
    stress : (lane,)
    efficiency : (row of EFFICIENCY, lane)
    compensator : float, of the month
    draws : (lane,), standard normals
    """
    beta = params.terms[NAME_TERM.beta, name]
    gamma = params.terms[NAME_TERM.efficiency_loading, name]
    for lane in range(stress.shape[0]):
        added = efficiency[EFFICIENCY.permanent, lane] + efficiency[EFFICIENCY.transient, lane]
        worse = beta * stress[lane] - gamma * added - compensator + params.log_multiplier
        state.rows[NAME.rating_walk, name, lane] += draws[lane] / np.sqrt(12.0)
        walk = params.drift_sd * state.rows[NAME.rating_walk, name, lane]
        notch = params.terms[NAME_TERM.notch, name] + worse / params.notch_slope + walk
        state.rows[NAME.rating, name, lane] = np.floor(notch + 0.5)


@inner
def run_control_clocks(state, month):
    """Count export-control clocks down after billing; at zero the contracts end next month."""
    for name in range(state.rows.shape[1]):
        for lane in range(state.rows.shape[2]):
            clock = state.rows[NAME.control_clock, name, lane]
            if clock > 0.0:
                state.rows[NAME.control_clock, name, lane] = clock - 1.0
                if clock == 1.0:
                    state.rows[NAME.control_ended, name, lane] = month
