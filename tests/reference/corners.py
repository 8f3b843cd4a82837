"""Random studies pushed into corners that plain luck seldom reaches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

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
        path=None,
        switches={**inputs.switches, "sponsor": True},
        parameters={**inputs.parameters, "hold.estate_share": 0.5},
        book=replace(inputs.book, boxes=tuple(boxes), sponsors=tuple(sponsors)),
    )


def failing_customers(inputs: ModelInputs) -> ModelInputs:
    """Every other name fails early, with a sound one behind it; contracts look at ratings."""
    names = [
        replace(
            name,
            hazard_per_year=(0.6 * (number % 2),),
            efficiency_loading=0.8,
            notch=7.0,
        )
        for number, name in enumerate(inputs.book.names)
    ]
    weak, sound = names[1::2] or names, names[::2]
    rated = {name.id for name in names if not name.sponsor}

    def backed(number: int, contract: Contract) -> Contract:
        offtaker = weak[number % len(weak)].id
        return replace(
            contract,
            offtaker=offtaker,
            backstop=sound[number % len(sound)].id if len(names) > 1 else "",
            backstop_cap=(8.0, 50.0)[number % 2],
            term_months=36,
            rating_floor=9.0 if offtaker in rated else 0.0,
        )

    contracts = tuple(backed(*one) for one in enumerate(inputs.book.contracts))
    return replace(
        inputs,
        horizon=max(inputs.horizon, 36),
        path=None,
        switches={
            **inputs.switches,
            "counterparty_default": True,
            "compensator": False,
            "efficiency": True,
        },
        parameters={**inputs.parameters, "cp.claim_rate": 0.0},
        book=replace(inputs.book, names=tuple(names), contracts=contracts),
    )


def quiet_to_the_end(inputs: ModelInputs) -> ModelInputs:
    """Nobody fails before loans mature, contracts run out and machines are too old."""
    off = ("counterparty_default", "renegotiation", "compensator")
    switches = {name: on and name not in off for name, on in inputs.switches.items()}
    boxes = [
        replace(box, default_dscr=0.0, ltc_trigger=0.0, ltv_trigger=0.0, minimum_liquidity=0.0)
        for box in inputs.book.boxes
    ]
    sponsors = [replace(one, cash=5000.0, market_value=5000.0) for one in inputs.book.sponsors]
    return replace(
        inputs,
        horizon=72,
        path=None,
        switches=switches,
        book=replace(inputs.book, boxes=tuple(boxes), sponsors=tuple(sponsors)),
    )


def patient_lenders(inputs: ModelInputs) -> ModelInputs:
    """Tests that nobody passes, and lenders who waive them: the boxes earn what they owe."""
    tests = (
        {"default_dscr": 5.0},
        {"ltc_trigger": 0.2},
        {"ltv_trigger": 0.2},
        {"minimum_liquidity": 1e6},
    )
    none = {"default_dscr": 0.0, "ltc_trigger": 0.0, "ltv_trigger": 0.0, "minimum_liquidity": 0.0}
    boxes = [
        replace(box, **{**none, **tests[number % 4]}, first_test=1, test_interval=1, cures=0)
        for number, box in enumerate(inputs.book.boxes, start=inputs.horizon)
    ]
    tranches = [replace(one, balance0=0.4 * one.balance0) for one in inputs.book.tranches]
    patience = {"box.waivers": 9.0, "box.waiver_months": 3.0, "box.waiver_fee": 0.02}
    book = replace(inputs.book, boxes=tuple(boxes), tranches=tuple(tranches))
    return replace(
        inputs,
        switches={**inputs.switches, "amendments": True},
        parameters={**inputs.parameters, **patience},
        book=book,
    )


def one_poor_sponsor(inputs: ModelInputs) -> ModelInputs:
    """All boxes belong to a sponsor that can help one or two of them, of its own choice."""
    owner = inputs.book.sponsors[0].id
    boxes = [
        replace(
            box,
            sponsor=owner,
            recourse=(Recourse.NONE, Recourse.LIMITED)[number % 2],
            guarantee_cap=15.0,
            default_dscr=1.2,
            first_test=1,
            test_interval=1,
            cures=6,
        )
        for number, box in enumerate(inputs.book.boxes)
    ]
    tranches = [replace(one, sponsor=owner) if one.box else one for one in inputs.book.tranches]
    sponsors = [
        replace(one, cash=12.0, market_value=40.0, other_cash_per_year=20.0, support_factor=0.1)
        for one in inputs.book.sponsors
    ]
    book = replace(
        inputs.book, boxes=tuple(boxes), tranches=tuple(tranches), sponsors=tuple(sponsors)
    )
    return replace(inputs, switches={**inputs.switches, "sponsor": True}, book=book)


def twins(inputs: ModelInputs) -> ModelInputs:
    """Two boxes alike, short of cash in the same months; their sponsor can help one of them."""
    book = inputs.book
    lent = [box for box in book.boxes if any(one.box == box.id for one in book.tranches)]
    first = replace(
        (lent or book.boxes)[0], recourse=Recourse.NONE, default_dscr=1.1, cures=9, first_test=1
    )

    def doubled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        mine = [one for one in items if one.box == first.id]
        return tuple(mine + [replace(one, box="twin", id=f"{one.id}-twin") for one in mine])

    dear = [replace(one, price=0.8 * one.price) for one in book.contracts]
    contracts = doubled(tuple(dear))
    assets = [
        replace(one, contract=f"{one.contract}-twin") if one.box == "twin" and one.contract else one
        for one in doubled(book.assets)
    ]
    loans = [
        replace(one, facility=f"{one.facility}-twin") if one.box == "twin" else one
        for one in doubled(book.tranches)
    ]
    notes = [one for one in book.tranches if not one.box]
    owner = next(one for one in book.sponsors if one.id == first.sponsor)
    poor = replace(owner, cash=80.0, market_value=0.0, lease_per_year=0.0, support_factor=0.05)
    others = [poor if one is owner else one for one in book.sponsors]
    return replace(
        inputs,
        switches={**inputs.switches, "sponsor": True},
        path=None,
        book=replace(
            book,
            boxes=tuple(sorted((first, replace(first, id="twin")), key=lambda one: one.id)),
            contracts=tuple(sorted(contracts, key=lambda one: one.id)),
            assets=tuple(sorted(assets, key=lambda one: one.id)),
            tranches=tuple(sorted(loans + notes, key=lambda one: one.id)),
            sponsors=tuple(others),
            structures=(),
            overlays=(),
        ),
    )


def restless_politics(inputs: ModelInputs) -> ModelInputs:
    """Export controls every few months, on customers of every jurisdiction; an overbuilt market."""
    places = [place for place, _ in inputs.book.jurisdictions]
    names = [
        replace(name, export_exposed=places[number % len(places)])
        for number, name in enumerate(inputs.book.names)
    ]
    lively = {"reg.lambda": 5.0, "dem.ap_beta": 1.0, "dem.ap_lambda": 1.0}
    return replace(
        inputs,
        switches={**inputs.switches, "policy": True, "demand": True},
        parameters={**inputs.parameters, **lively},
        path=None,
        book=replace(inputs.book, names=tuple(names)),
    )


CORNERS: Mapping[str, Corner] = {
    "failing sponsors": failing_sponsors,
    "failing customers": failing_customers,
    "quiet to the end": quiet_to_the_end,
    "patient lenders": patient_lenders,
    "one poor sponsor": one_poor_sponsor,
    "twins": twins,
    "restless politics": restless_politics,
}
