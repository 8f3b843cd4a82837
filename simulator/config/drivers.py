"""The switches of a study and the parameters that belong to each of them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from simulator.config.values import Flag


def _switch(description: str, *, on: bool = True) -> Any:
    return Field(on, description=description, json_schema_extra={"unit": ""})


class Drivers(BaseModel):
    """One switch for each risk driver; a driver that is off contributes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Flag = _switch("tariffs, export controls, resale bans, site permits")
    demand: Flag = _switch("growth noise, air pockets and price response of compute demand")
    efficiency: Flag = _switch("efficiency breakthroughs with rebound")
    silicon: Flag = _switch("noise of the share served by custom silicon")
    captive: Flag = _switch("captive capacity offered to the market when demand is weak")
    memory: Flag = _switch("memory cycle: capex, delays, rents")
    supply: Flag = _switch("orders, completion and retirement of capacity")
    generations: Flag = _switch("random dates and sizes of new generations")
    price_noise: Flag = _switch("noise of prices by generation")
    power: Flag = _switch("noise of the power price")
    delivery: Flag = _switch("site delays and capex overruns")
    rates: Flag = _switch("noise of SOFR")
    currencies: Flag = _switch("exchange rates of contracts and costs not in dollars")
    spreads: Flag = _switch("noise of credit spreads")
    counterparty_default: Flag = _switch("defaults of customers and backstops")
    compensator: Flag = _switch("correction that keeps default curves whatever the stress")
    integration: Flag = _switch("hyperscalers taking rented work in house")
    renegotiation: Flag = _switch("customers renegotiating without default")
    collateral: Flag = _switch("recoveries from GPU values (off: drawn from a law)")
    sponsor: Flag = _switch("HoldCo liquidity, support and default")
    structural_link: Flag = _switch("reduced correlations where the model links drivers itself")
    priors: Flag = _switch("uncertainty of judged hazards, one draw per path")
    easing: Flag = _switch("all constraints easing in one month", on=False)
    lender_consent: Flag = _switch("lenders refusing concessions that their cover cannot bear")
    amendments: Flag = _switch("lenders waiving defaults for a fee if covered", on=False)


FIXED_BY_PATH = (
    "policy",
    "demand",
    "efficiency",
    "silicon",
    "captive",
    "memory",
    "supply",
    "generations",
    "price_noise",
    "power",
    "rates",
    "currencies",
    "spreads",
    "compensator",
    "easing",
)
"""Switches that a stress case with a given market path turns off."""

DRIVER_PREFIXES: dict[str, tuple[str, ...]] = {
    "policy": ("reg",),
    "demand": ("dem",),
    "efficiency": ("eff",),
    "silicon": ("sup.asic_share", "sup.asic_noise"),
    "captive": ("sup.captive_release", "sup.merchant_share"),
    "memory": ("mem",),
    "supply": ("sup",),
    "generations": ("gpu.gen_step", "gpu.delta"),
    "price_noise": ("gpu.spot_kappa", "gpu.spot_sigma", "gpu.ctr_kappa", "gpu.ctr_sigma"),
    "power": ("pow",),
    "delivery": ("del",),
    "rates": ("ir",),
    "currencies": ("fx",),
    "spreads": ("cs",),
    "counterparty_default": ("cp.pd_curve", "cp.pd_ai_lab", "cp.rho", "cp.rho_macro", "cp.beta"),
    "integration": ("sup.vi_lambda", "sup.vi_demand"),
    "renegotiation": (
        "cp.reneg_h0_ig",
        "cp.reneg_h0_nig",
        "cp.reneg_slope",
        "cp.reneg_concession",
    ),
    "collateral": (
        "gpu.resale_curve",
        "gpu.resale_beta",
        "gpu.fire_haircut",
        "gpu.remarket_cost",
        "col",
        "wo",
    ),
    "sponsor": ("hold",),
    "easing": ("ease",),
    "lender_consent": ("cp.consent_dscr",),
    "amendments": ("box.waivers", "box.waiver_fee", "box.waiver_months"),
    "priors": ("prior",),
}
"""Parameters set together by the name of a driver: ids that begin with one of the parts."""
