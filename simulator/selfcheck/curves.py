"""Cases of default curves, by the curve of a name of a credit-only study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_study
from simulator.engine.pool import integrated_hazard
from simulator.numerics.normal import normal_quantile
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result

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


CASES: dict[str, Kind] = {
    "cumulative_probabilities": sampled(cumulative_probabilities, "tenors", "cum_PD"),
}
