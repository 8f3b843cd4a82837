"""Cells and scalars: how a number, month, flag or id is written, and in which range it makes sense.

Risk people write ``85%`` and ``250bp``; both are read where a fraction is expected, a bare ``85``
is refused.  Ranges are wide and only there to catch a wrong unit (a price in cents, a commitment
in dollars): `low` and `high` belong to the allowed range.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

T = TypeVar("T")

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
MONTH = re.compile(r"(\d{4})-(\d{2})")
IDENTIFIER = re.compile(r"\w[\w .&+'()-]*")


def fault(expected: str, mend: str) -> PydanticCustomError:
    """Return an error that carries what was expected and how to mend it."""
    return PydanticCustomError(
        "neobox", "expected {expected}, mend by {mend}", {"expected": expected, "mend": mend}
    )


def filled(value: T | None) -> T:
    """Return a cell that is known to be filled."""
    assert value is not None
    return value


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit and the range in which it makes sense.

    Parameters
    ----------
    unit
        Unit, as printed in messages.
    low, high
        Smallest and largest value that makes sense.
    mend
        What to do about a value outside the range.
    whole
        Whether only whole numbers are allowed.
    suffixes
        Endings that scale a number, and their powers of ten.
    """

    unit: str
    low: float
    high: float
    mend: str = "checking the unit"
    whole: bool = False
    suffixes: tuple[tuple[str, int], ...] = ()

    @property
    def expected(self) -> str:
        """What the range allows, in words."""
        kind = "a whole number" if self.whole else "a number"
        unit = f" of {self.unit}" if self.unit else ""
        return f"{kind}{unit} between {self.low:g} and {self.high:g}"

    def parse(self, value: object) -> float:
        """Return `value` as a number, or refuse it."""
        number = self._number(value)
        if not math.isfinite(number):
            raise fault("a finite number", "writing a number or leaving it out")
        if self.whole and number != int(number):
            raise fault(self.expected, "rounding it")
        if not self.low <= number <= self.high:
            raise fault(self.expected, self.mend)
        return int(number) if self.whole else number

    def _number(self, value: object) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            text, power = value.strip(), 0
            for ending, scale in self.suffixes:
                if text.endswith(ending):
                    text, power = text[: -len(ending)].rstrip(), scale
            if NUMBER.fullmatch(text):
                return float(Decimal(text).scaleb(power))  # 7% is 0.07 to the last bit
            if text.casefold().lstrip("+-.") in ("nan", "inf", "infinity"):
                return math.nan
            if NUMBER.fullmatch(text.replace(",", "").replace(" ", "")):
                raise fault(self.expected, "leaving out commas and spaces")
        raise fault(self.expected, "writing a number")

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate with `parse` alone."""
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a number with bounds, or a string with one of the endings."""
        number: JsonSchemaValue = {
            "type": "integer" if self.whole else "number",
            "minimum": self.low,
            "maximum": self.high,
        }
        if not self.suffixes:
            return number
        endings = "|".join(ending for ending, _ in self.suffixes)
        text = {"type": "string", "pattern": rf"^[-+]?[0-9.]+\s*({endings})$"}
        return {"anyOf": [number, text]}


_ENDINGS = (("%", -2), ("bp", -4))
_PERCENT = "writing 85% or 0.85, not 85"
_RATE = "writing 5.5%, 550bp or 0.055, not 5.5"

