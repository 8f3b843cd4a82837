"""Removing runs that are no longer wanted: never one that is being written, never half of one."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulator.dataset.errors import RunBusyError
from simulator.dataset.files import DirectoryLock, sync_directory
from simulator.results.entries import Entry, ResultsError, entry_of, find_runs, run_folders

__all__ = ["prunable", "prune"]

SUFFIX = ".pruned"
"""Of folders that are on their way out: a kill leaves them, the next prune removes them."""


def prunable(
    root: str | Path = "results",
    *,
    keep_last: int | None = None,
    older_than: timedelta | None = None,
    incomplete: bool = False,
) -> list[Entry]:
    """List the runs that would be removed.

    Parameters
    ----------
    root : path
        Folder of runs.
    keep_last : int, optional
        Spare that many of the newest runs of each study, by its name.
    older_than : timedelta, optional
        Spare those finished, or begun if they are not finished, since then.
    incomplete : bool
        Runs that are unfinished or damaged, instead of those that are complete.

    Returns
    -------
    list of Entry
        Those that every condition lets go; never one that is being written, or whose folder holds
        other runs.

    Raises
    ------
    ResultsError
        If no condition is given.
    """
    if keep_last is None and older_than is None and not incomplete:
        raise ResultsError(
            "prune: nothing says which runs may go; give --keep-last, --older-than or --incomplete"
        )
    runs = find_runs(root)
    wanted = ("unfinished", "damaged") if incomplete else ("complete",)
    chosen = [one for one in runs if one.status in wanted]
    if keep_last is not None:
        of_study: dict[str, list[Entry]] = defaultdict(list)
        for one in chosen:
            of_study[one.study].append(one)
        spared = {one.directory for some in of_study.values() for one in some[:keep_last]}
        chosen = [one for one in chosen if one.directory not in spared]
    if older_than is not None:
        before = (datetime.now(UTC) - older_than).isoformat()
        chosen = [one for one in chosen if one.date and one.date < before]
    parents = {parent for one in runs for parent in one.directory.parents}
    return [one for one in chosen if one.directory not in parents]


def prune(entries: Sequence[Entry], root: str | Path = "results") -> list[Entry]:
    """Remove runs, and what an interrupted prune has left below a folder.

    Parameters
    ----------
    entries : sequence of Entry
        What `prunable` returned.
    root : path
        The folder it was asked about.

    Returns
    -------
    list of Entry
        Those that were removed; not those that a process has begun to write since.

    Raises
    ------
    ResultsError
        If the system refuses.
    """
    gone = []
    try:
        for left in Path(root).rglob(f".*{SUFFIX}"):
            shutil.rmtree(left, ignore_errors=True)
        for one in entries:
            gone += [one] if remove_run(one) else []
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(
            f"{error.filename}: could not remove: {reason}; {len(gone)} runs are gone; mend the "
            "folder's permissions and prune again"
        ) from error
    return gone


def remove_run(entry: Entry) -> bool:
    """Remove a run unless it is being written, or no longer what it was; False if it was left.

    The folder is renamed first, in one step: whatever stops the rest, no half of a run opens.
    """
    directory = entry.directory
    now = entry_of(directory) if directory.is_dir() else None
    if now is None or (now.status, now.date) != (entry.status, entry.date):
        return False
    if len(list(run_folders(directory))) != 1:
        return False
    try:
        lock = DirectoryLock(directory)
    except RunBusyError:
        return False
    try:
        if not lock.held and entry.status != "complete":
            return False  # where folders cannot be locked, it may be under way
        target = directory.with_name(f".{directory.name}{SUFFIX}")
        shutil.rmtree(target, ignore_errors=True)
        directory.rename(target)
        sync_directory(directory.parent)
        shutil.rmtree(target)
    finally:
        lock.release()
    return True
