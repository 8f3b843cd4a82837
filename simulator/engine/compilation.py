"""Compiling the kernels, once for a version: side by side where there are two cores.

The month is by far the largest kernel, so another process compiles it while this one compiles the
rest; both put what they make into the cache.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import typeof

from simulator.config.study import load_book
from simulator.config.template import write_template
from simulator.config.terms import ModelInputs
from simulator.engine.block import close_block, run_months
from simulator.engine.compensator import solve_class
from simulator.engine.layout import layout_of
from simulator.engine.opening import open_block
from simulator.engine.outputs import new_outputs
from simulator.engine.pack import pack_model
from simulator.engine.pack_market import empty_reference, pack_market
from simulator.engine.state import new_state
from simulator.numerics.addressed import Addressed
from simulator.numerics.jit import JIT_DISABLED

__all__ = ["compile_kernels", "has_compiled"]

KERNELS: Final[dict[str, Callable[..., None]]] = {
    "run_months": run_months,
    "open_block": open_block,
    "close_block": close_block,
    "solve_class": solve_class,
}
"""Kernels that every run needs, the largest first."""


def has_compiled() -> bool:
    """Tell whether the kernels of this version stand in the cache, so that a run starts at once."""
    return JIT_DISABLED or all(any(files_of(name)) for name in KERNELS)


def files_of(name: str) -> Generator[Path, None, None]:
    """Yield the cached files of a kernel; another checkout of the same sources has its own."""
    kernel: Any = KERNELS[name]
    yield from Path(kernel._cache.cache_path).glob(f"*.{name}-*.nbc")


def compile_kernels() -> None:
    """Compile what is not in the cache; return at once if everything is."""
    if has_compiled():
        return
    largest, *others = KERNELS
    helper = start_helper(largest) if cores() > 1 else None
    try:
        compile_named(others)
        if helper is not None:
            helper.wait()
    finally:
        if helper is not None:
            helper.kill()  # no effect on one that has ended
    compile_named([largest])  # loads it, or compiles it where there was no help


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_helper(name: str) -> subprocess.Popen[bytes] | None:
    """Start a process that compiles one kernel; None where no process can be started."""
    code = f"from simulator.engine.compilation import compile_named; compile_named([{name!r}])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def compile_named(names: list[str]) -> None:
    """Compile kernels for the types that every study has, or load them from the cache."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = load_book(write_template(Path(folder))[0]).inputs
    arguments = example_arguments(inputs)
    with no_collection():
        for name in names:
            kernel: Any = KERNELS[name]
            kernel.compile(tuple(typeof(argument) for argument in arguments[name]))


def example_arguments(inputs: ModelInputs) -> dict[str, tuple[Any, ...]]:
    """Return arguments of every kernel, of the right types and no meaning."""
    layout = layout_of(inputs)
    reference = empty_reference(inputs.horizon)
    market = pack_market(inputs.world, inputs.expected, inputs.horizon, reference)
    model = pack_model(inputs, market, np.zeros((1, inputs.horizon + 1)))
    results = new_outputs(
        inputs.horizon,
        len(layout.tranches),
        len(layout.boxes),
        len(layout.sponsors),
        len(layout.names),
        len(layout.generations),
        1,
    )
    params, state = Addressed(model).argument, Addressed(new_state(model, 1)).argument
    outputs, seed, paths = Addressed(results).argument, np.uint64(0), np.zeros(1, dtype=np.int64)
    line, table = np.zeros(2), np.zeros((3, 2))
    return {
        "open_block": (params, state, seed, paths),
        "run_months": (params, state, seed, paths, outputs, 0, 1, 1, False),
        "close_block": (params, state, outputs, 0),
        "solve_class": (line, *[0.0] * 5, table, table, table, line, table),
    }


@contextmanager
def no_collection() -> Generator[None, None, None]:
    """Switch the collector of garbage off: compilers make millions of objects, and little waste."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
