"""What a calibration returns: estimates, remarks, and the two texts made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator.calibration.estimates import Estimated, digits

Cell = tuple[str, str, str, str, str, str]
_HEAD: Cell = ("number", "estimate", "s.e.", "95% interval", "base", "unit")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What data say about some parameters; printed, it is a table and plain sentences.

    Parameters
    ----------
    kind
        ``prices``, ``memory``, ``rates`` or ``hazards``.
    data
        What was fitted: file, column, number of observations, first and last.
    observations
        Number of values fitted.
    estimates
        All numbers, in the order of the table.
    remarks
        What a reader has to know besides the verdicts.
    """

    kind: str
    data: str
    observations: int
    estimates: tuple[Estimated, ...]
    remarks: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Estimated:
        """Return an estimate by id."""
        for one in self.estimates:
            if one.id == name:
                return one
        raise KeyError(name)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What the data say about each parameter that has a base value."""
        return tuple(one.verdict for one in self.estimates if one.verdict)

    def __str__(self) -> str:
        """Return the table and what it means."""
        said = [f"The series {verdict}." for verdict in self.verdicts]
        lines = [f"  - {sentence}" for sentence in [*said, *self.remarks]]
        return "\n".join([f"{self.kind}: {self.data}", "", *self._table(), "", *lines])

    def _table(self) -> Iterator[str]:
        rows = [_HEAD, *map(_cells, self.estimates)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            first, *middle, unit = row
            cells = [cell.rjust(width) for cell, width in zip(middle, widths[1:-1], strict=True)]
            yield "  ".join(["", first.ljust(widths[0]), *cells, unit]).rstrip()

    def as_object(self) -> dict[str, Any]:
        """Return everything as plain values; None for what is not known or has no end."""
        numbers = ("value", "se", "low", "high", "base")
        estimates = [
            {
                "id": one.id,
                **{name: _finite(getattr(one, name)) for name in numbers},
                "unit": one.unit,
                "written": one.written and one.in_domain,
                "pinned_down": one.pinned_down if one.verdict else None,
            }
            for one in self.estimates
        ]
        return {
            "kind": self.kind,
            "data": self.data,
            "observations": self.observations,
            "estimates": estimates,
            "verdicts": list(self.verdicts),
            "remarks": list(self.remarks),
        }

    def parameter_set(self) -> str:
        """Return the estimates as the ``parameters`` block of a study, with a comment on each."""
        lines = [line for one in self.estimates if one.written for line in self._line(one)]
        taken = any(one.written and one.in_domain for one in self.estimates)
        head = [
            f"# neobox calibrate {self.kind}: {self.data}",
            "# Lay it over a study (neobox run STUDY --scenario THIS FILE): then it is a surprise",
            "# against what was expected at t0. If it is what was expected, copy the block into",
            "# the study, under parameters and under reference.",
            "schema: neobox.scenario/1",
            f"name: calibrated-{self.kind}",
            "parameters:",
            "  values:" if taken else "  values: {}",
        ]
        return "\n".join([*head, *(f"    {line}" for line in lines)]) + "\n"

    def _line(self, one: Estimated) -> Iterator[str]:
        known = [f"standard error {digits(one.se)}"] if math.isfinite(one.se) else []
        known += [f"95% {digits(one.low)} to {digits(one.high)}"] if not math.isnan(one.low) else []
        known += [f"{self.observations} observations"]
        if one.verdict and not one.pinned_down:
            known += [f"not pinned down: base {one.base:g}"]
        text = f"{one.id}: {one.value:.6g} # {', '.join(known)}"
        if one.in_domain:
            yield text
        else:
            yield "# outside its domain, so not written:"
            yield f"# {text}"

    def files(self) -> dict[str, str]:
        """Return the text files that the calibration writes, by name."""
        return {"parameters.yaml": self.parameter_set()}


def _cells(one: Estimated) -> Cell:
    interval = "" if math.isnan(one.low) else f"{digits(one.low)} to {digits(one.high)}"
    base = "" if math.isnan(one.base) else digits(one.base)
    se = "" if math.isnan(one.se) else digits(one.se, 2)
    return (one.id, digits(one.value), se, interval, base, one.unit)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
