"""Curves for reports: loss exceedance by facility and book, convergence of the book."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simulator.analytics.convergence import convergence
from simulator.analytics.exceedance import Exceedance, exceedance_curve
from simulator.analytics.frame import labels, path_weights, vector
from simulator.dataset.dims import FACILITY

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


def convergence_table(dataset: xr.Dataset, level: float = 0.99, blocks: int = 40) -> xr.Dataset:
    """Compute running expected loss and ES of the book over growing numbers of paths.

    Returns
    -------
    Dataset
        ``expected_loss(paths)``, ``expected_shortfall(paths)`` [USD m], each with ``_se``;
        the level of ES is the attribute ``level``.
    """
    result = convergence(vector(dataset, "book_lender_loss"), level, blocks, path_weights(dataset))
    money = {"units": "million USD"}
    return xr.Dataset(
        {
            "expected_loss": ("paths", result.mean, money),
            "expected_loss_se": ("paths", result.mean_se, money),
            "expected_shortfall": ("paths", result.shortfall, money),
            "expected_shortfall_se": ("paths", result.shortfall_se, money),
        },
        coords={"paths": result.paths},
        attrs={"level": level},
    )
