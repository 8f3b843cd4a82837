"""Results of a run: variables and units, the folder they are stored in, the Dataset they become.

Heavy packages (xarray, Zarr, Numba) are imported by the functions that need them, so that workers
and the command line start fast.
"""

from simulator.dataset.accumulate import disk_bytes
from simulator.dataset.errors import (
    ChunkError,
    RunBusyError,
    RunDamagedError,
    RunError,
    RunExistsError,
    RunIncompleteError,
    RunNotFoundError,
    RunWriteError,
)
from simulator.dataset.plan import Chunk, RunPlan
from simulator.dataset.provenance import current_versions
from simulator.dataset.reading import RunStatus, open_run, read_status
from simulator.dataset.store import RunStore
from simulator.dataset.variables import VARIABLES, Variable

__all__ = [
    "VARIABLES",
    "Chunk",
    "ChunkError",
    "RunBusyError",
    "RunDamagedError",
    "RunError",
    "RunExistsError",
    "RunIncompleteError",
    "RunNotFoundError",
    "RunPlan",
    "RunStatus",
    "RunStore",
    "RunWriteError",
    "Variable",
    "current_versions",
    "disk_bytes",
    "open_run",
    "read_status",
]
