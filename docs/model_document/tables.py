"""CSV files of numbers beside the scripts that make them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

__all__ = ["HERE", "ROOT", "STUDY", "read_rows", "write_rows"]

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
STUDY: Final = ROOT / "configs" / "neocloud-2026.yaml"


def write_rows(name: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table; numbers with the digits that give the same number back."""
    rows = list(rows)
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(name: str) -> list[dict[str, str]]:
    """Return a table that was written here, as text."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
