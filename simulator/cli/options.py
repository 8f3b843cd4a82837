"""Options that many commands share: what is changed about a study before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from simulator.config.pool_study import PoolStudy
    from simulator.config.study import Study

Function = TypeVar("Function", bound=Callable[..., Any])


def changes_to_a_study(function: Function) -> Function:
    """Give a command --scenario, --driver-set and --set; they come in as `changes`."""

    def collect(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        found = context.meta.setdefault("changes", {})
        found[parameter.name] = value
        return value

    for option in (
        click.option(
            "--set",
            "assignments",
            metavar="KEY=VALUE",
            multiple=True,
            expose_value=False,
            callback=collect,
            help="Change one value.",
        ),
        click.option(
            "--driver-set",
            "driver_sets",
            metavar="DRIVER=SET",
            multiple=True,
            expose_value=False,
            callback=collect,
            help="Set one driver to its low, base or stress parameters (demand=stress).",
        ),
        click.option(
            "--scenario",
            "scenarios",
            type=click.Path(path_type=Path),
            multiple=True,
            expose_value=False,
            callback=collect,
            help="Lay a scenario over the study; later ones win.",
        ),
    ):
        function = option(function)
    return function


def executor_of(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse an executor that there is not."""
    from simulator.engine.cluster import ExecutorError, cluster_of
    from simulator.engine.executors import EXECUTORS

    try:
        known = value in EXECUTORS or cluster_of(value) is not None
    except ExecutorError as error:
        raise click.BadParameter(str(error)) from error
    if not known:
        names = ", ".join([*EXECUTORS, "dask", "dask://host:port"])
        raise click.BadParameter(f"{value!r} is none of {names}")
    return value


def bytes_of(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Read an amount of memory."""
    from simulator.engine.budget import MemoryBudgetError, parse_bytes

    if value is None:
        return None
    try:
        return parse_bytes(value)
    except MemoryBudgetError as error:
        raise click.BadParameter(str(error)) from error


executor_option = click.option(
    "--executor",
    metavar="NAME",
    default="threads",
    show_default=True,
    envvar="NEOBOX_EXECUTOR",
    callback=executor_of,
    help="What the workers are: threads, processes, serial, dask (a cluster of this machine with "
    "--jobs processes), dask://host:port (see docs/parallel.md).",
)
memory_option = click.option(
    "--memory",
    metavar="SIZE",
    callback=bytes_of,
    help="Memory that the run may take, e.g. 2GB: chooses the size of chunks and how many are in "
    "work at a time.",
)
log_option = click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append progress to this file, a line now and then with date and time.",
)


def overrides_of(assignments: Sequence[str], driver_sets: Sequence[str]) -> dict[str, Any]:
    """Return the values that --driver-set and --set ask for."""
    from simulator.config.overrides import parse_assignment

    found: dict[str, Any] = {}
    for text in driver_sets:
        driver, value = parse_assignment(text, option="--driver-set", example="demand=stress")
        found[f"parameters.driver_sets.{driver}"] = value
    return found | dict(map(parse_assignment, assignments))


def changed_study(context: click.Context, study: Path) -> Study | PoolStudy:
    """Load a study of either kind with the changes that the options of this call ask for."""
    from simulator.config.study import load_study

    return load_study(study, *asked_of(context))


def changed_book(context: click.Context, study: Path) -> Study:
    """Load a study of a book of deals with the changes that this call asks for."""
    from simulator.config.study import load_book

    return load_book(study, *asked_of(context))


def asked_of(context: click.Context) -> tuple[dict[str, Any], Sequence[Path]]:
    """Return values by dotted key, and scenarios, that the options of this call ask for."""
    asked = context.meta["changes"]
    return overrides_of(asked["assignments"], asked["driver_sets"]), asked["scenarios"]


def folder_name(context: click.Context, study: Path) -> str:
    """Return the name of the folder that results of a study go to if none is given."""
    scenarios: Sequence[Path] = context.meta["changes"]["scenarios"]
    return "-".join([study.stem, *(one.stem for one in scenarios)])
