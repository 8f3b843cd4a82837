"""What is tracked belongs here: fixed top level, no traces of a machine, no agency tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDERS = {".ci", "benchmarks", "configs", "docs", "results", "simulator", "tests"}
FILES = {
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "NOTICE",
    "README.md",
    "SECURITY.md",
    "THIRD_PARTY_NOTICES.md",
    "pyproject.toml",
    "requirements.lock",
}

# Written in pieces, so that this file does not find itself.
TRACES = {
    "a folder of one machine": r"(?<![\w.<>~-])/(?:ro{2}t|w{1}ork|home/\w+|Users/\w+)/",
    "the address of a package registry": r"py[p]i\.org|python[h]osted\.org|conda\.anaconda\.[o]rg",
    "a marker of an unresolved merge": r"^(?:<{7}|>{7}) ",
}


def texts(root: Path, tracked: list[Path]) -> list[tuple[Path, str]]:
    """Every tracked text file with its content."""
    found = []
    for name in tracked:
        content = (root / name).read_bytes()
        if b"\0" not in content:
            found.append((name, content.decode("utf-8")))
    return found


def test_top_level_is_fixed(tracked: list[Path]) -> None:
    assert {name.parts[0] for name in tracked if len(name.parts) > 1} <= FOLDERS
    assert {name.name for name in tracked if len(name.parts) == 1} <= FILES


def test_results_hold_no_run(tracked: list[Path]) -> None:
    assert [str(name) for name in tracked if name.parts[0] == "results"] == ["results/README.md"]


@pytest.mark.parametrize("trace", TRACES)
def test_no_traces(root: Path, tracked: list[Path], trace: str) -> None:
    pattern = re.compile(TRACES[trace], flags=re.MULTILINE)
    found = [
        f"{name}:{text[: match.start()].count(chr(10)) + 1}: {match[0]}"
        for name, text in texts(root, tracked)
        for match in pattern.finditer(text)
    ]
    assert found == [], trace


def test_trace_patterns_find_what_they_look_for() -> None:
    samples = {
        "a folder of one machine": ["/" + "root/.cache", "see /" + "work/x", "'/" + "home/ann/a'"],
        "the address of a package registry": ["https://py" + "pi.org/simple"],
        "a marker of an unresolved merge": ["<" * 7 + " HEAD"],
    }
    for trace, lines in samples.items():
        assert all(re.search(TRACES[trace], line) for line in lines), trace
    assert not re.search(TRACES["a folder of one machine"], "network/work/load, ~/root/x")


def test_rating_agencies_tables_are_not_shipped(tracked: list[Path]) -> None:
    agency = re.compile(r"transition_matrix|default_rates|hazards_by_rating")
    assert [
        str(name) for name in tracked if agency.search(name.name) and name.suffix != ".py"
    ] == []


def test_nothing_large(root: Path, tracked: list[Path]) -> None:
    limit = 1_000_000
    assert [str(name) for name in tracked if (root / name).stat().st_size > limit] == []


def test_text_ends_with_a_newline_and_has_no_carriage_return(
    root: Path, tracked: list[Path]
) -> None:
    for name, text in texts(root, tracked):
        assert not text or text.endswith("\n"), name
        assert "\r" not in text, name
