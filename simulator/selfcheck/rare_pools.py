"""Importance sampling of pools, against exact variances, a published table, a two-mode tail.

The kernels are those of a run with `sampling`; here they draw from given laws, without the plain
share that a run mixes in, because the exact variances are those of the pure laws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analytics import Estimate
from simulator.analytics.estimators import standard_error
from simulator.config.pool_terms import PoolInputs, PoolName
from simulator.engine.pool import PreparedPool, prepare_pool
from simulator.engine.pool_laws import aimed_at, draw_paths
from simulator.engine.pool_modes import find_modes
from simulator.engine.pool_pilot import seed_of
from simulator.engine.pool_proposal import Proposal, plain_proposal
from simulator.selfcheck.estimating import given
from simulator.selfcheck.formulas import formula
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.listed_pools import listed_names, listed_pool
from simulator.selfcheck.months import Result

__all__ = ["CASES"]

Vector = NDArray[np.float64]

MOST: Final = 12_000_000
"""Names times paths of one law: each name on each path costs some 100 ns."""

PILOT: Final = 4_000
PLAIN: Final = 0.2  # share of paths drawn plainly, as in a run
FAR: Final = 3.0  # standard deviations against the loadings, where the search for a mode starts
SPLIT: Final = re.compile(r"^tail_mode_split/(?P<loss>[0-9.]+)/")
LINEAR: Final = re.compile(r"linear from (?P<first>[0-9.]+) to (?P<last>[0-9.]+)")
BEYOND: Final = re.compile(r"^P/(?P<loss>[0-9.]+)/")


class Moments(NamedTuple):
    """What replications of an estimator show of it."""

    chance: Vector  # (path,), terms whose mean is the probability
    square: Vector  # (path,), terms whose mean is the second moment of a replication


def pool_of(exposure: Vector, chance: Vector, loadings: NDArray[np.float64]) -> PreparedPool:
    """Return names that lose all they owe if they default within a year.

    Parameters
    ----------
    exposure, chance : (name,) float64
    loadings : (name, factor) float64
    """
    names = tuple(
        PoolName(f"N{k:05}", owed, 0.0, 0, (-float(np.log1p(-p)),), 1.0, 0.0, None, tuple(row))
        for k, (owed, p, row) in enumerate(
            zip(exposure.tolist(), chance.tolist(), loadings.tolist(), strict=True)
        )
    )
    return prepare_pool(PoolInputs(12, 0.0, 0.0, names, None, ()))


def shift_of(pool: PreparedPool, loss: float) -> Vector:
    """Return the shift (factor,) that Glasserman and Li choose for a loss."""
    loadings = pool.params.loadings
    start = -FAR * loadings.mean(axis=1) / np.linalg.norm(loadings.mean(axis=1))
    shift: Vector = find_modes(pool, loss, np.append(start, 0.0)[None, :], np.zeros(1)).places[0]
    return shift


def one_law(shift: Vector, target: float) -> Proposal:
    """Return a single law, without a plain share."""
    return Proposal(np.array([0.0, 1.0]), np.vstack([np.zeros_like(shift), shift]), target)


def equal_names(case: Mapping[str, Any], draws: Draws) -> Result:
    """Exceed x in a pool of equal names, by three laws whose variances are known exactly.

    Shift and twist are sampled as they are. The twist alone leaves the factor where it is, and the
    paths that matter are too few to show its variance: it is taken over the paths of shift and
    twist, by their weights; that of the shift alone likewise, where its own paths do not show it.
    """
    count, loss = int(case["N"]), float(case["x"])
    loading = np.full((count, 1), np.sqrt(float(case["rho"])))
    pool = pool_of(np.ones(count), np.full(count, float(case["PD"])), loading)
    shift, paths = shift_of(pool, loss), min(draws.paths, MOST // count)
    both = draw_paths(pool, one_law(shift, loss), draws.seed, paths)
    event, weight = both.loss > loss + 0.5, both.weight
    ratio = np.exp(both.factors @ shift - 0.5 * float(shift @ shift))
    alone = draw_paths(pool, one_law(shift, 0.0), draws.of("shift").seed, paths)
    value = alone.weight * (alone.loss > loss + 0.5)
    shifted = told(Moments(value, value**2))
    if any(np.isnan(one.se) for one in shifted.values()):
        shifted = told(Moments(weight * event, weight / ratio * event))
    return Result(
        {},
        {
            "P": given(share(weight * event), weight * event),
            "shift_and_twist": told(Moments(weight * event, (weight * event) ** 2)),
            "shift_only": shifted,
            "twist_only": told(Moments(weight * event, weight**2 * ratio * event)),
        },
    )


def share(terms: Vector) -> Estimate:
    """Return the mean of terms and its error."""
    return Estimate(float(terms.mean()), standard_error(terms - terms.mean()))


def told(moments: Moments) -> dict[str, Estimate]:
    """Return variance, relative standard deviation and gain of a replication, with their errors."""
    chance = float(moments.chance.mean())
    variance = float(moments.square.mean()) - chance**2
    by_chance = moments.chance - chance
    by_variance = moments.square - moments.square.mean() - 2.0 * chance * by_chance
    spread, plain = np.sqrt(variance), chance * (1.0 - chance)
    figures = {
        "var_per_rep": (variance, by_variance),
        "rel_sd_per_rep": (
            spread / chance,
            by_variance / (2.0 * spread * chance) - spread / chance**2 * by_chance,
        ),
        "variance_reduction": (
            plain / variance,
            (1.0 - 2.0 * chance) / variance * by_chance - plain / variance**2 * by_variance,
        ),
    }
    return {
        name: given(Estimate(float(value), standard_error(terms)), terms)
        for name, (value, terms) in figures.items()
    }


def many_factors(case: Mapping[str, Any], draws: Draws) -> Result:
    """Exceed losses in the portfolio of Glasserman and Li: a market, ten industries, ten regions.

    Industries are blocks of a tenth of the names, regions of a hundredth, in turn. All losses are
    estimated from the paths of one law, aimed at `x_for_IS`.
    """
    count, loads = int(case["m"]), case["loadings"]
    place = np.arange(count)
    loadings = np.zeros((count, 21))
    loadings[:, 0] = loads["market"]
    loadings[place, 1 + place * 10 // count] = loads["industry"]
    loadings[place, 11 + (place * 100 // count) % 10] = loads["geography"]
    chance = np.array([formula(case["pd"], k=k + 1.0) for k in place.tolist()])
    ends = LINEAR.search(case["exposures"])
    if ends is None:
        raise ValueError(f"exposures: expected 'linear from .. to ..', got {case['exposures']!r}")
    exposure = np.linspace(float(ends["first"]), float(ends["last"]), count)
    pool, aim = pool_of(exposure, chance, loadings), float(case["x_for_IS"])
    paths = min(draws.paths, 2 * MOST // count)
    drawn = draw_paths(pool, one_law(shift_of(pool, aim), aim), draws.seed, paths)
    figures: dict[str, dict[str, Estimate]] = {}
    for text in dict.fromkeys(
        match["loss"] for path in draws.asked if (match := BEYOND.match(path))
    ):
        if float(text) < aim:
            continue  # paths that aim higher do not tell what lies below
        value = drawn.weight * (drawn.loss > float(text))
        gain = told(Moments(value, value**2))["variance_reduction"]
        figures[text] = {"value": given(share(value), value), "vr": gain}
    return Result({}, {"P": figures})


def tail_of_two_modes(case: Mapping[str, Any], draws: Draws) -> Result:
    """Split the tail of two sectors by which factor is worse; each loss with a run of its own.

    What else is asked of the pool is estimated from plain paths.
    """
    names = listed_names(draws.folder / case["pool_csv"])
    pool = pool_of(
        np.array([one["exposure_usd_m"] * one["lgd"] for one in names.values()]),
        np.array([one["pd"] for one in names.values()]),
        np.array([one["loadings"] for one in names.values()]),
    )
    split: dict[str, dict[str, Estimate]] = {}
    paths = min(draws.paths, MOST // len(names))
    for text in dict.fromkeys(
        match["loss"] for path in draws.asked if (match := SPLIT.match(path))
    ):
        loss = float(text) - 1e-6
        proposal = law_aimed_at(pool, draws.seed, float(text))
        drawn = draw_paths(pool, proposal, draws.seed, paths)
        beyond = drawn.weight * (drawn.loss >= loss)
        first = beyond * (drawn.factors[:, 0] < drawn.factors[:, 1])
        part = float(first.sum() / beyond.sum())
        terms = (first - part * beyond) / beyond.mean()
        split[text] = {
            "P_ge": given(share(beyond), beyond),
            "sector1_factor_worse": given(share(first), first),
            "sector2_factor_worse": given(share(beyond - first), beyond - first),
            "share_sector1": Estimate(part, standard_error(terms)),
        }
    rest = listed_pool(case, draws)
    return Result({}, {**rest.figures, "tail_mode_split": split}, rest.stepped)


def law_aimed_at(pool: PreparedPool, seed: int, loss: float) -> Proposal:
    """Return the laws that a pilot chooses for a loss that is given, not for a level."""
    proposal = plain_proposal(pool)
    for stage in range(3):
        drawn = draw_paths(pool, proposal, seed_of(seed, stage), PILOT)
        proposal = aimed_at(pool, drawn, loss, PLAIN, proposal)
    return proposal


CASES: dict[str, Kind] = {
    "tilted_equal_pool": sampled(
        equal_names, "N", "PD", "rho", "x", asks="^(shift_and_twist|shift_only|twist_only)/"
    ),
    "tilted_factor_pool": sampled(many_factors, "m", "loadings", "pd", "exposures", "x_for_IS"),
    "two_mode_pool": sampled(
        tail_of_two_modes, "pool_csv", asks=r"^tail_mode_split/[0-9.]+/(sector|share)"
    ),
}
