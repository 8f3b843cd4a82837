"""Print the table of docs/sizing.md, "What the book could lend".

python configs/sizing_numbers.py      # paste what it prints over the table; some minutes
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from simulator import size
from simulator.sizing import Sizing

STUDY: Final = Path(__file__).parent / "neocloud-2026.yaml"
PATHS: Final = 4_000
HEADING: Final = (
    "| facility | solved for | target | today | answer | 95% interval | measure there | runs |\n"
    "|---|---|---|---:|---:|---:|---:|---:|"
)


class Question(NamedTuple):
    """What is asked of the book."""

    facility: str
    solve_for: str
    target: str


QUESTIONS: Final = (
    Question("CRWV_DDTL5", "advance", "EL <= 30bp"),
    Question("CRWV_DDTL5", "reserve", "EL <= 25bp"),
    Question("CRWV_DDTL5", "advance", "P(loss) <= 5%"),
    Question("IREN_HW3", "advance", "P(loss) <= 1%"),
)


def row(found: Sizing) -> str:
    """Return one answer as a row of Markdown."""
    said = found.in_words()
    cells = (
        found.facility,
        found.lever.name,
        str(found.target),
        said.today,
        said.answer if found.status == "solved" else f"{found.status} ({said.answer})",
        f"{said.low} to {said.high}",
        said.measure,
        str(found.runs),
    )
    return "| " + " | ".join(cells) + " |"


def rows(paths: int = PATHS, seed: int = 1, jobs: int = 2) -> Iterator[str]:
    """Solve every question."""
    for one in QUESTIONS:
        yield row(
            size(
                STUDY,
                facility=one.facility,
                target=one.target,
                solve_for=one.solve_for,
                paths=paths,
                seed=seed,
                jobs=jobs,
            )
        )


if __name__ == "__main__":
    sys.stdout.write(HEADING + "\n")
    for line in rows():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
