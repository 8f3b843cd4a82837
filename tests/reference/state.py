"""What is remembered from month to month about names, assets, tranches, boxes and sponsors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from simulator.config.terms import (
    Amortisation,
    Asset,
    Box,
    Contract,
    Generation,
    ModelInputs,
    Name,
    Site,
    Sponsor,
    Tranche,
)
from tests.reference.draws import Draws
from tests.reference.market import Market

TINY = 1e-9

DEFAULTS = {
    "cp.consent_dscr": 1.10,
    "cp.notch_slope": 0.46,
    "cp.drift_sd": 0.8,
    "box.waivers": 2.0,
    "box.waiver_fee": 0.005,
    "box.waiver_months": 12.0,
    "hold.borrow_share": 0.10,
    "hold.estate_share": 0.3,
}
"""Values of parameters that a study may leave out."""


class Status(Enum):
    """Status of an asset's lease."""

    PENDING = "pending"
    COMMISSIONING = "commissioning"
    CONTRACTED = "contracted"
    UNPAID = "unpaid"
    BACKSTOPPED = "backstopped"
    RELETTING = "reletting"
    MERCHANT = "merchant"
    CANCELLED = "cancelled"
    GONE = "gone"


UNDELIVERED = (Status.PENDING, Status.CANCELLED)
COMING = (Status.PENDING, Status.COMMISSIONING)
LEASED = (Status.CONTRACTED, Status.UNPAID, Status.BACKSTOPPED)


class Standing(Enum):
    """Where a box stands with its lenders."""

    PERFORMING = "performing"
    WORKOUT = "workout"
    RECOVERY = "recovery"  # the collateral model is off: waits for a drawn recovery
    CLOSED = "closed"


@dataclass
class NameState:
    terms: Name
    threshold: float  # E
    default_month: int = 0
    cumulative_hazard: float = 0.0  # Λ
    integrated_month: int = 0
    clock: int = 0  # months of export control left
    ended_month: int = 0  # when the clock reached 0
    hazard_multiplier: float = 1.0  # M of the month
    rating_walk: float = 0.0  # W
    notch: int | None = None  # N of the month, None if it is not followed

    def is_in_default(self, t: int) -> bool:
        return 0 < self.default_month <= t


@dataclass
class SiteState:
    terms: Site
    delay: float
    is_killed: bool
    availability: float


@dataclass
class ContractState:
    terms: Contract
    offtaker: NameState
    backstop: NameState | None
    backstop_left: float
    guarantor: NameState
    residual_left: float = math.inf  # USD m of the residual guarantee


@dataclass
class AssetState:
    terms: Asset
    contract: ContractState | None
    site: SiteState
    generation: Generation
    unit: float  # USD m a month for 1 USD per GPU-hour: gpus·730·availability/10⁶
    status: Status
    due: float
    delivered: int | None
    accepted: int | None
    remaining: int  # n, months of the term left
    is_first_term: bool
    price: float
    first_price: float
    k: float
    moneyness: float
    dev_0: float = 1.0
    credit: float = 0.0  # of prepayment, a month
    credit_months: int = 0
    unearned: float = 0.0
    arrears: float = 0.0
    reletting_left: int = 0
    merchant_price: float = 0.0
    merchant_months: int = 0
    idle_months: int = 0
    renegotiated: int | None = None
    reason: str = ""  # why a contract ended
    terminated_month: int = 0
    is_void: bool = False  # the contract was rejected or terminated
    is_refused: bool = False  # its export licence was
    outbid_months: int = 0  # running in which new GPUs would earn more of its power
    # of the month
    invoice_due: float = 0.0
    received: float = 0.0
    merchant: float = 0.0
    arrears_received: float = 0.0
    is_running: bool = False  # draws power

    @property
    def id(self) -> str:
        return self.terms.id

    def is_accepted_before(self, t: int) -> bool:
        return self.accepted is not None and self.accepted < t

    def is_delivered(self) -> bool:
        return self.delivered is not None

    def age(self, t: int) -> int:
        return max(0, t - self.accepted) if self.accepted is not None else 0


