"""`neobox results`: list, show, compare, prune and export results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.bridge import bridge
from simulator.cli.failures import told_as_failures

if TYPE_CHECKING:
    from simulator.results import Change, Comparison, Entry
    from simulator.results.exporting import Format

EPILOG = """\b
Examples:
  neobox results list
  neobox results compare results/october results/november
  neobox results prune --older-than 90 --keep-last 3
  neobox results export results/base --format parquet --out base-tables

RUN is a folder, the name of a folder of a run below --root, or the first digits of a study's hash.
"""

ROOT = click.option(
    "--root",
    type=click.Path(path_type=Path),
    default="results",
    show_default=True,
    help="Folder in which runs are looked for by name or hash.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
DIGITS = 12
"""Of a hash, in lists."""


@click.group(epilog=EPILOG)
def results() -> None:
    """List, compare, remove and export the results of runs."""


@results.command("list")
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default="results")
@JSON
def list_runs(directory: Path, as_json: bool) -> None:
    """List the runs below DIR (results), the newest first."""
    from simulator.results import find_runs

    entries = find_runs(directory)
    if as_json:
        click.echo(json.dumps([one.as_object() for one in entries], indent=2))
        return
    click.echo(entries_as_text(entries) if entries else f"no runs below {directory}")


@results.command()
@click.argument("run")
@ROOT
@JSON
def show(run: str, root: Path, as_json: bool) -> None:
    """Show what RUN is of, by which versions, and its headline."""
    from simulator.cli.report import as_text
    from simulator.dataset.reading import open_run, read_status
    from simulator.results import locate
    from simulator.results.entries import entry_of

    with told_as_failures():
        directory = locate(run, root)
        entry, status = entry_of(directory), read_status(directory)
        assert entry is not None  # a run stands there
        numbers: dict[str, Any] | None = None
        if entry.status == "complete":
            from simulator.analytics.summary import analyse, headline

            numbers = headline(analyse(open_run(directory)))
    versions = dict(status.plan.versions)
    if as_json:
        found = {**entry.as_object(), "versions": versions, "headline": numbers}
        click.echo(json.dumps(found, indent=2))
        return
    rows = [(name, str(value)) for name, value in entry.as_object().items() if value != ""]
    rows.append(("versions", ", ".join(f"{name} {value}" for name, value in versions.items())))
    click.echo("\n".join(f"{name:10}{value}" for name, value in rows))
    if numbers is not None:
        click.echo(f"\n{as_text(numbers)}")


@results.command()
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@click.option("--all", "everything", is_flag=True, help="Also measures that did not change.")
@ROOT
@JSON
def compare(before: str, after: str, everything: bool, root: Path, as_json: bool) -> None:
    """Tell which inputs and numbers differ between RUN_A and RUN_B, and by how many errors.

    Runs of one seed and as many paths are compared path by path, others as independent ones.
    """
    from simulator.results import compare as compare_runs
    from simulator.results import locate

    with told_as_failures():
        found = compare_runs(locate(before, root), locate(after, root))
    if as_json:
        click.echo(json.dumps(comparison_as_object(found), indent=2))
        return
    click.echo(changes_as_text(found.inputs))
    click.echo(numbers_as_text(found, everything))


@results.command()
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default="results")
@click.option("--keep-last", type=click.IntRange(0), help="Spare that many of each study's newest.")
@click.option(
    "--older-than", type=click.FloatRange(0.0), metavar="DAYS", help="Spare younger ones."
)
@click.option("--incomplete", is_flag=True, help="Unfinished and damaged runs, not complete ones.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
@JSON
def prune(
    directory: Path,
    keep_last: int | None,
    older_than: float | None,
    incomplete: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """List the runs below DIR (results) that may go, and remove them with --yes.

    Everything in their folders goes with them, reports as well. A run that is being written stays.
    """
    from simulator.results import prunable
    from simulator.results import prune as remove

    age = None if older_than is None else timedelta(days=older_than)
    entries = prunable(directory, keep_last=keep_last, older_than=age, incomplete=incomplete)
    gone = remove(entries, directory) if yes else []
    if as_json:
        told = [{**one.as_object(), "removed": one in gone} for one in entries]
        click.echo(json.dumps(told, indent=2))
        return
    if not entries:
        click.echo(f"nothing to remove below {directory}")
        return
    click.echo(entries_as_text(entries))
    size = megabytes(sum(one.bytes for one in (gone if yes else entries)))
    if yes:
        left = len(entries) - len(gone)
        also = f"; {left} left, which changed meanwhile" if left else ""
        click.echo(f"removed {len(gone)} runs, {size}{also}")
    else:
        click.echo(f"would remove {len(entries)} runs, {size}: the same command with --yes does")


@results.command()
@click.argument("run")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "xlsx", "netcdf"]),
    required=True,
    help="CSV and Parquet: a file a table; XLSX: a sheet a table; NetCDF: summaries as groups.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for CSV and Parquet, file for XLSX and NetCDF.",
)
@ROOT
def export(run: str, form: Format, out: Path, root: Path) -> None:
    """Write scalars, fans and summary tables of RUN, with units and standard errors."""
    from simulator.results import export as write
    from simulator.results import locate

    with told_as_failures():
        written = write(locate(run, root), out, form)
    for file in written.files:
        click.echo(str(file))
    for note in written.notes:
        click.echo(f"note: {note}", err=True)


def megabytes(size: int) -> str:
    """Return a size on disk."""
    return f"{size / 1e6:,.1f} MB"


def entries_as_text(entries: Sequence[Entry]) -> str:
    """Return runs as a table of aligned text."""
    rows = [["run", "study", "hash", "status", "paths", "seed", "size", "date (UTC)"]]
    for one in entries:
        paths = f"{one.paths:,}" if one.done == one.paths else f"{one.done:,} of {one.paths:,}"
        rows.append(
            [
                *(str(one.directory), one.study, one.digest[:DIGITS], one.status, paths),
                *(str(one.seed), megabytes(one.bytes), one.date[:16].replace("T", " ")),
            ]
        )
    return aligned(rows, words=4)


def aligned(rows: Sequence[Sequence[str]], words: int) -> str:
    """Return rows with columns of words to the left and of numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i < words else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def changes_as_text(changes: Sequence[Change]) -> str:
    """Return changed inputs as lines."""
    if not changes:
        return "inputs: the same"
    from simulator.dataset.plan import abbreviate

    rows = [
        [f"  {one.kind}", one.path, f"{abbreviate(one.before)} -> {abbreviate(one.after)}"]
        for one in changes
    ]
    return f"inputs: {len(changes)} changed\n{aligned(rows, words=3)}"


