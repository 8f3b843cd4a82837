"""Write the tables of docs/model-document.md, and register.md and lineage.md beside this file.

python -m docs.model_document.pages       # from the CSV files here, the parameter table, the tape

Nothing is simulated: a test holds what stands on the pages against what this would write.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from docs.model_document.challenger import challenge
from docs.model_document.register import BASE, MOVE, judged
from docs.model_document.tables import HERE, ROOT, STUDY, read_rows
from simulator import load_study
from simulator.analytics.estimate import format_estimate
from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.parameters import Parameter, parameter_table
from simulator.config.study import Study

__all__ = ["DOCUMENT", "TABLES", "WHOLE_PAGES", "renewed"]

DOCUMENT: Final = ROOT / "docs" / "model-document.md"
MARKED: Final = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
LARGEST: Final = 20
ERRORS: Final = 2.0  # a change that is smaller, in standard errors, is not told from chance

EVENTS: Final = ("dem.ap_lambda", "eff.lambda", "reg.lambda", "ease.lambda")
"""Hazards of events that may come more than once."""

Row = Mapping[str, str]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a table; its first columns hold words, the others numbers."""
    line = ["---" if place < words else "---:" for place in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, line, *rows))


def told(row: Row, name: str, unit: str = "") -> str:
    """Return a value of a row with its error, as many digits as that bears."""
    if not row.get(name):
        return ""
    value, error = float(row[name]), float(row.get(f"{name}_se") or 0.0)
    if value == error == 0.0:
        return "0"
    sign = "+" if value > 0.0 and name.endswith(("_change", "_1_2", "_2_4")) else ""
    return sign + format_estimate(value, error) + unit


@cache
def study() -> Study:
    """Return the default study."""
    return load_study(STUDY)


# ------------------------------------------------------------------ register of judgement


@cache
def register() -> dict[str, dict[str, Row]]:
    """Return the measured moves by parameter and side."""
    found: dict[str, dict[str, Row]] = {}
    for row in read_rows("register.csv"):
        found.setdefault(row["id"], {})[row["side"]] = row
    return found


def changes(moves: Mapping[str, Row], measure: str) -> list[float]:
    """Return the changes of a parameter's moves."""
    return [float(row[measure]) for row in moves.values()]


def moves_anything(moves: Mapping[str, Row]) -> bool:
    """Tell whether any path changed."""
    return any(changes(moves, "expected_loss") + changes(moves, "expected_loss_se"))


def is_seen(moves: Mapping[str, Row]) -> bool:
    """Tell whether a move changes expected loss or shortfall by more than chance."""
    return any(
        abs(float(row[measure])) > ERRORS * float(row[f"{measure}_se"])
        for row in moves.values()
        for measure in ("expected_loss", "expected_shortfall")
    )


def move_cells(moves: Mapping[str, Row], measure: str) -> list[str]:
    """Return the change to the low and to the stress value."""
    return [change(moves[side], measure) if side in moves else "" for side in ("low", "stress")]


def change(row: Row, measure: str) -> str:
    """Return a change with its sign and error."""
    value, error = float(row[measure]), float(row[f"{measure}_se"])
    if value == error == 0.0:
        return "0"
    return ("+" if value > 0.0 else "") + format_estimate(value, error)


REGISTER_HEAD: Final = (
    "parameter",
    "base",
    "low, stress",
    "EL, low",
    "EL, stress",
    "ES 99%, low",
    "ES 99%, stress",
)


def register_cells(one: Parameter) -> list[str]:
    """Return the cells of a judged parameter."""
    moves = register().get(one.id, {})
    sides = [f"{float(moves[s]['value']):g}" if s in moves else "–" for s in ("low", "stress")]
    around = "" if all(row["stated"] == "true" for row in moves.values()) else "\\*"
    return [
        f"`{one.id}`",
        f"{one.base:g}",
        ", ".join(sides) + around,
        *move_cells(moves, "expected_loss"),
        *move_cells(moves, "expected_shortfall"),
    ]


