"""Capital by the internal ratings-based formulas, against closed forms and published tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Any

from simulator.analytics.capital import Asset, asset_correlation, capital_requirement, risk_weight
from simulator.selfcheck.finite_pools import values_in
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result

__all__ = ["CASES"]

ASSETS: Mapping[str, Asset] = {
    "corp": "corporate",
    "sme": "corporate",
    "mort": "mortgage",
    "qrre": "revolving",
    "retail": "retail",
}


def requirements(_: Mapping[str, Any], draws: Draws) -> Result:
    """Work out ``R``, ``K`` and ``RW_pct`` of ``PD=0.01,LGD=0.45,M=2.5``."""
    figures = {}
    for group in sorted({path.partition("/")[0] for path in draws.asked}):
        terms = values_in(group)
        pd, lgd, maturity = terms["PD"], terms["LGD"], terms["M"]
        figures[group] = {
            "R": asset_correlation(pd),
            "K": capital_requirement(pd, lgd, maturity),
            "RW_pct": 100.0 * risk_weight(pd, lgd, maturity),
        }
    return Result({}, figures)


def published(case: Mapping[str, Any], draws: Draws) -> Result:
    """Hold risk weights against a published table of two decimals.

    Parameters
    ----------
    case : mapping
        ``M`` years, and ``csv`` of ``column`` (corp45, mort25, retail45, qrre50, or sme40_S5: sales
        of 5), ``PD``, ``LGD``, ``RW_pct_published``.
    draws : Draws
        Where the table stands.
    """
    with (draws.folder / case["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    gaps = []
    for row in rows:
        column = row["column"]
        asset = ASSETS[re.match(r"[a-z]+", column)[0]]  # type: ignore[index]
        sales = re.search(r"_S([0-9.]+)$", column)
        terms = float(row["PD"]), float(row["LGD"]), float(case["M"]), asset
        weight = 100.0 * risk_weight(*terms, float(sales[1]) if sales else None)
        gaps.append(abs(weight - float(row["RW_pct_published"])))
    return Result({}, {"max_abs_diff_to_published_pct": max(gaps), "rows": len(rows)})


CASES: dict[str, Kind] = {
    "capital_requirements": sampled(requirements, asks=r"^PD=.*LGD=.*M=.*/(R|K|RW_pct)$"),
    "published_risk_weights": sampled(published, "M", "csv", asks="published"),
}
