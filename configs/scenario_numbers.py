"""Run the reference book under every scenario and write the tables of docs/scenarios.md.

python configs/scenario_numbers.py               # a quarter of an hour on two cores
python configs/scenario_numbers.py --print       # print instead of writing
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.analytics.comparison import comparison_table
from simulator.cli.scenarios import rows_of
from simulator.scenarios import Variant, driver_variants, load_variants, run_variants, variants_of

CONFIGS = Path(__file__).parent
STUDY = CONFIGS / "neocloud-2026.yaml"
PAGE = CONFIGS.parent / "docs" / "scenarios.md"
PATHS, SEED, JOBS = 10_000, 1, 2


def packs() -> list[Variant]:
    """Return the base and every scenario that is shipped."""
    return variants_of(sorted((CONFIGS / "scenarios").glob("*.yaml")))


def drivers() -> list[Variant]:
    """Return the base and every driver's low and stress parameters."""
    return [*variants_of([]), *driver_variants()]


def markdown(variants: Sequence[Variant]) -> str:
    """Run variants and return their comparison as a table in Markdown."""
    found = run_variants(load_variants(STUDY, variants), paths=PATHS, seed=SEED, jobs=JOBS)
    head, *rows = rows_of(comparison_table(found), PATHS)
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    lines.insert(1, "|---|" + "---:|" * (len(head) - 1))
    return "\n".join([f"{PATHS:,} paths, seed {SEED}; USD m; ± one standard error.", "", *lines])


def written(text: str, name: str, table: str) -> str:
    """Return a page with a table between its marks."""
    start, end = f"<!-- {name} -->\n", "<!-- end -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{table}\n{end}{after}"


def main(only_print: bool) -> None:
    """Write, or print, both tables."""
    text = PAGE.read_text(encoding="utf-8")
    for name, variants in (("comparison", packs()), ("drivers", drivers())):
        table = markdown(variants)
        if only_print:
            sys.stdout.write(f"{table}\n\n")
        text = written(text, name, table)
    if not only_print:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main("--print" in sys.argv[1:])
