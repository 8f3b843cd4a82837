"""Credit-only studies made from cases, and run piece by piece for as many paths as are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.api import simulate
from simulator.selfcheck.kinds import Draws

__all__ = ["Names", "Pool", "alike", "loss_given_default", "many", "run_pool", "tranches_of"]

Names = dict[str, dict[str, Any]]
Vector = NDArray[np.float64]

AT_ONCE: Final = 20_000_000
"""Names times paths that are held in memory."""

MOST: Final = 400_000_000
"""Names times paths that a case may take: large pools get fewer paths than they are given."""

NEXT_SEED: Final = 1_000_003
"""Between the seeds of pieces, so that those of small seeds never meet."""

TRANCHE = re.compile(r"([0-9.]+)-([0-9.]+)$")


@dataclass(frozen=True)
class Pool:
    """Paths of a pool.

    Attributes
    ----------
    loss : ndarray (path,)
        Of the pool, USD m.
    exposure : float
        Of the pool at t0, USD m.
    tranches : mapping of str to ndarray (path,)
        Share of each tranche that is lost.
    columns : mapping of str to ndarray (path, name)
        What else was asked for by name.
    """

    loss: Vector
    exposure: float
    tranches: Mapping[str, Vector]
    columns: Mapping[str, NDArray[Any]]


def alike(count: int, **terms: Any) -> Names:
    """Return so many names that are alike, each owing 1."""
    return {f"N{place:05}": {"exposure_usd_m": 1.0, **terms} for place in range(count)}


def many(**terms: Any) -> Names:
    """Return one name that stands for a great many alike."""
    return alike(1, granular=True, **terms)


def loss_given_default(params: Mapping[str, Any]) -> float:
    """Return the certain loss given default of a case, 1 unless it says so or names a recovery."""
    recovery = params.get("R", params.get("recovery", 0.0))
    return float(params.get("LGD", 1.0 - recovery))


def tranches_of(asked: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the tranches that paths end in: ``0.03-0.07`` attaches at 3%, is gone at 7%."""
    found = {match[0]: match for path in asked if (match := TRANCHE.search(path))}
    return {
        name: {"attachment": float(match[1]), "detachment": float(match[2])}
        for name, match in found.items()
    }


def run_pool(
    names: Names,
    draws: Draws,
    *,
    nu: float | None = None,
    months: int = 12,
    tranches: Mapping[str, Mapping[str, float]] | None = None,
    columns: Sequence[str] = (),
    discount_rate: float = 0.0,
) -> Pool:
    """Simulate a pool.

    Parameters
    ----------
    names : mapping
        Borrowers, as a study file has them.
    draws : Draws
        Seed and paths; of very large pools fewer are taken.
    nu : float, optional
        Degrees of freedom of the t copula; Gaussian without.
    months : int
        Horizon.
    tranches : mapping, optional
        As a study file has them.
    columns : sequence of str
        Variables by name to keep as well.
    discount_rate : float
        Of losses, per year.
    """
    study = {
        "schema": "neobox.credit/1",
        "name": "case",
        "start": "2026-11",
        "horizon_months": months,
        "discount_rate": discount_rate,
        "copula": {"kind": "t", "nu": nu} if nu else {"kind": "gaussian"},
        "names": names,
        "tranches": dict(tranches or {}),
    }
    pieces = [kept(run, columns) for run in runs_of(study, draws)]
    whole = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    notes = whole["notes"]
    return Pool(
        loss=whole["loss"],
        exposure=sum(float(one["exposure_usd_m"]) for one in names.values()),
        tranches={name: notes[:, place] for place, name in enumerate(order_of(tranches or {}))},
        columns={name: whole[name] for name in columns},
    )


def runs_of(study: Mapping[str, Any], draws: Draws) -> Iterator[xr.Dataset]:
    """Yield runs of a study that have so many paths together, each with a seed of its own."""
    count = len(study["names"])
    left, seed = min(draws.paths, MOST // count), draws.seed
    while left > 0:
        paths = min(left, max(1, AT_ONCE // (8 + count)))
        yield simulate(study, paths=paths, seed=seed)
        left, seed = left - paths, seed + NEXT_SEED


def kept(run: xr.Dataset, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return what is needed of a run."""
    loss = np.asarray(run["book_lender_loss"].values)
    notes = np.zeros((loss.size, 0))
    if "note_loss" in run:
        notes = run["note_loss"].values / run["note_size"].values
    return {"loss": loss, "notes": notes, **{name: run[name].values for name in columns}}


def order_of(tranches: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return tranches in the order of a run: by attachment, then name."""
    return sorted(sorted(tranches), key=lambda name: tranches[name]["attachment"])
