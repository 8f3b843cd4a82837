"""What was found, as numbers and as words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.analytics.estimate import format_estimate, format_probability
from simulator.sizing.levers import Lever
from simulator.sizing.target import Measured, Target

__all__ = ["Interval", "Point", "Sizing", "Words"]


@dataclass(frozen=True, slots=True)
class Point:
    """A value that was tried, and the measure there."""

    value: float
    measure: Measured


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of the interval of a solution; an open end lies beyond the values that were tried.

    Notes
    -----
    The ends are the solutions at the limits of the measure's 95% interval, on the same paths: one
    keeps the upper limit under the target, the other only the lower.
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False


class Words(NamedTuple):
    """The parts of an answer as text."""

    today: str
    answer: str  # the value, or the one with the least measure if infeasible
    low: str  # ends of the interval
    high: str
    measure: str  # at the answer


@dataclass(frozen=True, slots=True)
class Sizing:
    """The answer to a question of size.

    Parameters
    ----------
    study, facility, target
        The question.
    lever
        What was solved for.
    status
        ``solved``; ``slack``: the target holds at every value tried; ``infeasible``: at none.
    value
        The answer, the riskiest value tried if slack; None if infeasible.
    interval
        Of the answer, from the Monte Carlo error of the measure.
    at
        The point of the answer; if infeasible, the one with the least measure.
    points
        All that was tried, from the safest term to the riskiest.
    reversals
        Values between which the measure falls, each step of the table by more than two paired
        errors, though terms become riskier.
    paths, seed, seconds
        Of each run; of all of them.
    """

    study: str
    facility: str
    target: Target
    lever: Lever
    status: str
    value: float | None
    interval: Interval
    at: Point
    points: tuple[Point, ...]
    reversals: tuple[tuple[float, float], ...]
    paths: int
    seed: int
    seconds: float

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.points)

    @property
    def monotone(self) -> bool:
        """Whether the measure rose with risk wherever the paths can tell."""
        return not self.reversals

    def __str__(self) -> str:
        """Return the answer in words, and the table of all that was tried."""
        kind = "largest" if self.lever.more_is_riskier else "smallest"
        lines = [
            f"{self.study}, {self.facility}: {kind} {self.lever.name} ({self.lever.words}) that "
            f"keeps {self.target}",
            self._answer(),
            self._spread(),
            *self._warnings(),
            "",
            *self._table(),
        ]
        return "\n".join(lines)

    def in_words(self) -> Words:
        """Return the parts of the answer as text."""
        one = self.interval
        return Words(
            today=self._value(self.lever.today),
            answer=self._value(self.at.value),
            low=f"{'below ' if one.low_open else ''}{self._value(one.low)}",
            high=f"{'above ' if one.high_open else ''}{self._value(one.high)}",
            measure=self._measure(self.at.measure),
        )

    def _answer(self) -> str:
        said, name = self.in_words(), self.lever.name
        there = f"{self.target.measure} there {said.measure}"
        if self.status == "solved":
            return f"{name} {said.answer} (today {said.today}); {there}"
        first, last = self._value(self.points[0].value), self._value(self.points[-1].value)
        tried = f"{name} tried ({first} to {last}; today {said.today})"
        if self.status == "slack":
            return f"slack: the target holds at every {tried}, up to {said.answer}; {there}"
        return f"infeasible: the target holds at no {tried}; least at {said.answer}; {there}"

    def _spread(self) -> str:
        said = self.in_words()
        return (
            f"95% interval {said.low} to {said.high}: solutions at the limits of the measure's own "
            "interval, on the same paths"
        )

    def _warnings(self) -> Iterator[str]:
        name, limit = self.target.measure, self.target.limit
        for one, other in self.reversals:
            yield (
                f"not monotone: {name} falls from {self.lever.name} {self._value(one)} to "
                f"{self._value(other)}, by more than two paired errors at each step of the table"
            )
        if self.value is None:
            return
        place = self.points.index(self.at)
        fails = [one for one in self.points[:place] if one.measure.value > limit]
        holds = [one for one in self.points[place + 1 :] if one.measure.value <= limit]
        if fails:
            yield f"the target also fails at safer terms, up to {self._value(fails[-1].value)}"
        if holds:
            yield f"the target holds again at riskier terms, up to {self._value(holds[-1].value)}"

    def _table(self) -> list[str]:
        rows = [(self.lever.name, self.target.measure)]
        rows += [(self._value(one.value), self._measure(one.measure)) for one in self.points]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return [
            f"{first.rjust(widths[0])}  {second.rjust(widths[1])}"
            + ("  <- answer" if self.value is not None and first == self._value(self.value) else "")
            for first, second in rows
        ]

    def _value(self, value: float) -> str:
        if self.lever.percent:
            return f"{100.0 * value:.1f}%"
        return f"{value:.2f}x" if self.lever.name == "dscr" else f"{value:g} months"

    def _measure(self, found: Measured) -> str:
        if self.target.measure == "P(loss)":
            never = found.value <= 0.0  # then the interval ends at 3 over the independent draws
            draws = 3.0 / found.high if never else self.paths
            return format_probability(found.value, found.se, draws)
        if found.value == 0.0:
            return f"0, < {100.0 * found.high:.2g}%"
        return format_estimate(found.value, found.se, percent=True)

    def as_object(self) -> dict[str, Any]:
        """Return the answer as plain values for JSON."""
        return {
            "study": self.study,
            "facility": self.facility,
            "solve_for": self.lever.name,
            "term": self.lever.words,
            "target": {"measure": self.target.measure, "limit": self.target.limit},
            "status": self.status,
            "value": self.value,
            "interval": {
                "low": self.interval.low,
                "high": self.interval.high,
                "low_open": self.interval.low_open,
                "high_open": self.interval.high_open,
            },
            "today": self.lever.today,
            "at": self.at.value,
            "measure": self.at.measure._asdict(),
            "monotone": self.monotone,
            "reversals": [list(pair) for pair in self.reversals],
            "points": [{"at": one.value, **one.measure._asdict()} for one in self.points],
            "runs": self.runs,
            "paths": self.paths,
            "seed": self.seed,
            "seconds": self.seconds,
        }
