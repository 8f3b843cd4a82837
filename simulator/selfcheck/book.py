"""Books written out by hand: one box, one loan, customers who pay what a case says.

Everything random is off and everything that is not part of a case costs nothing and is worth
nothing, so that what the kernels then do is arithmetic that can be done again by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.box.sites import TECHNICAL_AVAILABILITY
from simulator.config.parameters import parameter_table
from simulator.config.terms import (
    CORRELATION_ORDER,
    DOLLAR,
    SWITCHES,
    WATERFALL_LINES,
    Amortisation,
    Asset,
    Book,
    Box,
    Contract,
    Generation,
    MarketPath,
    ModelInputs,
    Name,
    Recourse,
    Site,
    Sponsor,
    Tranche,
    World,
)
from simulator.drivers.collateral import HOURS
from simulator.engine.expectations import expectations_of
from simulator.engine.market import ReferencePath

__all__ = ["POOL_SOLD", "Delivery", "Setting", "loan", "steps_of", "study"]

Monthly = Sequence[float] | NDArray[np.float64]
"""Values of months 1, 2, ..."""

PLACE, BOX, SPONSOR, MACHINE = "place", "box", "sponsor", "machine"
PRICE = 1000.0  # USD per GPU-hour: the income value of the machines never binds
DEEP_POCKETS = 1e9  # USD m
NO_POWER = 1e-15  # kW of a machine: what it costs is lost in rounding
POOL_SOLD = 0.99  # share of hours sold of machines without a contract

STILL: Mapping[str, float] = {
    "box.commission": 0.0,
    "contract.long_stop": 600.0,
    "cp.relet_lag": 1.0,
    "cp.renew0": 0.0,  # no contract is renewed
    "del.revenue_lost": 1.0,  # nobody pays damages for what is late
    "gpu.delta": 0.0,
    "gpu.gen_step": 0.0,
    "gpu.resale_beta": 1.0,
    "gpu.util_slope": 0.0,
    "hold.overhead": 0.0,
    "hold.min_cash": 0.0,
    **{f"gpu.term_disc.{year}y": 1.0 for year in (1, 3, 5)},
    **{f"gpu.resale_curve.y{year}": 1.0 for year in range(1, 7)},
}
"""Parameters at which nothing moves unless a case moves it."""


@dataclass(frozen=True)
class Delivery:
    """Machines and the customer who rents them.

    Attributes
    ----------
    rent : sequence of float
        USD m of months 1, 2, ...; the last one is held. A single value is a flat rent.
    cost : float
        USD m.
    month : int or None
        In which they are delivered; None: accepted at t0.
    commission : int
        Months from delivery to acceptance.
    default_month : int
        Of the customer, 0 = never.
    moneyness : float
        What others pay over what this customer pays.
    value : float or None
        Of the machines at t0, USD m; None: nothing.
    term : int
        Of the contract, months; 0: longer than the case.
    guaranteed : float
        USD m that the customer pays for the machines at the end of the term.
    """

    rent: Monthly = (0.0,)
    cost: float = 1.0
    month: int | None = None
    commission: int = 0
    default_month: int = 0
    moneyness: float = 1.0
    value: float | None = None
    term: int = 0
    guaranteed: float = 0.0


@dataclass(frozen=True)
class Setting:
    """What a case sets besides the loan and the machines.

    Attributes
    ----------
    box, parameters : mapping
        Terms of the box and values of parameters.
    switches : tuple of str
        That are on.
    costs : float
        Operating costs, share of the first delivery's cost per year; 0: the customer pays them.
    index : sequence of float
        SOFR at t0 and of months 1, 2, ...
    values : sequence of float
        Market value of machines over that at t0, months 0, 1, ...; empty: constant.
    delay : float
        Months by which deliveries come later than planned.
    waterfall : tuple of str
        Order of payments.
    """

    box: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    switches: tuple[str, ...] = ()
    costs: float = 0.0
    index: Monthly = ()
    values: Monthly = ()
    delay: float = 0.0
    waterfall: tuple[str, ...] = WATERFALL_LINES


def steps_of(values: Monthly) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Return the largest of monthly values, and the others as multiples of it from month to month.

    Examples
    --------
    >>> steps_of((3.0, 3.0, 6.0))
    (6.0, ((1, 0.5), (3, 1.0)))
    """
    top = float(max(values)) or 1.0
    changes = [
        (month, float(value / top))
        for month, value in enumerate(values, start=1)
        if month == 1 or value != values[month - 2]
    ]
    return top, tuple(changes)


