"""Terms beyond the plain loan on accelerators, switched on at random in a small study.

Each addition draws from a stream of its own, so that one that is left out moves no other: a
disagreement is narrowed down by running the same study with fewer additions.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

from simulator.config.terms import (
    Amortisation,
    Asset,
    Box,
    Contract,
    Generation,
    ModelInputs,
    Name,
    Note,
    Overrun,
    Site,
    Sponsor,
    Structure,
    Tranche,
)
from tests.reference.choice import Chooser

Addition = Callable[[Chooser, ModelInputs], ModelInputs]
CHANCE = 0.25  # of each element

replace = dataclasses.replace


def with_book(inputs: ModelInputs, **parts: Iterable[Any]) -> ModelInputs:
    """The study with parts of its book in place of the old ones, in canonical order."""
    ordered = {
        part: tuple(sorted(items, key=lambda one: one.name if part == "generations" else one.id))
        for part, items in parts.items()
    }
    return replace(inputs, book=replace(inputs.book, **ordered))


def each_box(
    choose: Chooser, inputs: ModelInputs, change: Callable[[Box], Box], chance: float = CHANCE
) -> ModelInputs:
    boxes = [change(box) if choose.chance(chance) else box for box in inputs.book.boxes]
    return with_book(inputs, boxes=boxes)


def each_loan(
    choose: Chooser,
    inputs: ModelInputs,
    change: Callable[[Tranche], Tranche],
    chance: float = CHANCE,
    *,
    holdco: bool = False,
) -> ModelInputs:
    """Change tranches of boxes, or those of HoldCos, at random."""
    tranches = [
        change(one) if (not one.box) == holdco and choose.chance(chance) else one
        for one in inputs.book.tranches
    ]
    return with_book(inputs, tranches=tranches)


def each_contract(
    choose: Chooser, inputs: ModelInputs, change: Callable[[Contract], Contract]
) -> ModelInputs:
    contracts = [change(one) if choose.chance(CHANCE) else one for one in inputs.book.contracts]
    return with_book(inputs, contracts=contracts)


def each_site(choose: Chooser, inputs: ModelInputs, change: Callable[[Site], Site]) -> ModelInputs:
    sites = [change(one) if choose.chance(CHANCE) else one for one in inputs.book.sites]
    return with_book(inputs, sites=sites)


def each_sponsor(
    choose: Chooser, inputs: ModelInputs, change: Callable[[Sponsor], Sponsor]
) -> ModelInputs:
    sponsors = [change(one) if choose.chance(CHANCE) else one for one in inputs.book.sponsors]
    return with_book(inputs, sponsors=sponsors)


def each_name(choose: Chooser, inputs: ModelInputs, change: Callable[[Name], Name]) -> ModelInputs:
    names = [change(one) if choose.chance(CHANCE) else one for one in inputs.book.names]
    return with_book(inputs, names=names)


# ------------------------------------------------------------------ deal kinds


def halls(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Boxes that let data-centre halls by the kW."""
    rent = choose.real(120.0, 220.0) / 730.0
    hall = Generation(
        name="Hall",
        contract_price=rent,
        spot_price=rent,
        kw=1.0,
        capex_usd=12_000.0,
        hardware_share=1.0,
        installed_base_m=60.0,
        base_grows=False,
        is_hall=True,
        price_drift=choose.one_of((0.04, 0.0, -0.02)),
        tightness_share=0.25,
        steps_share=0.0,
        brownian_sd=choose.one_of((0.08, 0.2)),
        resale_curve=tuple(1.0 - year / 30.0 for year in range(1, 7)),
        resale_after=1.0 - 1.0 / 30.0,
        resale_beta=1.0,
        income_months=240,
        income_rate=0.08,
        memory_exposed=False,
        occupancy=choose.one_of((0.92, 0.8)),
    )
    return move_boxes(choose, inputs, hall)


