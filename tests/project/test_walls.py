"""Each layer imports only what stands below it; the rules are in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="part of the extra `dev`")

TRESPASSES = {
    "upwards": ("numerics", "import simulator.drivers", "One way"),
    "kernel draws": ("numerics", "import matplotlib.pyplot", "Only reports draw"),
    "kernel reads text": ("drivers", "import yaml", "know numbers and arrays only"),
    "kernel knows tables": (
        "numerics",
        "def load():\n    import pandas",
        "know numbers and arrays",
    ),
    "model knows click": ("drivers", "from click import echo", "Only the command line"),
    "calibration simulates": ("calibration", "import simulator.engine", "One way"),
    "calibration reads tables": ("calibration", "import pandas", "know numbers and arrays only"),
    "analytics simulate": ("analytics", "import simulator.engine", "never reach the engine"),
    "no place": ("attic", "", "not listed as layers"),
}


def lint(root: Path, package: Path) -> subprocess.CompletedProcess[str]:
    """Check the `simulator` in a folder against the walls in pyproject.toml."""
    script = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", script, "--no-cache", "--config", str(root / "pyproject.toml")],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_walls_stand(root: Path) -> None:
    checked = lint(root, root)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("trespass", TRESPASSES)
def test_walls_stop_a_trespasser(root: Path, tmp_path: Path, trespass: str) -> None:
    layer, line, wall = TRESPASSES[trespass]
    package = tmp_path / "simulator"
    for name in {"analytics", "drivers", "engine", "numerics", layer}:
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    assert (layer == "attic") != (lint(root, tmp_path).returncode == 0)

    (package / layer / "trespasser.py").write_text(line + "\n", encoding="utf-8")
    checked = lint(root, tmp_path)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert wall in " ".join(checked.stdout.split())


def test_every_folder_of_modules_is_a_package(root: Path) -> None:
    """The walls do not see a folder without an `__init__.py`."""
    folders = {file.parent for file in (root / "simulator").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
