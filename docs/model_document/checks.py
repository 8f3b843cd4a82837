"""Run the cases with known numbers, and count the tests that hold the model.

python -m docs.model_document.checks      # writes checks.csv and suite.csv: a minute
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.model_document.tables import ROOT, write_rows
from simulator.selfcheck.folder import SHIPPED, check_folder

TESTS: Final = ROOT / "tests"

HOLDS: Final = {
    "cli": "every command, its messages and exit codes",
    "project": "the documents, the pages, the layers and what is shipped",
    "properties": "cash neither made nor lost; the engine and the plain model on random studies",
    "reference": "the plain model itself: equations one by one, from docs/model.md",
    "stylised": "what must be true of any loan book, with signs and errors",
    "unit": "each part alone: laws of drivers, terms of deals, estimators, store, reports",
    "validation": "exact numbers written out elsewhere: cash flows, notes, pools",
}
"""What each folder of tests holds."""


def case_rows() -> Iterator[dict[str, object]]:
    """Yield what became of each case of the package; one without a kind was not run."""
    for one in check_folder(SHIPPED):
        scores = [z for path, z in one.scores.items() if path not in one.stepped]
        yield {
            "case": one.id,
            "kind": one.kind,
            "numbers": len(one.found) + one.months,
            "worst": f"{one.worst:.2g}",
            "estimates": len(scores),
            "sum_of_squares": f"{sum(z * z for z in scores):.4g}",
        }


def tests_in(folder: Path) -> int:
    """Count test functions; one that runs on many cases counts once."""
    return sum(
        node.name.startswith("test_")
        for file in sorted(folder.rglob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


def folders() -> list[Path]:
    """Return the folders that hold tests."""
    return sorted(one for one in TESTS.iterdir() if any(one.rglob("test_*.py")))


def suite_rows() -> Iterator[dict[str, object]]:
    """Yield the folders of tests and how many they hold."""
    for one in folders():
        yield {"folder": one.name, "tests": tests_in(one), "holds": HOLDS.get(one.name, "")}


if __name__ == "__main__":
    write_rows("checks.csv", case_rows())
    write_rows("suite.csv", suite_rows())
