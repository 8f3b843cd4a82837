"""Measure importance sampling of pools against plain sampling of the same engine.

    python -m benchmarks.rare_pools            print the table
    python -m benchmarks.rare_pools --write    and put it into docs/rare-events.md

Efficiency is the ratio of variance times CPU time, of the expected shortfall at the level that the
run aims at, with the pilot's time counted. The variance of plain sampling is taken from the
weighted paths too: those of a plain run are too few to tell it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

import simulator
from simulator.analytics import expected_shortfall
from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_study

PAGE = Path(__file__).parents[1] / "docs" / "rare-events.md"
CONFIG = Path(__file__).parents[1] / "configs" / "credit-pool.yaml"
BEGIN, END = "<!-- measured by benchmarks/rare_pools.py -->\n", "<!-- end of it -->\n"
REPEATS = 3  # others can only slow it down
HEAD = (
    "| pool | level | ES, USD m | relative error | effective paths, in the tail "
    "| variance, plain over this | CPU a path, this over plain | efficiency |\n"
    "|---|---|---|---|---|---|---|---|\n"
)


class Measured(NamedTuple):
    """One pool at one level."""

    shortfall: float
    error: float  # relative
    effective: float
    in_tail: float
    gain: float
    cost: float
    efficiency: float


def equal_pool(count: int, chance: float, rho: float) -> dict[str, Any]:
    """Return names that are alike."""
    terms = {"exposure_usd_m": 1, "pd": chance, "lgd": 1, "loadings": [rho**0.5]}
    return {f"N{k:04}": terms for k in range(count)}


def two_sectors() -> dict[str, Any]:
    """Return 40 and 40 names of sectors that have nothing in common."""
    terms = {"exposure_usd_m": 1, "lgd": 1}
    first = {f"A{k:02}": {**terms, "pd": 0.008, "loadings": [0.7, 0]} for k in range(40)}
    return first | {f"B{k:02}": {**terms, "pd": 0.0085, "loadings": [0, 0.7]} for k in range(40)}


def many_factors() -> dict[str, Any]:
    """Return the portfolio of Glasserman and Li (2005), section 6."""
    names: dict[str, Any] = {}
    for k in range(1000):
        loadings = [0.8, *[0.0] * 20]
        loadings[1 + k // 100] = loadings[11 + k // 10 % 10] = 0.4
        chance = max(0.01 * (1.0 + np.sin(16.0 * np.pi * (k + 1) / 1000.0)), 1e-14)
        names[f"N{k:04}"] = {
            "exposure_usd_m": 1.0 + 99.0 * k / 999.0,
            "pd": float(chance),
            "lgd": 1,
            "loadings": loadings,
        }
    return names


def study_of(names: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Return a study of a year."""
    plain = {"schema": "neobox.credit/1", "name": "rare", "start": "2026-11"}
    return {**plain, "horizon_months": 12, "names": names, **keys}


def measured(study: PoolStudy, level: float, paths: int) -> Measured:
    """Run a pool both ways."""
    aimed = study.sampling.model_copy(update={"level": level})
    study = PoolStudy(
        study.name,
        study.description,
        study.path,
        study.inputs,
        study.resolved,
        study.digest,
        aimed,
    )
    simulator.simulate(study, paths=200)  # compiled, and its tables filled
    plainly, (seconds, run) = (timed(study, method, paths) for method in ("plain", "importance"))
    loss, weight = run["book_lender_loss"].values, run["path_weight"].values
    value, se = expected_shortfall(loss, level, weight)
    order = np.argsort(-loss)
    place = np.searchsorted(np.cumsum(weight[order]), (1.0 - level) * paths)
    excess = np.maximum(loss - loss[order[place]], 0.0)
    plain = float(np.mean(weight * excess**2) - np.mean(weight * excess) ** 2)
    gain = plain / (paths * (se * (1.0 - level)) ** 2)
    cost = seconds / plainly[0]
    effective, in_tail = run.attrs["effective_sample_size"], run.attrs["effective_tail_paths"]
    return Measured(value, se / value, effective, in_tail, gain, cost, gain / cost)


def timed(study: PoolStudy, method: Any, paths: int) -> tuple[float, xr.Dataset]:
    """Return the shortest of a few timings, CPU seconds, and the run."""
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        run = simulator.simulate(study, paths=paths, executor="serial", sampling=method)
        seconds.append(time.process_time() - start)
    return min(seconds), run


def main() -> None:
    """Measure, print, and write if asked."""
    t = {"copula": {"kind": "t", "nu": 5}}
    pools: dict[str, tuple[Any, int]] = {
        "125 equal names, ρ 0.2": (study_of(equal_pool(125, 0.02, 0.2)), 50_000),
        "the same, t copula of 5": (study_of(equal_pool(125, 0.02, 0.2), **t), 50_000),
        "two sectors, 80 names": (study_of(two_sectors()), 50_000),
        "Glasserman and Li, 1,000 names, 21 factors": (study_of(many_factors()), 10_000),
        "`configs/credit-pool.yaml`, t copula of 8": (CONFIG, 50_000),
    }
    rows = [HEAD]
    for name, (source, paths) in pools.items():
        study = load_study(source) if isinstance(source, Path) else loaded(source)
        assert isinstance(study, PoolStudy)
        for level in (0.99, 0.999, 0.9999):
            m = measured(study, level, paths)
            rows.append(
                f"| {name} | {level:.2%} | {m.shortfall:.4g} | {m.error:.2%} | {m.effective:,.0f},"
                f" {m.in_tail:,.0f} of {paths:,} | {m.gain:,.0f} | {m.cost:.1f}"
                f" | {m.efficiency:,.0f} |\n"
            )
            print(rows[-1], end="", flush=True)
    if "--write" in sys.argv:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}{''.join(rows)}{END}{after}", encoding="utf-8")


def loaded(keys: dict[str, Any]) -> PoolStudy:
    """Read a study from its keys."""
    study = load_study(keys)
    assert isinstance(study, PoolStudy)
    return study


if __name__ == "__main__":
    main()
