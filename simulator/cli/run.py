"""`neobox run`: simulate a study into a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import BREACHED, IMPRECISE, INTERRUPTED, told_as_failures
from simulator.cli.limits import any_breached, fail_on, limits_as_text
from simulator.cli.options import (
    changed_study,
    changes_to_a_study,
    executor_option,
    folder_name,
    log_option,
    memory_option,
)

if TYPE_CHECKING:
    from simulator.analytics.limits import Limit
    from simulator.api import Method
    from simulator.cli.progress import ProgressLine
    from simulator.config.pool_study import PoolStudy
    from simulator.config.study import Study
    from simulator.dataset.store import Existing, RunStore
    from simulator.sequential import Look, Sequential

PATHS = 10_000
"""Of a run if no number is given."""

EPILOG = """\b
Examples:
  neobox run study.yaml --paths 100000 --jobs 2 --out results/base
  neobox run study.yaml --set dem.sigma=0.3 --set drivers.easing=true --out results/easing
  neobox run study.yaml --scenario scenarios/bear.yaml --driver-set memory=stress --jobs 2
  neobox run study.yaml --paths 1000000 --jobs 0 --out results/large --resume

  neobox run study.yaml --jobs 0 --memory 2GB --log nightly.log --resume
  neobox run study.yaml --executor dask://10.0.0.5:8786 --paths 1000000

  neobox run study.yaml --target-se "es99.9 <= 1%, el <= 2 usd_m" --jobs 0 --out results/precise
  neobox run study.yaml --fail-on "book.es99 > 250" --fail-on "facility.ID.pd > 5%"

Results depend on the study, the seed and the number of paths alone: not on jobs, executor, chunk
or block. An interrupted run keeps its finished chunks; the same command with --resume goes on.
Exit codes: 0 done, 3 done but a limit of --fail-on is breached, 5 workers out of reach, 7 done but
--target-se was not met at the most paths (3 if both).
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--paths",
    type=click.IntRange(1),
    show_default="10,000; 1,000,000 with --target-se",
    help="Paths, the most of them with --target-se.",
)
@click.option(
    "--target-se",
    metavar="GOALS",
    help="Go on until standard errors are this small: 'es99.9 <= 1%', of el, var99, es99.9, pd or "
    "p(loss); amounts as 'el <= 2 usd_m', 'pd <= 5 bp'; several joined by commas.",
)
@fail_on
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Random seed.")
@click.option(
    "--jobs", type=click.IntRange(0), default=1, show_default=True, help="Workers; 0: one per core."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the results; results/<study>-<scenario> by default.",
)
@changes_to_a_study
@click.option(
    "--sampling",
    type=click.Choice(["plain", "importance", "quasi", "stratified"]),
    help="How paths are drawn; as the study says by default.",
)
@executor_option
@memory_option
@log_option
@click.option("--resume", is_flag=True, help="Go on with an unfinished run of this study.")
@click.option("--overwrite", is_flag=True, help="Replace whatever run stands in the folder.")
@click.option("--keep-paths", is_flag=True, help="Keep every path of every series, not only fans.")
@click.option("--chunk", type=click.IntRange(1), help="Paths written at once; chosen by default.")
@click.option("--block", type=click.IntRange(1), help="Paths advanced side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def run(
    ctx: click.Context,
    study: Path,
    paths: int | None,
    target_se: str | None,
    fail_on: tuple[str, ...],
    seed: int,
    jobs: int,
    out: Path | None,
    sampling: Method | None,
    executor: str,
    memory: int | None,
    log: Path | None,
    resume: bool,
    overwrite: bool,
    keep_paths: bool,
    chunk: int | None,
    block: int | None,
    as_json: bool,
) -> None:
    """Simulate STUDY and print the headline risk of its book."""
    if resume and overwrite:
        raise click.UsageError("--resume keeps what is there, --overwrite replaces it: choose one")
    from simulator.analytics.limits import read_limits
    from simulator.api import BLOCK_LANES, create_store, plan_run, with_sampling, workers
    from simulator.cli.progress import ProgressLine, ProgressLog, duration
    from simulator.engine.executors import reach
    from simulator.sequential import MOST_PATHS, plan_sequential

    sequential = until(target_se, paths or MOST_PATHS)
    loaded = with_sampling(changed_study(ctx, study), sampling)
    effort: dict[str, Any] = {
        "jobs": workers(jobs),
        "executor": executor,
        "block": block or BLOCK_LANES,
        "memory": memory,
    }
    make_plan = plan_sequential if sequential else plan_run
    plan = make_plan(
        loaded,
        paths=paths or (MOST_PATHS if sequential else PATHS),
        seed=seed,
        chunk=chunk,
        keep_paths=keep_paths,
        **effort,
    )
    limits = read_limits(fail_on, plan.ids)
    existing: Existing = "overwrite" if overwrite else "resume" if resume else "refuse"
    folder = out or Path("results") / folder_name(ctx, study)
    start = time.monotonic()
    with (
        ProgressLog(log) if log else nullcontext() as journal,
        told_as_failures(),
        ProgressLine(quiet=as_json, log=journal) as line,
    ):
        if journal:
            journal.say(f"neobox run {study} --paths {plan.paths} --seed {seed}, into {folder}")
        reach(executor, effort["jobs"])  # before there is a folder
        begin = sequential.open if sequential else create_store
        with begin(loaded, plan, folder, existing) as store:
            reused = store.complete
            try:
                simulate_into(loaded, store, effort, line, sequential)
            except KeyboardInterrupt:
                told = (
                    f"interrupted; {store.done} of {store.plan.chunk_count} chunks are safe in "
                    f"{folder}: run the same command with --resume"
                )
                line.close()
                click.echo(told, err=True)
                if journal:
                    journal.say(told)
                ctx.exit(INTERRUPTED)
        seconds = time.monotonic() - start
        line.note("summing up the results")
        text, code = summary(
            folder,
            limits,
            reused=reused,
            seconds=seconds,
            as_json=as_json,
            sequential=sequential,
        )
        line.close()
        if journal:
            journal.say(f"done in {duration(time.monotonic() - start)}: {folder}")
    click.echo(text)
    ctx.exit(code)


