"""`neobox market`: the market of a study without its deals, variable by variable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.options import changed_book, changes_to_a_study

if TYPE_CHECKING:
    from simulator.reports.tables.table import Table

FAVOURITE = "H100"

EPILOG = """\b
Examples:
  neobox market study.yaml
  neobox market study.yaml --paths 50000 --set dem.ap_lambda=0.3 --out results/market
  neobox market study.yaml --json > market.json

Deals play no part, except that hyperscalers of the tape may take rented work in house. Path 7 of
seed 1 is the market of path 7 of `neobox run --seed 1`. --out writes market.csv, every quantile of
every month with its standard error, and the fans and sample paths as figures.
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--paths", type=click.IntRange(1), default=10_000, show_default=True, help="Paths.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Random seed.")
@changes_to_a_study
@click.option(
    "--generation",
    "generations",
    multiple=True,
    help="GPU whose prices are printed, H100 by default; may be given several times. Rents of halls"
    " are printed if the study has any.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for market.csv and a figure for each driver.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def market(
    ctx: click.Context,
    study: Path,
    paths: int,
    seed: int,
    generations: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Simulate the market of STUDY alone and print where its variables stand after some years."""
    from simulator.analytics.market import market_fans
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.market import simulate_market
    from simulator.reports.tables.market import main_table, market_object

    loaded = changed_book(ctx, study)
    gpus = [one.name for one in loaded.inputs.book.generations if not one.is_hall]
    told = chosen(generations, gpus)
    with ProgressLine(quiet=as_json) as line:
        line.note(f"preparing {loaded.title}")
        compiling(line)
        simulated = simulate_market(loaded, paths, seed)
        line.note("summing up the paths")
        fans = market_fans(simulated)
        written = []
        if out:
            from simulator.reports.files import save_market

            line.note("drawing the figures")
            written = save_market(simulated, fans, out)
    if as_json:
        click.echo(json.dumps(market_object(fans), indent=2))
    else:
        click.echo(f"{fans.attrs['title']}: {paths:,} paths, seed {seed}")
        click.echo(as_text(main_table(fans, told)))
    for path in written:
        click.echo(str(path), err=as_json)


def chosen(asked: tuple[str, ...], known: list[str]) -> list[str]:
    """Return the generations to tell of; one that stands for all if none were asked for."""
    from simulator.config.errors import did_you_mean

    for name in asked:
        if name not in known:
            near = did_you_mean(name, known, f"choosing one of {', '.join(known)}")
            raise click.BadParameter(f"no generation {name!r} in the study; mend by {near}")
    return list(asked) or [FAVOURITE if FAVOURITE in known else known[0]]


def as_text(table: Table) -> str:
    """Return a table as aligned text."""
    rows = [table.columns, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place < table.words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([table.caption, *lines])
