"""Measure what each judged parameter does to the default book, one at a time.

python -m docs.model_document.register            # writes register.csv: about ten CPU-minutes

Every parameter whose basis is "judgement" is set to its low and to its stress value, all else as
the study has it, on the same random numbers; where the table gives no range it is moved by a
fifth either way (counts and months by one at least). What was expected at t0 stays as it was, as in
`neobox scenarios --drivers`: the question is what it costs if the judgement turns out wrong, with
the deals struck on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from docs.model_document.tables import STUDY, write_rows
from simulator.analytics.comparison import Outcome, comparison_table
from simulator.analytics.frame import estimate_at
from simulator.config.parameters import Parameter, parameter_table
from simulator.scenarios import BASE, Variant, load_variants, run_variants

PATHS, SEED, JOBS = 4_000, 1, 1
FILE: Final = "register.csv"
MOVE: Final = 0.2  # of a value whose table row gives no range
WHOLE: Final = ("count", "sub-stages", "months")  # rounded by the model: moved by one at least


class Move(NamedTuple):
    """One parameter set away from base."""

    id: str
    side: str  # low or stress
    value: float
    stated: bool  # the range is that of the table, not a fifth

    @property
    def variant(self) -> Variant:
        """The study with it."""
        return Variant(f"{self.id} {self.side}", (), {self.id: self.value})


def judged() -> list[Parameter]:
    """Return every parameter that rests on judgement, in order of id."""
    return [one for one in parameter_table().values() if one.basis == "judgement"]


def moves_of(one: Parameter) -> list[Move]:
    """Return the moves of a parameter: to its low and its stress value, where they differ.

    Parameters
    ----------
    one : Parameter
        A row of the parameter table.

    Returns
    -------
    list of Move
        Empty for a parameter that no code reads.
    """
    if not one.read:
        return []
    if one.low == one.stress == one.base:
        step = max(MOVE * abs(one.base), 1.0 if one.unit in WHOLE else 0.0)
        around = (("low", one.base - step), ("stress", one.base + step))
        inside = [
            (side, float(f"{min(max(value, one.minimum), one.maximum):.6g}"))
            for side, value in around
        ]
        return [Move(one.id, side, value, False) for side, value in inside if value != one.base]
    sides = (("low", one.low), ("stress", one.stress))
    return [Move(one.id, side, value, True) for side, value in sides if value != one.base]


def outcome(variant: Variant) -> Outcome:
    """Run the book once."""
    studies = load_variants(STUDY, [variant])
    return run_variants(studies, paths=PATHS, seed=SEED, jobs=JOBS)[variant.name]


CORRELATIONS: Final = (
    Move("correlation_stress", "low", 0.7, True),
    Move("correlation_stress", "stress", 1.3, True),
)
"""The matrix of monthly innovations is judged as a whole: its block of D, P, C and Z is scaled."""


def all_moves() -> list[Move]:
    """Return every move that is measured, in the order of the file."""
    return [*(move for one in judged() for move in moves_of(one)), *CORRELATIONS]


MEASURES: Final = ("expected_loss", "expected_shortfall")


def rows() -> Iterator[dict[str, object]]:
    """Yield the base, then every move with its changes against the base and their paired errors."""
    base = outcome(Variant(BASE))
    yield row(Move(BASE, "", float("nan"), True), {BASE: base}, "")
    for move in all_moves():
        found = {BASE: base, move.variant.name: outcome(move.variant)}
        yield row(move, found, "_change")


def row(move: Move, found: dict[str, Outcome], ending: str) -> dict[str, object]:
    """Return one line of the file: measures of the last run of `found`."""
    table = comparison_table(found)
    cells: dict[str, object] = {
        "id": move.id,
        "side": move.side,
        "value": f"{move.value:.6g}",
        "stated": str(move.stated).lower(),
        "paths": PATHS,
        "seed": SEED,
    }
    for measure in MEASURES:
        value, error = estimate_at(table, measure + ending, scenario=list(found)[-1])
        cells |= {measure: f"{value:.6g}", f"{measure}_se": f"{error:.4g}"}
    return cells


def main() -> None:
    """Write the file."""
    found = []
    for one in rows():
        found.append(one)
        sys.stderr.write(f"{len(found)} {one['id']} {one['side']} {one['expected_loss']}\n")
    write_rows(FILE, found)


if __name__ == "__main__":
    main()
