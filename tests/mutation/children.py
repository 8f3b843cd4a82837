"""Forked children: what they change is theirs alone, and what they hang on ends them."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MEMORY = 6 << 30


def in_child(work: Callable[[Callable[[Any], None]], None]) -> Iterator[Any]:
    """Run work in a child and yield what it sends; the last thing is None, or why it ended.

    Parameters
    ----------
    work : callable
        Is given a function that sends an object. Whatever it prints goes nowhere.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings(action="ignore"):  # of threads, which no child of ours needs
        child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            code = run(work, writer)
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        while True:
            try:
                yield pickle.load(stream)
            except EOFError:
                break
            except pickle.UnpicklingError:  # cut short in the middle of a message
                break
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        timed_out = os.WTERMSIG(status) == signal.SIGPROF
        yield "out of time" if timed_out else f"signal {os.WTERMSIG(status)}"
    else:
        yield None if os.WEXITSTATUS(status) == 0 else "the child failed"


def run(work: Callable[[Callable[[Any], None]], None], writer: int) -> int:
    """Do the work in the child."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with os.fdopen(writer, "wb", buffering=0) as stream:

        def send(thing: Any) -> None:
            stream.write(pickle.dumps(thing))

        with tempfile.TemporaryDirectory(prefix="neobox-mutant-") as folder:
            tempfile.tempdir = str(Path(folder))
            try:
                work(send)
            except BaseException:
                send({"error": traceback.format_exc()})
                return 1
    return 0


def allow(seconds: float) -> None:
    """End this process if it takes more seconds of processor time from now on."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
