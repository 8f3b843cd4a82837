"""Which files a study was read from: by their hashes it can be told later that none has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

__all__ = ["file_hash", "files_read", "note_file", "table_hash"]

_read: ContextVar[set[Path] | None] = ContextVar("files_read", default=None)


@contextmanager
def files_read() -> Iterator[set[Path]]:
    """Collect the files that readers of configuration ask for, those that are missing as well."""
    found: set[Path] = set()
    token = _read.set(found)
    try:
        yield found
    finally:
        _read.reset(token)


def note_file(path: Path) -> None:
    """Note that a file is asked for."""
    found = _read.get()
    if found is not None:
        found.add(path.resolve())


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; empty if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def table_hash() -> str:
    """Return the hash of the tables that come with the package: parameters, curves."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            digest.update(f"{path.relative_to(folder).as_posix()} {file_hash(path)}\n".encode())
    return digest.hexdigest()
