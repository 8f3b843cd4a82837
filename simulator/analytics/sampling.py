"""How the paths of a run were drawn, as reports tell it."""

from __future__ import annotations

from typing import NamedTuple

import xarray as xr

from simulator.analytics.frame import path_weights
from simulator.analytics.sample import effective_size
from simulator.dataset.dims import PATH


class SamplingFacts(NamedTuple):
    """Method, effective number of paths and remark; None and "" where a run does not say."""

    method: str
    effective_paths: float | None
    effective_tail_paths: float | None  # beyond the level that paths were drawn for
    note: str

    def __str__(self) -> str:
        """Return the facts in a line."""
        told = f"{self.method} sampling"
        if self.effective_paths is not None:
            told += f", {self.effective_paths:,.0f} effective paths"
        if self.effective_tail_paths is not None:
            told += f" ({self.effective_tail_paths:,.0f} in the tail)"
        return f"{told}; {self.note}" if self.note else told


def sampling_facts(dataset: xr.Dataset) -> SamplingFacts | None:
    """Read how paths were drawn.

    Parameters
    ----------
    dataset : Dataset
        A run: attributes ``sampling_method``, ``effective_sample_size``, ``effective_tail_paths``
        and ``sampling_note``.

    Returns
    -------
    SamplingFacts or None
        None for a run that was drawn plainly. Without the attribute the effective number of paths
        is Kish's (Σw)²/Σw²: how many plain paths would give the same error of a mean to which all
        paths matter alike. It says nothing about a tail, for which paths are drawn so.
    """
    method = str(dataset.attrs.get("sampling_method", ""))
    design = path_weights(dataset)
    ratios = None if design is None else design.weights
    if method in ("", "plain") and ratios is None and not dataset.attrs.get("sampling_note"):
        return None
    told = dataset.attrs.get("effective_sample_size")
    if told is None and ratios is not None:
        told = effective_size(ratios, dataset.sizes[PATH])
    tail = dataset.attrs.get("effective_tail_paths")
    return SamplingFacts(
        method or ("plain" if ratios is None else "weighted"),
        None if told is None else float(told),
        None if tail is None else float(tail),
        str(dataset.attrs.get("sampling_note", "")),
    )
