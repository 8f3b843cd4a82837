"""What a run will cost: time, memory and disk, from the size of the book."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.config.terms import ModelInputs

# Measured constants; benchmarks say when they drift.
START_SECONDS = 3.0  # imports, compiled kernels from cache, pilot of the compensator
MARKET_NANOSECONDS = 250.0  # per path and month
ASSET_NANOSECONDS = 60.0  # per path, month and delivery
TRANCHE_NANOSECONDS = 30.0  # per path, month and tranche
BASE_MEGABYTES = 350.0  # interpreter, libraries, compiled code
BLOCK_PATHS = 4096  # paths that are in memory at a time, per worker
STATE_BYTES = 96.0  # per path in memory and row of the book
SCALAR_BYTES = 8.0  # per path and scalar kept
SCALARS_PER_TRANCHE, SCALARS_PER_BOX, SCALARS_PER_PATH = 8, 8, 40
COMPRESSION = 0.85  # size on disk over size in memory


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost.

    Parameters
    ----------
    paths, jobs
        Paths, and workers that share them.
    seconds, memory_mb, disk_mb
        Wall time, resident memory, size of the results.
    """

    paths: int
    jobs: int
    seconds: float
    memory_mb: float
    disk_mb: float

    def __str__(self) -> str:
        """Return the estimate as a line."""
        return (
            f"A run of {self.paths:,} paths with {self.jobs} jobs: about {self.seconds:,.0f} s,"
            f" {self.memory_mb:,.0f} MB of memory, {self.disk_mb:,.0f} MB on disk"
        )


def estimate(inputs: ModelInputs, paths: int, jobs: int = 1) -> Estimate:
    """Estimate a run.

    Parameters
    ----------
    inputs
        The study.
    paths, jobs
        Number of paths and of workers.
    """
    book = inputs.book
    month = (
        MARKET_NANOSECONDS
        + ASSET_NANOSECONDS * len(book.assets)
        + TRANCHE_NANOSECONDS * len(book.tranches)
    )
    scalars = (
        SCALARS_PER_PATH
        + SCALARS_PER_TRANCHE * len(book.tranches)
        + SCALARS_PER_BOX * (len(book.boxes) + len(book.sponsors))
    )
    rows = 30 + len(book.assets) + len(book.tranches) + len(book.boxes)
    block = BLOCK_PATHS * (rows * STATE_BYTES + scalars * SCALAR_BYTES)
    kept = paths * scalars * SCALAR_BYTES
    return Estimate(
        paths=paths,
        jobs=jobs,
        seconds=START_SECONDS + paths * inputs.horizon * month * 1e-9 / max(1, jobs),
        memory_mb=BASE_MEGABYTES + (jobs * block + kept) / 1e6,
        disk_mb=COMPRESSION * kept / 1e6,
    )
