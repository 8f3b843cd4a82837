"""Running costs and debt service of a box as they were expected at t0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.config.derive.market import (
    COLO_GROWTH,
    HOURS_PER_YEAR,
    UPTIME,
    Market,
    mean_growth,
)
from simulator.config.tape import AssetRow, BoxRow, DebtRow
from simulator.config.values import YearMonth, filled


@dataclass(frozen=True, slots=True)
class Economics:
    """A box per GPU-hour.

    Parameters
    ----------
    cost
        Expected running cost, mean over the life of the debt.
    debt_service
        Level debt service of the commitments.
    availability
        Hours at work, of all hours.
    target
        Cover that prices are solved for.
    """

    cost: float
    debt_service: float
    availability: float
    target: float

    def price(self, prepaid: float) -> float:
        """Return the price at which contracted cash covers debt service by the target."""
        cash = self.cost + self.target * self.debt_service
        return cash / (self.availability * max(0.05, 1 - prepaid))

    def cover(self, price: float, prepaid: float) -> float:
        """Return contracted cash over level debt service at a price."""
        if self.debt_service <= 0:
            return float("inf")
        return (price * self.availability * (1 - prepaid) - self.cost) / self.debt_service


def economics_of(
    box: BoxRow, tranches: Sequence[DebtRow], assets: Sequence[AssetRow], market: Market
) -> Economics:
    """Return what a GPU-hour of a box costs, owes and must cover.

    Parameters
    ----------
    box
        The box.
    tranches
        Its tranches, with terms.
    assets
        Its assets, with GPUs, cost and sites.
    market
        Expected parameters.
    """
    expected = market.expected
    gpus = sum(filled(asset.gpus) for asset in assets)
    debt = sum(filled(row.commitment_usd_m) for row in tranches)
    target = sum(filled(row.sculpt_dscr) * filled(row.commitment_usd_m) for row in tranches)
    last = max(filled(row.maturity) for row in tranches)
    service = sum(_level_service(row) for row in tranches)
    return Economics(
        cost=0.0 if box.triple_net else _cost(box, assets, market, last),
        debt_service=service * 1e6 / (gpus * HOURS_PER_YEAR),
        availability=UPTIME * (1 - expected["pow.curtail"]),
        target=target / debt,
    )


def _cost(box: BoxRow, assets: Sequence[AssetRow], market: Market, last: YearMonth) -> float:
    """Return power + O&M + colocation in USD per GPU-hour, mean over the life of the debt."""
    expected, kw = market.expected, market.planned[box.generation].kw
    years = max(1, market.month(last)) / 12
    gpus = sum(filled(asset.gpus) for asset in assets)
    factor = sum(filled(asset.gpus) * _power_factor(asset, market) for asset in assets) / gpus
    price = expected["pow.p0"] * factor * mean_growth(expected["pow.trend"], years)
    power = kw * expected["gpu.pue"] * price / 1000
    share = expected["gpu.om"] if box.operations_share is None else box.operations_share
    capex = sum(filled(asset.cost_usd_m) for asset in assets) * 1e6 / gpus
    rent = expected["pow.colo"] if box.colo_usd_per_kw_month is None else box.colo_usd_per_kw_month
    colo = rent * kw * 12 / HOURS_PER_YEAR * mean_growth(COLO_GROWTH, years)
    return power + share * capex / HOURS_PER_YEAR + colo


def _power_factor(asset: AssetRow, market: Market) -> float:
    site = market.study.sites.get(filled(asset.site))
    return site.power_factor if site else 1.0


def _level_service(row: DebtRow) -> float:
    """Return the yearly annuity of a commitment from draw end to maturity, USD m."""
    months = max(1, filled(row.maturity) - filled(row.draw_end))
    if row.fixed_rate is not None:
        rate = row.fixed_rate
    else:
        rate = max(filled(row.floor), filled(row.swap_rate)) + filled(row.margin_bp) / 1e4
    monthly = rate / 12
    if abs(monthly) < 1e-12:
        return 12 * filled(row.commitment_usd_m) / months
    return 12 * filled(row.commitment_usd_m) * monthly / -math.expm1(-months * math.log1p(monthly))
