"""Cases of regimes: the common regime of credit-only studies, and the cycle of memory.

The regime of a pool is a Markov chain in continuous time. Its integrated hazard is exact at the end
of every step, so that with a hazard of 1 in one state and 0 in the others it is the time spent
there. Memory is a semi-Markov chain by the month whose log price has a drift and a volatility by
state: with one sub-stage it is a chain of two states seen at the end of every step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_study
from simulator.drivers.memory import BALANCED, MEMORY, SHORTAGE
from simulator.engine.market import MarketState
from simulator.engine.pool import PreparedPool, prepare_pool
from simulator.selfcheck.drivers import Clock, run_driver
from simulator.selfcheck.estimating import given_by_groups, mean_of, moment_of, share_of
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_runs import alike, runs_of

__all__ = ["CASES"]

Values = NDArray[np.float64]

LANES = 2_000
STEPS = 60
PRICE_STEPS = 240
RELAXATIONS = 25.0  # after which a chain is where it stays, to 1e-11
FASTEST = 40.0  # moves of a chain in a step: a study takes 1,000 in twelve
CORRELATED = 10  # names of whom every pair tells of the correlation of two


def common_regime(case: Mapping[str, Any], draws: Draws) -> Result:
    """Simulate a regime: where it is, where it was, and defaults under it.

    Parameters
    ----------
    case : mapping
        ``Q`` generator per year, ``pi0`` start, ``T`` years, ``haz`` hazards per year; ``mu`` and
        ``sig`` of a price in each of two states.
    draws : Draws
        Seed and paths.
    """
    generator = np.array(case["Q"], dtype=float)
    states = range(len(generator))
    few, clock = draws.fewer(4), Clock(float(case["T"]), STEPS)
    spent = [time_in(state, generator, case["pi0"], clock, few, beyond=1) for state in states]
    here = [(one[-1] - one[-3]) / (2.0 * clock.step) for one in spent]  # around T
    occupation = [one[-2] for one in spent]
    gap = np.sort(np.abs(np.linalg.eigvals(generator)))[1]  # a chain forgets with its slowest rate
    halves = max(1, int(np.ceil(RELAXATIONS * np.abs(generator).max() / gap / FASTEST)))
    far = Clock(2.0 * RELAXATIONS / gap, 2 * halves)
    late = [time_in(state, generator, case["pi0"], far, few) for state in states]
    chain = prepared_chain(study_of(generator, case["pi0"], case["haz"], clock))
    leaves = chain.params.regime_leaves / clock.step
    figures: dict[str, Any] = {
        "stationary": [mean_of(2.0 * (one[-1] - one[halves]) / far.years) for one in late],
        "expected_sojourn": 1.0 / leaves,
        "state_probs_T": [mean_of(one) for one in here],
        "expected_occupation": [mean_of(one) for one in occupation],
        "occupation0_mean": mean_of(occupation[0]),
        "occupation0_sd": moment_of(occupation[0], 2),
    }
    count = defaults(case, CORRELATED, draws)
    share = count / CORRELATED
    pairs = share * (count - 1.0) / (CORRELATED - 1.0)
    figures["survival"] = mean_of(1.0 - share)
    figures["two_name_default_correlation"] = given_by_groups(correlation, share, pairs)
    if "mu" in case and sorted(case["pi0"]) == [0, 1]:
        figures |= price_figures(price_in_two_states(case, draws), draws)
    return Result({}, figures)


def correlation(share: Values, pairs: Values) -> float:
    """Return the correlation of two names' defaults, of how many defaulted by path."""
    p = float(share.mean())
    return (float(pairs.mean()) - p * p) / (p - p * p)


def study_of(
    generator: NDArray[np.float64],
    start: Sequence[float],
    hazards: Sequence[float],
    clock: Clock,
    beyond: int = 0,
    names: int = 1,
) -> dict[str, Any]:
    """Return a credit-only study of names under a regime; rates and hazards are per year."""
    rate = clock.rate(1.0)
    return {
        "schema": "neobox.credit/1",
        "name": "regimes",
        "start": "2026-11",
        "horizon_months": clock.steps + beyond,
        "regimes": {
            "generator": (rate * generator).tolist(),
            "start": [float(p) for p in start],
            "hazard_per_year": [rate * float(value) for value in hazards],
        },
        "names": alike(names, lgd=1.0),
    }


