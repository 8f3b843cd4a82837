"""Cash expected from a box on today's market, contracts and reference decay (§11)."""

from __future__ import annotations

import math

from tests.reference.collateral import (
    box_utilisation,
    cash_floor,
    colo_growth,
    cost_exchange,
    pays_for_power,
    power_price,
    price_decay,
)
from tests.reference.debt import expected_acceptance
from tests.reference.leases import price_multiplier
from tests.reference.market import HOURS
from tests.reference.state import AssetState, BoxState, Status, World


def power_cost(world: World, box: BoxState, asset: AssetState, t: int) -> float:
    """gpus·kw·pue·730·price/10⁹, USD m a month."""
    if not pays_for_power(box):
        return 0.0
    kw, gpus = asset.generation.kw, asset.terms.gpus
    price = power_price(world, box, asset, t) * cost_exchange(world, box, t)
    return gpus * kw * world.p["gpu.pue"] * HOURS * price / 1e9


def colo_cost(world: World, box: BoxState, asset: AssetState, t: int) -> float:
    kw, gpus = asset.generation.kw, asset.terms.gpus
    dollars = box.terms.colo_usd_per_kw_month * cost_exchange(world, box, t)
    return dollars * kw * gpus / 1e6 * colo_growth(t)


def operations_cost(world: World, box: BoxState, asset: AssetState, t: int) -> float:
    dollars = asset.terms.cost * cost_exchange(world, box, t)
    return box.terms.operations_share * dollars / 12.0


def asset_projection(
    world: World, box: BoxState, asset: AssetState, t: int, months: int
) -> list[float]:
    """Projected cash of one asset, months t+1..t+months."""
    if asset.status in (Status.GONE, Status.CANCELLED):
        return [0.0] * months
    is_coming = asset.status in (Status.PENDING, Status.COMMISSIONING)
    start = max(0, expected_acceptance(world, asset) - t) if is_coming else 0
    is_leased = asset.status in (Status.CONTRACTED, Status.BACKSTOPPED) or (
        is_coming and asset.contract is not None and not asset.is_void
    )
    contract_end = start + asset.remaining if is_leased else start
    power = power_cost(world, box, asset, t)
    rest = colo_cost(world, box, asset, t) + operations_cost(world, box, asset, t)
    contract_costs = 0.0 if box.terms.triple_net else power + rest
    floor = cash_floor(world, box, asset, t)
    market = world.market.contract_price if asset.contract else world.market.spot_price
    earning = asset.k * market[asset.generation.name][t]
    earning *= box_utilisation(world, box, t)
    decay = price_decay(world, asset.generation) / 12.0
    accepted = t + start if asset.accepted is None else asset.accepted
    life = box.terms.useful_life_months
    cash = []
    for s in range(1, months + 1):
        age = s - start if is_coming else asset.age(t) + s
        if s <= start or (life > 0 and age > life):
            cash.append(0.0)
        elif s <= contract_end:
            invoice = asset.price * asset.unit * price_multiplier(asset, t + s, accepted)
            cash.append(invoice - contract_costs)
        else:
            price = earning * math.exp(decay * s)
            cash.append(-rest if price < floor else price * asset.unit - power - rest)
    return cash


def projected_cfads(world: World, box: BoxState, t: int, months: int) -> list[float]:
    """CFADS(s), s = 1..months; element 0 is s = 1."""
    by_asset = [asset_projection(world, box, asset, t, months) for asset in box.assets]
    return [sum(flows) for flows in zip(*by_asset, strict=True)] if by_asset else [0.0] * months
