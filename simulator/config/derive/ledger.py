"""Where every value of the resolved book comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from simulator.config.crosscheck import parse_assumed
from simulator.config.errors import Problems
from simulator.config.terms import DerivedCell
from simulator.config.values import YearMonth

T = TypeVar("T")


class Unfillable(Exception):
    """A deal that no rule can complete; its problem is noted already."""


@dataclass(slots=True)
class Ledger:
    """Values that rules filled, by table, row and field.

    Parameters
    ----------
    out
        Takes what no rule can fill.
    places
        Where each row stands, by table and id.
    cells
        What was filled so far.
    """

    out: Problems
    places: dict[tuple[str, str], str]
    cells: dict[tuple[str, str, str], DerivedCell] = field(default_factory=dict)

    def fill(self, table: str, row: str, name: str, given: T | None, value: T, rule: str) -> T:
        """Return what is given, else `value`, which is noted with the rule that made it."""
        if given is not None:
            return given
        self.note(table, row, name, value, rule)
        return value

    def note(self, table: str, row: str, name: str, value: object, rule: str) -> None:
        """Note a value and the rule that made it."""
        self.cells[table, row, name] = DerivedCell(table, row, name, _shown(value), rule)

    def assume(self, table: str, row: str, source: Any) -> None:
        """Mark the fields that a row or block says were assumed."""
        for name, reason in parse_assumed(source.assumed):
            known = self.cells.get((table, row, name))
            if known:
                rule, value = f"{known.rule}; {reason}", known.value
            else:
                rule, value = reason, _shown(getattr(source, name, None))
            self.cells[table, row, name] = DerivedCell(table, row, name, value, rule, True)

    def stop(self, table: str, row: str, name: str, expected: str, got: str, mend: str) -> NoReturn:
        """Note a problem and give the deal up."""
        place = self.places.get((table, row), f"{table}!{row}")
        self.out.add(place, name, expected=expected, got=got, mend=mend)
        raise Unfillable


def _shown(value: object) -> float | str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, YearMonth):
        return str(value)
    return "" if value is None else str(value)
