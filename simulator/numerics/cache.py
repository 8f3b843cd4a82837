"""Where compiled kernels are kept, so that an old one can never answer for new source.

Numba keys a compiled function on the file that defines it and does not see edits of a function
it calls in another file: it then returns the old answer without a word. Here the cache lives in
a folder named by everything that shapes machine code (:mod:`simulator.numerics.fingerprint`).
Any edit opens a new folder; the newest few are kept, and any that a living process holds.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from simulator.numerics.fingerprint import cache_key

if sys.platform != "win32":
    import fcntl

__all__ = ["prepare_cache"]

FOLDERS_KEPT = 3
FOLDER_NAME = re.compile(r"[0-9a-f]{32}")
LOCK_NAME = ".in-use"


def prepare_cache() -> Path:
    """Choose, create and hold this process's cache folder, and tell child processes of it.

    Returns
    -------
    Path
        Existing, writable folder named by the fingerprint; also put in ``NUMBA_CACHE_DIR``.
    """
    key = cache_key()
    base = cache_base()
    folder = None if base is None else base / key
    if folder is None or not is_writable(folder):
        folder = temporary_base() / key
        folder.mkdir(exist_ok=True)
    is_new = not (folder / LOCK_NAME).exists()
    hold(folder)
    if is_new:
        prune(folder.parent)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def cache_base() -> Path | None:
    """Return the folder that holds one subfolder per fingerprint.

    ``NUMBA_CACHE_DIR`` wins if set. A parent process has appended a fingerprint to it, which is
    taken off again, so that children of children do not nest ever deeper.

    Returns
    -------
    Path or None
        Absolute path, which need not exist or be writable; None for a user without a home.
    """
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        path = Path(chosen).absolute()
        return path.parent if FOLDER_NAME.fullmatch(path.name) else path
    home_of_caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not home_of_caches.is_absolute():
        try:
            home_of_caches = Path.home() / ".cache"
        except RuntimeError:  # as in some containers
            return None
    return home_of_caches / "neobox" / "numba"


def is_writable(folder: Path) -> bool:
    """Create a folder if need be and tell whether files can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def temporary_base() -> Path:
    """Return a private folder below the system's temporary one.

    Cached kernels are loaded by unpickling, so a folder that another user could have filled is
    refused; a fresh one is then made for this process and removed at its end.

    Returns
    -------
    Path
        Existing folder that only this user can read or write.
    """
    if sys.platform != "win32":
        folder = Path(tempfile.gettempdir()) / f"neobox-numba-{os.getuid()}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            status = folder.lstat()
        except OSError:
            pass
        else:
            is_private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
            if is_private and status.st_uid == os.getuid() and is_writable(folder):
                return folder
    folder = Path(tempfile.mkdtemp(prefix="neobox-numba-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def hold(folder: Path) -> None:
    """Mark a folder as the newest and as used by this process until the process ends.

    Parameters
    ----------
    folder : Path
        Cache folder; created again if another process removes it meanwhile.
    """
    lock = folder / LOCK_NAME
    for _ in range(10):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
            # The descriptor stays open on purpose: its lock lives as long as the process.
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            if lock.stat().st_ino == os.fstat(descriptor).st_ino:
                return
        except FileNotFoundError:
            continue  # removed between two lines above: make it anew
        except OSError:
            return  # a file system without locks: nobody will prune there


def prune(base: Path, keep: int = FOLDERS_KEPT) -> list[Path]:
    """Remove the kernels of older sources.

    Only real folders named by a fingerprint are touched, and none that a living process holds.

    Parameters
    ----------
    base : Path
        Folder that holds one subfolder per fingerprint.
    keep : int
        How many of the newest to keep, in use or not.

    Returns
    -------
    list of Path
        What was removed.
    """
    try:
        newest_first = sorted(
            (path for path in base.iterdir() if is_cache_folder(path)),
            key=lambda path: path.stat().st_mtime_ns,
            reverse=True,
        )
    except OSError:  # another process prunes at the same time
        return []
    return [path for path in newest_first[keep:] if remove_unused(path)]


def is_cache_folder(path: Path) -> bool:
    """Tell whether a path is a real folder named by a fingerprint."""
    return bool(FOLDER_NAME.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()


def remove_unused(folder: Path) -> bool:
    """Remove a cache folder unless a living process holds it; tell whether it is gone."""
    if sys.platform == "win32":
        return False  # no shared locks to ask
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()
    except OSError:
        return False
    finally:
        os.close(descriptor)
