"""Curves for reports: loss exceedance by facility and book, convergence of the book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from simulator.analytics.convergence import convergence, paths_needed
from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import counted
from simulator.analytics.exceedance import Exceedance, exceedance_curve
from simulator.analytics.frame import labels, path_weights, vector
from simulator.analytics.tail import tail_count
from simulator.dataset.dims import FACILITY

RELATIVE_ERROR: Final = 0.01
"""Standard error for which `convergence_table` tells the paths that it takes."""

_MEANINGS = {
    "loss": ("lender loss", "million USD"),
    "exceedance": ("probability of a larger loss", "1"),
    "exceedance_lower": ("lower end of the pointwise 95% band", "1"),
    "exceedance_upper": ("upper end of the pointwise 95% band", "1"),
}


def exceedance_table(dataset: xr.Dataset, points: int = 160) -> xr.Dataset:
    """Loss exceedance curves of every facility and of the book.

    Returns
    -------
    Dataset
        ``loss``, ``exceedance``, ``exceedance_lower``, ``exceedance_upper`` by
        (facility, point), and ``book_*`` by point.
    """
    weights = path_weights(dataset)
    facilities = labels(dataset, FACILITY)
    curves = [
        exceedance_curve(vector(dataset, "lender_loss", facility=i), points, weights)
        for i in range(len(facilities))
    ]
    book = exceedance_curve(vector(dataset, "book_lender_loss"), points, weights)
    variables = _variables("", (FACILITY, "point"), curves, (len(curves), points))
    variables |= _variables("book_", ("point",), [book], (points,))
    return xr.Dataset(
        variables, coords={FACILITY: facilities}, attrs={"paths": dataset.sizes["path"]}
    )


def _variables(
    prefix: str, dims: tuple[str, ...], curves: list[Exceedance], shape: tuple[int, ...]
) -> dict[str, xr.Variable]:
    """Stack curves along the first of `dims`."""
    result = {}
    for field, (name, (long_name, units)) in enumerate(_MEANINGS.items()):
        block = np.array([curve[field] for curve in curves], dtype=np.float64).reshape(shape)
        result[prefix + name] = xr.Variable(dims, block, {"long_name": long_name, "units": units})
    return result


def convergence_table(
    dataset: xr.Dataset, levels: Sequence[float] = (0.99, 0.999), blocks: int = 40
) -> xr.Dataset:
    """Compute running expected loss, VaR and ES of the book over growing numbers of paths.

    Returns
    -------
    Dataset
        ``expected_loss(paths)``, ``value_at_risk(level, paths)`` and
        ``expected_shortfall(level, paths)`` [USD m], each with ``_se``; and how many paths would
        bring its error down to the attribute ``relative_error`` of it: ``expected_loss_paths``,
        ``value_at_risk_paths(level)``, ``expected_shortfall_paths(level)``.
    """
    loss = vector(dataset, "book_lender_loss")
    weights = path_weights(dataset)
    result = convergence(loss, levels, blocks, weights)
    money, count = {"units": "million USD"}, {"units": "1"}
    tails = [tail_count(loss, level, weights) for level in levels]
    rests_on = {"expected_loss": [counted(loss != 0.0, weights)]}
    rests_on |= dict.fromkeys(("value_at_risk", "expected_shortfall"), tails)
    found: dict[str, tuple[str | tuple[str, ...], object, dict[str, str]]] = {}
    for name, values, errors in (
        ("expected_loss", result.mean, result.mean_se),
        ("value_at_risk", result.var, result.var_se),
        ("expected_shortfall", result.shortfall, result.shortfall_se),
    ):
        dims = ("paths",) if values.ndim == 1 else ("level", "paths")
        last = zip(values[..., -1:].ravel(), errors[..., -1:].ravel(), rests_on[name], strict=True)
        needed = [
            paths_needed(Estimate(float(value), float(se)), loss.size, RELATIVE_ERROR, rests)
            for value, se, rests in last
        ]
        found[name] = (dims, values, money)
        found[f"{name}_se"] = (dims, errors, money)
        found[f"{name}_paths"] = (dims[:-1], np.array(needed).reshape(values.shape[:-1]), count)
    return xr.Dataset(
        found,
        coords={"paths": result.paths, "level": list(levels)},
        attrs={"relative_error": RELATIVE_ERROR},
    )