def is_never(asset: AssetState) -> bool:
    """Whether an undelivered asset can never come: its site is killed, or its licence refused."""
    return asset.site.is_killed or asset.is_refused


@dataclass
class Fit:
    """Schedule of a SCULPTED or DEPRECIATED tranche, fixed once."""

    month: int
    shares: dict[int, float] = field(default_factory=dict)  # w(s)
    caps: dict[int, float] = field(default_factory=dict)


@dataclass
class TrancheState:
    terms: Tranche
    balance: float
    undrawn: float
    maturity: int
    fixed: bool
    rate: float
    hedge_share: float
    amortisation: Amortisation
    amortisation_start: int
    interval: int = 1  # months between payments
    payment_anchor: int = 0  # a payment month
    balloon_amount: float | None = None  # None before the fit
    fit_balance: float | None = None  # at the fit
    payment: float | None = None  # level payment or straight instalment, if it was fixed
    fit: Fit | None = None
    accrued: float = 0.0  # interest since the last payment month
    shift: int = 0  # months by which late acceptance moves the schedule
    is_sized: bool = False  # a SIZED tranche has had its final draw
    arrears: float = 0.0
    is_extended: bool = False
    # of the month
    coupon: float = 0.0
    draw: float = 0.0
    interest: float = 0.0
    fee: float = 0.0
    fee_drawn: float = 0.0  # capitalised at the end of the month
    hedge: float = 0.0
    interest_due: float = 0.0  # through the waterfall
    instalment: float = 0.0
    final: float = 0.0  # principal left at maturity after the last instalment
    receipts: float = 0.0
    construction_interest: float = 0.0  # of the month, paid by equity
    is_accruing: bool = False  # interest of the month waits for the payment month
    is_prepaid: bool = False  # in this month
    # accounts
    discount: float = 1.0  # D
    discount_at_payment: float = 1.0  # D of the last month in which interest was settled
    rate_since_payment: float = 0.0  # Σ y/12 since then
    drawn_pv: float = 0.0
    exposure_at_default: float = 0.0
    received_since_default: float = 0.0
    default_month: int = 0
    balances: list[float] = field(default_factory=list)
    receipts_by_month: list[float] = field(default_factory=list)
    draws_by_month: list[float] = field(default_factory=list)
    coupons: list[float] = field(default_factory=list)
    interest_by_month: list[float] = field(default_factory=list)
    late_draws: list[float] = field(default_factory=list)  # at the end of months
    accrued_by_month: list[float] = field(default_factory=list)  # beside the balance
    discounts: list[float] = field(default_factory=list)  # D
    discounted_draws: list[float] = field(default_factory=list)  # of a month, at its start
    opening: float = 0.0  # claim(0)

    def receive(self, amount: float) -> None:
        """The lender receives interest, principal or a recovery."""
        self.receipts += amount

    def claim(self) -> float:
        """What is owed: balance and accrued interest."""
        return self.balance + self.accrued

    def is_regular(self, t: int) -> bool:
        """(t − m) mod n = 0."""
        return (t - self.payment_anchor) % self.interval == 0

    def is_payment_month(self, t: int) -> bool:
        """A regular one, or any from maturity on."""
        return self.is_regular(t) or t >= self.maturity

    def payments_left(self, t: int) -> int:
        """Number of payment months from t to maturity."""
        return sum(self.is_payment_month(s) for s in range(t, self.maturity + 1))


