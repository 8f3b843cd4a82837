"""Parameters from data that a user supplies: what a series says, and how little.

=============  =======================================  ==============================
function       data                                     parameters
=============  =======================================  ==============================
`prices`       GPU rental prices, monthly or daily      `gpu.spot_*` or `gpu.ctr_*`
`memory`       an index of memory prices, monthly       `mem.dur_*`, `mem.mu`, ...
`rates`        SOFR, monthly or daily                   `ir.*`
`hazards`      default rates by rating, cumulative      a ratings table
=============  =======================================  ==============================

(each by ``calibrate_<name>``). Every estimate carries a standard error and an interval, and says
whether the data pin it down. Methods: docs/calibration.md.

Examples
--------
>>> from simulator.calibration import calibrate_prices
>>> print(calibrate_prices("prices.csv", "H100"))  # doctest: +SKIP
"""

from __future__ import annotations

from simulator.calibration.estimates import Estimated
from simulator.calibration.hazards import HazardCalibration, calibrate_hazards
from simulator.calibration.memory import MemoryCalibration, calibrate_memory
from simulator.calibration.prices import PriceCalibration, calibrate_prices
from simulator.calibration.rates import RateCalibration, calibrate_rates
from simulator.calibration.result import Calibration

__all__ = [
    "Calibration",
    "Estimated",
    "HazardCalibration",
    "MemoryCalibration",
    "PriceCalibration",
    "RateCalibration",
    "calibrate_hazards",
    "calibrate_memory",
    "calibrate_prices",
    "calibrate_rates",
]
