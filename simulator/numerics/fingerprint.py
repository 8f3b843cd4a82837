"""Hashes that name what compiled kernels were made from."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

__all__ = ["cache_key", "hash_sources", "source_hash"]

PACKAGE_ROOT = Path(__file__).resolve().parents[1]

# Settings that change machine code but are missing from Numba's own cache key.
COMPILER_SETTINGS = (
    "NUMBA_BOUNDSCHECK",
    "NUMBA_DEBUGINFO",
    "NUMBA_DISABLE_INTEL_SVML",
    "NUMBA_ENABLE_AVX",
    "NUMBA_LOOP_VECTORIZE",
    "NUMBA_OPT",
    "NUMBA_SLP_VECTORIZE",
)


def hash_sources(root: Path) -> str:
    """Return the hash of the names and bytes of all Python files below a folder.

    Parameters
    ----------
    root : Path
        Folder of a package.

    Returns
    -------
    str
        32 hexadecimal digits (blake2b).
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py")):
        content = (root / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def source_hash() -> str:
    """Return the hash of this package's sources, as they were when first asked for.

    Returns
    -------
    str
        32 hexadecimal digits; the same on every machine and Python that holds the same sources.
    """
    return hash_sources(PACKAGE_ROOT)


def cache_key() -> str:
    """Return the hash of all that shapes machine code: sources, versions, compiler settings.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(source_hash().encode(), digest_size=16)
    digest.update(f"{platform.python_implementation()} {platform.python_version()}".encode())
    for distribution in ("numba", "llvmlite", "numpy"):
        digest.update(f"\0{distribution} {version(distribution)}".encode())
    for setting in COMPILER_SETTINGS:
        digest.update(f"\0{setting}={os.environ.get(setting)}".encode())
    return digest.hexdigest()
