"""What lenders' consent, waivers and cure periods do to the real book (docs/model.md §14).

Each claim compares two runs on the same paths, in standard errors of the paired difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import simulator

BOOK = Path(__file__).resolve().parents[2] / "configs" / "neocloud-2026.yaml"
PATHS, SEED = 2_000, 17
pytestmark = pytest.mark.slow


@cache
def run(*changes: tuple[str, Any]) -> xr.Dataset:
    study = simulator.load_study(BOOK, dict(changes))
    return simulator.simulate(study, paths=PATHS, seed=SEED, jobs=2)


def in_errors(difference: np.ndarray) -> float:
    """A mean over paths in its standard errors."""
    return float(difference.mean() / (difference.std() / np.sqrt(len(difference))))


def defaults(found: xr.Dataset) -> np.ndarray:
    """Facilities of boxes that default, by path."""
    boxed = found["facility_box"].values != ""
    return np.asarray((found["facility_default_month"].values[:, boxed] > 0).sum(axis=1))


def loss(found: xr.Dataset, facility: str) -> np.ndarray:
    return np.asarray(found["lender_loss_share"].sel(facility=facility).values)


def cure_months(months: int) -> Mapping[str, int]:
    boxes = simulator.load_study(BOOK).inputs.book.boxes
    return {f"boxes.{box.id}.cure_months": months for box in boxes}


@pytest.mark.parametrize("facility", ["CRWV_DDTL4", "CRWV_DDTL5", "NBIS_775", "LAMBDA_TLB"])
def test_lenders_who_may_refuse_lose_less(facility: str) -> None:
    asked, free = run(), run(("drivers.lender_consent", False))
    assert in_errors(loss(asked, facility) - loss(free, facility)) < -3.0


def test_consent_matters_most_where_a_strong_customer_is_all_there_is() -> None:
    asked, free = run(), run(("drivers.lender_consent", False))
    kept = [
        loss(asked, one).mean() / loss(free, one).mean() for one in ("CRWV_DDTL4", "CRWV_DDTL5")
    ]
    assert kept[0] < 0.5 < kept[1]


def test_waivers_make_defaults_fewer() -> None:
    waived, strict = run(("drivers.amendments", True)), run()
    assert in_errors(defaults(waived) - defaults(strict)) < -10.0
    assert waived["box_waivers"].values.sum() > 0
    assert strict["box_waivers"].values.sum() == 0


def test_a_cure_period_never_makes_them_more() -> None:
    """Nor does a longer one: in all, and for each facility of a box within two errors."""
    terms = [run(*cure_months(months).items()) if months else run() for months in (0, 3, 6)]
    boxed = terms[0]["facility_box"].values != ""
    for short, long in pairwise(terms):
        assert in_errors(defaults(long) - defaults(short)) < -3.0
        failed = [(one["facility_default_month"].values[:, boxed] > 0) for one in (short, long)]
        change = failed[1].astype(float) - failed[0]
        error = change.std(axis=0) / np.sqrt(PATHS)
        assert np.all(change.mean(axis=0) <= 2.0 * error)
