from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulator.config.errors import Problems
from simulator.config.loader import Document, read_document, scalar


def read(tmp_path: Path, text: str) -> tuple[Document, Problems]:
    path, problems = tmp_path / "x.yaml", Problems()
    path.write_text(text, encoding="utf-8")
    return read_document(path, problems), problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1e6),
        ("-.5", -0.5),
        ("1.10", 1.1),
        ("12", 12),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
    ],
)
def test_core_scalars(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@pytest.mark.parametrize("text", ["no", "yes", "on", "12:30:00", "2026-11", "2026-13-01", "1_000"])
def test_surprises_of_yaml_1_1_stay_text(text: str) -> None:
    assert scalar(text) == text


def test_nan_and_numbers_without_end() -> None:
    assert math.isnan(scalar(".nan"))
    assert scalar("9" * 5000) == math.inf


def test_quoted_scalars_stay_text(tmp_path: Path) -> None:
    document, problems = read(tmp_path, "a: '1'\nb: \"true\"\nc: 1\nd: |\n  2\n")
    assert document.tree == {"a": "1", "b": "true", "c": 1, "d": "2\n"}
    assert not problems


def test_places_are_those_of_the_keys(tmp_path: Path) -> None:
    document, _ = read(tmp_path, "a:\n  b: 1\n  c: [x,\n    y]\n")
    assert document.places["a", "b"] == (2, 3)
    assert document.places["a", "c", 1] == (4, 5)
    assert document.place(("a", "b")).endswith("x.yaml:2:3")
    assert document.place(("a", "missing")).endswith("x.yaml:1:1")


def test_duplicate_keys_are_refused_where_they_stand(tmp_path: Path) -> None:
    document, problems = read(tmp_path, "a: 1\nb: 2\na: 3\n")
    (problem,) = problems
    assert problem.place.endswith("x.yaml:3:1")
    assert (problem.path, problem.got) == ("a", "it again (line 1)")
    assert document.tree == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\nb: 2\n", 2),
        ("a: b: c\n", 1),
        ("a: 1\n\tb: 2\n", 2),
        ("--- {a: 1}\n--- {b: 1}\n", 2),
    ],
)
def test_syntax_errors_carry_their_line(tmp_path: Path, text: str, line: int) -> None:
    _, problems = read(tmp_path, text)
    (problem,) = problems
    assert f"x.yaml:{line}:" in problem.place


@pytest.mark.parametrize(
    "text", ["a: !!python/object:os.system {}\nb: !x 1\n", "b: !!int '5'\n", "? [1, 2]\n: 3\n"]
)
def test_tags_and_odd_keys_are_refused(tmp_path: Path, text: str) -> None:
    _, problems = read(tmp_path, text)
    assert problems


def test_an_alias_of_itself_is_refused(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a: &x [1, *x]\n")
    (problem,) = problems
    assert problem.expected == "a finite document"


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    _, problems = read(tmp_path, "\n".join(lines))
    assert problems


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "text\n"])
def test_only_a_mapping_is_a_study(tmp_path: Path, text: str) -> None:
    document, problems = read(tmp_path, text)
    assert document.tree == {}
    assert len(problems) == 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    problems = Problems()
    read_document(tmp_path / "none.yaml", problems)
    read_document(tmp_path, problems)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: é".encode("latin-1"))
    read_document(latin, problems)
    assert [problem.path for problem in problems] == ["file"] * 3
