"""`neobox verify`: blocks of a stored run computed again, its files held against their hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.failures import told_as_failures

if TYPE_CHECKING:
    from simulator.dataset.plan import Chunk
    from simulator.verification.verify import Verdict

EPILOG = """\b
Examples:
  neobox verify results/base
  neobox verify results/base --blocks 20 --paths 64 --seed 7 --jobs 2
  neobox verify results/base --json > verdict.json

The blocks are chosen at random (other ones each time, unless --seed is given) and simulated again
from the study in the folder, with what the run expected at t0. Every stored number of theirs is
compared bit for bit: one per path, and month by month where --keep-paths kept it. Every array is
hashed as well. Other versions of the simulator are named, and whether they give the same numbers.

\b
Exit codes: 0 all equal, 1 a number, a hash or a record differs or cannot be read, 2 no run there
or a study that this version cannot read, 4 an unfinished run.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--blocks", type=click.IntRange(1), default=5, show_default=True, help="Blocks to compute."
)
@click.option(
    "--paths", type=click.IntRange(1), default=128, show_default=True, help="Paths of a block."
)
@click.option("--seed", type=click.IntRange(0), help="Of the choice of blocks; random by default.")
@click.option(
    "--jobs", type=click.IntRange(0), default=1, show_default=True, help="Workers; 0: one per core."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify(
    ctx: click.Context,
    directory: Path,
    blocks: int,
    paths: int,
    seed: int | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Compute random blocks of the run in DIR again and compare them bit for bit."""
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.dataset.reading import read_status
    from simulator.verification.verify import verify as run_verification

    with told_as_failures(), ProgressLine(quiet=as_json) as line:
        if "box" in read_status(directory).plan.ids:
            compiling(line)
        verdict = run_verification(
            directory, blocks=blocks, paths=paths, seed=seed, jobs=jobs, report=line, note=line.note
        )
    click.echo(json.dumps(as_object(verdict), indent=2) if as_json else as_text(verdict))
    ctx.exit(0 if verdict.equal else 1)


def as_text(verdict: Verdict) -> str:
    """Return a verdict as lines: what was looked at, what was computed, what differs."""
    plan, found = verdict.plan, verdict.comparison
    lines = [f"{plan.title}: {plan.paths:,} paths, seed {plan.seed}"]
    width = max(len(check.subject) for check in verdict.checks)
    lines += [
        f"  {'ok' if check.sound else 'WRONG':<6} {check.subject:{width}}  {check.told}"
        for check in verdict.checks
    ]
    changed = [f"{name} {then} then, {now} now" for name, (then, now) in verdict.versions.items()]
    lines.append(
        f"made by other versions: {'; '.join(changed)}" if changed else "made by these versions"
    )
    lines.append(f"computed again (--seed {verdict.seed}): paths {ranges(verdict.blocks)}")
    if found is None:
        lines.append("the stored numbers of these paths could not be read")
    elif found.first is None:
        lines.append(f"all {found.numbers:,} numbers of {found.paths:,} paths equal, bit for bit")
    else:
        lines += [
            f"{sum(found.differing.values()):,} of {found.numbers:,} numbers DIFFER, on "
            f"{len(found.differing_paths):,} of {found.paths:,} paths, by up to "
            f"{found.largest:.2g} of themselves, in {', '.join(found.differing)}",
            f"first: {found.first}",
        ]
    told = "with numbers that these versions give as well" if verdict.versions else "as it was run"
    lines.append(f"verified: the run stands {told}" if verdict.equal else "NOT verified")
    return "\n".join(lines)


def ranges(blocks: tuple[Chunk, ...]) -> str:
    """Return blocks as ranges of paths."""
    return ", ".join(f"{one.first}-{one.first + one.count - 1}" for one in blocks)


def as_object(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for JSON."""
    found = verdict.comparison
    first = found.first if found else None
    return {
        "equal": verdict.equal,
        "paths": verdict.plan.paths,
        "seed": verdict.plan.seed,
        "checks": [
            {"subject": one.subject, "sound": one.sound, "told": one.told} for one in verdict.checks
        ],
        "other_versions": {
            name: {"then": then, "now": now} for name, (then, now) in verdict.versions.items()
        },
        "blocks": [{"first": one.first, "paths": one.count} for one in verdict.blocks],
        "seed_of_choice": verdict.seed,
        "numbers_compared": found.numbers if found else 0,
        "paths_compared": found.paths if found else 0,
        "differing": found.differing if found else {},
        "differing_paths": sorted(found.differing_paths) if found else [],
        "largest_relative_difference": found.largest if found else None,
        "first_difference": {
            "variable": first.variable,
            "path": first.path,
            "label": dict(first.label),
            "stored": first.stored,
            "recomputed": first.recomputed,
        }
        if first
        else None,
    }
