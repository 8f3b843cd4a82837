"""The sweep file: a base study, what varies, and how points are laid out."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from simulator.config.schema import Model, term
from simulator.config.values import Quantity, Text

__all__ = ["DESIGNS", "SWEEP_SCHEMA", "Method", "SweepFile"]

SWEEP_SCHEMA: Final = "neobox.sweep/1"

Method = Literal["grid", "zip", "list", "random", "latin_hypercube", "sobol"]
DESIGNS: Final = ("random", "latin_hypercube", "sobol")
"""Methods that draw points from laws."""

Count = Annotated[int, Quantity("points", 1, 100_000, "writing 64", whole=True)]
Paths = Annotated[int, Quantity("paths", 1, 1_000_000_000, "writing 10000", whole=True)]
Seed = Annotated[
    int,
    Quantity("whole number", 0, 2**53, "writing a whole number that is not negative", whole=True),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


class SweepFile(Model):
    """A sweep."""

    schema_: Literal["neobox.sweep/1"] = term("version of this format", alias="schema")
    name: Name | None = term("folder of its tables; the name of the file by default", "", None)
    description: Text = term("what the sweep is for", "", "")
    base: str = term("study file, relative to this file")
    method: Method = term(
        "grid (all combinations), zip (first with first, ...), list (the scenarios alone), or"
        " random, latin_hypercube, sobol (points drawn from laws)",
        "",
        "grid",
    )
    axes: dict[str, Any] = term(
        "by dotted key of the study: a list of values; {from, to, num} of grid and zip; {from, to}"
        " or a law of the methods that draw",
        "",
        {},
    )
    scenarios: dict[str, Any] = term(
        "by name: overlay file, or values by dotted key; crossed with the axes", "", {}
    )
    set: dict[str, Any] = term("values by dotted key that all points share", "", {})
    points: Count | None = term("number of points that are drawn", "points", None)
    design_seed: Seed = term("of the draw of points", "", 1)
    random_numbers: Literal["common", "independent"] = term(
        "whether all points stand on the same paths of chance, so that differences are sharp",
        "",
        "common",
    )
    paths: Paths = term("paths of each point", "paths", 10_000)
    seed: Seed = term("of the paths", "", 1)
