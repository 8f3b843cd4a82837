"""Tables of lineage, from the parameter table, docs/model.md and the tape of the default book."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from docs.model_document.tables import ROOT, STUDY, markdown
from simulator import load_study
from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.parameters import Parameter, parameter_table
from simulator.config.study import Study


@cache
def study() -> Study:
    """Return the default study."""
    return load_study(STUDY)


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
