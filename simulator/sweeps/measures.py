"""Risk of a point of a sweep, of the book and by facility, and its change against the base."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean, mean_difference, probability
from simulator.analytics.frame import labels, path_weights, vector
from simulator.analytics.sample import Design, Vector
from simulator.analytics.tail import shortfall_difference, tail_risk

__all__ = [
    "LEVELS",
    "READ",
    "SCALARS",
    "TAILS",
    "Losses",
    "changes",
    "losses_of",
    "measures_of",
    "unpaired_changes",
]

LEVELS: Final = (0.95, 0.99, 0.999)
"""Of VaR and ES."""

MONEY, SHARE = "million USD", "1"
SCALARS: Final = {
    "expected_loss": ("expected lender loss", MONEY),
    "loss_probability": ("probability of a lender loss", SHARE),
    "default_probability": ("probability of default within the horizon", SHARE),
}
TAILS: Final = {
    "value_at_risk": ("value at risk", MONEY),
    "expected_shortfall": ("expected shortfall", MONEY),
}
"""Names, meaning and units of measures; each has a standard error.  Changes are those of `SCALARS`
and, of the book, of the expected shortfall."""

READ: Final = ("book_lender_loss", "lender_loss", "facility_default_month", "path_weight")
"""Variables of a run that are measured."""


class Losses(NamedTuple):
    """What is measured of a run, by path."""

    book: Vector
    book_default: Vector  # 1 if any facility defaults
    facilities: Mapping[str, tuple[Vector, Vector]]  # loss and default of each
    weights: Design | None


def losses_of(run: xr.Dataset) -> Losses:
    """Read losses and defaults of a run.

    Parameters
    ----------
    run : Dataset
        With dimension ``path``.
    """
    loss = run["lender_loss"].transpose("facility", "path").values.astype(np.float64)
    months = run["facility_default_month"].transpose("facility", "path").values
    struck = (months > 0).astype(np.float64)
    each = {
        name: (np.ascontiguousarray(loss[i]), np.ascontiguousarray(struck[i]))
        for i, name in enumerate(labels(run, "facility"))
    }
    any_default = struck.max(axis=0, initial=0.0)
    return Losses(vector(run, "book_lender_loss"), any_default, each, path_weights(run))


def measures_of(one: Losses) -> dict[str, Any]:
    """Measure a run.

    Returns
    -------
    dict
        ``book`` and ``facilities``: by measure [value, standard error], by level for tails.
    """
    return {
        "book": _measured(one.book, one.book_default, one.weights),
        "facilities": {
            name: _measured(loss, default, one.weights)
            for name, (loss, default) in one.facilities.items()
        },
    }


def _measured(loss: Vector, default: Vector, weights: Design | None) -> dict[str, Any]:
    tail = tail_risk(loss, LEVELS, weights)
    return {
        "expected_loss": plain(mean(loss, weights)),
        "loss_probability": plain(probability(loss > 0.0, weights)),
        "default_probability": plain(probability(default > 0.0, weights)),
        "value_at_risk": [plain(one) for one in zip(tail.var, tail.var_se, strict=True)],
        "expected_shortfall": [plain(one) for one in zip(tail.es, tail.es_se, strict=True)],
    }


def changes(one: Losses, base: Losses) -> dict[str, Any]:
    """Return changes against the base, with paired standard errors.

    Parameters
    ----------
    one, base : Losses
        On the same random numbers.

    Returns
    -------
    dict
        As `measures_of`, without VaR; of facilities, those that both have, and no tails.
    """
    pair = (one.weights, base.weights or Design())
    book = _changed((one.book, one.book_default), (base.book, base.book_default), pair)
    tails = [plain(shortfall_difference(one.book, base.book, level, *pair)) for level in LEVELS]
    facilities = {
        name: _changed(now, base.facilities[name], pair)
        for name, now in one.facilities.items()
        if name in base.facilities
    }
    return {"book": {**book, "expected_shortfall": tails}, "facilities": facilities}


def _changed(
    now: tuple[Vector, Vector], then: tuple[Vector, Vector], pair: tuple[Design | None, Design]
) -> dict[str, Any]:
    def lost(loss: Vector) -> Vector:
        return (loss > 0.0).astype(np.float64)

    return {
        "expected_loss": plain(mean_difference(now[0], then[0], *pair)),
        "loss_probability": plain(mean_difference(lost(now[0]), lost(then[0]), *pair)),
        "default_probability": plain(mean_difference(now[1], then[1], *pair)),
    }


def unpaired_changes(one: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of measures that stand on random numbers of their own: errors add up.

    Parameters
    ----------
    one, base : mapping
        What `measures_of` returned.
    """

    def apart(now: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _less(now[name], then[name]) for name in SCALARS}

    tails = [
        _less(x, y)
        for x, y in zip(
            one["book"]["expected_shortfall"], base["book"]["expected_shortfall"], strict=True
        )
    ]
    return {
        "book": {**apart(one["book"], base["book"]), "expected_shortfall": tails},
        "facilities": {
            name: apart(now, base["facilities"][name])
            for name, now in one["facilities"].items()
            if name in base["facilities"]
        },
    }


def _less(x: list[float | None], y: list[float | None]) -> list[float | None]:
    numbers = [value for value in (*x, *y) if value is not None]
    if len(numbers) < 4:
        return [None, None]
    a, error, b, other = numbers
    return [a - b, math.hypot(error, other)]


def plain(estimate: Estimate | tuple[float, float]) -> list[float | None]:
    """Return value and standard error as JSON can hold them."""
    return [float(x) if math.isfinite(x) else None for x in estimate]
