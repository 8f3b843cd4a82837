"""The plan of a run: how many paths, in which chunks, of what, and what makes two runs the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

from simulator.dataset.variables import VARIABLES, Variable

__all__ = ["EXACT_LIMIT", "PILOT", "Chunk", "RunPlan"]

EXACT_LIMIT = 1_000_000
"""Number of paths up to which quantiles by month are exact order statistics."""

PILOT = 65_536
"""Number of first paths that choose the edges of histograms, if there are histograms."""

WEIGHT = "path_weight"
"""Variable of runs whose paths are not drawn plainly."""

WITHOUT_INFLUENCE = frozenset({"chunk", "title", "looks"})
"""Fields of a plan that change no number of the results."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of consecutive paths that is computed and written at once."""

    index: int
    first: int  # path
    count: int  # paths


@dataclass(frozen=True)
class RunPlan:
    """What a run computes.

    Two plans that differ only in `chunk`, `looks` and `title` describe the same run.

    Attributes
    ----------
    paths : int
        Number of paths, at least 1.
    chunk : int
        Paths per chunk; the last one may be shorter.
    seed : int
        Seed of all random streams.
    horizon : int
        Months.
    start : str
        Start month "YYYY-MM"; month 1 of a result is the one after it.
    digest : str
        Hash of the resolved inputs.
    ids : mapping of str to tuple of str
        For each entity dimension its ids, in canonical order.
    labels : mapping of str to (dimension, values)
        Further coordinates along entity dimensions, e.g. ``box_sponsor``.
    versions : mapping of str to str
        Of the packages and sources that made the numbers.
    variables : tuple of str
        Names of the variables to store.
    keep_paths : bool
        Whether every path of every series is kept, not only quantiles.
    exact_limit : int
        Number of paths up to which quantiles are exact.
    title : str
        Name of the study.
    paths_per_draw : int
        Paths that share a draw of uncertain parameters, or are spread evenly with each other by
        quasi-random or stratified sampling; 1 if paths are independent.
    sampling : mapping
        How paths are drawn, by the keys of `config.schema.Sampling`; empty if plainly.
    looks : tuple of int
        Numbers of paths at which the run may stop or go on: no chunk spans one. None if the number
        of paths is fixed.
    """

    paths: int
    chunk: int
    seed: int
    horizon: int
    start: str
    digest: str
    ids: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, tuple[str, tuple[Any, ...]]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = tuple(VARIABLES)
    keep_paths: bool = False
    exact_limit: int = EXACT_LIMIT
    title: str = ""
    paths_per_draw: int = 1
    sampling: Mapping[str, Any] = field(default_factory=dict)
    looks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse sizes and names that cannot be."""
        for name in ("paths", "chunk", "horizon", "exact_limit"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        unknown = [name for name in self.variables if name not in VARIABLES]
        if unknown:
            raise ValueError(f"unknown variables: {', '.join(unknown)}")

    @property
    def scalars(self) -> tuple[Variable, ...]:
        """Variables with one number per path, in table order."""
        return self._chosen("scalar")

    @property
    def series(self) -> tuple[Variable, ...]:
        """Variables with one number per path and month, in table order."""
        return self._chosen("series")

    def _chosen(self, kind: str) -> tuple[Variable, ...]:
        return tuple(
            variable
            for name, variable in VARIABLES.items()
            if variable.kind == kind
            and name in self.variables
            and (variable.needs is None or variable.needs in self.ids)
            and (variable.name != WEIGHT or self.sampling.get("method") == "importance")
        )

    def entities(self, variable: Variable) -> tuple[int, ...]:
        """Return the length of the entity dimension of a variable, as a shape."""
        return (len(self.ids.get(variable.entity, ())),) if variable.entity else ()

    def chunks(self) -> Iterator[Chunk]:
        """Yield all chunks in order of paths."""
        ends = sorted({look for look in self.looks if look < self.paths} | {self.paths})
        cuts = [
            (first, min(first + self.chunk, end))
            for start, end in pairwise([0, *ends])
            for first in range(start, end, self.chunk)
        ]
        for index, (first, end) in enumerate(cuts):
            yield Chunk(index, first, end - first)

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        return sum(1 for _ in self.chunks())

    @property
    def pilot(self) -> int:
        """Number of first paths that choose the edges of histograms."""
        return min(self.paths, self.exact_limit, PILOT)

    def identity(self) -> dict[str, Any]:
        """Return all that shapes the results, in JSON's own types."""
        return {
            name: value for name, value in self.to_json().items() if name not in WITHOUT_INFLUENCE
        }

    @property
    def key(self) -> str:
        """Hash of the plan, chunks included: it ties a manifest to its run.

        A run that may go on keeps its key as it does: its chunks stay what they are.
        """
        values = self.to_json()
        if self.looks:
            del values["paths"]
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def differences(self, asked: RunPlan) -> list[str]:
        """Name what keeps this plan and another from being the same run.

        Parameters
        ----------
        asked : RunPlan
            The other plan.

        Returns
        -------
        list of str
            "seed: 1 there, 2 asked"; empty if the results are the same.
        """
        here, there = flatten(self.identity()), flatten(asked.identity())
        return [
            f"{name}: {abbreviate(here.get(name))} there, {abbreviate(there.get(name))} asked"
            for name in {**here, **there}
            if here.get(name) != there.get(name)
            and not (name == "keep_paths" and self.keep_paths)  # more is no difference
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the plan in JSON's own types."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("ids", "labels", "versions", "sampling"):
            values[name] = dict(values[name])
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> RunPlan:
        """Read a plan back.

        Parameters
        ----------
        plain : mapping
            What `to_json` returned.

        Returns
        -------
        RunPlan
            An equal plan.
        """
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in plain.items() if name in known}
        values["ids"] = {dim: tuple(ids) for dim, ids in plain["ids"].items()}
        values["labels"] = {
            name: (dim, tuple(entries)) for name, (dim, entries) in plain["labels"].items()
        }
        values["variables"] = tuple(plain["variables"])
        values["looks"] = tuple(plain.get("looks", ()))
        return cls(**values)


def flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested mappings as one, with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{key}": inner for key, inner in flatten(value).items()})
        else:
            flat[name] = value
    return flat


def abbreviate(value: object) -> str:
    """Return a value as text short enough for a message."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
