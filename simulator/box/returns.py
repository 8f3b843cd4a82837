"""Internal rates of return of what equity paid in and took out, for a block of paths at once.

A rate is given where the value of the flows changes sign exactly once between a half and two
as monthly discount factor.  Flows that change sign once have one root (Descartes), and most do: all
lanes look for theirs side by side.  The rest is counted on a grid, one lane at a time.

Model: docs/model.md §13.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.flows import TINY
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.rows import row_names

IRR_DEFINED, IRR_NONE, IRR_SEVERAL = 0.0, 1.0, 2.0
IRR_FACTORS = 193
LEAST, MOST = 0.5, 2.0  # monthly discount factors between which rates are looked for
FIRST_GUESS = 0.98  # about 27% a year
STEPS = 200
CLOSE = 1e-14


@row_names
class RateRows(NamedTuple):
    """Rows of the scratch of a block's rates, by lane."""

    last_sign: int  # of the flows so far, 0 = none yet
    changes: int  # of sign
    value: int  # of the flows at `factor`, USD m
    slope: int  # of the value in the factor
    factor: int  # monthly discount factor
    low: int
    high: int
    value_low: int
    before: int  # size of the value a step ago
    open: int  # 1 while the lane is still looking


RATE_ROW = RateRows(*range(10))


def rate_scratch(lanes: int) -> NDArray[np.float64]:
    """Return scratch for `internal_rates`, (row of RATE_ROW, lane)."""
    return np.zeros((len(RATE_ROW), lanes))


def discount_grid() -> NDArray[np.float64]:
    """Return scratch to look for internal rates on: monthly discount factors, and room for values.

    Returns
    -------
    ndarray (2, factor)
        Factors from 0.5 to 2 in equal steps of their logarithm, 1 among them; zeros.
    """
    factors = np.exp(np.linspace(np.log(LEAST), np.log(MOST), IRR_FACTORS))
    return np.stack([factors, np.zeros(IRR_FACTORS)])


@inner
def count_changes(cash_flows, months, b, scratch):
    """Count the changes of sign of each lane's flows; debris of rounding is set to zero.

    Parameters
    ----------
    cash_flows : (month, box, lane), USD m
    months, b : int, rows and box to look at
    """
    scratch[RATE_ROW.last_sign] = 0.0
    scratch[RATE_ROW.changes] = 0.0
    for t in range(months):
        for lane in range(scratch.shape[1]):
            flow = cash_flows[t, b, lane]
            cash_flows[t, b, lane] = flow if abs(flow) > TINY else 0.0
        for lane in range(scratch.shape[1]):
            flow = cash_flows[t, b, lane]
            sign = (1.0 if flow > 0.0 else 0.0) - (1.0 if flow < 0.0 else 0.0)
            last = scratch[RATE_ROW.last_sign, lane]
            scratch[RATE_ROW.changes, lane] += 1.0 if sign * last < 0.0 else 0.0
            scratch[RATE_ROW.last_sign, lane] = sign if sign != 0.0 else last


@inner
def value_flows(cash_flows, months, b, scratch):
    """Write value and slope of every lane's flows at its factor."""
    scratch[RATE_ROW.value] = 0.0
    scratch[RATE_ROW.slope] = 0.0
    for t in range(months - 1, -1, -1):
        for lane in range(scratch.shape[1]):
            slope = scratch[RATE_ROW.slope, lane]
            value = scratch[RATE_ROW.value, lane]
            scratch[RATE_ROW.slope, lane] = slope * scratch[RATE_ROW.factor, lane] + value
        for lane in range(scratch.shape[1]):
            value = scratch[RATE_ROW.value, lane]
            value = value * scratch[RATE_ROW.factor, lane]
            scratch[RATE_ROW.value, lane] = value + cash_flows[t, b, lane]


@inner
def bracket(cash_flows, months, b, scratch):
    """Open the search in lanes whose flows change sign once, and whose root lies within reach."""
    scratch[RATE_ROW.factor] = LEAST
    value_flows(cash_flows, months, b, scratch)
    for lane in range(scratch.shape[1]):
        scratch[RATE_ROW.value_low, lane] = scratch[RATE_ROW.value, lane]
    scratch[RATE_ROW.factor] = MOST
    value_flows(cash_flows, months, b, scratch)
    for lane in range(scratch.shape[1]):
        crosses = (scratch[RATE_ROW.value, lane] > 0.0) != (scratch[RATE_ROW.value_low, lane] > 0.0)
        single = scratch[RATE_ROW.changes, lane] == 1.0
        scratch[RATE_ROW.open, lane] = 1.0 if crosses and single else 0.0
    scratch[RATE_ROW.low] = LEAST
    scratch[RATE_ROW.high] = MOST
    scratch[RATE_ROW.factor] = FIRST_GUESS
    scratch[RATE_ROW.before] = np.inf