Share = Annotated[float, Quantity("share", 0, 1, _PERCENT, suffixes=_ENDINGS)]
Rate = Annotated[float, Quantity("rate per year", -0.05, 1, _RATE, suffixes=_ENDINGS)]
CostShare = Annotated[float, Quantity("share of cost", 0, 1.5, _PERCENT, suffixes=_ENDINGS)]
ParPrice = Annotated[
    float, Quantity("fraction of par", 0.5, 1.1, "writing 97% or 0.97, not 97", suffixes=_ENDINGS)
]
Coverage = Annotated[float, Quantity("times", 0, 10, "writing 1.2 for 1.2x")]
BasisPoints = Annotated[
    float,
    Quantity("bp", 20, 3000, "writing 450 for a margin of 4.5%", suffixes=(("bp", 0),)),
]
UsdM = Annotated[float, Quantity("USD m", 0, 1e6, "writing USD millions, not dollars")]
SignedUsdM = Annotated[float, Quantity("USD m", -1e6, 1e6, "writing USD millions, not dollars")]
PositiveUsdM = Annotated[float, Quantity("USD m", 1e-6, 1e6, "writing USD millions above 0")]
Price = Annotated[
    float, Quantity("USD per GPU-hour", 0.05, 50, "writing dollars per GPU-hour (price in cents?)")
]
HallRent = Annotated[
    float, Quantity("USD per kW-month", 5, 2000, "writing USD per kW of IT and month")
]
Megawatts = Annotated[float, Quantity("MW", 1e-3, 1e5, "writing MW of IT, not kW")]
RentPerKw = Annotated[float, Quantity("USD per kW-month", 0, 2000, "writing USD per kW and month")]
Count = Annotated[float, Quantity("GPUs", 1e-3, 1e8, "writing the number of GPUs")]
Months = Annotated[
    int, Quantity("months", 0, 600, "writing a length in months, not below 0", whole=True)
]
Term = Annotated[
    int, Quantity("months", 1, 600, "writing a length in months, at least 1", whole=True)
]
Escalator = Annotated[
    float, Quantity("share per year", -0.2, 0.2, "writing 3% or 0.03, not 3", suffixes=_ENDINGS)
]
Interval = Annotated[int, Quantity("months", 1, 12, "writing 1 or 3 months", whole=True)]
StepBp = Annotated[
    float, Quantity("bp", -1000, 1000, "writing 50 for half a point", suffixes=(("bp", 0),))
]
Years = Annotated[float, Quantity("years", 0.25, 30, "writing years, not months")]
Whole = Annotated[int, Quantity("", 0, 1000, "writing a small whole number", whole=True)]
Multiple = Annotated[float, Quantity("times", 0, 20, "writing 1 for 'as is'")]
Hazard = Annotated[
    float, Quantity("hazard per year", 0, 10, "writing 0.02 or 2%, not 2", suffixes=_ENDINGS)
]
Number = Annotated[float, Quantity("", -1e12, 1e12, suffixes=_ENDINGS)]
Correlation = Annotated[float, Quantity("correlation", -1, 1, "writing a correlation")]


