"""What not knowing the parameters adds to risk, and which of them matter.

A run with uncertain parameters draws them anew for every few paths.  Paths of one draw differ by
what the world does, draws by what is not known of it: the variance of losses splits into both.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import group_sums, mean, standard_error, total
from simulator.analytics.frame import estimates, labels, path_weights, vector
from simulator.analytics.quantiles import quantile
from simulator.analytics.sample import Groups, Vector
from simulator.analytics.variance import Components, variance_components
from simulator.dataset.dims import BOX, PARAMETER, PATH

QUANTITIES: Final = ("lender loss", "equity profit")
PROBABILITIES: Final = (0.05, 0.50, 0.95)
_COMPONENTS: Final = {
    "total": ("total_variance", "variance over paths", "(million USD)^2"),
    "within": ("within_variance", "variance within parameters", "(million USD)^2"),
    "between": ("between_variance", "variance between parameters", "(million USD)^2"),
    "share_between": ("between_share", "share of variance between parameters", "1"),
}


def uncertainty_table(dataset: xr.Dataset) -> xr.Dataset | None:
    """Split risk into within and between parameters, and rank the parameters.

    Parameters
    ----------
    dataset : Dataset
        A run with the attribute ``paths_per_draw``: ``book_lender_loss(path)``,
        ``equity_pnl(path, box)``, ``parameter_value(path, parameter)``.

    Returns
    -------
    Dataset or None
        None if parameters are certain. Paths may carry weights as long as the parameters were
        drawn plainly, see `variance`. Each estimate with ``_se``:

        - by ``quantity`` (the book's lender loss; profit of all boxes): ``total_variance``,
          ``within_variance``, ``between_variance``, ``between_share``, see `variance`;
        - by ``probability``: ``expected_loss`` [USD m], the spread over parameters of the book's
          expected loss, see `expected_loss_spread`;
        - by ``parameter``, the largest slope in size first: ``slope`` [USD m], by how much the
          expected loss of the book grows with one standard deviation of the parameter, and
          ``rank_correlation`` between the parameter and mean losses, see `rank_correlation`.

        Parameters that are drawn together (the two renegotiation hazards) have one effect in
        common and show it twice.
    """
    design = path_weights(dataset)
    if design is None or design.groups is None or design.spread:
        return None
    groups, weights = design.groups, design.weights
    loss = vector(dataset, "book_lender_loss")
    profit = np.zeros_like(loss)
    for i in range(len(labels(dataset, BOX))):
        profit += vector(dataset, "equity_pnl", box=i)
    components = [variance_components(one, groups, weights) for one in (loss, profit)]
    if weights is not None:  # the same means, of all paths and of each draw
        centre = mean(loss, weights).value
        loss = centre + weights * (loss - centre)
    spread = expected_loss_spread(loss, groups, variance_components(loss, groups))
    names = labels(dataset, PARAMETER)
    values = [vector(dataset, "parameter_value", parameter=i) for i in range(len(names))]
    slopes = [slope(loss, value, groups) for value in values]
    ranks = [rank_correlation(loss, value, groups) for value in values]
    order = sorted(range(len(names)), key=lambda i: -np.nan_to_num(abs(slopes[i].value)))
    return xr.Dataset(
        _components(components)
        | estimates(
            "expected_loss",
            ("probability",),
            spread,
            (len(PROBABILITIES),),
            "quantile over parameters of the expected loss of the book",
            "million USD",
        )
        | estimates(
            "slope",
            (PARAMETER,),
            [slopes[i] for i in order],
            (len(names),),
            "change of the book's expected loss per standard deviation of the parameter",
            "million USD",
        )
        | estimates(
            "rank_correlation",
            (PARAMETER,),
            [ranks[i] for i in order],
            (len(names),),
            "rank correlation of mean losses with the parameter",
            "1",
        ),
        coords={
            "quantity": list(QUANTITIES),
            "probability": list(PROBABILITIES),
            PARAMETER: np.array([names[i] for i in order], dtype=np.str_),
        },
        attrs={
            "paths": dataset.sizes[PATH],
            "draws": group_means(loss, groups).size,
            "paths_per_draw": int(dataset.attrs["paths_per_draw"]),
        },
    )


def group_means(values: Vector, groups: Groups) -> Vector:
    """Mean over the paths of each group; (group,)."""
    return group_sums(values, groups) / group_sums(np.ones_like(values), groups)


def expected_loss_spread(loss: Vector, groups: Groups, components: Components) -> list[Estimate]:
    """Quantiles over parameters of the expected loss.

    Parameters
    ----------
    loss : (n_paths,) float64
        Loss per path [USD m].
    groups : (n_paths,) int64
        Draw of each path.
    components : Components
        Its variance within and between draws.

    Returns
    -------
    list of Estimate
        At `PROBABILITIES` [USD m]; errors are those of order statistics of independent draws.

    Notes
    -----
    Means over the few paths of a draw scatter more than the expected losses they estimate. Each
    is therefore shrunk to the mean of all by the root of the variance ratio σ_b²/(σ_b² + σ_w²/n_k),
    so that the shrunk means vary as much as expected losses do; the ratio itself would give each
    its best estimate, and all together too narrow a spread (Louis 1984). The errors take the
    factor as known.
    """
    sizes = group_sums(np.ones_like(loss), groups)
    between = max(0.0, components.between.value)
    noise = components.within.value / sizes
    with np.errstate(invalid="ignore"):
        factor = np.sqrt(between / (between + noise)) if between > 0.0 else np.zeros_like(sizes)
    if not np.isfinite(components.between.value):
        return [Estimate(np.nan, np.nan)] * len(PROBABILITIES)
    centre = mean(loss).value
    shrunk = centre + factor * (group_means(loss, groups) - centre)
    return [quantile(shrunk, probability) for probability in PROBABILITIES]


def slope(loss: Vector, parameter: Vector, groups: Groups) -> Estimate:
    """Regress losses on a parameter, per standard deviation of it.

    Parameters
    ----------
    loss, parameter : (n_paths,) float64
        Loss [USD m] and value of the parameter per path.
    groups : (n_paths,) int64
        Draw of each path.

    Returns
    -------
    Estimate
        [USD m], least squares; the error is robust to draws of unequal risk (Liang and Zeger
        1986). NaN if the parameter does not vary.
    """
    centred = parameter - total(parameter) / parameter.size
    deviation = np.sqrt(total(centred * centred) / centred.size)
    if not deviation > 1e-12 * float(np.max(np.abs(parameter))):
        return Estimate(np.nan, np.nan)
    z = centred / deviation
    residuals = loss - total(loss) / loss.size
    value = total(z * residuals) / z.size
    return Estimate(value, standard_error(z * (residuals - value * z), groups))


def rank_correlation(loss: Vector, parameter: Vector, groups: Groups) -> Estimate:
    """Spearman's correlation over draws of mean losses and a parameter.

    Returns
    -------
    Estimate
        With the error (1 − r²)·√((1 + r²/2)/(K − 3)) of Bonett and Wright (2000), K draws. What
        differs within draws blurs the means, so that it understates how closely the expected loss
        follows the parameter. NaN if either does not vary, or of fewer than four draws.
    """
    drawn = parameter[np.unique(groups, return_index=True)[1]]
    x, y = (rankdata(one) - (drawn.size + 1) / 2.0 for one in (group_means(loss, groups), drawn))
    scale = np.sqrt(total(x * x) * total(y * y))
    if x.size < 4 or scale == 0.0:
        return Estimate(np.nan, np.nan)
    value = total(x * y) / scale
    error = (1.0 - value**2) * np.sqrt((1.0 + value**2 / 2.0) / (x.size - 3))
    return Estimate(value, error)


def _components(components: list[Components]) -> dict[str, xr.Variable]:
    """Lay the parts of the variance out by quantity."""
    result: dict[str, xr.Variable] = {}
    for field, (name, long_name, units) in _COMPONENTS.items():
        parts = [getattr(one, field) for one in components]
        result |= estimates(name, ("quantity",), parts, (len(QUANTITIES),), long_name, units)
    return result