def register_base() -> str:
    """Return a sentence with what the changes are changes of."""
    (row,) = register()[BASE].values()
    loss, tail = told(row, "expected_loss"), told(row, "expected_shortfall")
    return (
        f"{int(row['paths']):,} paths, seed {row['seed']}; the default book's expected loss is "
        f"USD {loss} m, its ES 99% USD {tail} m; changes against it in USD m, ± one paired "
        "standard error."
    )


def largest_judgements() -> str:
    """Return the judged parameters that move the tail most, of those seen at all."""
    seen = [one for one in judged() if is_seen(register().get(one.id, {}))]

    def size(one: Parameter) -> float:
        return max(map(abs, changes(register()[one.id], "expected_shortfall")))

    top = sorted(seen, key=lambda one: (-size(one), one.id))[:LARGEST]
    return f"{register_base()}\n\n{markdown(REGISTER_HEAD, map(register_cells, top), 3)}"


def judgement_counts() -> str:
    """Return how many parameters rest on judgement, and how many of them matter."""
    table, mine = parameter_table().values(), judged()
    read = [one for one in mine if one.read]
    still = [one for one in read if not moves_anything(register()[one.id])]
    seen = [one for one in read if is_seen(register()[one.id])]
    fifth = [one for one in read if one.low == one.stress == one.base]
    rows = [
        ("parameters in the table", len(table)),
        ("sourced: a figure that somebody published", count(table, "sourced")),
        ("derived: arithmetic on published figures", count(table, "derived")),
        ("judged", len(mine)),
        ("… not read by this version", len(mine) - len(read)),
        (f"… without a range in the table, moved by {MOVE:.0%}", len(fifth)),
        ("… that change nothing on any path of the default book", len(still)),
        (f"… whose effect exceeds {ERRORS:g} standard errors", len(seen)),
    ]
    return markdown(("", "number"), ((name, str(number)) for name, number in rows))


def count(table: Iterable[Parameter], basis: str) -> int:
    """Count the parameters of a basis."""
    return sum(one.basis == basis for one in table)


def register_page() -> str:
    """Return the whole register as a page."""
    parts = [
        "# Register of expert judgement",
        "Every parameter whose basis is *judgement*, and what the default book says if it is set "
        "to its low or stress value, one at a time, all else as the study has it. What was "
        "expected at t0 stays as it was: the deals are struck on the base values, and these turn "
        "out wrong. Written by `python -m docs.model_document.pages` from `register.csv`, which "
        "`python -m docs.model_document.register` measures.",
        register_base(),
        f"\\* The table gives no range: moved by {MOVE:.0%} either way (counts and months by at "
        "least one), inside the domain. 0: not one path changed. –: base is that end of the range "
        "itself, or no code reads the parameter. Points of one curve or law are moved alone here, "
        "which understates what the whole curve does: for that see the rows by driver of "
        "[scenarios.md](../scenarios.md).",
        markdown((*REGISTER_HEAD, "why this value"), map(register_with_reason, judged()), 3),
        "## Judged tables",
        "The correlations of monthly innovations (`simulator/config/correlations.csv`) are judged "
        "as a whole, anchored on how things moved together in 2025-26 and 2001. Scaling the block "
        "of demand, rents, AI credit and the credit cycle (`correlation_stress`):",
        markdown(
            ("factor", "expected loss", "ES 99%"),
            (
                [f"{row['value']}", change(row, "expected_loss"), change(row, "expected_shortfall")]
                for row in register()["correlation_stress"].values()
            ),
        ),
        "Shares of hardware and installed bases of `generations.csv` are judged where its source "
        "column says so; `hazards.csv` is a smooth fit by rating, not judged.",
    ]
    return "\n\n".join(parts) + "\n"


