"""The solver: runs of one study that differ in one term of one loan, on the same random numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from simulator.analytics.estimators import mean_difference
from simulator.analytics.frame import labels, path_weights, vector
from simulator.analytics.sample import Design, Vector
from simulator.api import Progress, simulate
from simulator.config.study import Study, load_book, with_inputs
from simulator.dataset.dims import FACILITY
from simulator.sizing.levers import Lever, SizingError, lever_of
from simulator.sizing.search import crossing, scan
from simulator.sizing.target import Measured, Target, parse_target
from simulator.sizing.told import Interval, Point, Sizing

__all__ = ["size"]

SCANNED: Final = 6
"""Values over the whole range that are tried first, so that a response that turns is noticed."""

Report = Callable[[str, Progress | None], None]


@dataclass(slots=True)
class Trials:
    """Runs at whole numbers of steps, each made once; larger numbers are riskier terms."""

    study: Study
    facility: str
    target: Target
    lever: Lever
    options: Mapping[str, Any]
    report: Report | None
    measures: dict[int, Measured] = field(default_factory=dict)
    terms: dict[int, Vector] = field(default_factory=dict)
    weights: dict[int, Design | None] = field(default_factory=dict)

    def value(self, number: int) -> float:
        """Return the value of the term at a number of steps."""
        steps = number if self.lever.more_is_riskier else -number
        return round(steps * self.lever.step, 9)

    def range(self, low: float, high: float) -> tuple[int, int]:
        """Return the first and last number of steps between two values of the term."""
        first = math.ceil(low / self.lever.step - 1e-9)
        last = math.floor(high / self.lever.step + 1e-9)
        return (first, last) if self.lever.more_is_riskier else (-last, -first)

    def measured(self, number: int) -> Measured:
        """Return the measure at a number of steps."""
        if number not in self.measures:
            self._run(number)
        return self.measures[number]

    def point(self, number: int) -> Point:
        """Return a value and the measure there."""
        return Point(self.value(number), self.measured(number))

    def _run(self, number: int) -> None:
        name = f"run {len(self.measures) + 1}: {self.lever.name} {self.value(number):g}"

        def told(progress: Progress) -> None:
            if self.report:
                self.report(name, progress)

        if self.report:
            self.report(name, None)
        changed = with_inputs(self.study, self.lever.apply(self.value(number)))
        run = simulate(changed, **self.options, report=told)
        place = labels(run, FACILITY).index(self.facility)
        share = vector(run, "lender_loss_share", facility=place)
        if not np.isfinite(share).all():
            raise SizingError(
                f"{self.facility}: nothing is lent at {self.lever.name} {self.value(number):g}, so "
                "that no loss can be measured; mend by larger bounds"
            )
        self.weights[number] = path_weights(run)
        self.terms[number] = self.target.terms(share)
        self.measures[number] = self.target.measured(self.terms[number], self.weights[number])

    def crossed(self, limit: str) -> tuple[int | None, bool]:
        """Return the riskiest number that keeps the target, and whether riskier ones do not.

        Parameters
        ----------
        limit : {"value", "low", "high"}
            Of the measure: its value or an end of its interval.

        Returns
        -------
        (int or None, bool)
            None if no number tried keeps it.
        """

        def excess(number: int) -> float:
            return float(getattr(self.measured(number), limit)) - self.target.limit

        tried = sorted(self.measures)
        kept = [number for number in tried if excess(number) <= 0.0]
        if not kept:
            return None, True
        found = crossing(excess, tried)
        return (kept[-1], False) if found is None else (found[0], True)

    def reversals(self) -> list[tuple[float, float]]:
        """Return the stretches over which the measure falls, step by step, beyond paired errors."""
        found: list[tuple[int, int]] = []
        for one, other in pairwise(sorted(self.measures)):
            change = mean_difference(
                self.terms[other],
                self.terms[one],
                self.weights[other],
                self.weights[one] or Design(),
            )
            if change.value < -2.0 * change.se:
                begin = found.pop()[0] if found and found[-1][1] == one else one
                found.append((begin, other))
        return [(self.value(one), self.value(other)) for one, other in found]


def size(
    study: Study | str | Path,
    *,
    facility: str,
    target: str | Target,
    solve_for: str = "advance",
    bounds: tuple[float, float] | None = None,
    paths: int = 10_000,
    seed: int = 1,
    jobs: int = 1,
    executor: str = "threads",
    overrides: Mapping[str, Any] | None = None,
    scenarios: Sequence[str | Path] = (),
    report: Report | None = None,
) -> Sizing:
    """Find the riskiest terms of a facility that keep a measure of its risk under a target.

    Parameters
    ----------
    study : Study or path
        A loaded study, or a study file.
    facility : str
        Of a box.
    target : str or Target
        ``"P(loss) <= 1%"``, or ``"EL <= 25bp"`` of what is lent.
    solve_for : {"advance", "dscr", "reserve"}
        The largest advance on cost, the lowest DSCR or the shortest reserve.
    bounds : (float, float), optional
        Values between which it is sought.
    paths, seed, jobs, executor
        As `simulate` takes them, for each of some ten to thirty runs.
    overrides, scenarios
        As `simulate` takes them; only with a study file.
    report : callable, optional
        Told what run begins, and of its progress.

    Returns
    -------
    Sizing
        Also where the target cannot be met, or cannot be missed.

    Notes
    -----
    All runs stand on the same random numbers, so that a response that is monotone by path stays
    monotone. The interval of the answer comes from solving for the limits of the measure's 95%
    interval on those paths; it holds the Monte Carlo error and nothing else.
    """
    start = time.monotonic()
    wanted = parse_target(target) if isinstance(target, str) else target
    if not isinstance(study, Study):
        study = load_book(study, overrides, scenarios)
    elif overrides or scenarios:
        raise ValueError(
            "overrides and scenarios change a study file: give its path, not a loaded study"
        )
    lever = lever_of(study.inputs, facility, solve_for)
    options = {"paths": paths, "seed": seed, "jobs": jobs, "executor": executor}
    trials = Trials(study, facility, wanted, lever, options, report)
    low, high = bounds or lever.bounds
    first, last = trials.range(low, high)
    if first > last or low < 0.0 or (lever.name == "advance" and low <= 0.0):
        raise SizingError(
            f"--between: expected two ascending values of {lever.name}, above 0 for an advance, "
            f"with a multiple of {lever.step:g} in them, got {low:g} and {high:g}; mend by "
            "swapping or widening them"
        )
    for number in scan(first, last, SCANNED):
        trials.measured(number)
    known = 0
    while known != len(trials.measures):  # what is tried for one limit may turn up a crossing
        known = len(trials.measures)
        found, beyond = trials.crossed("value")
        interval = _interval(trials, first)
    tried = sorted(trials.measures)
    answer = min(tried, key=lambda one: trials.measures[one].value) if found is None else found
    return Sizing(
        study=study.title,
        facility=facility,
        target=wanted,
        lever=lever,
        status="infeasible" if found is None else "solved" if beyond else "slack",
        value=None if found is None else trials.value(found),
        interval=interval,
        at=trials.point(answer),
        points=tuple(trials.point(number) for number in tried),
        reversals=tuple(trials.reversals()),
        paths=paths,
        seed=seed,
        seconds=time.monotonic() - start,
    )


def _interval(trials: Trials, safest: int) -> Interval:
    """Solve at the limits of the measure's interval; ends beyond what is tried are open."""
    safe, _ = trials.crossed("high")
    risky, beyond = trials.crossed("low")
    first = trials.value(safest if safe is None else safe), safe is None
    last = trials.value(safest if risky is None else risky), risky is not None and not beyond
    (low, low_open), (high, high_open) = (
        (first, last) if trials.lever.more_is_riskier else (last, first)
    )
    return Interval(low, high, low_open, high_open)
