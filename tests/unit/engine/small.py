"""Runs small enough for plain Python."""

from __future__ import annotations

from typing import Any

import xarray as xr

from simulator.api import simulate
from simulator.config.study import Study

OVERRIDES = {
    "horizon_months": 24,
    "drivers.compensator": False,
    "contracts.LAB-1.currency": "EUR",
    "contracts.LAB-1.price_usd_per_gpu_hour": 1.5,  # too little to serve the debt: it defaults
}
PATHS = 10


def results(study: Study, **options: Any) -> dict[str, bytes]:
    """Run a study; return every variable's bytes."""
    return as_bytes(simulate(study, **{"paths": PATHS, "block": PATHS, **options}))


def as_bytes(dataset: xr.Dataset) -> dict[str, bytes]:
    """Return every variable and coordinate of a Dataset as bytes."""
    return {str(name): variable.values.tobytes() for name, variable in dataset.variables.items()}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Name what is not the same bit for bit."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]
