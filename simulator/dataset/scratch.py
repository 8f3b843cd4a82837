"""Files of finished chunks: the arrays' bytes one after another, nothing else.

A worker needs only a `ChunkWriter`, which may be pickled; nothing here imports Zarr or xarray.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from secrets import token_hex

import numpy as np

from simulator.dataset.drawn import Drawn
from simulator.dataset.errors import RunDamagedError
from simulator.dataset.files import replacing, write_pieces, write_text
from simulator.dataset.layout import Array, Field, as_bytes, fields_of, fit
from simulator.dataset.manifest import ChunkRecord
from simulator.dataset.plan import WEIGHT, Chunk, RunPlan
from simulator.dataset.variables import Kind

__all__ = ["ChunkFiles", "ChunkWriter"]

KINDS: tuple[Kind, ...] = ("scalar", "series")
READ_BYTES = 1 << 22
MARK = ".mark"


def file_of(directory: Path, kind: Kind, index: int) -> Path:
    """Return where the arrays of a chunk stand."""
    return directory / f"{index:06d}.{kind}"


@dataclass(frozen=True)
class ChunkWriter:
    """Writes the arrays of chunks to files.

    Attributes
    ----------
    directory : Path
        Where the files go.
    plan : RunPlan
        The run.
    mark : str
        What the file `MARK` there must hold for this process to write there; see `marked`.
    """

    directory: Path
    plan: RunPlan
    mark: str = ""

    def marked(self) -> ChunkWriter:
        """Return a writer for workers that may be on other machines.

        Only where they find the folder, with a mark that is made now, do they share its disk.
        """
        mark = token_hex(16)
        write_text(self.directory / MARK, mark)
        return replace(self, directory=self.directory.absolute(), mark=mark)

    @property
    def in_reach(self) -> bool:
        """Whether this process can write where the chunks of the run go."""
        if not self.mark:
            return True
        try:
            found = (self.directory / MARK).read_text(encoding="utf-8")
        except OSError:
            return False
        return found == self.mark and os.access(self.directory, os.W_OK)

    def write(
        self, chunk: Chunk, scalars: Mapping[str, Array], series: Mapping[str, Array]
    ) -> ChunkRecord:
        """Write the files of a chunk, each in one step.

        Parameters
        ----------
        chunk : Chunk
            Which paths.
        scalars : mapping of str to ndarray (paths[, entity])
            One number per path.
        series : mapping of str to ndarray (months[, entity], paths)
            One number per month and path.

        Returns
        -------
        ChunkRecord
            For the manifest.
        """
        hashes = {}
        given = {"scalar": scalars, "series": series}
        for kind in KINDS:
            arrays = fit(fields_of(self.plan, kind, chunk.count), given[kind])
            pieces = [as_bytes(array) for array in arrays]
            digest = hashlib.sha256()
            for piece in pieces:
                digest.update(piece)
            with replacing(file_of(self.directory, kind, chunk.index)) as file:
                write_pieces(file, pieces)
            hashes[str(kind)] = digest.hexdigest()
        return ChunkRecord(chunk.index, chunk.first, chunk.count, hashes, self.plan.key)


class ChunkFiles:
    """Reads what `ChunkWriter` wrote.

    Parameters
    ----------
    directory : Path
        Where the files stand.
    plan : RunPlan
        The run.
    chunks : iterable of Chunk
        Those to read, in order of paths.
    """

    def __init__(self, directory: Path, plan: RunPlan, chunks: Iterable[Chunk]) -> None:
        self.directory = directory
        self.plan = plan
        self.chunks = tuple(chunks)
        self._firsts = [0, *accumulate(chunk.count for chunk in self.chunks)]
        self._layouts: dict[tuple[Kind, int], dict[str, Field]] = {}

    def _layout(self, kind: Kind, count: int) -> dict[str, Field]:
        if (kind, count) not in self._layouts:
            self._layouts[kind, count] = fields_of(self.plan, kind, count)
        return self._layouts[kind, count]

    @property
    def paths(self) -> int:
        """Number of paths in the chunks."""
        return sum(chunk.count for chunk in self.chunks)

    def drawn(self) -> Drawn:
        """Return how the paths in the chunks were drawn."""
        weighted = any(variable.name == WEIGHT for variable in self.plan.scalars)
        weights = self.scalar(WEIGHT, 0, self.paths) if weighted else None
        return Drawn(weights, self.plan.paths_per_draw)

    def pieces(self, kind: Kind, name: str, rows: slice) -> Iterator[tuple[Chunk, Array]]:
        """Yield rows of a variable from each chunk.

        Parameters
        ----------
        kind : {"scalar", "series"}
            Which file.
        name : str
            Variable.
        rows : slice
            Of the array taken as a table: month and entity by path for series.

        Yields
        ------
        Chunk
            Which paths.
        ndarray (rows, paths)
            A fresh copy.
        """
        for chunk in self.chunks:
            field = self._layout(kind, chunk.count)[name]
            yield chunk, self._read(chunk, kind, field, rows)

    def _read(self, chunk: Chunk, kind: Kind, field: Field, rows: slice) -> Array:
        width = field.shape[-1] if kind == "series" else int(np.prod(field.shape[1:]))
        with file_of(self.directory, kind, chunk.index).open("rb", buffering=0) as file:
            file.seek(field.offset + rows.start * width * field.dtype.itemsize)
            table = np.empty((rows.stop - rows.start, width), field.dtype)
            wanted = as_bytes(table)
            while wanted:
                read = file.readinto(wanted)
                if not read:
                    raise RunDamagedError(
                        f"{file.name}: shorter than its chunk; run the same command with --resume"
                    )
                wanted = wanted[read:]
        return table

    def _within(self, start: int, stop: int) -> Iterator[tuple[Chunk, int, int]]:
        """Yield the chunks of consecutive paths, and where these begin and end in each."""
        for place in range(bisect_right(self._firsts, start) - 1, len(self.chunks)):
            chunk, first = self.chunks[place], self._firsts[place]
            if first >= stop:
                return
            yield chunk, max(start - first, 0), min(stop - first, chunk.count)

    def scalar(self, name: str, start: int, stop: int) -> Array:
        """Return a scalar variable of consecutive paths, counted within the chunks read here.

        Parameters
        ----------
        name : str
            Variable.
        start, stop : int
            First path, and the one after the last.

        Returns
        -------
        ndarray (paths[, entity])
            Their values.
        """
        parts = []
        for chunk, low, high in self._within(start, stop):
            field = self._layout("scalar", chunk.count)[name]
            part = self._read(chunk, "scalar", field, slice(low, high))
            parts.append(part.reshape(high - low, *field.shape[1:]))
        return np.concatenate(parts)

    def series(self, name: str, start: int, stop: int) -> Array:
        """Return a series of consecutive paths, counted within the chunks read here.

        Parameters
        ----------
        name : str
            Variable.
        start, stop : int
            First path, and the one after the last.

        Returns
        -------
        ndarray (paths, months[, entity])
            Their values.
        """
        parts = []
        for chunk, low, high in self._within(start, stop):
            field = self._layout("series", chunk.count)[name]
            part = self._columns(chunk, field, low, high)
            parts.append(part.reshape(high - low, *field.shape[:-1]))
        return np.concatenate(parts)

    def _columns(self, chunk: Chunk, field: Field, low: int, high: int) -> Array:
        if not field.bytes:
            return np.empty(0, field.dtype)
        path = file_of(self.directory, "series", chunk.index)
        shape = (-1, field.shape[-1])
        table = np.memmap(path, field.dtype, "r", field.offset, field.shape).reshape(shape)
        return np.ascontiguousarray(table[:, low:high].T)

    def rows(self, name: str, start: int, out: Array) -> None:
        """Fill a table with rows of a series, all paths side by side.

        Parameters
        ----------
        name : str
            Variable.
        start : int
            First row; rows run over month and entity.
        out : ndarray (rows, paths)
            Written.
        """
        first = 0
        for chunk, table in self.pieces("series", name, slice(start, start + len(out))):
            out[:, first : first + chunk.count] = table
            first += chunk.count

    def sound(
        self, records: Mapping[int, ChunkRecord], without_series: Collection[int]
    ) -> set[int]:
        """Return the chunks whose files hold what the manifest says.

        Parameters
        ----------
        records : mapping of int to ChunkRecord
            The manifest.
        without_series : collection of int
            Chunks whose series need not be there.

        Returns
        -------
        set of int
            Numbers of chunks.
        """

        def check(chunk: Chunk) -> bool:
            index = chunk.index
            return all(
                hash_of(file_of(self.directory, kind, index)) == records[index].sha256[kind]
                for kind in KINDS
                if kind == "scalar" or index not in without_series
            )

        with ThreadPoolExecutor() as pool:
            good = list(pool.map(check, self.chunks))
        return {chunk.index for chunk, sound in zip(self.chunks, good, strict=True) if sound}


def hash_of(path: Path) -> str:
    """Return the sha256 of a file, or nothing if it is not there."""
    if not path.exists():
        return ""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
