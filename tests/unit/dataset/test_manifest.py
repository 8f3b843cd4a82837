from pathlib import Path

import pytest

from simulator.dataset.manifest import ChunkRecord, Manifest

PLAN = "0123456789abcdef"


def record(chunk: int, plan: str = PLAN) -> ChunkRecord:
    return ChunkRecord(chunk, 10 * chunk, 10, {"scalar": "ab", "series": "cd"}, plan)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    manifest = Manifest(tmp_path / "manifest.jsonl", PLAN)
    for chunk in (2, 0):
        manifest.append(record(chunk))
    return tmp_path / "manifest.jsonl"


def test_records_are_read_back(path: Path) -> None:
    assert Manifest(path, PLAN).records == {0: record(0), 2: record(2)}


def test_a_line_cut_at_any_byte_counts_for_nothing(path: Path) -> None:
    whole = path.read_bytes()
    first_line = whole.index(b"\n") + 1
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        expected = {2: record(2)} if end >= first_line else {}
        assert Manifest(path, PLAN).records == expected


def test_a_torn_line_is_written_over(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"chunk": 1, "first": 10, "co' + 500 * b"x")
    Manifest(path, PLAN).append(record(1))
    assert Manifest(path, PLAN).records == {0: record(0), 1: record(1), 2: record(2)}
    assert path.read_bytes().count(b"\n") == 3
    assert b"xxx" not in path.read_bytes()


def test_records_of_another_plan_do_not_count(path: Path) -> None:
    assert Manifest(path, "another").records == {}


def test_rewriting_sorts_and_drops_what_does_not_count(path: Path) -> None:
    manifest = Manifest(path, PLAN)
    manifest.append(record(5, plan="another"))
    del manifest.records[5]
    manifest.rewrite()
    manifest.append(record(1))
    assert path.read_bytes() == record(0).line() + record(2).line() + record(1).line()
