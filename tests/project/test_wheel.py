"""The wheel holds the package with all its files, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="part of the extra `dev`")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (file,) = folder.glob("neobox-*-py3-none-any.whl")
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_every_tracked_file_of_the_package_is_in_the_wheel(
    wheel: list[str], tracked: list[Path]
) -> None:
    package = {name.as_posix() for name in tracked if name.parts[0] == "simulator"}
    assert package - set(wheel) == set()
    assert "simulator/py.typed" in wheel


def test_nothing_but_the_package_is_in_the_wheel(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"simulator"}
    assert not [name for name in wheel if "__pycache__" in name]


def test_licences_travel_with_the_wheel(wheel: list[str]) -> None:
    licences = {Path(name).name for name in wheel if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE", "THIRD_PARTY_NOTICES.md"}
