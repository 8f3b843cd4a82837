"""Writes runs in child processes and kills them (-9); started by test_interruptions.

    python -m tests.unit.dataset.killed_writer FOLDER after SECONDS ...
    python -m tests.unit.dataset.killed_writer FOLDER at STEP ...

A step is a sync or a rename; a child kills itself just before the one it is told.  Says, per
child, whether it was killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import simulator.dataset.accumulate
import simulator.dataset.finalise
from simulator.dataset.histogram import Histogram
from tests.unit.dataset.samples import plan_of, run

PLANS = {
    "exact": plan_of(300, 40, variables=("lender_loss", "book_lender_loss", "box_dscr")),
    "histogram": plan_of(300, 40, variables=("lender_loss", "box_dscr"), exact_limit=100),
}
FOLD_PATHS = 90


def die_at(step: int) -> None:
    """Make the process kill itself before its `step`-th sync or rename."""
    left = step

    def count(function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return function(*arguments)

        return counted

    os.fsync = count(os.fsync)
    Path.replace = count(Path.replace)  # type: ignore[method-assign]


def child(directory: Path, plan: str, step: int) -> int:
    """Start writing a run in a process of its own."""
    process = os.fork()
    if not process:
        status = 1
        try:
            if step >= 0:
                die_at(step)
            run(directory, PLANS[plan])
            status = 0
        finally:
            os._exit(status)
    return process


def main(folder: str, plan: str, mode: str, *moments: str) -> None:
    simulator.dataset.accumulate.FOLD_PATHS = FOLD_PATHS
    Histogram.empty(1).add(
        slice(0, 1), np.zeros((1, 1), np.float32)
    )  # compile before the clock runs
    for moment in moments:
        directory = Path(folder, moment)
        process = child(directory, plan, int(moment) if mode == "at" else -1)
        if mode == "after":
            time.sleep(float(moment))
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        fate = "killed" if os.WIFSIGNALED(status) else f"ended {os.WEXITSTATUS(status)}"
        sys.stdout.write(f"{fate}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
