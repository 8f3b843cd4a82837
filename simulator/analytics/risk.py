"""The risk table of lenders: losses, default, exposure and tail by facility and for the book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean, probability, ratio
from simulator.analytics.exposure import exposure, holding, share_of
from simulator.analytics.frame import estimates, labels, path_weights, vector
from simulator.analytics.rating import RatingScale, fitted_scale
from simulator.analytics.sample import Design, Vector, independent_draws
from simulator.analytics.tail import LEVELS, tail_count, tail_risk, unknown
from simulator.dataset.dims import FACILITY

_SCALARS = {
    "exposure": ("mean amount lent: opening claim and draws, PV", "million USD"),
    "held_share": ("share of what was lent that the lender of the book holds", "1"),
    "expected_loss": ("expected lender loss, present value at the loan's coupon", "million USD"),
    "loss_probability": ("probability of a lender loss", "1"),
    "default_probability": ("probability of default within the horizon", "1"),
    "censored_probability": ("probability of being alive with debt at the horizon", "1"),
    "exposure_at_default": ("mean claim at default, over defaults", "million USD"),
    "loss_given_default": ("principal lost over claim at default, over defaults", "1"),
    "expected_loss_share": ("expected lender loss as share of exposure", "1"),
}
_TAILS = {
    "value_at_risk": ("value at risk", "million USD"),
    "expected_shortfall": ("expected shortfall", "million USD"),
    "value_at_risk_share": ("value at risk as share of exposure", "1"),
    "expected_shortfall_share": ("expected shortfall as share of exposure", "1"),
}


class Lending(NamedTuple):
    """What one facility, or the book, did on each path; arrays (path,)."""

    lent: Vector  # PV [USD m], NaN if the run does not say
    held: Vector  # the lender's part of it [USD m]
    loss: Vector  # PV [USD m]
    share: Vector  # of what was lent; NaN if nothing was lent on any path
    defaulted: NDArray[np.bool_]
    claim: Vector  # at default, else 0 [USD m]
    lost: Vector  # of that claim [USD m]
    censored: NDArray[np.bool_]  # alive with debt at the horizon


class Measures(NamedTuple):
    """Everything measured on one `Lending`."""

    scalars: dict[str, Estimate]
    tails: dict[str, Iterable[tuple[float, float]]]  # (value, se) by level
    counts: list[float]  # of paths that each level rests on
    rating: str
    rating_range: str


def risk_table(
    dataset: xr.Dataset,
    levels: Sequence[float] = LEVELS,
    scale: RatingScale | None = None,
) -> xr.Dataset:
    """Measure the lenders' risk by facility and for the whole book.

    Parameters
    ----------
    dataset : Dataset
        A run: ``lender_loss(path, facility)``, ``lender_principal_loss``, ``lender_loss_share``,
        ``exposure_at_default``, ``facility_default_month``, ``facility_censored``,
        ``book_lender_loss(path)``; what was lent and held comes from the tranches; paths
        drawn by importance sampling carry ``path_weight(path)``.
    levels : sequence of float
        Levels of VaR and ES.
    scale : RatingScale, optional
        For the implied ratings; the fitted curve unless given.

    Returns
    -------
    Dataset
        By ``facility`` (and ``level``): the measures named in this module, each with ``*_se``,
        ``tail_paths`` (how many independent paths a level rests on, see `tail.tail_count`),
        ``implied_rating`` and ``implied_rating_range`` (expected loss ± 2 se; with no loss on
        any of n paths the upper end is 3/n, the bound by the rule of three), both ``n/a`` for
        a facility that was lent to on no path. The same for the book under ``book_*``.
    """
    scale = scale or fitted_scale()
    weights = path_weights(dataset)
    facilities = labels(dataset, FACILITY)
    rows = [_measure(_facility(dataset, i), levels, scale, weights) for i in range(len(facilities))]
    book = _measure(_book(dataset), levels, scale, weights)
    return xr.Dataset(
        _variables(rows, (FACILITY,), levels) | _variables([book], (), levels, "book_"),
        coords={FACILITY: facilities, "level": list(levels)},
        attrs={"paths": dataset.sizes["path"], "rating_scale": scale.name},
    )


def _facility(dataset: xr.Dataset, i: int) -> Lending:
    """Vectors of one facility."""
    defaulted = vector(dataset, "facility_default_month", facility=i) > 0
    loss, lent = vector(dataset, "lender_loss", facility=i), exposure(dataset, i)
    known = "lender_loss_share" in dataset
    share = vector(dataset, "lender_loss_share", facility=i) if known else share_of(loss, lent)
    return Lending(
        lent=lent,
        held=holding(dataset, i).lent,
        loss=loss,
        share=share if lent.any() else np.full_like(share, np.nan),
        defaulted=defaulted,
        claim=np.where(defaulted, vector(dataset, "exposure_at_default", facility=i), 0.0),
        lost=np.where(defaulted, vector(dataset, "lender_principal_loss", facility=i), 0.0),
        censored=vector(dataset, "facility_censored", facility=i) > 0,
    )


def _book(dataset: xr.Dataset) -> Lending:
    """Vectors of the book: each facility at the lender's share of what was lent."""
    zeros = np.zeros(dataset.sizes["path"])
    claim, lost, lent = zeros.copy(), zeros.copy(), zeros.copy()
    defaulted, censored = zeros > 0.0, zeros > 0.0
    for i in range(dataset.sizes[FACILITY]):
        facility, held = _facility(dataset, i), holding(dataset, i)
        defaulted = defaulted | (facility.defaulted & (held.share > 0.0))
        censored = censored | (facility.censored & (held.share > 0.0))
        claim += held.share * facility.claim
        lost += held.share * facility.lost
        lent += held.lent
    loss = vector(dataset, "book_lender_loss")
    return Lending(lent, lent, loss, share_of(loss, lent), defaulted, claim, lost, censored)


