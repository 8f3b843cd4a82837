"""`neobox explain`: one path of a run, created anew and told month by month."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from simulator.cli.failures import USAGE, Failure, told_as_failures, unknown_facility

if TYPE_CHECKING:
    import xarray as xr

    from simulator.engine.paths import TracedPath

SHORT: Final = frozenset({"dscr", "ltv", "ltc"})
"""Words of a code that a reader knows in capitals."""

EPILOG = """\b
Examples:
  neobox explain results/base --path 4711 --facility TERM-A
  neobox explain results/base --path 4711 --facility TERM-A --json > path.json

The path is simulated again from the seed and the resolved study in the run's folder, and compared
with what the run stored. The report of a run names its worst paths.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--path", "number", type=click.IntRange(0), required=True, help="Number of the path.")
@click.option("--facility", required=True, help="Id of the facility.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(directory: Path, number: int, facility: str, as_json: bool) -> None:
    """Tell what happened to a facility on one path of the run in DIR, when and why."""
    from simulator.cli.progress import ProgressLine, compiling
    from simulator.cli.waterfall import month_name, month_table
    from simulator.config.stored import stored_inputs
    from simulator.dataset.files import read_json
    from simulator.dataset.folder import RESOLVED
    from simulator.dataset.reading import open_run, read_status

    with told_as_failures():
        plan = read_status(directory).plan
        run = open_run(directory)
        resolved = read_json(directory / RESOLVED) if (directory / RESOLVED).is_file() else None
    if resolved is None:
        raise Failure(f"{directory}: no resolved study here, so no path can be created anew", USAGE)
    if "box" not in plan.ids:
        raise Failure(f"{directory}: a credit-only run has no months to tell, only defaults", USAGE)
    if facility not in plan.ids["facility"]:
        raise unknown_facility(facility, plan.ids["facility"])
    if number >= plan.paths:
        raise Failure(f"--path: the run has paths 0 to {plan.paths - 1}, got {number}", USAGE)
    with ProgressLine(quiet=as_json) as line:
        line.note(f"simulating path {number} again")
        from simulator.engine.paths import trace_path
        from simulator.engine.prepare import prepare
        from simulator.engine.timeline import events_of

        compiling(line)
        path = trace_path(prepare(stored_inputs(resolved)), plan.seed, number)
        differing = differences(run, path, number)
    table = month_table(path, facility, plan.start)
    events = events_of(path, facility)
    outcome = outcome_of(path, list(plan.ids["facility"]).index(facility))
    if as_json:
        found: dict[str, Any] = {
            "run": str(directory),
            "seed": plan.seed,
            "path": number,
            "facility": facility,
            "same_as_stored": not differing,
            "differing": differing,
            "outcome": outcome,
            "events": [event._asdict() for event in events],
            "cash": table.as_object(),
        }
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{plan.title}, seed {plan.seed}, path {number}: {facility}")
    click.echo(verdict(differing, plan.versions) + "\n")
    click.echo(as_lines(outcome, plan.start) + "\n")
    for event in events:
        when = month_name(plan.start, event.month)
        click.echo(f"  {event.month:>3}  {when}  {event.kind:<9} {event.text}")
    click.echo(f"\n{table.as_text()}")


def differences(run: xr.Dataset, path: TracedPath, number: int) -> list[str]:
    """Name the variables whose stored values are not, bit for bit, those of the path."""
    import numpy as np

    from simulator.dataset.variables import VARIABLES

    found = []
    for name, array in path.scalars.items():
        if name in run:
            stored = run[name].isel(path=number).values
            again = np.asarray(array[0]).astype(VARIABLES[name].dtype)
            if stored.tobytes() != again.tobytes():
                found.append(name)
    return found


def verdict(differing: list[str], versions: Any) -> str:
    """Say whether the path is the stored one."""
    if not differing:
        return "The path is the stored one, bit for bit."
    from simulator.dataset.provenance import current_versions

    now = current_versions()
    changed = [
        f"{name} {versions.get(name)} then, {now[name]} now"
        for name in now
        if versions.get(name) != now[name]
    ]
    why = f" ({'; '.join(changed)})" if changed else ""
    return f"NOT the stored path: {', '.join(differing)} differ{why}."


def outcome_of(path: TracedPath, facility: int) -> dict[str, Any]:
    """Return the results of a facility on the path, by name."""
    from simulator.dataset.variables import VARIABLES

    found: dict[str, Any] = {}
    for name, array in path.scalars.items():
        variable = VARIABLES[name]
        if variable.entity == "facility":
            value = array[0, facility].item()
            found[name] = variable.flags[int(value)] if variable.flags else value
    return found


def as_lines(outcome: dict[str, Any], start: str) -> str:
    """Return the results with labels and units, in digits that a reader can use."""
    from simulator.dataset.variables import VARIABLES

    labels = [VARIABLES[name].long_name for name in outcome]
    width = max(map(len, labels)) + 2
    values = [in_words(value, VARIABLES[name].units, start) for name, value in outcome.items()]
    return "\n".join(
        f"  {label:{width}}{value}" for label, value in zip(labels, values, strict=True)
    )


def in_words(value: float | str, units: str, start: str) -> str:
    """Return a value with its unit.

    Examples
    --------
    >>> in_words(1085.1885792758694, "million USD", "2026-11")
    'USD 1,085.2 m'
    >>> in_words(0.15001023964239585, "1", "2026-11"), in_words("ltv_or_ltc", "1", "2026-11")
    ('15.0%', 'LTV or LTC')
    >>> in_words(16, "month", "2026-11"), in_words(0, "month", "2026-11")
    ('16 (2028-03)', 'never')
    """
    from simulator.cli.waterfall import month_name

    if isinstance(value, str):
        return " ".join(word.upper() if word in SHORT else word for word in value.split("_"))
    if units == "month":
        return f"{value:.0f} ({month_name(start, int(value))})" if value else "never"
    if units == "million USD":
        return f"USD {value:,.1f} m"
    if units == "1":
        return f"{value:.1%}"
    return f"{value:,.4g} {units}"
