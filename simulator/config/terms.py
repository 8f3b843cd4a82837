"""The terms of a book in the model's own units: what `config` hands to `engine`.

Everything is resolved: no blanks, no dates, no basis points.  Months count from t0 (month 0 is the
end of the study's start month, negative months lie before it); money is in USD millions; rates,
shares and probabilities are fractions; hazards are per year.  Tuples stand in canonical order
(sorted by id), so that results cannot depend on the order of a tape.

The order of the words in each name follows the market: sponsor > box > facility > tranche.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum


class Recourse(IntEnum):
    """Standing of the parent behind a box."""

    NONE = 0
    LIMITED = 1  # the unpaid claim after the sale, up to a cap
    FULL = 2  # full and unconditional guarantee


class Amortisation(IntEnum):
    """How scheduled principal is set (model §11)."""

    LEVEL = 0  # re-levelled monthly at the current coupon
    STRAIGHT = 1  # equal instalments to maturity
    SCULPTED = 2  # in proportion to contracted CFADS (sculpt-fit: amount given, DSCR solved)
    DEPRECIATED = 3  # the larger of what contracted cash and depreciated cost require
    BULLET = 4  # all at maturity (notes)
    CUSTOM = 5  # shares of the balance at the fit, by month
    SIZED = 6  # sculpted, and drawn up to what contracted cash carries


class Overrun(IntEnum):
    """Who pays what a delivery costs beyond its plan."""

    SPONSOR = 0
    CUSTOMER = 1
    ACCORDION = 2  # lenders, up to the box's accordion


@dataclass(frozen=True, slots=True)
class Generation:
    """A GPU generation and its market at t0."""

    name: str
    contract_price: float  # one-year contract, USD per GPU-hour
    spot_price: float  # USD per GPU-hour
    kw: float  # IT kW per GPU
    capex_usd: float  # all-in price when new, USD per GPU
    hardware_share: float  # of capex that is the server (gpu.hw_share)
    installed_base_m: float  # million units at t0
    base_grows: bool  # installed base x exp(K - K(0))
    is_hall: bool = False  # a data-centre hall by the kW, not a GPU
    price_drift: float | None = None  # log per year; None = gpu.delta
    tightness_share: float = 1.0  # loading of log price on q
    steps_share: float = 1.0  # loading of log price on releases of new generations
    brownian_sd: float = 0.0  # per root year, in place of the OU noise; 0 = OU
    resale_curve: tuple[float, ...] = ()  # at years 1 to 6, () = gpu.resale_curve
    resale_after: float = 17.0 / 25.0  # factor a year after six
    resale_beta: float | None = None  # None = gpu.resale_beta
    income_months: int = 84  # over which income value is summed
    income_rate: float | None = None  # per year, None = col.rate
    memory_exposed: bool = True  # cost and delivery depend on memory and tariffs
    occupancy: float | None = None  # mean utilisation of a pool, None = gpu.util


@dataclass(frozen=True, slots=True)
class Name:
    """A counterparty: one legal name, one default time."""

    id: str
    hazard_per_year: tuple[float, ...]  # by year from t0, last one held (before cp.pd_curve)
    beta: float  # loading of the hazard on sector stress
    ai: bool  # loads on the AI factor (a, b of model §10), else on the macro factor only
    investment_grade: bool
    hyperscaler: bool  # can integrate vertically
    export_exposed: str  # jurisdiction whose export control hits it, "" if none
    sponsor: str  # id of the simulated sponsor this name is, "" if none
    efficiency_loading: float = 0.0  # of the log hazard on lost demand (wrong way)
    notch: float | None = None  # rating at t0, Aaa = 1; None = unrated


@dataclass(frozen=True, slots=True)
class Site:
    """A data-centre site."""

    id: str
    jurisdiction: str
    power_factor: float  # regional power price / pow.p0
    energised: bool
    delay_factor: float  # regional factor on del.p
    network_risk: bool
    fibre_probability: float
    delay_size_factor: float = 1.0  # on the length of a delay
    kill_factor: float = 1.0  # on del.kill
    power_limited: bool = False  # room is scarce: old GPUs make way for new ones


@dataclass(frozen=True, slots=True)
class Contract:
    """A customer contract; its deliveries ("assets") carry its state."""

    id: str
    box: str
    offtaker: str
    backstop: str  # name that pays the contract price if the offtaker does not, "" if none
    backstop_cap: float  # USD m
    price: float  # USD per GPU-hour
    term_months: int  # from acceptance
    consent_multiplier: float  # 1 lenders' consent, 2 without, 4 terminable at will
    prepayment_share: float  # of contract value, received at delivery
    moneyness0: float
    currency: str  # of the price, which stands in USD of t0
    escalator: float = 0.0  # of the price, on each anniversary of acceptance
    billing: tuple[tuple[int, float], ...] = ()  # (from month, multiplier) of the price
    credit_months: int = 36  # last months of the term that a prepayment is credited over
    rating_floor: float = 0.0  # worst notch of the offtaker before cash is trapped, 0 = none
    residual_share: float = 0.0  # of cost, guaranteed at the end of the first term
    residual_guarantor: str = ""  # "" = the offtaker
    residual_cap: float | None = None  # USD m, None = no cap


@dataclass(frozen=True, slots=True)
class Asset:
    """A delivery: GPUs of one generation bought together for one contract at one site."""

    id: str
    box: str
    contract: str  # "" = on-demand pool
    site: str
    gpus: float
    cost: float  # USD m, as planned
    price_fixed: bool  # capex not exposed to memory, noise and tariff
    planned_delivery: int  # month
    accepted: int | None  # month if already accepted at t0 (<= 0), else None
    cost_delivered_at_t0: bool  # delivered by t0 (capex already paid)
    licence: bool  # an export licence is needed, and not granted yet
    commission_months: int | None = None  # from delivery to acceptance, None = box.commission


@dataclass(frozen=True, slots=True)
class Box:
    """A ring-fenced vehicle: terms of operation, reserves and covenants."""

    id: str
    sponsor: str
    generation: str
    recourse: Recourse
    guarantee_cap: float  # USD m, for LIMITED
    investment_grade: bool  # new-issue spread class at refinancing
    power_hedged: float
    colo_usd_per_kw_month: float  # 0 = owned hall
    triple_net: bool  # the customer pays power, hall and O&M
    operations_share: float  # O&M, insurance and overhead, of cost per year
    useful_life_months: int  # 0 = by economics alone
    market_factor: float  # k of merchant revenue where no contract fixes it
    reserve_months: float
    power_reserve_months: float
    sweep_share: float  # of max(0, CFADS - threshold x debt service); 1 with threshold 0 sweeps all
    sweep_threshold: float
    lockup_dscr: float  # 0 = no test
    default_dscr: float  # 0 = no test
    realisation_minimum: float  # contract realisation ratio, 0 = no test
    minimum_liquidity: float  # USD m of HoldCo cash, 0 = no test
    first_test: int  # month
    test_interval: int  # months between tests
    ltc_trigger: float  # 0 = none
    ltv_trigger: float  # 0 = none
    cures: int
    default_on_termination: bool  # full termination of a pooled contract is an event of default
    trap_on_breach: bool  # unpaid pooled contract traps cash
    operating_licence: bool  # operating-IP licence shortens a servicer transfer
    equity0: float  # NaN = depreciated cost + cash - debt
    cost_currency: str  # of power, hall and operations, which stand in USD of t0
    payment_interval: int = 1  # months between payments of debt
    reserve_covers_costs: bool = False  # the reserve covers operating costs and hedges too
    cure_months: int = 0  # in which an asked cure may still be given
    ratio_cure_months: int = 3  # above a ratio trigger before a cure is asked
    ltv_step_down: float = 0.0  # of the ratio triggers, per year
    overrun: Overrun = Overrun.SPONSOR
    accordion: float = 0.0  # USD m of debt for overruns


@dataclass(frozen=True, slots=True)
class Tranche:
    """A debt tranche of a box, or of a HoldCo when `box` is empty."""

    id: str
    facility: str
    box: str
    sponsor: str
    rank: int  # 0 senior; larger is junior
    commitment: float  # USD m
    balance0: float  # at t0
    available_until: int  # last month of draws (< 1: closed)
    maturity: int  # month
    fixed: bool
    rate: float  # fixed coupon, or margin over SOFR
    floor: float
    undrawn_fee: float
    hedge_share: float
    swap_rate: float
    issue_discount: float  # OID and fees, of each draw, paid by equity; 0 if the loan closed by t0
    advance: float  # of cost
    amortisation: Amortisation
    amortisation_start: int  # month of the first instalment
    sculpt_dscr: float  # DEPRECIATED: coverage of contracted cash
    depreciation_months: int
    balloon: float  # of the balance when amortisation starts
    lender_share: float  # held by the lender's book
    rate_cap: float | None = None  # of SOFR in the coupon, None = none
    margin_step: float = 0.0  # added to the margin from `margin_step_month` on
    margin_step_month: int = 0  # 0 = never
    shorten: bool = False  # prepayments shorten the tail, instalments stay
    catch_up: bool = True  # unpaid instalments fall due next month
    moves_with_acceptance: bool = False  # late acceptance moves start and maturity
    capitalises: bool = True  # interest during construction, else equity pays it
    schedule: tuple[tuple[int, float], ...] = ()  # CUSTOM: (month, share of the balance)
    borrowing_base: bool = False  # draws up to advance x depreciated cost
    conversion_value: float | None = None  # USD m of the sponsor at which converts convert


@dataclass(frozen=True, slots=True)
class Sponsor:
    """A HoldCo."""

    id: str
    cash: float
    market_value: float
    other_cash_per_year: float  # net cash of business outside the tape
    lease_per_year: float  # lease and purchase guarantees that boxes do not already pay
    support_factor: float = 1.0  # gain over cost at which a box is worth supporting
    purchases: tuple[tuple[int, float], ...] = ()  # (month, USD m) committed
    other_value: float = 0.0  # USD m at t0, business outside the tape; NaN = by market value


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a structure over a pool of loans."""

    id: str
    size: float  # share of the pool's commitments
    coupon: float  # per year


