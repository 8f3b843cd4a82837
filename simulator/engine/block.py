"""A block of paths: opened at t0, run month by month, closed at the horizon.

Three kernels, so that they can be compiled side by side (see `engine.compilation`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator.box.accounts import close_accounts
from simulator.engine.market import MARKET
from simulator.engine.month import step_month
from simulator.engine.opening import open_block
from simulator.engine.outputs import (
    Outputs,
    record_series,
    write_boxes,
    write_sponsors,
    write_tranches,
)
from simulator.engine.state import ModelParams, ModelState
from simulator.numerics.addressed import Addressed
from simulator.numerics.jit import kernel

__all__ = ["close_block", "run_block", "run_months"]


@kernel
def run_months(params, state, seed, paths, outputs, offset, first, last):
    """Run months `first`..`last` of a block that is open.

    Parameters
    ----------
    params : ModelParams
    state : ModelState, scratch
    seed : uint64
    paths : (lane,) int64
    outputs : Outputs, written at columns offset..offset + lanes; no series if it has no columns
    offset, first, last : int
    """
    for month in range(first, last + 1):
        step_month(params, state, seed, paths, month)
        if outputs.market.shape[2] > 0:
            record_series(params, state, outputs, offset, month)


@kernel
def close_block(params, state, outputs, offset):
    """Close the accounts at the horizon and write what every path left behind."""
    boxes, tranches, sponsors = state.boxes, state.tranches, state.sponsors
    accounts, view = state.accounts, state.market_view
    box_terms, debt_terms = params.boxes, params.tranches
    close_accounts(
        accounts,
        view,
        box_terms,
        boxes,
        tranches,
        params.horizon,
        state.contracted,
        state.discount_grid,
    )
    write_tranches(debt_terms, tranches, boxes, sponsors, outputs, offset)
    write_boxes(box_terms, params.deliveries, boxes, accounts, outputs, offset)
    write_sponsors(
        params.sponsors,
        box_terms,
        debt_terms,
        sponsors,
        tranches,
        state.names,
        accounts,
        state.market.rows[MARKET.stress],
        outputs,
        offset,
    )


def run_block(
    params: Addressed[ModelParams],
    state: Addressed[ModelState],
    seed: int,
    paths: NDArray[np.int64],
    outputs: Addressed[Outputs],
    offset: int,
    after_month: Callable[[ModelState, int], None] | None = None,
) -> None:
    """Run a block of paths to the horizon.

    Parameters
    ----------
    params : Addressed[ModelParams]
        Of the study.
    state : Addressed[ModelState]
        Scratch, of as many lanes as there are paths.
    seed : int
        Of all random streams.
    paths : ndarray (lane,)
        Numbers of the paths.
    outputs : Addressed[Outputs]
        Written from column `offset` on.
    offset : int
        Column of the first path.
    after_month : callable, optional
        Looks at the state at t0 (month 0) and after every month: the kernel then returns as often.
    """
    horizon = params.fields.horizon
    terms, scratch, results = params.argument, state.argument, outputs.argument
    key = np.uint64(seed)
    open_block(terms, scratch, key, paths)
    if after_month is None:
        run_months(terms, scratch, key, paths, results, offset, 1, horizon)
    else:
        after_month(state.fields, 0)
        for month in range(1, horizon + 1):
            run_months(terms, scratch, key, paths, results, offset, month, month)
            after_month(state.fields, month)
    close_block(terms, scratch, results, offset)
