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
    Flag,
    Hazard,
    Identifier,
    Lower,
    Multiple,
    Number,
    Price,
    Quantity,
    Share,
    SignedUsdM,
    Text,
    UsdM,
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
Delay = Annotated[float, Quantity("months", 0, 60, "writing months")]
BasisPoints = Annotated[float, Quantity("bp", 1, 10_000, "writing basis points")]
Rate = Annotated[float, Quantity("fraction per year", -0.02, 0.25, "writing 0.0365 for 3.65%")]
GpuCost = Annotated[float, Quantity("USD per GPU", 100, 1e7, "writing USD, not thousands")]
Kilowatt = Annotated[float, Quantity("kW per GPU", 0.05, 50, "writing kW, not W")]
Installed = Annotated[float, Quantity("million GPUs", 1e-6, 1e4, "writing millions of GPUs")]
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
    energised: Flag = term("whether the site had power at t0 (then it cannot be late)", "", True)
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
    """Changes to a GPU generation, or a deal's own accelerator (then every price and kW)."""

    contract_price_usd_per_gpu_hour: Price | None = term(
        "one-year contract price at t0", "USD per GPU-hour", None
    )
    spot_price_usd_per_gpu_hour: Price | None = term("spot price at t0", "USD per GPU-hour", None)
    kw: Kilowatt | None = term("IT power", "kW per GPU", None)
    capex_usd: GpuCost | None = term("all-in price when new", "USD per GPU", None)
    hardware_share: Share | None = term("share of that price that is the server", "share", None)
    installed_base_m: Installed | None = term("units in the world at t0", "million GPUs", None)
    base_grows: Flag | None = term("whether the installed base grows with supply", "", None)
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
    tape: Text = term(
        "folder with boxes.csv, debt.csv, contracts.csv, assets.csv, or a workbook (.xlsx) with"
        " sheets of these names; relative to this file"
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
    waterfall: tuple[Line, ...] = term(
        "order of payments; all lines, distribution last", "", WATERFALL_LINES
    )
    ratings_table: Text = term(
        "CSV of your own: rating, then hazards y1, y2, ... (or probabilities pd1, pd2, ...)", "", ""
    )
    generations: dict[Identifier, Generation] = term("changes to GPU generations", "", {})
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
