"""The study file: every key, its meaning, unit and default.

`StudyFile` is what a YAML file must look like; it becomes the JSON Schema that editors read and
the template that ``neobox init`` writes.  What a deal is stands in the tape (`tape.py`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from simulator.config.drivers import Drivers
from simulator.config.terms import CORRELATION_ORDER, WATERFALL_LINES
from simulator.config.values import (
    Correlation,
    CostShare,
    Flag,
    HallRent,
    Hazard,
    Identifier,
    Lower,
    Multiple,
    Number,
    Price,
    Quantity,
    Share,
    SignedUsdM,
    Tapes,
    Text,
    UsdM,
    Whole,
    YearMonth,
)

SCHEMA_NAME = "neobox.study/1"

Horizon = Annotated[
    int, Quantity("months", 12, 120, "writing 12 to 120 months, 72 is usual", whole=True)
]
Freedom = Annotated[
    float, Quantity("degrees of freedom", 2.1, 1000, "writing 5, or kind: gaussian")
]
Month = Annotated[int, Quantity("month from t0", 1, 120, "writing 1 to 120", whole=True)]
PathsPerDraw = Annotated[
    int,
    Quantity("paths", 2, 100_000, "writing 32; a draw costs as much as some ten paths", whole=True),
]
Method = Literal["plain", "importance", "quasi", "stratified"]
TailLevel = Annotated[float, Quantity("share", 0.5, 0.99999, "writing 0.999, not 99.9")]
PilotPaths = Annotated[
    int, Quantity("paths", 0, 10_000_000, "writing a number, or 0 to have it chosen", whole=True)
]
DefensiveShare = Annotated[float, Quantity("share", 0.01, 0.9, "writing 0.2")]
Replicates = Annotated[int, Quantity("replicates", 2, 1024, "writing 16", whole=True)]
Delay = Annotated[float, Quantity("months", 0, 60, "writing months")]
BasisPoints = Annotated[float, Quantity("bp", 1, 10_000, "writing basis points")]
Rate = Annotated[float, Quantity("fraction per year", -0.02, 0.25, "writing 0.0365 for 3.65%")]
GpuCost = Annotated[float, Quantity("USD per GPU", 100, 1e7, "writing USD, not thousands")]
Kilowatt = Annotated[float, Quantity("kW per GPU", 0.05, 50, "writing kW, not W")]
Installed = Annotated[
    float, Quantity("million units", 1e-6, 1e4, "writing millions of GPUs, or of kW for halls")
]
Drift = Annotated[float, Quantity("log per year", -1, 0.5, "writing -0.14 for a fall of 13%")]
Volatility = Annotated[float, Quantity("log per root year", 0, 1, "writing 0.08 for 8%")]
Elasticity = Annotated[float, Quantity("elasticity", 0, 3, "writing 1 for 'one to one'")]
IncomeMonths = Annotated[int, Quantity("months", 12, 600, "writing months", whole=True)]
Occupancy = Annotated[
    float, Quantity("share", 0.02, 0.99, "writing 92% or 0.92, not 92", suffixes=(("%", -2),))
]
Power = Literal["energised", "contracted", "applied_for"]
Scale = Literal["large", "medium", "small"]
ParameterSet = Literal["base", "low", "stress"]
Kind = Literal["hyperscaler", "ai_lab", "trading_firm", "neocloud", "corporate"]
Factor = Literal["Z", "C", "D", "P", "M", "S", "E", "W", "R"]
Line = Literal[
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
]
assert get_args(Factor) == CORRELATION_ORDER
assert get_args(Line) == WATERFALL_LINES


class Model(BaseModel):
    """A frozen block of keys; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, value: Any) -> Any:
        """Leave out keys that are blank: they take their default."""
        if isinstance(value, dict):
            return {key: inner for key, inner in value.items() if inner is not None}
        return value