@dataclass(frozen=True, order=True, slots=True)
class YearMonth:
    """A calendar month, written ``2026-11``; what happens in it happens at its end."""

    year: int
    month: int

    @classmethod
    def parse(cls, value: object) -> YearMonth:
        """Return a month from text or from a date cell of a workbook."""
        if isinstance(value, YearMonth):
            return value
        if isinstance(value, (datetime.date, datetime.datetime)):
            return cls(value.year, value.month)
        match = MONTH.fullmatch(value.strip()) if isinstance(value, str) else None
        if match and 1 <= int(match[2]) <= 12 and 1990 <= int(match[1]) <= 2100:
            return cls(int(match[1]), int(match[2]))
        raise fault("a month YYYY-MM from 1990-01 to 2100-12", "writing for example 2026-11")

    @property
    def index(self) -> int:
        """Months since year 0."""
        return 12 * self.year + self.month - 1

    def __sub__(self, other: YearMonth) -> int:
        """Return the number of months from `other` to this one."""
        return self.index - other.index

    def plus(self, months: int) -> YearMonth:
        """Return the month so many months later."""
        year, month = divmod(self.index + months, 12)
        return YearMonth(year, month + 1)

    def __str__(self) -> str:
        """Return the month as it is written."""
        return f"{self.year:04d}-{self.month:02d}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate with `parse`, write as text."""
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a string with the pattern of a month."""
        return {"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])$"}


def _identifier(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = str(int(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and IDENTIFIER.fullmatch(value.strip()) and len(value) <= 80:
        return value.strip()
    raise fault("an id of letters, digits, spaces and . _ & + ' ( ) - (at most 80)", "renaming it")


def _currency(value: object) -> str:
    if isinstance(value, str) and len(value.strip()) == 3 and value.strip().isalpha():
        return value.strip().upper()
    raise fault("a currency of three letters", "writing for example EUR")


def _flag(value: object) -> bool:
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return value.strip().casefold() == "true"
    if isinstance(value, bool):
        return value
    raise fault("true or false", "writing true or false")


def _text(value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}"
    if isinstance(value, str):
        return value.strip()
    raise fault("text", "writing text, in quotes if need be")


def _tapes(value: object) -> Any:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, (list, tuple)) and names and all(isinstance(one, str) for one in names):
        return value
    raise fault("a folder or .xlsx, or a list of them", "writing for example [loans, halls]")


def _word(value: Any) -> Any:
    return value.strip().casefold() if isinstance(value, str) else value


def _steps(value: object) -> tuple[tuple[YearMonth, float], ...]:
    """Return months and multipliers of ``2027-06: 0.9; 2028-01: 0.8``."""
    return _monthly(value, _MULTIPLIER, "multiplier", "writing 2027-06: 0.9; 2028-01: 0.8")


def _shares(value: object) -> tuple[tuple[YearMonth, float], ...]:
    """Return months and shares of ``2027-06: 5%; 2027-12: 10%``, 1 in all at the most."""
    shares = _monthly(value, _PART, "share", "writing 2027-06: 5%; 2027-12: 10%")
    if sum(share for _, share in shares) > 1 + 1e-9:
        raise fault("shares that sum to at most 1", "correcting them; the rest falls due last")
    return shares


def _monthly(
    value: object, quantity: Quantity, what: str, mend: str
) -> tuple[tuple[YearMonth, float], ...]:
    """Return months, in order, and a number for each, of ``month: number; month: number``."""
    parts = [part.strip() for part in str(value).split(";") if part.strip()]
    pairs = [part.split(":") for part in parts]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise fault(f"month: {what}; month: {what}", mend)
    steps = tuple((YearMonth.parse(month), quantity.parse(number)) for month, number in pairs)
    if any(after <= before for (before, _), (after, _) in pairwise(steps)):
        raise fault("months in order, each once", "sorting them")
    return steps


def _cures(value: object) -> int:
    if isinstance(value, str) and value.strip().casefold() == "unlimited":
        return UNLIMITED
    if value == UNLIMITED:
        return UNLIMITED
    try:
        return int(Quantity("", 0, 1000, whole=True).parse(value))
    except PydanticCustomError:
        mend = "writing a number of cures, or unlimited"
        raise fault("a whole number between 0 and 1000, or unlimited", mend) from None


UNLIMITED = 1_000_000
"""A count that no path reaches."""
Cures = Annotated[
    int,
    BeforeValidator(_cures),
    PlainSerializer(lambda count: "unlimited" if count == UNLIMITED else count),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 1000}, {"const": "unlimited"}]}
    ),
]
_MULTIPLIER = Quantity("times the price", 0, 5, "writing 0.9 for 10% less", suffixes=_ENDINGS)
Steps = Annotated[
    tuple[tuple[YearMonth, float], ...],
    BeforeValidator(_steps),
    PlainSerializer(lambda steps: "; ".join(f"{month}: {times!r}" for month, times in steps)),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}\s*:"}),
]
Identifier = Annotated[str, BeforeValidator(_identifier)]
Currency = Annotated[str, BeforeValidator(_currency)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, BeforeValidator(_text)]
Tapes = Annotated[str | tuple[str, ...], BeforeValidator(_tapes)]
Lower = BeforeValidator(_word)
_PART = Quantity("share", 0, 1, _PERCENT, suffixes=_ENDINGS)
Shares = Annotated[
    tuple[tuple[YearMonth, float], ...],
    BeforeValidator(_shares),
    PlainSerializer(lambda shares: "; ".join(f"{month}: {share!r}" for month, share in shares)),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}\s*:"}),
]
