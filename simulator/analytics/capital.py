"""Regulatory capital of a loan by the formulas of the internal ratings-based approach.

    K = LGD·[Φ((Φ⁻¹(PD) + √R·Φ⁻¹(0.999))/√(1 − R)) − PD]·(1 + (M − 2.5)·b)/(1 − 1.5·b)

Without the factor of maturity this is VaR 99.9% less expected loss of a granular pool with asset
correlation R (Gordy 2003): a figure to hold beside the economic capital of a book, in which names
are few, correlations are not the supervisor's, and losses given default move.

References
----------
Basel Committee on Banking Supervision (2006), "International convergence of capital measurement and
capital standards", §272, §273, §328-330; the same in the Basel framework, CRE31.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from scipy.special import ndtr, ndtri

__all__ = ["Asset", "asset_correlation", "capital_requirement", "risk_weight"]

Asset = Literal["corporate", "mortgage", "revolving", "retail"]

CONFIDENCE: Final = 0.999
LEAST_SALES, MOST_SALES = 5.0, 50.0


def asset_correlation(pd: float, asset: Asset = "corporate", sales: float | None = None) -> float:
    """Return the supervisory asset correlation R.

    Parameters
    ----------
    pd : float
        Probability of default within a year.
    asset : {"corporate", "mortgage", "revolving", "retail"}
        Class of the exposure; revolving: qualifying revolving retail.
    sales : float, optional
        Yearly sales of a small corporate, EUR m; counted as 5 below and as 50 above.
    """
    if asset == "mortgage":
        return 0.15
    if asset == "revolving":
        return 0.04
    low, high, fall = (0.03, 0.16, 35.0) if asset == "retail" else (0.12, 0.24, 50.0)
    share = math.expm1(-fall * pd) / math.expm1(-fall)
    found = low * share + high * (1.0 - share)
    if asset == "corporate" and sales is not None:
        counted = min(MOST_SALES, max(LEAST_SALES, sales))
        found -= 0.04 * (1.0 - (counted - LEAST_SALES) / (MOST_SALES - LEAST_SALES))
    return found


def capital_requirement(
    pd: float,
    lgd: float,
    maturity: float = 2.5,
    asset: Asset = "corporate",
    sales: float | None = None,
) -> float:
    """Return the capital requirement K as a share of the exposure.

    Parameters
    ----------
    pd : float
        Probability of default within a year, between 0 and 1; floors are not applied.
    lgd : float
        Loss given default in a downturn.
    maturity : float
        Effective maturity, years; of no influence on retail exposures.
    asset, sales
        As `asset_correlation` takes them.

    Raises
    ------
    ValueError
        If the probability of default is not between 0 and 1.
    """
    if not 0.0 < pd < 1.0:
        raise ValueError(f"pd: expected between 0 and 1, got {pd}")
    r = asset_correlation(pd, asset, sales)
    score = (ndtri(pd) + math.sqrt(r) * ndtri(CONFIDENCE)) / math.sqrt(1.0 - r)
    requirement = lgd * (float(ndtr(score)) - pd)
    if asset != "corporate":
        return requirement
    slope = (0.11852 - 0.05478 * math.log(pd)) ** 2
    return requirement * (1.0 + (maturity - 2.5) * slope) / (1.0 - 1.5 * slope)


def risk_weight(
    pd: float,
    lgd: float,
    maturity: float = 2.5,
    asset: Asset = "corporate",
    sales: float | None = None,
) -> float:
    """Return the risk weight 12.5·K, 1 for 100%; without the scaling factor of 1.06."""
    return 12.5 * capital_requirement(pd, lgd, maturity, asset, sales)
