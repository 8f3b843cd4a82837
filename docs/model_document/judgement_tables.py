"""Tables of the register of expert judgement, from register.csv and the parameter table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from docs.model_document.register import BASE, MOVE, judged
from docs.model_document.tables import Row, markdown, read_rows, told
from simulator.analytics.estimate import format_estimate
from simulator.config.parameters import Parameter, parameter_table

LARGEST: Final = 20
ERRORS: Final = 2.0  # a change that is smaller, in standard errors, is not told from chance


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
