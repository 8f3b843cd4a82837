"""Rental prices by generation, spot and one-year contract; utilisation.

    q(t)       = beta (x(t) - x0) + G(t) + F(t)
    ln P_gk(t) = ln P_gk(0) + d t/12 - r steps(t) + h q(t) + X_gk(t) + [spot] h Y(t)

d is the age drift, `steps` the releases of newer generations, X noise around them, Y sentiment
after a breakthrough (spot only), G the extra drift of a glut and F the memory channel. GPUs feel
all of it (r = h = 1); the rent of a data-centre hall feels little of the market for compute (h) and
no release (r = 0), and its noise is a Brownian motion of its own, not a reversion to a trend.

Model: docs/model.md §8; `gpu.*`, evidence section 5 (list prices 2023-2026, contract points);
`hall.*` for halls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.shocks import P
from simulator.numerics.elementary import exp
from simulator.numerics.jit import inlined, inner, scalar
from simulator.numerics.normal import to_normals
from simulator.numerics.philox import fill_normal_pairs, fill_normals, fill_uniform_pairs
from simulator.numerics.processes import ou_coefficients
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array

GLUT_BELOW = -0.14  # tightness
GLUT_MONTHLY_DECAY = 2.0 ** (-1.0 / 9.0)  # the extra drift fades with a half-life of nine months
SPOT_LOADING = 0.7  # of the spot market on the contract market's shock
RELEASE_JITTER_MONTHS = 6.0  # width: plus or minus three
TENOR_YEARS = np.array([1.0, 3.0, 5.0])


@row_names
class PriceTermRows(NamedTuple):
    """Rows of `PriceParams.terms`."""

    log_contract: int  # ln USD per GPU-hour at t0; of a hall per kW-hour
    log_spot: int
    age_drift: int  # d, log per year
    drift_surprise: int  # d less that of the reference path, log per year
    tightness_share: int  # h
    steps_share: int  # r
    contract_decay: int  # of X, a month
    contract_sd: int
    spot_decay: int
    spot_sd: int
    common: int  # sqrt(rho): loading on the common shock
    own: int  # sqrt(1 - rho)
    brownian: int  # 1 = X is a Brownian motion, the same for contracts and spot


PRICE_TERM = PriceTermRows(*range(13))


class PriceParams(NamedTuple):
    """Frozen inputs."""

    terms: NDArray[np.float64]  # (row of PRICE_TERM, generation)
    beta: float  # elasticity to tightness
    start_tightness: float
    glut_drift: float  # extra log per month in a glut, <= 0
    generation_step: float  # log, mean of a full release
    step_sd: float  # as a share of the mean, 0 on the reference path
    step_jitter: float  # months, 0 on the reference path
    log_odds: float  # logit of mean utilisation
    utilisation_slope: float
    release_stream: np.uint64
    spot_stream: np.uint64
    own_streams: NDArray[np.uint64]  # (generation,)


@row_names
class PriceRows(NamedTuple):
    """Rows of `PriceState.rows`."""

    deviation: int  # q
    surprise: int  # q - q of the reference path
    glut: int  # G
    steps: int
    utilisation: int  # merchant market


PRICE = PriceRows(*range(5))


@row_names
class ReleaseRows(NamedTuple):
    """Rows of `PriceState.releases`."""

    release_month: int  # (release, lane)
    release_size: int  # (release, lane)


RELEASE = ReleaseRows(*range(2))


@row_names
class GenerationRows(NamedTuple):
    """Rows of `PriceState.generations`."""

    contract_noise: int  # (generation, lane)
    spot_noise: int
    contract: int  # (generation, lane), USD per GPU-hour
    spot: int
    log_development: int  # (generation, lane), ln dev


GENERATION = GenerationRows(*range(5))


class PriceState(NamedTuple):
    """State by lane."""

    rows: NDArray[np.float64]  # (row of PRICE, ...)
    releases: NDArray[np.float64]  # (row of RELEASE, ...)
    generations: NDArray[np.float64]  # (row of GENERATION, ...)


def pack_prices(
    parameters: Mapping[str, float],
    names: tuple[str, ...],
    *,
    contract_price: NDArray[np.float64],
    spot_price: NDArray[np.float64],
    drift: NDArray[np.float64],
    expected_drift: NDArray[np.float64],
    tightness_share: NDArray[np.float64],
    steps_share: NDArray[np.float64],
    brownian_sd: NDArray[np.float64],
    noise: bool,
    generations: bool,
    centred: bool = False,
    glut: bool = True,
) -> PriceParams:
    """Return the packed driver.

    Parameters
    ----------
    contract_price, spot_price : (generation,)
        Prices at t0, USD per GPU-hour.
    drift, expected_drift : (generation,)
        Age drift, and that of the reference path, log per year.
    tightness_share, steps_share : (generation,)
        Loadings of the log price on q and on releases, 1 for GPUs.
    brownian_sd : (generation,)
        Per root year; 0: X reverts to its trend.
    noise, generations, centred : bool
        Switches of X and of the randomness of releases; centred switches both off.
    glut : bool
        Whether prices drift down further in a glut.
    """
    p = parameters
    noise = noise and not centred
    random_steps = generations and not centred
    rho = p["gpu.rho_gen"]
    brownian = brownian_sd > 0.0
    monthly_sd = brownian_sd / np.sqrt(12.0)

    def ou(kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        decay, sd = ou_coefficients(p[f"gpu.{kind}_kappa"], p[f"gpu.{kind}_sigma"])
        sds = np.where(brownian, monthly_sd, sd)
        return np.where(brownian, 1.0, decay), sds if noise else np.zeros_like(sds)

    (contract_decay, contract_sd), (spot_decay, spot_sd) = ou("ctr"), ou("spot")
    columns: dict[str, NDArray[Any]] = {
        "log_contract": np.log(contract_price),
        "log_spot": np.log(spot_price),
        "age_drift": drift,
        "drift_surprise": drift - expected_drift,
        "tightness_share": tightness_share,
        "steps_share": steps_share,
        "contract_decay": contract_decay,
        "contract_sd": contract_sd,
        "spot_decay": spot_decay,
        "spot_sd": spot_sd,
        "common": np.where(brownian, 0.0, np.sqrt(rho)),
        "own": np.where(brownian, 1.0, np.sqrt(1.0 - rho)),
        "brownian": brownian,
    }
    return PriceParams(
        terms=np.array([columns[row] for row in PriceTermRows._fields], dtype=np.float64),
        beta=p["gpu.beta_tight"],
        start_tightness=p["sup.x0"],
        glut_drift=min(0.0, p["sup.glut_decay"] - p["gpu.delta"]) / 12.0 if glut else 0.0,
        generation_step=p["gpu.gen_step"],
        step_sd=0.5 if random_steps else 0.0,
        step_jitter=RELEASE_JITTER_MONTHS if random_steps else 0.0,
        log_odds=float(np.log(p["gpu.util"] / (1.0 - p["gpu.util"]))),
        utilisation_slope=p["gpu.util_slope"],
        release_stream=stream_id_array(["generation.release"])[0],
        spot_stream=stream_id_array(["price.spot"])[0],
        own_streams=stream_id_array([f"price.{name}" for name in names]),
    )


def new_prices(generations: int, horizon: int, lanes: int) -> PriceState:
    """Return state for a block."""
    releases = (horizon + 3) // 12
    return PriceState(
        rows=np.zeros((len(PRICE), lanes)),
        releases=np.zeros((len(RELEASE), releases, lanes)),
        generations=np.zeros((len(GENERATION), generations, lanes)),
    )


@scalar
def logistic(log_odds: float) -> float:
    """Return 1 / (1 + e^-x)."""
    return 1.0 / (1.0 + exp(-log_odds))


@scalar
def tenor_factor(months: float, discounts) -> float:
    """Return the price of a term of so many months as a share of the one-year contract price.

    `discounts` (3,) holds the 1, 3 and 5 year rows of `gpu.term_disc`; flat outside.
    """
    years = min(5.0, max(1.0, months / 12.0))
    short = discounts[0] + (discounts[1] - discounts[0]) * (years - 1.0) / 2.0
    long = discounts[1] + (discounts[2] - discounts[1]) * (years - 3.0) / 2.0
    return (short if years <= 3.0 else long) / discounts[0]


@inner
def init_prices(params, state, seed, paths, first, second):
    """Reset a block to t0 and draw each path's releases."""
    state.rows[:] = 0.0
    state.generations[:] = 0.0
    state.rows[PRICE.utilisation] = logistic(params.log_odds)
    for g in range(params.terms.shape[1]):
        state.generations[GENERATION.contract, g] = exp(params.terms[PRICE_TERM.log_contract, g])
        state.generations[GENERATION.spot, g] = exp(params.terms[PRICE_TERM.log_spot, g])
    for release in range(state.releases[RELEASE.release_month].shape[0]):
        j = release + 1
        share = 0.5 if j % 2 == 1 else 1.0
        fill_uniform_pairs(seed, paths, params.release_stream, j, first, second)
        to_normals(second)
        for lane in range(paths.shape[0]):
            state.releases[RELEASE.release_month, release, lane] = 12.0 * j + params.step_jitter * (
                first[lane] - 0.5
            )
            state.releases[RELEASE.release_size, release, lane] = (
                share * params.generation_step * (1.0 + params.step_sd * second[lane])
            )


