"""`neobox results bridge`: what moved since last month."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import told_as_failures

if TYPE_CHECKING:
    import xarray as xr

EPILOG = """\b
Examples:
  neobox results bridge october/study.yaml november/study.yaml --paths 50000 --jobs 2
  neobox results bridge october/study.yaml november/study.yaml --last-run results/october

Time is last month's book rolled along its base case to the new month; data is this month's book and
tape in its place; parameters are all keys of the model. All stand on the same random numbers.
"""


@click.command(epilog=EPILOG)
@click.argument("last", metavar="LAST_STUDY", type=click.Path(path_type=Path))
@click.argument("this", metavar="THIS_STUDY", type=click.Path(path_type=Path))
@click.option(
    "--last-run",
    type=click.Path(path_type=Path),
    help="Last month's run as reported: adds what is noise (another seed, other versions).",
)
@click.option("--paths", type=click.IntRange(1), default=10_000, show_default=True, help="Paths.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Random seed.")
@click.option(
    "--jobs", type=click.IntRange(0), default=1, show_default=True, help="Workers; 0: one per core."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the steps; results/<this study's folder>-bridge by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bridge(
    last: Path,
    this: Path,
    last_run: Path | None,
    paths: int,
    seed: int,
    jobs: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Split what moved from LAST_STUDY to THIS_STUDY into time, data and parameters."""
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.cli.scenarios import teller
    from simulator.results.bridging import STEPS
    from simulator.results.bridging import bridge as split

    folder = out or Path("results") / f"{this.resolve().parent.name}-bridge"
    with told_as_failures(), ProgressLine(quiet=as_json) as line:
        if not as_json:
            compiling(line)
        table = split(
            last,
            this,
            out=folder,
            paths=paths,
            seed=seed,
            jobs=jobs,
            last_run=last_run,
            report=teller(line, STEPS, quiet=as_json),
        )
    if as_json:
        click.echo(json.dumps({"out": str(folder), **as_object(table)}, indent=2))
    else:
        click.echo(f"{paths:,} paths, seed {seed}; ± standard error, of parts path by path")
        click.echo(as_text(table))


def as_text(table: xr.Dataset) -> str:
    """Return a row for each measure, money in USD m."""
    from simulator.analytics.estimate import format_estimate
    from simulator.analytics.frame import estimate_at
    from simulator.cli.results import aligned

    names = list(table.attrs["columns"])
    rows = [["", *names]]
    for measure in map(str, table["measure"].values):
        percent = str(table["units"].sel(measure=measure).values) == "1"
        rows.append(
            [
                measure,
                *(
                    format_estimate(
                        *estimate_at(table, one, measure=measure), percent=percent, resolution=1e-6
                    )
                    for one in names
                ),
            ]
        )
    return aligned(rows, words=1)


def as_object(table: xr.Dataset) -> dict[str, Any]:
    """Return the table as plain values."""

    def plain(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        str(measure): {
            name: {
                "value": plain(float(table[name].values[i])),
                "se": plain(float(table[f"{name}_se"].values[i])),
            }
            for name in table.attrs["columns"]
        }
        for i, measure in enumerate(table["measure"].values)
    }
