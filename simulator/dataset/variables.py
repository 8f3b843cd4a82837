"""The one table of everything a run returns: dimensions, type, unit, meaning.

Scalars are one number per path (and entity); series are one number per path and month (and
entity).  Money is in USD millions; "PV" is discounted to t0 at the loan's own coupon for lenders
and at the equity hurdle for sponsors (model §13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from simulator.dataset.dims import (
    BOX,
    COUNTERPARTY,
    ENTITIES,
    FACILITY,
    GENERATION,
    HALL,
    IF_ANY,
    MONTH,
    NOTE,
    OVERLAY,
    PARAMETER,
    PATH,
    SPONSOR,
    STRUCTURE,
    TRANCHE,
)

__all__ = [
    "CAUSES",
    "IRR_STATES",
    "SCALARS",
    "SERIES",
    "TRIGGERS",
    "VARIABLES",
    "Kind",
    "Variable",
]

Kind = Literal["scalar", "series"]

CAUSES: Final = (
    "none",
    "counterparty",
    "renegotiation",
    "control",
    "delay",
    "expiry",
    "sponsor",
    "refinancing",
    "costs_and_rates",
)
"""Meanings of `facility_default_cause`: what took most contracted revenue (model §11)."""

TRIGGERS: Final = (
    "none",
    "sponsor",
    "payment",
    "maturity",
    "termination",
    "dscr",
    "ltv_or_ltc",
    "liquidity",
)
"""Meanings of `facility_default_trigger`: the event of default (model §11)."""

IRR_STATES: Final = ("defined", "none", "several")
"""Meanings of `equity_irr_state`; the rate itself is NaN unless it is defined."""

NO_YES: Final = ("no", "yes")


@dataclass(frozen=True, slots=True)
class Variable:
    """One output of a run.

    Attributes
    ----------
    name : str
        Name in the engine's output and in the Dataset.
    dims : tuple of str
        Dimensions in the Dataset, the path first.
    dtype : str
        Type in which it is stored.
    units : str
        Unit (CF where CF has one).
    long_name : str
        Label for a reader.
    flags : tuple of str
        Meanings of the values 0, 1, 2 … of a code; empty for a quantity.
    missing : str
        What "no value" looks like and when it stands; empty if there is always a value.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    long_name: str
    flags: tuple[str, ...] = ()
    missing: str = ""

    @property
    def kind(self) -> Kind:
        """Whether there is one number per path, or one per path and month."""
        return "series" if MONTH in self.dims else "scalar"

    @property
    def entity(self) -> str | None:
        """Dimension over ids of the book, if there is one."""
        return next((dim for dim in self.dims if dim in ENTITIES), None)

    @property
    def needs(self) -> str | None:
        """Entity of which a study may have none: then the variable is left out."""
        if self.name == "book_lender_loss_net":
            return OVERLAY
        return self.entity if self.entity in IF_ANY else None

    @property
    def may_be_nan(self) -> bool:
        """Whether NaN is a legitimate value."""
        return self.missing.startswith("NaN")

    @property
    def attributes(self) -> dict[str, Any]:
        """CF attributes, plain enough for JSON."""
        attributes: dict[str, Any] = {"units": self.units, "long_name": self.long_name}
        if self.flags:
            attributes["flag_values"] = list(range(len(self.flags)))
            attributes["flag_meanings"] = " ".join(self.flags)
        if self.missing:
            attributes["comment"] = self.missing
        return attributes


MONEY: Final = "million USD"
FRACTION: Final = "1"
NEVER: Final = "0 if it never happens within the horizon"


def scalar(
    name: str,
    entity: str | None,
    units: str,
    long_name: str,
    *,
    dtype: str = "float64",
    flags: tuple[str, ...] = (),
    missing: str = "",
) -> Variable:
    """Describe one number per path and entity."""
    dims = (PATH, entity) if entity else (PATH,)
    return Variable(name, dims, dtype, units, long_name, flags, missing)


