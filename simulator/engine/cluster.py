"""Dask clusters: one that runs elsewhere, or one of this machine; and whether its workers fit.

A worker whose sources, versions or compiler settings differ from the client's would compute other
numbers: it is refused, at the start and, if it comes later, by the first chunk it gets.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from simulator.config.errors import NeoboxError
from simulator.dataset.provenance import current_versions
from simulator.numerics.fingerprint import COMPILER_SETTINGS

if TYPE_CHECKING:
    from distributed import Client

__all__ = [
    "ExecutorError",
    "brief",
    "cluster_of",
    "connect",
    "differences",
    "disconnect",
    "patience",
    "worker_facts",
]

SCHEMES: Final = {"dask://": "tcp://", "dask+tls://": "tls://"}
"""How addresses of schedulers begin, here and in Dask."""

EXAMPLE: Final = "dask://host:8786"

PATIENCE: Final = "NEOBOX_DASK_PATIENCE"
"""Variable of the environment: seconds to wait for a scheduler, and for a first worker."""

NAMED: Final = 3
"""Faulty workers that a message names."""

_clients: dict[tuple[str, int], Client] = {}


class ExecutorError(NeoboxError):
    """The workers are out of reach, or died again and again."""

    exit_code = 5


def patience() -> float:
    """Return how many seconds to wait for a scheduler or a worker."""
    return float(os.environ.get(PATIENCE, "30"))


def cluster_of(name: str) -> str | None:
    """Return the address in the name of an executor as Dask writes it.

    Parameters
    ----------
    name : str
        ``dask`` or ``dask://host:port``.

    Returns
    -------
    str or None
        Empty for a cluster of this machine; None if the name is not one of a cluster.

    Raises
    ------
    ExecutorError
        If there is no port in the address.

    Examples
    --------
    >>> cluster_of("dask://10.0.0.5:8786"), cluster_of("dask"), cluster_of("threads")
    ('tcp://10.0.0.5:8786', '', None)
    """
    if name == "dask":
        return ""
    for scheme, protocol in SCHEMES.items():
        if name.startswith(scheme):
            host, _, port = name.removeprefix(scheme).rstrip("/").rpartition(":")
            if not host or not port.isdigit():
                raise ExecutorError(f"executor {name!r}: mend by writing {EXAMPLE}")
            return f"{protocol}{host}:{port}"
    return None


def connect(address: str, jobs: int) -> Client:
    """Return a client of a cluster whose workers fit this process; opened once, then kept.

    Parameters
    ----------
    address : str
        Of the scheduler; empty for a cluster of this machine, which ends with this process.
    jobs : int
        Worker processes of a cluster of this machine.

    Returns
    -------
    distributed.Client
        Connected, with at least one worker.

    Raises
    ------
    ExecutorError
        If Dask is not installed, the scheduler out of reach, no worker there, or one differs.
    """
    key = (address, 0 if address else jobs)
    kept = _clients.get(key)
    if kept is None or kept.status != "running":
        _clients[key] = kept = open_client(address, jobs)
    await_worker(kept, address)
    refuse_strangers(kept)
    return kept


def disconnect() -> None:
    """Let go of all clusters; those of this machine end."""
    while _clients:
        _, client = _clients.popitem()
        cluster = client.cluster
        with suppress(OSError, TimeoutError):
            client.close()
            if cluster is not None:
                cluster.close()


def open_client(address: str, jobs: int) -> Client:
    """Connect to a scheduler, or start a cluster on the loopback of this machine."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ExecutorError(
            f"the executor dask needs a package that is not installed ({error.name}); "
            "mend by: pip install 'neobox[dask]'"
        ) from error
    options: dict[str, Any] = {"set_as_default": False, "name": "neobox"}
    if not address:
        with deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                memory_limit=0,  # chunks are few and bounded; a pause would only look like a hang
            )
        return Client(cluster, **options)
    try:
        return Client(address, timeout=patience(), **options)
    except (OSError, TimeoutError) as error:
        raise ExecutorError(
            f"no Dask scheduler answers at {address} ({brief(error)}); mend by starting one there "
            "(dask scheduler), or by the address that its log names; is a firewall between?"
        ) from error


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Start processes that leave Ctrl-C, which a terminal sends to all, to this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def await_worker(client: Client, address: str) -> None:
    """Wait until a worker is there."""
    try:
        client.wait_for_workers(1, timeout=patience())
    except TimeoutError as error:
        raise ExecutorError(
            f"the Dask scheduler at {address} has no workers, after {patience():.0f} s; mend by "
            f"starting some (dask worker {address}), or wait longer: {PATIENCE}=600"
        ) from error


def refuse_strangers(client: Client) -> None:
    """Refuse a cluster with a worker that would compute other numbers, or in this process."""
    mine = worker_facts()
    found = client.run(report_worker, on_error="return")
    faults = [
        f"worker {address} ({told})"
        for address, facts in sorted(found.items())
        if (told := fault(facts, mine))
    ]
    if faults:
        more = f"; and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise ExecutorError(
            f"{len(faults)} of {len(found)} workers do not fit this process: "
            f"{'; '.join(faults[:NAMED])}{more}; mend by the same wheel, lock file and NUMBA_ "
            "settings on all machines"
        )


@cache
def worker_facts() -> dict[str, str]:
    """Return all that this process makes numbers with, by name.

    Returns
    -------
    dict of str to str
        Versions, the hash of the sources, and the settings of the compiler that are set.
    """
    from importlib.metadata import version

    names = (*COMPILER_SETTINGS, "NUMBA_DISABLE_JIT")
    settings = {name: os.environ[name] for name in names if name in os.environ}
    return {**current_versions(), "llvmlite": version("llvmlite"), **settings}


def report_worker() -> tuple[dict[str, str], tuple[str, int]]:
    """Say, in a worker, what its numbers are made by, and which process it is."""
    return worker_facts(), (socket.gethostname(), os.getpid())


def fault(found: Any, mine: Mapping[str, str]) -> str:
    """Say what is wrong with a worker that sent what `report_worker` returns, or an error."""
    if isinstance(found, OSError):
        return ""  # it is going, or gone: the scheduler will see
    if isinstance(found, BaseException):
        return f"did not answer: {brief(found)}; is neobox installed there?"
    facts, process = found
    if process == (socket.gethostname(), os.getpid()):
        return "is a part of this process, which computes nothing itself"
    return differences(facts, mine)


def differences(found: Mapping[str, str], mine: Mapping[str, str]) -> str:
    """Say in what two processes differ; empty if their numbers are the same."""
    return ", ".join(
        f"{name} {found.get(name, 'unset')} there, {mine.get(name, 'unset')} here"
        for name in {**mine, **found}
        if found.get(name) != mine.get(name)
    )


def brief(error: BaseException) -> str:
    """Return the first line of an error."""
    return (str(error) or type(error).__name__).splitlines()[0]
