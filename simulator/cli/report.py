"""`neobox report`: the report of a finished run, its figures, or its headline as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import BREACHED
from simulator.cli.limits import any_breached, fail_on, limits_as_text

if TYPE_CHECKING:
    import xarray as xr


class NoRunError(click.ClickException):
    """There is no run in the folder."""

    exit_code = 2


class UnfinishedRunError(click.ClickException):
    """The run can be resumed."""

    exit_code = 4


EPILOG = """\b
Examples:
  neobox report results/base
  neobox report results/base --out base.html --figures figures --format svg --format pdf
  neobox report results/base --json > headline.json
  neobox report results/base --fail-on "book.es99 > 250" --fail-on "book.el > 0.5%"

The file needs no other: it may be mailed as it is. Estimates carry their Monte Carlo error.
Exit codes: 0 done, 3 done but a limit of --fail-on is breached.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; report.html in the run's folder by default.",
)
@click.option(
    "--figures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write every figure to this folder.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["png", "svg", "pdf"]),
    multiple=True,
    help="Format of those figures, png by default; may be given several times.",
)
@click.option(
    "--ratings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Scale of implied ratings: CSV with the columns rating, expected_loss.",
)
@fail_on
@click.option("--json", "as_json", is_flag=True, help="Print the headline numbers as JSON.")
@click.pass_context
def report(
    ctx: click.Context,
    directory: Path,
    out: Path | None,
    figures: Path | None,
    formats: tuple[str, ...],
    ratings: Path | None,
    fail_on: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the report of the run in DIR: one HTML file with figures, tables and sources."""
    if formats and not figures:
        raise click.UsageError(
            "--format is the format of figures in files: add --figures FOLDER, or leave it out"
            " (the report holds its figures)"
        )
    from simulator.analytics.limits import check_limits
    from simulator.analytics.rating import read_scale
    from simulator.cli.progress import ProgressLine

    scale = read_scale(ratings) if ratings else None
    run = open_complete(directory)
    checked = check_limits(run, fail_on)
    with ProgressLine(quiet=as_json) as line:
        line.note("summing up the results")
        from simulator.analytics.summary import analyse, headline
        from simulator.reports.files import save_figures, save_report

        analysis = analyse(run, scale)
        line.note("writing the report")
        written = [save_report(analysis, out or directory / "report.html")]
        if figures:
            line.note("drawing the figures")
            written += save_figures(analysis, figures, formats or ("png",))
    numbers = headline(analysis)
    if checked:
        numbers["limits"] = [one.as_object() for one in checked]
    click.echo(json.dumps(numbers, indent=2) if as_json else as_text(numbers))
    if checked and not as_json:
        click.echo(limits_as_text(checked))
    for path in written:
        click.echo(str(path), err=as_json)
    ctx.exit(BREACHED if any_breached(checked) else 0)


def open_complete(directory: Path) -> xr.Dataset:
    """Open a run; what is wrong with it becomes one line and an exit code."""
    from simulator.dataset.errors import RunError, RunIncompleteError, RunNotFoundError
    from simulator.dataset.reading import open_run

    try:
        return open_run(directory)
    except RunError as error:
        kinds = {RunNotFoundError: NoRunError, RunIncompleteError: UnfinishedRunError}
        raise kinds.get(type(error), click.ClickException)(str(error)) from error


def as_text(numbers: dict[str, Any]) -> str:
    """Return the headline numbers of the book as lines."""
    from simulator.analytics.estimate import format_estimate, format_probability
    from simulator.analytics.sampling import SamplingFacts

    book, uncertainty = numbers["book"], numbers.get("uncertainty")
    draws, needed = numbers["draws"], numbers["paths_needed"]

    def pair(one: dict[str, float | None]) -> tuple[float, float]:
        value, se = (float("nan") if x is None else float(x) for x in (one["value"], one["se"]))
        return value, se

    def takes(paths: int | None) -> str:
        return "n/a" if paths is None else f"{paths:,}"

    share = f"±{needed['relative_error']:.0%}"
    rows = [
        ("expected loss", f"USD {format_estimate(*pair(book['expected_loss']))} m"),
        ("of exposure", format_estimate(*pair(book["expected_loss_share"]), percent=True)),
        ("probability of a loss", format_probability(*pair(book["loss_probability"]), draws)),
        *(
            (f"ES {100 * float(level):g}%", f"USD {format_estimate(*pair(one))} m")
            for level, one in book["expected_shortfall"].items()
            if level in ("0.99", "0.999")
        ),
        (
            f"paths for {share}",
            f"expected loss {takes(needed['expected_loss'])}, "
            + ", ".join(
                f"ES {100 * float(level):g}% {takes(paths)}"
                for level, paths in needed["expected_shortfall"].items()
            ),
        ),
        ("implied rating", f"{book['implied_rating']} ({book['implied_rating_range']})"),
    ]
    if uncertainty:
        between = pair(uncertainty["variance"]["lender loss"]["between_share"])
        text = f"{format_estimate(*between, percent=True)} of the variance of losses"
        rows.append(("between parameters", text))
    if sampling := numbers.get("sampling"):
        rows.append(("drawn by", str(SamplingFacts(**sampling))))
    head = f"{numbers['title']}: {numbers['paths']:,} paths, seed {numbers['seed']}"
    return "\n".join([head, *(f"  {name:22}{value}" for name, value in rows)])
