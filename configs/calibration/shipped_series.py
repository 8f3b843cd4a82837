"""Print the table of docs/calibration.md, "What the shipped series say".

python configs/calibration/shipped_series.py     # paste what it prints over the table
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from simulator.calibration import Estimated, PriceCalibration, calibrate_prices
from simulator.calibration.estimates import digits

SERIES = Path(__file__).parent / "series"
COLUMNS = {
    "gpu_list_prices.csv": ("H100", "A100"),
    "gpu_index_daily.csv": ("H100_neocloud", "H100_marketplace", "H100_spot"),
}
HEAD = (
    "| column | values | κ per year | 95% | σ | 95% | trend a year | 95% | pinned down | jumps |\n"
    "|---|---:|---:|---|---:|---|---:|---|---|---|"
)


def rows() -> Iterator[str]:
    """Yield a line for each column that moves."""
    for file, columns in COLUMNS.items():
        for column in columns:
            yield row(calibrate_prices(SERIES / file, column))


def row(found: PriceCalibration) -> str:
    """Return the line of one column."""
    numbers = [cell for one in found.estimates[:3] for cell in (estimate(one), interval(one))]
    firm = [one.id.removeprefix("gpu.") for one in found.estimates[:3] if one.pinned_down]
    jumps = "too short" if found.jumps is None else f"p = {digits(found.jumps.p_value, 2)}"
    first, last = found.series.dates[0], found.series.dates[-1]
    cells = [
        f"`{found.series.column}`",
        f"{found.observations}, {first} to {last}",
        *numbers,
        ", ".join(f"`{name}`" for name in firm) or "nothing",
        jumps,
    ]
    return f"| {' | '.join(cells)} |"


def estimate(one: Estimated) -> str:
    """Return estimate and standard error, two digits and one."""
    return f"{digits(one.value, 2)} ± {digits(one.se, 1)}"


def interval(one: Estimated) -> str:
    """Return the interval, two digits each."""
    return f"{digits(one.low, 2)} to {digits(one.high, 2)}".replace("inf", "∞")


def table() -> str:
    """Return the table as Markdown."""
    return "\n".join([HEAD, *rows()])


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
