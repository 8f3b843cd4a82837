"""How many names a figure holds and how much room they take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import xarray as xr

from simulator.analytics.estimate import format_estimate
from simulator.analytics.frame import estimate_at
from simulator.reports.figures.axis import shortened

MOST_BARS: Final = 24


MOST_LINES: Final = 6


MOST_PANELS: Final = 9


BELOW_DATES: Final = 0.3  # inches: dates need no axis label


def bar_height(rows: int) -> float:
    """Return the height of a panel with as many bars [inches]."""
    return 1.2 + 0.26 * max(4, rows)


def bar_margin(names: Sequence[str]) -> float:
    """Return the room that names beside bars need [inches]."""
    return 0.3 + 0.082 * max(len(shortened(name)) for name in names)


def money(table: xr.Dataset, name: str, **selection: object) -> str:
    """Return an estimate of USD m in words."""
    return f"USD {format_estimate(*estimate_at(table, name, **selection))} m"
