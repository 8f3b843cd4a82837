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
    "HALL",
    "IF_ANY",
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
HALL: Final = "hall"
PARAMETER: Final = "parameter"
NOTE: Final = "note"
STRUCTURE: Final = "structure"
OVERLAY: Final = "overlay"

ENTITIES: Final = (
    *(FACILITY, TRANCHE, BOX, SPONSOR, COUNTERPARTY, GENERATION, HALL, PARAMETER),
    *(NOTE, STRUCTURE, OVERLAY),
)
"""Dimensions that run over the ids of a book, in canonical order."""

IF_ANY: Final = (HALL, PARAMETER, NOTE, STRUCTURE, OVERLAY)
"""Those that a run lacks if there is nothing to run over: no halls, no uncertain parameters."""

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
    HALL: "kind of data-centre hall",
    PARAMETER: "uncertain parameter",
    NOTE: "note of a structure, or tranche of a pool",
    STRUCTURE: "structure over a pool of loans",
    OVERLAY: "insurance or floor",
}
