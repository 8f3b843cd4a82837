"""`neobox init`: a study and a tape to start from, with every key explained."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.config.template import write_template

EPILOG = """\b
Examples:
  neobox init my-study
  neobox init my-study --force

The deals are invented; replace them by one's own, then call neobox check on the study.yaml. What
each column of the tape means stands in tape/README.md.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def init(directory: Path, force: bool) -> None:
    """Write a study and a tape (CSV and XLSX) to DIRECTORY; they pass `neobox check`."""
    for path in write_template(directory, force=force):
        click.echo(str(path))
