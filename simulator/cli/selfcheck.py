"""`neobox selfcheck`: cases with known answers, run by the kernels that simulate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.selfcheck.folder import Verdict

EPILOG = """\b
Examples:
  neobox selfcheck
  neobox selfcheck --seed 7 --paths 1000000
  neobox selfcheck --cases my-cases --json found.json

Without --cases the cases of the package are run, in about a minute; docs/validation.md tells what
they are. Cases of loans and boxes have nothing random in them and must give exact numbers; others
give estimates, each of which must lie within four standard errors, and the mean of z squared in
the band that chance explains: too small is wrong as well.

Exit codes: 0 all within, 1 one or more beyond (or a case of the package that was not run), 2 files
that cannot be read.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--cases",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of JSON files of cases, with their tables.  [default: those of the package]",
)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was found by case and path.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Of the cases with random numbers.",
)
@click.option(
    "--paths",
    type=click.IntRange(1_000),
    default=100_000,
    show_default=True,
    help="Paths of each of them; the limits of large pools take ten times as many.",
)
@click.pass_context
def selfcheck(
    ctx: click.Context, cases: Path | None, output: Path | None, seed: int, paths: int
) -> None:
    """Run cases with known answers and say how nearly they are met."""
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.dataset.files import replacing
    from simulator.selfcheck import Draws
    from simulator.selfcheck.folder import SHIPPED, check_folder
    from simulator.selfcheck.told import HEADING, lines_of, sum_of

    with ProgressLine() as line:
        compiling(line)
        verdicts = list(check_folder(cases or SHIPPED, Draws(seed, paths)))
    if any(one.scores for one in verdicts):
        click.echo(HEADING)
    for one in verdicts:
        for text in lines_of(one):
            click.echo(text)
    ran = [one for one in verdicts if one.kind]
    failed = [one for one in ran if not one.passed]
    figures = sum(len(one.found) + one.months for one in ran)
    click.echo(
        f"{len(ran)} of {len(verdicts)} cases run, {figures:,} numbers compared, "
        f"{len(failed)} cases beyond their tolerance"
    )
    together = sum_of(ran)
    if together.count:
        click.echo(str(together))
    if output:
        with replacing(output) as file:
            file.write((json.dumps(as_json(ran), indent=1) + "\n").encode())
    lacking = cases is None and len(ran) < len(verdicts)
    ctx.exit(1 if failed or lacking or not together.passed else 0)


def as_json(verdicts: list[Verdict]) -> dict[str, dict[str, Any]]:
    """Return what was found: a number that is exact, or a value and its standard error."""
    return {
        one.id: {
            path: {"value": found.value, "se": found.se} if found.se > 0.0 else found.value
            for path, found in one.found.items()
        }
        for one in verdicts
    }