@dataclass
class Month:
    """Cash flows and tests of one box in one month."""

    receipts: float = 0.0
    invoices_due: float = 0.0
    invoices: float = 0.0
    invoices_received: float = 0.0  # of what was due
    merchant: float = 0.0
    arrears_received: float = 0.0
    damages: float = 0.0
    claims_received: float = 0.0
    power_cost: float = 0.0
    colo_cost: float = 0.0
    operations_cost: float = 0.0
    transfer_cost: float = 0.0
    operating_costs: float = 0.0
    undrawn_fee: float = 0.0
    hedge: float = 0.0
    senior_fees: float = 0.0
    cfads: float = 0.0  # before the hedge settlement
    capex: float = 0.0
    prepayment: float = 0.0
    prepayment_surplus: float = 0.0
    overrun_paid: float = 0.0  # by the customer
    accordion_drawn: float = 0.0  # part of draws
    disposals: float = 0.0  # residual guarantees and GPUs sold
    disposals_left: float = 0.0  # after debt was prepaid
    draws: float = 0.0
    capex_equity: float = 0.0
    issue_discount: float = 0.0  # paid with the draw
    capitalised: float = 0.0
    construction_equity: float = 0.0
    reserve_equity: float = 0.0
    interest: float = 0.0
    senior_interest_due: float = 0.0
    senior_principal_due: float = 0.0
    junior_service_due: float = 0.0
    final_principal_due: float = 0.0
    arrears_due: float = 0.0
    debt_service: float = 0.0  # DS of the covenants
    tested_cfads: float = 0.0  # of all months since the last payment month
    tested_service: float = 0.0
    dscr: float = math.nan
    crr: float = 1.0
    ltc: float = math.nan
    ltv: float = math.nan
    collateral: float = 0.0
    trap_on: bool = False
    over: int = 0
    shortfall: float = 0.0
    cure_asked: float = 0.0
    cure: float = 0.0
    support_given: float = 0.0
    support: float = 0.0
    trap_released: float = 0.0
    reserves_released: float = 0.0
    trap_drawn: float = 0.0
    power_reserve_drawn: float = 0.0
    reserve_drawn: float = 0.0
    paid_operating_costs: float = 0.0
    paid_senior_fees: float = 0.0
    paid_senior_interest: float = 0.0
    paid_senior_principal: float = 0.0
    paid_debt_service_reserve: float = 0.0
    paid_power_reserve: float = 0.0
    paid_junior_interest: float = 0.0
    paid_junior_principal: float = 0.0
    paid_sweep: float = 0.0
    paid_cash_trap: float = 0.0
    paid_refund_claims: float = 0.0
    collected: float = 0.0  # kept for the payment month
    sized_draw: float = 0.0  # paid out to equity
    waiver_fee: float = 0.0
    distribution: float = 0.0
    sale_proceeds: float = 0.0
    workout_cash: float = 0.0
    workout_paid: float = 0.0
    recovery: float = 0.0
    guarantee_paid: float = 0.0
    reserve_target: float = 0.0
    power_reserve_target: float = 0.0
    reserve: float = 0.0
    power_reserve: float = 0.0
    trap: float = 0.0
    debt: float = 0.0
    arrears: float = 0.0
    carried_costs: float = 0.0
    carried_fees: float = 0.0


