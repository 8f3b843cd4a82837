"""Pools of papers: baskets and tranches of Hull and White, factors of Bassamboo, Juneja and Zeevi.

References
----------
J. Hull, A. White (2004), "Valuation of a CDO and an nth to default CDS without Monte Carlo
simulation", Journal of Derivatives 12(2), 8-23.
A. Bassamboo, S. Juneja, A. Zeevi (2008), "Portfolio credit risk with extremal dependence:
asymptotic analysis and efficient simulation", Operations Research 56(3), 593-606.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from simulator.analytics import Estimate, ratio
from simulator.selfcheck.estimating import given, mean_of, share_of
from simulator.selfcheck.finite_pools import values_in
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_runs import alike, run_pool, tranches_of

__all__ = ["CASES"]

Case = Mapping[str, Any]

NTH_NAMES: Final = 10
"""Names of the nth-to-default basket of Hull and White (2004), table 2."""

CDO_NAMES: Final = 100
"""Names behind their tranches, table 7."""

NOISE: Final = 3.0
"""Standard deviation of a name's own variable in Bassamboo, Juneja and Zeevi (2008), table 1."""


def nth_to_default(case: Case, draws: Draws) -> Result:
    """Find the fair spread of protection against the nth default, in basis points.

    A ratio of two means over the same paths: of the present value of 1 - R at the nth default, and
    of premiums of 1 until then, with what has accrued. A default counts in the middle of its month.

    Parameters
    ----------
    case : mapping
        ``lam`` hazard, ``R`` recovery, ``r`` rate, ``T`` years, ``freq`` premiums a year, ``N``
        names (10).
    draws : Draws
        ``rho=0.3,rank=2``.
    """
    figures: dict[str, Estimate] = {}
    months = round(12 * case["T"])
    for rho in sorted({values_in(path)["rho"] for path in draws.asked}):
        terms = {"hazard_per_year": case["lam"], "lgd": 1.0 - case["R"], "loadings": [rho**0.5]}
        names = alike(int(case.get("N", NTH_NAMES)), **terms)
        pool = run_pool(
            names, draws.of(f"{rho}"), months=months, columns=("facility_default_month",)
        )
        month = np.asarray(pool.columns["facility_default_month"], dtype=float)
        times = np.sort(np.where(month > 0.0, (month - 0.5) / 12.0, np.inf), axis=1)
        for path in draws.asked:
            wanted = values_in(path)
            if wanted["rho"] == rho and wanted["rank"] <= times.shape[1]:
                figures[path] = spread(times[:, int(wanted["rank"]) - 1], case)
    return Result({}, figures)


def spread(time: NDArray[np.float64], case: Case) -> Estimate:
    """Return the fair spread, bp, of protection against a default at a time, years or infinity."""
    rate, every = case["r"], 1.0 / case["freq"]
    struck = time <= case["T"]
    discount = np.where(struck, np.exp(-rate * np.where(struck, time, 0.0)), 0.0)
    protection = (1.0 - case["R"]) * discount
    premiums = np.where(struck, np.where(struck, time, 0.0) % every, 0.0) * discount
    for date in every * np.arange(1, round(case["T"] * case["freq"]) + 1):
        premiums += every * math.exp(-rate * date) * (time > date)
    found = ratio(protection, premiums)
    return given(Estimate(1e4 * found.value, 1e4 * found.se), protection)


def tranche_losses(case: Case, draws: Draws) -> Result:
    """Lose tranches of a pool by a horizon: ``rho=0.1,nuM=None,nue=None,tr=0-0.03/EL5y``.

    Parameters
    ----------
    case : mapping
        ``lam`` hazard, ``R`` recovery, ``T`` years, ``N`` names (100).
    draws : Draws
        What is asked; spreads, and factors with Student's law of their own, are not given.
    """
    figures: dict[str, Estimate] = {}
    gaussian = [path for path in draws.asked if "EL" in path and "nuM" not in values_in(path)]
    for rho in sorted({values_in(path)["rho"] for path in gaussian}):
        here = [path for path in gaussian if values_in(path)["rho"] == rho]
        terms = {"hazard_per_year": case["lam"], "lgd": 1.0 - case["R"], "loadings": [rho**0.5]}
        names = alike(int(case.get("N", CDO_NAMES)), **terms)
        slice_of = {path: path.rpartition("/")[0].rpartition("tr=")[2] for path in here}
        slices = tranches_of(list(slice_of.values()))
        pool = run_pool(names, draws.of(f"{rho}"), months=round(12 * case["T"]), tranches=slices)
        figures |= {path: mean_of(pool.tranches[name]) for path, name in slice_of.items()}
    return Result({}, figures)


def scaled_factor(case: Case, draws: Draws) -> Result:
    """Let more than a share b of n names default where (ρZ + √(1−ρ²)·η)/S exceeds a√n.

    With S² = χ²/ν common to all, and η of standard deviation 3, this is a t copula: loading
    ρ/s, s² = ρ² + 9(1 − ρ²), and the marginal probability of T > a√n/s.

    Parameters
    ----------
    case : mapping
        ``sigma_eta`` (3), or ``csv`` with such a column.
    draws : Draws
        ``n=250,nu=4,rho=0.25,a=0.5,b=0.25`` and then ``P`` or ``marginal_PD``.
    """
    noise = noise_of(case, draws)
    figures: dict[str, Any] = {}
    for group in sorted({path.partition("/")[0] for path in draws.asked}):
        terms = values_in(group)
        count, rho, nu = int(terms["n"]), terms["rho"], terms["nu"]
        scale = math.sqrt(rho**2 + noise**2 * (1.0 - rho**2))
        pd = float(student.sf(terms["a"] * math.sqrt(count) / scale, nu))
        names = alike(count, pd=pd, lgd=1.0, loadings=[rho / scale])
        share = run_pool(names, draws.of(group), nu=nu).loss / count
        figures[group] = {"P": share_of(share > terms["b"] + 1e-9), "marginal_PD": mean_of(share)}
    return Result({}, figures)


def noise_of(case: Case, draws: Draws) -> float:
    """Return the standard deviation of a name's own variable."""
    table = draws.folder / str(case.get("csv", ""))
    if not table.is_file():
        return float(case.get("sigma_eta", NOISE))
    with table.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    return float(first.get("sigma_eta", NOISE))


CASES: dict[str, Kind] = {
    "nth_to_default": sampled(nth_to_default, "lam", "R", "r", "T", "freq", asks=r"rank=[0-9]+$"),
    "tranche_losses": sampled(tranche_losses, "lam", "R", "T", asks=r"tr=[0-9.]+-[0-9.]+/EL"),
    "scaled_factor": sampled(scaled_factor, asks=r"^n=.*nu=.*rho=.*a=.*b=.*/(P|marginal_PD)$"),
}
