"""The file of a credit-only study: names, a copula, regimes, tranches; no market and no deals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from simulator.config.schema import Copula, Model, Sampling, term
from simulator.config.values import (
    Correlation,
    Flag,
    Hazard,
    Identifier,
    Months,
    PositiveUsdM,
    Quantity,
    Rate,
    Share,
    Text,
    UsdM,
    YearMonth,
)

POOL_SCHEMA: Literal["neobox.credit/1"] = "neobox.credit/1"

Horizon = Annotated[int, Quantity("months", 1, 600, "writing 1 to 600 months", whole=True)]
Generated = Annotated[
    float, Quantity("rate per year", -1000, 1000, "writing a rate of leaving per year")
]
MonthlyFactor = Annotated[
    float, Quantity("factor per month", 0, 1.2, "writing 0.97 for a fall of 3% a month")
]


def several(value: Any) -> Any:
    """Return one number, ``0.02; 0.03`` or a list as a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(";")]
    return [value] if isinstance(value, (int, float)) else value


ONE_OR_MORE = WithJsonSchema(
    {
        "anyOf": [
            {"type": ["number", "string"]},
            {"type": "array", "items": {"type": ["number", "string"]}},
        ]
    }
)
Shares = Annotated[tuple[Share, ...], BeforeValidator(several), ONE_OR_MORE]
Hazards = Annotated[tuple[Hazard, ...], BeforeValidator(several), ONE_OR_MORE]
Loadings = Annotated[tuple[Correlation, ...], BeforeValidator(several), ONE_OR_MORE]


class PoolName(Model):
    """A borrower; its curve is one of pd, hazard_per_year and rating."""

    exposure_usd_m: PositiveUsdM = term("owed at t0", "USD m")
    loan_rate: Rate | None = term("interest of an amortising loan", "fraction per year", None)
    loan_months: Months | None = term(
        "level payments from t0 on; blank: the exposure stands to the horizon", "months", None
    )
    pd: Shares | None = term(
        "probability of default within the horizon, or cumulative by the end of years 1, 2, ...",
        "probability",
        None,
    )
    hazard_per_year: Hazards | None = term(
        "default hazards by year, the last one held", "1/year", None
    )
    rating: Text | None = term("Moody's or S&P notch, for its hazards", "", None)
    lgd: Share | None = term("loss of the claim at default, or its mean", "share", None)
    lgd_sd: Share = term("standard deviation of its Beta law; 0: certain", "share", 0)
    collateral_usd_m: UsdM | None = term("value at t0, sold after a default", "USD m", None)
    collateral_monthly_factor: MonthlyFactor = term("its value over a month before", "times", 1)
    sale_cost: Share = term("of the proceeds", "share", 0)
    sale_lag_months: Months = term("from default to the sale", "months", 0)
    loadings: Loadings = term("on the common factors; one for each", "", ())
    lgd_loadings: Loadings = term(
        "of the loss given default on the common factors; blank: it does not move", "", ()
    )
    granular: Flag = term(
        "a great many small borrowers alike, of whom given the factors the expected share defaults",
        "",
        False,
    )
    source: Text = term("where this comes from", "", "")


class Regimes(Model):
    """A hazard common to all names that jumps between levels."""

    generator: tuple[tuple[Generated, ...], ...] = term(
        "rates of leaving one regime for another; rows sum to 0", "1/year"
    )
    start: tuple[Share, ...] = term("probabilities of the regimes at t0", "probability")
    hazard_per_year: tuple[Hazard, ...] = term("by regime, added to that of each name", "1/year")


class PoolTranche(Model):
    """A slice of the losses of the pool."""

    attachment: Share = term("loss below which it loses nothing", "share of the exposure")
    detachment: Share = term("loss at which it is lost", "share of the exposure")


class PoolFile(Model):
    """A credit-only study."""

    schema_: Literal["neobox.credit/1"] = term("version of this format", alias="schema")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] = term(
        "short name, used for folders of results"
    )
    description: Text = term("what the study is for", "", "")
    start: YearMonth = term("month at whose end the study starts (t0)", "YYYY-MM")
    horizon_months: Horizon = term("length of a path", "months", 60)
    discount_rate: Rate = term("of losses, to t0", "fraction per year", 0)
    copula: Copula = term("dependence of defaults beyond the factors", "", Copula())
    sampling: Sampling = term("how paths are drawn", "", Sampling())
    names: dict[Identifier, PoolName] = term("borrowers, by id", "", {})
    names_table: Text = term(
        "CSV of more of them: name, the same keys as columns, loading_1, loading_2, ...; relative"
        " to this file",
        "",
        "",
    )
    ratings_table: Text = term(
        "CSV of your own: rating, then hazards y1, y2, ... (or probabilities pd1, pd2, ...)", "", ""
    )
    regimes: Regimes | None = term("a hazard common to all names", "", None)
    tranches: dict[Identifier, PoolTranche] = term("slices of the pool's losses, by id", "", {})
