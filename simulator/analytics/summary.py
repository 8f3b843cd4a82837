"""Everything a report needs from a run, computed once."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import xarray as xr

from simulator.analytics.contributions import contribution_table
from simulator.analytics.coverage import blank_thin_coverage
from simulator.analytics.curves import convergence_table, exceedance_table
from simulator.analytics.defaults import causes_table, default_table
from simulator.analytics.equity import equity_table, sponsor_table
from simulator.analytics.frame import draws_of, estimate_at
from simulator.analytics.holders import absorption_table, holders_table
from simulator.analytics.notes import notes_table
from simulator.analytics.overlays import overlays_table
from simulator.analytics.rating import RatingScale
from simulator.analytics.risk import risk_table
from simulator.analytics.sampling import sampling_facts
from simulator.analytics.uncertainty import uncertainty_table
from simulator.analytics.worst import worst_paths


class Analysis(NamedTuple):
    """The run (coverage blanked where no debt is left) and all tables drawn from it."""

    run: xr.Dataset
    risk: xr.Dataset
    holders: xr.Dataset
    absorption: xr.Dataset
    contributions: xr.Dataset
    exceedance: xr.Dataset
    causes: xr.Dataset
    equity: xr.Dataset
    sponsors: xr.Dataset
    sponsor_defaults: xr.Dataset
    counterparty_defaults: xr.Dataset
    facility_defaults: xr.Dataset
    breaches: xr.Dataset
    worst: xr.Dataset
    convergence: xr.Dataset
    uncertainty: xr.Dataset | None  # None if parameters are certain
    notes: xr.Dataset | None  # None if there are no structures and tranches
    overlays: xr.Dataset | None  # None if there are none

    @property
    def has_boxes(self) -> bool:
        """Whether the run is of a book of deals, not of credit only."""
        return "box" in self.run.dims


class Headline(NamedTuple):
    """The tables that `headline` reads, of those of `Analysis`."""

    run: xr.Dataset
    risk: xr.Dataset
    holders: xr.Dataset
    convergence: xr.Dataset
    uncertainty: xr.Dataset | None
    notes: xr.Dataset | None
    overlays: xr.Dataset | None

    @property
    def has_boxes(self) -> bool:
        """Whether the run is of a book of deals, not of credit only."""
        return "box" in self.run.dims


def measure(dataset: xr.Dataset) -> Headline:
    """Compute what a headline needs, in a fraction of the time and memory of `analyse`.

    Parameters
    ----------
    dataset : Dataset
        A complete run.

    Returns
    -------
    Headline
        The same numbers; convergence with its last point only.
    """
    return Headline(
        run=dataset,
        risk=risk_table(dataset),
        holders=holders_table(dataset),
        convergence=convergence_table(dataset, blocks=1),
        uncertainty=uncertainty_table(dataset),
        notes=notes_table(dataset),
        overlays=overlays_table(dataset),
    )


def analyse(dataset: xr.Dataset, scale: RatingScale | None = None) -> Analysis:
    """Compute every table of a report.

    Parameters
    ----------
    dataset : Dataset
        A complete run.
    scale : RatingScale, optional
        Scale of implied ratings.

    Returns
    -------
    Analysis
    """
    return Analysis(
        run=blank_thin_coverage(dataset),
        risk=risk_table(dataset, scale=scale),
        holders=holders_table(dataset),
        absorption=absorption_table(dataset),
        contributions=contribution_table(dataset),
        exceedance=exceedance_table(dataset),
        causes=causes_table(dataset),
        equity=equity_table(dataset),
        sponsors=sponsor_table(dataset),
        sponsor_defaults=default_table(dataset, "sponsor"),
        counterparty_defaults=default_table(dataset, "counterparty"),
        facility_defaults=default_table(dataset, "facility"),
        breaches=default_table(dataset, "box"),
        worst=worst_paths(dataset),
        convergence=convergence_table(dataset),
        uncertainty=uncertainty_table(dataset),
        notes=notes_table(dataset),
        overlays=overlays_table(dataset),
    )


def headline(analysis: Analysis | Headline) -> dict[str, Any]:
    """Return the headline numbers as plain values for JSON.

    Returns
    -------
    dict
        ``book`` and ``facilities`` with every estimate as ``{"value": …, "se": …}`` (None where
        not defined), money in USD m; VaR and ES by level; ``tail_paths``, on how many independent
        paths those of the book rest; ``paths_needed`` for a standard error of 1% of each.
        ``notes`` and ``overlays`` only if there are any, ``uncertainty`` only if parameters are
        uncertain, ``sampling`` only if paths were not drawn plainly. ``draws`` bounds what was
        never seen: nothing in ``draws`` of them means below 3/``draws``.
    """
    risk, run = analysis.risk, analysis.run
    facilities = [str(name) for name in risk["facility"].values]
    numbers: dict[str, Any] = {
        "title": str(run.attrs.get("title", "")),
        "digest": str(run.attrs.get("digest", "")),
        "seed": _plain(run.attrs.get("seed")),
        "paths": int(run.sizes["path"]),
        "draws": _plain(draws_of(run)),
        "rating_scale": str(risk.attrs["rating_scale"]),
        "book": _measures(risk, "book_"),
        "facilities": {name: _measures(risk.sel(facility=name), "") for name in facilities},
    }
    numbers["tail_paths"] = {
        f"{level:g}": float(risk["book_tail_paths"].sel(level=level))
        for level in risk["level"].values
    }
    numbers["paths_needed"] = _needed(analysis.convergence)
    if facts := sampling_facts(run):
        numbers["sampling"] = facts._asdict()
    if analysis.has_boxes:
        numbers["holders"] = {
            str(name): {
                key: _pair(analysis.holders, key, holder=name)
                for key in ("money_in", "loss_probability", "expected_loss", "expected_shortfall")
            }
            for name in analysis.holders["holder"].values
        }
    if analysis.notes is not None:
        numbers["notes"] = _notes(analysis.notes)
    if analysis.overlays is not None:
        numbers["overlays"] = _overlays(analysis.overlays)
    if analysis.uncertainty is not None:
        numbers["uncertainty"] = _uncertainty(analysis.uncertainty)
    return numbers


def _needed(table: xr.Dataset) -> dict[str, Any]:
    """Read how many paths would bring the errors of the book's measures down to a share of them."""

    def whole(value: xr.DataArray) -> int | None:
        return int(value) if math.isfinite(float(value)) else None

    by_level = {
        name: {
            f"{level:g}": whole(table[f"{name}_paths"].sel(level=level))
            for level in table["level"].values
        }
        for name in ("value_at_risk", "expected_shortfall")
    }
    return {
        "relative_error": float(table.attrs["relative_error"]),
        "expected_loss": whole(table["expected_loss_paths"]),
        **by_level,
    }


