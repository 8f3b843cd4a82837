"""What the mutation check found, as a table that is kept and a page that is read.

``results.csv`` is written from a run, ``reasons.csv`` by hand: why a fault that no test caught
needs none. docs/mutation.md is made of both.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS, REASONS = HERE / "results.csv", HERE / "reasons.csv"
PAGE = Path("docs") / "mutation.md"
BEGIN, END = "<!-- made by make mutants: begin -->", "<!-- end -->"
COLUMNS = ("id", "file", "function", "kind", "before", "after", "tests", "caught", "why")

KINDS = {
    "sign": "a sign: −x to x",
    "operator": "an operator: + and −, × and ÷, powers, remainders",
    "comparison": "a comparison: its boundary (< to <=) or its direction (< to >=)",
    "twelfth": "years for months: a ÷ 12 or × 12 left out",
    "month": "a month: t to t − 1, t ± 1 to t, an index beside the right one",
    "constant": "a number: whole ones plus one, 0.0 and 1.0 for each other, others a tenth more",
    "logic": "and for or, or for and, a not left out",
    "extreme": "min for max, max for min",
}


def read_table(file: Path) -> list[dict[str, str]]:
    """Return the rows of a table, none if it is not there."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def table_of(found: Iterable[Mapping[str, Any]]) -> str:
    """Return results as the table that is kept: what depends on the machine is left out."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one in sorted(found, key=lambda row: (row["file"], row["line"], row["id"])):
        why = " ".join(str(one["why"]).split())[:100]
        writer.writerow({**one, "why": "" if one["caught"] else why})
    return out.getvalue()


def in_code(text: str) -> str:
    """Return an expression for a cell of a table."""
    short = text if len(text) <= 90 else text[:87] + "..."
    return f"`{short}`".replace("|", "\\|")


def told(rows: list[dict[str, str]], reasons: Mapping[str, Mapping[str, str]]) -> str:
    """Return the part of the page that is made by code."""
    caught = [row for row in rows if row["caught"]]
    by_kind = Counter(row["kind"] for row in rows), Counter(row["kind"] for row in caught)
    rooms = [row["file"].split("/")[1] for row in rows]
    by_room = Counter(rooms), Counter(row["file"].split("/")[1] for row in caught)
    equivalent = [
        row for row in rows if not row["caught"] and verdict_on(row, reasons) == "equivalent"
    ]
    share = len(caught) / len(rows)
    lines = [
        f"{len(caught)} of {len(rows)} faults are caught ({share:.1%}). Of the other "
        f"{len(rows) - len(caught)}, {len(equivalent)} are equivalent: no number changes. Of those "
        f"that change one, {len(caught) / max(1, len(rows) - len(equivalent)):.1%} are caught.",
        "",
        "| fault | drawn | caught |",
        "|---|--:|--:|",
        *(f"| {KINDS[kind]} | {by_kind[0][kind]} | {by_kind[1][kind]} |" for kind in KINDS),
        "",
        "| room | drawn | caught |",
        "|---|--:|--:|",
        *(
            f"| `simulator/{room}` | {by_room[0][room]} | {by_room[1][room]} |"
            for room in sorted(set(rooms))
        ),
        "",
        "Those that no test caught:",
        "",
        "| id | where | from | to | verdict | reason |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        if not row["caught"]:
            why = reasons.get(row["id"], {}).get("reason", "none yet")
            where = f"{row['file'].removeprefix('simulator/')}, `{row['function'] or 'module'}`"
            cells = (
                row["id"],
                where,
                in_code(row["before"]),
                in_code(row["after"]),
                verdict_on(row, reasons),
                why,
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdict_on(row: Mapping[str, str], reasons: Mapping[str, Mapping[str, str]]) -> str:
    """Return whether a fault that was not caught is equivalent, or lacks a test."""
    return reasons.get(row["id"], {}).get("verdict", "open")


def page_of(before: str) -> str:
    """Return the page with its part that is made by code written anew."""
    rows = read_table(RESULTS)
    reasons = {row["id"]: row for row in read_table(REASONS)}
    head, rest = before.split(BEGIN)
    tail = rest.split(END)[1]
    return f"{head}{BEGIN}\n\n{told(rows, reasons)}\n\n{END}{tail}"


def write_report(root: Path, found: Iterable[Mapping[str, Any]]) -> None:
    """Keep the results of a run, and write the page from them."""
    RESULTS.write_text(table_of(found), encoding="utf-8")
    page = root / PAGE
    page.write_text(page_of(page.read_text(encoding="utf-8")), encoding="utf-8")
