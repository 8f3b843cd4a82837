"""Regulatory capital against the published illustrative risk weights, and its own logic."""

from __future__ import annotations

import pytest

from simulator.analytics.capital import asset_correlation, capital_requirement, risk_weight
from simulator.selfcheck import Draws
from simulator.selfcheck.folder import SHIPPED, cases_of, verdict

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize("case", cases_of(SHIPPED / "capital.json"), ids=lambda one: one["id"])
def test_published_tables(case) -> None:  # type: ignore[no-untyped-def]
    found = verdict(case, Draws(folder=SHIPPED))
    assert found.kind
    assert found.passed, found
    assert not found.missing


def test_classes_differ_as_they_should() -> None:
    assert asset_correlation(0.0003) == pytest.approx(0.2382, abs=1e-4)
    assert asset_correlation(0.2) == pytest.approx(0.12, abs=1e-4)
    assert asset_correlation(0.01, sales=5.0) == asset_correlation(0.01) - 0.04
    assert asset_correlation(0.01, sales=80.0) == asset_correlation(0.01)
    assert risk_weight(0.01, 0.45, 5.0) > risk_weight(0.01, 0.45, 1.0)
    retail = [risk_weight(0.01, 0.45, years, "retail") for years in (1.0, 5.0)]
    assert retail[0] == retail[1]
    with pytest.raises(ValueError, match="between 0 and 1"):
        capital_requirement(0.0, 0.45)