@inner
def narrow(scratch):
    """Take a Newton step in every open lane, or halve its bracket; return how many stay open.

    A step counts if it stays within the bracket and the value has halved since the last one.
    """
    for lane in range(scratch.shape[1]):
        value, factor = scratch[RATE_ROW.value, lane], scratch[RATE_ROW.factor, lane]
        beyond = (value > 0.0) != (scratch[RATE_ROW.value_low, lane] > 0.0)
        scratch[RATE_ROW.high, lane] = factor if beyond else scratch[RATE_ROW.high, lane]
        scratch[RATE_ROW.low, lane] = scratch[RATE_ROW.low, lane] if beyond else factor
    still = 0.0
    for lane in range(scratch.shape[1]):
        value, factor = scratch[RATE_ROW.value, lane], scratch[RATE_ROW.factor, lane]
        slope = scratch[RATE_ROW.slope, lane]
        low, high = scratch[RATE_ROW.low, lane], scratch[RATE_ROW.high, lane]
        step = factor - value / (slope if slope != 0.0 else 1.0)
        halved = abs(value) < 0.5 * scratch[RATE_ROW.before, lane]
        close = abs(step - factor) < CLOSE  # then the value is rounding, which does not halve
        following = step if close or (halved and low < step < high) else 0.5 * (low + high)
        is_open = scratch[RATE_ROW.open, lane] > 0.0
        scratch[RATE_ROW.before, lane] = abs(value)
        scratch[RATE_ROW.factor, lane] = following if is_open else factor
        stays = is_open and not close and high - low >= CLOSE
        scratch[RATE_ROW.open, lane] = 1.0 if stays else 0.0
        still += 1.0 if stays else 0.0
    return still


@inner
def present_value(cash_flows, factor):
    """Return (value, slope in the factor) of flows (month,) at a monthly discount factor."""
    value = 0.0
    slope = 0.0
    for t in range(cash_flows.shape[0] - 1, -1, -1):
        slope = slope * factor + value
        value = value * factor + cash_flows[t]
    return value, slope


@inner
def only_bracket(cash_flows, grid):
    """Return (roots, k): how often the value of flows changes sign on the grid, the last time at k.

    Parameters
    ----------
    cash_flows : (month,), USD m
    grid : (2, factor), see `discount_grid`; the second row is written
    """
    for k in range(grid.shape[1]):
        grid[1, k] = 0.0
    for t in range(cash_flows.shape[0] - 1, -1, -1):
        flow = cash_flows[t]
        for k in range(grid.shape[1]):
            grid[1, k] = grid[1, k] * grid[0, k] + flow
    roots = 0
    last = 0
    for k in range(grid.shape[1] - 1):
        if (grid[1, k] > 0.0) != (grid[1, k + 1] > 0.0):
            roots += 1
            last = k
    return roots, last


@inner
def rate_on_grid(cash_flows, grid):
    """Return (state, monthly discount factor) of flows (month,) that may have several roots."""
    roots, k = only_bracket(cash_flows, grid)
    if roots == 0:
        return IRR_NONE, np.nan
    if roots > 1:
        return IRR_SEVERAL, np.nan
    low, high = grid[0, k], grid[0, k + 1]
    rising = grid[1, k + 1] > 0.0
    factor = 0.5 * (low + high)
    before = np.inf
    for _ in range(STEPS):
        value, slope = present_value(cash_flows, factor)
        if (value > 0.0) == rising:
            high = factor
        else:
            low = factor
        step = factor - value / (slope if slope != 0.0 else 1.0)
        close = abs(step - factor) < CLOSE  # then the value is rounding, which does not halve
        halved = abs(value) < 0.5 * before
        factor = step if close or (halved and low < step < high) else 0.5 * (low + high)
        before = abs(value)
        if close or high - low < CLOSE:
            break
    return IRR_DEFINED, factor


@inner
def internal_rates(cash_flows, months, b, scratch, series, grid, states, rates):
    """Write state and annual effective rate of a box's flows, lane by lane.

    Parameters
    ----------
    cash_flows : (month, box, lane), USD m; amounts of no account are set to zero
    months, b : int, rows and box to look at
    scratch : (row of RATE_ROW, lane)
    series : (month,), scratch
    grid : (2, factor), see `discount_grid`
    states, rates : (box, lane), written; the rate is NaN unless the state is IRR_DEFINED
    """
    count_changes(cash_flows, months, b, scratch)
    bracket(cash_flows, months, b, scratch)
    still = 0.0
    for lane in range(scratch.shape[1]):
        states[b, lane] = IRR_DEFINED if scratch[RATE_ROW.open, lane] > 0.0 else IRR_NONE
        still += scratch[RATE_ROW.open, lane]
    for _ in range(STEPS):
        if still == 0.0:
            break
        value_flows(cash_flows, months, b, scratch)
        still = narrow(scratch)
    for lane in range(scratch.shape[1]):
        if scratch[RATE_ROW.changes, lane] > 1.0:
            for t in range(months):
                series[t] = cash_flows[t, b, lane]
            states[b, lane], factor = rate_on_grid(series[:months], grid)
            scratch[RATE_ROW.factor, lane] = factor
    for lane in range(scratch.shape[1]):
        rate = exp(-12.0 * log(scratch[RATE_ROW.factor, lane])) - 1.0
        rates[b, lane] = rate if states[b, lane] == IRR_DEFINED else np.nan
