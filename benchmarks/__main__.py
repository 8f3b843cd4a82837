"""Measure the engine on the reference book and print a table.

Machines differ and share their cores, so every figure stands beside another one of the same run:
NumPy drawing as many normals as the market takes, and the same model in plain Python (the oracle).
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

import simulator
from benchmarks.simple_deals import LOAN_MONTHS, with_simple_deals
from simulator.config.terms import ModelInputs
from simulator.engine.block import run_block
from simulator.engine.compilation import compile_kernels
from simulator.engine.market_alone import reference_path, without_deals
from simulator.engine.outputs import new_outputs
from simulator.engine.pack_market import pack_market
from simulator.engine.prepare import Prepared, prepare
from simulator.engine.runner import BLOCK_LANES
from simulator.engine.state import new_state
from simulator.numerics.addressed import Addressed
from tests.reference import reference_path as oracle_reference
from tests.reference.path import simulate_path

BOOK = Path(__file__).parents[1] / "configs" / "neocloud-2026.yaml"
REPEATS = 5
MARKET_REPEATS = 300  # a block of it takes milliseconds
NORMALS_A_MONTH = 23  # of the market: nine factors, two a generation, spot, silicon
PATHS = 20_000
DEALS = (10, 50)


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the shortest of several timings, seconds: others can only slow it down."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def machine() -> str:
    """Say what this was measured on."""
    names = [line for line in cpu_lines() if line.startswith("model name")]
    name = names[0].split(":", 1)[1].strip() if names else platform.processor()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def cold_compilation() -> float:
    """Return the seconds that compilation into an empty cache takes, with the imports."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "simulator", "warmup"],
            env=os.environ | {"NUMBA_CACHE_DIR": folder},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - start


def block_seconds(prepared: Prepared) -> float:
    """Return the seconds of one block of the book, on one core."""
    state, outputs = prepared.state(BLOCK_LANES), prepared.outputs(BLOCK_LANES)
    paths = np.arange(BLOCK_LANES, dtype=np.int64)
    return best(lambda: prepared.run_block(state, 1, paths, outputs, 0))


def market_seconds(inputs: ModelInputs) -> float:
    """Return the seconds of one block of the market without deals, every driver on, on one core."""
    world = replace(inputs.world, switches=dict.fromkeys(inputs.switches, True))
    horizon = inputs.horizon
    market = pack_market(world, inputs.expected, horizon, reference_path(inputs.expected, horizon))
    params = without_deals(world, inputs.expected, horizon, market)
    terms, state = Addressed(params), Addressed(new_state(params, BLOCK_LANES))
    nothing = Addressed(new_outputs(horizon, 0, 0, 0, 0, 0, 0))
    paths = np.arange(BLOCK_LANES, dtype=np.int64)
    return best(lambda: run_block(terms, state, 1, paths, nothing, 0), MARKET_REPEATS)


def deal_month_seconds(inputs: ModelInputs, deals: int) -> float:
    """Return the seconds of a month of a simple deal on one path, for months in which it owes debt.

    What a block of a tenth of the deals takes is taken off, so that the market is not in it.
    """
    few = max(1, deals // 10)
    many, rest = (
        block_seconds(prepare(with_simple_deals(inputs, count))) for count in (deals, few)
    )
    return (many - rest) / ((deals - few) * LOAN_MONTHS * BLOCK_LANES)


def normals_seconds(horizon: int) -> float:
    """Return the seconds in which NumPy's Philox draws a block's normals."""
    generator = np.random.Generator(np.random.Philox(1))
    count = NORMALS_A_MONTH * horizon * BLOCK_LANES
    return best(lambda: generator.standard_normal(count))


def row(name: str, value: str, beside: str = "") -> None:
    print(f"  {name:<46} {value:>12}   {beside}".rstrip())


def main() -> None:
    compile_kernels()
    study = simulator.load_study(BOOK)
    prepared = prepare(study.inputs)
    path_months = BLOCK_LANES * prepared.horizon
    print(machine())
    print(f"{BOOK.name}: {len(prepared.layout.boxes)} boxes, {len(prepared.layout.assets)} assets")

    row("cold compilation", f"{cold_compilation():.0f} s")
    block, normals = block_seconds(prepared), normals_seconds(prepared.horizon)
    market = market_seconds(study.inputs)
    row(
        "market alone, every driver on, a path-month",
        f"{1e6 * market / path_months:.3f} us",
        f"{market / normals:.1f} times NumPy's normals of it",
    )
    row("book, one core, a path-month", f"{1e6 * block / path_months:.2f} us")
    normal = normals / (NORMALS_A_MONTH * path_months)
    for deals in DEALS:
        deal_month = deal_month_seconds(study.inputs, deals)
        row(
            f"boxes alone, {deals} simple deals, a deal-month",
            f"{1e9 * deal_month:.0f} ns",
            f"{deal_month / normal:.0f} times one of NumPy's normals",
        )
    row(
        "NumPy, the normals of a path-month",
        f"{1e6 * normals / path_months:.2f} us",
        f"the book takes {block / normals:.0f} times that",
    )
    reference = oracle_reference(study.inputs)
    oracle = best(lambda: simulate_path(study.inputs, 1, 0, None, reference), 1)
    row(
        "plain Python, a path-month",
        f"{1e6 * oracle / prepared.horizon:.0f} us",
        f"the engine is {oracle / prepared.horizon / (block / path_months):,.0f} times as fast",
    )
    for jobs in (1, 2):
        seconds = best(lambda: simulator.simulate(study, paths=PATHS, seed=1, jobs=jobs), 1)  # noqa: B023
        row(
            f"simulate, {PATHS:,} paths, {jobs} jobs",
            f"{seconds:.1f} s",
            f"{PATHS / seconds:,.0f} paths/s",
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    row("peak memory", f"{peak:,.0f} MB")


if __name__ == "__main__":
    main()
