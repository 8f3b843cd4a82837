"""`neobox scenarios`: a study under every scenario, and one table that compares them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import told_as_failures

if TYPE_CHECKING:
    import xarray as xr

    from simulator.api import Progress
    from simulator.cli.progress import ProgressLine

EPILOG = """\b
Examples:
  neobox scenarios study.yaml --jobs 2
  neobox scenarios study.yaml bear.yaml operators.yaml --paths 50000 --csv table.csv
  neobox scenarios study.yaml --drivers --out results/drivers

Without files every scenario of the folder `scenarios` beside the study is run; --drivers adds each
driver's low and stress parameters, one driver at a time. All rows stand on the same random numbers:
the error of a change is that of differences path by path. Finished runs in --out are reused.
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--drivers", is_flag=True, help="Also each driver's low and stress parameters.")
@click.option("--paths", type=click.IntRange(1), default=10_000, show_default=True, help="Paths.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Random seed.")
@click.option(
    "--jobs", type=click.IntRange(0), default=1, show_default=True, help="Workers; 0: one per core."
)
@click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="Change all rows.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the runs; results/<study>-scenarios by default.",
)
@click.option("--overwrite", is_flag=True, help="Replace runs that stand there.")
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the table, with all its numbers and errors, to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def scenarios(
    study: Path,
    files: tuple[Path, ...],
    drivers: bool,
    paths: int,
    seed: int,
    jobs: int,
    assignments: tuple[str, ...],
    out: Path | None,
    overwrite: bool,
    file: Path | None,
    as_json: bool,
) -> None:
    """Run STUDY under each of FILES and compare what lenders and owners lose."""
    from simulator.analytics.comparison import comparison_table
    from simulator.cli.options import overrides_of
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.scenarios import driver_variants, load_variants, run_variants, variants_of

    chosen = list(files) or shipped(study, drivers)
    variants = variants_of(chosen) + (driver_variants() if drivers else [])
    studies = load_variants(study, variants, overrides_of(assignments, ()))
    folder = out or Path("results") / f"{study.stem}-scenarios"
    with told_as_failures(), ProgressLine() as line:
        if not as_json:
            compiling(line)
        found = run_variants(
            studies,
            paths=paths,
            seed=seed,
            jobs=jobs,
            out=folder,
            existing="overwrite" if overwrite else "resume",
            report=teller(line, list(studies), quiet=as_json),
        )
        table = comparison_table(found)
        if file:
            write_csv(table, file)
    if as_json:
        click.echo(json.dumps(as_object(table, folder, paths, seed), indent=2))
        return
    click.echo(
        f"{study.stem}: {paths:,} paths, seed {seed}; changes against base, ± standard error"
    )
    click.echo(as_text(table, table.attrs["draws"]))
    click.echo(f"\nruns: {folder}" + (f"\ntable: {file}" if file else ""))


def shipped(study: Path, drivers: bool) -> list[Path]:
    """Return the scenarios that stand beside a study, in order of name."""
    folder = study.parent / "scenarios"
    found = sorted(folder.glob("*.yaml"))
    if not found and not drivers:
        raise click.UsageError(
            f"no scenarios: {folder} holds no .yaml files; name some, or give --drivers"
        )
    return found


def teller(line: ProgressLine, names: Sequence[str], *, quiet: bool) -> Any:
    """Return what tells which run is under way, and how far it is."""

    def tell(name: str, progress: Progress | None) -> None:
        if quiet:
            return
        if progress is None:
            line.close()
            line.note(f"{names.index(name) + 1} of {len(names)}: {name}")
        else:
            line(progress)

    return tell


COLUMNS = (
    ("expected loss", "expected_loss"),
    ("change", "expected_loss_change"),
    ("ES 99%", "expected_shortfall"),
    ("change", "expected_shortfall_change"),
    ("P(default)", "default_probability"),
    ("equity value", "equity_value"),
    ("change", "equity_value_change_share"),
)
"""Heading and estimate of each column; probabilities and shares are printed in percent."""


def rows_of(table: xr.Dataset, paths: float) -> list[list[str]]:
    """Return the comparison as rows of text, headings first, money in USD m."""
    rows = [["scenario", *(heading for heading, _ in COLUMNS)]]
    for position, name in enumerate(map(str, table["scenario"].values)):
        cells = [name]
        for _, key in COLUMNS:
            is_base = position == 0 and "change" in key
            cells.append("" if is_base else cell(table, key, name, paths))
        rows.append(cells)
    return rows


def as_text(table: xr.Dataset, paths: float) -> str:
    """Return the comparison as a table of aligned text."""
    rows = rows_of(table, paths)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def cell(table: xr.Dataset, key: str, name: str, paths: float) -> str:
    """Return one estimate with the digits that its error supports."""
    from simulator.analytics.estimate import format_estimate, format_probability
    from simulator.analytics.frame import estimate_at

    value, se = estimate_at(table, key, scenario=name)
    if key == "default_probability":
        return format_probability(value, se, paths)
    text = format_estimate(value, se, percent=key.endswith("_share"), resolution=1e-6)
    is_rise = (
        "change" in key and value > 0.0 and any(c in "123456789" for c in text.partition(" ")[0])
    )
    return f"+{text}" if is_rise else text


def as_object(table: xr.Dataset, folder: Path, paths: int, seed: int) -> dict[str, Any]:
    """Return the comparison as plain values."""
    from simulator.analytics.frame import estimate_at

    keys = [str(name) for name in table if f"{name}_se" in table]

    def pair(key: str, name: str) -> dict[str, float]:
        value, se = estimate_at(table, key, scenario=name)
        return {"value": value, "se": se}

    rows = {
        str(name): {key: pair(key, str(name)) for key in keys} for name in table["scenario"].values
    }
    return {"out": str(folder), "paths": paths, "seed": seed, "scenarios": rows}


def write_csv(table: xr.Dataset, file: Path) -> None:
    """Write every estimate and error, a row a scenario."""
    names = [str(name) for name in table]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["scenario", *names])
        for row, name in enumerate(map(str, table["scenario"].values)):
            writer.writerow([name, *(repr(float(table[one].values[row])) for one in names)])
