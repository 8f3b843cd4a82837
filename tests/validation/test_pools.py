"""Credit-only studies against exact values: scores over seeds, and how often intervals cover."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import chi2

from simulator.analytics import mean, tail_risk, value_at_risk_interval
from simulator.analytics.capital import asset_correlation, capital_requirement
from simulator.selfcheck import Draws
from simulator.selfcheck.folder import SHIPPED, Verdict, cases_of, verdict
from simulator.selfcheck.kinds import HIGHEST
from simulator.selfcheck.pool_runs import alike, many, run_pool
from simulator.selfcheck.told import sum_of

FILES = ("large_pools", "finite_pools", "listed_pools", "paper_pools", "collateral_loan")
CASE = {one["id"]: one for file in FILES for one in cases_of(SHIPPED / f"{file}.json")}
SEEDS = range(1, 21)
REPEATS = 1_000


def scored(case: dict[str, Any], seed: int, paths: int) -> Verdict:
    return verdict(case, Draws(seed, paths, folder=SHIPPED).of(case["id"]))


@cache
def over_seeds() -> list[Verdict]:
    """Every case at every seed, with few paths: an error that is wrong shows in many scores."""
    return [scored(case, seed, 5_000) for seed in SEEDS for case in CASE.values()]


def test_every_score_is_below_four() -> None:
    for one in over_seeds():
        assert one.kind, (one.id, one.reason)
        assert one.passed, (one.id, one.where, one.worst * HIGHEST)


def test_scores_are_as_large_as_errors_say() -> None:
    """Neither larger (errors told too small) nor smaller (told too large), over all and by case.

    All numbers of a case at one seed count as one: a right model fails once in 10,000.
    """
    together = sum_of(over_seeds())
    assert together.cases >= 0.9 * len(SEEDS) * len(CASE)
    assert together.low < together.mean_square < together.high, together
    chance = 1e-4 / len(CASE)
    for name in CASE:
        squares = [one.mean_square for one in over_seeds() if one.id == name]
        squares = [value for value in squares if np.isfinite(value)]
        low, high = chi2.ppf([chance / 2.0, 1.0 - chance / 2.0], len(squares)) / len(squares)
        assert low < np.mean(squares) < high, name


def test_scores_do_not_lean() -> None:
    """The mean score of each number over 20 seeds is that of no bias."""
    scores: dict[tuple[str, str], list[float]] = {}
    for one in over_seeds():
        for path, z in one.scores.items():
            if path not in one.stepped:
                scores.setdefault((one.id, path), []).append(z)
    full = {key: np.mean(z) * len(z) ** 0.5 for key, z in scores.items() if len(z) == len(SEEDS)}
    assert len(full) > 100
    assert {key: z for key, z in full.items() if not abs(z) < HIGHEST + 0.5} == {}


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_wrong_errors_show(factor: float) -> None:
    """The band finds errors told half or twice as large as they are."""
    together = sum_of(over_seeds())
    assert not together.low < together.mean_square / factor**2 < together.high


def test_other_parameters_of_the_same_kinds() -> None:
    """A pool with a recovery and a t copula, tranches and levels that no case of ours has.

    Independent names: default counts are binomial, VaR and means are known.
    """
    case = {
        "id": "mine",
        "params": {"N": 40, "PD": 0.1, "rho": 0.0, "R": 0.25},
        "expected": {
            "defaults": {"mean": 4.0, "sd": (40 * 0.09) ** 0.5},
            "stats_defaults": {"0.80": {"VaR": 6.0}},
            "tranche_EL_fraction": {"0-0.75": 4.0 / 40},
        },
        "tol": {"abs": 1e-9, "rel": 1e-9},
    }
    one = scored(case, 1, 20_000)
    assert (one.kind, one.missing, one.passed) == ("finite_pool", (), True)
    thin = scored({**case, "params": {**case["params"], "PD": 0.11}}, 1, 20_000)
    assert not thin.passed


def test_intervals_of_a_large_pool_cover() -> None:
    """VaR and ES of 1,000 runs of 4,000 paths: 93% to 97% of the 95% intervals hold the truth."""
    pd, rho, level, paths = 0.05, 0.2, 0.95, 4_000
    exact = float(ndtr((ndtri(pd) + rho**0.5 * ndtri(level)) / (1.0 - rho) ** 0.5))
    z = np.linspace(ndtri(level), 9.0, 200_001)
    tail = ndtr((ndtri(pd) + rho**0.5 * z) / (1.0 - rho) ** 0.5) * np.exp(-z * z / 2.0)
    shortfall = float(np.trapezoid(tail, z)) / (2.0 * np.pi) ** 0.5 / (1.0 - level)
    names = many(pd=pd, lgd=1.0, loadings=[rho**0.5])
    losses = run_pool(names, Draws(5, REPEATS * paths), months=1).loss.reshape(REPEATS, paths)
    covered = np.zeros(2)
    for loss in losses:
        low, high = value_at_risk_interval(loss, level)
        found = tail_risk(loss, [level])
        covered += [low <= exact < high, abs(found.es[0] - shortfall) < 1.96 * found.es_se[0]]
    assert ((covered >= 0.93 * REPEATS) & (covered <= 0.97 * REPEATS)).all(), covered


def test_intervals_of_a_small_pool_cover() -> None:
    """The mean of 1,000 runs of 1,000 paths of ten names."""
    names = alike(10, pd=0.05, lgd=1.0, loadings=[0.3**0.5])
    losses = run_pool(names, Draws(6, REPEATS * 1_000), nu=6.0).loss.reshape(REPEATS, -1)
    found = [mean(loss) for loss in losses]
    covered = sum(abs(one.value - 0.5) < 1.96 * one.se for one in found)
    assert 0.93 * REPEATS <= covered <= 0.97 * REPEATS


def test_the_limit_of_basel() -> None:
    """Capital without the factor of maturity is VaR less expected loss of a granular pool."""
    pd, lgd = 0.02, 0.45
    r = asset_correlation(pd)
    names = many(pd=pd, lgd=lgd, loadings=[r**0.5])
    loss = run_pool(names, Draws(7, 1_000_000), months=1).loss
    slope = (0.11852 - 0.05478 * np.log(pd)) ** 2
    capital = capital_requirement(pd, lgd, 2.5) * (1.0 - 1.5 * slope)
    found = tail_risk(loss, [0.999])
    assert abs(found.var[0] - pd * lgd - capital) < HIGHEST * found.var_se[0]
    assert found.var_se[0] < 0.02 * capital


def test_a_granular_name_is_the_limit_of_many() -> None:
    """On the same paths many names lose what one granular name does, but for their own chance."""
    terms = {"pd": 0.1, "lgd": 0.4, "lgd_loadings": [0.3], "loadings": [0.5]}
    limit = run_pool(many(**terms), Draws(8, 5_000), nu=8.0).loss
    gaps = []
    for count in (50, 450):
        gap = run_pool(alike(count, **terms), Draws(8, 5_000), nu=8.0).loss / count - limit
        assert abs(gap.mean()) < HIGHEST * gap.std() / gap.size**0.5
        gaps.append(gap.std())
    assert gaps[0] / gaps[1] == pytest.approx(3.0, rel=0.1)  # the root of nine times the names
