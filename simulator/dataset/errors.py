"""What can go wrong with a run's folder or arrays.

::

    RunError
    ├── RunNotFoundError     nothing there, or not a run
    ├── RunExistsError       another run, or other files, stand where this one should go
    ├── RunBusyError         another process is writing this run
    ├── RunIncompleteError   not all chunks are there yet
    ├── RunDamagedError      files are missing or were changed
    ├── RunWriteError        the system refused to write
    └── ChunkError           arrays that do not fit the plan

Every message names the folder and says what to do.
"""

from __future__ import annotations

__all__ = [
    "ChunkError",
    "RunBusyError",
    "RunDamagedError",
    "RunError",
    "RunExistsError",
    "RunIncompleteError",
    "RunNotFoundError",
    "RunWriteError",
]


class RunError(Exception):
    """A run cannot be written or read as asked."""


class RunNotFoundError(RunError):
    """No run stands in the folder."""


class RunExistsError(RunError):
    """The folder holds something else than the run that should be written there."""


class RunBusyError(RunError):
    """Another process is writing the run."""


class RunIncompleteError(RunError):
    """Some chunks of the run are missing; it can be resumed."""


class RunDamagedError(RunError):
    """Files of the run are missing, cut short or changed."""


class RunWriteError(RunError):
    """The system refused to write; what the manifest lists is safe."""


class ChunkError(RunError):
    """The arrays of a chunk do not fit the plan of the run."""
