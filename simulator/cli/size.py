"""`neobox size`: the terms of a facility that keep its risk under a target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import INFEASIBLE
from simulator.cli.options import changed_book, changes_to_a_study

if TYPE_CHECKING:
    from simulator.api import Progress
    from simulator.cli.progress import ProgressLine

EPILOG = """\b
Examples:
  neobox size study.yaml --facility TERM-A --target 'P(loss) <= 1%'
  neobox size study.yaml --facility TERM-A --target 'EL <= 25bp' --solve-for reserve --jobs 2
  neobox size study.yaml --facility TERM-A --target 'EL <= 25bp' --between 0.5 0.8 --json

Advance, commitment and balance scale together; prices and contracts stay as they are. All runs
stand on the same random numbers. The interval holds the Monte Carlo error and nothing else.
Exit codes: 0 solved (or slack: the target holds at every value tried), 6 infeasible (at none).
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--facility", required=True, help="Id of a facility of a box.")
@click.option(
    "--target", required=True, metavar="TEXT", help="'P(loss) <= 1%', or 'EL <= 25bp' of the loan."
)
@click.option(
    "--solve-for",
    type=click.Choice(["advance", "dscr", "reserve"]),
    default="advance",
    show_default=True,
    help="The largest advance, the lowest DSCR or the shortest reserve.",
)
@click.option(
    "--between",
    type=float,
    nargs=2,
    metavar="LOW HIGH",
    help="Values between which it is sought (0.5 0.8 for an advance of 50% to 80%).",
)
@click.option("--paths", type=click.IntRange(1), default=10_000, show_default=True, help="Paths.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Random seed.")
@click.option(
    "--jobs", type=click.IntRange(0), default=1, show_default=True, help="Workers; 0: one per core."
)
@changes_to_a_study
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def size(
    ctx: click.Context,
    study: Path,
    facility: str,
    target: str,
    solve_for: str,
    between: tuple[float, float] | None,
    paths: int,
    seed: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Find the riskiest terms of a facility of STUDY that keep its risk under a target."""
    from simulator.cli.progress import ProgressLine, compiling, duration
    from simulator.sizing.solve import size as solve

    loaded = changed_book(ctx, study)
    with ProgressLine(quiet=as_json) as line:
        if not as_json:
            compiling(line)
        found = solve(
            loaded,
            facility=facility,
            target=target,
            solve_for=solve_for,
            bounds=between,
            paths=paths,
            seed=seed,
            jobs=jobs,
            report=teller(line, quiet=as_json),
        )
    if as_json:
        click.echo(json.dumps(found.as_object(), indent=2))
    else:
        click.echo(found)
        click.echo(
            f"\n{found.runs} runs of {paths:,} paths, seed {seed}: {duration(found.seconds)}"
        )
    ctx.exit(INFEASIBLE if found.status == "infeasible" else 0)


def teller(line: ProgressLine, *, quiet: bool) -> Any:
    """Return what tells which run is under way, and how far it is."""

    def tell(name: str, progress: Progress | None) -> None:
        if quiet:
            return
        if progress is None:
            line.close()
            line.note(name)
        else:
            line(progress)

    return tell
