"""Blocks of paths computed again, and the first number that is not the stored one, bit for bit."""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from simulator.dataset.files import DirectoryLock
from simulator.dataset.folder import MANIFEST, RESOLVED, RUN
from simulator.dataset.layout import Array, as_bytes, fields_of
from simulator.dataset.manifest import ChunkRecord
from simulator.dataset.plan import Chunk, RunPlan
from simulator.dataset.scratch import ChunkFiles
from simulator.dataset.store import RunStore, begin, prepare
from simulator.dataset.variables import VARIABLES, Kind

__all__ = ["Comparison", "Difference", "Replay", "choose_blocks", "compare", "replaying"]


class Source(Protocol):
    """Where stored numbers are read from."""

    def paths(self, kind: str, name: str, start: int, stop: int) -> Array:
        """Return consecutive paths of a variable, (path, ...)."""


def choose_blocks(plan: RunPlan, blocks: int, seed: int) -> list[Chunk]:
    """Choose blocks of a run at random, none twice.

    Parameters
    ----------
    plan : RunPlan
        Its chunks are the blocks.
    blocks : int
        How many; all if there are no more.
    seed : int
        Of the choice.

    Returns
    -------
    list of Chunk
        In order of paths.
    """
    every = list(plan.chunks())
    generator = np.random.default_rng(seed)
    chosen = generator.choice(len(every), size=min(blocks, len(every)), replace=False)
    return [every[index] for index in sorted(chosen.tolist())]


class Replay(RunStore):
    """A run of some blocks only, in a scratch folder, computed as any run is.

    To whatever prepares and runs a study this is a store of the same plan which lacks the blocks
    that were chosen; nothing is summed up at the end.
    """

    chosen: tuple[Chunk, ...] = ()

    def missing_chunks(self) -> list[Chunk]:
        """Return the blocks that are still to be computed."""
        return [one for one in self.chosen if one.index not in self._manifest.records]

    def commit(self, record: ChunkRecord) -> None:
        """Enter a block."""
        with self._guard:
            self._manifest.append(record)

    def finalise(self, threads: int | None = None) -> None:
        """Leave the blocks as they are: results of a part of a run mean nothing."""

    @property
    def blocks(self) -> ChunkFiles:
        """The arrays of the blocks, one after another."""
        return ChunkFiles(self.writer.directory, self.plan, self.chosen)


