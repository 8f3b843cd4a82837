"""A study under many scenarios on the same random numbers, and what each does to it.

>>> import simulator
>>> table = simulator.compare_scenarios("study.yaml", ["bear.yaml"])  # doctest: +SKIP
>>> table["expected_loss_change"].to_series()  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.analytics.comparison import Outcome, comparison_table, outcome_of
from simulator.api import Progress, compute, create_store, plan_run, workers
from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.errors import NeoboxError
from simulator.config.parameters import parameter_table
from simulator.config.study import Study, load_book
from simulator.dataset.memory import MemoryStore
from simulator.dataset.store import Existing

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["BASE", "Variant", "compare_scenarios", "driver_variants", "run_variants", "variants_of"]

BASE: Final = "base"
"""The study as it is written, which every scenario is compared with."""


class ScenarioNamesError(NeoboxError):
    """Two scenarios of one name cannot stand in one table."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Variant:
    """A study as it is changed for one row of a comparison.

    Attributes
    ----------
    name : str
        Of the row and of the folder of its run.
    scenarios : tuple of Path
        Overlays.
    overrides : mapping
        Values by dotted key.
    """

    name: str
    scenarios: tuple[Path, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)


def variants_of(files: Iterable[str | Path]) -> list[Variant]:
    """Return the base and one variant for each scenario, named as its file.

    Raises
    ------
    ScenarioNamesError
        If two files have one name.
    """
    paths = [Path(file) for file in files]
    variants = [Variant(BASE)] + [
        Variant(path.stem, (path,)) for path in paths if path.stem != BASE
    ]
    names = [one.name for one in variants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ScenarioNamesError(
            f"scenarios: {', '.join(twice)} named more than once; rename one of the files"
        )
    return variants


def driver_variants() -> list[Variant]:
    """Return one variant for each driver's low and stress parameters, one driver at a time."""
    table = parameter_table().values()
    variants = []
    for driver, prefixes in DRIVER_PREFIXES.items():
        mine = [p for p in table if any(p.id == x or p.id.startswith(x + ".") for x in prefixes)]
        for column in ("low", "stress"):
            if any(one.read and one.value(column) != one.base for one in mine):
                change = {f"parameters.driver_sets.{driver}": column}
                variants.append(Variant(f"{driver}-{column}", (), change))
    return variants


def load_variants(
    study: str | Path, variants: Sequence[Variant], overrides: Mapping[str, Any] | None = None
) -> dict[str, Study]:
    """Load every variant, so that all faults show before the first path."""
    return {
        one.name: load_book(study, {**(overrides or {}), **one.overrides}, one.scenarios)
        for one in variants
    }


def run_variants(
    studies: Mapping[str, Study],
    *,
    paths: int,
    seed: int,
    jobs: int = 1,
    executor: str = "threads",
    out: str | Path | None = None,
    existing: Existing = "resume",
    report: Callable[[str, Progress | None], None] | None = None,
) -> dict[str, Outcome]:
    """Run studies one after another on the same random numbers.

    Parameters
    ----------
    studies : mapping of str to Study
        By name.
    paths, seed, jobs, executor
        As `simulate` takes them.
    out : path, optional
        Folder for a folder each; finished runs in it are reused. Without it nothing is kept.
    existing : {"resume", "refuse", "overwrite"}
        What to do about runs that are there.
    report : callable, optional
        Told the name of a study as it starts, and of its progress.

    Returns
    -------
    dict of str to Outcome
        What a comparison needs of each run.
    """
    outcomes = {}
    for name, study in studies.items():

        def told(progress: Progress, name: str = name) -> None:
            if report:
                report(name, progress)

        if report:
            report(name, None)
        plan = plan_run(study, paths=paths, seed=seed, jobs=workers(jobs))
        options: dict[str, Any] = {"jobs": workers(jobs), "executor": executor, "report": told}
        if out is None:
            memory = MemoryStore(plan, resolved=study.resolved)
            compute(study, memory, **options)
            outcomes[name] = outcome_of(memory.dataset())
        else:
            with create_store(study, plan, Path(out) / name, existing) as store:
                compute(study, store, **options)
            outcomes[name] = outcome_of(store.dataset())
    return outcomes


def compare_scenarios(
    study: str | Path,
    scenarios: Sequence[str | Path] = (),
    *,
    paths: int = 10_000,
    seed: int = 1,
    jobs: int = 1,
    executor: str = "threads",
    drivers: bool = False,
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
) -> xr.Dataset:
    """Run a study and every scenario, and compare them path by path.

    Parameters
    ----------
    study : path
        A study file.
    scenarios : sequence of path
        Overlays, each laid over the study alone.
    paths, seed, jobs, executor
        As `simulate` takes them.
    drivers : bool
        Whether each driver's low and stress parameters are compared too, one driver at a time.
    overrides : mapping, optional
        Values by dotted key, the same for all.
    out : path, optional
        Folder for the runs; finished ones are reused.

    Returns
    -------
    Dataset (scenario)
        See `simulator.analytics.comparison.comparison_table`.
    """
    variants = variants_of(scenarios) + (driver_variants() if drivers else [])
    studies = load_variants(study, variants, overrides)
    found = run_variants(studies, paths=paths, seed=seed, jobs=jobs, executor=executor, out=out)
    return comparison_table(found)
