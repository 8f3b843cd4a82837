"""The manifest: which chunks are on disk, one line each, appended and synced.

A chunk exists when the manifest says so.  A torn last line is what a kill leaves, and counts for
nothing; so do lines that belong to another plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from simulator.dataset.files import replacing, sync_directory, write_pieces

__all__ = ["ChunkRecord", "Manifest"]


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """What is known about a chunk on disk.

    Attributes
    ----------
    chunk, first, count : int
        Its number, first path and number of paths.
    sha256 : mapping of str to str
        By kind of variables, hash of the arrays in table order.
    plan : str
        Key of the plan it was computed for.
    """

    chunk: int
    first: int
    count: int
    sha256: Mapping[str, str]
    plan: str

    def line(self) -> bytes:
        """Return the record as a line of the manifest."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"


class Manifest:
    """Records of finished chunks in a file of lines.

    Parameters
    ----------
    path : Path
        The file; it may be absent.
    plan : str
        Key of the plan whose records count.
    """

    def __init__(self, path: Path, plan: str) -> None:
        self.path = path
        self.plan = plan
        content = path.read_bytes() if path.exists() else b""
        self._size = content.rfind(b"\n") + 1  # a torn last line is written over
        self.records = {
            record.chunk: record
            for line in content[: self._size].splitlines()
            if (record := parse(line)) and record.plan == plan
        }

    def append(self, record: ChunkRecord) -> None:
        """Add a record; it counts once its bytes are on disk."""
        line = record.line()
        if not self._size:
            self.path.touch()
            sync_directory(self.path.parent)
        with self.path.open("rb+") as file:
            file.seek(self._size)
            write_pieces(file, [memoryview(line)])
            file.truncate()
        self._size += len(line)
        self.records[record.chunk] = record

    def rewrite(self) -> None:
        """Write the records that count in order of chunks, and nothing else."""
        lines = [self.records[chunk].line() for chunk in sorted(self.records)]
        with replacing(self.path) as file:
            write_pieces(file, [memoryview(line) for line in lines])
        self._size = sum(map(len, lines))


def parse(line: bytes) -> ChunkRecord | None:
    """Read a line; None if it is not a record."""
    try:
        return ChunkRecord(**json.loads(line))
    except (ValueError, TypeError):
        return None
