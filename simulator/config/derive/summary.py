"""What a box amounts to at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.config.derive.costs import economics_of
from simulator.config.derive.market import Market
from simulator.config.tape import AssetRow, BoxRow, ContractRow, DebtRow
from simulator.config.units import unit_of
from simulator.config.values import filled


@dataclass(frozen=True, slots=True)
class BoxSummary:
    """Size, price and cover of a box as the terms imply them.

    Parameters
    ----------
    box, sponsor, generation
        What it is.
    unit
        What it holds: "GPU", or "kW" of a hall.
    gpus, cost, commitment, balance
        Size: GPUs (or kW), cost, commitments and balance at t0, USD m.
    price
        Contract price, mean over what is contracted, USD per GPU-hour, of a hall USD per kW-month;
        0 if all is on demand.
    running_cost
        Expected running cost, in the unit of the price.
    cash_margin
        1 - running cost over revenue.
    debt_per_gpu
        Commitments over GPUs (or kW), USD.
    loan_to_cost
        Commitments over cost.
    contracted_share
        Contracted GPUs (or kW), of all.
    contracted_dscr
        Contracted cash less running cost of the contracted GPUs over level debt service of the box.
    """

    box: str
    sponsor: str
    generation: str
    gpus: float
    cost: float
    commitment: float
    balance: float
    price: float
    running_cost: float
    cash_margin: float
    debt_per_gpu: float
    loan_to_cost: float
    contracted_share: float
    contracted_dscr: float
    unit: str = "GPU"


def summarise(
    box: BoxRow,
    tranches: Sequence[DebtRow],
    contracts: Sequence[ContractRow],
    assets: Sequence[AssetRow],
    market: Market,
) -> BoxSummary:
    """Return the summary of a complete deal."""
    economics = economics_of(box, tranches, assets, market)
    gpus = sum(filled(asset.gpus) for asset in assets)
    cost = sum(filled(asset.cost_usd_m) for asset in assets)
    commitment = sum(filled(row.commitment_usd_m) for row in tranches)
    by_contract = {
        row.contract: sum(filled(asset.gpus) for asset in assets if asset.contract == row.contract)
        for row in contracts
    }
    contracted = sum(by_contract.values())
    revenue = sum(
        filled(row.price_usd_per_gpu_hour) * by_contract[row.contract] for row in contracts
    )
    earned = sum(
        by_contract[row.contract]
        * filled(row.price_usd_per_gpu_hour)
        * economics.availability
        * (1 - filled(row.prepayment_share))
        for row in contracts
    )
    price = revenue / contracted if contracted else 0.0
    hourly = price * economics.availability
    service = economics.debt_service * gpus
    unit = unit_of(market.planned[box.generation])
    return BoxSummary(
        box=box.box,
        sponsor=box.sponsor,
        generation=box.generation,
        gpus=gpus,
        cost=cost,
        commitment=commitment,
        balance=sum(filled(row.drawn_usd_m) for row in tranches),
        price=price * unit.hours,
        running_cost=economics.cost * unit.hours,
        cash_margin=1 - economics.cost / hourly if hourly else 0.0,
        debt_per_gpu=commitment * 1e6 / gpus,
        loan_to_cost=commitment / cost,
        contracted_share=contracted / gpus,
        contracted_dscr=(earned - economics.cost * contracted) / service if service else 0.0,
        unit=unit.name,
    )
