"""Month end at the command line: roll, put an actual in, run, and split what moved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]


@pytest.mark.nojit
def test_roll(call: Call, template: Path, tmp_path: Path) -> None:
    result = call("roll", template, "--to", "2026-12", "--out", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == str(tmp_path / "new" / "study.yaml")
    assert call("check", tmp_path / "new" / "study.yaml").exit_code == 0
    again = call("roll", template, "--to", "2026-12", "--out", tmp_path / "new")
    assert again.exit_code == 2
    assert "files stand there" in again.stderr


def test_bridge(call: Call, template: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert call("roll", template, "--to", "2026-12", "--out", new).exit_code == 0
    options = ("--paths", 400, "--out", tmp_path / "steps", "--json")
    same = json.loads(call("results", "bridge", template, new / "study.yaml", *options).stdout)
    for measure, parts in same.items():
        if measure != "out":
            assert parts["data"]["value"] == parts["parameters"]["value"] == 0.0
    debt = new / "tape" / "debt.csv"
    text = debt.read_text()
    assert "254.696455" in text
    debt.write_text(text.replace("254.696455", "330"))
    study = new / "study.yaml"
    study.write_text(study.read_text().replace("values: {}", "values: {gpu.delta: -0.4}", 1))
    reported = tmp_path / "reported"
    assert call("run", template, "--paths", 400, "--out", reported).exit_code == 0
    result = call("results", "bridge", template, study, *options, "--last-run", reported)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["book.el"]
    assert found["noise"]["value"] == 0.0  # the same paths of the same study
    assert found["time"] == same["book.el"]["time"]
    assert found["data"]["value"] > 0.0  # more debt
    assert found["parameters"]["value"] > 0.0  # collateral that decays faster
    parts = sum(found[name]["value"] for name in ("last", "time", "data", "parameters"))
    assert parts == pytest.approx(found["this"]["value"])
    told = call("results", "bridge", template, study, *options[:-1]).stdout
    assert "parameters" in told.splitlines()[1]
