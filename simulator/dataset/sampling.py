"""What a run says about how its paths were drawn: method, effective number of paths, a note.

The way of drawing is kept with a run as `sampling.json`: what a pilot found is part of what a path
depends on, and a resumed run must not look for it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.dataset.plan import WEIGHT

__all__ = ["sampling_attributes"]

Read = Callable[[str], NDArray[np.float64]]

LEAST_EFFECTIVE: Final = 100.0
"""Effective paths beyond a level under which its estimates are called unreliable."""

LARGEST_PART: Final = 0.1
"""Of the chance of the tail, that one path may make up."""


def sampling_attributes(kept: Mapping[str, Any] | None, read: Read) -> dict[str, Any]:
    """Return the attributes of a Dataset that say how its paths were drawn.

    Parameters
    ----------
    kept : mapping, optional
        ``{"method", "note", "measure", "level", ...}``; none if paths were drawn plainly.
    read : callable
        Returns a scalar variable (path,) by its name.

    Returns
    -------
    dict
        Nothing for a plain run; method and note where paths carry no weights.
        `effective_sample_size` is Kish's (Σw)²/Σw² of all paths,
        `effective_tail_paths` that of the paths beyond the level that was wanted; the note says so
        if these are too few, or one of them counts for too much, to rely on.
    """
    if kept is None:
        return {}
    if kept["method"] != "importance":
        return {"sampling_method": str(kept["method"]), "sampling_note": str(kept["note"])}
    weights, losses = read(WEIGHT), read(kept["measure"])
    if kept.get("place") is not None:  # along the entities of the measure
        losses = losses[:, kept["place"]]
    note = str(kept["note"])
    order = np.argsort(-losses, kind="stable")
    chance = np.cumsum(weights[order]) / weights.size
    end = min(int(np.searchsorted(chance, 1.0 - float(kept["level"]))), weights.size - 1)
    beyond = weights[losses >= losses[order[end]]]
    tail = effective(beyond)
    if tail < LEAST_EFFECTIVE or beyond.max() > LARGEST_PART * beyond.sum():
        note += f"; UNRELIABLE beyond {kept['level']:.10g}: {tail:.0f} effective paths are there"
    return {
        "sampling_method": str(kept["method"]),
        "effective_sample_size": round(effective(weights), 1),
        "effective_tail_paths": round(tail, 1),
        "sampling_note": note,
    }


def effective(weights: NDArray[np.float64]) -> float:
    """Return Kish's effective number of paths."""
    squares = float(np.sum(weights * weights))
    return float(np.sum(weights)) ** 2 / squares if squares > 0.0 else 0.0
