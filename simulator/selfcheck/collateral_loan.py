"""One amortising loan on collateral that falls, its borrower struck by a constant hazard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.selfcheck.estimating import mean_of, share_of
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import DOLLARS, Result
from simulator.selfcheck.pool_runs import run_pool

__all__ = ["CASES"]

KEPT = ("facility_default_month", "exposure_at_default", "lender_principal_loss", "lender_loss")


def collateral_loan(case: Mapping[str, Any], draws: Draws) -> Result:
    """Lose what collateral, sold some months after a default, leaves of the claim.

    The months of the case are what defaults of each month have come to: one of each is enough,
    since nothing but the month is random.

    Parameters
    ----------
    case : mapping
        ``debt``, ``rate``, ``months``, ``hazard``, ``v0`` with ``monthly_factor``, ``cost`` of the
        sale and its ``lag``, ``discount``; money in dollars.
    draws : Draws
        ``PD_lifetime``, ``EL_undiscounted``, ``EL_discounted``, ``EL_pct_of_debt``.
    """
    debt, months = case["debt"], int(case["months"])
    loan = {
        "exposure_usd_m": debt * DOLLARS,
        "loan_rate": case["rate"],
        "loan_months": months,
        "hazard_per_year": case["hazard"],
        "collateral_usd_m": case["v0"] * DOLLARS,
        "collateral_monthly_factor": case["monthly_factor"],
        "sale_cost": case["cost"],
        "sale_lag_months": int(case["lag"]),
    }
    pool = run_pool(
        {"loan": loan}, draws, months=months, columns=KEPT, discount_rate=case["discount"]
    )
    month, claim, nominal, present = (np.asarray(pool.columns[name][:, 0]) for name in KEPT)
    nominal, present = nominal / DOLLARS, present / DOLLARS
    seen, first = np.unique(month, return_index=True)
    columns = {}
    if seen.size == months + 1:  # 0 is no default
        columns = {
            "month": seen[1:].astype(float),
            "exposure": claim[first[1:]] / DOLLARS,
            "loss_given_default": nominal[first[1:]],
        }
    return Result(
        columns,
        {
            "PD_lifetime": share_of(month > 0),
            "EL_undiscounted": mean_of(nominal),
            "EL_discounted": mean_of(present),
            "EL_pct_of_debt": mean_of(present / debt),
        },
    )


CASES: dict[str, Kind] = {
    "collateral_loan": sampled(collateral_loan, "debt", "hazard", "v0", "monthly_factor", "lag")
}