def _notes(table: xr.Dataset) -> dict[str, Any]:
    """Read the measures of notes and tranches."""
    return {
        str(name): {
            "size": float(table["size"].sel(note=name)),
            **{
                key: _pair(table, key, note=name)
                for key in ("loss_probability", "expected_loss", "expected_loss_share")
            },
            **{
                key: {
                    f"{x:g}": _pair(table, key, note=name, level=x) for x in table["level"].values
                }
                for key in ("value_at_risk_share", "expected_shortfall_share")
            },
        }
        for name in table["note"].values
    }


def _overlays(table: xr.Dataset) -> dict[str, Any]:
    """Read the book gross and net of overlays, and what each of them pays and costs."""
    measures = ("loss_probability", "expected_loss", "expected_shortfall")
    amounts = ("payout_probability", "mean_payout", "mean_premium")
    return {
        "book": {
            str(basis): {key: _pair(table, key, basis=basis) for key in measures}
            for basis in table["basis"].values
        },
        "overlays": {
            str(name): {key: _pair(table, key, overlay=name) for key in amounts}
            for name in table["overlay"].values
        },
    }


def _uncertainty(table: xr.Dataset) -> dict[str, Any]:
    """Read the split of risk within and between parameters, and what the parameters do."""
    return {
        "draws": int(table.attrs["draws"]),
        "paths_per_draw": int(table.attrs["paths_per_draw"]),
        "variance": {
            str(quantity): {
                key: _pair(table, key, quantity=quantity)
                for key in (
                    *("total_variance", "within_variance", "between_variance"),
                    "between_share",
                )
            }
            for quantity in table["quantity"].values
        },
        "expected_loss": {
            f"{level:g}": _pair(table, "expected_loss", probability=level)
            for level in table["probability"].values
        },
        "parameters": {
            str(name): {
                key: _pair(table, key, parameter=name) for key in ("slope", "rank_correlation")
            }
            for name in table["parameter"].values
        },
    }


def _measures(risk: xr.Dataset, prefix: str) -> dict[str, Any]:
    """Read the measures of the book, or of one facility."""
    result: dict[str, Any] = {
        name: _pair(risk, prefix + name)
        for name in (
            "exposure",
            "held_share",
            "expected_loss",
            "expected_loss_share",
            "loss_probability",
            "default_probability",
            "censored_probability",
            "exposure_at_default",
            "loss_given_default",
        )
    }
    for name in ("value_at_risk", "expected_shortfall"):
        result[name] = {
            f"{level:g}": _pair(risk, prefix + name, level=level) for level in risk["level"].values
        }
    result["implied_rating"] = str(risk[f"{prefix}implied_rating"].values)
    result["implied_rating_range"] = str(risk[f"{prefix}implied_rating_range"].values)
    return result


def _pair(table: xr.Dataset, name: str, **selection: object) -> dict[str, float | None]:
    """Read an estimate as JSON can hold it."""
    estimate = estimate_at(table, name, **selection)
    return {"value": _plain(estimate.value), "se": _plain(estimate.se)}


def _plain(value: Any) -> Any:
    """Turn numbers of NumPy into Python's, and NaN into None."""
    number = value.item() if hasattr(value, "item") else value
    return None if number != number else number
