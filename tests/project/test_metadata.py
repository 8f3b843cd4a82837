"""The version, the licence and the changelog say the same thing everywhere."""

from __future__ import annotations

import re
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def citation(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))


@pytest.mark.smoke
def test_package_says_its_installed_version() -> None:
    import simulator

    assert simulator.__version__ == version("neobox")


def test_one_version(pyproject: dict[str, Any], citation: dict[str, Any]) -> None:
    declared = pyproject["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", declared)
    assert citation["version"] == declared
    assert version("neobox") == declared, "installed from another state: run `make setup`"


@pytest.mark.smoke
def test_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="neobox")
    assert command.value == "simulator.cli:main"
    assert callable(command.load())


def test_licence_is_the_one_declared(
    root: Path, pyproject: dict[str, Any], citation: dict[str, Any]
) -> None:
    assert pyproject["project"]["license"] == citation["license"] == "Apache-2.0"
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_changelog_heads_with_this_version_and_says_which_numbers_changed(
    root: Path, pyproject: dict[str, Any]
) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    titles = [section.splitlines()[0].split()[0] for section in sections]
    assert titles[0] in {"Unreleased", pyproject["project"]["version"]}
    assert pyproject["project"]["version"] in titles
    groups = re.findall(r"^### (.+)$", sections[0], flags=re.MULTILINE)
    assert "Numbers changed" in groups
    assert set(groups) <= {"Added", "Changed", "Fixed", "Removed", "Numbers changed"}


def test_notices_name_every_locked_package(root: Path, locked: dict[str, set[str]]) -> None:
    text = (root / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", text, flags=re.MULTILINE))
    assert set(locked) - set(named) == set(), "run `make notices`"
    assert [name for name in locked if "not installed" in named[name]] == []
