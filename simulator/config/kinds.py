"""GPUs, own accelerators and halls: what a study and its tape may say of each."""

from __future__ import annotations

from typing import Final

from simulator.config.case import Case
from simulator.config.parameters import resolve
from simulator.config.schema import Generation
from simulator.config.tape import AssetRow, BoxRow, ContractRow
from simulator.config.units import KW_PER_MW, LAST_YEAR

LEAST_COST, MOST_COST = 300.0, 100_000.0
"""USD per kW between which the cost of a hall makes sense: a bare shell, a gilded hall."""

OF_GPUS: Final = ("contract_price_usd_per_gpu_hour", "spot_price_usd_per_gpu_hour", "kw")
"""Keys of a generation that a hall has no use for."""


def check_kinds(case: Case) -> None:
    """Check generations, and that each box is written in its unit."""
    for name, block in case.study.generations.items():
        _check_generation(case, name, block)
    check_power(case)
    halls = {name for name, block in case.study.generations.items() if block.kind == "hall"}
    if "generations" in case.unsound:
        return
    kinds = {row.box: row.generation in halls for _, row in case.tape.sound("boxes", BoxRow)}
    for place, contract in case.tape.sound("contracts", ContractRow):
        price, rent = contract.price_usd_per_gpu_hour, contract.rent_usd_per_kw_month
        hall = kinds.get(contract.box)
        if hall is True and price is not None:
            mend = "writing rent_usd_per_kw_month"
            case.fault(place, "price_usd_per_gpu_hour", "a rent of a hall", f"{price:g}", mend)
        elif hall is False and rent is not None:
            mend = "writing price_usd_per_gpu_hour"
            case.fault(place, "rent_usd_per_kw_month", "a price of GPUs", f"{rent:g}", mend)
    for place, asset in case.tape.sound("assets", AssetRow):
        _check_asset(case, place, asset, kinds.get(asset.box))


def _check_generation(case: Case, name: str, block: Generation) -> None:
    def fault(key: str, expected: str, got: str, mend: str) -> None:
        at = case.document.place(("generations", name, key))
        case.fault(at, f"generations.{name}.{key}", expected, got, mend)

    if len(block.resale_curve) not in (0, LAST_YEAR):
        got = f"{len(block.resale_curve)} numbers"
        fault("resale_curve", f"one value for each of years 1 to {LAST_YEAR}", got, "giving six")
    if block.kind == "gpu":
        if block.rent_usd_per_kw_month is not None:
            got = f"{block.rent_usd_per_kw_month:g}"
            mend = "adding kind: hall, or writing contract_price_usd_per_gpu_hour"
            fault("rent_usd_per_kw_month", "a price of GPUs", got, mend)
        return
    for key in OF_GPUS:
        value = getattr(block, key)
        if value is not None:
            mend = "removing it: a hall is let by the kW, see rent_usd_per_kw_month"
            fault(key, "nothing for a hall", f"{value:g}", mend)
    rent = resolve(case.study.reference)["pow.colo"]
    if block.rent_usd_per_kw_month is None and rent <= 0.0:
        mend = "giving the rent, or pow.colo"
        fault("rent_usd_per_kw_month", "a rent above 0", "a blank and pow.colo 0", mend)


def check_power(case: Case) -> None:
    """Refuse a site whose power and energised say different things."""
    for name, site in case.study.sites.items():
        written = site.power is not None and "energised" in site.model_fields_set
        if written and site.energised != (site.power == "energised"):
            at = case.document.place(("sites", name, "power"))
            expected = "power and energised that agree"
            got = f"{site.power} and energised {str(site.energised).lower()}"
            case.fault(at, f"sites.{name}.power", expected, got, "leaving energised out")


def _check_asset(case: Case, place: str, row: AssetRow, hall: bool | None) -> None:
    if hall is True and row.gpus is not None:
        case.fault(place, "gpus", "the MW of a hall", f"{row.gpus:g}", "writing mw")
    elif hall is False and row.mw is not None:
        case.fault(place, "mw", "a number of GPUs", f"{row.mw:g} MW", "writing gpus")
    elif hall is True and row.mw and row.cost_usd_m:
        cost = row.cost_usd_m * 1e6 / (row.mw * KW_PER_MW)
        if not LEAST_COST <= cost <= MOST_COST:
            expected = f"a hall of USD {LEAST_COST:,.0f} to {MOST_COST:,.0f} a kW"
            case.fault(place, "cost_usd_m", expected, f"{cost:,.0f}", "correcting mw or cost_usd_m")
