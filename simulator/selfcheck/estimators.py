"""Cases of the estimators: samples of known laws, drawn by the generator, judged by `analytics`.

What a case says of the mean and the scatter of an estimator is found by repeating it on samples of
the size of the case. What it says of the law itself is estimated from all samples together, with
the standard error that `analytics` reports.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from simulator.analytics import Estimate, mean_difference, quantile, value_at_risk
from simulator.analytics.quantiles import interval_ranks, order_statistic_error
from simulator.analytics.sample import effective_size, rank_of
from simulator.analytics.tail import tail_risk
from simulator.numerics.normal import to_normals
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.streams import stream_id
from simulator.selfcheck.estimating import (
    covariance_of,
    given_by_groups,
    mean_of,
    moment_of,
    share_of,
    shortfall_of,
    value_of,
    variance_of,
)
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_runs import alike, many, run_pool

__all__ = ["CASES", "uniforms"]

Values = NDArray[np.float64]

FEWEST, MOST = 100, 1_000
"""Repetitions of a sample."""

PLAIN, SHIFTED = 20_000, 5_000
"""Paths of a sample of whose errors a case gives the limit: of plain paths few lie in the tail."""

POOLED = 1_000_000
"""Paths of a sample of whose law a case gives numbers."""

LEAST_EFFECTIVE = 2_000.0
"""Effective paths of a sample, below which normalised weights are far from their limit."""


def uniforms(seed: int, name: str, count: int, repetition: int = 0) -> Values:
    """Return uniform draws of one stream, (count,): those of paths 0, 1, ... at one month."""
    first, second = np.empty((2, count))
    paths = np.arange(count, dtype=np.uint64)
    key: Any = np.uint64(seed)
    stream: Any = np.uint64(stream_id(name))
    fill_uniform_pairs(key, paths, stream, np.int64(repetition), first, second)
    return first


def normals(seed: int, name: str, count: int, repetition: int = 0) -> Values:
    """Return standard normal draws, (count,)."""
    values = uniforms(seed, name, count, repetition)
    to_normals(values)
    return values


def times(size: int, draws: Draws) -> int:
    """Return how often to repeat a sample of some size: forty times the paths of a case."""
    return min(MOST, max(FEWEST, 40 * draws.paths // size))


def repeated(sample: Callable[[int], Any], count: int) -> Values:
    """Return what samples 0, 1, ... come to, (figure, repetition)."""
    return np.array([sample(number) for number in range(count)], dtype=float).T


def scaled(estimate: Estimate, factor: float, shift: float = 0.0) -> Estimate:
    """Return a multiple of an estimate, shifted."""
    return Estimate(factor * estimate.value + shift, abs(factor) * estimate.se)


def exponential_tail(case: Mapping[str, Any], draws: Draws) -> Result:
    """Estimate VaR and ES of exponential losses again and again.

    Parameters
    ----------
    case : mapping
        ``n`` losses of mean 1, ``alpha`` level.
    draws : Draws
        Seed; paths set how often.
    """
    size, level = int(case["n"]), float(case["alpha"])

    def losses(number: int) -> Values:
        return np.asarray(-np.log(uniforms(draws.seed, "exponential", size, number)))

    def tail(number: int) -> list[float]:
        found = tail_risk(losses(number), [level])
        return [found.var[0], found.es[0]]

    count = times(size, draws)
    var, shortfall = repeated(tail, count)
    together = np.concatenate([losses(number) for number in range(min(count, POOLED // size))])
    exact = -math.log1p(-level)
    return Result(
        {},
        {
            "k": rank_of(level, size),
            "true_VaR": value_of(together, level),
            "true_ES": shortfall_of(together, level),
            "mean_VaR_estimator": mean_of(var),
            "sd_VaR_estimator": moment_of(var, 2),
            "bias_VaR": scaled(mean_of(var), 1.0, -exact),
            "mean_ES_estimator": mean_of(shortfall),
            "sd_ES_estimator": moment_of(shortfall, 2),
            "bias_ES": scaled(mean_of(shortfall), 1.0, -exact - 1.0),
        },
    )


def fixed_sample(case: Mapping[str, Any], draws: Draws) -> Result:
    """Estimate VaR, ES and their errors from a sample that is given.

    Parameters
    ----------
    case : mapping
        ``csv`` with a column ``x``.
    draws : Draws
        Folder of the table, levels asked for.
    """
    with (draws.folder / case["csv"]).open(encoding="utf-8", newline="") as file:
        x = np.sort([float(row["x"]) for row in csv.DictReader(file)])
    figures = {}
    for name in dict.fromkeys(path.split("/")[0] for path in draws.asked):
        level = float(name)
        found, place = tail_risk(x, [level]), math.floor(x.size * level + 0.5)
        figures[name] = {
            "MJ_m": place,
            "MJ_se": order_statistic_error(x, place),
            "VaR": found.var[0],
            "ES": found.es[0],
            "ES_se_plugin": found.es_se[0],
        }
    return Result({}, figures)


RANKS = r"^n=(\d+),alpha=([\d.]+),conf=([\d.]+)/"


def order_statistics(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Choose ranks of distribution-free intervals, and find how often they cover.

    Parameters
    ----------
    _case : mapping
        Has no parameters: they stand in the names of what is asked.
    draws : Draws
        What is asked.
    """
    figures = {}
    for found in filter(None, (re.match(RANKS, path) for path in draws.asked)):
        size, level, confidence = int(found[1]), float(found[2]), float(found[3])
        low, high = interval_ranks(level, size, confidence)
        covered = binom.cdf(high - 1, size, level) - binom.cdf(low - 1, size, level)
        ranks = {"lower_rank": low, "upper_rank": high, "exact_coverage": float(covered)}
        figures[found[0].rstrip("/")] = ranks
    return Result({}, figures)


