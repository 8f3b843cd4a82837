"""Books drawn otherwise than plainly: the pilot run, and the sampler that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
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
from simulator.engine.sampling.pilot import find_direction, find_proposal
from simulator.engine.sampling.proposal import Proposal
from simulator.engine.sampling.sampler import Importance, Quasi, Sampler, Stratified

__all__ = ["MeasureError", "find_sampling", "sampler_of"]

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


def find_sampling(
    prepared: Prepared, sampling: Sampling, seed: int, group: int, jobs: int
) -> dict[str, Any]:
    """Find how the paths of a book are to be drawn, by a pilot if the method needs one.

    Parameters
    ----------
    prepared : Prepared
        The book.
    sampling : Sampling
        Method, measure, level and sizes.
    seed : int
        Of all random streams.
    group : int
        Paths that are spread evenly with each other.
    jobs : int
        Workers; no number depends on it.

    Returns
    -------
    dict
        In JSON's own types, for the folder of a run; numbers survive bit for bit.
    """
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    names = coordinate_names(steering, prepared.layout.names)
    measure = measure_of(prepared, sampling.measure)
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "method": sampling.method,
        "measure": measure.variable,
        "place": measure.place,
        "level": sampling.level,
        "coordinates": list(names),
        "group": group,
    }
    if sampling.method == "quasi":
        note = f"Sobol points in {len(names)} coordinates, {sampling.replicates} scramblings"
        return found | {"note": note}
    simulate = partial(run_pilot, prepared, seed, measure, jobs)
    if sampling.method == "stratified":
        direction, note = find_direction(simulate, names, sampling.level, sampling.pilot_paths)
        return found | {"note": note, "direction": direction.tolist()}
    tilted = find_proposal(
        simulate, names, sampling.level, sampling.defensive_share, sampling.pilot_paths
    )
    told = {"note": tilted.note, "gain": tilted.gain, "pilot_paths": tilted.paths}
    return found | told | tilted.proposal.to_json()


def sampler_of(prepared: Prepared, found: Mapping[str, Any]) -> Sampler:
    """Return what draws paths as `find_sampling` found, or as it is read back."""
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    if found["method"] == "quasi":
        return Quasi(steering, found["group"])
    if found["method"] == "stratified":
        return Stratified(steering, np.array(found["direction"]), found["group"])
    return Importance(steering, Proposal.from_json(found))


def run_pilot(
    prepared: Prepared,
    seed: int,
    measure: Measure,
    jobs: int,
    proposal: Proposal,
    numbers: NDArray[np.int64],
) -> tuple[Vector, Vector]:
    """Run numbered paths under a proposal: their coordinates (coordinate, path), losses (path,)."""
    first, count = int(numbers[0]), numbers.size
    chunks = [
        Chunk(place, first + start, min(BLOCK_LANES, count - start))
        for place, start in enumerate(range(0, count, BLOCK_LANES))
    ]
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    drawn = replace(prepared, sampler=Importance(steering, proposal))
    losses = np.zeros(count)
    with closing(execute("threads", PilotTask(drawn, seed, measure), chunks, jobs)) as results:
        for chunk, found in results:
            losses[chunk.first - first : chunk.first - first + chunk.count] = found
    coordinates, _ = proposal.draw(seed, numbers)
    return coordinates, losses
