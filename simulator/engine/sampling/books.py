"""Books drawn otherwise than plainly: the pilot run, and the sampler that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.config.errors import NeoboxError, did_you_mean
from simulator.config.schema import Sampling
from simulator.dataset.plan import Chunk
from simulator.engine.executors import execute
from simulator.engine.prepare import Prepared
from simulator.engine.results import ids_of
from simulator.engine.runner import BLOCK_LANES
from simulator.engine.sampling.coordinates import coordinate_names, steering_of
from simulator.engine.sampling.pilot import Found, find_proposal
from simulator.engine.sampling.proposal import Proposal
from simulator.engine.sampling.sampler import Importance

__all__ = ["MeasureError", "found_from_json", "found_to_json", "pilot_book", "steered"]

SCHEMA = "neobox.sampling/1"
BOOK_LOSS = "book_lender_loss"

Vector = NDArray[np.float64]


class MeasureError(NeoboxError):
    """The study asks for the tail of a number that a run does not have."""

    exit_code = 2


@dataclass(frozen=True)
class PilotTask:
    """Runs paths of a pilot; may be pickled.

    Attributes
    ----------
    prepared : Prepared
        The book, with the sampler of the stage.
    seed : int
        Of all random streams.
    measure : Measure
        Which number of a path its loss is.
    """

    prepared: Prepared
    seed: int
    measure: Measure

    def __call__(self, chunk: Chunk) -> tuple[Chunk, Vector]:
        """Return the losses of the paths of a chunk."""
        outputs = self.prepared.outputs(chunk.count)
        state = self.prepared.state(chunk.count)
        numbers = np.arange(chunk.first, chunk.first + chunk.count, dtype=np.int64)
        self.prepared.run_block(state, self.seed, numbers, outputs, 0)
        return chunk, self.measure.of(self.prepared.scalars(outputs.fields))


@dataclass(frozen=True)
class Measure:
    """A number of a path: a variable, at a place along its entities if it has any."""

    variable: str
    place: int | None

    def of(self, scalars: Mapping[str, NDArray[Any]]) -> Vector:
        """Take it out of a run's scalars (path,)."""
        values = scalars[self.variable]
        return np.asarray(values if self.place is None else values[:, self.place], np.float64)


def measure_of(prepared: Prepared, wanted: str) -> Measure:
    """Read ``variable`` or ``variable/label``, such as ``lender_loss/CRWV_DDTL4``.

    Raises
    ------
    MeasureError
        If a run of the book has no such number, or none that is an amount of loss.
    """
    facilities = tuple(ids_of(prepared.layout)["facility"])
    labels = {"lender_loss": facilities, "lender_principal_loss": facilities}
    variable, _, label = (wanted or BOOK_LOSS).partition("/")
    if variable == BOOK_LOSS and not label:
        return Measure(variable, None)
    known = (BOOK_LOSS, *(f"{one}/{place}" for one in labels for place in labels[one]))
    if wanted not in known:
        mend = did_you_mean(wanted, known, f"writing one of {', '.join(known[:3])}, ...")
        raise MeasureError(f"sampling.measure: a run has no loss {wanted!r}; mend by {mend}")
    return Measure(variable, labels[variable].index(label))


def steered(prepared: Prepared, proposal: Proposal) -> Prepared:
    """Return a book whose paths are drawn by a proposal."""
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    return replace(prepared, sampler=Importance(steering, proposal))


def pilot_book(prepared: Prepared, sampling: Sampling, seed: int, jobs: int) -> Found:
    """Find a proposal for the tail that a study wants to see.

    Parameters
    ----------
    prepared : Prepared
        The book.
    sampling : Sampling
        Method, measure, level and sizes.
    seed : int
        Of all random streams.
    jobs : int
        Workers; no number depends on it.
    """
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    measure = measure_of(prepared, sampling.measure)

    def simulate(proposal: Proposal, numbers: NDArray[np.int64]) -> tuple[Vector, Vector]:
        first, count = int(numbers[0]), numbers.size
        starts = range(0, count, BLOCK_LANES)
        chunks = [
            Chunk(place, first + start, min(BLOCK_LANES, count - start))
            for place, start in enumerate(starts)
        ]
        task, losses = PilotTask(steered(prepared, proposal), seed, measure), np.zeros(count)
        with closing(execute("threads", task, chunks, jobs)) as results:
            for chunk, found in results:
                losses[chunk.first - first : chunk.first - first + chunk.count] = found
        coordinates, _ = proposal.draw(seed, numbers)
        return coordinates, losses

    names = coordinate_names(steering, prepared.layout.names)
    return find_proposal(
        simulate, names, sampling.level, sampling.defensive_share, sampling.pilot_paths
    )


def found_to_json(found: Found, prepared: Prepared, sampling: Sampling) -> dict[str, Any]:
    """Return what a pilot found in JSON's own types, for the folder of a run."""
    measure = measure_of(prepared, sampling.measure)
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    return {
        "schema": SCHEMA,
        "method": sampling.method,
        "measure": measure.variable,
        "place": measure.place,
        "level": sampling.level,
        "note": found.note,
        "gain": found.gain,
        "paths": found.paths,
        "coordinates": list(coordinate_names(steering, prepared.layout.names)),
        **found.proposal.to_json(),
    }


def found_from_json(plain: Mapping[str, Any]) -> Found:
    """Read what a pilot found."""
    return Found(Proposal.from_json(plain), plain["note"], plain["gain"], plain["paths"])
