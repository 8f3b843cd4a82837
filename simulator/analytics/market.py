"""From the paths of a market to its fans: quantiles, means and shares of paths by month.

Names are those of a run's fans: ``fan_x``, ``fan_x_se``, ``fan_x_mean``, and ``fan_x_mean_se``
besides.  A code has no quantiles but the share of paths in each state, ``share_x``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.analytics.estimators import mean
from simulator.analytics.frame import path_weights
from simulator.analytics.sample import Design
from simulator.dataset.dims import DIMENSION_NAMES, PATH, QUANTILE
from simulator.dataset.drawn import Drawn, row_of
from simulator.dataset.order_statistics import LEVELS, QUANTILE_NOTE
from simulator.dataset.plan import WEIGHT

__all__ = ["market_fans"]


def market_fans(market: xr.Dataset) -> xr.Dataset:
    """Return quantiles, means and shares of every variable by month, with standard errors.

    Parameters
    ----------
    market : Dataset
        From `simulator.simulate_market`: variables by path and month, some by an entity.

    Returns
    -------
    Dataset
        Quantities as ``fan_x(quantile, month[, entity])`` and ``fan_x_mean(month[, entity])``,
        codes as ``share_x(x_state, month[, entity])``; a standard error ``_se`` beside each.
    """
    design = path_weights(market)
    weights = None if design is None else design.weights
    drawn = Drawn(weights, int(market.attrs.get("paths_per_draw", 1)))
    found: dict[str, Any] = {}
    for name, variable in market.data_vars.items():
        if PATH not in variable.dims:
            found[str(name)] = variable
        elif "flag_meanings" in variable.attrs:
            found |= shares(str(name), variable, design)
        elif name != WEIGHT:
            found |= fan(str(name), variable, drawn)
    coords = {name: one for name, one in market.coords.items() if PATH not in one.dims}
    fans = xr.Dataset(found, coords=coords, attrs={**market.attrs, "paths": market.sizes[PATH]})
    levels = {"long_name": DIMENSION_NAMES[QUANTILE], "units": "1"}
    return fans.assign_coords({QUANTILE: (QUANTILE, np.array(LEVELS), levels)})


def fan(name: str, variable: xr.DataArray, drawn: Drawn) -> dict[str, xr.DataArray]:
    """Return quantiles and mean of a quantity by month, with their standard errors."""
    by_path = variable.transpose(..., PATH)
    rows = np.ascontiguousarray(by_path.values).reshape(-1, variable.sizes[PATH])
    told = [row_of(row, drawn) for row in rows]
    quantiles = np.array([one.quantiles for one in told]).T
    errors = np.array([one.errors for one in told]).T
    mean, error = np.array([(one.mean, one.mean_error) for one in told]).T
    shape, dims = by_path.shape[:-1], by_path.dims[:-1]
    text, units = variable.attrs["long_name"], variable.attrs["units"]

    def labelled(values: NDArray[np.float64], what: str, *first: str) -> xr.DataArray:
        sizes = (len(LEVELS), *shape) if first else shape
        return xr.DataArray(
            values.reshape(sizes),
            dims=(*first, *dims),
            attrs={"units": units, "long_name": f"{text}, {what}"},
        )

    return {
        f"fan_{name}": labelled(quantiles, f"quantiles over paths ({QUANTILE_NOTE})", QUANTILE),
        f"fan_{name}_se": labelled(errors, "standard error of quantiles", QUANTILE),
        f"fan_{name}_mean": labelled(mean, "mean over paths"),
        f"fan_{name}_mean_se": labelled(error, "standard error of the mean"),
    }


def shares(name: str, variable: xr.DataArray, design: Design | None) -> dict[str, xr.DataArray]:
    """Return the share of paths in each state of a code by month, with its standard error."""
    states = str(variable.attrs["flag_meanings"]).split()
    by_path = variable.transpose(..., PATH)
    months = by_path.shape[:-1]
    rows = by_path.values.reshape(-1, variable.sizes[PATH])
    pairs = [
        np.array([mean(row == value, design) for row in rows]).T.reshape(2, *months)
        for value in range(len(states))
    ]
    text = variable.attrs["long_name"]

    def labelled(values: list[NDArray[np.float64]], what: str) -> xr.DataArray:
        return xr.DataArray(
            np.stack(values),
            dims=(f"{name}_state", *by_path.dims[:-1]),
            coords={f"{name}_state": states},
            attrs={"units": "1", "long_name": f"{text}, {what}"},
        )

    return {
        f"share_{name}": labelled([one for one, _ in pairs], "share of paths"),
        f"share_{name}_se": labelled([one for _, one in pairs], "standard error of the share"),
    }