def accelerators(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Boxes with accelerators of the study's own."""
    price = choose.real(0.8, 4.0)
    own = Generation(
        name="Domestic",
        contract_price=price,
        spot_price=price * choose.real(0.7, 1.2),
        kw=choose.real(0.8, 2.5),
        capex_usd=choose.real(15_000.0, 60_000.0),
        hardware_share=choose.real(0.5, 0.9),
        installed_base_m=choose.real(0.1, 2.0),
        base_grows=choose.chance(0.5),
        price_drift=choose.one_of((None, -0.3)),
        tightness_share=choose.one_of((1.0, 0.7)),
        steps_share=choose.one_of((1.0, 0.5)),
        brownian_sd=choose.one_of((0.0, 0.25)),
        resale_curve=choose.one_of(((), (0.7, 0.5, 0.35, 0.25, 0.2, 0.15))),
        resale_after=choose.one_of((17.0 / 25.0, 0.6)),
        resale_beta=choose.one_of((None, 0.5)),
        income_months=choose.one_of((84, 48)),
        income_rate=choose.one_of((None, 0.14)),
        memory_exposed=choose.chance(0.5),
        occupancy=choose.one_of((None, 0.55)),
    )
    return move_boxes(choose, inputs, own)


def move_boxes(choose: Chooser, inputs: ModelInputs, generation: Generation) -> ModelInputs:
    """Some boxes hold another generation: prices, costs and loans keep their proportions."""
    book = inputs.book
    usual = {one.name: one for one in book.generations if not one.is_hall}
    boxes: list[Box] = []
    contracts, assets = list(book.contracts), list(book.assets)
    tranches = list(book.tranches)
    for box in book.boxes:
        if box.generation not in usual or not choose.chance(CHANCE):
            boxes.append(box)
            continue
        old = usual[box.generation]
        count = choose.one_of((0.5, 1.0, 2.0))
        scale = count * generation.capex_usd / old.capex_usd
        if generation.is_hall:
            colo = choose.one_of((0.0, 0.0, 20.0))
            let_net = choose.chance(0.7)
            box = replace(box, triple_net=let_net, colo_usd_per_kw_month=colo)
        boxes.append(replace(box, generation=generation.name))
        contracts = [
            replace(one, price=one.price * generation.contract_price / old.contract_price)
            if one.box == box.id
            else one
            for one in contracts
        ]
        assets = [
            replace(one, gpus=one.gpus * count, cost=one.cost * scale) if one.box == box.id else one
            for one in assets
        ]
        tranches = [
            replace(one, commitment=one.commitment * scale, balance0=one.balance0 * scale)
            if one.box == box.id
            else one
            for one in tranches
        ]
    changed = with_book(
        inputs,
        generations=[*book.generations, generation],
        boxes=boxes,
        contracts=contracts,
        assets=assets,
        tranches=tranches,
    )
    expected = replace(inputs.expected, generations=changed.book.generations)
    return replace(changed, expected=expected)


def sites(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Power applied for, not contracted: later, longer, killed more often."""
    return each_site(
        choose,
        inputs,
        lambda one: replace(
            one,
            energised=False,
            delay_factor=one.delay_factor * choose.one_of((0.8, 1.5)),
            delay_size_factor=choose.one_of((1.0, 2.0)),
            kill_factor=choose.one_of((0.8, 3.0, 12.0)),
        ),
    )


def scarce_power(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_site(choose, inputs, lambda one: replace(one, power_limited=True))


def residual_guarantees(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    names = [name.id for name in inputs.book.names]
    return each_contract(
        choose,
        inputs,
        lambda one: replace(
            one,
            residual_share=choose.real(0.2, 0.9),
            residual_guarantor=choose.one_of(("", *names)),
            residual_cap=choose.one_of((None, 2.0, 40.0)),
        ),
    )


# ------------------------------------------------------------------ debt


def payment_interval(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_box(choose, inputs, lambda box: replace(box, payment_interval=3))


def coupons(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Caps of the index, steps of the margin."""
    return each_loan(
        choose,
        inputs,
        lambda one: replace(
            one,
            rate_cap=choose.one_of((None, 0.03, 0.045)),
            margin_step=choose.one_of((0.0, 0.01)),
            margin_step_month=choose.integer(0, 30),
        ),
    )


def custom_schedules(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    def custom(one: Tranche) -> Tranche:
        months = range(one.amortisation_start, one.maturity + 1, choose.one_of((1, 3, 6)))
        weights = [choose.real(0.0, 1.0) for _ in months]
        total = max(sum(weights), 1e-6) / choose.one_of((1.0, 0.7))
        schedule = tuple(
            (month, weight / total) for month, weight in zip(months, weights, strict=True)
        )
        return replace(one, amortisation=Amortisation.CUSTOM, schedule=schedule, balloon=0.0)

    return each_loan(choose, inputs, custom)


def sized_loans(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    def sized(one: Tranche) -> Tranche:
        return replace(
            one,
            amortisation=Amortisation.SIZED,
            available_until=max(
                one.available_until, one.amortisation_start + choose.integer(-2, 2)
            ),
            commitment=one.commitment * choose.one_of((1.0, 1.5, 3.0)),
            balance0=one.balance0 * choose.one_of((0.0, 0.5, 1.0)),
        )

    return each_loan(choose, inputs, sized)


def shortened(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_loan(choose, inputs, lambda one: replace(one, shorten=True))


def left_unpaid(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_loan(choose, inputs, lambda one: replace(one, catch_up=False))


def moving_schedules(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Amortisation starts after the acceptance that it waits for."""
    commission = math.floor(inputs.parameters["box.commission"] + 0.5)
    first: dict[str, int] = {}
    for asset in inputs.book.assets:
        own = asset.commission_months
        planned = asset.planned_delivery + (commission if own is None else own)
        accepted = planned if asset.accepted is None else asset.accepted
        first[asset.box] = min(first.get(asset.box, accepted), accepted)

    def moving(one: Tranche) -> Tranche:
        later = max(0, first[one.box] + 1 - one.amortisation_start)
        return replace(
            one,
            moves_with_acceptance=True,
            amortisation_start=one.amortisation_start + later,
            maturity=one.maturity + later,
            schedule=tuple((month + later, share) for month, share in one.schedule),
        )

    return each_loan(choose, inputs, moving)


def interest_by_equity(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_loan(choose, inputs, lambda one: replace(one, capitalises=False))


def overruns(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_box(
        choose,
        inputs,
        lambda box: replace(
            box,
            overrun=choose.one_of((Overrun.CUSTOMER, Overrun.ACCORDION)),
            accordion=choose.one_of((0.5, 10.0)),
        ),
        chance=0.4,
    )


def borrowing_bases(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_loan(choose, inputs, lambda one: replace(one, borrowing_base=True))


def ratio_triggers(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_box(
        choose,
        inputs,
        lambda box: replace(
            box,
            ltv_step_down=choose.one_of((0.0, 0.05)),
            ratio_cure_months=choose.one_of((0, 1, 3, 6)),
        ),
    )


def no_ratio_triggers(inputs: ModelInputs) -> ModelInputs:
    boxes = [replace(box, ltc_trigger=0.0, ltv_trigger=0.0) for box in inputs.book.boxes]
    return with_book(inputs, boxes=boxes)


def commission(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    assets: list[Asset] = [
        replace(one, commission_months=choose.integer(0, 6)) if choose.chance(CHANCE) else one
        for one in inputs.book.assets
    ]
    return with_book(inputs, assets=assets)


# ------------------------------------------------------------------ covenants, contracts, names


def escalators(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_contract(
        choose, inputs, lambda one: replace(one, escalator=choose.one_of((0.03, -0.05)))
    )


def billing_profiles(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    def billed(one: Contract) -> Contract:
        months = sorted({choose.integer(1, inputs.horizon) for _ in range(choose.integer(1, 3))})
        steps = tuple((month, choose.one_of((0.0, 0.5, 0.8, 1.0, 1.2))) for month in months)
        return replace(one, billing=steps)

    return each_contract(choose, inputs, billed)


def credit_months(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_contract(
        choose,
        inputs,
        lambda one: replace(one, credit_months=choose.one_of((6, 24)), prepayment_share=0.2),
    )


def lender_consent(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return replace(inputs, switches={**inputs.switches, "lender_consent": choose.chance(0.8)})


def amendments(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return replace(inputs, switches={**inputs.switches, "amendments": choose.chance(0.5)})


def efficiency_loadings(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    changed = each_name(
        choose, inputs, lambda one: replace(one, efficiency_loading=choose.one_of((0.5, 1.5)))
    )
    stressed = any(one.beta > 0.0 or one.efficiency_loading > 0.0 for one in changed.book.names)
    return replace(changed, expected=replace(changed.expected, stressed=stressed))


def rating_floors(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    names = [
        replace(one, notch=float(choose.integer(3, 15))) if choose.chance(0.7) else one
        for one in inputs.book.names
    ]
    rated = with_book(inputs, names=names)
    can_drift = {one.id for one in names if one.notch is not None and not one.sponsor}

    def watched(one: Contract) -> Contract:
        floor = float(choose.integer(8, 14))
        return replace(one, rating_floor=floor) if one.offtaker in can_drift else one

    return each_contract(choose, rated, watched)


def reserves_for_costs(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_box(choose, inputs, lambda box: replace(box, reserve_covers_costs=True))


def cure_periods(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_box(choose, inputs, lambda box: replace(box, cure_months=choose.one_of((1, 3))))


# ------------------------------------------------------------------ sponsors


def supporting_sponsors(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_sponsor(
        choose, inputs, lambda one: replace(one, support_factor=choose.one_of((0.9, 1.25, 3.0)))
    )


def revolvers(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Drawn ones too, which cash repays."""

    def revolver(one: Tranche) -> Tranche:
        return replace(
            one,
            available_until=choose.integer(6, inputs.horizon),
            balance0=one.commitment * choose.one_of((0.0, 0.4, 1.0)),
        )

    return each_loan(choose, inputs, revolver, holdco=True)


def no_revolvers(inputs: ModelInputs) -> ModelInputs:
    tranches = [one if one.box else replace(one, available_until=0) for one in inputs.book.tranches]
    return with_book(inputs, tranches=tranches)


def purchases(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_sponsor(
        choose,
        inputs,
        lambda one: replace(
            one,
            purchases=tuple(
                (choose.integer(1, inputs.horizon), choose.one_of((5.0, 50.0, 400.0)))
                for _ in range(choose.integer(1, 3))
            ),
        ),
    )


def converts(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_loan(
        choose,
        inputs,
        lambda one: replace(
            one,
            conversion_value=choose.one_of((50.0, 1500.0, 4000.0)),
            maturity=choose.integer(1, inputs.horizon),
        ),
        holdco=True,
    )


def holdco_ranks(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_loan(
        choose,
        inputs,
        lambda one: replace(one, rank=choose.one_of((1, 2))),
        chance=0.5,
        holdco=True,
    )


def new_notes(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """A tranche to issue on, for sponsors that have other notes."""
    tranches = list(inputs.book.tranches)
    for sponsor in inputs.book.sponsors:
        notes = [one for one in tranches if not one.box and one.sponsor == sponsor.id]
        if notes and choose.chance(0.5):
            name = f"{sponsor.id}.new_notes"
            tranches.append(
                replace(
                    notes[0],
                    id=name,
                    facility=name,
                    rank=0,
                    commitment=0.0,
                    balance0=0.0,
                    lender_share=0.0,
                    available_until=0,
                    maturity=0,
                    fixed=False,
                    rate=0.0,
                    floor=0.0,
                    undrawn_fee=0.0,
                    amortisation=Amortisation.BULLET,
                    conversion_value=None,
                )
            )
    return with_book(inputs, tranches=tranches)


def other_value(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    return each_sponsor(
        choose,
        inputs,
        lambda one: replace(one, other_value=choose.one_of((20.0, 600.0, math.nan))),
    )


# ------------------------------------------------------------------ structures


def structures(choose: Chooser, inputs: ModelInputs) -> ModelInputs:
    """Two or three notes over some of the loans."""
    tranches = [one.id for one in inputs.book.tranches if not one.id.endswith(".new_notes")]
    if not tranches:
        return inputs
    members = sorted({choose.one_of(tranches) for _ in range(choose.integer(1, 5))})
    count = choose.integer(2, 3)
    weights = [choose.real(0.1, 1.0) for _ in range(count)]
    total = sum(weights) / choose.one_of((1.0, 0.9))
    notes = tuple(
        Note(f"note-{j}", weight / total, 0.03 + 0.02 * j) for j, weight in enumerate(weights)
    )
    structure = Structure(
        id="structure",
        members=tuple((member, choose.real(0.1, 1.0)) for member in members),
        notes=notes,
        fee=choose.one_of((0.0, 0.005)),
        sequential=choose.chance(0.5),
        trigger_loss=choose.one_of((0.0, 0.05, 0.3)),
    )
    return replace(inputs, book=replace(inputs.book, structures=(structure,)))


IN_ORDER: dict[str, Addition] = {
    "halls": halls,
    "accelerators": accelerators,
    "sites": sites,
    "scarce_power": scarce_power,
    "residual_guarantees": residual_guarantees,
    "commission": commission,
    "payment_interval": payment_interval,
    "coupons": coupons,
    "custom_schedules": custom_schedules,
    "sized_loans": sized_loans,
    "shortened": shortened,
    "left_unpaid": left_unpaid,
    "moving_schedules": moving_schedules,
    "interest_by_equity": interest_by_equity,
    "overruns": overruns,
    "borrowing_bases": borrowing_bases,
    "ratio_triggers": ratio_triggers,
    "escalators": escalators,
    "billing_profiles": billing_profiles,
    "credit_months": credit_months,
    "lender_consent": lender_consent,
    "amendments": amendments,
    "efficiency_loadings": efficiency_loadings,
    "rating_floors": rating_floors,
    "reserves_for_costs": reserves_for_costs,
    "cure_periods": cure_periods,
    "supporting_sponsors": supporting_sponsors,
    "revolvers": revolvers,
    "purchases": purchases,
    "converts": converts,
    "holdco_ranks": holdco_ranks,
    "new_notes": new_notes,
    "other_value": other_value,
    "structures": structures,
}
"""Every addition, in the order in which they are applied."""

ADDITIONS = frozenset(IN_ORDER)

WITHOUT: dict[str, Callable[[ModelInputs], ModelInputs]] = {
    "ratio_triggers": no_ratio_triggers,
    "revolvers": no_revolvers,
}
"""What keeps the plain study plain where an addition changed a rule that it had before."""


def with_additions(
    inputs: ModelInputs, seeds: dict[str, int], additions: frozenset[str]
) -> ModelInputs:
    """The plain study with some additions, each from a seed of its own."""
    unknown = additions - ADDITIONS
    if unknown:
        raise ValueError(f"unknown additions: {', '.join(sorted(unknown))}")
    for name, add in IN_ORDER.items():
        if name in additions:
            inputs = add(Chooser.of_seed(seeds[name]), inputs)
        elif name in WITHOUT:
            inputs = WITHOUT[name](inputs)
    return inputs
