from __future__ import annotations

import datetime
import math
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from simulator.config.values import (
    BasisPoints,
    Flag,
    Identifier,
    Months,
    Price,
    Quantity,
    Rate,
    Share,
    YearMonth,
)


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return dict(caught.value.errors()[0]["ctx"])


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Share, "85%", 0.85),
        (Share, "7%", 0.07),
        (Share, "0.85", 0.85),
        (Share, 1, 1.0),
        (Rate, "250bp", 0.025),
        (Rate, "962 bp", 0.0962),
        (Rate, "5.9 %", 0.059),
        (Rate, "-0.5%", -0.005),
        (BasisPoints, "225bp", 225.0),
        (BasisPoints, 225, 225.0),
        (Price, "2.6", 2.6),
        (Months, "60", 60),
        (Months, 60.0, 60),
    ],
)
def test_numbers(kind: Any, text: object, value: float) -> None:
    assert read(kind, text) == value
    assert type(read(kind, text)) is type(value)


@pytest.mark.parametrize("number", [85, "85", 1.0001, -0.01])
def test_a_bare_percentage_is_refused_with_the_mend(number: object) -> None:
    assert refusal(Share, number)["mend"] == "writing 85% or 0.85, not 85"


@pytest.mark.parametrize("price", [260, 0.04, 50.1, "-2"])
def test_price_in_cents(price: object) -> None:
    said = refusal(Price, price)
    assert "price in cents?" in said["mend"]
    assert "0.05 and 50" in said["expected"]


@pytest.mark.parametrize("margin", [4.5, 0.045, 13, -10, 4500])
def test_margin_in_percent(margin: float) -> None:
    assert refusal(BasisPoints, margin)["mend"] == "writing 450 for a margin of 4.5%"


@pytest.mark.parametrize("value", [math.nan, math.inf, "nan", "-inf", ".nan", "Infinity"])
def test_not_finite(value: object) -> None:
    assert refusal(Share, value)["expected"] == "a finite number"


@pytest.mark.parametrize("value", ["1,300", "1 300"])
def test_thousands_separators(value: str) -> None:
    assert refusal(Months, value)["mend"] == "leaving out commas and spaces"


@pytest.mark.parametrize("value", [True, None, "many", "1_000", "0x10", [], "85%%"])
def test_not_a_number(value: object) -> None:
    assert refusal(Share, value)["mend"] == "writing a number"


def test_whole_numbers() -> None:
    assert refusal(Months, 1.5)["mend"] == "rounding it"
    assert "below 0" in refusal(Months, -1)["mend"]


def test_bounds_belong_to_the_range() -> None:
    kind = Annotated[float, Quantity("x", -1, 2)]
    assert [read(kind, value) for value in (-1, 2)] == [-1.0, 2.0]


def test_months() -> None:
    month = read(YearMonth, "2026-11")
    assert str(month) == "2026-11"
    assert str(month.plus(2)) == "2027-01"
    assert str(month.plus(-11)) == "2025-12"
    assert read(YearMonth, "2027-01") - month == 2
    assert read(YearMonth, datetime.date(2026, 11, 30)) == month
    assert month < read(YearMonth, "2026-12")


@pytest.mark.parametrize("value", ["2026-13", "2026-00", "202611", 202611, "Nov 2026", "1789-07"])
def test_impossible_months(value: object) -> None:
    assert "YYYY-MM" in refusal(YearMonth, value)["expected"]


@pytest.mark.parametrize("value", [True, "true", "TRUE", " True "])
def test_flags(value: object) -> None:
    assert read(Flag, value) is True


@pytest.mark.parametrize("value", ["yes", "no", 1, 0, "", "on"])
def test_other_words_are_no_flags(value: object) -> None:
    assert refusal(Flag, value)["expected"] == "true or false"


def test_ids() -> None:
    assert read(Identifier, " Example Lab (US) ") == "Example Lab (US)"
    assert read(Identifier, 101.0) == "101"
    for value in ("a/b", "=1+1", "", "x" * 81, True, "a;b"):
        assert refusal(Identifier, value)["mend"] == "renaming it"
