"""Random numbers by address: Philox4x32-10, a counter-based generator.

A draw is a function of (seed, path, stream, month) and of nothing else: no state, no order.
Any block of paths can be computed anywhere, twice, or not at all, and every draw stays the same.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw (2011), "Parallel random numbers: as easy as
1, 2, 3", Proceedings of SC11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.jit import kernel, scalar
from simulator.numerics.lanes import number_of, select, spread
from simulator.numerics.normal import normal_quantile, to_normals

__all__ = [
    "fill_normal_pairs",
    "fill_normals",
    "fill_uniform_pairs",
    "normal_pair",
    "philox4x32_10",
    "uniform_lanes",
    "uniform_pair",
]

# 32-bit words travel in 64-bit lanes: a product of two then never overflows.
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
LOW_32_BITS = np.uint64(0xFFFFFFFF)
LOW_16_BITS = np.uint64(0xFFFF)
SHIFT_32 = np.uint64(32)
SHIFT_21 = np.uint64(21)
SHIFT_16 = np.uint64(16)
SHIFT_11 = np.uint64(11)

TWO_TO_MINUS_53 = 2.0**-53
LARGEST_BELOW_ONE = 1.0 - 2.0**-53

Words = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


@scalar
def _rounds(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> Words:
    """Return the ten rounds' four words, each in a 64-bit integer."""
    for _ in range(10):
        product_0 = MULTIPLIER_0 * c0
        product_1 = MULTIPLIER_1 * c2
        c0 = (product_1 >> SHIFT_32) ^ c1 ^ k0
        c1 = product_1 & LOW_32_BITS
        c2 = (product_0 >> SHIFT_32) ^ c3 ^ k1
        c3 = product_0 & LOW_32_BITS
        k0 = (k0 + WEYL_0) & LOW_32_BITS
        k1 = (k1 + WEYL_1) & LOW_32_BITS
    return c0, c1, c2, c3


@kernel
def philox4x32_10(
    c0: int, c1: int, c2: int, c3: int, k0: int, k1: int
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Return Philox4x32-10 of one counter under one key.

    Parameters
    ----------
    c0, c1, c2, c3 : int
        Words of the counter, in [0, 2**32).
    k0, k1 : int
        Words of the key, in [0, 2**32).

    Returns
    -------
    tuple of four uint32
        Random bits.
    """
    w0, w1, w2, w3 = _rounds(
        np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3), np.uint64(k0), np.uint64(k1)
    )
    return np.uint32(w0), np.uint32(w1), np.uint32(w2), np.uint32(w3)


@scalar
def _open_uniform(high: Any, low: Any) -> Any:
    """Return (k + 1/2) / 2**53 with k the top 53 of 64 bits, rounded but never to one."""
    k = (high << SHIFT_21) | (low >> SHIFT_11)
    value = (number_of(k) + 0.5) * TWO_TO_MINUS_53
    return select(value < LARGEST_BELOW_ONE, value, LARGEST_BELOW_ONE)


@scalar
def uniform_pair(seed: int, path: int, stream: int, month: int | np.int64) -> tuple[float, float]:
    """Return the two uniform draws at an address.

    Parameters
    ----------
    seed : uint64
        Seed of the run; the key.
    path : int64 or uint64
        Number of the path, in [0, 2**48).
    stream : uint64
        Number of the stream, see :func:`simulator.numerics.streams.stream_id`.
    month : int
        Month, in [0, 65536).

    Returns
    -------
    tuple of two float
        Independent draws, uniform on the open interval (0, 1), each with 53 random bits:
        never below 2**-54, never above 1 - 2**-53.

    Notes
    -----
    Counter words: path bits 0-31; path bits 32-47 above the month; stream low; stream high.
    """
    key, place, name = np.uint64(seed), np.uint64(path), np.uint64(stream)
    w0, w1, w2, w3 = _rounds(
        place & LOW_32_BITS,
        (((place >> SHIFT_32) & LOW_16_BITS) << SHIFT_16) | np.uint64(month),
        name & LOW_32_BITS,
        name >> SHIFT_32,
        key & LOW_32_BITS,
        key >> SHIFT_32,
    )
    return _open_uniform(w0, w1), _open_uniform(w2, w3)


@scalar
def uniform_lanes(seed: int, paths: Any, stream: int, month: int | np.int64, pack: Any) -> Any:
    """Return the first of the two uniform draws at an address, on each lane of a pack.

    Parameters
    ----------
    seed, stream, month
        As for :func:`uniform_pair`.
    paths : pack of uint64
        Path numbers, in [0, 2**48).
    """
    key, name = np.uint64(seed), np.uint64(stream)
    w0, w1, _, _ = _rounds(
        paths & LOW_32_BITS,
        (((paths >> SHIFT_32) & LOW_16_BITS) << SHIFT_16) | np.uint64(month),
        spread(name & LOW_32_BITS, pack),
        spread(name >> SHIFT_32, pack),
        key & LOW_32_BITS,
        key >> SHIFT_32,
    )
    return _open_uniform(w0, w1)


@scalar
def normal_pair(seed: int, path: int, stream: int, month: int) -> tuple[float, float]:
    """Return the two standard normal draws at an address.

    Parameters
    ----------
    seed, path, stream, month
        The address, as for :func:`uniform_pair`.

    Returns
    -------
    tuple of two float
        Normal quantiles of the two uniforms there: finite, within -8.4 and 8.3.
    """
    first, second = uniform_pair(seed, path, stream, month)
    return normal_quantile(first), normal_quantile(second)


@kernel
def fill_uniform_pairs(
    seed: int,
    paths: NDArray[np.uint64],
    stream: int,
    month: int | np.int64,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> None:
    """Write the two uniform draws of each path of a block.

    Parameters
    ----------
    seed, stream, month
        The address shared by the block, as for :func:`uniform_pair`.
    paths : ndarray of uint64 or int64, shape (lane,)
        Path numbers, in [0, 2**48).
    first, second : ndarray of float64, shape (lane,)
        Written.
    """
    for lane in range(paths.shape[0]):
        first[lane], second[lane] = uniform_pair(seed, paths[lane], stream, month)


@kernel
def fill_normal_pairs(
    seed: int,
    paths: NDArray[np.uint64],
    stream: int,
    month: int | np.int64,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> None:
    """Write the two standard normal draws of each path of a block.

    Parameters
    ----------
    seed, stream, month
        The address shared by the block, as for :func:`uniform_pair`.
    paths : ndarray of uint64 or int64, shape (lane,)
        Path numbers, in [0, 2**48).
    first, second : ndarray of float64, shape (lane,)
        Written.
    """
    fill_uniform_pairs(seed, paths, stream, month, first, second)
    to_normals(first)
    to_normals(second)


@kernel
def fill_normals(
    seed: int,
    paths: NDArray[np.uint64],
    stream: int,
    month: int | np.int64,
    first: NDArray[np.float64],
    spare: NDArray[np.float64],
) -> None:
    """Write the first standard normal draw of each path of a block, where one is enough.

    Parameters
    ----------
    seed, stream, month
        The address shared by the block, as for :func:`uniform_pair`.
    paths : ndarray of uint64 or int64, shape (lane,)
        Path numbers, in [0, 2**48).
    first : ndarray of float64, shape (lane,)
        Written.
    spare : ndarray of float64, shape (lane,)
        Scratch.
    """
    fill_uniform_pairs(seed, paths, stream, month, first, spare)
    to_normals(first)