def numbers_as_text(found: Comparison, everything: bool) -> str:
    """Return changed numbers as a table, money in USD m."""
    from simulator.analytics.estimate import format_estimate, format_significant
    from simulator.analytics.frame import estimate_at

    table = found.numbers
    rows = [["  measure", "before", "after", "change", "in SE"]]
    for name, errors in zip(table["measure"].values, table["errors"].values, strict=True):
        if not everything and errors == 0.0:
            continue
        percent = str(table["units"].sel(measure=name).values) == "1"
        cells = [
            format_estimate(*estimate_at(table, key, measure=name), percent=percent)
            for key in ("before", "after", "change")
        ]
        rows.append([f"  {name}", *cells, format_significant(float(errors), 3)])
    how = "path by path" if table.attrs["paired"] else "as independent runs"
    if len(rows) == 1:
        return f"numbers: {table.sizes['measure']} measures compared {how}, none changed"
    same = table.sizes["measure"] - int((table["errors"] != 0.0).sum())
    head = f"numbers: compared {how}, USD m or %; {same} of {table.sizes['measure']} the same"
    return f"{head}\n{aligned(rows, words=1)}"


def comparison_as_object(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values."""
    import math

    table = found.numbers
    keys = ("before", "before_se", "after", "after_se", "change", "change_se", "errors")

    def plain(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "before": str(found.before),
        "after": str(found.after),
        "paired": bool(table.attrs["paired"]),
        "inputs": [one.as_object() for one in found.inputs],
        "numbers": {
            str(name): {
                **{key: plain(float(table[key].values[i])) for key in keys},
                "units": str(table["units"].values[i]),
            }
            for i, name in enumerate(table["measure"].values)
        },
    }


results.add_command(bridge)
