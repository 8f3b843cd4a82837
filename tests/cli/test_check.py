from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from simulator.cli import COMMANDS, LazyGroup, main
from simulator.config.json_schema import schema_text
from tests.unit.config.conftest import Draft
from tests.unit.config.wrong import TEN

Call = Callable[..., Result]

THERE = LazyGroup().list_commands(click.Context(main))


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("name", TEN)
def test_one_fault(call: Call, tmp_path: Path, name: str) -> None:
    draft = Draft(tmp_path)
    TEN[name].spoil(draft)
    result = call("check", draft.write())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert TEN[name].mend in result.stderr


def test_ten_faults_in_one_call(call: Call, tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    for wrong in TEN.values():
        wrong.spoil(draft)
    path = draft.write()
    before = files(tmp_path)
    result = call("check", path)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 10
    assert "Traceback" not in result.output
    assert files(tmp_path) == before


def test_ten_faults_as_json(call: Call, tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    for wrong in TEN.values():
        wrong.spoil(draft)
    result = call("check", draft.write(), "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert len(told["problems"]) == 10
    assert set(told["problems"][0]) == {"place", "path", "expected", "got", "mend"}


def test_a_sound_study(call: Call, template: Path) -> None:
    before = files(template.parent)
    result = call("check", template)
    assert result.exit_code == 0
    for part in ("BOX-A", "TERM-A", "SOFR + 300 bp", "loan.dsra", "assumed: as the debt", " s, "):
        assert part in result.stdout
    assert files(template.parent) == before


def test_a_sound_study_as_json(call: Call, template: Path) -> None:
    told = json.loads(call("check", template, "--json", "--paths", 1000, "--jobs", 2).stdout)
    assert told["ok"] is True
    assert len(told["digest"]) == 64
    assert [box["box"] for box in told["boxes"]] == ["BOX-A", "BOX-B"]
    assert told["boxes"][0]["price"] > 0
    assert {cell["table"] for cell in told["derived"]} >= {"boxes", "debt", "contracts", "assets"}
    assert told["estimate"]["paths"] == 1000
    assert told["tranches"][0]["amortisation"] == 4


def test_estimates_grow_with_the_run(call: Call, template: Path) -> None:
    def cost(*options: object) -> dict[str, float]:
        found: dict[str, float] = json.loads(call("check", template, "--json", *options).stdout)[
            "estimate"
        ]
        return found

    small, large, shared = (
        cost("--paths", 10_000),
        cost("--paths", 1_000_000),
        cost("--paths", 1_000_000, "--jobs", 2),
    )
    for name in ("seconds", "memory_mb", "disk_mb", "results_mb"):
        assert small[name] < large[name]
    assert shared["seconds"] < large["seconds"]


def test_set(call: Call, template: Path) -> None:
    result = call("check", template, "--set", "debt.TERM-A.margin_bp=425", "--set", "dem.sigma=0.3")
    assert "SOFR + 425 bp" in result.stdout
    assert call("check", template, "--set", "dem.sigma=9").exit_code == 2
    assert call("check", template, "--set", "dem.sigma").exit_code == 2


def test_a_file_that_is_not_there(call: Call, tmp_path: Path) -> None:
    result = call("check", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_wrong_usage(call: Call) -> None:
    assert call("check").exit_code == 2
    assert call("chekc").exit_code == 2


@pytest.mark.parametrize("wrong", [("--paths", -5), ("--paths", 0), ("--jobs", -1)])
def test_impossible_runs(call: Call, template: Path, wrong: tuple[str, int]) -> None:
    result = call("check", template, *wrong)
    assert result.exit_code == 2
    assert wrong[0] in result.stderr


@pytest.mark.parametrize("name", [(), *((name,) for name in THERE)])
def test_help_has_examples(call: Call, name: tuple[str, ...]) -> None:
    result = call(*name, "--help")
    assert result.exit_code == 0
    assert f"\n  Examples:\n    neobox {' '.join(name)}" in result.stdout


def test_schema(call: Call) -> None:
    assert call("schema").stdout == schema_text()


def test_help_lists_commands_without_importing_them() -> None:
    script = (
        "import sys; from simulator.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pydantic', 'numba', 'yaml', 'xarray', 'pandas', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - start
    assert result.stdout.splitlines()[-1] == "[]"
    for name in ("check", "init", "schema"):
        assert f"  {name} " in result.stdout
        assert COMMANDS[name][:40] in result.stdout
    assert seconds < 2.0, "about 0.1 s on a quiet machine"
