"""Random choices, from a `random.Random` or from hypothesis."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Chooser:
    """Random choices from a `random.Random` or from hypothesis."""

    def __init__(self, source: random.Random | Callable[[Any], Any]) -> None:
        self.source = source

    @classmethod
    def of_seed(cls, seed: int) -> Chooser:
        """Choices that depend on a number alone."""
        return cls(random.Random(seed))

    def integer(self, low: int, high: int) -> int:
        if isinstance(self.source, random.Random):
            return self.source.randint(low, high)
        return self.source(st.integers(low, high))

    def real(self, low: float, high: float) -> float:
        """A number with few digits, so that failures read well."""
        steps = 1000
        return low + (high - low) * self.integer(0, steps) / steps

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def chance(self, probability: float) -> bool:
        """True with a probability; a shrinking search goes to False."""
        return self.integer(0, 99) >= 100 - round(100 * probability)
