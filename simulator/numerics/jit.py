"""The only place with compiler options.

No fast-math flag at all: with it, freshly compiled and cached code may differ in the last bit.
Division follows NumPy (x / 0 is infinite, not an exception), so that loops stay branch-free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from simulator.numerics.cache import prepare_cache
from simulator.numerics.fingerprint import source_hash
from simulator.numerics.linking import LinkedCompiler

__all__ = ["JIT_DISABLED", "inlined", "inner", "kernel", "merged", "scalar", "source_hash"]

Function = TypeVar("Function", bound=Callable[..., Any])

settings: Any = numba.config  # its names are made when it is imported

JIT_DISABLED: bool = bool(settings.DISABLE_JIT)
"""Whether ``NUMBA_DISABLE_JIT=1`` asks for plain Python."""

OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
LINKED: dict[str, Any] = OPTIONS
if LinkedCompiler is not None:
    LINKED = OPTIONS | {"cache": False, "pipeline_class": LinkedCompiler}
WITHOUT_WRAPPERS = LINKED | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
WITHOUT_COUNTING: dict[str, Any] = {"_nrt": False}
"""No reference counts: what kernels call allocates nothing and owns nothing, yet would count every
array of every tuple it passes on, atomically; that took two thirds of the time, more in threads.
Such functions cannot allocate, nor assign one array to another (write the loop)."""

if not JIT_DISABLED:
    settings.CACHE_DIR = str(prepare_cache())  # Numba reads the environment only on import


def kernel(function: Function) -> Function:
    """Compile a function on first call; keep it on disk; release the interpreter lock.

    Parameters
    ----------
    function : callable
        Plain function of numbers, arrays and named tuples of them.

    Returns
    -------
    callable
        The same signature, compiled; the function itself if compilation is switched off.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast("Function", compiled)


def inner(function: Function) -> Function:
    """Compile a function that only kernels call.

    Without the wrappers that would let Python call it: unpacking a tuple of forty arrays from
    Python objects takes the compiler longer than the function itself, many times over.

    Parameters
    ----------
    function : callable
        Plain function of numbers, arrays and named tuples of them.

    Returns
    -------
    callable
        The same signature, compiled; the function itself if compilation is switched off.
    """
    compiled = numba.njit(**WITHOUT_WRAPPERS, **WITHOUT_COUNTING)(function)
    return cast("Function", compiled)


def inlined(function: Function) -> Function:
    """Compile a function of kernels that LLVM always writes into its caller.

    For what every lane does every month: a call passes each array of a named tuple as a dozen
    numbers, which costs more than most formulas do.

    Parameters
    ----------
    function : callable
        Plain function that kernels call, short or called from one place.

    Returns
    -------
    callable
        The same signature, compiled; the function itself if compilation is switched off.
    """
    compiled = numba.njit(**WITHOUT_WRAPPERS, **WITHOUT_COUNTING, forceinline=True)(function)
    return cast("Function", compiled)


def merged(function: Function) -> Function:
    """Write a function into its caller before compilation.

    For the table of contents: functions that only call others, with the whole state in hand.
    Compiled on their own they would make LLVM optimise all that they call once more at each level.

    Parameters
    ----------
    function : callable
        Plain function that kernels call, without early returns.

    Returns
    -------
    callable
        The same signature; the function itself if compilation is switched off.
    """
    compiled = numba.njit(**WITHOUT_WRAPPERS, inline="always")(function)
    return cast("Function", compiled)


def scalar(function: Function) -> Function:
    """Compile a small formula that is always inlined, so that loops over it vectorise.

    Parameters
    ----------
    function : callable
        Branch-free formula of numbers.

    Returns
    -------
    callable
        The same signature, compiled; the function itself if compilation is switched off.
    """
    compiled = numba.njit(**OPTIONS, **WITHOUT_COUNTING, forceinline=True)(function)
    return cast("Function", compiled)
