"""Runs a sweep in child processes and kills them (-9, the whole group); started by a test.

    python -m tests.unit.sweeps.killed_sweep SWEEP FOLDER SEED KILLS

Says one line a child: folder, and whether it was killed or ended.  A folder is gone on with, and
maybe killed again, or left to be finished by the test.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import xarray as xr

from simulator.sweeps.opening import open_sweep
from simulator.sweeps.run import prepare_sweep, run_sweep
from simulator.sweeps.stacked import stacked

_ = xr, open_sweep, stacked  # imported before the clock runs


def child(sweep: Path, folder: Path) -> int:
    """Start the sweep in a process and group of its own."""
    process = os.fork()
    if not process:
        status = 1
        try:
            os.setsid()
            run_sweep(*prepare_sweep(sweep, out=folder), jobs=2)
            status = 0
        finally:
            os._exit(status)
    return process


def fate_of(process: int, after: float) -> str:
    """Kill a child's group after a while; tell whether it had ended by then."""
    time.sleep(after)
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:  # not a group of its own yet
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return "killed" if os.WIFSIGNALED(status) else f"ended {os.WEXITSTATUS(status)}"


def main(sweep: str, folder: str, seed: str, kills: str) -> None:
    generator = random.Random(int(seed))
    for name in ("warm", "first"):  # kernels are compiled before the clock runs
        start = time.monotonic()
        os.waitpid(child(Path(sweep), Path(folder, name)), 0)
        whole = time.monotonic() - start
    number = left = int(kills)
    while left:
        results = Path(folder, str(number))
        fate = fate_of(child(Path(sweep), results), generator.uniform(0.0, whole))
        sys.stdout.write(f"{number} {fate}\n")
        left -= fate == "killed"
        if fate != "killed" or generator.random() < 0.5:
            number -= 1  # the next child begins anew


if __name__ == "__main__":
    main(*sys.argv[1:])
