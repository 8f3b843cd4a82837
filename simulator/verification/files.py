"""What can be said of a stored run without simulating: sizes, hashes, labels, provenance.

A hash is of the values of the arrays, not of the compressed files, so that it holds for any
compression. The chunks of the manifest are gone once a run is complete; their arrays are cut out
of the results again and held against the hash that each had when it was computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from simulator.dataset.build import coordinates
from simulator.dataset.files import tree_size
from simulator.dataset.folder import FANS, MANIFEST, PATHS, SCALARS
from simulator.dataset.layout import Array, as_bytes
from simulator.dataset.manifest import Manifest
from simulator.dataset.plan import WITHOUT_INFLUENCE
from simulator.dataset.reading import RunStatus
from simulator.dataset.variables import Variable
from simulator.dataset.zarr_group import rows_per_chunk, stored

__all__ = ["Check", "Results", "check_files"]

FAN_PARTS: Final = ("", "_se", "_mean", "_mean_se", "_count")
"""Endings of the arrays of a fan in the order in which they are written (and hashed)."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was looked at.

    Attributes
    ----------
    subject : str
        What it was.
    sound : bool
        Whether it is as it should be.
    told : str
        What was found, as half a sentence.
    """

    subject: str
    sound: bool
    told: str


class Results:
    """The arrays of a complete run, read straight from its Zarr groups.

    Parameters
    ----------
    status : RunStatus
        A complete run.
    """

    def __init__(self, status: RunStatus) -> None:
        import zarr

        self.groups: dict[str, Any] = {
            name: zarr.open_group(status.directory / name, mode="r")
            for name in status.record["files"]
        }

    def names(self, group: str, variables: tuple[Variable, ...]) -> tuple[str, ...]:
        """Return the names of a group's data variables in the order in which they were hashed."""
        if group != FANS:
            return tuple(one.name for one in variables)
        fans = (f"fan_{one.name}{part}" for one in variables for part in FAN_PARTS)
        return tuple(name for name in fans if name in self.groups[FANS])

    def paths(self, kind: str, name: str, start: int, stop: int) -> Array:
        """Return consecutive paths of a variable, (path, ...): kind is "scalar" or "series"."""
        group = self.groups[SCALARS if kind == "scalar" else PATHS]
        return np.asarray(group[name][start:stop])


def check_files(status: RunStatus, resolved: Mapping[str, Any]) -> list[Check]:
    """Hold the folder of a complete run against its own records.

    Parameters
    ----------
    status : RunStatus
        A complete run.
    resolved : mapping
        The study in its folder.

    Returns
    -------
    list of Check
        Sizes, hashes by group, hashes by chunk, labels, provenance. What cannot even be read is
        a check that failed, not an error.
    """
    checks = [check_sizes(status)]
    try:
        results = Results(status)
        hashes, chunks = hashes_of(status, results)
        checks += [*check_hashes(status, hashes), check_chunks(status, chunks)]
        checks += [check_labels(status, results), check_provenance(status, results, resolved)]
    except Exception as error:  # a damaged archive fails in as many ways as it has layers
        checks.append(Check("arrays", False, f"cannot be read ({type(error).__name__}: {error})"))
    return checks


def check_sizes(status: RunStatus) -> Check:
    """Count files and bytes of each group."""
    wrong = [
        name
        for name, size in status.record["files"].items()
        if not (status.directory / name).is_dir() or tree_size(status.directory / name) != size
    ]
    told = f"files missing or changed in {', '.join(wrong)}" if wrong else "as they were written"
    return Check("sizes of files", not wrong, told)


