"""`neobox explain`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.config.template import write_template
from simulator.dataset.reading import open_run

Call = Callable[..., Result]

pytestmark = pytest.mark.nojit

PATHS, SEED = 12, 8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small run with a default."""
    folder = tmp_path_factory.mktemp("explained")
    study = write_template(folder / "study")[0]
    arguments = ["run", study, "--paths", PATHS, "--seed", SEED, "--out", folder / "run"]
    arguments += ["--set", "horizon_months=24", "--set", "drivers.compensator=false"]
    arguments += ["--set", "contracts.LAB-1.price_usd_per_gpu_hour=1.5"]  # too little: it defaults
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return folder / "run"


def defaulted(run: Path) -> tuple[int, str]:
    """Return a path and a facility that defaults on it."""
    months = open_run(run)["facility_default_month"]
    for facility in months["facility"].values:
        for path, month in enumerate(months.sel(facility=facility).values):
            if month:
                return path, str(facility)
    raise AssertionError("choose a seed with a default")


def test_tells_the_default(call: Call, run: Path) -> None:
    path, facility = defaulted(run)
    result = call("explain", run, "--path", path, "--facility", facility)
    assert result.exit_code == 0, result.output
    assert "The path is the stored one, bit for bit." in result.stdout
    assert "DEFAULTS" in result.stdout
    assert "  Event of default  " in result.stdout
    assert "facility_default_trigger" not in result.stdout
    assert "Lenders' loss, PV " in result.stdout
    assert "paid by" in result.stdout


def test_a_workout_has_no_cfads(call: Call, run: Path) -> None:
    path, facility = defaulted(run)
    result = call("explain", run, "--path", path, "--facility", facility)
    month = int(open_run(run)["facility_default_month"].sel(facility=facility)[path])
    assert "CFADS and service are blank in a workout" in result.stdout
    head, *table = result.stdout[result.stdout.index("\nmonth ") + 1 :].splitlines()
    end = head.index("CFADS") + len("CFADS")
    cells = {
        int(line[:5]): line[end - 5 : end].strip() for line in table if line[:5].strip().isdigit()
    }
    assert cells[month] != ""
    assert cells[month + 1] == ""


def test_json(call: Call, run: Path) -> None:
    path, facility = defaulted(run)
    result = call("explain", run, "--path", path, "--facility", facility, "--json")
    assert result.stderr == ""
    found = json.loads(result.stdout)
    stored = open_run(run).sel(facility=facility).isel(path=path)
    assert found["same_as_stored"]
    assert found["outcome"]["lender_loss"] == float(stored["lender_loss"])
    month = int(stored["facility_default_month"])
    assert any(e["month"] == month and "DEFAULTS" in e["text"] for e in found["events"])
    assert len(found["cash"]["months"]) == 24


def test_says_if_the_path_is_another(
    call: Call, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import simulator.cli.explain as explain

    monkeypatch.setattr(explain, "differences", lambda *_: ["lender_loss"])
    result = call("explain", run, "--path", 0, "--facility", "TERM-A")
    assert "NOT the stored path: lender_loss differ" in result.stdout


def test_notices_a_difference_of_one_bit(run: Path) -> None:
    import numpy as np

    from simulator.cli.explain import differences
    from simulator.config.stored import stored_inputs
    from simulator.engine.paths import trace_path
    from simulator.engine.prepare import prepare

    resolved = json.loads((run / "config.resolved.json").read_text(encoding="utf-8"))
    path = trace_path(prepare(stored_inputs(resolved)), SEED, 0)
    dataset = open_run(run).load()
    assert differences(dataset, path, 0) == []
    array = path.scalars["equity_pnl"]
    array[0, 0] = np.nextafter(array[0, 0], np.inf)
    assert differences(dataset, path, 0) == ["equity_pnl"]


@pytest.mark.parametrize(
    ("path", "facility", "message"),
    [(99, "TERM-A", "paths 0 to 11"), (0, "TERM", "no facility 'TERM'")],
)
def test_what_is_not_there(call: Call, run: Path, path: int, facility: str, message: str) -> None:
    result = call("explain", run, "--path", path, "--facility", facility)
    assert result.exit_code == 2
    assert message in result.stderr


def test_no_run(call: Call, tmp_path: Path) -> None:
    result = call("explain", tmp_path, "--path", 0, "--facility", "TERM-A")
    assert result.exit_code == 2
    assert "no run here" in result.stderr


def test_what_lenders_decide() -> None:
    from types import SimpleNamespace
    from typing import Any

    from simulator.engine.timeline import decision

    boxes = SimpleNamespace(run_months=36, sale_lag=9)
    prepared = SimpleNamespace(horizon=72, params=SimpleNamespace(boxes=boxes))
    path: Any = SimpleNamespace(prepared=prepared)
    assert decision(path, "BOX-A", 19, 55) == (
        "lenders decide to run BOX-A for 36 months and to sell it then, in month 55"
    )
    assert decision(path, "BOX-A", 19, 28) == (
        "lenders decide to sell BOX-A at once: the sale is made in month 28"
    )
    assert decision(path, "BOX-A", 69, 78).endswith("(month 72, the horizon, comes first)")


def test_a_note_while_it_works(call: Call, run: Path) -> None:
    result = call("explain", run, "--path", 0, "--facility", "TERM-A")
    assert "simulating path 0 again" in result.stderr
