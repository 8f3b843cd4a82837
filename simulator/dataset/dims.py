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
    "PARAMETER",
    "PATH",
    "QUANTILE",
    "SPONSOR",
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

ENTITIES: Final = (FACILITY, TRANCHE, BOX, SPONSOR, COUNTERPARTY, GENERATION, PARAMETER, NOTE)
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
}