def loan(balance: float, maturity: int, rate: float, **terms: Any) -> Tranche:
    """Return a drawn fixed-rate level loan of the box, with other terms as they are given."""
    usual = Tranche(
        id="loan",
        facility="loan",
        box=BOX,
        sponsor=SPONSOR,
        rank=0,
        commitment=balance,
        balance0=balance,
        available_until=0,
        maturity=maturity,
        fixed=True,
        rate=rate,
        floor=0.0,
        undrawn_fee=0.0,
        hedge_share=0.0,
        swap_rate=0.0,
        issue_discount=0.0,
        advance=1.0,
        amortisation=Amortisation.LEVEL,
        amortisation_start=1,
        sculpt_dscr=1.0,
        depreciation_months=72,
        balloon=0.0,
        lender_share=1.0,
    )
    return replace(usual, **terms)


def study(
    months: int,
    deliveries: Sequence[Delivery],
    tranches: Sequence[Tranche] = (),
    setting: Setting | None = None,
) -> ModelInputs:
    """Return the inputs of a case.

    Parameters
    ----------
    months : int
        Horizon.
    deliveries : sequence of Delivery
        What the box owns.
    tranches : sequence of Tranche
        Its debt, from `loan`.
    setting : Setting, optional
        All else.
    """
    setting = setting or Setting()
    parameters = {name: one.base for name, one in parameter_table().items()}
    parameters |= {**STILL, **setting.parameters}
    if len(setting.index):
        parameters["ir.r0"] = setting.index[0]
    switches = {name: name in setting.switches for name in SWITCHES}
    size = len(CORRELATION_ORDER)
    correlations = tuple(tuple(float(i == j) for j in range(size)) for i in range(size))
    book = book_of(months, deliveries, tranches, setting)
    forwards = tuple(setting.index[1:])
    world = World(
        parameters=parameters,
        switches=switches,
        correlations=correlations,
        sofr_forwards=forwards,
        generations=book.generations,
        jurisdictions=book.jurisdictions,
        hyperscalers=(),
        currencies=(),
        stressed=False,
    )
    inputs = ModelInputs(
        horizon=months,
        parameters=parameters,
        switches=switches,
        correlations=correlations,
        sofr_forwards=forwards,
        copula_nu=0.0,
        path=None,
        uncertainty=None,
        waterfall=setting.waterfall,
        book=book,
        expected=world,
    )
    reference = expectations_of(inputs).reference
    return replace(inputs, path=market_path(months, deliveries, setting, reference))


def market_path(
    months: int, deliveries: Sequence[Delivery], setting: Setting, reference: ReferencePath
) -> MarketPath:
    """Return the market of a case: values as given, else prices that stand still."""
    if len(setting.values):
        log_price = np.log(np.asarray(setting.values, dtype=float))
    else:
        log_price = reference.price_deviation[0] - reference.price_deviation
    return MarketPath(
        log_price=tuple(float(value) for value in log_price[: months + 1]),
        high_yield_peak_bp=0.0,
        hazard_multiplier=1.0,
        delay_months=setting.delay,
        capex_factor=1.0,
        defaults=tuple(
            (f"customer {number}", one.default_month)
            for number, one in enumerate(deliveries)
            if one.default_month
        ),
    )