def large_pool(pd: float, rho: float, factor: Values) -> Values:
    """Return the loss share of Vasicek's large pool; it grows with the factor."""
    return np.asarray(ndtr((ndtri(pd) + math.sqrt(rho) * factor) / math.sqrt(1.0 - rho)))


def shifted_normals(case: Mapping[str, Any], draws: Draws) -> Result:
    """Estimate quantiles and ES with a shifted mean and likelihood ratios.

    Parameters
    ----------
    case : mapping
        ``alpha`` level, ``mu`` shift, ``PD`` and ``rho`` of a large pool.
    draws : Draws
        Seed; paths set how often.
    """
    level, shift = float(case["alpha"]), float(case["mu"])
    count = max(FEWEST, draws.paths // 250)
    to_loss = partial(large_pool, float(case["PD"]), float(case["rho"]))

    def weighted(size: int, number: int) -> tuple[Values, Values]:
        z = shift + normals(draws.seed, "shifted", size, number)
        return z, np.exp(shift * (0.5 * shift - z))

    def right(number: int) -> list[float]:
        z, w = weighted(SHIFTED, number)
        loss = tail_risk(to_loss(z), [level], w)
        return [value_at_risk(z, level, w).value, loss.var[0], loss.es[0]]

    def plain(number: int) -> list[float]:
        z = normals(draws.seed, "plain", PLAIN, number)
        loss = tail_risk(to_loss(z), [level])
        return [value_at_risk(z, level).value, loss.var[0], loss.es[0]]

    def normalised(number: int) -> list[float]:
        z, w = weighted(PLAIN, number)
        return [quantile(z, level, w).value, quantile(to_loss(z), level, w).value]

    def errors(sample: Callable[[int], list[float]], size: int) -> list[Estimate]:
        return [scaled(moment_of(x, 2), math.sqrt(size)) for x in repeated(sample, count)]

    z, w = weighted(POOLED, count)  # of a month that no sample has
    loss = tail_risk(to_loss(z), [level], w)
    plainly, rightly = errors(plain, PLAIN), errors(right, SHIFTED)
    ratio = (plainly[0].value / rightly[0].value) ** 2
    share = math.hypot(*(2.0 * one.se / one.value for one in (plainly[0], rightly[0])))
    figures: dict[str, Any] = {
        "q": value_at_risk(z, level, w),
        "plain_sqrtn_SE": plainly[0],
        "right_tail_weights": rightly[0],
        "variance_ratio_right": Estimate(ratio, share * ratio),
        "LHP": {
            "VaR": Estimate(loss.var[0], loss.var_se[0]),
            "plain": plainly[1],
            "right": rightly[1],
        },
        "LHP_ES": {
            "ES": Estimate(loss.es[0], loss.es_se[0]),
            "plain_sqrtn_SE": plainly[2],
            "is_sqrtn_SE": rightly[2],
        },
    }
    if effective_size(w[:PLAIN], PLAIN) > LEAST_EFFECTIVE:
        found = errors(normalised, PLAIN)
        figures["self_normalised"] = found[0]
        figures["LHP"]["self_normalised"] = found[1]
        figures["ESS_fraction"] = given_by_groups(
            lambda weights: effective_size(weights, weights.size) / weights.size, w[: 5 * PLAIN]
        )
    return Result({}, figures)


def quantile_with_atoms(case: Mapping[str, Any], draws: Draws) -> Result:
    """Estimate the VaR of a pool of equal names again and again.

    Parameters
    ----------
    case : mapping
        ``n`` paths, ``N`` names, ``PD``, ``rho``, ``alpha`` level.
    draws : Draws
        Seed; paths set how often.
    """
    size, level = int(case["n"]), float(case["alpha"])
    count = min(MOST, max(FEWEST, 10 * draws.paths // size))
    names = alike(int(case["N"]), pd=case["PD"], lgd=1.0, loadings=[math.sqrt(case["rho"])])
    pool = run_pool(names, replace(draws, paths=size * count), months=1)
    samples = np.split(pool.loss[: pool.loss.size // size * size], pool.loss.size // size)
    found = np.array([value_at_risk(sample, level).value for sample in samples])
    atoms = [path.split("/")[1] for path in draws.asked if path.startswith("pmf_of_VaR_estimator/")]
    return Result(
        {},
        {
            "order_statistic_rank": rank_of(level, size),
            "pmf_of_VaR_estimator": {x: share_of(np.round(found) == float(x)) for x in atoms},
            "mean": mean_of(found),
            "sd": moment_of(found, 2),
        },
    )


def common_numbers(case: Mapping[str, Any], draws: Draws) -> Result:
    """Compare two large pools on the same factor.

    Parameters
    ----------
    case : mapping
        ``PD1``, ``PD2``, ``rho``.
    draws : Draws
        Seed and paths.
    """
    loading = [math.sqrt(case["rho"])]
    few = draws.fewer(2)
    x, y = (
        run_pool(many(pd=case[name], lgd=1.0, loadings=loading), few, months=1).loss
        for name in ("PD1", "PD2")
    )

    def independent(a: Values, b: Values) -> float:
        return float(a.var() + b.var())

    def together(a: Values, b: Values) -> float:
        return mean_difference(a, b).se ** 2 * a.size

    def correlation(a: Values, b: Values) -> float:
        return float(covariance_of(a, b).value / math.sqrt(a.var(ddof=1) * b.var(ddof=1)))

    return Result(
        {},
        {
            "var_independent": given_by_groups(independent, x, y),
            "var_common": replace_value(variance_of(x - y), together(x, y)),
            "ratio": given_by_groups(lambda a, b: independent(a, b) / together(a, b), x, y),
            "correlation": given_by_groups(correlation, x, y),
        },
    )


def replace_value(estimate: Estimate, value: float) -> Estimate:
    """Return another estimate with the same error."""
    return Estimate(value, estimate.se)


CASES: dict[str, Kind] = {
    "exponential_tail": sampled(exponential_tail, "n", "alpha", asks=r"_estimator$"),
    "fixed_sample": sampled(fixed_sample, "csv", "n", "kind", asks="MJ_se"),
    "order_statistics": sampled(order_statistics, asks=RANKS),
    "shifted_normals": sampled(shifted_normals, "alpha", "mu", "PD", "rho"),
    "quantile_with_atoms": sampled(quantile_with_atoms, "n", "N", "PD", "rho", "alpha"),
    "common_numbers": sampled(common_numbers, "PD1", "PD2", "rho"),
}
