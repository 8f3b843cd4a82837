"""Exchange rates of currencies in which customers pay or boxes bear their costs.

A rate moves without drift in its mean, and is 1 at t0: amounts of a book are in dollars of t0.

    X(t) = X(t-1) exp(sigma xi / sqrt(12) - sigma^2 / 24)

Model: docs/model.md §9; `fx.sigma` (judgement: about 10% a year for large currencies).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.elementary import exp
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normals
from simulator.numerics.rows import row_names
from simulator.numerics.streams import stream_id_array


class CurrencyParams(NamedTuple):
    """Frozen inputs."""

    sd: float  # monthly, of the log
    streams: NDArray[np.uint64]  # (currency,), the dollar first: its stream is never read


@row_names
class CurrencyRows(NamedTuple):
    """Rows of `CurrencyState.rows`."""

    rate: int  # (currency, lane), dollars of today for what was a dollar at t0
    move: int  # (currency, lane), rate over that of the month before


CURRENCY = CurrencyRows(*range(2))


class CurrencyState(NamedTuple):
    """State by currency and lane."""

    rows: NDArray[np.float64]  # (row of CURRENCY, ...)


def pack_currencies(
    parameters: Mapping[str, float], names: Sequence[str], *, enabled: bool
) -> CurrencyParams:
    """Return the packed driver; switched off or centred, rates stay where they are."""
    return CurrencyParams(
        sd=parameters["fx.sigma"] / float(np.sqrt(12.0)) if enabled else 0.0,
        streams=stream_id_array([f"fx.{name}" for name in ("USD", *names)]),
    )


def new_currencies(count: int, lanes: int) -> CurrencyState:
    """Return state for a block; `count` includes the dollar."""
    return CurrencyState(np.ones((len(CURRENCY), count, lanes)))


@inner
def init_currencies(state):
    """Reset a block to t0."""
    state.rows[:] = 1.0


@inner
def step_currencies(params, state, seed, paths, month, first, second):
    """Advance one month."""
    if params.sd == 0.0:
        return
    drift = -0.5 * params.sd * params.sd
    for currency in range(1, params.streams.shape[0]):
        fill_normals(seed, paths, params.streams[currency], month, first, second)
        for lane in range(paths.shape[0]):
            move = exp(drift + params.sd * first[lane])
            state.rows[CURRENCY.move, currency, lane] = move
            state.rows[CURRENCY.rate, currency, lane] *= move
