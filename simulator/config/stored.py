"""A study read back from the resolved one that stands in the folder of a run."""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from simulator.config.errors import NeoboxError
from simulator.config.plain import canonical_json, plain_values
from simulator.config.pool_schema import POOL_SCHEMA
from simulator.config.pool_study import PoolStudy
from simulator.config.pool_terms import PoolInputs
from simulator.config.schema import Sampling
from simulator.config.study import Study
from simulator.config.terms import ModelInputs

__all__ = ["StoredStudyError", "stored_inputs", "stored_study"]

Inputs = TypeVar("Inputs", ModelInputs, PoolInputs)


class StoredStudyError(NeoboxError):
    """A resolved study is not as this version writes it."""

    exit_code = 2


def stored_inputs(resolved: Mapping[str, Any]) -> ModelInputs:
    """Read model inputs of a book back.

    Parameters
    ----------
    resolved : mapping
        `Study.resolved`, as JSON gave it back.

    Returns
    -------
    ModelInputs
        Equal to those that were written: numbers survive JSON bit for bit.

    Raises
    ------
    StoredStudyError
        If it was written by another version, or changed since.
    """
    return revived(ModelInputs, resolved)


def stored_study(resolved: Mapping[str, Any], path: Path) -> Study | PoolStudy:
    """Read a study back: all that a run needs, nothing of how its tape was read.

    Parameters
    ----------
    resolved : mapping
        `Study.resolved` or `PoolStudy.resolved`, as JSON gave it back.
    path : Path
        Where it stood.

    Returns
    -------
    Study or PoolStudy
        Simulates what the one that was written simulates; without derived cells, sources and
        summaries of boxes.

    Raises
    ------
    StoredStudyError
        If it was written by another version, or changed since.
    """
    plain = dict(resolved)
    told = plain.get("study", {})
    name, description = str(told.get("name", "")), str(told.get("description", ""))
    sampling = Sampling(**told.get("sampling", {}))
    if told.get("schema") == POOL_SCHEMA:
        pool = revived(PoolInputs, resolved)
        return PoolStudy(name, description, path, pool, plain, resolved["digest"], sampling)
    return Study(
        name=name,
        description=description,
        path=path,
        inputs=revived(ModelInputs, resolved),
        derived=(),
        resolved=plain,
        digest=resolved["digest"],
        sources={},
        summaries=(),
        scenarios=tuple(one["name"] for one in plain.get("scenarios", ())),
        sampling=sampling,
    )


def revived(kind: type[Inputs], resolved: Mapping[str, Any]) -> Inputs:
    """Read inputs of a kind back, and hold them against their digest."""
    try:
        inputs: Inputs = revive(kind, resolved["inputs"])
        stored = resolved["digest"]
    except (KeyError, TypeError, ValueError) as error:
        raise StoredStudyError(
            f"the resolved study of the run cannot be read ({error!r}); it was written by "
            "another version: run the study again"
        ) from error
    text = canonical_json(plain_values(asdict(inputs)))
    if hashlib.sha256(text.encode()).hexdigest() != stored:
        raise StoredStudyError(
            "the resolved study of the run is not what its digest says: it was changed, or written "
            "by another version; run the study again"
        )
    return inputs


def revive(kind: Any, plain: Any) -> Any:
    """Return a value of a type from JSON's own types, the inverse of `plain_values`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return None if plain is None else revive(inner, plain)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{one.name: revive(hints[one.name], plain[one.name]) for one in fields(kind)})
    if origin is tuple:
        repeated = arguments[-1] is Ellipsis
        kinds = [arguments[0]] * len(plain) if repeated else list(arguments)
        return tuple(revive(one, item) for one, item in zip(kinds, plain, strict=True))
    if origin is not None:  # a mapping by name
        return {key: revive(arguments[1], item) for key, item in plain.items()}
    if kind is float:
        return float("nan") if plain is None else plain  # whole numbers stay as they are
    return kind(plain) if isinstance(kind, type) and issubclass(kind, IntEnum) else plain
