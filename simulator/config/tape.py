"""The deal tape: four tables, in market units, with blanks where a rule can fill them.

Each model below is one row of one table; its fields are the columns.  What a blank becomes is said
in the description and listed by ``neobox check``.  Months are written YYYY-MM.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from simulator.config.values import (
    BasisPoints,
    CostShare,
    Count,
    Coverage,
    Cures,
    Currency,
    Escalator,
    Flag,
    Identifier,
    Interval,
    Lower,
    Months,
    Multiple,
    ParPrice,
    PositiveUsdM,
    Price,
    Rate,
    RentPerKw,
    Share,
    Shares,
    SignedUsdM,
    StepBp,
    Steps,
    Term,
    Text,
    UsdM,
    Whole,
    YearMonth,
    Years,
)

TABLES = ("boxes", "debt", "contracts", "assets")
"""Names of the tables, in the order in which they are read."""


class Row(BaseModel):
    """What every row has."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def column(description: str, unit: str = "", default: Any = None) -> Any:
    """Return a column with its description and unit (empty for words)."""
    return Field(default, description=description, json_schema_extra={"unit": unit})


_SOURCE = "where the row comes from: text or URL"
_ASSUMED = "field: reason; field: reason, for values that were assumed"


class BoxRow(Row):
    """boxes.csv: ring-fenced vehicles."""

    box: Identifier = column("id of the box", "", ...)
    sponsor: Identifier = column("its sponsor (HoldCo)", "", ...)
    generation: Identifier = column("GPU generation of its assets", "", ...)
    recourse: Annotated[Literal["none", "limited", "full"] | None, Lower] = column(
        "standing of the parent; blank: none"
    )
    guarantee_cap_usd_m: UsdM | None = column(
        "cap of a limited guarantee; blank: all commitments", "USD m"
    )
    investment_grade: Flag | None = column(
        "spread class at refinancing; blank: if every customer (or its backstop) is"
    )
    power_hedged: Share | None = column("hedged share of power; blank: pow.hedged", "share")
    colo_usd_per_kw_month: RentPerKw | None = column(
        "colocation rent, 0 for an owned hall; blank: pow.colo", "USD per kW-month"
    )
    triple_net: Flag | None = column("the customer pays power, hall and O&M; blank: false")
    operations_share: Share | None = column(
        "O&M, insurance, overhead, of cost per year; blank: gpu.om", "share per year"
    )
    cost_currency: Currency | None = column(
        "currency of power, hall and operations, in USD of t0; blank: USD"
    )
    useful_life_months: Months | None = column(
        "life of the GPUs, 0 or blank: as long as they pay", "months"
    )
    market_factor: Multiple | None = column(
        "merchant price over market price where no contract fixes it; blank: 1", "times"
    )
    reserve_months: Months | None = column(
        "debt-service reserve in months of senior service; blank: loan.dsra", "months"
    )
    reserve_covers: Annotated[Literal["debt_service", "debt_service_and_costs"] | None, Lower] = (
        column("whether the reserve covers operating costs and hedges as well; blank: debt_service")
    )
    power_reserve_months: Months | None = column(
        "power reserve in months of power cost; blank: 0", "months"
    )
    sweep_share: Share | None = column("share of surplus cash swept; blank: 0", "share")
    sweep_threshold_dscr: Coverage | None = column(
        "surplus begins above this cover; blank: 0, all of CFADS", "times"
    )
    lockup_dscr: Coverage | None = column(
        "DSCR below which cash is trapped, 0 none; blank: loan.lockup.lockup or default_dscr",
        "times",
    )
    default_dscr: Coverage | None = column(
        "DSCR below which the loan defaults, 0 none; blank: loan.lockup.default or lockup_dscr",
        "times",
    )
    realisation_minimum: Share | None = column(
        "least share of contracted cash received, 3 months; blank: no test", "share"
    )
    minimum_liquidity_usd_m: UsdM | None = column(
        "least cash of the HoldCo; blank: no test", "USD m"
    )
    first_test: YearMonth | None = column(
        "first covenant test; blank: 12 months after the last draw end", "YYYY-MM"
    )
    test_interval_months: Term | None = column("months between tests; blank: 3", "months")
    ltc_trigger: CostShare | None = column(
        "loan-to-cost above which cash is swept; blank: none", "share of cost"
    )
    ltv_trigger: CostShare | None = column(
        "loan-to-value above which cash is swept; blank: none", "share of value"
    )
    cures: Cures | None = column(
        "equity cures allowed, a number or unlimited; blank: box.cures", "count"
    )
    cure_months: Months | None = column(
        "months for which a cure is asked again before it is a default; blank: 0", "months"
    )
    ltv_step_down: Rate | None = column(
        "how far both ratio triggers come down a year from t0 on; blank: 0", "share per year"
    )
    ratio_cure_months: Months | None = column(
        "months above a ratio trigger before its excess must be prepaid, 0 at once; blank: 3",
        "months",
    )
    payment_interval_months: Interval | None = column(
        "months between payments of debt, counted back from its latest maturity; blank: 1",
        "months",
    )
    overrun: Annotated[Literal["sponsor", "customer", "accordion"] | None, Lower] = column(
        "who pays what a delivery costs beyond its plan; blank: sponsor"
    )
    accordion_usd_m: UsdM | None = column(
        "further debt that lenders give for overruns alone; blank: none", "USD m"
    )
    default_on_termination: Flag | None = column(
        "full termination of one contract is an event of default; blank: false"
    )
    trap_on_breach: Flag | None = column("an unpaid contract traps cash; blank: false")
    operating_licence: Flag | None = column(
        "an operating licence shortens a change of operator; blank: false"
    )
    equity0_usd_m: SignedUsdM | None = column(
        "equity in the box at t0; blank: depreciated cost plus cash less debt", "USD m"
    )
    source: Text = column(_SOURCE, "", "")
    assumed: Text = column(_ASSUMED, "", "")


