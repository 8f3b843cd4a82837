"""What made the numbers: versions and sources, and the text that a Dataset carries about it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from functools import cache
from typing import Any

from simulator.dataset.plan import RunPlan

__all__ = ["attributes_of", "current_versions"]


def current_versions() -> dict[str, str]:
    """Return the versions of all that shapes the numbers.

    Returns
    -------
    dict of str to str
        Of the simulator and its sources, NumPy, Numba and Python.
    """
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    """Ask for the versions once: a sweep plans hundreds of runs."""
    from importlib.metadata import version

    from simulator.numerics.fingerprint import source_hash

    return {
        "simulator": version("neobox"),
        "sources": source_hash(),
        "numba": version("numba"),
        "numpy": version("numpy"),
        "python": platform.python_version(),
    }


def attributes_of(plan: RunPlan, resolved: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the attributes of a Dataset: short ones to read, one long one to reproduce the run.

    Parameters
    ----------
    plan : RunPlan
        The run.
    resolved : mapping, optional
        The study with all defaults filled in.

    Returns
    -------
    dict of str to Any
        The same for every size of chunk and time of day.
    """
    simulator = plan.versions.get("simulator", "")
    record = {"plan": plan.identity(), "study": resolved}
    return {
        "Conventions": "CF-1.11",
        "title": plan.title or "GPU-loan portfolio, simulated",
        "source": f"neobox {simulator}".strip(),
        "paths": plan.paths,
        "seed": plan.seed,
        "paths_per_draw": plan.paths_per_draw,
        "start": plan.start,
        "digest": plan.digest,
        "provenance": json.dumps(record, sort_keys=True, separators=(",", ":")),
    }