def register_with_reason(one: Parameter) -> list[str]:
    """Return the cells of a judged parameter with the ground of the judgement."""
    return [*register_cells(one), f"{one.description}: {one.source}"]


# ------------------------------------------------------------------ lineage


def driver_of(one: Parameter) -> str:
    """Return the driver or part that a parameter belongs to: the longest prefix wins."""
    fits = [
        (len(prefix), driver)
        for driver, prefixes in DRIVER_PREFIXES.items()
        for prefix in prefixes
        if one.id == prefix or one.id.startswith(f"{prefix}.")
    ]
    return max(fits)[1] if fits else one.id.partition(".")[0]


@cache
def sections() -> dict[str, str]:
    """Return the text of docs/model.md by number of section."""
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+)\. .*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def equations_of(one: Parameter) -> str:
    """Return the sections of docs/model.md that name a parameter, or the family it is part of."""
    family, several = one.id.rpartition(".")[0], one.id.rpartition("_")[0]
    names = [one.id, *([family] if "." in family else [])]
    bare = "|".join(map(re.escape, names))
    pattern = re.compile(rf"(?<![\w.])(?:(?:{bare})(?![\w.]\w)|{re.escape(several)}_\*)")
    return ", ".join(f"§{number}" for number, text in sections().items() if pattern.search(text))


def lineage_page() -> str:
    """Return where every parameter and every assumed cell of the book comes from."""
    rows = (
        [
            f"`{one.id}`",
            f"{one.base:g} {one.unit}",
            driver_of(one),
            equations_of(one) if one.read else "not read",
            one.basis,
            one.source,
        ]
        for one in parameter_table().values()
    )
    assumed: dict[tuple[str, str, str], list[str]] = {}
    for cell in study().derived:
        if cell.assumed:
            assumed.setdefault((cell.table, cell.field, cell.rule), []).append(cell.row)
    cells = (
        [table, f"`{field}`", ", ".join(sorted(rows)), rule]
        for (table, field, rule), rows in sorted(assumed.items())
    )
    parts = [
        "# Lineage: from a number to its source",
        "Written by `python -m docs.model_document.pages` from `simulator/config/parameters.csv`, "
        "docs/model.md and the tape of the default book.",
        "## Parameters",
        "*Equation* is the section of [model.md](../model.md) that names the parameter or its "
        "family; blank: it stands there by its letter, or fills cells of a tape or of the table of "
        "generations.",
        markdown(("parameter", "base", "part", "equation", "basis", "source"), rows, 6),
        "## Cells of the default book that are assumed",
        "The `assumed:` tags of the tape, cell by cell; all other cells are printed in the "
        "`source` of their row, or filled by a rule that `neobox check` names.",
        markdown(("table", "field", "rows", "assumption"), cells, 4),
    ]
    return "\n\n".join(parts) + "\n"


def lineage_of_parameters() -> str:
    """Return how many parameters of each part are sourced, derived and judged."""
    by: dict[str, Counter[str]] = {}
    for one in parameter_table().values():
        by.setdefault(driver_of(one), Counter())[one.basis] += 1
    bases = ("sourced", "derived", "judgement")
    rows = (
        [part, *(str(found[basis] or "") for basis in bases)] for part, found in sorted(by.items())
    )
    return markdown(("part", *bases), rows)


def lineage_of_book() -> str:
    """Return how many cells of the default book are public, follow a rule, and are assumed."""
    found: dict[str, Counter[str]] = {}
    for name in study().sources:
        found.setdefault(name.partition(".")[0], Counter())["all"] += 1
    for cell in study().derived:
        found.setdefault(cell.table, Counter())["assumed" if cell.assumed else "rule"] += 1
    rows = (
        [table, *(str(n[kind] or "") for kind in ("all", "rule", "assumed"))]
        for table, n in sorted(found.items())
    )
    return markdown(("table", "cells", "filled by a rule", "assumed"), rows)


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