@dataclass(frozen=True, slots=True)
class Structure:
    """Notes over a pool of loans, paid in order."""

    id: str
    members: tuple[tuple[str, float], ...]  # (tranche, share)
    notes: tuple[Note, ...]  # most senior first
    fee: float  # per year of the pool balance, ahead of all notes
    sequential: bool  # else pro rata until the trigger
    trigger_loss: float  # cumulative net default over the original pool, 0 = none


@dataclass(frozen=True, slots=True)
class Overlay:
    """Protection that pays on the same paths: insurance of a facility or a floor under a sale."""

    id: str
    facility: str  # "" = the lender's book
    box: str  # of a residual floor, "" = insurance
    attachment: float  # USD m of loss borne first
    limit: float  # USD m
    share: float  # of the loss between them that is paid
    premium: float  # per year of what is insured
    floor_share: float  # of cost
    floor_months: int  # over which the floor runs off in a straight line


@dataclass(frozen=True, slots=True)
class Book:
    """All deals of a study, resolved."""

    generations: tuple[Generation, ...]
    jurisdictions: tuple[tuple[str, float], ...]  # (name, weight), weights sum to 1
    names: tuple[Name, ...]
    sites: tuple[Site, ...]
    contracts: tuple[Contract, ...]
    assets: tuple[Asset, ...]
    boxes: tuple[Box, ...]
    tranches: tuple[Tranche, ...]
    sponsors: tuple[Sponsor, ...]
    structures: tuple[Structure, ...] = ()
    overlays: tuple[Overlay, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """What the market's half of a path depends on."""

    parameters: Mapping[str, float]  # by id, with element: "dem.sigma", "dem.ap_mult.min"
    switches: Mapping[str, bool]  # by name, see SWITCHES
    correlations: tuple[tuple[float, ...], ...]  # order of CORRELATION_ORDER, unit diagonal
    sofr_forwards: tuple[float, ...]  # of months 1..H, per year; () = Vasicek from r0 to theta
    generations: tuple[Generation, ...]
    jurisdictions: tuple[tuple[str, float], ...]
    hyperscalers: tuple[Name, ...]  # whose integrations the market feels
    currencies: tuple[str, ...]  # besides the dollar
    stressed: bool  # whether the default hazard of any name moves with the market


@dataclass(frozen=True, slots=True)
class MarketPath:
    """A stress case: the market follows a path, names, sites and customers stay random."""

    log_price: tuple[float, ...]  # months 0..H, contract prices over expected ones, log
    high_yield_peak_bp: float  # of the spread index at 12 months, 0 = as expected
    hazard_multiplier: float  # in place of the stress of the sector
    delay_months: float  # of every delivery still to come
    capex_factor: float  # on the cost of what is still to be delivered
    defaults: tuple[tuple[str, int], ...]  # (name, month): defaults that are certain


@dataclass(frozen=True, slots=True)
class Prior:
    """The law of an uncertain parameter, cut to the domain minimum..maximum."""

    id: str
    law: str  # gamma, normal, beta, lognormal, uniform, triangular
    first: float  # mean, median or minimum, see config.priors.LAWS
    second: float
    third: float  # 0 for laws of two numbers
    minimum: float
    maximum: float
    stream: str  # whose draw it takes: priors of one stream move together


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Parameters that are not known: draw k serves paths k G .. k G + G - 1."""

    paths_per_draw: int  # G
    priors: tuple[Prior, ...]  # by id


@dataclass(frozen=True, slots=True)
class DerivedCell:
    """A blank that a stated rule filled, or a value taken on an assumption."""

    table: str
    row: str
    field: str
    value: float | str
    rule: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """Everything one path of the model depends on, besides the seed and the path number."""

    horizon: int  # months
    parameters: Mapping[str, float]  # by id, with element: "dem.sigma", "dem.ap_mult.min"
    switches: Mapping[str, bool]  # by name, see SWITCHES
    correlations: tuple[tuple[float, ...], ...]  # order of CORRELATION_ORDER, unit diagonal
    sofr_forwards: tuple[float, ...]  # of months 1..H, per year; () = Vasicek from r0 to theta
    copula_nu: float  # degrees of freedom of the t copula, 0 = Gaussian
    path: MarketPath | None  # the market's path, if it is not simulated
    uncertainty: Uncertainty | None  # priors on parameters
    waterfall: tuple[str, ...]  # names of the lines, in order of payment
    book: Book
    expected: World  # what was expected at t0: no scenario changes it

    @property
    def world(self) -> World:
        """The market that is simulated."""
        return World(
            parameters=self.parameters,
            switches=self.switches,
            correlations=self.correlations,
            sofr_forwards=self.sofr_forwards,
            generations=self.book.generations,
            jurisdictions=self.book.jurisdictions,
            hyperscalers=hyperscalers(self.book.names),
            currencies=currencies(self.book),
            stressed=stressed(self.book.names),
        )


def currencies(book: Book) -> tuple[str, ...]:
    """Return the currencies of a book besides the dollar."""
    used = {one.currency for one in book.contracts} | {one.cost_currency for one in book.boxes}
    return tuple(sorted(used - {DOLLAR}))


def hyperscalers(names: Sequence[Name]) -> tuple[Name, ...]:
    """Return the names that can integrate vertically, as the market without deals knows them."""
    return tuple(replace(name, sponsor="") for name in names if name.hyperscaler)


def stressed(names: Sequence[Name]) -> bool:
    """Return whether the default hazard of any name moves with the market."""
    return any(name.beta > 0.0 or name.efficiency_loading > 0.0 for name in names)


DOLLAR = "USD"

NEW_NOTES = ".new_notes"
"""Ending of the id of the tranche on which a sponsor issues new notes."""

CORRELATION_ORDER = ("Z", "C", "D", "P", "M", "S", "E", "W", "R")

SWITCHES = (
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
    "delivery",
    "rates",
    "currencies",
    "spreads",
    "counterparty_default",
    "compensator",
    "integration",
    "renegotiation",
    "collateral",
    "sponsor",
    "structural_link",
    "priors",
    "easing",
    "lender_consent",
    "amendments",
)

WATERFALL_LINES = (
    "operating_costs",
    "senior_fees",
    "senior_interest",
    "senior_principal",
    "debt_service_reserve",
    "power_reserve",
    "junior_interest",
    "junior_principal",
    "sweep",
    "cash_trap",
    "refund_claims",
    "distribution",
)