def prepared_chain(study: Mapping[str, Any]) -> PreparedPool:
    """Make a credit-only study ready."""
    resolved = load_study(study)
    assert isinstance(resolved, PoolStudy)
    return prepare_pool(resolved.inputs)


def time_in(
    state: int,
    generator: NDArray[np.float64],
    start: Sequence[float],
    clock: Clock,
    draws: Draws,
    beyond: int = 0,
) -> Values:
    """Return the years spent in a state by the end of every step, (step 0..n + beyond, path)."""
    unit = clock.rate(1.0)  # so that the hazard is 1 per twelve steps, whatever a step is
    hazards = [float(place == state) / unit for place in range(len(generator))]
    prepared = prepared_chain(study_of(generator, start, hazards, clock, beyond))
    blocks = []
    for first in range(0, draws.paths, LANES):
        numbers = np.arange(first, min(first + LANES, draws.paths), dtype=np.int64)
        outputs, scratch = prepared.outputs(numbers.size), prepared.state(numbers.size)
        prepared.run_block(scratch, draws.seed, numbers, outputs, 0)
        blocks.append(unit * scratch.fields.regime)
    return np.concatenate(blocks, axis=1)


def defaults(case: Mapping[str, Any], names: int, draws: Draws) -> Values:
    """Return how many of some names have defaulted by T, (path,), by a credit-only study."""
    years = float(case["T"])
    clock = Clock(years, int(np.ceil(12.0 * years)))
    study = study_of(np.array(case["Q"], dtype=float), case["pi0"], case["haz"], clock, 0, names)
    runs = runs_of(study, draws)
    return np.concatenate([np.rint(run["book_lender_loss"].values) for run in runs])


def pool_under_regimes(case: Mapping[str, Any], draws: Draws) -> Result:
    """Count the defaults of names whose hazard is that of the common regime.

    Parameters
    ----------
    case : mapping
        As `common_regime`; ``n`` names.
    draws : Draws
        Seed, paths, numbers of defaults (``P_ge/3``) asked for.
    """
    count = defaults(case, int(case["n"]), draws)
    return Result(
        {},
        {
            "pmf": [share_of(count == k) for k in range(int(case["n"]) + 1)],
            "mean": mean_of(count),
            "P_ge": {k: share_of(count >= float(k)) for k in draws.under("P_ge")},
        },
    )


def memory_chain(
    parameters: Mapping[str, float], start: float, steps: int, draws: Draws, *, price: bool = False
) -> Values:
    """Run the memory cycle between shortage and balance, without gluts.

    Returns
    -------
    ndarray (step 0..n, path)
        1 in a shortage; if `price`, the log price at the last step alone, (path,).
    """
    row = MEMORY.log_price if price else MEMORY.regime

    def read(market: MarketState) -> Values:
        return np.asarray(market.memory.rows[row])

    def kept(by_step: Values) -> Values:
        return by_step[-1] if price else np.asarray(by_step == SHORTAGE, dtype=float)

    base = {"mem.start": start, "mem.p_bal_to_glut": 0.0, **parameters}
    return run_driver(base, ("memory",), steps, draws, read, kept)


def price_in_two_states(case: Mapping[str, Any], draws: Draws) -> Values:
    """Return S(T) of dS = mu S dt + sig S dW by state, S(0) = 1, (path,): the price of memory.

    State 0 is the shortage. In a step the chain changes as the chain in continuous time would, and
    the price then moves as in the state that it is in: an error of first order in the step, less
    than a tenth of a standard error here.
    """
    clock = Clock(float(case["T"]), PRICE_STEPS)
    moves = expm(np.array(case["Q"], dtype=float) * clock.step)
    mean = [(m - s * s / 2.0) * clock.step for m, s in zip(case["mu"], case["sig"], strict=True)]
    volatility = [clock.volatility(s) for s in case["sig"]]
    start = np.flatnonzero(np.array(case["pi0"], dtype=float) == 1.0)
    parameters = {
        "mem.shape": 1.0,
        "mem.dur_short": 1.0 / moves[0, 1],
        "mem.dur_bal": 1.0 / moves[1, 0],
        "mem.mu.shortage": mean[0],
        "mem.mu.balanced": mean[1],
        "mem.sigma.shortage": volatility[0],
        "mem.sigma.balanced": volatility[1],
    }
    first = (SHORTAGE, BALANCED)[int(start[0])]
    few = draws.fewer(5)
    return np.exp(memory_chain(parameters, first, clock.steps, few, price=True))


