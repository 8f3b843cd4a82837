"""Internal rates of return of what equity paid in and took out, for a block of paths at once.

A rate is given where the value of the flows changes sign exactly once between a half and two
as monthly discount factor.  Flows that change sign once have one root (Descartes), and most do: the
lanes of a pack look for theirs side by side.  The rest is counted on a grid, one lane at a time.

Model: docs/model.md §13.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.flows import TINY
from simulator.numerics.elementary import exp_of, log_of
from simulator.numerics.jit import inlined, inner
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import any_of, end_of, first_of, pack_at, select, spread
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

    changes: int  # of sign
    factor: int  # monthly discount factor


RATE_ROW = RateRows(*range(2))


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


@inlined
def count_changes(cash_flows, months, b, pack):
    """Count the changes of sign of each lane's flows; debris of rounding is set to zero.

    Parameters
    ----------
    cash_flows : (month, box, lane), USD m
    months, b : int, rows and box to look at
    """
    last, changes = spread(0.0, pack), spread(0.0, pack)
    for t in range(months):
        flow = cash_flows[t, b, pack]
        flow = select(abs(flow) > TINY, flow, 0.0)
        cash_flows[t, b, pack] = flow
        sign = select(flow > 0.0, 1.0, 0.0) - select(flow < 0.0, 1.0, 0.0)
        changes = changes + select(sign * last < 0.0, 1.0, 0.0)
        last = select(sign != 0.0, sign, last)
    return changes


@inlined
def value_flows(cash_flows, months, b, factor, pack):
    """Return value and slope of every lane's flows at its factor."""
    value, slope = spread(0.0, pack), spread(0.0, pack)
    for t in range(months - 1, -1, -1):
        slope = slope * factor + value
        value = value * factor + cash_flows[t, b, pack]
    return value, slope


@inlined
def find_roots(cash_flows, months, b, changes, pack):
    """Look for the root of flows that change sign once, if it lies within reach.

    A Newton step counts if it stays within the bracket and the value has halved since the last
    one; else the bracket is halved.

    Returns
    -------
    found, factor : pack
        Where there is such a root, and the monthly discount factor.
    """
    low, high = spread(LEAST, pack), spread(MOST, pack)
    value_low, _ = value_flows(cash_flows, months, b, low, pack)
    value_high, _ = value_flows(cash_flows, months, b, high, pack)
    rises = value_low <= 0.0
    found = (changes == 1.0) & (((value_high > 0.0) & rises) | ((value_high <= 0.0) & ~rises))
    is_open, factor, before = found, spread(FIRST_GUESS, pack), spread(np.inf, pack)
    for _ in range(STEPS):
        if not any_of(is_open):
            break
        value, slope = value_flows(cash_flows, months, b, factor, pack)
        beyond = ((value > 0.0) & rises) | ((value <= 0.0) & ~rises)
        high = select(beyond, factor, high)
        low = select(beyond, low, factor)
        step = factor - value / select(slope != 0.0, slope, 1.0)
        halved = abs(value) < 0.5 * before
        close = abs(step - factor) < CLOSE  # then the value is rounding, which does not halve
        taken = close | (halved & (low < step) & (step < high))
        before = abs(value)
        factor = select(is_open, select(taken, step, 0.5 * (low + high)), factor)
        is_open = is_open & ~close & (high - low >= CLOSE)
    return found, factor


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
    """Write state and annual effective rate of a box's flows.

    Parameters
    ----------
    cash_flows : (month, box, lane), USD m; amounts of no account are set to zero
    months, b : int, rows and box to look at
    scratch : (row of RATE_ROW, lane)
    series : (month,), scratch
    grid : (2, factor), see `discount_grid`
    states, rates : (box, lane), written; the rate is NaN unless the state is IRR_DEFINED
    """
    lanes = scratch.shape[1]
    for first in range(0, lanes, PACK):
        pack = pack_at(first, lanes)
        changes = count_changes(cash_flows, months, b, pack)
        found, factor = find_roots(cash_flows, months, b, changes, pack)
        states[b, pack] = select(found, IRR_DEFINED, spread(IRR_NONE, pack))
        if any_of(changes > 1.0):
            scratch[RATE_ROW.changes, pack] = changes
            scratch[RATE_ROW.factor, pack] = factor
            for lane in range(first_of(pack), end_of(pack)):
                if scratch[RATE_ROW.changes, lane] > 1.0:
                    for t in range(months):
                        series[t] = cash_flows[t, b, lane]
                    states[b, lane], root = rate_on_grid(series[:months], grid)
                    scratch[RATE_ROW.factor, lane] = root
            factor = scratch[RATE_ROW.factor, pack]
        rate = exp_of(-12.0 * log_of(factor)) - 1.0
        rates[b, pack] = select(states[b, pack] == IRR_DEFINED, rate, np.nan)
