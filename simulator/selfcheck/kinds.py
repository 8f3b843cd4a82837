"""What a kind of case is: how it is told, what it is handed, what it gives back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from simulator.selfcheck.months import Result

__all__ = ["HIGHEST", "PATHS", "Draws", "Kind", "exact", "outside", "sampled"]

HIGHEST: Final = 4.0
"""Standard errors that an estimate may lie from what is expected."""

PATHS: Final = 100_000
"""Paths of a case with random numbers, unless told otherwise."""


@dataclass(frozen=True)
class Draws:
    """What a case with random numbers is handed besides its parameters.

    Attributes
    ----------
    seed : int
        Of all its random streams.
    paths : int
        How many; a case that is cheap (or costly) by path may take more (or fewer).
    asked : tuple of str
        Paths of the numbers it is asked for (``VaR/0.99``): levels, thresholds and tranches stand
        there and nowhere else. What these numbers should be it is not told.
    folder : Path
        Where tables that its parameters name stand.
    words : mapping of str to str
        What a case expects in words, by path: counters and keys of a generator stand there. What
        a kind gives in words is compared with them, so that it must read none of its answers.
    """

    seed: int = 1
    paths: int = PATHS
    asked: tuple[str, ...] = ()
    folder: Path = Path()
    words: Mapping[str, str] = field(default_factory=dict)

    def fewer(self, by: int) -> Draws:
        """Return the same with fewer paths, for a case that is costly by path."""
        return replace(self, paths=max(1, self.paths // by))

    def under(self, name: str) -> list[str]:
        """Return the levels at which a figure is asked for: the part of a path after its name."""
        begin = f"{name}/"
        levels = (path[len(begin) :].split("/")[0] for path in self.asked if path.startswith(begin))
        return list(dict.fromkeys(levels))

    def of(self, name: str) -> Draws:
        """Return the same with a seed of its own for a case, or a part of one."""
        digest = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=7).digest()
        return replace(self, seed=int.from_bytes(digest))


@dataclass(frozen=True)
class Kind:
    """A kind of case.

    Attributes
    ----------
    keys : frozenset of str
        Parameters that tell it from others.
    asks : str
        Regular expression that one of the numbers asked for must match, where parameters do not
        tell enough.
    run : callable, optional
        From parameters (and `Draws`, if `is_sampled`) to a `Result`.
    is_sampled : bool
        Whether it has random numbers in it.
    reason : str
        Why cases of this kind are not run, if they are not.
    """

    keys: frozenset[str]
    asks: str = ""
    run: Callable[..., Result] | None = None
    is_sampled: bool = False
    reason: str = ""

    def fits(self, params: Mapping[str, Any], asked: Iterable[str] = ()) -> bool:
        """Return whether a case can be of this kind."""
        if not self.keys <= params.keys():
            return False
        return not self.asks or any(re.search(self.asks, path) for path in asked)

    @property
    def detail(self) -> int:
        """How much it takes to be of this kind: the most particular kind is tried first."""
        return 2 * len(self.keys) + bool(self.asks)

    def result(self, params: Mapping[str, Any], draws: Draws) -> Result:
        """Run a case."""
        if self.run is None:
            raise ValueError(self.reason)
        return self.run(params, draws) if self.is_sampled else self.run(params)


def exact(run: Callable[..., Result], *keys: str, asks: str = "") -> Kind:
    """Return a kind of case without random numbers."""
    return Kind(frozenset(keys), asks, run)


def sampled(run: Callable[..., Result], *keys: str, asks: str = "") -> Kind:
    """Return a kind of case whose numbers are estimates."""
    return Kind(frozenset(keys), asks, run, is_sampled=True)


def outside(reason: str, *keys: str, asks: str = "") -> Kind:
    """Return a kind of case that the model has no use for, and why."""
    return Kind(frozenset(keys), asks, reason=reason)
