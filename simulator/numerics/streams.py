"""Numbers for named streams of random draws.

A stream is keyed by what it is called, not by where it stands in a list, so that adding,
removing or reordering drivers, deals and names leaves every other draw as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["stream_id", "stream_id_array", "stream_ids"]


def stream_id(name: str) -> int:
    """Return the number of a stream.

    Parameters
    ----------
    name : str
        Name of the stream, such as ``"power/houston"``; not empty.

    Returns
    -------
    int
        First 64 bits of blake2b of the UTF-8 name, little-endian; in [0, 2**64).

    Raises
    ------
    ValueError
        If the name is empty.
    """
    if not name:
        raise ValueError("a stream needs a name: got an empty string")
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def stream_ids(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of several streams, sure that no two share their draws.

    Parameters
    ----------
    names : iterable of str
        Names of streams.

    Returns
    -------
    dict of str to int
        In the order given.

    Raises
    ------
    ValueError
        If a name comes twice, or if two names have the same number.
    """
    numbers: dict[str, int] = {}
    owners: dict[int, str] = {}
    for name in names:
        if name in numbers:
            raise ValueError(f"stream {name!r} is named twice: its draws would be used twice")
        number = stream_id(name)
        if number in owners:
            raise ValueError(
                f"streams {owners[number]!r} and {name!r} have the same number {number:#018x} "
                "and would share their draws: rename one of them"
            )
        numbers[name] = number
        owners[number] = name
    return numbers


def stream_id_array(names: Iterable[str]) -> NDArray[np.uint64]:
    """Return the numbers of several streams as an array for kernels.

    Parameters
    ----------
    names : iterable of str
        Names of streams.

    Returns
    -------
    ndarray of uint64, shape (stream,)
        In the order given; checked as by :func:`stream_ids`.
    """
    return np.array(list(stream_ids(names).values()), dtype=np.uint64)
