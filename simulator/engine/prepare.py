"""A study made ready: the reference path and the compensator solved, all terms packed.

What is prepared is plain arrays: it is computed once, in one process, and handed to every worker,
so that all of them simulate exactly the same model.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs
from simulator.engine.block import ModelParams, ModelState, new_state, run_block
from simulator.engine.compensator import solve_compensator
from simulator.engine.outputs import Outputs, Trace, new_outputs, new_trace
from simulator.engine.pack import Layout, layout_of, pack_model
from simulator.engine.pack_market import pack_market, reference_path
from simulator.numerics.jit import JIT_DISABLED

__all__ = ["Prepared", "has_compiled", "prepare", "warm_up"]

kernel: Any = run_block


@dataclass(frozen=True)
class Prepared:
    """What workers need.

    Attributes
    ----------
    layout : Layout
        Order of the book.
    params : ModelParams
        Packed terms.
    """

    layout: Layout
    params: ModelParams

    @property
    def horizon(self) -> int:
        """Months."""
        return self.params.horizon

    def outputs(self, paths: int) -> Outputs:
        """Allocate results of so many paths."""
        layout = self.layout
        return new_outputs(
            self.horizon,
            len(layout.tranches),
            len(layout.boxes),
            len(layout.sponsors),
            len(layout.names),
            len(layout.generations),
            paths,
        )

    def trace(self, months: int) -> Trace:
        """Allocate the record of one path; no months switch it off."""
        layout = self.layout
        return new_trace(
            months,
            len(layout.tranches),
            len(layout.boxes),
            len(layout.assets),
            len(layout.names),
            len(layout.sponsors),
            len(layout.jurisdictions),
        )

    def state(self, lanes: int) -> ModelState:
        """Allocate the state of a block."""
        return new_state(self.params, lanes)

    def run_block(
        self,
        state: ModelState,
        seed: int,
        paths: NDArray[np.int64],
        outputs: Outputs,
        offset: int,
        trace: Trace,
    ) -> None:
        """Run a block of paths to the horizon.

        Parameters
        ----------
        state : ModelState
            Scratch, of as many lanes as there are paths.
        seed : int
            Of all random streams.
        paths : ndarray (lane,)
            Numbers of the paths.
        outputs : Outputs
            Written from column `offset` on.
        offset : int
            Column of the first path.
        trace : Trace
            Written for the first path, if it has months.
        """
        kernel(self.params, state, np.uint64(seed), paths, outputs, offset, trace)


def prepare(inputs: ModelInputs) -> Prepared:
    """Solve and pack a study.

    Parameters
    ----------
    inputs : ModelInputs
        The study.

    Returns
    -------
    Prepared
        The same for the same inputs, on any number of cores.
    """
    reference = reference_path(inputs)
    compensator = solve_compensator(inputs, reference)
    market = pack_market(inputs, inputs.parameters, reference)
    return Prepared(layout_of(inputs), pack_model(inputs, market, compensator))


def warm_up(prepared: Prepared) -> None:
    """Compile the kernels, or load them from the cache: once, before workers start.

    Parameters
    ----------
    prepared : Prepared
        Any study: all of them share the same kernels.
    """
    if not JIT_DISABLED:
        paths = np.zeros(1, dtype=np.int64)
        state, outputs = prepared.state(1), prepared.outputs(1)
        prepared.run_block(state, 0, paths, outputs, 0, prepared.trace(0))


def has_compiled() -> bool:
    """Tell whether the kernels of this version stand in the cache, so that a run starts at once."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR", ""))
    return JIT_DISABLED or any(folder.rglob("*.run_block-*.nbc"))
