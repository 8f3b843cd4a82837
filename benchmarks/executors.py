"""Time workers of every kind against one, warm, on the same study, and compare their bytes.

    python -m benchmarks.executors --jobs 2

The time is that of the paths: from the first chunk handed out to the last one back, without what
is prepared before and summed up after.  Rounds go through all kinds in turn and each keeps its
shortest time: what else the machine does slows all of them down alike, if it lasts, and none of
them, if it does not.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import simulator
from benchmarks.__main__ import BOOK, machine, row
from simulator.api import Progress, simulate
from simulator.engine.cluster import disconnect


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, default=BOOK)
    parser.add_argument("--paths", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    study = simulator.load_study(asked.study)
    kinds = [("threads", 1), *((name, asked.jobs) for name in ("threads", "processes", "dask"))]
    seconds: dict[tuple[str, int], float] = {}
    bytes_of: dict[tuple[str, int], tuple[bytes, ...]] = {}
    for number in range(asked.rounds + 1):  # the first one compiles and starts
        for kind in kinds:
            name, jobs = kind
            told: list[Progress] = []
            with tempfile.TemporaryDirectory() as folder:
                run = simulate(
                    study,
                    paths=asked.paths,
                    jobs=jobs,
                    executor=name,
                    out=folder,
                    report=told.append,
                )
                bytes_of[kind] = tuple(one.values.tobytes() for one in run.variables.values())
            taken = told[-1].seconds
            if number:
                seconds[kind] = min(taken, seconds.get(kind, taken))
    disconnect()
    print(machine())
    print(f"{asked.study.name}: {asked.paths:,} paths, {asked.rounds} rounds")
    one = seconds[kinds[0]]
    for name, jobs in kinds:
        taken = seconds[name, jobs]
        row(f"{name}, {jobs}", f"{taken:.2f} s", f"{one / taken:.2f} times one thread")
    same = all(found == bytes_of[kinds[0]] for found in bytes_of.values())
    row("bytes", "the same" if same else "DIFFER")


if __name__ == "__main__":
    main()
