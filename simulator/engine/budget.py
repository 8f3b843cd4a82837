"""How much memory a run may take: how large its chunks are, and how many are in work at a time.

What a run needs does not grow with the number of paths: each process, the chunks in work, and the
tables that are sorted or counted at the end.  A budget is met by smaller chunks first, then by
fewer of them at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from simulator.config.errors import NeoboxError
from simulator.engine.cluster import cluster_of

__all__ = ["MemoryBudget", "parse_bytes"]

MB: Final = 1_000_000

PROCESS: Final = 450 * MB
"""A process with the libraries and the kernels of a book, without any path."""

TABLES: Final = 80 * MB
"""What a thread sorts or counts at once when results are written."""

COPIES: Final = 2.5
"""Memory of a chunk in work over its results on disk: outputs, and the copies that are written."""

LEAST_CHUNK: Final = 4 * MB
"""Results below which a chunk is mostly waits for the disk."""

UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BINARY: Final = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class MemoryBudgetError(NeoboxError):
    """A budget that no run fits, or that is none."""

    exit_code = 2


def parse_bytes(text: str) -> int:
    """Read an amount of memory.

    Parameters
    ----------
    text : str
        A number with a unit: B, kB, MB, GB, TB, or KiB, MiB, GiB, TiB.

    Raises
    ------
    MemoryBudgetError
        If it is something else.

    Examples
    --------
    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB"), parse_bytes("800M")
    (2000000000, 1610612736, 800000000)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", text.strip().upper())
    if found is None or (found[3] and not found[2]) or not float(found[1]):
        raise MemoryBudgetError(f"--memory {text!r}: mend by a number and a unit, such as 2GB")
    return int(float(found[1]) * (BINARY if found[3] else UNITS)[found[2]])


@dataclass(frozen=True)
class MemoryBudget:
    """Memory of this machine that a run may take.

    Attributes
    ----------
    bytes : int
        All of it, of all processes together.
    executor : str
        As `executors.execute` takes it; workers of a cluster elsewhere are not counted.
    jobs : int
        Workers.
    """

    bytes: int
    executor: str = "threads"
    jobs: int = 1

    @property
    def processes(self) -> int:
        """Processes of this machine."""
        return 1 + self.jobs if self.executor in ("processes", "dask") else 1

    @property
    def workers(self) -> int:
        """Chunks that this machine holds at a time if there is room."""
        if self.executor == "serial":
            return 1
        return 2 if cluster_of(self.executor) else self.jobs  # one that comes in, one written

    @property
    def room(self) -> int:
        """Bytes left for chunks.

        Raises
        ------
        MemoryBudgetError
            If there is too little for a single one.
        """
        room = self.bytes - self.processes * PROCESS - TABLES
        least = int(COPIES * LEAST_CHUNK)
        if room < least:
            needed = self.bytes - room + least
            fewer = "" if self.processes == 1 else ", ask for fewer --jobs, or take threads"
            raise MemoryBudgetError(
                f"--memory: {self.bytes / 1e9:.2f} GB are too little, {self.processes} "
                f"process{'es' * (self.processes > 1)} take about {needed / 1e9:.2f} GB whatever "
                f"the number of paths; mend by giving that much{fewer}"
            )
        return room

    @property
    def chunk_bytes(self) -> int:
        """Most results of a chunk, on disk."""
        return max(LEAST_CHUNK, int(self.room / COPIES) // self.workers)

    def window(self, chunk_bytes: int) -> int | None:
        """Return how many chunks may be in work at a time; None for as many as there are workers.

        Parameters
        ----------
        chunk_bytes : int
            Results of one: a resumed run keeps the chunks it began with.
        """
        fits = max(1, int(self.room / COPIES) // max(1, chunk_bytes))
        return None if fits >= self.workers or cluster_of(self.executor) else fits

    @property
    def threads(self) -> int:
        """Threads that write the results, once no chunk is in work."""
        return max(1, (self.room + TABLES) // TABLES)
