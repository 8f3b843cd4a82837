"""Equity of boxes and sponsors: what owners stand to make and to lose.

Box equity and sponsor equity are two views of the same money and are never added.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean, probability
from simulator.analytics.frame import estimates, labels, path_weights, vector
from simulator.analytics.quantiles import quantile
from simulator.analytics.sample import Design, Vector, as_weights, part_of
from simulator.dataset.dims import BOX, SPONSOR

PROBABILITIES: Final = (0.05, 0.25, 0.50, 0.75, 0.95)


def equity_table(dataset: xr.Dataset) -> xr.Dataset:
    """Summarise box equity.

    Returns
    -------
    Dataset
        By ``box``: ``wipe_out_probability``, ``mean_pnl`` [USD m, PV], ``pnl_loss_probability``,
        ``mean_contributions``, ``moic_undefined_share`` (nothing was paid in),
        ``irr_defined_share``, ``irr_none_share`` (no rate exists), ``irr_several_share`` (several
        do); by ``box, probability``: ``moic``, ``irr``, ``pnl``. Each with ``_se``. Quantiles of
        MOIC and IRR are over the paths on which they are defined, so they must be read beside
        those shares.
    """
    boxes = labels(dataset, BOX)
    weights = path_weights(dataset)
    scalars: defaultdict[str, list[Estimate]] = defaultdict(list)
    spreads: defaultdict[str, list[Estimate]] = defaultdict(list)
    for i in range(len(boxes)):
        pnl = vector(dataset, "equity_pnl", box=i)
        moic = vector(dataset, "equity_moic", box=i)
        irr = vector(dataset, "equity_irr", box=i)
        state = vector(dataset, "equity_irr_state", box=i)
        paid = vector(dataset, "equity_contributions", box=i)
        scalars["wipe_out_probability"].append(
            probability(vector(dataset, "equity_wiped_out", box=i) > 0, weights)
        )
        scalars["mean_pnl"].append(mean(pnl, weights))
        scalars["pnl_loss_probability"].append(probability(pnl < 0.0, weights))
        scalars["mean_contributions"].append(mean(paid, weights))
        scalars["moic_undefined_share"].append(probability(np.isnan(moic), weights))
        scalars["irr_defined_share"].append(probability(state == 0, weights))
        scalars["irr_none_share"].append(probability(state == 1, weights))
        scalars["irr_several_share"].append(probability(state == 2, weights))
        spreads["moic"] += _quantiles(moic, ~np.isnan(moic), weights)
        spreads["irr"] += _quantiles(irr, state == 0, weights)
        spreads["pnl"] += _quantiles(pnl, np.isfinite(pnl), weights)
    return _table(BOX, boxes, scalars, spreads, dataset.sizes["path"])


def sponsor_table(dataset: xr.Dataset) -> xr.Dataset:
    """Summarise sponsors.

    Returns
    -------
    Dataset
        By ``sponsor``: ``default_probability``, ``dilution_probability`` (opening owners are
        diluted at all), ``mean_dilution`` (share they give up, mean), ``mean_pnl`` [USD m, PV];
        by ``sponsor, probability``: ``pnl``. Each with ``_se``.

    Notes
    -----
    Profit compares closing with opening value, both net of debt and not below 0; cash idles
    meanwhile, business outside the tape earns the hurdle rate. Where the tape says what that
    business is worth, and debt still exceeds all there is, opening value is 0 and profit says
    nothing about the owners: `sponsor_equity_loss_share` is then NaN.
    """
    sponsors = labels(dataset, SPONSOR)
    weights = path_weights(dataset)
    scalars: defaultdict[str, list[Estimate]] = defaultdict(list)
    spreads: defaultdict[str, list[Estimate]] = defaultdict(list)
    for i in range(len(sponsors)):
        pnl = vector(dataset, "sponsor_equity_pnl", sponsor=i)
        given_up = 1.0 - vector(dataset, "sponsor_retained_share", sponsor=i)
        failed = vector(dataset, "sponsor_default_month", sponsor=i) > 0
        scalars["default_probability"].append(probability(failed, weights))
        scalars["dilution_probability"].append(probability(given_up > 1e-12, weights))
        scalars["mean_dilution"].append(mean(given_up, weights))
        scalars["mean_pnl"].append(mean(pnl, weights))
        spreads["pnl"] += _quantiles(pnl, np.isfinite(pnl), weights)
    return _table(SPONSOR, sponsors, scalars, spreads, dataset.sizes["path"])


_SCALARS: Final = {
    "wipe_out_probability": ("probability that less than 5% of contributions comes back", "1"),
    "mean_pnl": ("mean profit, PV", "million USD"),
    "pnl_loss_probability": ("probability of a loss in PV", "1"),
    "mean_contributions": ("mean contributions, PV", "million USD"),
    "moic_undefined_share": ("share of paths on which nothing was paid in", "1"),
    "irr_defined_share": ("share of paths with one internal rate of return", "1"),
    "irr_none_share": ("share of paths without an internal rate of return", "1"),
    "irr_several_share": ("share of paths with several internal rates of return", "1"),
    "default_probability": ("probability of default within the horizon", "1"),
    "dilution_probability": ("probability that opening owners are diluted", "1"),
    "mean_dilution": ("mean share that opening owners give up", "1"),
}
_QUANTILES: Final = {
    "moic": ("money multiple", "1"),
    "irr": ("internal rate of return, annual effective", "1/year"),
    "pnl": ("profit, PV", "million USD"),
}


def _quantiles(
    values: Vector, defined: NDArray[np.bool_], weights: Design | None
) -> list[Estimate]:
    """Quantiles over the paths on which the quantity is defined; NaN if there is none."""
    kept = part_of(weights, defined)
    ratios = as_weights(kept, int(np.count_nonzero(defined))) if defined.any() else None
    if not defined.any() or (ratios is not None and not ratios.any()):
        return [Estimate(math.nan, math.nan)] * len(PROBABILITIES)
    return [quantile(values[defined], level, kept) for level in PROBABILITIES]


def _table(
    entity: str,
    names: list[str],
    scalars: dict[str, list[Estimate]],
    spreads: dict[str, list[Estimate]],
    paths: int,
) -> xr.Dataset:
    """Lay out scalars by name and quantiles by name and probability."""
    variables: dict[str, xr.Variable] = {}
    for name, values in scalars.items():
        variables |= estimates(name, (entity,), values, (len(names),), *_SCALARS[name])
    shape = (len(names), len(PROBABILITIES))
    for name, values in spreads.items():
        variables |= estimates(name, (entity, "probability"), values, shape, *_QUANTILES[name])
    return xr.Dataset(
        variables,
        coords={entity: names, "probability": list(PROBABILITIES)},
        attrs={"paths": paths},
    )
