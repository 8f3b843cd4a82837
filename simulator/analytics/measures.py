"""Measures of a run by the names they are written with.

el, var99, es99.9, pd, p(loss)   of the book
book.es99                        the same, said in full
facility.CRWV_DDTL4.pd           of a facility: el, var…, es…, pd, p(loss), of all its lenders
sponsor.CoreWeave.pd             of a sponsor or counterparty: pd
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import counted, mean, probability
from simulator.analytics.exposure import exposure, holding, share_of
from simulator.analytics.frame import labels, path_weights, vector
from simulator.analytics.risk import book_defaults
from simulator.analytics.sample import Vector
from simulator.analytics.tail import expected_shortfall, tail_count, value_at_risk
from simulator.dataset.dims import COUNTERPARTY, FACILITY, SPONSOR

__all__ = ["BOOK", "ENTITIES", "KIND", "Found", "Measure", "read_kind", "read_measure"]

BOOK: Final = "book"

ENTITIES: Final = (FACILITY, SPONSOR, COUNTERPARTY)
"""What a measure may be of, besides the book."""

KIND: Final = r"(?P<kind>el|mean|pd|p\(loss\)|(?:var|es)(?P<level>\d+(?:\.\d+)?))"
"""Pattern of what is measured, for expressions that hold one; case does not count."""

SCOPED: Final = re.compile(
    rf"(?:book\.|(?P<scope>{'|'.join(ENTITIES)})\.(?P<id>.+)\.)?{KIND}", re.IGNORECASE
)
WORDS: Final = {"el": "expected loss", "pd": "P(default)", "p(loss)": "P(loss)"}


class Found(NamedTuple):
    """An estimate, and the independent paths it rests on: with a loss, a default, in the tail."""

    estimate: Estimate
    rests_on: float


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, of whom.

    Parameters
    ----------
    kind : str
        ``el``, ``var``, ``es``, ``pd`` (of the book: any facility it holds defaults) or
        ``p(loss)``.
    level : float
        Of VaR and ES, else 0.
    scope : str
        ``book``, ``facility``, ``sponsor`` or ``counterparty``.
    id : str
        Of the facility, sponsor or counterparty.
    """

    kind: str
    level: float = 0.0
    scope: str = BOOK
    id: str = ""

    @property
    def name(self) -> str:
        """What is measured, as it is written: ``es99.9``."""
        return f"{self.kind}{100.0 * self.level:.6g}" if self.level else self.kind

    @property
    def words(self) -> str:
        """What is measured, in words."""
        if self.kind in WORDS:
            return WORDS[self.kind]
        return f"{'VaR' if self.kind == 'var' else 'ES'} {100.0 * self.level:.6g}%"

    @property
    def is_probability(self) -> bool:
        """Whether the measure is one."""
        return self.kind in ("pd", "p(loss)")

    def __str__(self) -> str:
        """Return the measure as it is written in full."""
        return ".".join(part for part in (self.scope, self.id, self.name) if part)

    def found(self, run: xr.Dataset, *, share: bool = False) -> Found:
        """Estimate the measure.

        Parameters
        ----------
        run : Dataset
            With dimension ``path`` and the variables that the measure rests on.
        share : bool
            Whether losses are taken as shares of what was lent (PV), path by path, instead of
            in USD m.

        Returns
        -------
        Found
            NaN with NaN error if shares are asked for and the run does not say what was lent.
        """
        weights, values = path_weights(run), self.values(run, share=share)
        if not np.isfinite(values).all():
            return Found(Estimate(np.nan, np.nan), 0.0)
        if self.is_probability:
            return Found(probability(values > 0.0, weights), counted(values > 0.0, weights))
        if self.kind == "el":
            return Found(mean(values, weights), counted(values != 0.0, weights))
        measured = value_at_risk if self.kind == "var" else expected_shortfall
        return Found(measured(values, self.level, weights), tail_count(values, self.level, weights))

    def values(self, run: xr.Dataset, *, share: bool = False) -> Vector:
        """Return what the measure is taken of: losses, or 1 on paths with the event; (path,)."""
        if self.kind == "pd":
            return np.asarray(self._defaults(run), dtype=np.float64)
        loss = self._losses(run, share=share)
        return np.asarray(loss > 0.0, dtype=np.float64) if self.kind == "p(loss)" else loss

    def _position(self, run: xr.Dataset) -> int:
        """Return where the entity stands in the run."""
        return labels(run, self.scope).index(self.id)

    def _defaults(self, run: xr.Dataset) -> NDArray[np.bool_]:
        """Return on which paths there is a default; (path,)."""
        if self.scope == BOOK:
            return book_defaults(run)
        at = {self.scope: self._position(run)}
        return np.asarray(vector(run, f"{self.scope}_default_month", **at) > 0.0)

    def _losses(self, run: xr.Dataset, *, share: bool) -> Vector:
        """Return losses, USD m or shares of what was lent; (path,)."""
        if self.scope == BOOK:
            loss = vector(run, "book_lender_loss")
            if not share:
                return loss
            facilities = range(run.sizes[FACILITY])
            return share_of(loss, np.sum([holding(run, i).lent for i in facilities], axis=0))
        i = self._position(run)
        loss = vector(run, "lender_loss", **{FACILITY: i})
        return share_of(loss, exposure(run, i)) if share else loss


def read_kind(found: re.Match[str]) -> tuple[str, float] | None:
    """Read kind and level out of a match of a pattern that holds `KIND`.

    Returns
    -------
    tuple of str and float, or None
        None if VaR or ES is asked for at a level below 50% or not below 100%.
    """
    level = round(float(found["level"] or 0.0) / 100.0, 12)
    if found["level"] and not 0.5 <= level < 1.0:
        return None
    name = found["kind"].casefold()
    if found["level"]:
        return ("es" if name.startswith("es") else "var"), level
    return ("el" if name == "mean" else name), 0.0


def read_measure(text: str) -> Measure | None:
    """Read a measure; None if it is none.

    Examples
    --------
    >>> print(read_measure("facility.CRWV 4.0.ES99.9"), read_measure("el"), read_measure("es5"))
    facility.CRWV 4.0.es99.9 book.el None
    """
    found = SCOPED.fullmatch(text.strip())
    kind = read_kind(found) if found else None
    if found is None or kind is None:
        return None
    scope = (found["scope"] or BOOK).casefold()
    if scope in (SPONSOR, COUNTERPARTY) and kind[0] != "pd":
        return None
    return Measure(*kind, scope, found["id"] or "")
