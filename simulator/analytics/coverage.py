"""Coverage while there is debt to cover."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simulator.dataset.dims import MONTH, QUANTILE

LEFT = 0.02
"""Share of its peak below which median debt counts as next to none."""


def blank_thin_coverage(dataset: xr.Dataset) -> xr.Dataset:
    """Blank the fan of the book's coverage from where next to no debt is left.

    Cash flow over a debt service of almost nothing is a large number without meaning.

    Parameters
    ----------
    dataset : Dataset
        A run; returned as it is if it lacks either fan.

    Returns
    -------
    Dataset
        With ``fan_book_dscr`` and its errors NaN from the first month on in which median debt is,
        and stays, under 2% of its peak.
    """
    if "fan_book_dscr" not in dataset or "fan_outstanding_debt" not in dataset:
        return dataset
    debt = dataset["fan_outstanding_debt"].sel({QUANTILE: 0.5}).values
    enough = np.flatnonzero(debt >= LEFT * np.nanmax(debt))
    last = int(dataset[MONTH].values[enough[-1]]) if enough.size else 0
    names = [name for name in ("fan_book_dscr", "fan_book_dscr_se") if name in dataset]
    return dataset.assign({name: dataset[name].where(dataset[MONTH] <= last) for name in names})