def book_of(
    months: int, deliveries: Sequence[Delivery], tranches: Sequence[Tranche], setting: Setting
) -> Book:
    """Return a book of one box."""
    numbered = list(enumerate(deliveries))
    return Book(
        generations=(machine(deliveries),),
        jurisdictions=((PLACE, 1.0),),
        names=tuple(customer(number) for number, _ in numbered),
        sites=(Site(PLACE, PLACE, 1.0, True, 1.0, False, 0.0),),
        contracts=tuple(contract(number, one, months) for number, one in numbered),
        assets=tuple(asset(number, one) for number, one in numbered),
        boxes=(box_of(setting),),
        tranches=tuple(tranches),
        sponsors=(Sponsor(SPONSOR, DEEP_POCKETS, 0.0, 0.0, 0.0),),
    )


def gpus_of(one: Delivery) -> float:
    """Return the machines that earn the largest rent of a delivery at the one price."""
    return steps_of(one.rent)[0] * 1e6 / (PRICE * HOURS * TECHNICAL_AVAILABILITY)


def machine(deliveries: Sequence[Delivery]) -> Generation:
    """Return machines that use no power and are worth what the deliveries say."""
    worth = sum(one.value or 0.0 for one in deliveries) * 1e6
    count = sum(gpus_of(one) for one in deliveries if one.value)
    return Generation(
        name=MACHINE,
        contract_price=PRICE,
        spot_price=PRICE,
        kw=NO_POWER,
        capex_usd=worth / count if count else 0.0,
        hardware_share=1.0,
        installed_base_m=1.0,
        base_grows=False,
    )


def customer(number: int) -> Name:
    """Return a customer who defaults only when told to."""
    return Name(f"customer {number}", (0.0,), 0.0, False, True, False, "", "")


def contract(number: int, one: Delivery, months: int) -> Contract:
    """Return the contract of a delivery."""
    return Contract(
        id=f"contract {number}",
        box=BOX,
        offtaker=f"customer {number}",
        backstop="",
        backstop_cap=0.0,
        price=PRICE,
        term_months=one.term or 2 * months,
        consent_multiplier=1.0,
        prepayment_share=0.0,
        moneyness0=one.moneyness,
        currency=DOLLAR,
        billing=steps_of(one.rent)[1],
        residual_share=one.guaranteed / one.cost,
    )


def asset(number: int, one: Delivery) -> Asset:
    """Return the machines of a delivery."""
    return Asset(
        id=f"asset {number}",
        box=BOX,
        contract=f"contract {number}",
        site=PLACE,
        gpus=gpus_of(one),
        cost=one.cost,
        price_fixed=True,
        planned_delivery=0 if one.month is None else one.month,
        accepted=0 if one.month is None else None,
        cost_delivered_at_t0=one.month is None,
        licence=False,
        commission_months=one.commission,
    )


def box_of(setting: Setting) -> Box:
    """Return a box without reserves, tests or sweeps, except for what is set."""
    usual = Box(
        id=BOX,
        sponsor=SPONSOR,
        generation=MACHINE,
        recourse=Recourse.NONE,
        guarantee_cap=0.0,
        investment_grade=False,
        power_hedged=0.0,
        colo_usd_per_kw_month=0.0,
        triple_net=setting.costs == 0.0,
        operations_share=setting.costs,
        useful_life_months=0,
        market_factor=1.0,
        reserve_months=0.0,
        power_reserve_months=0.0,
        sweep_share=0.0,
        sweep_threshold=0.0,
        lockup_dscr=0.0,
        default_dscr=0.0,
        realisation_minimum=0.0,
        minimum_liquidity=0.0,
        first_test=1,
        test_interval=1,
        ltc_trigger=0.0,
        ltv_trigger=0.0,
        cures=0,
        default_on_termination=False,
        trap_on_breach=False,
        operating_licence=False,
        equity0=0.0,
        cost_currency=DOLLAR,
    )
    return replace(usual, **setting.box)