def series(
    name: str, units: str, long_name: str, *, entity: str | None = None, missing: str = ""
) -> Variable:
    """Describe one number per path, month and entity."""
    dims = (PATH, MONTH, entity) if entity else (PATH, MONTH)
    return Variable(name, dims, "float32", units, long_name, missing=missing)


def month_of(name: str, entity: str, event: str) -> Variable:
    """Describe the first month of an event."""
    return scalar(name, entity, "month", f"Month of {event}", dtype="int16", missing=NEVER)


def code(name: str, entity: str, long_name: str, flags: tuple[str, ...]) -> Variable:
    """Describe a code with named values."""
    return scalar(name, entity, FRACTION, long_name, dtype="int8", flags=flags)


SCALARS: Final = (
    # lenders
    scalar("lender_loss", FACILITY, MONEY, "Lenders' loss, PV"),
    scalar("lender_principal_loss", FACILITY, MONEY, "Lenders' loss of claim at default, nominal"),
    scalar(
        "lender_loss_share", FACILITY, FRACTION, "Lenders' loss as a share of what was lent, PV"
    ),
    scalar("exposure_at_default", FACILITY, MONEY, "Claim at default"),
    scalar("recovered_after_default", FACILITY, MONEY, "Received by lenders after default"),
    month_of("facility_default_month", FACILITY, "the facility's default"),
    code("facility_default_cause", FACILITY, "What took most contracted revenue", CAUSES),
    code("facility_default_trigger", FACILITY, "Event of default", TRIGGERS),
    code("facility_censored", FACILITY, "Alive with debt outstanding at the horizon", NO_YES),
    scalar("tranche_loss", TRANCHE, MONEY, "Tranche lenders' loss, PV"),
    scalar("tranche_drawn_pv", TRANCHE, MONEY, "Opening claim and draws of the tranche, PV"),
    scalar("book_lender_loss", None, MONEY, "Loss of the lender's book, PV"),
    # equity of boxes
    scalar("equity_pnl", BOX, MONEY, "Box equity profit, PV"),
    scalar("equity_contributions", BOX, MONEY, "Paid in by box equity, PV"),
    scalar(
        "equity_moic",
        BOX,
        FRACTION,
        "Box equity money multiple",
        missing="NaN if nothing was paid in",
    ),
    scalar(
        "equity_irr",
        BOX,
        "1/year",
        "Box equity internal rate of return, annual effective",
        missing="NaN unless equity_irr_state is 0 (defined)",
    ),
    code("equity_irr_state", BOX, "Whether the internal rate of return exists", IRR_STATES),
    code("equity_wiped_out", BOX, "Box equity gets back less than 5% of what it paid in", NO_YES),
    scalar(
        "equity_loss_share",
        BOX,
        FRACTION,
        "Box equity loss as a share of contributions, PV",
        missing="NaN where contributions are under 1% of capital expenditure",
    ),
    scalar("box_terminal_value", BOX, MONEY, "Value of box equity at the horizon"),
    month_of("box_first_breach_month", BOX, "the box's first covenant breach"),
    scalar("box_waivers", BOX, FRACTION, "Defaults of the box that lenders waived", dtype="int16"),
    # sponsors and counterparties
    scalar("sponsor_equity_pnl", SPONSOR, MONEY, "Profit of the sponsor's opening owners, PV"),
    scalar(
        "sponsor_equity_loss_share",
        SPONSOR,
        FRACTION,
        "Loss of the sponsor's opening owners as a share of opening value, PV",
        missing="NaN where the sponsor's opening value is 0",
    ),
    month_of("sponsor_default_month", SPONSOR, "the sponsor's default"),
    scalar(
        "sponsor_retained_share", SPONSOR, FRACTION, "Share of the sponsor its opening owners keep"
    ),
    scalar("sponsor_raised", SPONSOR, MONEY, "Equity raised by the sponsor"),
    month_of("counterparty_default_month", COUNTERPARTY, "the counterparty's default"),
    # notes of structures, tranches of pools
    scalar("note_loss", NOTE, MONEY, "Written down and interest unpaid at the horizon"),
    scalar("note_interest", NOTE, MONEY, "Interest paid to the note"),
    scalar("note_principal", NOTE, MONEY, "Principal paid to the note"),
    scalar("structure_residual", STRUCTURE, MONEY, "Paid to the holder of the residual"),
    # overlays
    scalar("overlay_payout", OVERLAY, MONEY, "Paid to the lender's book, PV"),
    scalar("overlay_premium", OVERLAY, MONEY, "Premium of the lender's book, PV"),
    scalar("book_lender_loss_net", None, MONEY, "Loss of the lender's book net of overlays, PV"),
    scalar("path_weight", None, "1", "Likelihood ratio of a path that was not drawn plainly"),
    scalar("parameter_value", PARAMETER, "as in the table", "Uncertain parameter, as drawn"),
)

