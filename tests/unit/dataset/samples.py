"""Small runs whose arrays depend on the path only, not on the chunk it is computed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.dataset import Chunk, RunPlan, RunStore, Variable

IDS = {
    "facility": ("ddtl-1", "ddtl-2"),
    "tranche": ("ddtl-1.a", "ddtl-1.b", "ddtl-2.a"),
    "box": ("box-1", "box-2"),
    "sponsor": ("Größe AG",),
    "counterparty": ("name-1", "name-2", "name-3"),
    "generation": ("B200", "H100"),
}

VARIABLES = (
    "lender_loss",
    "equity_irr",
    "equity_irr_state",
    "facility_default_month",
    "facility_default_cause",
    "book_lender_loss",
    "tightness",
    "rental_price_spot",
    "book_dscr",
    "cumulative_lender_loss",
    "box_dscr",
)


def plan_of(paths: int = 1000, chunk: int = 128, **changes: Any) -> RunPlan:
    values: dict[str, Any] = {
        "seed": 1,
        "horizon": 5,
        "start": "2026-11",
        "digest": "0f" * 16,
        "ids": IDS,
        "labels": {"box_sponsor": ("box", ("Größe AG", "Größe AG"))},
        "versions": {"simulator": "0.1.0", "numpy": "2.4.6"},
        "variables": VARIABLES,
    }
    return RunPlan(paths, chunk, **{**values, **changes})


def values_of(plan: RunPlan, variable: Variable) -> np.ndarray:
    """All paths of a variable, path first; a third zeros, and some NaN where that may be."""
    lengths = {"path": plan.paths, "month": plan.horizon}
    shape = tuple(lengths[dim] if dim in lengths else len(plan.ids[dim]) for dim in variable.dims)
    generator = np.random.default_rng([plan.seed, *variable.name.encode()])
    if variable.dtype.startswith("int"):
        return generator.integers(0, len(variable.flags) or 60, shape).astype(variable.dtype)
    values = generator.gamma(1.5, 100.0, shape) * generator.choice([-1.0, 1.0], shape)
    values[generator.random(shape) < 1 / 3] = 0.0
    if variable.may_be_nan:
        values[generator.random(shape) < 1 / 4] = np.nan
    return values.astype(variable.dtype)


Arrays = dict[str, np.ndarray]


class Sample:
    """All arrays of a plan, cut as the engine hands them over."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.values = {
            variable.name: values_of(plan, variable) for variable in plan.scalars + plan.series
        }

    def chunk(self, chunk: Chunk) -> tuple[Arrays, Arrays]:
        paths = slice(chunk.first, chunk.first + chunk.count)
        scalars = {
            variable.name: self.values[variable.name][paths] for variable in self.plan.scalars
        }
        series = {
            variable.name: np.moveaxis(self.values[variable.name][paths], 0, -1)
            for variable in self.plan.series
        }
        return scalars, series

    def whole(self) -> tuple[Arrays, Arrays]:
        return self.chunk(Chunk(0, 0, self.plan.paths))

    def write(self, store: RunStore, chunks: list[Chunk] | None = None) -> None:
        for chunk in store.missing_chunks() if chunks is None else chunks:
            store.write_chunk(chunk.index, *self.chunk(chunk))


def run(directory: Path, plan: RunPlan, **options: Any) -> Path:
    """Write a whole run."""
    with RunStore.create(directory, plan, **options) as store:
        Sample(plan).write(store)
        store.finalise(threads=2)
    return directory


def bytes_below(directory: Path) -> Mapping[str, bytes]:
    """What the results of a run consist of, byte by byte; times of day are left out."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "manifest.jsonl")
    }
