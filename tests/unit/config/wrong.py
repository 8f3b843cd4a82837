"""Ten ways to get a study wrong, each of which must give one clear message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.unit.config.conftest import Draft


@dataclass(frozen=True)
class Wrong:
    """A fault, and what its one message must say."""

    spoil: Callable[[Draft], object]
    place: str
    path: str
    expected: str
    got: str
    mend: str


def _lose_cash(draft: Draft) -> None:
    del draft.study["sponsors"]["Example Cloud"]["cash_usd_m"]


def _bare_percentage(draft: Draft) -> None:
    draft.row("debt", "TERM-A")["advance"] = 85


def _unknown_key(draft: Draft) -> None:
    draft.study["horizon_month"] = 60


def _negative_tenor(draft: Draft) -> None:
    draft.row("contracts", "LAB-1")["term_months"] = -36


def _unknown_counterparty(draft: Draft) -> None:
    draft.row("contracts", "SEARCH-1")["offtaker"] = "Example Serach"


def _duplicate_id(draft: Draft) -> None:
    draft.row("assets", "A-2")["asset"] = "A-1"


def _not_positive_definite(draft: Draft) -> None:
    draft.study["correlations"] = {"D": {"P": 0.95, "M": -0.95}}


def _maturity_before_close(draft: Draft) -> None:
    draft.row("debt", "TERM-B")["maturity"] = "2025-01"


def _price_in_cents(draft: Draft) -> None:
    draft.row("contracts", "LAB-1")["price_usd_per_gpu_hour"] = 260


def _not_a_number(draft: Draft) -> None:
    draft.row("assets", "B-1")["cost_usd_m"] = "nan"


TEN = {
    "missing field": Wrong(
        _lose_cash,
        "study.yaml:25:3",
        "sponsors.Example Cloud.cash_usd_m",
        "a value (cash at t0)",
        "nothing",
        "adding 'cash_usd_m'",
    ),
    "wrong unit scale": Wrong(
        _bare_percentage,
        "debt.csv:2",
        "advance",
        "a number of share of cost between 0 and 1.5",
        "'85'",
        "writing 85% or 0.85, not 85",
    ),
    "unknown key": Wrong(
        _unknown_key,
        "study.yaml:",
        "horizon_month",
        "a known key",
        "'horizon_month'",
        "writing 'horizon_months' (did you mean that?)",
    ),
    "negative tenor": Wrong(
        _negative_tenor,
        "contracts.csv:3",
        "term_months",
        "a whole number of months between 1 and 600",
        "'-36'",
        "writing a length in months, at least 1",
    ),
    "unknown counterparty": Wrong(
        _unknown_counterparty,
        "contracts.csv:2",
        "offtaker",
        "a known offtaker",
        "'Example Serach'",
        "writing 'Example Search' (did you mean that?)",
    ),
    "duplicate id": Wrong(
        _duplicate_id,
        "assets.csv:3",
        "asset",
        "an id once",
        "'A-1' again (assets.csv line 2)",
        "renaming it",
    ),
    "matrix not positive definite": Wrong(
        _not_positive_definite,
        "study.yaml:",
        "correlations",
        "a positive definite matrix as given",
        "smallest eigenvalue -0.",
        "moving the largest entries towards 0",
    ),
    "maturity before close": Wrong(
        _maturity_before_close,
        "debt.csv:3",
        "maturity",
        "a month after close, 2025-06",
        "2025-01",
        "correcting one of the two months",
    ),
    "price in cents": Wrong(
        _price_in_cents,
        "contracts.csv:3",
        "price_usd_per_gpu_hour",
        "a number of USD per GPU-hour between 0.05 and 50",
        "'260'",
        "writing dollars per GPU-hour (price in cents?)",
    ),
    "not a number": Wrong(
        _not_a_number,
        "assets.csv:4",
        "cost_usd_m",
        "a finite number",
        "'nan'",
        "writing a number or leaving it out",
    ),
}
