"""Tests of the project itself: its metadata, its lock file, its walls, what it tracks."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def pyproject(root: Path) -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """Every file under version control, relative to the checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout: there is no list of tracked files")
    names = [Path(name) for name in listing.stdout.split("\0") if name]
    return [name for name in names if (root / name).is_file()]


@pytest.fixture(scope="session")
def locked(root: Path) -> dict[str, set[str]]:
    """Versions by package name in requirements.lock (two where Pythons differ)."""
    versions: dict[str, set[str]] = {}
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    for name, pinned in re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", text, flags=re.MULTILINE):
        versions.setdefault(name, set()).add(pinned)
    return versions
