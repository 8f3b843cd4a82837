"""Which facilities the tail of the book is made of: Euler contributions to expected shortfall.

    c_i = [E(L_i; B > VaR) + κ·E(L_i; B = VaR)]/(1 − a),   κ = (1 − a − P(B > VaR))/P(B = VaR)

with B = Σ L_i the loss of the book.  They add up to its ES exactly (Tasche 1999), atoms included.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean, standard_error, total
from simulator.analytics.exposure import holding
from simulator.analytics.frame import estimates, labels, path_weights
from simulator.analytics.sample import Vector, Weights, as_groups, as_vector, as_weights, tail_mass
from simulator.analytics.tail import value_at_risk
from simulator.dataset.dims import FACILITY

Mask = NDArray[np.bool_]


def shortfall_contributions(
    parts: Sequence[ArrayLike], level: float, weights: Weights = None
) -> list[Estimate]:
    """Split the ES of a sum of losses between its parts.

    Parameters
    ----------
    parts : sequence of array_like, each (n_paths,)
        Losses that add up to the loss of the book.
    level : float
        Confidence level.
    weights : array_like, (n_paths,), or Design, optional
        Likelihood ratios, or how the paths were drawn.

    Returns
    -------
    list of Estimate
        One per part, in the same unit.

    Notes
    -----
    The error is that of the influence function (L_i − m_i)·[1(B > VaR) + κ·1(B = VaR)]/(1 − a),
    m_i the mean of L_i over the paths nearest VaR in rank (a fifth as many as lie beyond it, at
    least 25).
    """
    losses = [as_vector(part, "part") for part in parts]
    book = np.sum(losses, axis=0)
    w, groups = as_weights(weights, book.size), as_groups(weights, book.size)
    mass, n = tail_mass(level), book.size
    var = value_at_risk(book, level, w).value
    ratio = np.ones(n) if w is None else w
    beyond, at = book > var, book == var
    atom = total(ratio * at) / n
    kappa = max(0.0, mass - total(ratio * beyond) / n) / atom if atom > 0.0 else 0.0
    share = ratio * (beyond + kappa * at) / mass
    counted = ratio > 0.0
    near = nearest(book, var, max(25, int(np.count_nonzero(beyond & counted)) // 5), counted)
    result = []
    for loss in losses:
        centred = share * (loss - total(ratio[near] * loss[near]) / total(ratio[near]))
        result.append(Estimate(total(share * loss) / n, standard_error(centred, groups)))
    return result


def nearest(book: Vector, point: float, count: int, counted: Mask) -> Mask:
    """Return which paths lose nearest to `point` in rank, all tied ones included.

    Parameters
    ----------
    book : (n_paths,) float64
        What is ranked.
    point : float
        One of its values.
    count : int
        How many paths, about.
    counted : (n_paths,) bool
        Those that have a weight; no other is returned.
    """
    ordered = np.sort(book[counted])
    low = int(np.searchsorted(ordered, point, "left"))
    high = int(np.searchsorted(ordered, point, "right"))
    first = ordered[max(0, low - count // 2)]
    last = ordered[min(ordered.size - 1, high - 1 + count // 2)]
    return np.asarray(counted & (book >= first) & (book <= last))


def contribution_table(dataset: xr.Dataset, levels: Sequence[float] = (0.99,)) -> xr.Dataset:
    """Return what each facility adds to expected loss and ES of the book.

    Returns
    -------
    Dataset
        ``expected_loss_contribution(facility)`` and ``shortfall_contribution(facility, level)``
        [USD m] with ``_se``, at the lender's shares. Each adds up to that of the book.
    """
    facilities = labels(dataset, FACILITY)
    weights = path_weights(dataset)
    parts = [holding(dataset, i).loss for i in range(len(facilities))]
    means = [mean(part, weights) for part in parts]
    columns = [shortfall_contributions(parts, level, weights) for level in levels]
    values = [columns[j][i] for i in range(len(facilities)) for j in range(len(levels))]
    return xr.Dataset(
        estimates(
            "shortfall_contribution",
            (FACILITY, "level"),
            values,
            (len(facilities), len(levels)),
            "contribution to the expected shortfall of the book",
            "million USD",
        )
        | estimates(
            "expected_loss_contribution",
            (FACILITY,),
            means,
            (len(facilities),),
            "contribution to the expected loss of the book",
            "million USD",
        ),
        coords={FACILITY: facilities, "level": list(levels)},
        attrs={"paths": dataset.sizes["path"]},
    )
