"""The commands the README names exist and are the ones CI runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

# A command in a code block, between backticks or as a step of CI, not the verb in a sentence.
COMMAND = r"(?:^ {4}|`|^step \w+ )make (?:-k )?([a-z-]+)"


def targets(root: Path) -> set[str]:
    """Targets of the Makefile that describe themselves."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", text, flags=re.MULTILINE))


def test_documented_targets_exist(root: Path) -> None:
    for file in ("README.md", "CONTRIBUTING.md", ".ci/run", ".pre-commit-config.yaml"):
        text = (root / file).read_text(encoding="utf-8")
        named = set(re.findall(COMMAND, text, flags=re.MULTILINE))
        assert named, file
        assert named <= targets(root), file


def test_readme_names_run_and_test(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    assert "make run" in text
    assert "make test" in text


def test_every_target_is_phony(root: Path) -> None:
    text = (root / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    assert set(phony.split()) == targets(root)


def test_ci_script_is_executable_and_parses(root: Path) -> None:
    script = root / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("command", ["make test", "make -k check"])
def test_ci_runs(root: Path, command: str) -> None:
    assert command in (root / ".ci" / "run").read_text(encoding="utf-8")
