"""Uncertain parameters: drawn anew every few paths, and the model packed for each draw.

Draw k of a run serves paths k G .. k G + G - 1 and depends on the seed and k alone, so that results
stay the same for any blocks, chunks and workers.  What was expected at t0 does not follow: planners
and rating curves do not know the draw either.

Model: docs/model.md §1 (Priors).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.config.consistency import contradictions
from simulator.config.errors import NeoboxError
from simulator.config.priors import quantile
from simulator.config.terms import ModelInputs
from simulator.numerics.philox import fill_uniform_pairs
from simulator.numerics.streams import stream_id_array

__all__ = ["ContradictionError", "draw_parameters", "parameter_ids", "with_parameters"]

START = np.int64(0)


class ContradictionError(NeoboxError):
    """Priors gave parameters that do not fit each other."""

    exit_code = 2


def parameter_ids(inputs: ModelInputs) -> tuple[str, ...]:
    """Return the ids of uncertain parameters, in order."""
    return tuple(prior.id for prior in inputs.uncertainty.priors) if inputs.uncertainty else ()


def draw_parameters(inputs: ModelInputs, seed: int, paths: int) -> NDArray[np.float64]:
    """Draw the uncertain parameters of a run.

    Parameters
    ----------
    inputs : ModelInputs
        A study with priors.
    seed : int
        Of all random streams.
    paths : int
        Paths of the run.

    Returns
    -------
    ndarray (draw, parameter)
        Values, as many draws as the paths need.

    Raises
    ------
    ContradictionError
        If a draw does not fit together; nothing has been simulated then.
    """
    assert inputs.uncertainty is not None
    count = -(-paths // inputs.uncertainty.paths_per_draw)
    numbers = np.arange(count, dtype=np.uint64)
    first, second = np.zeros(count), np.zeros(count)
    values = np.zeros((count, len(inputs.uncertainty.priors)))
    for column, prior in enumerate(inputs.uncertainty.priors):
        stream = stream_id_array([f"prior.{prior.stream}"])[0]
        fill_uniform_pairs(seed, numbers, stream, START, first, second)
        values[:, column] = quantile(prior, first)
    names = parameter_ids(inputs)
    for draw in range(count):
        changed = dict(inputs.parameters) | dict(zip(names, values[draw].tolist(), strict=True))
        for name, expected, got in contradictions(changed):
            raise ContradictionError(
                f"uncertainty: draw {draw} of seed {seed} gives {name} = {got}, expected "
                f"{expected}; narrow the priors so that they cannot contradict each other"
            )
    return values


def with_parameters(inputs: ModelInputs, values: Mapping[str, float]) -> ModelInputs:
    """Return a study with some of its parameters known."""
    return replace(inputs, parameters={**inputs.parameters, **values}, uncertainty=None)
