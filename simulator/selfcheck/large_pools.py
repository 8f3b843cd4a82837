"""Pools of infinitely many names alike: the limit of Vasicek (2002).

With a loss given default that moves with the factor: Frye (2000), Pykhtin (2003).
They are studies of one granular name. A path costs two normals, so there are ten times as many as
of other cases; the horizon is one month, since only its end counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.special import ndtr

from simulator.analytics import ratio
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_figures import Losses, figures_of
from simulator.selfcheck.pool_runs import loss_given_default, many, run_pool, tranches_of

__all__ = ["CASES", "TIMES"]

Case = Mapping[str, Any]

TIMES: Final = 10
"""Paths for each that is asked for."""


def large_pool(case: Case, draws: Draws) -> Result:
    """Lose what a large pool loses, as a share of its exposure.

    Parameters
    ----------
    case : mapping
        ``PD``, ``rho``, ``LGD`` (or a recovery ``R``; 1), ``nu`` of a t copula.
    draws : Draws
        What is asked: see `pool_figures`.
    """
    names = many(pd=case["PD"], lgd=loss_given_default(case), loadings=[case["rho"] ** 0.5])
    pool = run_pool(
        names,
        replace(draws, paths=TIMES * draws.paths),
        nu=case.get("nu"),
        months=1,
        tranches=tranches_of(draws.asked),
    )
    return Result({}, figures_of(Losses(pool.loss, draws.asked, pool.tranches)))


def moving_severity(case: Case, draws: Draws) -> Result:
    """Lose Φ(a − bZ) of each default of a large pool, Z the factor that moves defaults.

    Its mean over Z is Φ(a/√(1 + b²)), and b/√(1 + b²) the loading of such a loss.

    Parameters
    ----------
    case : mapping
        ``PD``, ``rho``, ``a``, ``b``, ``nu`` of a t copula.
    draws : Draws
        What is asked: see `pool_figures`; and ``exposure_weighted_LGD``.
    """
    scale = math.sqrt(1.0 + case["b"] ** 2)
    severity = {"lgd": float(ndtr(case["a"] / scale)), "lgd_loadings": [case["b"] / scale]}
    pool = run_pool(
        many(pd=case["PD"], loadings=[case["rho"] ** 0.5], **severity),
        replace(draws, paths=TIMES * draws.paths),
        nu=case.get("nu"),
        months=1,
        columns=("facility_default_month",),
    )
    struck = np.asarray(pool.columns["facility_default_month"][:, 0]) > 0
    return Result(
        {},
        figures_of(Losses(pool.loss, draws.asked))
        | {"exposure_weighted_LGD": ratio(pool.loss, struck)},
    )


LOSSES = r"^(mean|sd|VaR|ES|cdf_at_loss|tranche_EL_fraction|sqrtn_SE)"

CASES: dict[str, Kind] = {
    "large_pool": sampled(large_pool, "PD", "rho", asks=LOSSES),
    "moving_severity": sampled(moving_severity, "PD", "rho", "a", "b"),
}
