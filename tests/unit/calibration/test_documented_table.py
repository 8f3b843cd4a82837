"""docs/calibration.md says of the shipped series what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).parents[3]


def test_the_table_is_the_one_the_script_prints() -> None:
    path = ROOT / "configs" / "calibration" / "shipped_series.py"
    spec = importlib.util.spec_from_file_location("shipped_series", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert script.table() in text, f"paste over the table:\n{script.table()}"
