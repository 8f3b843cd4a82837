"""One estimated number and what it says: value, error, interval, and the base value beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from simulator.config.parameters import Parameter, parameter_table

VAGUE: Final = 0.5
"""Standard error, as share of the number, above which it counts as not pinned down."""
SHARP: Final = 0.1
"""Below this share an estimate is sharp: a base value inside its interval is then confirmed."""


def digits(value: float, count: int = 3) -> str:
    """Return a number with so many significant digits and no power of ten.

    Examples
    --------
    >>> digits(1826.4), digits(0.02168), digits(2.0), digits(float("inf"))
    ('1830', '0.0217', '2', 'inf')
    """
    return f"{float(f'{value:.{count}g}'):g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """One number that was fitted.

    Parameters
    ----------
    id
        Id of the parameter, or a name of its own for a number that no parameter takes.
    value, se
        Estimate and standard error; NaN where there is none.
    low, high
        95% interval; NaN where there is none, infinite where it has no end.
    unit
        Unit of both.
    written
        Whether the parameter set takes it; the others are told only.
    """

    id: str
    value: float
    se: float = math.nan
    low: float = math.nan
    high: float = math.nan
    unit: str = ""
    written: bool = True

    @property
    def parameter(self) -> Parameter | None:
        """The row of the parameter table, None if the id has none."""
        return parameter_table().get(self.id)

    @property
    def base(self) -> float:
        """Base value of the parameter table, NaN if there is none."""
        return math.nan if self.parameter is None else self.parameter.base

    @property
    def in_domain(self) -> bool:
        """Whether a study would take the value."""
        one = self.parameter
        return one is not None and one.minimum <= self.value <= one.maximum

    @property
    def holds_base(self) -> bool:
        """Whether the base value lies in the interval."""
        return self.low <= self.base <= self.high

    @property
    def relative_error(self) -> float:
        """Standard error as share of estimate or base value, the larger; infinite if not known."""
        size = max(abs(self.value), 0.0 if math.isnan(self.base) else abs(self.base))
        return self.se / size if math.isfinite(self.se) and size else math.inf

    @property
    def pinned_down(self) -> bool:
        """Whether the data say more than the base value does."""
        if self.relative_error > VAGUE:
            return False
        return not self.holds_base or self.relative_error <= SHARP

    @property
    def verdict(self) -> str:
        """What the data say about the parameter, in a sentence; empty if it has no base value."""
        if self.parameter is None or math.isnan(self.low):
            return ""
        inside = "inside" if self.holds_base else "outside"
        base = f"base {digits(self.base)} lies {inside} [{digits(self.low)}, {digits(self.high)}]"
        if self.pinned_down:
            return f"pins down {self.id}: {base}"
        if self.holds_base:
            return f"does not pin down {self.id}: {base}"
        if math.isinf(self.relative_error):
            return f"does not pin down {self.id}: its likelihood has no peak, though {base}"
        share = f"{self.relative_error:.0%}"
        return f"does not pin down {self.id}: its standard error is {share} of it, though {base}"


def parameter(
    name: str, value: float, se: float, low: float, high: float, *, written: bool = True
) -> Estimated:
    """Return an estimate of a parameter, with the unit of its table."""
    unit = parameter_table()[name].unit
    return Estimated(id=name, value=value, se=se, low=low, high=high, unit=unit, written=written)
