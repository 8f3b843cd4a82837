"""The front door: what `import simulator` offers, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

import simulator

pytestmark = pytest.mark.nojit

HEAVY = {"click", "joblib", "matplotlib", "numba", "numpy", "pandas", "scipy", "xarray", "zarr"}


def test_names_are_sorted_and_there() -> None:
    assert simulator.__all__ == sorted(simulator.__all__)
    assert dir(simulator) == sorted(simulator.__all__)
    for name in simulator.__all__:
        assert getattr(simulator, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = simulator.nothing


@pytest.mark.parametrize("statement", ["import simulator", "from simulator.cli import main"])
def test_import_is_light(statement: str) -> None:
    script = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert (HEAVY & set(loaded)) - {"click"} == set()
