"""`neobox sweep`: a study at many points, each of them computed once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import INTERRUPTED, told_as_failures

if TYPE_CHECKING:
    from simulator.cli.progress import ProgressLine
    from simulator.sweeps.estimate import Cost
    from simulator.sweeps.folder import SweepFolder
    from simulator.sweeps.plan import PlannedSweep
    from simulator.sweeps.run import SweepProgress

MOST_ROWS = 40
"""Points that are printed; all of them stand in the tables."""

EPILOG = """\b
Examples:
  neobox sweep configs/sweeps/credit-pool.yaml --dry-run
  neobox sweep configs/sweeps/credit-pool.yaml --jobs 2
  neobox sweep study.yaml --set dem.sigma=0.2,0.3,0.4 --set boxes.*.reserve_months=3,6 --jobs 2
  neobox sweep sweep.yaml --set horizon_months=48 --paths 2000 --json

FILE is a sweep file, or a study whose axes are given with --set. Every point is a run in OUT/runs,
named by its inputs: what is there, finished, is found and not computed again, whichever sweep made
it. The same command goes on after a kill, a full disk or Ctrl-C; started twice, it shares the work.
"""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE,...",
    multiple=True,
    help="Several values: an axis. One value: change all points.",
)
@click.option("--dry-run", is_flag=True, help="Print points, time, memory and disk; run nothing.")
@click.option(
    "--jobs",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Points at a time; 0: one per core.",
)
@click.option(
    "--paths", type=click.IntRange(1), help="Paths of each point; as the file says by default."
)
@click.option("--seed", type=click.IntRange(0), help="Random seed; as the file says by default.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of results, which sweeps may share.",
)
@click.option(
    "--executor",
    type=click.Choice(["threads", "processes", "serial"]),
    default="threads",
    show_default=True,
    envvar="NEOBOX_EXECUTOR",
    help="What the workers are.",
)
@click.option("--resume", is_flag=True, help="Go on: a sweep always does.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def sweep(
    ctx: click.Context,
    file: Path,
    assignments: tuple[str, ...],
    dry_run: bool,
    jobs: int,
    paths: int | None,
    seed: int | None,
    out: Path,
    executor: str,
    resume: bool,
    as_json: bool,
) -> None:
    """Simulate a study at every point of FILE and compare the points."""
    from simulator.api import workers
    from simulator.cli.progress import ProgressLine, compiling

    if dry_run:
        click.echo(foretold(file, assignments, paths, seed, out, workers(jobs), as_json=as_json))
        return
    from simulator.sweeps.run import prepare_sweep, run_sweep

    start = time.monotonic()
    with told_as_failures(), ProgressLine(quiet=as_json) as line:
        line.note("reading the studies of all points")
        planned, folder = prepare_sweep(file, assignments, paths=paths, seed=seed, out=out)
        counts = {"runs": len(planned.runs), "found": 0}
        if planned.base.plan is not None and "box" in planned.base.plan.ids:
            compiling(line)
        try:
            run_sweep(planned, folder, jobs=jobs, executor=executor, report=teller(line, counts))
        except KeyboardInterrupt:
            line.close()
            done = f"{counts.get('done', 0)} of {counts['runs']} runs"
            click.echo(
                f"interrupted; {done} and finished chunks of others are safe in {out}: "
                "run the same command again",
                err=True,
            )
            ctx.exit(INTERRUPTED)
    seconds = time.monotonic() - start
    click.echo(summary(planned, folder, counts, seconds, as_json=as_json))


def teller(line: ProgressLine, counts: dict[str, int]) -> Any:
    """Return what tells how far a sweep is, and counts its runs."""
    from simulator.cli.progress import LOG_EVERY, duration

    last = time.monotonic()

    def tell(progress: SweepProgress) -> None:
        nonlocal last
        counts.update(done=progress.done, found=progress.found)
        now = time.monotonic()
        if line.is_terminal or now - last >= LOG_EVERY:
            last = now
            left = f"  {duration(progress.left)} left" if progress.left < float("inf") else ""
            line.note(f"{progress.done} of {progress.total} runs{left}  {progress.point}")

    return tell


def foretold(
    file: Path,
    assignments: tuple[str, ...],
    paths: int | None,
    seed: int | None,
    out: Path,
    jobs: int,
    *,
    as_json: bool,
) -> str:
    """Return the table of runs and what they will cost; nothing is written."""
    from simulator.config.sweep_file import read_sweep
    from simulator.sweeps.estimate import cost_of
    from simulator.sweeps.folder import SweepFolder
    from simulator.sweeps.plan import plan_points

    planned = plan_points(read_sweep(file, assignments, paths, seed))
    folder = SweepFolder(out, planned.sweep.name)
    cost = cost_of(planned, folder, jobs)
    if as_json:
        return json.dumps(cost.as_object(), indent=2)
    return f"{cost_table(cost)}\n\n{cost}"


def cost_table(cost: Cost) -> str:
    """Return the runs of a sweep as a table of text."""
    names = list(dict.fromkeys(name for one in cost.runs for name in one.coordinates))
    head = ["point", *names, "run", "state", "seconds", "disk MB"]
    rows = [
        [
            one.name,
            *(str(one.coordinates.get(name, "")) for name in names),
            one.key[:8],
            one.state,
            f"{one.seconds:.1f}",
            f"{one.disk_mb:.1f}",
        ]
        for one in cost.runs
    ]
    return aligned([head, *rows])


def summary(
    planned: PlannedSweep,
    folder: SweepFolder,
    counts: dict[str, int],
    seconds: float,
    *,
    as_json: bool,
) -> str:
    """Return the risk of the book at every point, and where it all stands."""
    from simulator.cli.progress import duration

    points = [(str(i), one) for i, one in enumerate(planned.points)]
    found = {
        name: folder.measures(one.key, planned.base.key)
        for name, one in [("base", planned.base), *points]
    }
    labels: dict[str, dict[str, Any]] = {"base": {}} | {
        name: dict(one.point.coordinates) for name, one in points
    }
    if as_json:
        told = {
            "out": str(folder.directory),
            "runs": counts["runs"],
            "found": counts["found"],
            "seconds": seconds,
            "points": [
                {"point": name, "coordinates": labels[name], "run": key_of(planned, name)}
                | {part: held[part]["book"] for part in ("measures", "changes")}
                for name, held in found.items()
                if held
            ],
        }
        return json.dumps(told, indent=2)
    sweep = planned.sweep
    head = f"{sweep.name}: {sweep.paths:,} paths a point; changes against base, ± standard error"
    lines = [head, book_table(found, labels)]
    if len(found) > MOST_ROWS:
        lines.append(f"... {len(found) - MOST_ROWS} more in the table")
    runs, found_there = folder.root / "runs", counts["found"]
    lines += [
        f"\n{counts['runs']} runs, {found_there} of them found, in {duration(seconds)}: {runs}",
        f"table: {folder.table}",
        f'python: simulator.open_sweep("{folder.directory}")',
    ]
    return "\n".join(lines)


def key_of(planned: PlannedSweep, name: str) -> str:
    """Return the run of a point by its name."""
    return planned.base.key if name == "base" else planned.points[int(name)].key


def book_table(found: dict[str, Any], labels: dict[str, dict[str, Any]]) -> str:
    """Return the measures of the book at the first points as a table of text."""
    from simulator.analytics.estimate import format_estimate
    from simulator.sweeps.measures import LEVELS

    at = LEVELS.index(0.99)
    names = list(dict.fromkeys(name for one in labels.values() for name in one))
    rows = [["point", *names, "expected loss", "change", "ES 99%", "change", "P(default)"]]
    for name, held in list(found.items())[:MOST_ROWS]:
        if held is None:
            continue
        book, change = held["measures"]["book"], held["changes"]["book"]
        rows.append(
            [
                name,
                *(str(labels[name].get(one, "")) for one in names),
                format_estimate(*numbers(book["expected_loss"]), resolution=1e-6),
                "" if name == "base" else signed(change["expected_loss"]),
                format_estimate(*numbers(book["expected_shortfall"][at]), resolution=1e-6),
                "" if name == "base" else signed(change["expected_shortfall"][at]),
                format_estimate(*numbers(book["default_probability"]), percent=True),
            ]
        )
    return aligned(rows)


def numbers(pair: list[float | None]) -> tuple[float, float]:
    """Return value and error, NaN where there is none."""
    value, error = (float("nan") if one is None else one for one in pair)
    return value, error


def signed(pair: list[float | None]) -> str:
    """Return a change with its sign."""
    from simulator.analytics.estimate import format_estimate

    value, error = numbers(pair)
    text = format_estimate(value, error, resolution=1e-6)
    return f"+{text}" if value > 0.0 else text


def aligned(rows: list[list[str]]) -> str:
    """Return rows of text in columns, all but the first to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
