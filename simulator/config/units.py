"""In which unit a box is written and told: GPUs by the hour, halls by the kW and month.

The engine knows one unit, the GPU, paid for by the hour. A hall of a data centre is let by the kW
of IT: its kW take the place of GPUs, its monthly rent over 730 hours that of a price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulator.config.terms import Generation

HOURS_PER_MONTH: Final = 730
KW_PER_MW: Final = 1000
LAST_YEAR: Final = 6
"""Last year of a resale curve."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a box holds and how it is paid for.

    Parameters
    ----------
    name, many
        One of what it holds, and several.
    size_column, size
        Column of the tape, and how many of it make one of that column.
    price_column, price, hours, time
        Column of the tape, its unit in words, and the hours that it pays for.
    lowest, highest
        Range in which a price makes sense.
    when_new
        Rule that gives the price of one when it is new.
    """

    name: str
    many: str
    size_column: str
    size: float
    price_column: str
    price: str
    hours: float
    time: str
    lowest: float
    highest: float
    when_new: str


GPU: Final = Unit(
    name="GPU",
    many="GPUs",
    size_column="gpus",
    size=1.0,
    price_column="price_usd_per_gpu_hour",
    price="USD/GPU-hour",
    hours=1.0,
    time="an hour",
    lowest=0.05,
    highest=50.0,
    when_new="gpu.capex",
)
HALL: Final = Unit(
    name="kW",
    many="kW",
    size_column="mw",
    size=KW_PER_MW,
    price_column="rent_usd_per_kw_month",
    price="USD/kW-month",
    hours=HOURS_PER_MONTH,
    time="a kW-month",
    lowest=5.0,
    highest=2000.0,
    when_new="capex of the hall",
)


def unit_of(generation: Generation) -> Unit:
    """Return the unit in which boxes of a generation are told."""
    return HALL if generation.is_hall else GPU