class DebtRow(Row):
    """debt.csv: tranches of boxes, and HoldCo debt where `box` is blank."""

    tranche: Identifier = column("id of the tranche", "", ...)
    facility: Identifier | None = column("facility it belongs to; blank: one of its own")
    box: Identifier | None = column("box that owes it; blank: the HoldCo")
    sponsor: Identifier | None = column("sponsor; blank: that of the box")
    kind: Annotated[
        Literal["term_loan", "notes", "convertible", "revolver", "vendor"] | None, Lower
    ] = column("kind of debt; blank: term_loan")
    rank: Whole | None = column("0 senior, larger is junior; blank: 0", "rank")
    commitment_usd_m: PositiveUsdM | None = column(
        "amount committed; blank: the amount drawn", "USD m"
    )
    drawn_usd_m: UsdM | None = column(
        "balance at drawn_asof; blank: commitment, or nothing yet if draws go on", "USD m"
    )
    drawn_asof: YearMonth | None = column("month of that balance; blank: t0", "YYYY-MM")
    close: YearMonth | None = column("closing; blank: drawn_asof, else t0", "YYYY-MM")
    draw_end: YearMonth | None = column("last month of draws; blank: no more draws", "YYYY-MM")
    maturity: YearMonth | None = column("final maturity; blank: close + loan.tenor", "YYYY-MM")
    margin_bp: BasisPoints | None = column(
        "margin over SOFR; blank without fixed_rate: today's new-issue spread", "bp"
    )
    fixed_rate: Rate | None = column("coupon of fixed-rate debt", "rate per year")
    floor: Rate | None = column("floor of SOFR; blank: 0", "rate per year")
    rate_cap: Rate | None = column("cap of SOFR in the coupon; blank: none", "rate per year")
    margin_step_bp: StepBp | None = column(
        "added to the margin or fixed rate from margin_step_month on; blank: none", "bp"
    )
    margin_step_month: YearMonth | None = column(
        "first month of the stepped margin; blank: no step", "YYYY-MM"
    )
    undrawn_fee: Rate | None = column(
        "fee on undrawn commitment; blank: 0.5% while draws go on, else 0", "rate per year"
    )
    hedge_share: Share | None = column(
        "share of floating debt swapped; blank: ir.hedge in a box, 0 at a HoldCo", "share"
    )
    swap_rate: Rate | None = column(
        "fixed leg of the swap; blank: SOFR expected over the life left", "rate per year"
    )
    issue_price: ParPrice | None = column("price at issue after fees; blank: 1", "fraction of par")
    advance: CostShare | None = column(
        "debt over cost of the assets; blank: commitments over known cost, else loan.ltv0",
        "share of cost",
    )
    amortisation: Annotated[
        Literal["level", "straight", "sculpted", "depreciated", "bullet", "custom", "sized"] | None,
        Lower,
    ] = column("schedule; blank: level in a box, bullet for converts, revolvers and HoldCo debt")
    amortisation_start: YearMonth | None = column(
        "first instalment; blank: the month after draw_end, or after t0", "YYYY-MM"
    )
    sculpt_dscr: Coverage | None = column(
        "cover the schedule was built on; blank: loan.dscr0", "times"
    )
    depreciation_years: Years | None = column("life in a depreciated schedule; blank: 6", "years")
    balloon: Share | None = column(
        "share of the balance left at maturity; blank: 0", "share of balance"
    )
    schedule: Shares | None = column(
        "custom amortisation: share of the balance at its start due in a month, the rest at"
        " maturity, as 2027-06: 5%; 2027-12: 10%; blank for other debt"
    )
    prepayments: Annotated[Literal["relevel", "shorten"] | None, Lower] = column(
        "whether prepaid debt lowers later instalments or the tail goes; blank: relevel"
    )
    missed: Annotated[Literal["caught_up", "left"] | None, Lower] = column(
        "whether a missed instalment is overdue or left in the balance; blank: caught_up"
    )
    maturity_moves: Flag | None = column(
        "a late first acceptance moves maturity and first instalment; blank: false"
    )
    construction_interest: Annotated[Literal["capitalised", "paid"] | None, Lower] = column(
        "interest and fees before the first acceptance: added to the debt, or paid by the"
        " sponsor; blank: capitalised"
    )
    borrowing_base: Flag | None = column(
        "debt after a draw is at most advance x depreciated cost; blank: false"
    )
    conversion_value_usd_m: PositiveUsdM | None = column(
        "market value of the sponsor at which a convertible converts; blank: never", "USD m"
    )
    lender_share: Share | None = column(
        "share held by the lender's book; blank: 1 in a box, 0 at a HoldCo", "share"
    )
    source: Text = column(_SOURCE, "", "")
    assumed: Text = column(_ASSUMED, "", "")


