"""Two runs side by side: which inputs changed, and which numbers, by how many standard errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simulator.dataset.reading import open_run
from simulator.results.inputs import Change, input_changes

if TYPE_CHECKING:
    import xarray as xr

    from simulator.analytics.estimate import Estimate
    from simulator.analytics.measures import Measure
    from simulator.analytics.sample import Design

__all__ = ["Comparison", "compare", "compare_numbers", "estimates_of", "paired_designs"]

LEVELS = (0.95, 0.99, 0.999)
"""Of expected shortfall."""


class Comparison(NamedTuple):
    """What differs between two runs.

    Attributes
    ----------
    before, after : Path
        Folders.
    inputs : list of Change
        Which inputs are not the same.
    numbers : Dataset (measure)
        See `compare_numbers`.
    """

    before: Path
    after: Path
    inputs: list[Change]
    numbers: xr.Dataset


def compare(before: str | Path, after: str | Path) -> Comparison:
    """Compare the inputs and the numbers of two complete runs.

    Parameters
    ----------
    before, after : path
        Folders of runs.

    Returns
    -------
    Comparison
    """
    numbers = compare_numbers(open_run(before), open_run(after))
    return Comparison(Path(before), Path(after), input_changes(before, after), numbers)


def compare_numbers(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Compare two runs measure by measure.

    Parameters
    ----------
    before, after : Dataset
        Runs.

    Returns
    -------
    Dataset (measure)
        ``before``, ``after`` and ``change`` with ``*_se``, ``errors`` (the change over its standard
        error; 0 if nothing changed, NaN if the error is not known), ``units`` (million USD or 1).
        Expected loss, P(loss), PD and ES of the book, expected loss and PD of each facility and PD
        of each sponsor that both runs hold.
        Attribute ``paired`` (1 or 0): runs of one seed and as many paths drew the same random
        numbers, and the error is that of the difference path by path; else it is that of two
        independent runs, √(se² + se²), too large if they share some of their paths.
    """
    import numpy as np
    import xarray as xr

    designs = paired_designs(before, after)
    measures = [measure for measure in measures_of(before) if measure in list(measures_of(after))]
    rows = [estimates_of(measure, before, after, designs) for measure in measures]
    names = [str(measure) for measure in measures]
    columns = {
        f"{name}{suffix}": ("measure", np.array([row[column][part] for row in rows]))
        for column, name in enumerate(("before", "after", "change"))
        for part, suffix in enumerate(("", "_se"))
    }
    errors = [in_errors(row[2]) for row in rows]
    units = ["1" if measure.is_probability else "million USD" for measure in measures]
    return xr.Dataset(
        {**columns, "errors": ("measure", errors), "units": ("measure", units)},
        coords={"measure": names},
        attrs={"paired": int(designs is not None)},
    )


def measures_of(run: xr.Dataset) -> Iterator[Measure]:
    """Yield what is compared of a run."""
    from simulator.analytics.frame import labels
    from simulator.analytics.measures import Measure
    from simulator.dataset.dims import FACILITY, SPONSOR

    yield from (Measure(kind) for kind in ("el", "p(loss)", "pd"))
    yield from (Measure("es", level) for level in LEVELS)
    for name in labels(run, FACILITY):
        yield from (Measure(kind, scope=FACILITY, id=name) for kind in ("el", "pd"))
    yield from (Measure("pd", scope=SPONSOR, id=name) for name in labels(run, SPONSOR))


def in_errors(change: Estimate) -> float:
    """Return a change in standard errors; infinite if there is one and no error at all."""
    if change.value == 0.0:
        return 0.0
    if change.se == 0.0:
        return math.copysign(math.inf, change.value)
    return change.value / change.se


def estimates_of(
    measure: Measure,
    before: xr.Dataset,
    after: xr.Dataset,
    designs: tuple[Design, Design] | None,
) -> list[Estimate]:
    """Return a measure before and after, and its change."""
    from simulator.analytics.estimate import Estimate
    from simulator.analytics.estimators import mean_difference
    from simulator.analytics.tail import shortfall_difference

    was, now = measure.found(before).estimate, measure.found(after).estimate
    if designs is None:
        return [was, now, Estimate(now.value - was.value, math.hypot(now.se, was.se))]
    old, new = measure.values(before), measure.values(after)
    earlier, later = designs
    if measure.level:
        return [was, now, shortfall_difference(new, old, measure.level, later, earlier)]
    return [was, now, mean_difference(new, old, later, earlier)]


def paired_designs(before: xr.Dataset, after: xr.Dataset) -> tuple[Design, Design] | None:
    """Return how the paths of two runs were drawn if they can be compared path by path.

    Returns
    -------
    tuple of Design, or None
        None unless seeds and numbers of paths are the same. Pairs of paths are independent of each
        other across the least common multiple of the groups of both runs.
    """
    import numpy as np

    from simulator.analytics.frame import path_weights
    from simulator.analytics.sample import Design

    if before.attrs["seed"] != after.attrs["seed"] or before.sizes["path"] != after.sizes["path"]:
        return None
    size = math.lcm(*(int(one.attrs.get("paths_per_draw", 1)) for one in (before, after)))
    groups = np.arange(before.sizes["path"], dtype=np.int64) // size if size > 1 else None
    found = [path_weights(one) or Design() for one in (before, after)]
    spread = any(one.spread for one in found)
    earlier, later = (Design(one.weights, groups, spread) for one in found)
    return earlier, later
