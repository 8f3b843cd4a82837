"""Cases of quasi-random sampling and of variance, as far as the model samples so.

Points are scrambled Sobol points of SciPy turned into normals by the quantile of the kernels;
pools are the large pool of Vasicek and a pool of few names with a normal of its own for each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from simulator.analytics import Estimate, mean
from simulator.numerics.normal import to_normals
from simulator.selfcheck.estimating import variance_of
from simulator.selfcheck.estimators import large_pool, normals
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_runs import alike, many, run_pool

__all__ = ["CASES"]

Values = NDArray[np.float64]
Integrand = Callable[[Values], Values]
"""From normals (point, dimension) to values (point,)."""

SIZES = tuple(1 << power for power in range(7, 15))
RANDOMISATIONS = 128
"""In one dimension errors of scrambled points have long tails: of few the spread is not known."""
NUMBER = r"([\d.]*\d)"


def integrands(names: list[str]) -> dict[str, tuple[int, Integrand]]:
    """Return dimensions and integrands, by name; not those that the model has no use for."""
    found: dict[str, tuple[int, Integrand]] = {}
    pool: tuple[float, float] | None = None
    for name in names:
        if match := re.match(rf"LHP expected loss \(PD {NUMBER}, rho {NUMBER}\)", name):
            pool = float(match[1]), float(match[2])
            found[name] = 1, expected_loss(*pool)
        elif (match := re.match(rf"LHP P\(L>{NUMBER}%\)", name)) and pool:
            found[name] = 1, loss_beyond(*pool, float(match[1]) / 100.0)
        elif match := re.match(
            rf"finite pool N=(\d+) PD {NUMBER} rho {NUMBER} P\(K>=(\d+)\)", name
        ):
            count = int(match[1])
            found[name] = (
                count + 1,
                defaults_beyond(float(match[2]), float(match[3]), int(match[4])),
            )
    return found


def expected_loss(pd: float, rho: float) -> Integrand:
    """Return the loss of a large pool."""
    return lambda z: large_pool(pd, rho, z[:, 0])


def loss_beyond(pd: float, rho: float, threshold: float) -> Integrand:
    """Return whether a large pool loses more than a share."""
    return lambda z: np.asarray(large_pool(pd, rho, z[:, 0]) > threshold, dtype=float)


def defaults_beyond(pd: float, rho: float, least: int) -> Integrand:
    """Return whether so many names of a pool default; the first normal is the factor."""

    def value(z: Values) -> Values:
        scores = math.sqrt(rho) * z[:, :1] + math.sqrt(1.0 - rho) * z[:, 1:]
        return np.asarray((scores < ndtri(pd)).sum(axis=1) >= least, dtype=float)

    return value


def slope(errors: list[float]) -> float:
    """Return the slope of log2 of root mean squares of errors on log2 of the sample size."""
    return float(np.polyfit(np.log2(SIZES), np.log2(errors), 1)[0])


def convergence(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Measure how errors fall with the number of points, plain and quasi-random.

    Parameters
    ----------
    _case : mapping
        Not needed: integrands are told by the names of what is asked.
    draws : Draws
        Seed and what is asked, ``NAME/slope_RQMC``; exact values are estimated first.
    """
    names = list(dict.fromkeys(path.rsplit("/", 1)[0] for path in draws.asked))
    figures = {}
    for name, (dimensions, integrand) in integrands(names).items():
        plain, quasi = np.empty((2, len(SIZES), RANDOMISATIONS))
        for number in range(RANDOMISATIONS):
            for place, size in enumerate(SIZES):
                random = normals(draws.seed, f"plain.{size}", size * dimensions, number)
                plain[place, number] = integrand(random.reshape(size, dimensions)).mean()
                points = scrambled(dimensions, size, (draws.seed, place, number))
                quasi[place, number] = integrand(points).mean()
        figures[name] = {
            "exact": mean(quasi[-1]),
            "slope_MC": slope(spread(plain)),
            "slope_RQMC": slope(spread(quasi)),
        }
    return Result({}, figures)


def spread(estimates: Values) -> list[float]:
    """Return the spread of estimates over randomisations, by size of the sample."""
    return [float(one) for one in estimates.std(axis=1, ddof=1)]


def scrambled(dimensions: int, size: int, seed: tuple[int, ...]) -> Values:
    """Return normals of a scrambled Sobol set, (point, dimension)."""
    points = qmc.Sobol(dimensions, seed=np.random.default_rng(seed)).random(size).ravel()
    points = np.clip(points, 2.0**-54, 1.0 - 2.0**-53)  # a scrambled point may be 0
    to_normals(points)
    return points.reshape(size, dimensions)


def variances(case: Mapping[str, Any], draws: Draws) -> Result:
    """Simulate a pool, and what it loses given the factor, and compare the variances.

    Parameters
    ----------
    case : mapping
        ``N`` names, ``PD``, ``rho``.
    draws : Draws
        Seed and paths.
    """
    terms = {"pd": case["PD"], "lgd": 1.0, "loadings": [math.sqrt(case["rho"])]}
    count = int(case["N"])
    plain = variance_of(run_pool(alike(count, **terms), draws.fewer(2), months=1).loss / count)
    given = draws.of("conditional")  # of its own, so that errors add up
    conditional = variance_of(run_pool(many(**terms), given, months=1).loss)
    ratio = plain.value / conditional.value
    error = ratio * math.hypot(plain.se / plain.value, conditional.se / conditional.value)
    return Result(
        {},
        {
            "pool": {
                "var_loss_plain": plain,
                "var_conditional_MC": conditional,
                "ratio_conditional": Estimate(ratio, error),
            }
        },
    )


CASES: dict[str, Kind] = {
    "convergence": sampled(convergence, asks="/slope_RQMC$"),
    "variances": sampled(variances, "sigma", "PD", "rho", "N", asks="^pool/var_loss_plain"),
}
