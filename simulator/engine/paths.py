"""One path in full: the same kernels, one lane, everything written down month by month."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.engine.outputs import Outputs
from simulator.engine.prepare import Prepared
from simulator.engine.results import Arrays
from simulator.engine.trace import Trace
from simulator.engine.uncertainty import draw_parameters

__all__ = ["TracedPath", "trace_path"]


class TracedPath(NamedTuple):
    """A path, month by month."""

    prepared: Prepared
    trace: Trace
    outputs: Outputs
    scalars: Arrays  # by name, (1[, entity]): the results of the path as a run stores them


def trace_path(prepared: Prepared, seed: int, path: int) -> TracedPath:
    """Simulate one path and record it.

    Parameters
    ----------
    prepared : Prepared
        The study.
    seed, path : int
        Which path.

    Returns
    -------
    TracedPath
        Bit for bit the path of a run with that seed.
    """
    if prepared.inputs is not None and prepared.inputs.uncertainty is not None:
        draw = path // prepared.inputs.uncertainty.paths_per_draw
        prepared = prepared.drawn(draw_parameters(prepared.inputs, seed, path + 1)[draw])
    outputs, trace = prepared.outputs(1), prepared.trace()
    paths = np.array([path], dtype=np.int64)
    prepared.run_block(prepared.state(1), seed, paths, outputs, 0, trace)
    return TracedPath(prepared, trace, outputs.fields, prepared.scalars(outputs.fields))
