"""Write the tables of docs/validation.md again: what the cases of the package come to, and scope.

python docs/make_validation.py        # a minute

Between the marks of each table everything is replaced; the words around them stay.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from simulator.selfcheck import CASES, Draws
from simulator.selfcheck.folder import SHIPPED, Verdict, check_folder
from simulator.selfcheck.told import rows_of, sum_of

PAGE = Path(__file__).with_name("validation.md")
DRAWS = Draws(seed=1)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; a bar within a cell would end it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def estimates(verdicts: Sequence[Verdict]) -> str:
    """Return the table of estimates, and what they come to together."""
    heads = ("case", "what", "quantity", "exact", "estimate", "SE", "z")
    rows = (
        (row.case, one.title, f"`{row.quantity}`", row.exact, row.estimate, row.se, f"{row.z:+.2f}")
        for one in verdicts
        for row in rows_of(one)
    )
    return f"{table(heads, rows)}\n\n{sum_of(verdicts)}."


def exact_cases(verdicts: Sequence[Verdict]) -> str:
    """Return the table of cases without random numbers."""
    heads = ("case", "what", "kind", "numbers", "largest deviation, of what is allowed")
    return table(heads, (exact_row(one) for one in verdicts if not one.scores))


def exact_row(one: Verdict) -> tuple[str, ...]:
    """Return the row of a case without random numbers."""
    count = len(one.found) + one.months
    return one.id, one.title, one.kind, str(count), f"{one.worst:.1g}"


def kinds() -> Iterator[tuple[str, str, str]]:
    """Yield the kinds of cases that are run, what they do, and what tells them."""
    for name, kind in CASES.items():
        if kind.run is not None:
            told = ", ".join(f"`{key}`" for key in sorted(kind.keys)) or "what is asked"
            yield name, (inspect.getdoc(kind.run) or "").partition("\n")[0], told


def outside() -> Iterator[tuple[str, str]]:
    """Yield the kinds that are not run, and why."""
    for name, kind in CASES.items():
        if kind.reason:
            yield name, kind.reason


def put(text: str, name: str, contents: str) -> str:
    """Return a page with what stands between two marks replaced."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    found, count = re.subn(
        pattern, lambda match: f"{match[1]}{contents}\n{match[2]}", text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"expected the mark {name!r} once, found it {count} times")
    return found


def main() -> None:
    """Write the page."""
    verdicts = list(check_folder(SHIPPED, DRAWS))
    text = PAGE.read_text(encoding="utf-8")
    for name, contents in (
        ("estimates", estimates(verdicts)),
        ("exact", exact_cases(verdicts)),
        ("kinds", table(("kind", "what it does", "told by"), kinds())),
        ("outside", table(("kind", "why not"), outside())),
    ):
        text = put(text, name, contents)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
