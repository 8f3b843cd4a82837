"""Who loses what: the lenders of the book against box equity on the same paths.

Equity loses box by box: what one box gains does not make up for what another loses, as no lender
to the other can reach it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean, probability, ratio
from simulator.analytics.exposure import holding
from simulator.analytics.frame import estimates, labels, path_weights, vector
from simulator.analytics.sample import Vector
from simulator.analytics.slices import slice_mean
from simulator.analytics.tail import expected_shortfall
from simulator.dataset.dims import BOX, FACILITY, PATH

HOLDERS: Final = ("lenders", "box equity")
BUCKETS: Final = ((0.0, 0.5), (0.5, 0.75), (0.75, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.0))


def holders_table(dataset: xr.Dataset, level: float = 0.99) -> xr.Dataset:
    """Losses of the book's lenders beside those of box equity.

    Parameters
    ----------
    dataset : Dataset
        A run.
    level : float
        Level of ES.

    Returns
    -------
    Dataset
        By ``holder``: ``money_in`` (lent or contributed, PV), ``loss_probability``,
        ``expected_loss``, ``expected_loss_share`` of money in, ``expected_shortfall``; each with
        ``_se``. Lenders at the share that the book holds; boxes in full.
    """
    weights = path_weights(dataset)
    names = ("money_in", "loss_probability", "expected_loss", "expected_loss_share")
    rows: dict[str, list[Estimate]] = {name: [] for name in (*names, "expected_shortfall")}
    for loss, paid in (_lenders(dataset), _equity(dataset)):
        known = bool(np.isfinite(paid).all())
        unknown = Estimate(np.nan, np.nan)
        rows["money_in"].append(mean(paid, weights) if known else unknown)
        rows["loss_probability"].append(probability(loss > 0.0, weights))
        rows["expected_loss"].append(mean(loss, weights))
        rows["expected_loss_share"].append(ratio(loss, paid, weights) if known else unknown)
        rows["expected_shortfall"].append(expected_shortfall(loss, level, weights))
    variables: dict[str, xr.Variable] = {}
    for name, values in rows.items():
        units = "1" if name.endswith(("probability", "share")) else "million USD"
        variables |= estimates(
            name, ("holder",), values, (len(HOLDERS),), name.replace("_", " "), units
        )
    return xr.Dataset(variables, coords={"holder": list(HOLDERS)}, attrs={"level": level})


def absorption_table(dataset: xr.Dataset) -> xr.Dataset:
    """Mean losses of lenders and equity by how bad the path is.

    Returns
    -------
    Dataset
        ``mean_loss(bucket, holder)`` [USD m] with ``_se``; ``lower`` and ``upper`` bound each
        bucket in rank of the combined loss, from the best paths (0) to the worst (1).
        Weights shift the ranks as they should; errors count that the ends are estimated too.
    """
    weights = path_weights(dataset)
    losses = [_lenders(dataset)[0], _equity(dataset)[0]]
    values = [
        slice_mean(loss, losses[0] + losses[1], lower, upper, weights)
        for lower, upper in BUCKETS
        for loss in losses
    ]
    table = estimates(
        "mean_loss",
        ("bucket", "holder"),
        values,
        (len(BUCKETS), len(HOLDERS)),
        "mean loss of the paths in the bucket",
        "million USD",
    )
    return xr.Dataset(
        table,
        coords={
            "holder": list(HOLDERS),
            "lower": ("bucket", [low for low, _ in BUCKETS]),
            "upper": ("bucket", [high for _, high in BUCKETS]),
        },
    )


def _lenders(dataset: xr.Dataset) -> tuple[Vector, Vector]:
    """Loss of the book and what it lent, by path."""
    lent = np.zeros(dataset.sizes[PATH])
    for i in range(dataset.sizes[FACILITY]):
        lent += holding(dataset, i).lent
    return vector(dataset, "book_lender_loss"), lent


def _equity(dataset: xr.Dataset) -> tuple[Vector, Vector]:
    """Losses of all boxes that lose, and contributions to all boxes, by path."""
    paid = np.zeros(dataset.sizes[PATH])
    for i in range(len(labels(dataset, BOX))):
        paid += vector(dataset, "equity_contributions", box=i)
    return equity_lost(dataset), paid


def equity_lost(dataset: xr.Dataset) -> Vector:
    """Sum what the equity of each box loses, gains counted as nothing, by path [USD m, PV]."""
    lost = np.zeros(dataset.sizes[PATH])
    for i in range(len(labels(dataset, BOX))):
        lost += np.maximum(-vector(dataset, "equity_pnl", box=i), 0.0)
    return lost