@contextmanager
def replaying(directory: Path, plan: RunPlan, chosen: Collection[Chunk]) -> Iterator[Replay]:
    """Lay out a scratch folder with all that a run keeps beside its results.

    Parameters
    ----------
    directory : Path
        Folder of the run; only read.
    plan : RunPlan
        The same run, cut into blocks.
    chosen : collection of Chunk
        Blocks to compute.

    Yields
    ------
    Replay
        Knows what the run knew before its first path: what was expected at t0, and what a pilot
        found about how to draw paths.
    """
    with tempfile.TemporaryDirectory(prefix="neobox-verify-") as name:
        scratch = Path(name)
        # Workers keep what is prepared by the plan's key; this folder may hold another pilot.
        plan = replace(plan, title=name)
        begin(scratch, plan)
        prepare(scratch, None, None)
        for path in directory.iterdir():
            if path.is_file() and path.name not in (RUN, MANIFEST, RESOLVED):
                shutil.copyfile(path, scratch / path.name)
        with Replay(scratch, plan, DirectoryLock(scratch), complete=False) as replay:
            replay.chosen = tuple(chosen)
            yield replay


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is not the stored one.

    Attributes
    ----------
    variable : str
        Its name.
    path : int
        Number of the path in the run.
    label : mapping of str to str or int
        Entity, and month of a series.
    stored, recomputed : float
        The two.
    """

    variable: str
    path: int
    label: Mapping[str, Any]
    stored: float
    recomputed: float

    def __str__(self) -> str:
        where = "".join(f", {name} {value}" for name, value in self.label.items())
        return (
            f"{self.variable}, path {self.path}{where}: "
            f"stored {self.stored!r}, recomputed {self.recomputed!r}"
        )


@dataclass
class Comparison:
    """Stored and recomputed numbers side by side.

    Attributes
    ----------
    paths, numbers : int
        Compared.
    differing : dict of str to int
        Numbers that differ, by variable.
    differing_paths : set of int
        Paths on which any does.
    first : Difference, optional
        On the lowest such path, in table order of variables.
    largest : float
        Largest |stored - recomputed| over the larger of both; infinite if one is NaN.
    """

    paths: int
    numbers: int
    differing: dict[str, int]
    differing_paths: set[int]
    first: Difference | None
    largest: float


def compare(source: Source, plan: RunPlan, replay: Replay) -> Comparison:
    """Compare blocks with what is stored, bit for bit.

    Parameters
    ----------
    source : Source
        The stored run.
    plan : RunPlan
        Its plan; variables that the recomputed run does not have are left out.
    replay : Replay
        The blocks, computed.

    Returns
    -------
    Comparison
        Of scalars, and of series where their paths were kept.
    """
    files = replay.blocks
    found = Comparison(files.paths, 0, {}, set(), None, 0.0)
    kinds: tuple[Kind, ...] = ("scalar", "series") if plan.keep_paths else ("scalar",)
    at = 0
    for block in replay.chosen:
        for kind in kinds:
            read = files.scalar if kind == "scalar" else files.series
            known = fields_of(replay.plan, kind, block.count)
            for name in fields_of(plan, kind, block.count):
                if name in known:
                    stored = source.paths(kind, name, block.first, block.first + block.count)
                    again = read(name, at, at + block.count)
                    note(found, plan, name, block, stored, again)
        at += block.count
    return found


def note(
    found: Comparison, plan: RunPlan, name: str, block: Chunk, stored: Array, again: Array
) -> None:
    """Enter a variable of a block, (path, ...)."""
    found.numbers += stored.size
    places = unequal(stored, again)
    if not len(places):
        return
    found.differing[name] = found.differing.get(name, 0) + len(places)
    found.differing_paths |= set((block.first + places[:, 0]).tolist())
    one, other = (array[tuple(places.T)].astype(np.float64) for array in (stored, again))
    found.largest = max(found.largest, relative(one, other))
    path = block.first + int(places[0, 0])
    if found.first is None or path < found.first.path:
        label = label_of(plan, name, places[0, 1:].tolist())
        values = stored[tuple(places[0])].item(), again[tuple(places[0])].item()
        found.first = Difference(name, path, label, *values)


def unequal(stored: Array, again: Array) -> Array:
    """Return the places, (number, dimension), where two arrays of one shape differ in any bit."""
    shape, width = stored.shape, stored.dtype.itemsize
    bits = [np.frombuffer(as_bytes(np.ascontiguousarray(one)), np.uint8) for one in (stored, again)]
    if bits[0].size == 0:
        return np.empty((0, len(shape)), np.int64)
    differs = (bits[0] != bits[1]).reshape(-1, width).any(axis=1).reshape(shape)
    return np.argwhere(differs)


def relative(one: Array, other: Array) -> float:
    """Return the largest relative difference of two arrays."""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.maximum(np.abs(one), np.abs(other))
        gap = np.where(one == other, 0.0, np.abs(one - other) / size)
    largest = float(np.max(gap, initial=0.0))
    return math.inf if math.isnan(largest) else largest


def label_of(plan: RunPlan, name: str, place: list[int]) -> dict[str, Any]:
    """Return month and entity of a place within a path."""
    dims = [dim for dim in VARIABLES[name].dims if dim != "path"]
    return {
        dim: index + 1 if dim == "month" else plan.ids[dim][index]
        for dim, index in zip(dims, place, strict=True)
    }


def series_hashes(replay: Replay, records: Mapping[int, ChunkRecord]) -> dict[int, str]:
    """Hash the series of each chunk of a run all of whose paths were computed again.

    Parameters
    ----------
    replay : Replay
        The blocks, computed.
    records : mapping of int to ChunkRecord
        Chunks of the run.

    Returns
    -------
    dict of int to str
        sha256 by chunk, as its manifest has it; chunks that are not covered are left out.
    """
    files = replay.blocks
    numbers = [np.arange(one.first, one.first + one.count) for one in replay.chosen]
    computed = np.concatenate(numbers) if numbers else np.empty(0, np.int64)
    hashes = {}
    for index, record in records.items():
        start = int(np.searchsorted(computed, record.first))
        last = start + record.count - 1
        if last < computed.size and computed[last] == record.first + record.count - 1:
            digest = hashlib.sha256()
            for name in fields_of(replay.plan, "series", 1):
                rows = files.series(name, start, start + record.count)
                digest.update(as_bytes(np.ascontiguousarray(np.moveaxis(rows, 0, -1))))
            hashes[index] = digest.hexdigest()
    return hashes
