"""`neobox roll`: a book rolled forward to a new month."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  neobox roll october/study.yaml --to 2026-12 --out november
  neobox results bridge october/study.yaml november/study.yaml --jobs 2

Balances, draws and acceptances are those of the base case at the new month; what contracts fix is
written down. to-replace.csv lists what only you can know: put the actuals in, then run it.
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--to", metavar="YYYY-MM", required=True, help="New start month.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="New folder for study.yaml, tape and to-replace.csv.",
)
def roll(study: Path, to: str, out: Path) -> None:
    """Roll STUDY forward along its base case to another start month."""
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.rolling import LIST
    from simulator.rolling import roll as roll_forward

    with ProgressLine() as line:
        compiling(line)
        rolled = roll_forward(study, to, out)
    click.echo(str(rolled.study))
    click.echo(f"{len(rolled.to_replace)} cells to look at: {out / LIST}")
    click.echo(f"next: put the actuals in, then neobox check {rolled.study}")
