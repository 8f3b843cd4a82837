"""Data-centre halls: what one takes where study and tape are blank, in the unit of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.config.derive.ledger import Ledger
from simulator.config.schema import Generation as Block
from simulator.config.schema import StudyFile
from simulator.config.tape import AssetRow, BoxRow, ContractRow
from simulator.config.terms import Generation
from simulator.config.units import GPU, HOURS_PER_MONTH, LAST_YEAR, Unit
from simulator.config.values import filled


def hall(name: str, block: Block, parameters: Mapping[str, float]) -> Generation:
    """Return a kind of hall: what its block says, else the parameters ``hall.*``.

    Parameters
    ----------
    name
        Of the kind.
    block
        From the study.
    parameters
        By id.
    """
    values = {field: value for field, (value, _) in _rules(parameters).items()}
    given = {field: getattr(block, field, None) for field in values}
    chosen = {field: value for field, value in given.items() if value not in (None, ())}
    rent = block.rent_usd_per_kw_month or parameters["pow.colo"]
    price = rent / HOURS_PER_MONTH
    return Generation(
        **{"name": name, "kw": 1.0, **values, **chosen},
        contract_price=price,
        spot_price=price,
        is_hall=True,
    )


def _rules(parameters: Mapping[str, float]) -> dict[str, tuple[Any, str]]:
    """Return what each blank of a hall becomes, and by which rule."""
    p, life = parameters, parameters["hall.life"]
    ages = range(1, LAST_YEAR + 1)
    return {
        "capex_usd": (p["hall.capex"], "hall.capex"),
        "hardware_share": (1.0, "all of a hall is sold with it"),
        "installed_base_m": (p["hall.base"], "hall.base"),
        "base_grows": (False, "halls do not multiply as compute does"),
        "price_drift": (p["hall.growth"], "hall.growth"),
        "tightness_share": (p["hall.beta"], "hall.beta"),
        "steps_share": (0.0, "a hall does not age with its GPUs"),
        "brownian_sd": (p["hall.sd"], "hall.sd"),
        "resale_curve": (
            tuple(max(0.0, 1.0 - age / life) for age in ages),
            "straight over hall.life",
        ),
        "resale_after": (1.0 - 1.0 / life, "1 - 1/hall.life"),
        "resale_beta": (1.0, "value follows rent one to one"),
        "income_months": (240, "income of 20 years"),
        "income_rate": (p["hall.yield"], "hall.yield"),
        "memory_exposed": (False, "a hall holds no servers"),
        "occupancy": (p["hall.occupancy"], "hall.occupancy"),
    }


def note_halls(study: StudyFile, parameters: Mapping[str, float], ledger: Ledger) -> None:
    """Note what the blanks of the study's halls became."""
    for name, block in sorted(study.generations.items()):
        if block.kind != "hall":
            continue
        rules = _rules(parameters)
        rules["rent_usd_per_kw_month"] = (parameters["pow.colo"], "pow.colo")
        for field, (value, rule) in rules.items():
            if getattr(block, field) in (None, ()):
                curve = isinstance(value, tuple)
                shown = ", ".join(f"{one:.3g}" for one in value) if curve else value
                ledger.note("generations", name, field, shown, rule)


def in_units(
    box: BoxRow,
    contracts: Sequence[ContractRow],
    assets: Sequence[AssetRow],
    unit: Unit,
    terms: Mapping[str, float],
    ledger: Ledger,
) -> tuple[BoxRow, list[ContractRow], list[AssetRow]]:
    """Return the rows of a box in the unit of the engine, see `as_told` for the way back.

    Parameters
    ----------
    box, contracts, assets
        As the tape gives them.
    unit
        In which they are told.
    terms
        Parameters by id.
    ledger
        Takes what was filled.
    """
    if unit is GPU:
        return box, list(contracts), list(assets)
    blanks: dict[str, tuple[object, str]] = {
        "triple_net": (True, "the tenant pays power and operations"),
        "colo_usd_per_kw_month": (0.0, "it is the hall"),
        "operations_share": (terms["hall.om"], "hall.om"),
    }
    own = {
        name: ledger.fill("boxes", box.box, name, getattr(box, name), value, rule)
        for name, (value, rule) in blanks.items()
    }
    rents = [
        row
        if row.rent_usd_per_kw_month is None
        else row.model_copy(
            update={"price_usd_per_gpu_hour": row.rent_usd_per_kw_month / unit.hours}
        )
        for row in contracts
    ]
    sizes = [
        row if row.mw is None else row.model_copy(update={"gpus": filled(row.mw) * unit.size})
        for row in assets
    ]
    return box.model_copy(update=own), rents, sizes


def as_told(
    contracts: Sequence[ContractRow], assets: Sequence[AssetRow], unit: Unit
) -> tuple[tuple[ContractRow, ...], tuple[AssetRow, ...]]:
    """Return complete rows in the columns of the tape: of a hall MW and rent.

    Parameters
    ----------
    contracts, assets
        Complete, in the unit of the engine.
    unit
        In which the box is told.
    """
    if unit is GPU:
        return tuple(contracts), tuple(assets)
    rents = (
        row.model_copy(
            update={
                "price_usd_per_gpu_hour": None,
                "rent_usd_per_kw_month": row.rent_usd_per_kw_month
                or filled(row.price_usd_per_gpu_hour) * unit.hours,
            }
        )
        for row in contracts
    )
    sizes = (
        row.model_copy(update={"gpus": None, "mw": row.mw or filled(row.gpus) / unit.size})
        for row in assets
    )
    return tuple(rents), tuple(sizes)
