"""`neobox doctor` and `neobox warmup`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import simulator
from simulator.cli import doctor
from simulator.numerics.jit import JIT_DISABLED

Call = Callable[..., Result]


@pytest.mark.nojit
def test_versions_and_checks(call: Call) -> None:
    found = json.loads(call("doctor", "--json").stdout)
    assert found["versions"]["neobox"] == simulator.__version__
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["random numbers"]["ok"]
    assert checks["kernel cache"]["ok"]
    assert checks["package"]["found"].startswith(str(Path(simulator.__file__).parent))


@pytest.mark.nojit
def test_a_failed_check(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[bool, str]:
        raise RuntimeError("no cache")

    monkeypatch.setattr(doctor, "cache_folder", broken)
    result = call("doctor")
    assert result.exit_code == 1
    assert "FAILED  kernel cache    RuntimeError: no cache" in result.stdout


@pytest.mark.skipif(JIT_DISABLED, reason="nothing to compile")
@pytest.mark.slow
def test_warmup(call: Call) -> None:
    found = json.loads(call("warmup", "--json").stdout)
    assert Path(found["folder"]).is_dir()
    again = json.loads(call("warmup", "--json").stdout)
    assert not again["compiled"]
