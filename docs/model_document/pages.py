"""Write the tables of docs/model-document.md, and register.md and lineage.md beside this file.

python -m docs.model_document.pages       # from the CSV files here, the parameter table, the tape

Nothing is simulated: a test holds what stands on the pages against what this would write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from docs.model_document.challenger import challenge
from docs.model_document.judgement_tables import judgement_counts, largest_judgements, register_page
from docs.model_document.lineage_tables import (
    lineage_of_book,
    lineage_of_parameters,
    lineage_page,
    study,
)
from docs.model_document.tables import HERE, ROOT, Row, markdown, read_rows, told
from simulator.config.parameters import parameter_table

__all__ = ["DOCUMENT", "TABLES", "WHOLE_PAGES", "renewed"]

DOCUMENT: Final = ROOT / "docs" / "model-document.md"
MARKED: Final = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
EVENTS: Final = ("dem.ap_lambda", "eff.lambda", "reg.lambda", "ease.lambda")
"""Hazards of events that may come more than once."""


# ------------------------------------------------------------------ time step


def step_rows(*, exact: bool) -> str:
    """Return the step error of market quantities."""
    head = (
        "quantity",
        "month",
        "mean",
        "sd",
        "mean: ½ less 1",
        "mean: ¼ less ½",
        "sd: ½ less 1",
        "sd: ¼ less ½",
    )
    columns = ("mean_1_2", "mean_2_4", "sd_1_2", "sd_2_4")
    found = [row for row in read_rows("step_market.csv") if (row["exact"] == "true") is exact]
    rows = (
        [
            row["quantity"],
            row["month"],
            f"{float(row['mean']):.3g}",
            f"{float(row['sd']):.3g}",
            *(told(row, name) for name in columns),
        ]
        for row in found
    )
    return f"{int(found[0]['paths']):,} paths, seed 1.\n\n{markdown(head, rows)}"


def step_book() -> str:
    """Return the step error of defaults and losses of the small book."""
    found = read_rows("step_book.csv")
    head = ("", "paths", "mean, 1 month", "sd of paths", "½ less 1 month")
    rows = (
        [
            row["quantity"],
            f"{int(row['paths']):,}",
            f"{float(row['mean']):.4g}",
            f"{float(row['sd']):.3g}",
            told(row, "mean_1_2"),
        ]
        for row in found
    )
    return markdown(head, rows)


def events_lost() -> str:
    """Return which share of events a month that holds at most one of a kind loses."""
    table = parameter_table()
    rows = []
    for name in EVENTS:
        month = table[name].base / 12.0
        lost = 1.0 + math.expm1(-month) / month
        rows.append([table[name].description, f"`{name}`", f"{table[name].base:g}", f"{lost:.2%}"])
    return markdown(("event", "hazard", "a year", "lost"), rows, 2)


# ------------------------------------------------------------------ challenger


def bridge() -> str:
    """Return the rungs from the engine to the challenger."""
    found = read_rows("bridge.csv")
    head = ("rung", "paths", "P(default), %", "change", "expected loss, %", "change")
    rows = [
        [
            row["rung"],
            f"{int(row['paths']):,}" if row["paths"] else "",
            told(row, "default"),
            told(row, "default_change"),
            told(row, "loss"),
            told(row, "loss_change"),
        ]
        for row in found
    ]
    *_, last, answer = found
    apart = ", ".join(
        f"{(float(last[name]) - float(answer[name])) / float(last[f'{name}_se']):+.1f} for {said}"
        for name, said in (("default", "the default probability"), ("loss", "the expected loss"))
    )
    closing = (
        "The challenger's changes are path by path, given the month of the customer's default. "
        f"Off its closed form the last rung is, in standard errors: {apart}."
    )
    return f"{markdown(head, rows)}\n\n{closing}"


def challenger_terms() -> str:
    """Return what the challenger is told, and what it answers."""
    from docs.model_document.bridge import alone, facility_of

    one = facility_of(alone(study().inputs))
    said = challenge(one)
    new = sum(value for value, _ in one.hardware)
    rows = [
        (
            "balance at t0, coupon, maturity",
            f"USD {one.balance:,.0f} m, {one.coupon:.1%}, {one.maturity} months",
        ),
        ("reserve", f"{one.reserve_months} payments"),
        ("hazard of the customer", f"{one.hazard:.4f} a year"),
        ("from default to sale", f"{one.decision_months} + {one.sale_months} months"),
        ("servers when new", f"USD {new:,.0f} m"),
        (
            "log rent: κ, σ; elasticity of resale",
            f"{one.kappa:g}, {one.sigma:g}; {one.resale_beta:g}",
        ),
        ("haircut, cost of sale", f"{one.haircut:.0%} ± {one.haircut_sd:.0%}, {one.sale_cost:.0%}"),
        (
            "answer: P(default), expected loss, loss given default",
            f"{said.default_probability:.2%}, {said.expected_loss_share:.2%}, "
            f"{said.loss_given_default:.1%}",
        ),
    ]
    return markdown(("", "value"), rows, 2)


# ------------------------------------------------------------------ tests


def checks() -> str:
    """Return the cases with known answers, by kind."""
    by: dict[str, list[Row]] = {}
    for row in read_rows("checks.csv"):
        if row["kind"]:
            by.setdefault(row["kind"], []).append(row)
    head = ("kind", "cases", "numbers", "worst, of what is allowed", "estimates", "mean z²")

    def cells(kind: str, rows: Sequence[Row]) -> list[str]:
        drawn = sum(int(row["estimates"]) for row in rows)
        square = sum(float(row["sum_of_squares"]) for row in rows)
        return [
            kind,
            str(len(rows)),
            f"{sum(int(row['numbers']) for row in rows):,}",
            f"{max(float(row['worst']) for row in rows):.2g}",
            str(drawn or ""),
            f"{square / drawn:.2f}" if drawn else "",
        ]

    return markdown(head, (cells(*one) for one in sorted(by.items())))


def suite() -> str:
    """Return the folders of tests."""
    rows = ([f"`tests/{r['folder']}`", r["holds"], r["tests"]] for r in read_rows("suite.csv"))
    return markdown(("folder", "holds", "tests"), rows, 2)


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "judgement-counts": judgement_counts,
    "judgement-largest": largest_judgements,
    "lineage-parameters": lineage_of_parameters,
    "lineage-book": lineage_of_book,
    "step-exact": lambda: step_rows(exact=True),
    "step-euler": lambda: step_rows(exact=False),
    "step-book": step_book,
    "events-lost": events_lost,
    "challenger-terms": challenger_terms,
    "bridge": bridge,
    "checks": checks,
    "suite": suite,
}
"""What stands between marks of the document, by name."""

WHOLE_PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "register.md": register_page,
    "lineage.md": lineage_page,
}


def renewed(text: str) -> str:
    """Return the document with every table made again."""
    return MARKED.sub(lambda at: f"{at[1]}{TABLES[at[2]]()}\n{at[3]}", text)


def main() -> None:
    """Write all pages."""
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    for name, page in WHOLE_PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
