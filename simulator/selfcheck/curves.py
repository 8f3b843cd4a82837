"""Cases of default curves: the curve of a name of a credit-only study, and migrating ratings.

Names have hazards by year and no rating that moves. A rating that does is a chain in continuous
time, which the common regime of a study is: default is a regime that nothing leaves.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import logm

from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_study
from simulator.engine.pool import integrated_hazard
from simulator.numerics.normal import normal_quantile
from simulator.selfcheck.drivers import Clock
from simulator.selfcheck.estimating import share_of
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.regimes import time_in

__all__ = ["CASES"]


def cumulative_probabilities(case: Mapping[str, Any], draws: Draws) -> Result:
    """Give a name cumulative probabilities of default and read its curve.

    A study takes them by the end of every year. Between the years of a case that skips some, the
    hazard is level: survival moves by equal factors.

    Parameters
    ----------
    case : mapping
        ``tenors`` in whole years, ``cum_PD`` by then.
    draws : Draws
        Times in years (``survival/2.5``) and spans (``P_default_between_2.5_and_5``) asked for.
    """
    tenors = [float(one) for one in case["tenors"]]
    if any(one != round(one) for one in tenors):
        raise ValueError("hazards of a name change at the ends of years")
    log_survival = np.log1p([-float(one) for one in case["cum_PD"]])
    years = np.arange(1.0, tenors[-1] + 1.0)
    by_year = -np.expm1(np.interp(years, [0.0, *tenors], [0.0, *log_survival]))
    study = load_study(
        {
            "schema": "neobox.credit/1",
            "name": "curve",
            "start": "2026-11",
            "horizon_months": 12 * len(years),
            "names": {"name": {"exposure_usd_m": 1.0, "lgd": 1.0, "pd": by_year.tolist()}},
        }
    )
    assert isinstance(study, PoolStudy)
    name = study.inputs.names[0]
    months = np.arange(study.inputs.horizon + 1)
    integrated = integrated_hazard(name, months)

    def survival(time: float) -> float:
        return math.exp(-float(np.interp(12.0 * time, months, integrated)))

    ends = np.array([survival(year) for year in (0.0, *years)])
    figures: dict[str, Any] = {
        "piecewise_hazard": [name.hazard_per_year[round(one) - 1] for one in tenors],
        "survival": {time: survival(float(time)) for time in draws.under("survival")},
        "marginal_PD_by_year": -np.diff(ends),
        "conditional_PD_by_year": -np.expm1(np.diff(np.log(ends))),
        "copula_thresholds_N_inv_cumPD": {
            time: normal_quantile(1.0 - survival(float(time)))
            for time in draws.under("copula_thresholds_N_inv_cumPD")
        },
    }
    for path in draws.asked:
        if path.startswith("P_default_between_"):
            first, last = path.removeprefix("P_default_between_").split("_and_")
            figures[path] = survival(float(first)) - survival(float(last))
        elif path.startswith("restricted_mean_life_"):
            last_month = round(12.0 * float(path.removeprefix("restricted_mean_life_").rstrip("y")))
            figures[path] = mean_life(integrated[: last_month + 1])
    return Result({}, figures)


def mean_life(integrated: Any) -> float:
    """Return the years lived up to the last month, expected, with level hazards within months."""
    added = np.diff(integrated)
    shares = np.where(added > 0.0, -np.expm1(-added) / np.where(added > 0.0, added, 1.0), 1.0)
    return float(np.exp(-integrated[:-1]) @ shares) / 12.0


Matrix = NDArray[np.float64]

PROBABILITY = r"^PD_([\d.]+)([ym])_(DA|WA)/(.+)$"


def migrating_ratings(case: Mapping[str, Any], draws: Draws) -> Result:
    """Let ratings migrate in continuous time, and see which have defaulted.

    Parameters
    ----------
    case : mapping
        ``csv`` of probabilities of migrating in a year: ``from``, a column a rating, default last.
    draws : Draws
        Seed, paths, folder, and what is asked: ``PD_2.5y_DA/BBB``, by the way in which the
        generator is made (`generator_of`).
    """
    with (draws.folder / case["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ratings = [name for name in rows[0] if name != "from"]
    yearly = np.eye(len(ratings))
    for row in rows:
        chances = np.array([float(row[name]) for name in ratings])
        yearly[ratings.index(row["from"])] = chances / chances.sum()
    asked = [found for path in draws.asked if (found := re.match(PROBABILITY, path))]
    months = [round(float(found[1]) * (12 if found[2] == "y" else 1)) for found in asked]
    clock = Clock(max(months) / 12.0, max(months))
    gone: dict[tuple[str, str], NDArray[np.bool_]] = {}
    figures: dict[str, dict[str, Any]] = {}
    for found, month in zip(asked, months, strict=True):
        way, rating = found[3], found[4]
        if (way, rating) not in gone:
            start = np.eye(len(ratings))[ratings.index(rating)]
            some = draws.of(f"{way} {rating}")
            generator = generator_of(yearly, way)
            gone[way, rating] = time_in(len(ratings) - 1, generator, start, clock, some) > 0.0
        event = share_of(gone[way, rating][month])
        figures.setdefault(found[0].split("/")[0], {})[rating] = event
    return Result({}, figures)


def generator_of(yearly: Matrix, way: str) -> Matrix:
    """Return a generator whose year is nearly a matrix of migrations.

    The logarithm of the matrix has rates below 0 off its diagonal. They become 0, and what they
    were is taken from the diagonal (DA) or from all rates of the row by size (WA).

    Notes
    -----
    Israel, Rosenthal and Wei (2001), Mathematical Finance 11, 245-265.
    """
    rates = np.real(logm(yearly))
    off = ~np.eye(len(rates), dtype=bool)
    below = np.where(off & (rates < 0.0), -rates, 0.0)
    kept = rates + below
    lost = below.sum(axis=1, keepdims=True)
    if way == "WA":
        size = np.abs(kept).sum(axis=1, keepdims=True)
        kept -= lost * np.abs(kept) / np.where(size > 0.0, size, 1.0)
    np.fill_diagonal(kept, 0.0)
    np.fill_diagonal(kept, -kept.sum(axis=1))
    kept[-1] = 0.0  # nothing leaves default
    return np.asarray(kept)


CASES: dict[str, Kind] = {
    "migrating_ratings": sampled(migrating_ratings, "csv", "rows_renormalised", asks=PROBABILITY),
    "cumulative_probabilities": sampled(cumulative_probabilities, "tenors", "cum_PD"),
}
