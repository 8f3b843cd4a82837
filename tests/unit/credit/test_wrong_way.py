"""Names that fail where efficiency makes compute cheap, at the default curve that is stated."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.config.terms import SWITCHES
from simulator.engine import compensator
from simulator.engine.market_alone import reference_path
from simulator.engine.outputs import MARKET_SERIES
from tests.properties.agreement import pack, run_engine
from tests.unit.credit.books import SEED, Deal

PATHS, PILOT, BLOCK = 12_000, 8_192, 1_000
HAZARD = (0.02, 0.06, 0.03)


@cache
def market(gamma: float, compensated: bool = True) -> tuple[NDArray[Any], NDArray[Any]]:
    """Default months of a name with this loading, and demand lost to efficiency, by path."""
    off = ("renegotiation", "amendments", "easing", "sponsor")
    on = tuple(name for name in SWITCHES if name not in off)
    deal = Deal(on=on).change("tranche", commitment=1.0, balance0=1.0)
    deal = deal.change("customer", hazard_per_year=HAZARD, beta=0.7, ai=True)
    inputs = deal.change("customer", efficiency_loading=gamma).inputs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compensator, "PILOT_PATHS", PILOT)
        reference = reference_path(inputs.expected, inputs.horizon)
        solved = compensator.solve_compensator(inputs, reference)
    packed = pack(inputs, solved if compensated else np.zeros_like(solved))
    months, lost = [], []
    for first in range(0, PATHS, BLOCK):
        outputs = run_engine(packed, SEED, range(first, first + BLOCK), trace=False).outputs
        months.append(outputs.name_default_month[0].copy())
        lost.append(-outputs.market[MARKET_SERIES.index("efficiency_offset"), 23].copy())
    return np.concatenate(months), np.concatenate(lost)


@pytest.mark.parametrize("gamma", [0.0, 2.0, 4.0])
def test_the_default_curve_stands_whatever_the_loading(gamma: float) -> None:
    defaults, _ = market(gamma)
    for year in (1, 2, 3):
        share = np.mean((defaults > 0) & (defaults <= 12 * year))
        target = 1.0 - np.exp(-sum(HAZARD[:year]))
        error = np.sqrt(target * (1.0 - target) * (1.0 / PATHS + 1.0 / PILOT))
        assert abs(share - target) < 4.0 * error, (year, share, target, error)


def test_without_the_compensator_it_would_not() -> None:
    defaults, _ = market(4.0, compensated=False)
    share, target = np.mean(defaults > 0), 1.0 - np.exp(-sum(HAZARD))
    assert abs(share - target) > 8.0 * np.sqrt(target * (1.0 - target) / PATHS)


def test_defaults_move_to_where_compute_got_cheap() -> None:
    def by_half(gamma: float) -> NDArray[Any]:
        defaults, lost = market(gamma)
        cheap = lost > np.median(lost)
        failed = (defaults > 0).astype(float)
        return np.where(cheap, failed, -failed) * 2.0  # mean: difference between the halves

    plain, loaded = by_half(0.0), by_half(4.0)
    change = loaded - plain  # on the same paths
    assert change.mean() > 4.0 * change.std() / np.sqrt(PATHS)
