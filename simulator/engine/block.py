"""A block of paths: opened at t0, run month by month, closed at the horizon.

Three kernels, so that they can be compiled side by side (see `engine.compilation`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator.box.accounts import close_accounts
from simulator.engine.books import close_books
from simulator.engine.market import MARKET
from simulator.engine.month import step_month
from simulator.engine.opening import open_block
from simulator.engine.outputs import (
    Outputs,
    record_series,
    write_boxes,
    write_notes,
    write_sponsors,
    write_tranches,
)
from simulator.engine.state import ModelParams, ModelState
from simulator.numerics.addressed import Addressed
from simulator.numerics.jit import kernel

__all__ = ["close_block", "run_block", "run_months"]


@kernel
def run_months(params, state, seed, paths, outputs, offset, first, last, told):
    """Run months `first`..`last` of a block that is open.

    Parameters
    ----------
    params : ModelParams
    state : ModelState, scratch
    seed : uint64
    paths : (lane,) int64
    outputs : Outputs, written at columns offset..offset + lanes; no series if it has no columns
    offset, first, last : int
    told : bool
        Whether every line of the flows is wanted after the last month.
    """
    for month in range(first, last + 1):
        step_month(params, state, seed, paths, month, told)
        close_books(params, state, outputs, offset, month, told)
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
        state.rates,
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
    write_notes(state.structures, state.overlays, outputs, offset)


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
        Scratch, of as many lanes as there are paths (`new_state` rounds up to whole packs).
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
    missing = state.fields.flow.shape[2] - paths.shape[0]  # whole packs are run
    paths = np.concatenate([paths, np.repeat(paths[-1:], missing)])
    terms, scratch, results = params.argument, state.argument, outputs.argument
    key = np.uint64(seed)
    open_block(terms, scratch, key, paths)
    if after_month is None:
        run_months(terms, scratch, key, paths, results, offset, 1, horizon, False)
    else:
        after_month(state.fields, 0)
        for month in range(1, horizon + 1):
            run_months(terms, scratch, key, paths, results, offset, month, month, True)
            after_month(state.fields, month)
    close_block(terms, scratch, results, offset)
