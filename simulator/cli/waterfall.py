"""A path as a table: months down, lines of the waterfall across."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.engine.paths import TracedPath

__all__ = ["MonthTable", "month_name", "month_table"]

Column = NDArray[np.float64]

STOCKS: Final = frozenset({"debt", "cash", "collateral"})
RATIOS: Final = frozenset({"DSCR", "LTV"})
CASH: Final = ("trapped_cash", "debt_service_reserve", "power_reserve", "collected_cash")
UNITS: Final = "USD m; DSCR over three months; a year's line adds flows and ends with its stocks"
IN_WORKOUT: Final = (
    "CFADS and service are blank in a workout: lenders get receipts less costs, and reserves"
)


@dataclass(frozen=True)
class MonthTable:
    """Monthly numbers of a facility and what stands behind it.

    Attributes
    ----------
    facility, behind : str
        Its id, and the box (or HoldCo) that pays.
    start : str
        Start month of the study, "YYYY-MM".
    key : mapping of str to ndarray (month,)
        What the printed table shows.
    lines : mapping of str to ndarray (month,)
        Every line, by name.
    """

    facility: str
    behind: str
    start: str
    key: Mapping[str, Column]
    lines: Mapping[str, Column]

    @property
    def months(self) -> int:
        """Number of months."""
        return len(next(iter(self.lines.values())))

    def as_text(self) -> str:
        """Return the key columns, a block for each year with its sums."""
        names = list(self.key)
        rows = [["month", "", *names]]
        for first in range(0, self.months, 12):
            year = range(first, min(first + 12, self.months))
            for row in year:
                cells = [shown(name, self.key[name][row]) for name in names]
                rows.append([str(row + 1), month_name(self.start, row + 1), *cells])
            sums = [shown(name, self._of_year(name, year)) for name in names]
            rows += [["", f"year {first // 12 + 1}", *sums], []]
        head = f"{self.facility}, paid by {self.behind} ({UNITS})"
        if np.isnan(self.key.get("CFADS", np.zeros(1))).any():
            head += f"\n{IN_WORKOUT}"
        return f"{head}\n\n{aligned(rows)}"

    def _of_year(self, name: str, year: range) -> float:
        values = self.key[name][year.start : year.stop]
        if name in RATIOS or np.isnan(values).all():
            return float("nan")
        return float(values[-1] if name in STOCKS else np.nansum(values))

    def as_object(self) -> dict[str, Any]:
        """Return every line as plain values; None where there is no number."""
        months = range(1, self.months + 1)
        return {
            "facility": self.facility,
            "paid_by": self.behind,
            "months": [month_name(self.start, month) for month in months],
            "lines": {name: plain(values) for name, values in self.lines.items()},
        }

    def write_csv(self, path: Path) -> None:
        """Write every line, one row a month."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["month", "date", *self.lines])
            columns = [plain(values) for values in self.lines.values()]
            for row in range(self.months):
                cells = ["" if column[row] is None else column[row] for column in columns]
                writer.writerow([row + 1, month_name(self.start, row + 1), *cells])


def month_table(path: TracedPath, facility: str, start: str) -> MonthTable:
    """Collect the monthly numbers behind a facility.

    Parameters
    ----------
    path : TracedPath
        The path.
    facility : str
        Id of the facility.
    start : str
        Start month of the study.

    Returns
    -------
    MonthTable
        Of its box, or for HoldCo debt of the sponsor.
    """
    from simulator.engine.results import facilities_of
    from simulator.sponsor.terms import SPONSOR

    layout, trace = path.prepared.layout, path.trace
    (chosen,) = [one for one in facilities_of(layout) if one.id == facility]
    balance, interest, received, _ = (
        trace.tranche[:, field, list(chosen.tranches)].sum(axis=1) for field in range(4)
    )
    lines: dict[str, Column] = {}
    if chosen.box >= 0:
        from simulator.box.flows import LINES
        from simulator.box.terms import BOX, PERFORMING

        lines = {name: trace.flow[:, row, chosen.box] for row, name in enumerate(LINES)}
        before = np.roll(trace.box[:, BOX.status, chosen.box], 1)  # status at the month's start
        before[0] = PERFORMING
        of_workout = np.where(before == PERFORMING, 0.0, np.nan)
        key = {
            "receipts": lines["receipts"],
            "costs": lines["operating_costs"],
            "CFADS": lines["cfads"] + of_workout,
            "service": lines["debt_service"] + of_workout,
            "drawn": lines["debt_drawn"],
            "interest": interest,
            "to lenders": received,
            "equity in": lines["equity_for_capex"]
            + lines["equity_other"]
            + lines["support"]
            + lines["cure"],
            "equity out": lines["distributed"],
            "debt": balance,
            "cash": sum(lines[name] for name in CASH),
            "collateral": lines["collateral"],
            "DSCR": lines["dscr"],
            "LTV": lines["ltv"],
        }
        if lines["disposals"].any():
            key["disposals"] = lines["disposals"]
        behind = layout.boxes[chosen.box]
    else:
        rows = trace.holdco[:, :, chosen.sponsor]
        lines = {f"sponsor_{name}": rows[:, row] for row, name in enumerate(SPONSOR._fields)}
        raised = np.diff(rows[:, SPONSOR.raised], prepend=0.0)
        key = {
            "fixed costs": rows[:, SPONSOR.fixed_costs],
            "raised": raised,
            "cash": rows[:, SPONSOR.cash],
            "interest": interest,
            "to lenders": received,
            "debt": balance,
        }
        behind = layout.sponsors[chosen.sponsor]
    for d in chosen.tranches:
        for field, name in enumerate(("balance", "interest", "received", "coupon")):
            lines[f"{layout.tranches[d].id}.{name}"] = trace.tranche[:, field, d]
    return MonthTable(facility, behind, start, key, lines)


def month_name(start: str, month: int) -> str:
    """Return "YYYY-MM" of a month counted from the start month.

    Examples
    --------
    >>> month_name("2026-11", 1), month_name("2026-11", 14)
    ('2026-12', '2028-01')
    """
    year, first = map(int, start.split("-"))
    past = first - 1 + month
    return date(year + past // 12, past % 12 + 1, 1).strftime("%Y-%m")


def shown(name: str, value: float) -> str:
    """Return a number as the table prints it, nothing where there is none."""
    if np.isnan(value):
        return ""
    if name == "LTV":
        return f"{value:.0%}"
    if name == "DSCR":
        return f"{value:.2f}" if value < 100.0 else "> 99"
    return f"{value:,.1f}"


def plain(values: Column) -> list[float | None]:
    """Return numbers as JSON knows them."""
    return [None if np.isnan(value) else float(value) for value in values]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text, right-aligned in columns as wide as their widest cell."""
    widths = [
        max((len(row[column]) for row in rows if len(row) > column), default=0)
        for column in range(max(map(len, rows)))
    ]
    texts = (
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=False))
        for row in rows
    )
    return "\n".join(text.rstrip() for text in texts).rstrip()
