"""Tables as text, and how estimates become text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import xarray as xr

from simulator.analytics.estimate import format_estimate, format_probability
from simulator.analytics.frame import draws_of, estimate_at
from simulator.analytics.summary import Analysis

RESOLUTION: Final = 1e-6
"""Errors below a dollar [USD m], or a millionth of a percent, are rounding and are not printed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Parameters
    ----------
    caption : str
        What it holds, with units.
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str
        Cells.
    note : str
        Said below it.
    words : int
        How many columns from the left hold words; the others hold numbers and align right.
    strong : int
        How many rows from the top stand out, as totals do.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    words: int = 1
    strong: int = 0


@dataclass(slots=True)
class Reader:
    """Reads estimates of one table of analytics as text.

    Parameters
    ----------
    table : Dataset
        Estimates with ``_se``.
    paths : int
        Number of paths.
    draws : float
        Number of independent draws, for bounds where no event was seen.
    selection : dict
        Labels that every reading shares.
    """

    table: xr.Dataset
    paths: int
    draws: float
    selection: dict[str, object] = field(default_factory=dict)

    def at(self, **selection: object) -> Reader:
        """Return a reader of a part of the table."""
        return replace(self, selection={**self.selection, **selection})

    def number(self, name: str, **selection: object) -> str:
        """Read an amount, e.g. in USD m."""
        estimate = estimate_at(self.table, name, **self.selection, **selection)
        return format_estimate(*estimate, resolution=RESOLUTION)

    def percent(self, name: str, **selection: object) -> str:
        """Read a share as a percentage."""
        estimate = estimate_at(self.table, name, **self.selection, **selection)
        return format_estimate(*estimate, percent=True, resolution=RESOLUTION)

    def values(self, name: str) -> list[float]:
        """Read numbers that carry no error, e.g. counts."""
        return [float(one) for one in self.table[name].sel(self.selection).values]

    def word(self, name: str) -> str:
        """Read a grade or another word."""
        return str(self.table[name].sel(self.selection).values)

    def chance(self, name: str, **selection: object) -> str:
        """Read a probability; where no event was seen, its bound."""
        estimate = estimate_at(self.table, name, **self.selection, **selection)
        return format_probability(*estimate, self.draws)


def reader_of(analysis: Analysis, table: xr.Dataset) -> Reader:
    """Return a reader of a table of the analysis."""
    return Reader(table, analysis.run.sizes["path"], draws_of(analysis.run))


def level_name(level: float) -> str:
    """Return a level in percent.

    >>> level_name(0.995), level_name(0.99)
    ('99.5%', '99%')
    """
    return f"{100 * level:.6g}%"
