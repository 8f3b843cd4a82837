"""requirements.lock pins and hashes everything pyproject.toml asks for, and names no index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}$")


def entries(root: Path) -> list[str]:
    """Join each requirement with its continuation lines; leave out comments."""
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [entry for entry in "\n".join(lines).replace("\\\n", " ").splitlines() if entry.strip()]


def requirements(pyproject: dict[str, Any]) -> list[Requirement]:
    """Every requirement, of the core and of all extras, but for the package itself."""
    project = pyproject["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    found = [Requirement(text) for group in groups for text in group]
    return [requirement for requirement in found if requirement.name != project["name"]]


def test_every_entry_is_pinned_and_hashed(root: Path) -> None:
    found = entries(root)
    assert len(found) > 40
    for entry in found:
        head, *hashes = re.split(r"\s+(?=--hash)", entry.strip())
        assert re.match(r"[a-z0-9][\w.-]*==\S+( ; .+)?$", head), head
        assert hashes, f"{head} has no hash"
        assert all(HASH.match(text) for text in hashes), head


def test_no_address_of_an_index(root: Path) -> None:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(
        r"^\s*(--(extra-)?index-url|-i|--find-links|-f|--trusted-host)\b", text, re.M
    )


def test_lock_holds_what_is_asked_for(
    pyproject: dict[str, Any], locked: dict[str, set[str]]
) -> None:
    for requirement in requirements(pyproject):
        pinned = locked.get(canonicalize_name(requirement.name))
        assert pinned, f"{requirement.name} is not in the lock: run `make lock`"
        assert all(requirement.specifier.contains(text) for text in pinned), str(requirement)


def test_every_requirement_has_a_floor(pyproject: dict[str, Any]) -> None:
    for requirement in requirements(pyproject):
        operators = {part.operator for part in requirement.specifier}
        assert operators == {">="}, f"{requirement}: a floor and no cap"


def test_build_backend_is_locked(pyproject: dict[str, Any], locked: dict[str, set[str]]) -> None:
    for text in pyproject["build-system"]["requires"]:
        requirement = Requirement(text)
        assert all(requirement.specifier.contains(pinned) for pinned in locked[requirement.name])