def term(description: str, unit: str = "", default: Any = ..., **more: Any) -> Any:
    """Return a field with its description and unit (empty for words)."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **more)


class ParameterBlock(Model):
    """Which values of the parameter table a run takes."""

    set: ParameterSet = term(
        "column of the parameter table that everything starts from", "", "base"
    )
    driver_sets: dict[str, ParameterSet] = term(
        "column for one driver: first part of the id (dem) or name of the driver (demand)", "", {}
    )
    values: dict[str, Number] = term(
        "single values by id, for example dem.sigma or dem.ap_mult.min", "as in the table", {}
    )


class Copula(Model):
    """How defaults of names depend on each other beyond the factors."""

    kind: Literal["gaussian", "t"] = term("family of the copula", "", "gaussian")
    nu: Freedom = term("degrees of freedom of the t copula", "degrees of freedom", 5)


class Site(Model):
    """A data-centre site; every delivery there shares its draws."""

    jurisdiction: Identifier = term("one of the jurisdictions, for policy events")
    power_factor: Multiple = term("regional power price over pow.p0", "times", 1)
    power: Annotated[Power | None, Lower] = term(
        "energised at t0 (then it cannot be late), contracted, or only applied_for (later, killed"
        " more often); blank: as energised says",
        "",
        None,
    )
    energised: Flag = term(
        "whether the site had power at t0: true is power energised, false contracted", "", True
    )
    delay_factor: Multiple = term("regional factor on the probability of delay", "times", 1)
    network_risk: Flag = term("whether a fibre route may be late as well", "", False)
    fibre_probability: Share | None = term(
        "probability of that; blank: del.fibre_p", "probability", None
    )
    power_limited: Flag = term(
        "no more power is to be had: old GPUs make way for new ones that would earn more", "", False
    )
    source: Text = term("where this comes from", "", "")
    assumed: Text = term("field: reason; field: reason, for what was assumed", "", "")


class Counterparty(Model):
    """A customer or backstop: one legal name, one default time."""

    kind: Annotated[Kind, Lower] = term("what the name does; sets factor and loading")
    rating: Text = term(
        "Moody's or S&P notch, investment-grade, non-investment-grade or unrated", "", "unrated"
    )
    hazard_per_year: tuple[Hazard, ...] = term(
        "default hazards by year in place of the rating, the last one held", "1/year", ()
    )
    investment_grade: Flag | None = term("blank: by the rating", "", None)
    ai: Flag | None = term("loads on the AI factor; blank: AI labs and neoclouds do", "", None)
    beta: Multiple | None = term(
        "loading of the hazard on sector stress; blank: cp.beta.* by kind", "times", None
    )
    efficiency_loading: Multiple = term(
        "loading of the log hazard on demand lost to efficiency, for names that live on selling"
        " compute dear",
        "times",
        0,
    )
    export_exposed: Text = term("jurisdiction whose export control hits the name, or blank", "", "")
    source: Text = term("where this comes from", "", "")
    assumed: Text = term("field: reason; field: reason, for what was assumed", "", "")


class Sponsor(Model):
    """A HoldCo that owns boxes."""

    scale: Annotated[Scale, Lower] = term(
        "large, medium or small: how often its sites are late, how readily it supports a box"
        " (hold.scale_*)",
        "",
        "medium",
    )
    cash_usd_m: UsdM = term("cash at t0", "USD m")
    market_value_usd_m: UsdM = term("market value of its equity at t0", "USD m")
    other_cash_usd_m_per_year: SignedUsdM = term(
        "net cash of business outside the tape, after its own costs and leases", "USD m per year", 0
    )
    lease_usd_m_per_year: UsdM = term(
        "lease and purchase guarantees that boxes do not already pay", "USD m per year", 0
    )
    purchases_usd_m: dict[YearMonth, UsdM] = term(
        "purchase commitments by the month in which they fall due", "USD m", {}
    )
    other_value_usd_m: UsdM | None = term(
        "value at t0 of business outside the tape; blank: market value and HoldCo debt less cash"
        " and the equity of its boxes",
        "USD m",
        None,
    )
    source: Text = term("where this comes from", "", "")
    assumed: Text = term("field: reason; field: reason, for what was assumed", "", "")


class Generation(Model):
    """Changes to a GPU generation, a deal's own accelerator (then every price and kW), or a hall.

    A hall of a data centre is let by the kW of IT: its unit is the kW, its price the rent of a
    kW-month, and what is blank comes from the parameters ``hall.*``.
    """

    kind: Annotated[Literal["gpu", "hall"], Lower] = term(
        "gpu, or hall: a data-centre hall let by the kW", "", "gpu"
    )
    rent_usd_per_kw_month: HallRent | None = term(
        "market rent of a hall at t0, without power; blank: pow.colo", "USD per kW-month", None
    )
    contract_price_usd_per_gpu_hour: Price | None = term(
        "one-year contract price at t0", "USD per GPU-hour", None
    )
    spot_price_usd_per_gpu_hour: Price | None = term("spot price at t0", "USD per GPU-hour", None)
    kw: Kilowatt | None = term("IT power", "kW per GPU", None)
    capex_usd: GpuCost | None = term(
        "all-in price when new; of a hall per kW, blank: hall.capex", "USD per GPU", None
    )
    hardware_share: Share | None = term("share of that price that is the server", "share", None)
    installed_base_m: Installed | None = term(
        "units in the world at t0; of halls kW, blank: hall.base", "million units", None
    )
    base_grows: Flag | None = term("whether the installed base grows with supply", "", None)
    price_drift: Drift | None = term(
        "trend of the price in a balanced market; blank: gpu.delta, of halls hall.growth",
        "log per year",
        None,
    )
    tightness_share: Multiple | None = term(
        "loading of the log price on the market for compute; blank: 1, of halls hall.beta",
        "times",
        None,
    )
    steps_share: Multiple | None = term(
        "loading of the log price on new generations; blank: 1, of halls 0", "times", None
    )
    brownian_sd: Volatility | None = term(
        "volatility of a price that does not revert; blank: it reverts as GPUs do, of halls"
        " hall.sd",
        "log per root year",
        None,
    )
    resale_curve: tuple[CostShare, ...] = term(
        "value by age over price when new at years 1 to 6; blank: gpu.resale_curve, of halls"
        " straight over hall.life",
        "share",
        (),
    )
    resale_after: Share | None = term(
        "factor on that value a year after six; blank: 17/25, of halls 1 - 1/hall.life",
        "share",
        None,
    )
    resale_beta: Elasticity | None = term(
        "value to price, in surprises; blank: gpu.resale_beta, of halls 1", "elasticity", None
    )
    income_months: IncomeMonths | None = term(
        "months of income that a buyer pays for; blank: 84, of halls 240", "months", None
    )
    income_rate: Rate | None = term(
        "rate at which that income is discounted; blank: col.rate, of halls hall.yield",
        "fraction per year",
        None,
    )
    memory_exposed: Flag | None = term(
        "whether memory and tariffs move its cost and delivery; blank: true, of halls false",
        "",
        None,
    )
    occupancy: Occupancy | None = term(
        "mean share let of what has no contract; blank: gpu.util, of halls hall.occupancy",
        "share",
        None,
    )
    source: Text = term("where this comes from", "", "")


class PathBlock(Model):
    """A stress case: prices and spreads follow a path, names, sites and customers stay random."""

    price: dict[Month, Multiple] = term(
        "contract prices over expected ones by month; 1 at t0, log-linear between, flat after",
        "times",
    )
    hazard_multiplier: Multiple = term(
        "factor on default hazards, in place of the stress of the sector", "times", 1
    )
    high_yield_peak_bp: BasisPoints | None = term(
        "spread index at 12 months, back at its expected level by 36; blank: as expected",
        "bp",
        None,
    )
    delay_months: Delay = term("of every delivery still to come", "months", 0)
    capex_factor: Multiple = term("factor on the cost of what is still to come", "times", 1)
    defaults: dict[Identifier, Month] = term(
        "month of defaults that are certain, by name; largest-non-investment-grade is the one"
        " with the most contracted revenue",
        "month",
        {},
    )


class PriorBlock(Model):
    """The law of an uncertain parameter, in the unit of the parameter."""

    law: Literal["gamma", "normal", "beta", "lognormal", "uniform", "triangular"] = term(
        "gamma (mean, shape), normal (mean, sd), beta (mean, sd), lognormal (median, sd_log),"
        " uniform (min, max) or triangular (min, mode, max); cut to the domain of the parameter"
    )
    mean: Number | None = term("mean", "as in the table", None)
    median: Number | None = term("median", "as in the table", None)
    sd: Number | None = term("standard deviation", "as in the table", None)
    sd_log: Number | None = term("standard deviation of the logarithm", "log", None)
    shape: Number | None = term("shape of the gamma law", "", None)
    min: Number | None = term("smallest value", "as in the table", None)
    mode: Number | None = term("most likely value", "as in the table", None)
    max: Number | None = term("largest value", "as in the table", None)


class UncertaintyBlock(Model):
    """Parameters that are not known, drawn anew every few paths."""

    paths_per_draw: PathsPerDraw = term(
        "paths that share a draw of the parameters; at least 2, so that risk within can be told"
        " from risk between parameters",
        "paths",
        32,
    )
    priors: dict[str, PriorBlock] = term("laws by parameter id", "", {})


class Sampling(Model):
    """How paths are drawn: plainly, or so that the tail of the losses is seen more often."""

    method: Method = term(
        "plain; importance: paths with large losses are drawn more often and weighted by their"
        " likelihood; quasi: evenly spread draws; stratified: each stratum its share",
        "",
        "plain",
    )
    measure: Text = term(
        "number of a path whose tail is wanted, such as book_lender_loss; blank: the loss of the"
        " lender's book, or of the pool",
        "",
        "",
    )
    level: TailLevel = term("of the expected shortfall that is wanted", "share", 0.999)
    pilot_paths: PilotPaths = term("paths that choose the proposal, on top of the run", "paths", 0)
    defensive_share: DefensiveShare = term(
        "importance: share of paths drawn plainly, so that no weight is above its inverse",
        "share",
        0.2,
    )
    replicates: Replicates = term(
        "quasi: independent scramblings, whose spread is the error", "", 32
    )
    strata: Replicates = term("stratified: strata of equal probability", "", 64)


class Note(Model):
    """A note of a structure."""

    size: Share = term("of what the pool draws", "share")
    coupon: Rate = term("interest", "fraction per year")


class Structure(Model):
    """Notes over a pool of loans, paid in order."""

    members: dict[Identifier, Share] = term("share that the pool holds, by tranche", "share")
    notes: dict[Identifier, Note] = term("most senior first")
    fee: Rate = term("of the pool's balance, ahead of all notes", "fraction per year", 0)
    sequential: Flag = term("principal in order; false: pro rata until the trigger", "", True)
    trigger_loss: Share = term(
        "cumulative defaults over the original pool that make principal sequential; 0: none",
        "share",
        0,
    )


class Overlay(Model):
    """Insurance of a facility or of the book, or a floor under the sale of a box."""

    facility: Text = term("facility that is insured; blank: the whole book of the lender", "", "")
    box: Text = term("box whose sale has a floor, in place of an insurance", "", "")
    attachment_usd_m: UsdM = term("loss that is borne first", "USD m", 0)
    limit_usd_m: UsdM = term("most that is insured, or paid by a floor", "USD m")
    share: Share = term("of that which is paid", "share", 1)
    premium: Rate = term("of outstanding claims", "fraction per year", 0)
    floor_share: Share = term("of cost that a sale brings at least", "share", 0)
    floor_months: Whole = term("age at which the floor is 0, in a straight line", "months", 0)


Matrix = dict[Factor, dict[Factor, Correlation]]
Correlations = Annotated[
    Annotated[str, Tag("[file]")] | Annotated[Matrix, Tag("[matrix]")],
    Discriminator(lambda value: "[file]" if isinstance(value, str) else "[matrix]"),
]


class StudyFile(Model):
    """A study: which deals, which world, how long."""

    schema_: Literal["neobox.study/1"] = term("version of this format", alias="schema")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] = term(
        "short name, used for folders of results"
    )
    description: Text = term("what the study is for", "", "")
    start: YearMonth = term("month at whose end the study starts (t0)", "YYYY-MM")
    horizon_months: Horizon = term("length of a path", "months", 72)
    extends: Text = term(
        "study file of the same folder whose keys this one takes over and adds to; blank: none",
        "",
        "",
    )
    tape: Tapes = term(
        "folder with boxes.csv, debt.csv, contracts.csv, assets.csv, or a workbook (.xlsx) with"
        " sheets of these names, or a list of them that together make one tape; relative to this"
        " file"
    )
    parameters: ParameterBlock = term("what the world is like", "", ParameterBlock())
    reference: ParameterBlock = term("what was expected at t0; frozen", "", ParameterBlock())
    drivers: Drivers = term("which risk drivers are on", "", Drivers())
    correlations: Correlations | None = term(
        "changes to the correlation matrix, or path of a CSV; blank: the built-in one",
        "correlation",
        None,
    )
    correlation_stress: Multiple = term(
        "factor on the correlations among D, P, C and Z, 1.3 in stress runs", "times", 1
    )
    copula: Copula = term("dependence of defaults", "", Copula())
    sofr_curve: dict[Month, Rate] = term(
        "one-month SOFR forwards by month, linear between, flat outside; blank: Vasicek from ir.r0",
        "fraction per year",
        {},
    )
    path: PathBlock | None = term("stress case with a given market path", "", None)
    uncertainty: UncertaintyBlock | None = term("priors on parameters", "", None)
    sampling: Sampling = term("how paths are drawn", "", Sampling())
    waterfall: tuple[Line, ...] = term(
        "order of payments; all lines, distribution last", "", WATERFALL_LINES
    )
    ratings_table: Text = term(
        "CSV of your own: rating, then hazards y1, y2, ... (or probabilities pd1, pd2, ...)", "", ""
    )
    generations: dict[Identifier, Generation] = term(
        "changes to GPU generations, own accelerators, data-centre halls", "", {}
    )
    jurisdictions: dict[Identifier, Share] = term(
        "weights of policy events by jurisdiction, sum 1",
        "share",
        {"US": 0.6, "Europe": 0.25, "Asia": 0.15},
    )
    sites: dict[Identifier, Site] = term("data-centre sites, by id", "", {})
    counterparties: dict[Identifier, Counterparty] = term(
        "customers and backstops, by name", "", {}
    )
    sponsors: dict[Identifier, Sponsor] = term("HoldCos of the tape, by id", "", {})
    structures: dict[Identifier, Structure] = term("notes over pools of loans, by id", "", {})
    overlays: dict[Identifier, Overlay] = term("insurance and floors, by id", "", {})
