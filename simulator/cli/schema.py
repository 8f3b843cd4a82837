"""`neobox schema`: the JSON Schema that editors check study files with."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of study files (keep it as configs/schema.json)."""
    from simulator.config.json_schema import schema_text

    click.echo(schema_text(), nl=False)
