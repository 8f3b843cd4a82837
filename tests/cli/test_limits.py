"""`--fail-on`: limits in a script, after a run and on a stored one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import simulator
from tests.cli.pools import two_names

Call = Callable[..., Result]


def test_after_a_run_and_on_a_stored_one(call: Call, tmp_path: Path) -> None:
    study, out = two_names(tmp_path), tmp_path / "run"
    command = ("run", study, "--paths", 2000, "--out", out)
    met = call(*command, "--fail-on", "book.el > 1000", "--fail-on", "facility.A.pd > 50%")
    assert met.exit_code == 0, met.output
    assert "limit book.el > 1000: USD" in met.stdout
    again = call(*command, "--fail-on", "book.el > 1000", "--fail-on", "el > 0.1%", "--json")
    assert again.exit_code == 3
    found = json.loads(again.stdout)
    assert found["reused"]  # stored although a limit is breached
    assert [one["breached"] for one in found["limits"]] == [False, True]
    share = found["book"]["expected_loss_share"]
    assert found["limits"][1]["value"] == pytest.approx(share["value"], rel=1e-12)
    assert found["limits"][1]["se"] == pytest.approx(share["se"], rel=1e-12)
    report = call("report", out, "--fail-on", "p(loss) > 1%")
    assert report.exit_code == 3
    assert (out / "report.html").is_file()
    assert "BREACHED" in report.stdout
    assert call("report", out).exit_code == 0
    (checked,) = simulator.check_limits(simulator.open_run(out), ["book.el > 0.1%"])
    assert checked.as_object() == found["limits"][1]


def test_a_breach_outweighs_an_error_that_is_too_large(call: Call, tmp_path: Path) -> None:
    goals = ("--target-se", "es99.9 <= 0.1%", "--paths", 4000, "--fail-on", "el > 0")
    assert call("run", two_names(tmp_path), *goals, "--out", tmp_path / "run").exit_code == 3


@pytest.mark.nojit
def test_wrong_limits_stop_before_any_path(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "run"
    wrong = ("--fail-on", "el ! 5", "--fail-on", "facility.C.pd > 1%")
    result = call("run", two_names(tmp_path), *wrong, "--out", out)
    assert result.exit_code == 2
    assert result.stderr.count("mend by") == 2
    assert not out.exists()
