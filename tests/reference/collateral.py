"""Cash floors, power prices and the value of a GPU (§8, §9)."""

from __future__ import annotations

import math

from simulator.config.terms import Generation
from tests.reference.market import HOURS
from tests.reference.state import AssetState, BoxState, Status, World


def term_factor(world: World, generation: Generation, months: float) -> float:
    """T(τ): linear between 1, 3 and 5 years, flat outside, 1 at one year; 1 for halls."""
    if generation.is_hall:
        return 1.0
    p = world.p
    one, three, five = (p[f"gpu.term_disc.{y}"] for y in ("1y", "3y", "5y"))
    years = months / 12.0
    if years <= 1.0:
        value = one
    elif years <= 3.0:
        value = one + (three - one) * (years - 1.0) / 2.0
    elif years <= 5.0:
        value = three + (five - three) * (years - 3.0) / 2.0
    else:
        value = five
    return value / one


def price_decay(world: World, generation: Generation) -> float:
    """Reference decay of prices, log per year: own drift, or gpu.delta − 0.75·gpu.gen_step."""
    if generation.price_drift is not None:
        return generation.price_drift
    return world.p["gpu.delta"] - 0.75 * world.p["gpu.gen_step"]


def pays_for_power(box: BoxState) -> bool:
    """The tenant of a triple-net hall pays its power; empty it draws none."""
    return not (box.generation.is_hall and box.terms.triple_net)


def power_price(world: World, box: BoxState, asset: AssetState, t: int) -> float:
    """USD/MWh that a box pays at the site of an asset in month t."""
    hedged = box.terms.power_hedged
    expected = expected_power_price(world, asset, t)
    return expected * (hedged + (1.0 - hedged) * math.exp(world.market.W[t]))


def expected_power_price(world: World, asset: AssetState, t: int) -> float:
    p = world.p
    return asset.site.terms.power_factor * p["pow.p0"] * math.exp(p["pow.trend"] * t / 12.0)


def cost_exchange(world: World, box: BoxState, t: int) -> float:
    """Dollars of today for a dollar of t0, in the currency of a box's costs."""
    return world.market.exchange[box.terms.cost_currency][t]


def colo_growth(t: int) -> float:
    return math.exp(0.04 * t / 12.0)


def cash_floor(world: World, box: BoxState, asset: AssetState, t: int) -> float:
    """USD per GPU-hour below which running a GPU loses cash."""
    kw = asset.generation.kw
    power = 0.0
    if pays_for_power(box):
        power = power_price(world, box, asset, t) * world.p["gpu.pue"] * kw / 1000.0
    cost_per_gpu = asset.terms.cost * 1e6 / asset.terms.gpus
    operations = box.terms.operations_share * cost_per_gpu / 8760.0
    colo = box.terms.colo_usd_per_kw_month * colo_growth(t) * kw / HOURS
    return (power + operations + colo) * cost_exchange(world, box, t)


def box_utilisation(world: World, box: BoxState, t: int) -> float:
    return world.market.utilisation(box.pool_utilisation, t)


def resale_curve(world: World, generation: Generation, months: float) -> float:
    """Share of the price when new: 1 at 0, years 1 to 6, geometric after."""
    years = generation.resale_curve or [
        world.p[f"gpu.resale_curve.y{year}"] for year in range(1, 7)
    ]
    points = [1.0, *years]
    if months >= 72.0:
        return points[6] * generation.resale_after ** ((months - 72.0) / 12.0)
    year = int(months // 12)
    weight = months / 12.0 - year
    return points[year] + weight * (points[year + 1] - points[year])


def market_value(world: World, asset: AssetState, age: float, t: int) -> float:
    """V_mkt, USD."""
    market, p = world.market, world.p
    g = asset.generation
    hit = 0.0 if g.is_hall else market.resale_hit[asset.site.terms.jurisdiction]
    dev = market.dev[g.name][t]
    beta = p["gpu.resale_beta"] if g.resale_beta is None else g.resale_beta
    factor = (
        resale_curve(world, g, age)
        * (1.0 - hit)
        * dev**beta
        * (1.0 - 0.5 * market.overhang[g.name])
    )
    return g.hardware_share * g.capex_usd * max(0.02, factor)


def income_value(world: World, box: BoxState, asset: AssetState, price: float, t: int) -> float:
    """V_inc = Σ_{s=1..n} max(0, P·e^(d·s/12)·U − floor)·730·(1+rate)^(−s/12), USD.

    n = 84 months and rate = col.rate unless the generation has its own.
    """
    earning = price * box_utilisation(world, box, t)
    floor = cash_floor(world, box, asset, t)
    g = asset.generation
    decay = math.exp(price_decay(world, g) / 12.0)
    rate = world.p["col.rate"] if g.income_rate is None else g.income_rate
    v = (1.0 + rate) ** (-1.0 / 12.0)
    total = 0.0
    growth = discount = 1.0
    for _ in range(g.income_months):
        growth *= decay
        discount *= v
        margin = earning * growth - floor
        if margin > 0.0:
            total += margin * discount
    return total * HOURS


def value(world: World, box: BoxState, asset: AssetState, t: int, ahead: int = 0) -> float:
    """Orderly value of one GPU in USD, `ahead` months from t on at reference decay."""
    age = asset.age(t) + ahead
    life = box.terms.useful_life_months
    if life > 0 and age >= life:
        return 0.0
    price = world.market.contract_price[asset.generation.name][t]
    price *= math.exp(price_decay(world, asset.generation) * ahead / 12.0)
    return min(market_value(world, asset, age, t), income_value(world, box, asset, price, t))


def is_collateral(asset: AssetState) -> bool:
    return asset.is_delivered() and asset.status not in (Status.GONE, Status.CANCELLED)


def collateral(world: World, box: BoxState, t: int) -> float:
    """ΣV·gpus, USD m."""
    return sum(
        value(world, box, asset, t) * asset.terms.gpus / 1e6
        for asset in box.assets
        if is_collateral(asset)
    )


def sale_factor(world: World, haircut: float, share_sold: float) -> float:
    """net / V = max(0.1, 1 − H − 2·f_g)·(1 − gpu.remarket_cost)."""
    return max(0.1, 1.0 - haircut - 2.0 * share_sold) * (1.0 - world.p["gpu.remarket_cost"])


def expected_net(world: World, box: BoxState, t: int) -> float:
    """Expected net proceeds of a sale: mean haircut, nobody else selling. USD m."""
    return box.month.collateral * sale_factor(world, world.p["gpu.fire_haircut"], 0.0)
