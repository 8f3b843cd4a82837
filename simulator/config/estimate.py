"""What a run will cost: time, memory and disk, from the size of the book."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.config.terms import ModelInputs

# Measured on one core of 2026; `python -m benchmarks` says when they drift.
START_SECONDS = 6.0  # imports, compiled kernels from cache, pilot of the compensator, summary
MARKET_NANOSECONDS = 950.0  # per path and month
ASSET_NANOSECONDS = 130.0  # per path, month and delivery
TRANCHE_NANOSECONDS = 65.0  # per path, month and tranche
POOL_NAME_NANOSECONDS = 300.0  # per path and name of a credit-only study
POOL_MONTH_NANOSECONDS = 40.0  # per path and month of it: two series and their quantiles
WRITE_NANOSECONDS = 22.0  # per value of a series, for its quantiles: on all cores, whatever jobs
BASE_MEGABYTES = 400.0  # interpreter, libraries, compiled code
WORKER_MEGABYTES = 150.0  # results of a chunk, twice, and the state of a block

# Bytes of a path before they are compressed, see `simulator.dataset.variables`.
PATH_BYTES, FACILITY_BYTES, TRANCHE_BYTES = 8, 45, 16
BOX_BYTES, SPONSOR_BYTES, NAME_BYTES = 54, 34, 2
NOTE_BYTES, STRUCTURE_BYTES, OVERLAY_BYTES = 24, 8, 16  # the net loss of the book: 8 more
SERIES_BYTES = 4  # per path, month and series
MARKET_SERIES, GENERATION_SERIES, HALL_SERIES, BOX_SERIES, SPONSOR_SERIES = 19, 3, 2, 2, 3
EXACT_PATHS, FOLDED_PATHS = 1_000_000, 265_000  # whose series wait on disk for their quantiles
PACKED = 0.6  # share of the numbers of a path that is left when they are compressed
FAN_BYTES = 370.0  # per month and series: quantiles, their errors, means
FOLDER_BYTES = 1e6  # study, provenance, and what every array takes however short


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost.

    Parameters
    ----------
    paths, jobs
        Paths, and workers that share them.
    seconds, memory_mb
        Wall time once the kernels are compiled, and resident memory.
    disk_mb, results_mb
        The most room that is taken on disk while it runs, and what the results take after it.
    """

    paths: int
    jobs: int
    seconds: float
    memory_mb: float
    disk_mb: float
    results_mb: float

    def __str__(self) -> str:
        """Return the estimate as a line."""
        return (
            f"A run of {self.paths:,} paths with {self.jobs} jobs: about {self.seconds:,.0f} s,"
            f" {self.memory_mb:,.0f} MB of memory; on disk up to {self.disk_mb:,.0f} MB while it"
            f" runs, about {self.results_mb:,.0f} MB after it"
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
        PATH_BYTES
        + FACILITY_BYTES * len({tranche.facility for tranche in book.tranches})
        + TRANCHE_BYTES * len(book.tranches)
        + BOX_BYTES * len(book.boxes)
        + SPONSOR_BYTES * len(book.sponsors)
        + NAME_BYTES * len(book.names)
        + NOTE_BYTES * sum(len(one.notes) for one in book.structures)
        + STRUCTURE_BYTES * len(book.structures)
        + OVERLAY_BYTES * len(book.overlays)
        + PATH_BYTES * bool(book.overlays)
    )
    halls = sum(one.is_hall for one in book.generations)
    series = inputs.horizon * (
        MARKET_SERIES
        + GENERATION_SERIES * (len(book.generations) - halls)
        + HALL_SERIES * halls
        + BOX_SERIES * len(book.boxes)
        + SPONSOR_SERIES * len(book.sponsors)
    )
    waiting = paths if paths <= EXACT_PATHS else FOLDED_PATHS
    results = PACKED * paths * scalars + FAN_BYTES * series + FOLDER_BYTES
    workers = max(1, jobs)
    simulating = paths * inputs.horizon * month / workers
    writing = WRITE_NANOSECONDS * paths * series
    return Estimate(
        paths=paths,
        jobs=jobs,
        seconds=START_SECONDS + (simulating + writing) * 1e-9,
        memory_mb=BASE_MEGABYTES + workers * WORKER_MEGABYTES + paths * scalars / 1e6,
        disk_mb=(results + paths * scalars + waiting * series * SERIES_BYTES) / 1e6,
        results_mb=results / 1e6,
    )


def pool_seconds(names: int, months: int, paths: int) -> float:
    """Estimate the simulation of a credit-only study by one worker.

    Parameters
    ----------
    names, months, paths
        Size of the pool, length and number of its paths.
    """
    return paths * (POOL_NAME_NANOSECONDS * names + POOL_MONTH_NANOSECONDS * months) * 1e-9
