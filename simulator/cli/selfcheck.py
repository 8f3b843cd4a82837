"""`neobox selfcheck`: cases with known numbers, run by the kernels that simulate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simulator.selfcheck.folder import Verdict

EPILOG = """\b
Examples:
  neobox selfcheck --cases tests/validation/cases
  neobox selfcheck --cases my-cases --json found.json

A case is a loan, a box or notes over a pool written out by hand, with everything random switched
off; a file of cases says what each must give, and how nearly. Other kinds are listed, not run.
Exit codes: 0 all within their tolerances, 1 one or more beyond, 2 files that cannot be read.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--cases",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of JSON files of cases, with their tables of months.",
)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was found by case and path.",
)
@click.pass_context
def selfcheck(ctx: click.Context, cases: Path, output: Path | None) -> None:
    """Run cases with known numbers and say how nearly they are met."""
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.dataset.files import replacing
    from simulator.selfcheck.folder import check_folder

    with ProgressLine() as line:
        compiling(line)
        verdicts = check_folder(cases)
    for one in verdicts:
        click.echo(told(one))
    ran = [one for one in verdicts if one.kind]
    failed = [one for one in ran if not one.passed]
    figures = sum(len(one.found or {}) + one.months for one in ran)
    click.echo(
        f"{len(ran)} of {len(verdicts)} cases run, {figures:,} numbers compared, "
        f"{len(failed)} cases beyond their tolerance"
    )
    if output:
        found = {one.id: dict(one.found or {}) for one in ran}
        with replacing(output) as file:
            file.write((json.dumps(found, indent=1) + "\n").encode())
    ctx.exit(1 if failed else 0)


def told(one: Verdict) -> str:
    """Return the line of a case."""
    if not one.kind:
        return f"{one.id:<12} not run: {one.reason}"
    words = f"worst {one.worst:.2g} of what is allowed" + (f" ({one.where})" if one.where else "")
    lacking = f"; not given: {', '.join(one.missing)}" if one.missing else ""
    state = "ok" if one.passed else "BEYOND"
    return f"{one.id:<12} {one.kind:<20} {state:<7} {words}{lacking}"
