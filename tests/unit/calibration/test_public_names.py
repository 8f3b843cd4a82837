"""What `simulator.calibration` offers, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from simulator import calibration

pytestmark = pytest.mark.nojit


def test_names_are_sorted_and_there() -> None:
    assert calibration.__all__ == sorted(calibration.__all__)
    assert all(getattr(calibration, name) is not None for name in calibration.__all__)


def test_import_compiles_and_draws_nothing() -> None:
    script = "import simulator.calibration, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"numba", "matplotlib", "pandas", "xarray"} & set(loaded) == set()