def hashes_of(status: RunStatus, results: Results) -> tuple[dict[str, str], dict[int, list[str]]]:
    """Hash all values once.

    Returns
    -------
    dict of str to str
        By group.
    dict of int to list of str
        By chunk of the manifest, the kinds whose arrays are not those that were computed.
    """
    plan = status.plan
    records = Manifest(status.directory / MANIFEST, plan.key).records
    groups = {SCALARS: plan.scalars, FANS: plan.series, PATHS: plan.series}
    found, wrong = {}, {index: list[str]() for index in records}
    for group in results.groups:
        whole, kind = hashlib.sha256(), {SCALARS: "scalar", PATHS: "series"}.get(group)
        parts = {index: hashlib.sha256() for index in records} if kind else {}
        for name in results.names(group, groups[group]):
            array = results.groups[group][name]
            whole.update(name.encode())
            for block in row_blocks(array):
                whole.update(as_bytes(block))
            for index, digest in parts.items():
                first, count = records[index].first, records[index].count
                rows = np.asarray(array[first : first + count])
                digest.update(as_bytes(as_computed(rows, kind)))
        found[group] = whole.hexdigest()
        for index, digest in parts.items():
            if kind and digest.hexdigest() != records[index].sha256[kind]:
                wrong[index].append(kind)
    return found, wrong


def row_blocks(array: Any) -> Iterator[Array]:
    """Yield the values of a stored array in the pieces in which it was written."""
    rows = rows_per_chunk(array.shape, array.dtype.itemsize)
    for start in range(0, array.shape[0], rows):
        yield np.ascontiguousarray(array[start : start + rows])


def as_computed(rows: Array, kind: str | None) -> Array:
    """Return paths of a variable as a chunk holds them: those of a series stand last there."""
    return np.ascontiguousarray(rows if kind == "scalar" else np.moveaxis(rows, 0, -1))


def check_hashes(status: RunStatus, found: Mapping[str, str]) -> Iterator[Check]:
    """Compare the hash of each group with that in `run.json`."""
    for group, digest in status.record["sha256"].items():
        sound = found.get(group) == digest
        told = "hash as in run.json" if sound else "values are not those that run.json hashed"
        yield Check(group, sound, told)


def check_chunks(status: RunStatus, wrong: Mapping[int, list[str]]) -> Check:
    """Say which chunks hold something else than what was computed, or are in no manifest."""
    lacking = [one.index for one in status.plan.chunks() if one.index not in wrong]
    changed = [index for index, kinds in wrong.items() if kinds]
    if lacking:
        return Check(MANIFEST, False, f"{len(lacking)} chunks are not in it ({some(lacking)})")
    if changed:
        return Check(MANIFEST, False, f"chunks {some(changed)} are not those that it hashed")
    return Check(MANIFEST, True, f"all {len(wrong)} chunks as when they were computed")


def some(numbers: list[int]) -> str:
    """Return a few numbers as text."""
    return ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")


def check_labels(status: RunStatus, results: Results) -> Check:
    """Compare ids, months and labels beside the arrays with the plan."""
    wrong = []
    for group, arrays in results.groups.items():
        for one in map(stored, coordinates(status.plan)):
            if one.name in arrays:
                there = np.asarray(arrays[one.name][:])
                if there.tolist() != one.block(0, len(there)).tolist() or there.shape != one.shape:
                    wrong.append(f"{group}/{one.name}")
    told = f"not those of the plan: {', '.join(wrong)}" if wrong else "those of the plan"
    return Check("ids and labels", not wrong, told)


def check_provenance(status: RunStatus, results: Results, resolved: Mapping[str, Any]) -> Check:
    """Compare plan and study that the arrays carry with those in the folder."""
    plan = {
        name: value
        for name, value in status.record["plan"].items()
        if name not in WITHOUT_INFLUENCE
    }
    wrong = []
    for group, arrays in results.groups.items():
        told = json.loads(arrays.attrs["provenance"])
        wrong += [f"{group}: plan"] if told["plan"] != plan else []
        wrong += [f"{group}: study"] if told["study"] != resolved else []
    found = f"not as in the folder ({'; '.join(wrong)})" if wrong else "as in the folder"
    return Check("plan and study of the arrays", not wrong, found)