class ContractRow(Row):
    """contracts.csv: customer contracts."""

    contract: Identifier = column("id of the contract", "", ...)
    box: Identifier = column("box that serves it", "", ...)
    offtaker: Identifier = column("customer, one of the counterparties or sponsors", "", ...)
    backstop: Identifier | None = column("name that pays if the customer does not; blank: none")
    backstop_cap_usd_m: UsdM | None = column(
        "cap of the backstop; blank: the value of the contract", "USD m"
    )
    price_usd_per_gpu_hour: Price | None = column(
        "price; blank: from contract_value_usd_m, else solved from debt service",
        "USD per GPU-hour",
    )
    contract_value_usd_m: UsdM | None = column("value of the contract over its term", "USD m")
    value_attribution: Share | None = column(
        "share of that value earned by the assets of this tape; blank: 1", "share"
    )
    term_months: Term | None = column(
        "term from acceptance; blank: tenor of the longest debt of the box", "months"
    )
    consent: Annotated[Literal["with_lenders", "without", "at_will"] | None, Lower] = column(
        "whether lenders must agree to changes; blank: with_lenders"
    )
    prepayment_share: Share | None = column(
        "share of contract value paid at delivery; blank: 0", "share"
    )
    credit_months: Term | None = column(
        "last months of the term over which a prepayment is credited; blank: 36", "months"
    )
    escalator: Escalator | None = column(
        "step of the price on each anniversary of acceptance, the price being that at acceptance;"
        " blank: 0",
        "share per year",
    )
    billing: Steps | None = column(
        "multipliers of the price from a month after t0 on, as 2027-06: 0.9; 2028-01: 0.8;"
        " blank: 1 throughout"
    )
    rating_floor: Text = column(
        "worst rating of the customer (a notch, as Baa3) before cash of the box is trapped;"
        " blank: none",
        "",
        "",
    )
    residual_share: Share | None = column(
        "share of the cost of its assets guaranteed as their value when the first term ends;"
        " blank: 0",
        "share of cost",
    )
    residual_guarantor: Identifier | None = column("name that guarantees it; blank: the offtaker")
    residual_cap_usd_m: UsdM | None = column("most it pays; blank: no cap", "USD m")
    currency: Currency | None = column("currency of the price, in USD of t0; blank: USD")
    moneyness0: Multiple | None = column(
        "market price over contract price at t0, on the contract's own scale; blank: 1", "times"
    )
    source: Text = column(_SOURCE, "", "")
    assumed: Text = column(_ASSUMED, "", "")