@inlined
def write_prices(
    params, state, g, lane, month, sentiment, reference_steps, tightness_share, steps_share
):
    """Write the prices of a generation and their surprise, from the market and the noise."""
    drift = params.terms[PRICE_TERM.age_drift, g] * month / 12.0
    drift_surprise = params.terms[PRICE_TERM.drift_surprise, g] * month / 12.0
    contract_noise = state.generations[GENERATION.contract_noise, g, lane]
    spot_noise = state.generations[GENERATION.spot_noise, g, lane]
    trend = (
        drift
        - steps_share * state.rows[PRICE.steps, lane]
        + tightness_share * state.rows[PRICE.deviation, lane]
    )
    state.generations[GENERATION.contract, g, lane] = exp(
        params.terms[PRICE_TERM.log_contract, g] + trend + contract_noise
    )
    state.generations[GENERATION.spot, g, lane] = exp(
        params.terms[PRICE_TERM.log_spot, g] + trend + spot_noise + tightness_share * sentiment
    )
    state.generations[GENERATION.log_development, g, lane] = (
        drift_surprise
        + tightness_share * state.rows[PRICE.surprise, lane]
        - steps_share * (state.rows[PRICE.steps, lane] - reference_steps)
        + contract_noise
    )


@inner
def step_prices(
    params,
    state,
    seed,
    paths,
    month,
    shocks,
    tightness,
    memory_rent,
    sentiment,
    reference_deviation,
    reference_steps,
    first,
    second,
    spot_shock,
):
    """Advance one month.

    Parameters
    ----------
    tightness, memory_rent, sentiment : (lane,), x(t), F(t), Y(t)
    reference_deviation, reference_steps : float, q and steps of the reference path this month
    first, second, spot_shock : (lane,), scratch
    """
    lanes = paths.shape[0]
    for release in range(state.releases[RELEASE.release_month].shape[0]):
        if abs(month - 12 * (release + 1)) <= 4:
            for lane in range(lanes):
                due = state.releases[RELEASE.release_month, release, lane]
                if month - 1 < due <= month:
                    state.rows[PRICE.steps, lane] += state.releases[
                        RELEASE.release_size, release, lane
                    ]
    for lane in range(lanes):
        slack = tightness[lane] < GLUT_BELOW
        deeper = state.rows[PRICE.glut, lane] + params.glut_drift
        state.rows[PRICE.glut, lane] = (
            deeper if slack else state.rows[PRICE.glut, lane] * GLUT_MONTHLY_DECAY
        )
        state.rows[PRICE.deviation, lane] = (
            params.beta * (tightness[lane] - params.start_tightness)
            + state.rows[PRICE.glut, lane]
            + memory_rent[lane]
        )
        state.rows[PRICE.surprise, lane] = state.rows[PRICE.deviation, lane] - reference_deviation
        state.rows[PRICE.utilisation, lane] = logistic(
            params.log_odds + params.utilisation_slope * (tightness[lane] - params.start_tightness)
        )
    own_spot = np.sqrt(1.0 - SPOT_LOADING * SPOT_LOADING)
    fill_normals(seed, paths, params.spot_stream, month, first, second)
    for lane in range(lanes):
        spot_shock[lane] = SPOT_LOADING * shocks[P, lane] + own_spot * first[lane]
    for g in range(params.terms.shape[1]):
        fill_normal_pairs(seed, paths, params.own_streams[g], month, first, second)
        if params.terms[PRICE_TERM.brownian, g] > 0.0:
            for lane in range(lanes):
                second[lane] = first[lane]  # one noise for contracts and spot
        tightness_share = params.terms[PRICE_TERM.tightness_share, g]
        steps_share = params.terms[PRICE_TERM.steps_share, g]
        contract_decay = params.terms[PRICE_TERM.contract_decay, g]
        contract_sd = params.terms[PRICE_TERM.contract_sd, g]
        spot_decay = params.terms[PRICE_TERM.spot_decay, g]
        spot_sd = params.terms[PRICE_TERM.spot_sd, g]
        common, own = params.terms[PRICE_TERM.common, g], params.terms[PRICE_TERM.own, g]
        for lane in range(lanes):
            contract_shock = common * shocks[P, lane] + own * first[lane]
            own_shock = common * spot_shock[lane] + own * second[lane]
            contract_noise = (
                contract_decay * state.generations[GENERATION.contract_noise, g, lane]
                + contract_sd * contract_shock
            )
            spot_noise = (
                spot_decay * state.generations[GENERATION.spot_noise, g, lane] + spot_sd * own_shock
            )
            state.generations[GENERATION.contract_noise, g, lane] = contract_noise
            state.generations[GENERATION.spot_noise, g, lane] = spot_noise
        if tightness_share == 1.0 and steps_share == 1.0:  # GPUs: the compiler drops the factors
            for lane in range(lanes):
                write_prices(
                    params, state, g, lane, month, sentiment[lane], reference_steps, 1.0, 1.0
                )
        else:
            for lane in range(lanes):
                write_prices(
                    params,
                    state,
                    g,
                    lane,
                    month,
                    sentiment[lane],
                    reference_steps,
                    tightness_share,
                    steps_share,
                )