def until(goals: str | None, paths: int) -> Sequential | None:
    """Return what ends a run once its goals are met; None if the number of paths is fixed."""
    from simulator.analytics.precision import parse_goals
    from simulator.sequential import Sequential

    return None if goals is None else Sequential(parse_goals(goals), paths)


def simulate_into(
    study: Study | PoolStudy,
    store: RunStore,
    effort: Mapping[str, Any],
    line: ProgressLine,
    sequential: Sequential | None,
) -> None:
    """Compute what a store lacks, with progress on standard error."""
    from simulator.api import compute
    from simulator.cli.progress import compiling
    from simulator.config.study import Study

    if not store.complete:
        line.note(f"preparing {study.title}")
        if isinstance(study, Study):
            compiling(line)

    def tell(look: Look) -> None:
        if not line.quiet:
            line.close()
            click.echo(str(look), err=True)
        if line.log:
            line.log.say(str(look))

    if sequential:
        sequential.told = tell
    begin = sequential.run if sequential else compute
    begin(study, store, **effort, report=line)


def summary(
    folder: Path,
    limits: tuple[Limit, ...],
    *,
    reused: bool,
    seconds: float,
    as_json: bool,
    sequential: Sequential | None,
) -> tuple[str, int]:
    """Return the headline of a finished run and where it stands; and the exit code."""
    from simulator.analytics.limits import check_limits
    from simulator.analytics.summary import headline, measure
    from simulator.cli.progress import duration
    from simulator.cli.report import as_text
    from simulator.dataset.reading import open_run

    results = open_run(folder)
    numbers: dict[str, Any] = headline(measure(results))
    looks = sequential.looks(results) if sequential else []
    checked = check_limits(results, limits)
    met = not looks or looks[-1].met
    code = BREACHED if any_breached(checked) else 0 if met else IMPRECISE
    if as_json:
        found = {"out": str(folder), "reused": reused, "seconds": seconds, **numbers}
        if sequential:
            taken = [look.as_object() for look in looks]
            found["target"] = {**sequential.record, "met": met, "looks": taken}
        if checked:
            found["limits"] = [one.as_object() for one in checked]
        return json.dumps(found, indent=2), code
    lines = [as_text(numbers)]
    if looks:
        lines.append(f"{'target met' if met else 'TARGET NOT MET'} {looks[-1]}")
    if checked:
        lines.append(limits_as_text(checked))
    told = "the same run was there, finished" if reused else f"done in {duration(seconds)}"
    return "\n".join([*lines, f"{told}: {folder}", f"next: neobox report {folder}"]), code