SERIES: Final = (
    # market
    series("tightness", FRACTION, "Log of compute demand over capacity"),
    series("price_deviation", FRACTION, "Log deviation of rental prices from their reference path"),
    series("utilisation", FRACTION, "Utilisation of the market"),
    series("demand_index", FRACTION, "Compute demand, t0 = 1"),
    series("capacity_index", FRACTION, "Compute capacity, t0 = 1"),
    series("memory_cost_factor", FRACTION, "Factor of memory scarcity on capital expenditure"),
    series("high_yield_spread", "bp", "High-yield spread index"),
    series("sofr", "1/year", "SOFR, annual rate"),
    series("power_price", "USD/MWh", "Power price of the reference region"),
    series("efficiency_offset", FRACTION, "Log of demand added or lost to efficiency surprises"),
    series("custom_silicon_share", FRACTION, "Share of demand served by custom silicon"),
    series("captive_release", FRACTION, "Log of capacity added by captive owners"),
    series("credit_market_shut", FRACTION, "Refinancing market shut (1) or open (0)"),
    series(
        "rental_price_contract",
        "USD per GPU-hour",
        "Rental price, one-year contract",
        entity=GENERATION,
    ),
    series("rental_price_spot", "USD per GPU-hour", "Rental price, spot", entity=GENERATION),
    series("resale_factor", FRACTION, "Factor on the resale curve of a GPU", entity=GENERATION),
    series("hall_rent", "USD per kW-month", "Rent of a hall", entity=HALL),
    series("hall_value_factor", FRACTION, "Factor on the value of a hall by age", entity=HALL),
    # the lender's book
    series("outstanding_debt", MONEY, "Claims of the lender's book"),
    series("cumulative_lender_loss", MONEY, "Loss of the lender's book so far, PV"),
    series("cumulative_recoveries", MONEY, "Recovered by the lender's book so far, nominal"),
    series("cumulative_distributions", MONEY, "Distributions to box equity so far"),
    series("book_dscr", FRACTION, "Debt service coverage of the book", missing="NaN if no service"),
    series("boxes_in_default", FRACTION, "Boxes in default"),
    # boxes and sponsors
    series(
        "box_dscr",
        FRACTION,
        "Debt service coverage of the box",
        entity=BOX,
        missing="NaN in months without debt service",
    ),
    series(
        "box_ltv",
        FRACTION,
        "Debt over market value of the box's GPUs or halls",
        entity=BOX,
        missing="NaN where there is no collateral",
    ),
    series("sponsor_cash", MONEY, "Cash of the sponsor", entity=SPONSOR),
    series(
        "sponsor_principal_due",
        MONEY,
        "Principal of the sponsor's own debt that falls due, extended or not",
        entity=SPONSOR,
    ),
    series(
        "sponsor_short_of_cash",
        FRACTION,
        "Sponsor below its minimum cash (1) or not (0)",
        entity=SPONSOR,
    ),
)

VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {variable.name: variable for variable in SCALARS + SERIES}
)
"""All variables by name, scalars first, in the order in which they are stored."""
