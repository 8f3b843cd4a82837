"""Writing files so that a power cut or a kill leaves the old one or the new one, never half of one.

Bytes go to a hidden temporary file, reach the disk (fsync) and then take the place of the old file
in one step (rename).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from simulator.dataset.errors import RunBusyError, RunDamagedError, RunWriteError

if sys.platform != "win32":
    import fcntl

__all__ = [
    "DirectoryLock",
    "is_temporary",
    "read_json",
    "remove",
    "replace_directory",
    "replacing",
    "sync_directory",
    "temporary",
    "tree_size",
    "write_json",
    "write_pieces",
    "write_text",
    "writing",
]

SUFFIX = ".partial"


def temporary(path: Path) -> Path:
    """Return a hidden name beside a path, different in every process and thread."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{SUFFIX}")


def is_temporary(path: Path) -> bool:
    """Tell whether a name was made by `temporary`."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX)


@contextmanager
def writing(path: Path, state: str) -> Iterator[None]:
    """Turn an error of the system into one that says what is safe and what to do.

    Parameters
    ----------
    path : Path
        What is being written.
    state : str
        What is safe, as half a sentence.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunWriteError(
            f"{path}: could not write: {reason}; {state}; "
            "make room or mend the folder's permissions, then run the same command with --resume"
        ) from error


def write_pieces(file: BinaryIO, pieces: Iterable[memoryview]) -> None:
    """Write bytes one after another and wait until they are on disk."""
    for piece in pieces:
        file.write(piece)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of `path` once the block has ended well."""
    draft = temporary(path)
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step."""
    with replacing(path) as file:
        write_pieces(file, [memoryview(text.encode())])


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file in one step, keys sorted."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that `write_json` wrote."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise RunDamagedError(
            f"{path}: not readable as JSON ({error}); restore the file, "
            "or run again with --overwrite"
        ) from error
    return content


def sync_directory(directory: Path) -> None:
    """Wait until the names in a folder are on disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def replace_directory(draft: Path, target: Path) -> None:
    """Put a finished folder in the place of another, bytes on disk first."""
    files = [path for path in draft.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(8) as pool:  # the disk gathers the waits
        list(pool.map(sync_file, files))
    remove(target)
    draft.replace(target)
    sync_directory(target.parent)


def tree_size(directory: Path) -> dict[str, int]:
    """Count the files below a folder, and their bytes."""
    sizes = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class DirectoryLock:
    """One writer per folder: a lock that vanishes with its process, even if that is killed."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = -1
        self._descriptor = lock(directory)

    @property
    def held(self) -> bool:
        """Whether it is; the file system may not lock folders."""
        return self._descriptor >= 0

    def release(self) -> None:
        """Give the folder up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.release()


def lock(directory: Path) -> int:
    """Lock a folder; −1 where the file system cannot.

    Raises
    ------
    RunBusyError
        If another process holds it.
    """
    if sys.platform == "win32":
        return -1
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise RunBusyError(
            f"{directory}: this run is being written already; wait for that, stop it, "
            "or choose another folder with --out"
        ) from None
    except OSError:  # some network file systems cannot lock folders
        os.close(descriptor)
        return -1
    return descriptor
