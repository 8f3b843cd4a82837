"""Axes of a sweep: their values one by one, or the quantiles of a law for points that are drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from simulator.config.errors import Problems
from simulator.config.loader import Document
from simulator.config.messages import note_errors
from simulator.config.priors import LAWS, law_fault, quantile
from simulator.config.schema import PriorBlock
from simulator.config.sweep_schema import DESIGNS
from simulator.config.terms import Prior

__all__ = ["Axis", "Value", "axes_of", "combined"]

MOST_VALUES: Final = 100_000
DIGITS: Final = 12
"""Significant digits of a value that is computed: 0.3, not 0.30000000000000004."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a key, and where it stands."""

    value: Any
    place: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A key of the study and what it becomes.

    Attributes
    ----------
    key : str
        Dotted key.
    values : tuple of Value
        One by one; empty if values are drawn from a law.
    place : str
        Where the axis stands.
    law : callable, optional
        Value at a probability in (0, 1).
    """

    key: str
    values: tuple[Value, ...]
    place: str
    law: Callable[[float], float] | None = None

    def at(self, u: float) -> Value:
        """Return the value at a probability in [0, 1); values one by one are equally likely."""
        if self.law is None:
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        return Value(rounded(self.law(u)), self.place)


def rounded(value: float) -> float:
    """Return a number without the rounding errors of its last digits.

    Examples
    --------
    >>> rounded(0.1 + 0.2)
    0.3
    """
    return float(f"{value:.{DIGITS}g}")


def axes_of(document: Document, axes: Mapping[str, Any], method: str, out: Problems) -> list[Axis]:
    """Read the axes of a sweep.

    Parameters
    ----------
    document
        The sweep file, for places.
    axes
        As it says them.
    method
        One of `sweep_schema.Method`.
    out
        Takes the problems.

    Returns
    -------
    list of Axis
        Those that are sound, in the order of the file.
    """
    found = (_axis(document, key, said, method, out) for key, said in axes.items())
    return [axis for axis in found if axis is not None]


def _axis(document: Document, key: str, said: Any, method: str, out: Problems) -> Axis | None:
    where = ("axes", key)
    place, path = document.place(where), f"axes.{key}"
    if isinstance(said, list) and said:
        values = (Value(one, document.place((*where, i))) for i, one in enumerate(said))
        return Axis(key, tuple(values), place)
    drawn = method in DESIGNS
    if not isinstance(said, dict):
        mend = "writing [1, 2, 3]" + (" or {from: 0, to: 1}" if drawn else "")
        out.add(place, path, expected="a list of values", got=said, mend=mend)
        return None
    if drawn:
        law = _law(document, where, said, out)
        return None if law is None else Axis(key, (), place, law)
    return _spaced(key, said, place, path, out)


def _spaced(key: str, said: Mapping[str, Any], place: str, path: str, out: Problems) -> Axis | None:
    """Read {from, to, num}: so many values, both ends included."""
    numbers = {name: said.get(name) for name in ("from", "to", "num")}
    count = numbers["num"]
    if (
        set(said) != set(numbers)
        or not (is_number(numbers["from"]) and is_number(numbers["to"]))
        or not (
            isinstance(count, int) and not isinstance(count, bool) and 2 <= count <= MOST_VALUES
        )
    ):
        expected = "a list, or from and to with num values between them, 2 or more"
        out.add(place, path, expected=expected, got=said, mend="writing {from: 0, to: 1, num: 5}")
        return None
    low, high = float(said["from"]), float(said["to"])
    steps = [rounded(low + (high - low) * i / (count - 1)) for i in range(count)]
    return Axis(key, tuple(Value(one, place) for one in steps), place)


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _law(
    document: Document, where: tuple[str, str], said: Mapping[str, Any], out: Problems
) -> Callable[[float], float] | None:
    """Read {from, to}, or a law that from and to may cut."""
    place, path = document.place(where), ".".join(where)
    given = dict(said)
    low, high = given.pop("from", -math.inf), given.pop("to", math.inf)
    bounded = all(isinstance(one, (int, float)) for one in (low, high)) and low < high
    if not bounded or (not given and not (is_number(low) and is_number(high))):
        expected, got = "from below to, or a law", str(dict(said))
        out.add(place, path, expected=expected, got=got, mend="writing {from: 0.1, to: 0.4}")
        return None
    if not given:
        given = {"law": "uniform", "min": low, "max": high}
    try:
        block: PriorBlock = TypeAdapter(PriorBlock).validate_python(given)
    except ValidationError as error:
        note_errors(error, PriorBlock, lambda inner: document.place((*where, *inner)), out)
        return None
    keys = LAWS[block.law]
    values = block.model_dump(exclude={"law"}, exclude_none=True)
    fault = law_fault(block.law, values) if set(values) == set(keys) else None
    if set(values) != set(keys) or fault:
        known = f"{block.law} with {', '.join(keys)}", ", ".join(values) or "none"
        expected, got = fault or known
        out.add(place, path, expected=expected, got=got, mend="giving such a law")
        return None
    first, second, third = [*(values[name] for name in keys), 0.0][:3]
    prior = Prior(path, block.law, first, second, third, float(low), float(high), "")
    return lambda u: float(quantile(prior, u))


def combined(
    axes: Sequence[Axis], method: str, count: int | None, seed: int
) -> list[tuple[Value, ...]]:
    """Lay out the points of axes.

    Parameters
    ----------
    axes
        All of them; for zip of one length.
    method
        One of `sweep_schema.Method`.
    count
        Number of points that are drawn.
    seed
        Of the draw.

    Returns
    -------
    list of tuple of Value
        One value for each axis, by point; one empty point if there are no axes.
    """
    if not axes or method == "list":
        return [()]
    if method == "grid":
        return list(itertools.product(*(axis.values for axis in axes)))
    if method == "zip":
        return list(zip(*(axis.values for axis in axes), strict=True))
    return [
        tuple(axis.at(float(u)) for axis, u in zip(axes, row, strict=True))
        for row in _probabilities(method, len(axes), count or 1, seed)
    ]


def _probabilities(method: str, dimensions: int, count: int, seed: int) -> Any:
    """Return a design (point, axis) of probabilities in (0, 1)."""
    import numpy as np
    from scipy.stats import qmc

    if method == "random":
        design = np.random.Generator(np.random.Philox(seed)).random((count, dimensions))
    elif method == "latin_hypercube":
        design = qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(count)
    else:
        sobol = qmc.Sobol(dimensions, scramble=True, bits=32, rng=np.random.default_rng(seed))
        whole = sobol.random_base2(max(0, math.ceil(math.log2(count))))
        design = whole[:count]
    return np.clip(design, 2.0**-40, 1.0 - 2.0**-40)
