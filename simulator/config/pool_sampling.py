"""What of the `sampling` block a credit-only study can do; the rest is refused, not ignored."""

from __future__ import annotations

from typing import Final

from simulator.config.errors import NeoboxError
from simulator.config.schema import Sampling

__all__ = ["refuse_sampling"]

METHODS: Final = ("plain", "importance")
MEASURES: Final = ("", "book_lender_loss")


class SamplingError(NeoboxError):
    """A way of drawing paths that a study has no use for."""

    exit_code = 2


def refuse_sampling(chosen: Sampling) -> None:
    """Refuse methods and measures that pools do not have.

    Raises
    ------
    SamplingError
        With what to write in their place.
    """
    if chosen.method not in METHODS:
        raise SamplingError(
            f"sampling.method: expected {' or '.join(METHODS)} for a credit-only study, got"
            f" {chosen.method!r}; mend by writing importance"
        )
    if chosen.method != "plain" and chosen.measure not in MEASURES:
        raise SamplingError(
            f"sampling.measure: expected blank or book_lender_loss, got {chosen.measure!r};"
            " mend by leaving it blank: the loss of the pool"
        )
