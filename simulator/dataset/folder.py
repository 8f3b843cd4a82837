"""Names within the folder of a run."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONFIG",
    "EXPECTED",
    "FANS",
    "FORMAT",
    "MANIFEST",
    "PATHS",
    "RESOLVED",
    "RUN",
    "SAMPLING",
    "SCALARS",
    "SCRATCH",
]

FORMAT: Final = "neobox.run/1"
"""Version of the layout, in `run.json`."""

CONFIG: Final = "config.yaml"
RESOLVED: Final = "config.resolved.json"
EXPECTED: Final = "expected.json"
SAMPLING: Final = "sampling.json"
RUN: Final = "run.json"
MANIFEST: Final = "manifest.jsonl"
SCRATCH: Final = "scratch"
SCALARS: Final = "scalars.zarr"
FANS: Final = "fans.zarr"
PATHS: Final = "paths.zarr"
