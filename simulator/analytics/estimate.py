"""A number with its Monte Carlo standard error, and how the two are printed.

Digits that the error does not support are not shown: the error is cut to one significant digit
(two if it would begin with a 1) and the value to the same decimal place.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Estimate(NamedTuple):
    """An estimate and its standard error, in the same unit."""

    value: float
    se: float


def decimals_of(se: float) -> int:
    """Decimal places that a standard error leaves standing; negative left of the point.

    Parameters
    ----------
    se : float
        Standard error, finite and > 0.

    Returns
    -------
    int
        E.g. 1 for 0.4 (one digit), 2 for 0.14 (two digits, it begins with a 1), −1 for 40.

    Examples
    --------
    >>> decimals_of(0.4), decimals_of(0.14), decimals_of(40.0), decimals_of(0.097)
    (1, 2, -1, 2)
    """
    leading = math.floor(math.log10(se))
    return 1 - leading if se < 2.0 * 10.0**leading else -leading


def format_number(value: float, decimals: int) -> str:
    """Value rounded to a decimal place, thousands grouped, never a negative zero.

    Examples
    --------
    >>> format_number(12345.678, 1), format_number(12345.678, -2), format_number(-0.001, 1)
    ('12,345.7', '12,300', '0.0')
    """
    rounded = round(value, decimals) + 0.0
    return f"{rounded:,.{max(0, decimals)}f}"


def format_significant(value: float, digits: int = 4) -> str:
    """Value with a number of significant digits, thousands grouped, no trailing zeros.

    Examples
    --------
    >>> format_significant(0.123456), format_significant(1234567.0), format_significant(2.0)
    ('0.1235', '1,234,567', '2')
    """
    if not math.isfinite(value):
        return "n/a" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0.0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = format_number(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_estimate(
    value: float, se: float, *, percent: bool = False, resolution: float = 0.0
) -> str:
    """Value ± standard error with the digits that the error supports.

    Parameters
    ----------
    value : float
        Estimate; NaN prints as ``n/a``.
    se : float
        Its standard error. Zero (a constant, no event seen) prints the value alone; NaN
        prints three digits and says that the error is not known.
    percent : bool
        Print both as percentages.
    resolution : float
        Smallest amount worth printing; an error below it counts as none.

    Returns
    -------
    str

    Examples
    --------
    >>> format_estimate(12.345, 0.41)
    '12.3 ± 0.4'
    >>> format_estimate(12345.6, 143.0)
    '12,350 ± 140'
    >>> format_estimate(0.0123456, 0.00042, percent=True)
    '1.23 ± 0.04%'
    >>> format_estimate(0.0, 0.0), format_estimate(float("nan"), 1.0)
    ('0', 'n/a')
    """
    scale, sign = (100.0, "%") if percent else (1.0, "")
    value, se = value * scale, se * scale
    if not math.isfinite(value):
        return format_significant(value)
    if not math.isfinite(se):
        return f"{format_significant(value, 3)}{sign} ± n/a"
    if se <= 1e-12 * abs(value) or se <= resolution:
        value = 0.0 if abs(value) <= resolution else value
        return f"{format_significant(value)}{sign}"
    decimals = decimals_of(se)
    return f"{format_number(value, decimals)} ± {format_number(se, decimals)}{sign}"


def format_probability(value: float, se: float, paths: float) -> str:
    """Probability in percent with its error; at 0 or 1 the bound by the rule of three.

    Parameters
    ----------
    value, se : float
        Share of paths and its standard error.
    paths : float
        Number of independent draws, see `sample.independent_draws`. No event in n of them bounds
        the probability by 3/n with 95% confidence.

    Returns
    -------
    str

    Examples
    --------
    >>> format_probability(0.0, 0.0, 10_000), format_probability(0.25, 0.004, 11_700)
    ('< 0.03%', '25.0 ± 0.4%')
    """
    if value <= 0.0:
        return f"< {format_significant(300.0 / paths, 2)}%"
    if value >= 1.0:
        return f"> {format_significant(100.0 - 300.0 / paths, 6)}%"
    return format_estimate(value, se, percent=True)
