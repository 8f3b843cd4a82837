"""Series as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines to a CSV file."""

    def to_file(*lines: str, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def monthly(write: Write) -> Callable[[Iterable[float]], Path]:
    """Write values by month from January 2000 on."""

    def to_file(values: Iterable[float]) -> Path:
        rows = (f"{2000 + i // 12}-{i % 12 + 1:02d},{float(one)!r}" for i, one in enumerate(values))
        return write("month,value", *rows)

    return to_file
