"""What a run will cost: time, memory and disk, from the size of the book."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.config.terms import ModelInputs

# Measured on one core of 2026; `python -m benchmarks` says when they drift.
START_SECONDS = 12.0  # imports, compiled kernels from cache, pilot of the compensator, summary
MARKET_NANOSECONDS = 1100.0  # per path and month
ASSET_NANOSECONDS = 270.0  # per path, month and delivery
TRANCHE_NANOSECONDS = 140.0  # per path, month and tranche
BASE_MEGABYTES = 400.0  # interpreter, libraries, compiled code
WORKER_MEGABYTES = 150.0  # results of a chunk, twice, and the state of a block

# Bytes of a path on disk, see `simulator.dataset.variables`.
FACILITY_BYTES, TRANCHE_BYTES, BOX_BYTES, SPONSOR_BYTES, NAME_BYTES = 45, 16, 54, 26, 2
MARKET_SERIES, SERIES_BYTES = 14, 4  # and 2 a generation, 2 a box, 1 a sponsor; a month
EXACT_PATHS, FOLDED_PATHS = 1_000_000, 265_000  # whose series wait on disk for their quantiles


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost.

    Parameters
    ----------
    paths, jobs
        Paths, and workers that share them.
    seconds, memory_mb, disk_mb
        Wall time once the kernels are compiled, resident memory, and the most room that is taken
        on disk while it runs; the results take a fraction of that.
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
        FACILITY_BYTES * len({tranche.facility for tranche in book.tranches})
        + TRANCHE_BYTES * len(book.tranches)
        + BOX_BYTES * len(book.boxes)
        + SPONSOR_BYTES * len(book.sponsors)
        + NAME_BYTES * len(book.names)
    )
    series = MARKET_SERIES + 2 * len(book.generations) + 2 * len(book.boxes) + len(book.sponsors)
    waiting = paths if paths <= EXACT_PATHS else FOLDED_PATHS
    disk = 2 * paths * scalars + waiting * series * inputs.horizon * SERIES_BYTES
    workers = max(1, jobs)
    return Estimate(
        paths=paths,
        jobs=jobs,
        seconds=START_SECONDS + paths * inputs.horizon * month * 1e-9 / workers,
        memory_mb=BASE_MEGABYTES + workers * WORKER_MEGABYTES + paths * scalars / 1e6,
        disk_mb=disk / 1e6,
    )
