"""CSV files of numbers beside the scripts that make them, and how a page tells them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from simulator.analytics.estimate import format_estimate

__all__ = ["HERE", "ROOT", "STUDY", "Row", "markdown", "read_rows", "told", "write_rows"]

Row = Mapping[str, str]

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


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a table; its first columns hold words, the others numbers."""
    line = ["---" if place < words else "---:" for place in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, line, *rows))


def told(row: Row, name: str, unit: str = "") -> str:
    """Return a value of a row with its error, as many digits as that bears."""
    if not row.get(name):
        return ""
    value, error = float(row[name]), float(row.get(f"{name}_se") or 0.0)
    if value == error == 0.0:
        return "0"
    sign = "+" if value > 0.0 and name.endswith(("_change", "_1_2", "_2_4")) else ""
    return sign + format_estimate(value, error) + unit
