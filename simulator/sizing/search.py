"""The last number of a row up to which a condition holds, with few questions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = ["crossing", "scan"]

EDGE = 0.1
"""Share of a bracket that a secant step keeps away from its ends."""


def scan(first: int, last: int, points: int) -> list[int]:
    """Return whole numbers spread evenly from `first` to `last`, both among them.

    Examples
    --------
    >>> scan(0, 10, 5), scan(3, 5, 6)
    ([0, 2, 5, 8, 10], [3, 4, 5])
    """
    count = min(points, last - first + 1)
    if count < 2:
        return [first]
    return sorted({first + round(i * (last - first) / (count - 1)) for i in range(count)})


def crossing(excess: Callable[[int], float], scanned: Sequence[int]) -> tuple[int, int] | None:
    """Find where a condition that holds for small numbers ends to hold.

    Parameters
    ----------
    excess : callable
        Measure less target of a number: at most 0 where the condition holds.
    scanned : sequence of int
        Ascending numbers among which the first bracket is sought.

    Returns
    -------
    (int, int) or None
        Two neighbours: the condition holds for the first and fails for the second. None if no
        number of `scanned` where it fails follows one where it holds.

    Notes
    -----
    Secants between the ends of the bracket, kept a tenth away from both; a bisection whenever the
    last step did not halve the bracket. Of several crossings the first is found.
    """
    bracket = None
    for one, other in pairwise(scanned):
        if excess(one) <= 0.0 < excess(other):
            bracket = one, other
            break
    if bracket is None:
        return None
    holds, fails = bracket
    halved = True
    while fails - holds > 1:
        width = fails - holds
        share = 0.5
        if halved:
            below, above = excess(holds), excess(fails)
            share = min(1.0 - EDGE, max(EDGE, -below / (above - below)))
        number = min(fails - 1, max(holds + 1, holds + math.floor(share * width + 0.5)))
        if excess(number) <= 0.0:
            holds = number
        else:
            fails = number
        halved = 2 * (fails - holds) <= width
    return holds, fails
