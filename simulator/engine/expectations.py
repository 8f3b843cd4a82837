"""What was expected at t0, solved once: the reference path and the default compensator.

Both depend on the expected world and on the curves and loadings of names, never on a scenario, and
take longer than a small run: solved ones are kept beside the compiled kernels (whose folder is
named by all that shapes numbers, so that other sources never find them) and in the folder of a run.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.config.plain import canonical_json, plain_values
from simulator.config.terms import ModelInputs
from simulator.engine.compensator import solve_compensator
from simulator.engine.market import ReferencePath
from simulator.engine.market_alone import reference_path
from simulator.engine.pack_credit import name_classes

__all__ = ["Expectations", "expectations_of", "from_json", "to_json"]

SCHEMA = "neobox.expected/1"


class Expectations(NamedTuple):
    """What was expected at t0."""

    reference: ReferencePath
    compensator: NDArray[np.float64]  # (class of names, month)


def key_of(inputs: ModelInputs) -> str:
    """Return a hash of all that expectations depend on, besides the sources."""
    classes, _ = name_classes(inputs)
    on = inputs.switches["compensator"] and inputs.switches["counterparty_default"]
    parts = {
        "expected": plain_values(asdict(inputs.expected)),
        "horizon": inputs.horizon,
        "classes": [plain_values(group._asdict()) for group in classes],
        "nu": inputs.copula_nu,
        "compensator": on and inputs.path is None,
    }
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def expectations_of(inputs: ModelInputs) -> Expectations:
    """Return the expectations of a study, solved or from the cache.

    Parameters
    ----------
    inputs : ModelInputs
        The study.

    Returns
    -------
    Expectations
        The same, bit for bit, from either.
    """
    key, rows = key_of(inputs), len(ReferencePath._fields)
    kept = recall(key)
    if kept is None:
        reference = reference_path(inputs.expected, inputs.horizon)
        found = Expectations(reference, solve_compensator(inputs, reference))
        remember(key, np.vstack([*found.reference, found.compensator]))
        return found
    return Expectations(ReferencePath(*map(np.array, kept[:rows])), kept[rows:].copy())


def file_of(key: str) -> Path | None:
    """Return where solved expectations are kept, None if there is no cache."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    return Path(folder) / f"expected-{key[:32]}.npy" if folder else None


def recall(key: str) -> NDArray[np.float64] | None:
    """Read kept expectations, None if there are none that can be read."""
    path = file_of(key)
    try:
        return None if path is None else np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None


def remember(key: str, table: NDArray[np.float64]) -> None:
    """Keep expectations; a folder that cannot be written is no fault."""
    path = file_of(key)
    if path is None:
        return
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            np.save(file, table, allow_pickle=False)
        Path(file.name).replace(path)
    except OSError:
        return


def to_json(inputs: ModelInputs, expectations: Expectations) -> dict[str, Any]:
    """Return expectations in JSON's own types, for the folder of a run.

    Numbers survive JSON bit for bit. The compensator is given by name, as a reader looks for it.
    """
    _, members = name_classes(inputs)
    reference = {
        name: array.tolist()
        for name, array in zip(ReferencePath._fields, expectations.reference, strict=True)
    }
    by_name = {name: expectations.compensator[row].tolist() for name, row in members.items()}
    return {
        "schema": SCHEMA,
        "key": key_of(inputs),
        "reference": reference,
        "compensator": by_name,
    }


def from_json(inputs: ModelInputs, plain: Mapping[str, Any]) -> Expectations | None:
    """Read expectations back; None if they are not those of the study."""
    if plain.get("schema") != SCHEMA or plain.get("key") != key_of(inputs):
        return None
    classes, members = name_classes(inputs)
    compensator = np.zeros((max(1, len(classes)), inputs.horizon + 1))
    for name, row in members.items():
        compensator[row] = plain["compensator"][name]
    rows = (np.array(plain["reference"][name]) for name in ReferencePath._fields)
    return Expectations(ReferencePath(*rows), compensator)
