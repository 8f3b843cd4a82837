r"""Quantiles of a sample and how uncertain they are.

Notes
-----
The quantile at level :math:`p` of :math:`n` values is the order statistic
:math:`x_{(\lceil np \rceil)}` ("inverted CDF"): always a value that was simulated.

The number of values below the true quantile is binomial, so with 95% probability it lies between
the order statistics of ranks :math:`\lfloor np - 1.96 \sqrt{np(1-p)} \rfloor` and
:math:`\lceil np + 1.96 \sqrt{np(1-p)} \rceil`.  Half the width of that interval over 1.96 is the
standard error given here; it needs no density.  Where a rank falls outside the sample there are
too few values for a standard error, and it is NaN.

References
----------
Conover, W. J. (1999), Practical Nonparametric Statistics, 3rd ed., section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "QUANTILE_NOTE", "Ranks", "quantiles_at", "ranks"]

LEVELS: Final = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
"""Probability levels of a fan."""

QUANTILE_NOTE: Final = "order statistic of rank ceil(n p)"

NORMAL_975: Final = 1.96


class Ranks(NamedTuple):
    """Ranks (from 1) of the order statistics that a fan needs; 0 stands for none."""

    centre: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]


@lru_cache(maxsize=4096)
def ranks(count: int) -> Ranks:
    """Return the ranks of quantiles and of their 95% intervals.

    Parameters
    ----------
    count : int
        Number of values.

    Returns
    -------
    Ranks
        One entry per level.
    """
    centre, low, high = [], [], []
    for level in LEVELS:
        exact = Fraction(str(level)) * count  # 0.07 * 100 is not 7 in binary
        half = NORMAL_975 * math.sqrt(float(exact) * (1 - level))
        lowest, highest = math.floor(float(exact) - half), math.ceil(float(exact) + half)
        inside = lowest >= 1 and highest <= count
        centre.append(math.ceil(exact))
        low.append(lowest if inside else 0)
        high.append(highest if inside else 0)
    return Ranks(np.array(centre), np.array(low), np.array(high))


def quantiles_at(
    value_of_rank: Callable[[NDArray[np.int64]], NDArray[Any]], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return quantiles and their standard errors.

    Parameters
    ----------
    value_of_rank : callable
        Takes ranks (from 1), returns order statistics.
    count : int
        Number of values.

    Returns
    -------
    quantiles, standard_errors : ndarray (levels,)
        NaN where there are no, or too few, values.
    """
    if count == 0:
        nothing = np.full(len(LEVELS), np.nan)
        return nothing, nothing
    centre, low, high = ranks(count)
    known = low > 0
    quantiles = value_of_rank(centre).astype(np.float64)
    errors = np.full(len(LEVELS), np.nan)
    with np.errstate(invalid="ignore"):  # infinite minus infinite
        width = value_of_rank(high[known]).astype(np.float64) - value_of_rank(low[known])
    errors[known] = width / (2 * NORMAL_975)
    return quantiles, errors
