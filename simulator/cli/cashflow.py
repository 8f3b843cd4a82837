"""`neobox cashflow`: the base case of a facility, by the engine's own kernels."""

from __future__ import annotations

import json
from pathlib import Path

import click

from simulator.cli.options import changed_book, changes_to_a_study

EPILOG = """\b
Examples:
  neobox cashflow study.yaml --facility TERM-A
  neobox cashflow study.yaml --facility TERM-A --set gpu.delta=-0.3 --csv base.csv

In the base case every driver runs at its centre: no shocks, no events, customers pay, sites are on
time. It is one path of the model, not the mean of its paths. --csv and --json give every line of
the waterfall, the table the most important ones.
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--facility", required=True, help="Id of the facility.")
@changes_to_a_study
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write every line to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every line as one JSON object.")
@click.pass_context
def cashflow(
    ctx: click.Context, study: Path, facility: str, file: Path | None, as_json: bool
) -> None:
    """Print receipts, costs, debt service, DSCR, debt and LTV of a facility in the base case."""
    from simulator.cli.failures import unknown_facility
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.cli.waterfall import month_table
    from simulator.engine.base_case import prepare_base_case
    from simulator.engine.layout import layout_of
    from simulator.engine.paths import trace_path
    from simulator.engine.results import ids_of

    loaded = changed_book(ctx, study)
    known = ids_of(layout_of(loaded.inputs))["facility"]
    if facility not in known:
        raise unknown_facility(facility, known)
    with ProgressLine(quiet=as_json) as line:
        line.note(f"preparing {loaded.title}")
        compiling(line)
        path = trace_path(prepare_base_case(loaded.inputs), 0, 0)
    table = month_table(path, facility, str(loaded.resolved["study"]["start"]))
    if file:
        table.write_csv(file)
    click.echo(json.dumps(table.as_object(), indent=2) if as_json else table.as_text())
    month = int(path.scalars["facility_default_month"][0, known.index(facility)])
    if month:
        click.echo(f"\nThe facility defaults in the base case, in month {month}.", err=as_json)
    if file:
        click.echo(str(file), err=as_json)
