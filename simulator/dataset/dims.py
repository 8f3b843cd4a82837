"""Names of the dimensions of a result, and what each one runs over."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BOX",
    "COUNTERPARTY",
    "DIMENSION_NAMES",
    "ENTITIES",
    "FACILITY",
    "GENERATION",
    "MONTH",
    "NOTE",
    "OVERLAY",
    "PARAMETER",
    "PATH",
    "QUANTILE",
    "SPONSOR",
    "STRUCTURE",
    "TRANCHE",
]

PATH: Final = "path"
MONTH: Final = "month"
QUANTILE: Final = "quantile"
FACILITY: Final = "facility"
TRANCHE: Final = "tranche"
BOX: Final = "box"
SPONSOR: Final = "sponsor"
COUNTERPARTY: Final = "counterparty"
GENERATION: Final = "generation"
PARAMETER: Final = "parameter"
NOTE: Final = "note"
STRUCTURE: Final = "structure"
OVERLAY: Final = "overlay"

ENTITIES: Final = (
    *(FACILITY, TRANCHE, BOX, SPONSOR, COUNTERPARTY, GENERATION, PARAMETER),
    *(NOTE, STRUCTURE, OVERLAY),
)
"""Dimensions that run over the ids of a book, in canonical order."""

DIMENSION_NAMES: Final = {
    PATH: "simulated path",
    MONTH: "months since the end of the start month",
    QUANTILE: "probability level over paths",
    FACILITY: "loan facility",
    TRANCHE: "debt tranche",
    BOX: "ring-fenced vehicle",
    SPONSOR: "sponsor (HoldCo)",
    COUNTERPARTY: "counterparty",
    GENERATION: "GPU generation",
    PARAMETER: "uncertain parameter",
    NOTE: "note of a structure, or tranche of a pool",
    STRUCTURE: "structure over a pool of loans",
    OVERLAY: "insurance or floor",
}
