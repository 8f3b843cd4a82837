"""Random studies pushed into corners that plain luck seldom reaches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from simulator.config.terms import Contract, ModelInputs, Recourse

Corner = Callable[[ModelInputs], ModelInputs]

replace = dataclasses.replace


def failing_sponsors(inputs: ModelInputs) -> ModelInputs:
    """HoldCos fail while boxes that they guaranteed are worked out, and leave something behind."""
    boxes = [
        replace(
            box,
            recourse=(Recourse.FULL, Recourse.LIMITED)[number % 2],
            guarantee_cap=20.0,
            default_dscr=1.1,
            first_test=1,
            test_interval=1,
            cures=0,
        )
        for number, box in enumerate(inputs.book.boxes)
    ]
    sponsors = [
        replace(
            sponsor,
            cash=5.0,
            market_value=0.0,
            other_value=150.0,
            other_cash_per_year=-2.0,
            purchases=((15, 400.0),),
        )
        for sponsor in inputs.book.sponsors
    ]
    return replace(
        inputs,
        horizon=max(inputs.horizon, 36),
        switches={**inputs.switches, "sponsor": True},
        parameters={**inputs.parameters, "hold.estate_share": 0.5},
        book=replace(inputs.book, boxes=tuple(boxes), sponsors=tuple(sponsors)),
    )


def failing_customers(inputs: ModelInputs) -> ModelInputs:
    """Customers fail early and often, some of them with a parent behind them."""
    names = [
        replace(name, hazard_per_year=tuple(0.3 + 5.0 * h for h in name.hazard_per_year))
        for name in inputs.book.names
    ]
    ids = [name.id for name in names]

    def backed(contract: Contract) -> Contract:
        others = [name for name in ids if name != contract.offtaker]
        behind = others[0] if others else ""
        return replace(contract, backstop=behind, backstop_cap=8.0, term_months=36)

    contracts = tuple(map(backed, inputs.book.contracts))
    return replace(
        inputs,
        horizon=max(inputs.horizon, 36),
        switches={**inputs.switches, "counterparty_default": True, "compensator": False},
        book=replace(inputs.book, names=tuple(names), contracts=contracts),
    )


def quiet_to_the_end(inputs: ModelInputs) -> ModelInputs:
    """Nobody fails before loans mature, contracts run out and machines are too old."""
    off = ("counterparty_default", "renegotiation", "compensator", "control")
    switches = {name: on and name not in off for name, on in inputs.switches.items()}
    boxes = [
        replace(box, default_dscr=0.0, ltc_trigger=0.0, ltv_trigger=0.0, minimum_liquidity=0.0)
        for box in inputs.book.boxes
    ]
    sponsors = [replace(one, cash=5000.0, market_value=5000.0) for one in inputs.book.sponsors]
    return replace(
        inputs,
        horizon=72,
        switches=switches,
        book=replace(inputs.book, boxes=tuple(boxes), sponsors=tuple(sponsors)),
    )


CORNERS: Mapping[str, Corner] = {
    "failing sponsors": failing_sponsors,
    "failing customers": failing_customers,
    "quiet to the end": quiet_to_the_end,
}