def book_defaults(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return on which paths any facility defaults of which the book holds a part; (path,)."""
    struck = np.zeros(dataset.sizes["path"], dtype=np.bool_)
    for i in range(dataset.sizes[FACILITY]):
        months = vector(dataset, "facility_default_month", facility=i)
        struck |= (months > 0) & (holding(dataset, i).share > 0.0)
    return struck


def known_mean(values: Vector, weights: Design | None) -> Estimate:
    """Mean over paths; NaN if the quantity is not defined on every path."""
    if not np.isfinite(values).all():
        return Estimate(np.nan, np.nan)
    return mean(values, weights)


def _measure(
    lending: Lending, levels: Sequence[float], scale: RatingScale, weights: Design | None
) -> Measures:
    """Compute every measure of a facility or the book."""
    loss, share = lending.loss, lending.share
    known = bool(np.isfinite(share).all())
    mean_share = known_mean(share, weights)
    above = (
        mean_share.value + 2.0 * mean_share.se
        if mean_share.value
        else 3.0 / independent_draws(weights, loss.size)
    )
    money = tail_risk(loss, levels, weights)
    parts = tail_risk(share, levels, weights) if known else unknown(len(levels))
    return Measures(
        scalars={
            "exposure": known_mean(lending.lent, weights),
            "held_share": (
                ratio(lending.held, lending.lent, weights)
                if np.isfinite(lending.held).all()
                else Estimate(np.nan, np.nan)
            ),
            "expected_loss": mean(loss, weights),
            "loss_probability": probability(loss > 0.0, weights),
            "default_probability": probability(lending.defaulted, weights),
            "censored_probability": probability(lending.censored, weights),
            "exposure_at_default": ratio(lending.claim, lending.defaulted, weights),
            "loss_given_default": ratio(lending.lost, lending.claim, weights),
            "expected_loss_share": mean_share,
        },
        tails={
            "value_at_risk": zip(money.var, money.var_se, strict=True),
            "expected_shortfall": zip(money.es, money.es_se, strict=True),
            "value_at_risk_share": zip(parts.var, parts.var_se, strict=True),
            "expected_shortfall_share": zip(parts.es, parts.es_se, strict=True),
        },
        counts=[
            tail_count(loss, level, weights, float(var))
            for level, var in zip(levels, money.var, strict=True)
        ],
        rating=scale.grade(mean_share.value),
        rating_range=(
            scale.grade_range(mean_share.value - 2.0 * mean_share.se, above) if known else "n/a"
        ),
    )


def _variables(
    rows: Sequence[Measures], dims: tuple[str, ...], levels: Sequence[float], prefix: str = ""
) -> dict[str, xr.Variable]:
    """Lay measures out over `dims` (facility, or nothing for the book) and level."""
    shape = (len(rows),) if dims else ()
    result: dict[str, xr.Variable] = {}
    for name, (long_name, units) in _SCALARS.items():
        values = [row.scalars[name] for row in rows]
        result |= estimates(prefix + name, dims, values, shape, long_name, units)
    for name, (long_name, units) in _TAILS.items():
        pairs = [pair for row in rows for pair in row.tails[name]]
        result |= estimates(
            prefix + name, (*dims, "level"), pairs, (*shape, len(levels)), long_name, units
        )
    counts = np.array([row.counts for row in rows]).reshape(*shape, len(levels))
    told = {"long_name": "independent paths that VaR and ES rest on", "units": "1"}
    result[f"{prefix}tail_paths"] = xr.Variable((*dims, "level"), counts, told)
    grades = {"implied_rating": [r.rating for r in rows]}
    grades["implied_rating_range"] = [r.rating_range for r in rows]
    for name, texts in grades.items():
        words = np.array(texts, dtype=np.str_).reshape(shape)
        result[prefix + name] = xr.Variable(dims, words, {"long_name": name.replace("_", " ")})
    return result
