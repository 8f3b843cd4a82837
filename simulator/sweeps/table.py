"""Measures of all points as one table: a line for the book and for each facility of each point."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.sweeps.measures import LEVELS, SCALARS, TAILS

__all__ = ["as_csv"]

BOOK = "book"


def columns() -> list[str]:
    """Return the names of all measures, each with its error, in the order of `cells`."""
    found = [*SCALARS, *(f"{name}_{level:g}" for name in TAILS for level in LEVELS)]
    found += [f"{name}_change" for name in SCALARS]
    found += [f"expected_shortfall_{level:g}_change" for level in LEVELS]  # of the book alone
    return [column for name in found for column in (name, f"{name}_se")]


def cells(measures: Mapping[str, Any], changes: Mapping[str, Any]) -> list[Any]:
    """Return the measures of a book or facility; blank where there are none."""
    pairs = [measures[name] for name in SCALARS]
    pairs += [pair for name in TAILS for pair in measures[name]]
    nothing = [None, None]
    pairs += [changes.get(name, nothing) for name in SCALARS]
    pairs += changes.get("expected_shortfall", [nothing] * len(LEVELS))
    return ["" if value is None else value for pair in pairs for value in pair]


def as_csv(points: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """Return the table as CSV.

    Parameters
    ----------
    points : iterable of (name, coordinates, measures)
        Measures as the files of a sweep hold them.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, (name, coordinates, found) in enumerate(points):
        if number == 0:
            writer.writerow(["point", *coordinates, "entity", *columns()])
        measures, changes = found["measures"], found.get("changes", {})
        rows = {BOOK: (measures["book"], changes.get("book", {}))}
        known = changes.get("facilities", {})
        rows |= {one: (held, known.get(one, {})) for one, held in measures["facilities"].items()}
        for entity, (held, changed) in rows.items():
            writer.writerow([name, *coordinates.values(), entity, *cells(held, changed)])
    return text.getvalue()