def price_figures(price: Values, draws: Draws) -> dict[str, Any]:
    """Return what is asked of a price at T."""
    put = "put_undiscounted"
    return {
        "mean_S": mean_of(price),
        "sd_S": moment_of(price, 2),
        "P_S_below": {x: share_of(price < float(x)) for x in draws.under("P_S_below")},
        put: {x: mean_of(np.maximum(float(x) - price, 0.0)) for x in draws.under(put)},
    }


def semi_markov(case: Mapping[str, Any], draws: Draws) -> Result:
    """Simulate spells of two states in turn: shortages in sub-stages, and balance between them.

    The model has sub-stages in both states, no Weibull spells: of the second state only what hangs
    on its mean can be compared. Means and shares by the model's own months; the law of a spell by
    short steps, an event counted in the middle of its step.

    Parameters
    ----------
    case : mapping
        ``erlang_k`` sub-stages and ``mean1_months`` of the first state, ``mean2_months``,
        ``T_months``; it starts as the first state begins.
    draws : Draws
        Seed, paths, and lengths asked for (``P_state1_lasts_gt_24``).
    """
    stages, means = int(case["erlang_k"]), [float(case[f"mean{k}_months"]) for k in (1, 2)]
    lengths = {"mem.shape": stages, "mem.dur_short": means[0], "mem.dur_bal": means[1]}
    half = int(np.ceil(6.0 * sum(means)))
    few = draws.fewer(20)
    shortage = memory_chain(lengths, SHORTAGE, 2 * half, few)
    balanced = 1.0 - memory_chain(lengths, BALANCED, 2 * half, few)
    late = shortage[half + 1 :]
    starts = np.diff(shortage[half:], axis=0) > 0.0
    figures: dict[str, Any] = {
        "mean_sojourn": [mean_of(first_spell(shortage)), mean_of(first_spell(balanced))],
        "stationary_fraction_state1": mean_of(late.mean(axis=0)),
        "long_run_cycles_per_year": mean_of(12.0 * starts.mean(axis=0)),
    }
    for path in draws.asked:
        if path == "P_no_switch_by_T":
            figures[path] = outlasts(float(case["T_months"]), stages, means[0], draws)
        if found := re.fullmatch(r"P_state1_lasts_gt_([\d.]+)", path):
            figures[path] = outlasts(float(found[1]), stages, means[0], draws)
    return Result({}, figures)


def first_spell(inside: Values) -> Values:
    """Return the months of each path's first spell; inside (month, path) is 1 during a state."""
    return np.asarray(np.argmin(inside[1:], axis=0) + 1.0)


def outlasts(months: float, stages: int, mean: float, draws: Draws) -> Any:
    """Estimate the probability that the first shortage lasts longer than so many months."""
    steps = int(np.ceil(20.0 * stages * months / mean))
    step = months / (steps + 0.5 - stages / 2.0)  # so that the end falls between two steps
    parameters = {"mem.shape": stages, "mem.dur_short": mean / step + stages / 2.0}
    shortage = memory_chain(parameters, SHORTAGE, steps, draws.fewer(5))
    return share_of(shortage[1:].all(axis=0))


CASES: dict[str, Kind] = {
    "common_regime": sampled(common_regime, "Q", "pi0", "T", "haz"),
    "pool_under_regimes": sampled(pool_under_regimes, "n", "Q", "pi0", "T", "haz"),
    "semi_markov": sampled(semi_markov, "erlang_k", "mean1_months", "mean2_months", "T_months"),
}
