"""`neobox schema`: the JSON Schema that editors check study files with."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  neobox schema > schema.json

\b
Editors that know YAML check a study as it is typed if its first line is
  # yaml-language-server: $schema=schema.json
"""


@click.command(epilog=EPILOG)
def schema() -> None:
    """Print the JSON Schema of study files (keep it as configs/schema.json)."""
    from simulator.config.json_schema import schema_text

    click.echo(schema_text(), nl=False)
