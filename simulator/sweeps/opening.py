"""A sweep as one Dataset, while it runs and afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simulator.sweeps.folder import SweepFolder, open_folder
from simulator.sweeps.measures import LEVELS, SCALARS, TAILS
from simulator.sweeps.stacked import stacked

__all__ = ["POINT", "open_sweep"]

POINT = "point"
"""Dimension of points that form no grid."""

FACILITY, LEVEL, FINISHED = "facility", "level", "finished"


def open_sweep(directory: str | Path) -> xr.Dataset:
    """Open a sweep, finished or not; paths and fans are read when they are asked for.

    Parameters
    ----------
    directory : path
        ``results/sweeps/<name>``.

    Returns
    -------
    Dataset
        Measures of the book (``book_*``) and by facility, their errors (``*_se``), their changes
        against the base (``*_change``); and every variable of the runs. Dimensions of a grid are
        its axes, and points that are not finished are NaN and ``finished`` is false; else points
        stand along ``point`` with the axes as coordinates, and only finished ones are there.
        Attributes say how many points there are, and how many are finished.

    Raises
    ------
    RunNotFoundError
        If there is no sweep.
    RunDamagedError
        If files of a finished run are missing.
    """
    folder, record = open_folder(directory)
    base, points = record["base"], record["points"]
    known = {key: _finished(folder, key, base) for key in {base, *(one["run"] for one in points)}}
    axes = {one["name"]: one["values"] for one in record["axes"]}
    done = [known[one["run"]] is not None for one in points]
    is_grid = bool(axes) and prod(map(len, axes.values())) == len(points)
    if is_grid:
        dims, leading = tuple(axes), tuple(map(len, axes.values()))
        coordinates = {name: ((name,), values) for name, values in axes.items()}
    else:
        numbers = [number for number, finished in enumerate(done) if finished]
        points = [points[number] for number in numbers]
        dims, leading = (POINT,), (len(points),)
        coordinates = _along_points(points, numbers)
    keys = [one["run"] for one in points]
    runs = [None if one is None else folder.status(key) for key, one in known.items()]
    statuses = dict(zip(known, runs, strict=True))
    variables, own = stacked([statuses[key] for key in keys], dims, leading)
    measures = [known[key] for key in keys]
    variables |= _measures(measures, dims, leading, own)
    found = xr.Dataset(variables, coords={**own, **coordinates, LEVEL: list(LEVELS)})
    found = found.assign_coords(
        {
            FINISHED: (dims, np.array([one is not None for one in measures]).reshape(leading)),
            "run": (dims, np.array(keys, dtype=np.str_).reshape(leading)),
        }
    )
    return found.assign_attrs(_told(record, done, known[base]))


def _finished(folder: SweepFolder, key: str, base: str) -> dict[str, Any] | None:
    """Return the measures of a run if it is complete and measured."""
    measures = folder.measures(key, base)
    status = folder.status(key) if measures is not None else None
    return measures if status is not None and status.complete else None


def _along_points(points: Sequence[Mapping[str, Any]], numbers: list[int]) -> dict[str, Any]:
    """Return the coordinates of points in a row."""
    found: dict[str, Any] = {POINT: ((POINT,), numbers)}
    for name in points[0]["coordinates"] if points else ():
        found[name] = ((POINT,), [one["coordinates"][name] for one in points])
    return found


def _told(
    record: Mapping[str, Any], done: list[bool], base: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the attributes: what was swept, how far it is, and the measures of the base."""
    finished = sum(done)
    told: dict[str, Any] = {
        "status": "complete" if finished == len(done) else "incomplete",
        "progress": f"{finished} of {len(done)} points",
        "study": record["study"],
        "method": record["method"],
        "random_numbers": record["random_numbers"],
        "paths": record["paths"],
        "seed": record["seed"],
        "base_run": record["base"],
    }
    if base is not None:
        book = base["measures"]["book"]
        told |= {f"base_{name}": _number(book[name][0]) for name in SCALARS}
    return told


def _measures(
    measures: Sequence[Mapping[str, Any] | None],
    dims: tuple[str, ...],
    leading: tuple[int, ...],
    own: Mapping[str, Any],
) -> dict[str, xr.Variable]:
    """Lay measures and changes out over the points, by facility and for the book."""
    facilities = [str(name) for name in own[FACILITY][1]] if FACILITY in own else []
    found: dict[str, xr.Variable] = {}
    changing = [*SCALARS, "expected_shortfall"]
    for part, names in (("measures", [*SCALARS, *TAILS]), ("changes", changing)):
        parts = [(one or {}).get(part, {}) for one in measures]
        for name in names:
            levels = (LEVEL,) if name in TAILS else ()
            count = (len(LEVELS),) if levels else ()
            ending = "_change" if part == "changes" else ""
            long_name, units = {**SCALARS, **TAILS}[name]
            book = [one.get("book", {}).get(name) for one in parts]
            each = [
                one.get("facilities", {}).get(facility, {}).get(name)
                for one in parts
                for facility in facilities
            ]
            of_book = ("book_", book, (), ())
            of_each = ("", each, (FACILITY,), (len(facilities),))
            for prefix, values, more, lengths in (
                (of_book,) if ending and levels else (of_book, of_each)
            ):
                block = _block(values, count).reshape(*leading, *lengths, *count, 2)
                for at, error, said in ((0, "", ""), (1, "_se", "standard error of ")):
                    change = "change of " if ending else ""
                    found[f"{prefix}{name}{ending}{error}"] = xr.Variable(
                        (*dims, *more, *levels),
                        block[..., at],
                        {"long_name": f"{said}{change}{long_name}", "units": units},
                    )
    return found


def _block(values: Sequence[Any], count: tuple[int, ...]) -> Any:
    """Return pairs of value and error as an array, NaN where there are none."""
    nothing: Any = [[None, None]] * count[0] if count else [None, None]
    rows = [nothing if one is None else one for one in values]
    return np.array(rows, dtype=np.float64) if rows else np.empty((0, *count, 2))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
