"""Pools whose names stand in a table, each with its own exposure, probability and loadings."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.analytics import shortfall_contributions, value_at_risk
from simulator.selfcheck.estimating import given, shortfall_of
from simulator.selfcheck.finite_pools import quantiles_of
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_figures import Losses, figures_of
from simulator.selfcheck.pool_runs import Names, run_pool, tranches_of

__all__ = ["CASES", "listed_names"]

EXPOSURES = ("exposure_units", "exposure", "EAD", "c")
CONTRIBUTIONS = re.compile(r"^ES(?P<digits>[0-9]+)_contributions_(units/(?P<place>[0-9]+)|sum)$")


def listed_pool(case: Mapping[str, Any], draws: Draws) -> Result:
    """Lose what a pool of different names loses, in the unit of their exposures.

    Parameters
    ----------
    case : mapping
        ``pool_csv``: a table of ``PD``, ``exposure_units``, ``LGD`` (1) and ``loading1``, ...;
        ``nu`` of a t copula.
    draws : Draws
        What is asked: see `pool_figures`; and ``total_units``, ``ES99_contributions_units``.
    """
    names = listed_names(draws.folder / case["pool_csv"])
    shares = [match for path in draws.asked if (match := CONTRIBUTIONS.match(path))]
    columns = ("lender_loss",) if shares else ()
    pool = run_pool(
        names, draws, nu=case.get("nu"), tranches=tranches_of(draws.asked), columns=columns
    )
    whole = all(one["exposure_usd_m"] % 1.0 == 0.0 and one["lgd"] == 1.0 for one in names.values())
    loss = np.rint(pool.loss) if whole else pool.loss
    losses = Losses(loss, draws.asked, pool.tranches, step=1.0 if whole else 0.0)
    figures: dict[str, Any] = {"total_units": pool.exposure, **figures_of(losses)}
    for digits in sorted({match["digits"] for match in shares}):
        parts = np.asarray(pool.columns["lender_loss"]).T
        figures |= contributions(parts, digits)
    return Result({}, figures, stepped=quantiles_of(draws.asked))


def contributions(parts: np.ndarray, digits: str) -> dict[str, Any]:
    """Split an expected shortfall, of level 0.99 for the digits 99, between names (name, path)."""
    level = float(f"0.{digits}")
    book = parts.sum(axis=0)
    beyond = book > value_at_risk(book, level).value
    found = shortfall_contributions(list(parts), level)
    known = [
        given(one, (part - np.median(part[beyond])) * beyond)  # seen to be more than one value
        for one, part in zip(found, parts, strict=True)
    ]
    whole = shortfall_of(book, level)
    return {f"ES{digits}_contributions_units": known, f"ES{digits}_contributions_sum": whole}


def listed_names(table: Path) -> Names:
    """Read a table of names."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    loadings = [column for column in rows[0] if re.fullmatch(r"loading_?[0-9]+", column)]
    exposure = next(column for column in EXPOSURES if column in rows[0])
    return {
        f"N{place:05}": {
            "exposure_usd_m": float(row[exposure]),
            "pd": float(row["PD"]),
            "lgd": float(row.get("LGD") or 1.0),
            "loadings": [float(row[column]) for column in loadings],
        }
        for place, row in enumerate(rows)
    }


CASES: dict[str, Kind] = {"listed_pool": sampled(listed_pool, "pool_csv")}
