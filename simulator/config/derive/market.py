"""What the rules read of the market: generations, names, sites, running costs, rates."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache

from simulator.config.derive.halls import hall
from simulator.config.errors import Problems
from simulator.config.loader import Document
from simulator.config.parameters import package_lines
from simulator.config.schema import StudyFile
from simulator.config.terms import Generation, Name
from simulator.config.values import YearMonth

HOURS_PER_YEAR = 8760
COLO_GROWTH = 0.04
"""Growth of colocation rent, log per year (model §9)."""
UPTIME = 0.99
"""Availability of a site before curtailment (model §9)."""

_PARAMETER = {
    "contract_price": "gpu.p0_contract",
    "spot_price": "gpu.p0_spot",
    "kw": "gpu.kw",
    "capex_usd": "gpu.capex",
    "hardware_share": "gpu.hw_share",
}
_BLOCK = {
    "contract_price": "contract_price_usd_per_gpu_hour",
    "spot_price": "spot_price_usd_per_gpu_hour",
}


@dataclass(frozen=True, slots=True)
class Market:
    """What every rule may read.

    Parameters
    ----------
    start
        t0.
    terms
        Parameters of the study: they fill blank terms of a deal.
    expected
        Reference parameters: they say what was expected at t0 (prices, costs, rates).
    generations, planned
        GPU generations by name, at the parameters and at the reference parameters.
    names
        Counterparties by name.
    study
        The study, for its sites.
    forwards
        SOFR forwards expected at t0, of months 1..H; empty: Vasicek.
    """

    start: YearMonth
    terms: Mapping[str, float]
    expected: Mapping[str, float]
    generations: Mapping[str, Generation]
    planned: Mapping[str, Generation]
    names: Mapping[str, Name]
    study: StudyFile
    forwards: tuple[float, ...] = ()

    def month(self, when: YearMonth) -> int:
        """Return a calendar month as a month of the model."""
        return when - self.start

    def expected_sofr(self, years: float) -> float:
        """Return SOFR expected on average over the next years: by the curve, else Vasicek."""
        if self.forwards:
            months = max(1, round(12 * years))
            known = self.forwards[:months]
            return (sum(known) + (months - len(known)) * known[-1]) / months
        r0, kappa, theta = (self.expected[f"ir.{name}"] for name in ("r0", "kappa", "theta"))
        return theta + (r0 - theta) * -math.expm1(-kappa * years) / (kappa * years)


def mean_growth(rate: float, years: float) -> float:
    """Return the mean of exp(rate x t) over t from 0 to `years`."""
    return math.expm1(rate * years) / (rate * years) if rate * years else 1.0


@cache
def _package() -> tuple[dict[str, str], ...]:
    return tuple(csv.DictReader(package_lines("generations.csv")))


def package_names() -> frozenset[str]:
    """Return the names of the generations of the package."""
    return frozenset(row["generation"] for row in _package())


_TABLED = tuple(
    one.name for one in fields(Generation) if one.name != "name" and one.default is MISSING
)
"""Fields that every generation has a value of; the others have neutral defaults."""
_OWN = (
    "price_drift",
    "tightness_share",
    "steps_share",
    "brownian_sd",
    "resale_curve",
    "resale_after",
    "resale_beta",
    "income_months",
    "income_rate",
    "memory_exposed",
    "occupancy",
)
"""Fields that only the study's own block can give."""


def generations(
    study: StudyFile, parameters: Mapping[str, float], document: Document, out: Problems
) -> dict[str, Generation]:
    """Return the GPU generations of a study.

    A key of the study's own block wins, then a parameter (``gpu.kw.H100``), then the package table.

    Parameters
    ----------
    study, document
        The study, and where its keys stand.
    parameters
        Parameters by id.
    out
        Takes keys that a new generation leaves out.
    """
    table = {row["generation"]: row for row in _package()}
    found = {}
    for name in sorted({*table, *study.generations}):
        block = study.generations.get(name)
        if block and block.kind == "hall":
            if name in table:
                where, mend = ("generations", name, "kind"), "giving the hall a name of its own"
                place, path = document.place(where), ".".join(where)
                out.add(place, path, expected="gpu", got="hall", mend=mend)
            found[name] = hall(name, block, parameters)
            continue
        values: dict[str, object] = {}
        for field in _TABLED:
            own = getattr(block, _BLOCK.get(field, field), None)
            if own is None and name in table:
                own = parameters.get(f"{_PARAMETER.get(field)}.{name}", table[name][field])
            if own is None and field == "base_grows":
                own = True
            if own is None:
                at = ("generations", name)
                out.add(
                    document.place(at),
                    f"generations.{name}.{_BLOCK.get(field, field)}",
                    expected="a value (no table or parameter gives one)",
                    got="nothing",
                    mend="adding it",
                )
                break
            values[field] = own == "true" if isinstance(own, str) and field == "base_grows" else own
        else:
            own = {field: getattr(block, field, None) for field in _OWN}
            given = {field: value for field, value in own.items() if value not in (None, ())}
            found[name] = replace(_generation(name, values), **given)
    return found


def _generation(name: str, values: Mapping[str, object]) -> Generation:
    numbers = {
        field: float(value)  # type: ignore[arg-type]
        for field, value in values.items()
        if field != "base_grows"
    }
    return Generation(name=name, base_grows=bool(values["base_grows"]), **numbers)  # type: ignore[arg-type]
