"""What a box can see of the world this month, gathered once so that calls stay short."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.costs import CostParams
from simulator.box.deliveries import DeliveryParams, DeliveryState
from simulator.credit.leases import LeaseParams, LeaseState
from simulator.drivers.collateral import CollateralParams


class MarketView(NamedTuple):
    """Leases and deliveries of the book and the prices of the month."""

    leases: LeaseParams
    lease_state: LeaseState
    deliveries: DeliveryParams
    delivery_state: DeliveryState
    costs: CostParams
    collateral: CollateralParams
    availability: NDArray[np.float64]  # (asset, lane)
    floors: NDArray[np.float64]  # (asset, lane), USD per GPU-hour
    market_power: NDArray[np.float64]  # (lane,), USD per MWh
    exchange: NDArray[np.float64]  # (currency, lane)
    contract_prices: NDArray[np.float64]  # (generation, lane)
    spot_prices: NDArray[np.float64]
    log_development: NDArray[np.float64]
    overhang: NDArray[np.float64]
    hits: NDArray[np.float64]  # (jurisdiction, lane)
    depth: NDArray[np.float64]  # (generation, lane), share of the base sold this month
    tightness: NDArray[np.float64]  # (lane,)
    sofr: NDArray[np.float64]
    log_spread: NDArray[np.float64]
    shut: NDArray[np.float64]
    ai_factor: NDArray[np.float64]  # C*
    values: NDArray[np.float64]  # (lane,), scratch
    outlook: NDArray[np.float64]  # (months ahead, box, lane), expected CFADS, USD m
    looked: NDArray[np.int64]  # (2, box, pack), month in which, and how far one has looked ahead
