"""Measure importance, quasi-random and stratified sampling of the reference book.

    python -m benchmarks.rare_books            print the table
    python -m benchmarks.rare_books --write    and put it, with the figure, into docs/rare-events.md

Efficiency is variance times CPU time of plain sampling over that of the method, pilots included.
Variances are those of the estimates' own standard errors; that these are honest is seen from the
spread of independent runs and from how many of their 95% intervals hold the pooled estimate.
Plain sampling's variance of a tail is told by the weighted paths too: a plain run has too few.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

import simulator
from benchmarks.rare_figure import error_picture
from simulator.analytics.estimators import mean
from simulator.analytics.frame import path_weights
from simulator.analytics.tail import tail_risk, value_at_risk_interval
from simulator.config.study import load_study

ROOT: Final = Path(__file__).parents[1]
PAGE, BOOK = ROOT / "docs" / "rare-events.md", ROOT / "configs" / "neocloud-2026.yaml"
FIGURE: Final = ROOT / "docs" / "rare-events.png"
BEGIN, END = "<!-- measured by benchmarks/rare_books.py -->\n", "<!-- end of the books -->\n"
LEVELS: Final = (0.99, 0.999)
PATHS: Final = 16_384
RUNS: Final = {"plain": 8, "importance": 16, "quasi": 6, "stratified": 6}
CURVE: Final = (4_096, 65_536)
"""Further sizes of importance sampling, for the curve of error against CPU."""

HEAD: Final = (
    "| method | runs x paths | CPU a run, s | measure | mean of the runs, USD m "
    "| standard error of a run | spread of the runs over it | 95% intervals that hold the pooled "
    "value | efficiency | CPU to an error of 1%, s |\n"
    "|---|---|---:|---|---:|---:|---:|---:|---:|---:|\n"
)
Vector = NDArray[np.float64]


class Run(NamedTuple):
    """One run: CPU seconds; values and errors (measure,) of EL, then ES by level."""

    seconds: float
    values: Vector
    errors: Vector
    plain: Vector  # deviation of one plain path's term, as this run tells it


def run_once(method: str, paths: int, seed: int) -> Run:
    """Run the book, pilot included."""
    start = time.process_time()
    run = simulator.simulate(
        load_study(BOOK), paths=paths, seed=seed, executor="serial", sampling=method
    )
    seconds = time.process_time() - start
    losses, design = run["book_lender_loss"].values, path_weights(run)
    found, tail = mean(losses, design), tail_risk(losses, LEVELS, design)
    weights = run["path_weight"].values if "path_weight" in run else np.ones(paths)
    low, high = value_at_risk_interval(losses, LEVELS[0], weights=design)
    assert low <= tail.var[0] <= high
    terms = [losses] + [
        np.maximum(losses - var, 0.0) / (1.0 - level)
        for var, level in zip(tail.var, LEVELS, strict=True)
    ]
    plain = [np.sqrt(np.mean(weights * t * t) - np.mean(weights * t) ** 2) for t in terms]
    return Run(
        seconds,
        np.array([found.value, *tail.es]),
        np.array([found.se, *tail.es_se]),
        np.array(plain),
    )


def measure(paths: int = PATHS) -> dict[str, list[Run]]:
    """Run every method with seeds of its own, after a first run that compiles."""
    run_once("importance", 256, 1)
    found = {}
    for place, (method, count) in enumerate(RUNS.items()):
        found[method] = [run_once(method, paths, 100 * place + k) for k in range(count)]
    return found


def rows(found: dict[str, list[Run]]) -> Iterator[str]:
    """Return the table, by method and measure."""
    names = ("expected loss", *(f"ES {level:.4g}" for level in LEVELS))
    told = np.array([run.plain for run in found["importance"]])
    deviation = np.sqrt(np.mean(told**2, axis=0))  # of one plain path, by measure
    deviation[0] = np.sqrt(np.mean([run.plain[0] ** 2 for run in found["plain"]]))
    second = np.mean([run.seconds for run in found["plain"]]) / PATHS
    best = found["importance"]
    pooled = np.mean([run.values for run in best], axis=0)
    pooled[0] = np.mean([run.values[0] for run in found["quasi"] + found["plain"]])
    for method, runs in found.items():
        seconds = float(np.mean([run.seconds for run in runs]))
        values = np.array([run.values for run in runs])
        errors = np.array([run.errors for run in runs])
        for k, name in enumerate(names):
            error = float(np.sqrt(np.mean(errors[:, k] ** 2)))
            ratio = float(np.std(values[:, k], ddof=1)) / error
            held = int(np.sum(np.abs(values[:, k] - pooled[k]) <= 1.96 * errors[:, k]))
            gain = float(deviation[k] ** 2 * second / (error**2 * seconds))
            if method == "plain":
                gain = 1.0
            fixed = pilot_seconds(runs, method, second)
            need = fixed + (error / pooled[k] / 0.01) ** 2 * (seconds - fixed)
            if method == "plain":
                need = (float(deviation[k]) / pooled[k] / 0.01) ** 2 * second
            yield (
                f"| {method} | {len(runs)} x {PATHS:,} | {seconds:.1f} | {name} "
                f"| {np.mean(values[:, k]):,.1f} | {error / pooled[k]:.2%} | {ratio:.2f} "
                f"| {held} of {len(runs)} | {gain:.1f} | {need:,.0f} |\n"
            )


def pilot_seconds(runs: list[Run], method: str, second: float) -> float:
    """Return the CPU time of a run that does not grow with its paths."""
    if method not in ("importance", "stratified"):
        return 0.0
    return max(0.0, float(np.mean([run.seconds for run in runs])) - PATHS * second)


def main() -> None:
    """Measure, print, and write if asked."""
    found = measure()
    table = HEAD + "".join(rows(found))
    print(table)
    curve = {size: [run_once("importance", size, 900 + k) for k in range(2)] for size in CURVE}
    if "--write" in sys.argv:
        FIGURE.write_bytes(error_picture(found, curve, PATHS).render("png", dpi=110))
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
