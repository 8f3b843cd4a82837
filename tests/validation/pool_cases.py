"""Public cases of portfolio credit risk, and studies that state them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "pools" / "pools.json").read_text(encoding="utf-8")
)
EDGES = (0.0, 0.03, 0.07, 0.15, 0.3, 1.0)


def study_of(names: dict[str, dict[str, Any]], **keys: Any) -> dict[str, Any]:
    """A credit-only study with the usual tranches."""
    tranches = {
        f"{low:g}-{high:g}": {"attachment": low, "detachment": high}
        for low, high in pairwise(EDGES)
    }
    head = {"schema": "neobox.credit/1", "name": "case", "start": "2026-11", "horizon_months": 12}
    return {**head, "names": names, "tranches": tranches, **keys}


def homogeneous(case: dict[str, Any], **terms: Any) -> dict[str, dict[str, Any]]:
    """Names of a homogeneous pool of notional 1."""
    count, loading = case["names"], case["rho"] ** 0.5
    one = {"exposure_usd_m": 1.0, "pd": case["pd"], "loadings": [loading]}
    return {f"N{k:04}": {**one, "lgd": case.get("lgd", 1.0), **terms} for k in range(count)}


def write(folder: Path, study: dict[str, Any]) -> Path:
    """A study file; JSON is YAML."""
    path = folder / "study.yaml"
    path.write_text(json.dumps(study), encoding="utf-8")
    return path


def book(run: xr.Dataset) -> np.ndarray:
    """Loss of the pool by path."""
    return np.asarray(run["book_lender_loss"].values)


def scores(value: float, se: float, exact: float) -> float:
    """How many standard errors an estimate lies from the exact value."""
    return 0.0 if value == exact else (value - exact) / se


def deviation_score(loss: np.ndarray, exact: float) -> float:
    """The same for a standard deviation, by the delta method."""
    centred = loss - loss.mean()
    variance = float(np.mean(centred**2))
    error = np.sqrt((np.mean(centred**4) - variance**2) / loss.size) / (2.0 * np.sqrt(variance))
    return float((np.sqrt(variance) - exact) / error)
