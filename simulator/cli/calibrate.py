"""`neobox calibrate`: parameters from data that the user supplies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.calibration import Calibration

Command = Callable[..., Any]

EPILOG = """\b
Examples:
  neobox calibrate prices configs/calibration/series/gpu_list_prices.csv --column H100
  neobox calibrate prices trades.csv --column H100 --kind contract --out fits/h100
  neobox calibrate memory dram.csv --out fits/memory
  neobox calibrate rates SOFR.csv --percent --out fits/rates
  neobox calibrate hazards averages.csv --out fits/hazards

Every estimate is printed with its standard error, its 95% interval and whether the data pin it
down. --out writes parameters.yaml (a block for a study file), fit.png and, for hazards, ratings.csv
(for `ratings_table` of a study). Methods and what the shipped series say: docs/calibration.md.
"""


@click.group(epilog=EPILOG)
def calibrate() -> None:
    """Fit parameters to data, with errors and a verdict on what the data can tell."""


def _output(command: Command) -> Command:
    """Add the options that say where results go."""
    options = (
        click.argument("file", type=click.Path(path_type=Path)),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for parameter set and figure; nothing is written without it.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace an older calibration there."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    )
    for option in reversed(options):
        command = option(command)
    return command


_column = click.option("--column", help="Column of values; may be left out if there is one only.")


def _simulated(samples: int) -> Callable[[Command], Command]:
    """Add the options of intervals that are simulated."""

    def add(command: Command) -> Command:
        seed = click.option(
            "--seed", type=click.IntRange(0), default=1, show_default=True, help="Random seed."
        )
        return click.option(
            "--samples",
            type=click.IntRange(99),
            default=samples,
            show_default=True,
            help="Simulated series behind each interval.",
        )(seed(command))

    return add


@calibrate.command()
@_output
@_column
@click.option(
    "--kind",
    type=click.Choice(["spot", "contract"]),
    default="spot",
    show_default=True,
    help="Which parameters take the estimates: gpu.spot_* or gpu.ctr_*.",
)
@_simulated(999)
def prices(
    file: Path,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    column: str | None,
    kind: str,
    samples: int,
    seed: int,
) -> None:
    """Trend, mean reversion, volatility and jumps of GPU rental prices.

    FILE has a month (2026-09) or day (2026-09-30) in its first column and prices in USD per
    GPU-hour in others; blank cells are missing values.
    """
    from simulator.calibration import calibrate_prices

    _run(
        lambda: calibrate_prices(file, column, kind=kind, samples=samples, seed=seed),
        out,
        overwrite,
        as_json,
    )


@calibrate.command()
@_output
@_column
@click.option("--shape", type=click.IntRange(1, 12), help="Sub-stages of a spell (mem.shape).")
def memory(
    file: Path,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    column: str | None,
    shape: int | None,
) -> None:
    """Spells, drifts and volatilities of the memory cycle.

    FILE has every month in its first column and an index of memory prices in others.
    """
    from simulator.calibration import calibrate_memory

    _run(lambda: calibrate_memory(file, column, shape=shape), out, overwrite, as_json)


@calibrate.command()
@_output
@_column
@click.option("--percent", is_flag=True, help="FILE holds percent (3.64), not fractions (0.0364).")
@_simulated(999)
def rates(
    file: Path,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    column: str | None,
    percent: bool,
    samples: int,
    seed: int,
) -> None:
    """Mean reversion, long-run level and volatility of SOFR.

    FILE has a month or day in its first column and rates in others, such as FRED's SOFR.csv.
    """
    from simulator.calibration import calibrate_rates

    _run(
        lambda: calibrate_rates(file, column, percent=percent, samples=samples, seed=seed),
        out,
        overwrite,
        as_json,
    )


@calibrate.command()
@_output
def hazards(file: Path, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Default hazards by rating, as a smooth curve.

    FILE has the columns rating and y1 to y6: cumulative default rates in percent.
    """
    from simulator.calibration import calibrate_hazards

    _run(lambda: calibrate_hazards(file), out, overwrite, as_json)


def _run(
    calibration: Callable[[], Calibration], out: Path | None, overwrite: bool, as_json: bool
) -> None:
    """Calibrate, print, write."""
    from simulator.cli.failures import USAGE, Failure
    from simulator.cli.progress import ProgressLine

    if out and (out / "parameters.yaml").exists() and not overwrite:
        raise Failure(
            f"{out}: holds a calibration already; choose another folder with --out, or replace it"
            " with --overwrite",
            USAGE,
        )
    with ProgressLine(quiet=as_json) as line:
        line.note("fitting")
        found = calibration()
        written = []
        if out:
            line.note("drawing the fit")
            from simulator.reports.calibration import save_calibration

            written = save_calibration(found, out)
    click.echo(json.dumps(found.as_object(), indent=2) if as_json else str(found))
    for path in written:
        click.echo(str(path), err=as_json)
