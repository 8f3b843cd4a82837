"""Notes of structures and tranches of pools: expected loss and tail, note by note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from simulator.analytics.estimators import mean, probability
from simulator.analytics.frame import estimates, labels, path_weights, vector
from simulator.analytics.tail import LEVELS, tail_risk
from simulator.dataset.dims import NOTE, STRUCTURE


def notes_table(dataset: xr.Dataset, levels: Sequence[float] = LEVELS) -> xr.Dataset | None:
    """Measure the risk of every note or tranche.

    Parameters
    ----------
    dataset : Dataset
        A run with ``note_loss(path, note)`` and the coordinate ``note_size(note)``.
    levels : sequence of float
        Levels of VaR and ES.

    Returns
    -------
    Dataset or None
        By ``note``: ``size`` [USD m], ``loss_probability``, ``expected_loss`` [USD m],
        ``expected_loss_share`` of its size; by ``note, level``: ``value_at_risk_share`` and
        ``expected_shortfall_share`` of its size; of structures also ``mean_interest`` and
        ``mean_principal`` [USD m], and ``mean_residual(structure)``. Each but the size has
        ``_se``. None if the run has no notes.
    """
    names = labels(dataset, NOTE)
    if not names:
        return None
    weights = path_weights(dataset)
    sizes = np.asarray(dataset["note_size"].values, dtype=np.float64)
    losses = [vector(dataset, "note_loss", note=i) for i in range(len(names))]
    shares = [loss / size for loss, size in zip(losses, sizes, strict=True)]
    tails = [tail_risk(share, levels, weights) for share in shares]
    n, m = len(names), len(levels)
    by_level = {
        "value_at_risk_share": [pair for t in tails for pair in zip(t.var, t.var_se, strict=True)],
        "expected_shortfall_share": [
            pair for t in tails for pair in zip(t.es, t.es_se, strict=True)
        ],
    }
    variables = {"size": xr.Variable((NOTE,), sizes, {"units": "million USD"})}
    variables |= estimates(
        "loss_probability",
        (NOTE,),
        [probability(loss > 0.0, weights) for loss in losses],
        (n,),
        "probability of a loss",
        "1",
    )
    variables |= estimates(
        "expected_loss",
        (NOTE,),
        [mean(loss, weights) for loss in losses],
        (n,),
        "expected loss",
        "million USD",
    )
    variables |= estimates(
        "expected_loss_share",
        (NOTE,),
        [mean(share, weights) for share in shares],
        (n,),
        "expected loss as share of the size",
        "1",
    )
    for name, pairs in by_level.items():
        variables |= estimates(
            name, (NOTE, "level"), pairs, (n, m), f"{name.replace('_', ' ')} of the size", "1"
        )
    structures = labels(dataset, STRUCTURE)
    for name, long_name, dim, ids in (
        ("note_interest", "mean interest", NOTE, names),
        ("note_principal", "mean principal", NOTE, names),
        ("structure_residual", "mean residual", STRUCTURE, structures),
    ):
        if name in dataset:
            values = [mean(vector(dataset, name, **{dim: i}), weights) for i in range(len(ids))]
            key = long_name.replace(" ", "_")
            variables |= estimates(key, (dim,), values, (len(ids),), long_name, "million USD")
    owners = {STRUCTURE: structures} if structures else {}
    return xr.Dataset(
        variables,
        coords={NOTE: names, "level": list(levels), **owners},
        attrs={"paths": dataset.sizes["path"]},
    )
