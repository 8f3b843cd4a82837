"""`neobox run`: simulate a study into a folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import INTERRUPTED, told_as_failures
from simulator.cli.options import changed_study, changes_to_a_study, folder_name

if TYPE_CHECKING:
    from simulator.api import Method
    from simulator.cli.progress import ProgressLine
    from simulator.config.pool_study import PoolStudy
    from simulator.config.study import Study
    from simulator.dataset.store import RunStore

EPILOG = """\b
Examples:
  neobox run study.yaml --paths 100000 --jobs 2 --out results/base
  neobox run study.yaml --set dem.sigma=0.3 --set drivers.easing=true --out results/easing
  neobox run study.yaml --scenario scenarios/bear.yaml --driver-set memory=stress --jobs 2
  neobox run study.yaml --paths 1000000 --jobs 0 --out results/large --resume

Results depend on the study, the seed and the number of paths alone: not on jobs, executor, chunk
or block. An interrupted run keeps its finished chunks; the same command with --resume goes on.
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--paths", type=click.IntRange(1), default=10_000, show_default=True, help="Paths.")
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
@click.option(
    "--executor",
    type=click.Choice(["threads", "processes", "serial"]),
    default="threads",
    show_default=True,
    envvar="NEOBOX_EXECUTOR",
    help="What the workers are.",
)
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
    paths: int,
    seed: int,
    jobs: int,
    out: Path | None,
    sampling: Method | None,
    executor: str,
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
    from simulator.api import BLOCK_LANES, create_store, plan_run, with_sampling, workers
    from simulator.cli.progress import ProgressLine

    loaded = with_sampling(changed_study(ctx, study), sampling)
    lanes = block or BLOCK_LANES
    plan = plan_run(
        loaded,
        paths=paths,
        seed=seed,
        jobs=workers(jobs),
        chunk=chunk,
        block=lanes,
        keep_paths=keep_paths,
    )
    folder = out or Path("results") / folder_name(ctx, study)
    start = time.monotonic()
    with (
        told_as_failures(),
        create_store(
            loaded, plan, folder, "overwrite" if overwrite else "resume" if resume else "refuse"
        ) as store,
        ProgressLine(quiet=as_json) as line,
    ):
        reused = store.complete
        try:
            simulate_into(loaded, store, workers(jobs), executor, lanes, line)
        except KeyboardInterrupt:
            done = f"{store.done} of {store.plan.chunk_count} chunks"
            line.close()
            click.echo(
                f"interrupted; {done} are safe in {folder}: run the same command with --resume",
                err=True,
            )
            ctx.exit(INTERRUPTED)
    seconds = time.monotonic() - start
    click.echo(summary(folder, reused=reused, seconds=seconds, as_json=as_json))


def simulate_into(
    study: Study | PoolStudy,
    store: RunStore,
    jobs: int,
    executor: str,
    lanes: int,
    line: ProgressLine,
) -> None:
    """Compute what a store lacks, with progress on standard error."""
    from simulator.api import compute
    from simulator.cli.progress import compiling
    from simulator.config.study import Study

    if not store.complete:
        line.note(f"preparing {study.title}")
        if isinstance(study, Study):
            compiling(line)
    compute(study, store, jobs=jobs, executor=executor, block=lanes, report=line)


def summary(folder: Path, *, reused: bool, seconds: float, as_json: bool) -> str:
    """Return the headline of a finished run and where it stands."""
    from simulator.analytics.summary import analyse, headline
    from simulator.cli.progress import ProgressLine, duration
    from simulator.cli.report import as_text
    from simulator.dataset.reading import open_run

    with told_as_failures(), ProgressLine(quiet=as_json) as line:
        line.note("summing up the results")
        numbers: dict[str, Any] = headline(analyse(open_run(folder)))
    if as_json:
        found = {"out": str(folder), "reused": reused, "seconds": seconds, **numbers}
        return json.dumps(found, indent=2)
    told = "the same run was there, finished" if reused else f"done in {duration(seconds)}"
    return f"{as_text(numbers)}\n{told}: {folder}\nnext: neobox report {folder}"