class AssetRow(Row):
    """assets.csv: deliveries of GPUs."""

    asset: Identifier = column("id of the delivery", "", ...)
    box: Identifier = column("box that owns it", "", ...)
    contract: Identifier | None = column("contract it serves; blank: on demand")
    site: Identifier | None = column("site; blank: one site named as the box")
    gpus: Count | None = column("GPUs; blank: cost over gpu.capex", "GPUs")
    cost_usd_m: PositiveUsdM | None = column(
        "planned all-in cost; blank: GPUs x gpu.capex, else commitments over advance", "USD m"
    )
    price_fixed: Flag | None = column("cost not exposed to memory, noise, tariff; blank: false")
    licence: Flag | None = column("delivery waits for an export licence; blank: false")
    planned_delivery: YearMonth | None = column(
        "planned delivery; blank: by the share drawn, the rest before draw_end", "YYYY-MM"
    )
    commission_months: Months | None = column(
        "months from delivery to acceptance; blank: box.commission", "months"
    )
    accepted: YearMonth | None = column(
        "accepted by the customer; blank for a delivered asset: close + 9 months, at most t0",
        "YYYY-MM",
    )
    source: Text = column(_SOURCE, "", "")
    assumed: Text = column(_ASSUMED, "", "")


ROWS: dict[str, type[Row]] = {
    "boxes": BoxRow,
    "debt": DebtRow,
    "contracts": ContractRow,
    "assets": AssetRow,
}
KEYS = {"boxes": "box", "debt": "tranche", "contracts": "contract", "assets": "asset"}
"""Column that identifies a row, by table."""

AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as read: raw cells, where it stands, and the row itself if it is sound."""

    place: str
    cells: dict[str, Any]
    row: Row | None


@dataclass(slots=True)
class Tape:
    """The four tables as read.

    Parameters
    ----------
    entries
        Rows by table, sound or not.
    unreadable
        Tables that are missing, or whose rows cannot be told apart.
    incomplete
        Tables with a column that was not understood.
    """

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)

    def sound(self, table: str, kind: type[AnyRow]) -> list[tuple[str, AnyRow]]:
        """Return place and row of every sound row of a table."""
        return [
            (entry.place, entry.row)
            for entry in self.entries.get(table, [])
            if isinstance(entry.row, kind)
        ]

    def ids(self, table: str) -> set[str] | None:
        """Return the ids of a table, sound or not; None if they cannot all be known."""
        if table in self.unreadable:
            return None
        found = [str(entry.cells.get(KEYS[table], "")).strip() for entry in self.entries[table]]
        return set(found) if all(found) else None
