"""`neobox schema`: the JSON Schema that editors check study files with."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  neobox schema > schema.json
  neobox schema --credit > credit-schema.json

\b
Editors that know YAML check a study as it is typed if its first line is
  # yaml-language-server: $schema=schema.json
"""


@click.command(epilog=EPILOG)
@click.option("--credit", is_flag=True, help="Print that of credit-only studies.")
def schema(credit: bool) -> None:
    """Print the JSON Schema of study files (keep it as configs/schema.json)."""
    from simulator.config.json_schema import pool_schema_text, schema_text

    click.echo(pool_schema_text() if credit else schema_text(), nl=False)
