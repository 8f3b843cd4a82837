"""`neobox size`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

SMALL = ("--set", "horizon_months=24", "--set", "drivers.compensator=false", "--paths", 4)
ASKED = ("--facility", "TERM-B", "--target", "EL <= 99%", "--between", 0.6, 0.7)


def test_an_answer_in_words_and_as_json(call: Call, template: Path) -> None:
    told = call("size", template, *SMALL, *ASKED)
    assert told.exit_code == 0, told.output
    assert "keeps EL <= 99%" in told.stdout
    assert "<- answer" in told.stdout
    assert "6 runs of 4 paths, seed 1" in told.stdout
    found = json.loads(call("size", template, *SMALL, *ASKED, "--json").stdout)
    assert found["status"] == "slack"
    assert found["value"] == 0.7
    assert [point["at"] for point in found["points"]] == [0.6, 0.62, 0.64, 0.66, 0.68, 0.7]
    assert found["interval"]["high_open"]


def test_a_target_that_nothing_meets(call: Call, template: Path) -> None:
    """At 25 cents an hour the box of TERM-B cannot pay; reserves do not help."""
    poor = ("--set", "contracts.LAB-1.price_usd_per_gpu_hour=0.25", "--solve-for", "reserve")
    asked = ("--facility", "TERM-B", "--target", "P(loss) <= 1e-6", "--between", 0, 2)
    result = call("size", template, *SMALL, *asked, *poor, "--json")
    assert result.exit_code == 6, result.output
    found = json.loads(result.stdout)
    assert found["status"] == "infeasible"
    assert found["value"] is None
    assert found["measure"]["value"] > 0.0


def test_what_is_asked_wrongly(call: Call, template: Path) -> None:
    result = call("size", template, "--facility", "TERM-B", "--target", "VaR <= 1%")
    assert result.exit_code == 2
    assert "P(loss) <= 1%" in result.output
