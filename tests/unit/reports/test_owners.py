"""Tables of owners say on how many paths a quantile is defined."""

from __future__ import annotations

import re

import pytest

from simulator.analytics import analyse
from simulator.analytics.estimate import format_estimate
from simulator.reports.limits import LIMITS
from simulator.reports.tables import owners
from simulator.reports.tables.table import RESOLUTION
from tests.unit.reports.synthetic import synthetic_run

pytestmark = pytest.mark.nojit


def test_multiples_stand_beside_the_share_of_paths_without_one() -> None:
    _, multiples, _ = owners.equity(analyse(synthetic_run(400)))
    assert multiples.columns[-1] == "undefined"
    dogwood = next(row for row in multiples.rows if row[0] == "Box Dogwood")
    assert re.fullmatch(r"\d.* ± .*%", dogwood[-1])


def test_rates_are_not_printed_where_less_than_half_of_the_paths_have_one() -> None:
    run = synthetic_run(400)
    run["equity_irr_state"][:250, 0] = 2
    _, _, rates = owners.equity(analyse(run))
    assert rates.columns[-3:] == ("defined", "no rate", "several rates")
    first, second = rates.rows[:2]
    assert first[1:6] == ["n/a"] * 5
    assert "n/a" not in second[1:6]
    assert first[6] != second[6]
    assert "less than half" in rates.note


def test_profit_of_sponsors_is_not_headlined_and_says_what_it_is() -> None:
    analysis = analyse(synthetic_run(400))
    assert "profit" not in owners.sponsors(analysis).caption
    assert "both are 0 on most paths" in owners.sponsor_profit(analysis).note
    assert any("degenerate" in point for point in LIMITS)


def test_small_estimates_keep_their_error() -> None:
    shown = format_estimate(2.303e-5, 4.1e-6, percent=True, resolution=RESOLUTION)
    assert shown == "0.0023 ± 0.0004%"