@dataclass
class BoxState:
    terms: Box
    generation: Generation
    assets: list[AssetState]
    tranches: list[TrancheState]  # senior first, then by id
    pool_utilisation: float
    payment_anchor: int = 0  # a payment month
    standing: Standing = Standing.PERFORMING
    default_month: int = 0
    trigger: int = 0
    cause: str = ""
    reserve: float = 0.0  # DSRA
    power_reserve: float = 0.0
    trap: float = 0.0
    collected: float = 0.0  # since the last payment month
    period_cfads: float = 0.0  # since the last payment month
    period_service: float = 0.0
    trap_on: bool = False
    trap_flag: bool = False
    carried_costs: float = 0.0
    carried_fees: float = 0.0
    arrears_months: int = 0
    dscr_fails: int = 0
    liquidity_fails: int = 0
    over_months: int = 0
    cures_used: int = 0
    uncured_months: int = 0  # running in which a cure was asked and not given in full
    waivers: int = 0
    waived_until: int = 0  # last month without tests
    planned_acceptance: float = math.inf  # first, as planned at t0
    accordion_left: float = 0.0
    conceded: float = 0.0  # USD m a month, granted in renegotiations of this month
    disposals: list[tuple[int, float]] = field(default_factory=list)  # month, amount
    claims: list[tuple[int, float]] = field(default_factory=list)  # month, amount
    sale_month: int = 0
    haircut: float = 0.0  # H of the workout
    late_months: int = 0  # month-ends running with a balance past maturity
    recovery_month: int = 0
    recovery_amount: float = 0.0
    closed_month: int = 0
    had_debt: bool = False
    repaid_month: int = 0
    month: Month = field(default_factory=Month)
    months: list[Month] = field(default_factory=list)
    window: list[list[float]] = field(default_factory=list)  # [CFADS, DS] of the last three
    in_start: list[float] = field(default_factory=list)
    in_end: list[float] = field(default_factory=list)
    out: list[float] = field(default_factory=list)
    in_0: float = 0.0
    terminal_value: float = 0.0

    @property
    def id(self) -> str:
        return self.terms.id

    def debt(self) -> float:
        """Balances; what has accrued is no debt of tests and ratios."""
        return sum(tranche.balance for tranche in self.tranches)

    def claims_of_lenders(self) -> float:
        return sum(tranche.claim() for tranche in self.tranches)

    def undrawn(self) -> float:
        return sum(tranche.undrawn for tranche in self.tranches)

    def window_sums(self) -> tuple[float, float]:
        """ΣCFADS and ΣDS of the coverage window."""
        return sum(cfads for cfads, _ in self.window), sum(service for _, service in self.window)

    def is_payment_month(self, t: int) -> bool:
        """(t − m) mod n = 0, m the latest maturity at t0 of its tranches."""
        return (t - self.payment_anchor) % self.terms.payment_interval == 0

    def first_acceptance(self) -> int | None:
        months = [asset.accepted for asset in self.assets if asset.accepted is not None]
        return min(months) if months else None

    def is_accepted_before(self, t: int) -> bool:
        first = self.first_acceptance()
        return first is not None and first < t

    def cash(self) -> float:
        return self.reserve + self.power_reserve + self.trap + self.collected


@dataclass
class Obligation:
    """A guarantee that was called."""

    box: str
    amount: float
    called: int


@dataclass
class SponsorState:
    terms: Sponsor
    boxes: list[BoxState]
    notes: list[TrancheState]
    cash: float
    other_value: float = 0.0  # at t0
    default_month: int = 0
    retained: float = 1.0
    raised_in_year: float = 0.0
    overhead_and_coupons: float = 0.0  # of the month before
    unpaid_duty: float = 0.0  # of this month
    unpaid_duty_before: float = 0.0
    obligations: list[Obligation] = field(default_factory=list)
    deficiency: dict[str, float] = field(default_factory=dict)  # by box, at default
    note_claims: dict[str, float] = field(default_factory=dict)
    estate_month: int = 0
    payout_rate: float = 0.0
    cash_by_month: list[float] = field(default_factory=list)
    raised_by_month: list[float] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.terms.id

    def new_notes(self) -> TrancheState | None:
        """The tranche on which notes are issued, if it has one."""
        own = f"{self.id}.new_notes"
        return next((note for note in self.notes if note.terms.id == own), None)

    def is_alive_before(self, t: int) -> bool:
        """Whether it has not defaulted up to t − 1."""
        return self.default_month == 0 or self.default_month >= t


@dataclass
class World:
    """One path of one study."""

    inputs: ModelInputs
    draws: Draws
    market: Market
    t: int  # the month
    names: dict[str, NameState]
    sites: dict[str, SiteState]
    contracts: dict[str, ContractState]
    assets: list[AssetState]
    boxes: list[BoxState]
    sponsors: dict[str, SponsorState]

    @cached_property
    def p(self) -> dict[str, float]:
        return DEFAULTS | dict(self.inputs.parameters)

    def tranches(self) -> list[TrancheState]:
        """Of boxes, then of sponsors."""
        loans = [tranche for box in self.boxes for tranche in box.tranches]
        return loans + [note for one in self.sponsors.values() for note in one.notes]

    def is_on(self, switch: str) -> bool:
        return self.inputs.switches[switch]

    def sponsor_of(self, box: BoxState) -> SponsorState:
        return self.sponsors[box.terms.sponsor]
