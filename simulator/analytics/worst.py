"""The worst paths of the book, by number, so that they can be looked at one by one."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simulator.analytics.exposure import holding
from simulator.analytics.frame import labels, path_weights, vector
from simulator.analytics.holders import equity_lost
from simulator.analytics.sample import as_weights
from simulator.dataset.dims import FACILITY, PATH
from simulator.dataset.variables import CAUSES


def worst_paths(dataset: xr.Dataset, count: int = 10) -> xr.Dataset:
    """List the paths with the largest losses of the book.

    Parameters
    ----------
    dataset : Dataset
        A run.
    count : int
        How many; fewer if fewer lose anything.

    Returns
    -------
    Dataset
        By ``rank`` (1 = worst): ``path`` (its number), ``book_lender_loss`` [USD m],
        ``defaults`` (facilities of the book that default), ``first_default_month``,
        ``costliest`` (facility that costs the book most), ``cause`` of its default (if told),
        ``equity_lost`` in the boxes that lose [USD m] and ``weight``, the likelihood ratio of the
        path: a path of weight 0.1 stands for a tenth of one drawn plainly. Paths of weight 0
        cannot happen and are left out.
    """
    loss = vector(dataset, "book_lender_loss")
    ratios = as_weights(path_weights(dataset), loss.size)
    weights = np.ones_like(loss) if ratios is None else ratios
    loss = np.where(weights > 0.0, loss, 0.0)
    order = np.argsort(-loss, kind="stable")[:count]
    picked = order[loss[order] > 0.0]
    facilities = labels(dataset, FACILITY)
    parts = [holding(dataset, i) for i in range(len(facilities))]
    held_loss = np.array([part.loss[picked] for part in parts]).reshape(len(parts), -1)
    inside = np.array([part.share[picked] > 0.0 for part in parts]).reshape(held_loss.shape)
    months = dataset["facility_default_month"].values[picked].T
    struck = np.where(inside & (months > 0), months, 0)
    most = np.argmax(held_loss, axis=0)
    told = "facility_default_cause" in dataset
    causes = dataset["facility_default_cause"].values[picked, most] if told else 0 * most
    numbers = dataset[PATH].values if PATH in dataset.coords else np.arange(loss.size)
    money = {"units": "million USD"}
    return xr.Dataset(
        {
            "path": ("rank", numbers[picked]),
            "book_lender_loss": ("rank", loss[picked], money),
            "defaults": ("rank", np.count_nonzero(struck, axis=0)),
            "first_default_month": (
                "rank",
                np.min(np.where(struck > 0, struck, np.iinfo(np.int16).max), axis=0),
                {"units": "month"},
            ),
            "costliest": ("rank", np.array(facilities, dtype=np.str_)[most]),
            "cause": ("rank", np.array(CAUSES, dtype=np.str_)[causes]),
            "equity_lost": ("rank", equity_lost(dataset)[picked], money),
            "weight": ("rank", weights[picked], {"units": "1"}),
        },
        coords={"rank": np.arange(1, picked.size + 1)},
    )
