"""A study made ready: the reference path and the compensator solved, all terms packed.

What is prepared is plain arrays: it is computed once, in one process, and handed to every worker,
so that all of them simulate exactly the same model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs
from simulator.engine.block import run_block
from simulator.engine.compilation import compile_kernels
from simulator.engine.expectations import Expectations, expectations_of
from simulator.engine.layout import Layout, layout_of
from simulator.engine.market import ReferencePath
from simulator.engine.outputs import Outputs, new_outputs
from simulator.engine.overlays import overlay_scalars
from simulator.engine.pack import pack_model
from simulator.engine.pack_market import pack_market
from simulator.engine.results import Arrays, scalars_of, series_of
from simulator.engine.sampling.sampler import Sampler
from simulator.engine.state import ModelParams, ModelState, new_state
from simulator.engine.trace import Trace, new_trace, record_month
from simulator.engine.uncertainty import parameter_ids, with_parameters
from simulator.numerics.addressed import Addressed

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """What workers need.

    Attributes
    ----------
    layout : Layout
        Order of the book.
    params : ModelParams
        Packed terms.
    inputs : ModelInputs, optional
        The study, if its parameters are uncertain: it is packed anew for each draw.
    sampler : Sampler, optional
        Chooses coordinates of paths; plainly drawn paths have none.
    """

    layout: Layout
    params: ModelParams
    inputs: ModelInputs | None = None
    sampler: Sampler | None = None

    @property
    def horizon(self) -> int:
        """Months."""
        return self.params.horizon

    @cached_property
    def packed(self) -> Addressed[ModelParams]:
        """The terms as kernels take them."""
        return Addressed(self.terms)

    @property
    def terms(self) -> ModelParams:
        """The terms, with the coordinates that the sampler chooses."""
        if self.sampler is None:
            return self.params
        market = self.params.market._replace(steering=self.sampler.steering)
        return self.params._replace(market=market)

    @property
    def expectations(self) -> Expectations:
        """What was expected at t0."""
        return Expectations(self.params.market.reference, self.params.names.compensator)

    def drawn(self, values: NDArray[np.float64]) -> Prepared:
        """Return the study with its uncertain parameters (parameter,) at these values."""
        assert self.inputs is not None
        names = parameter_ids(self.inputs)
        known = with_parameters(self.inputs, dict(zip(names, values.tolist(), strict=True)))
        reference, compensator = self.params.market.reference, self.params.names.compensator
        return Prepared(self.layout, pack(known, reference, compensator), None, self.sampler)

    def outputs(self, paths: int) -> Addressed[Outputs]:
        """Allocate results of so many paths."""
        layout = self.layout
        outputs = new_outputs(
            self.horizon,
            len(layout.tranches),
            len(layout.boxes),
            len(layout.sponsors),
            len(layout.names),
            len(layout.generations),
            paths,
            self.params.structures.notes.shape[1],
            self.params.structures.terms.shape[1],
            self.params.overlays.insured.shape[0],
            self.params.overlays.floor_boxes.shape[0],
        )
        return Addressed(outputs)

    def trace(self) -> Trace:
        """Allocate the record of one path."""
        layout = self.layout
        return new_trace(
            self.horizon,
            len(layout.tranches),
            len(layout.boxes),
            len(layout.assets),
            len(layout.names),
            len(layout.sponsors),
            len(layout.jurisdictions),
        )

    def state(self, lanes: int) -> Addressed[ModelState]:
        """Allocate the state of a block."""
        return Addressed(new_state(self.terms, lanes))

    def run_block(
        self,
        state: Addressed[ModelState],
        seed: int,
        paths: NDArray[np.int64],
        outputs: Addressed[Outputs],
        offset: int,
        trace: Trace | None = None,
    ) -> None:
        """Run a block of paths to the horizon, and keep the first one's months in a trace."""
        watch = None if trace is None else partial(record_month, trace)
        if self.sampler is not None:
            coordinates, weights = self.sampler.draw(seed, paths)
            state.fields.market.coordinates[:, : paths.size] = coordinates
            outputs.fields.path_weight[offset : offset + paths.size] = weights
        run_block(self.packed, state, seed, paths, outputs, offset, watch)

    def scalars(self, outputs: Outputs) -> Arrays:
        """Return one number per path and entity, by the names of `dataset.variables`."""
        found = scalars_of(self.layout, outputs)
        if self.sampler is not None and self.sampler.weighted:
            found["path_weight"] = outputs.path_weight
        return found | overlay_scalars(self.layout, outputs, found["book_lender_loss"])

    def series(self, outputs: Outputs) -> Arrays:
        """Return one number per month, entity and path."""
        return series_of(self.layout, outputs)


def prepare(inputs: ModelInputs, expectations: Expectations | None = None) -> Prepared:
    """Solve and pack a study.

    Parameters
    ----------
    inputs : ModelInputs
        The study.
    expectations : Expectations, optional
        What was expected of it, if it is known.

    Returns
    -------
    Prepared
        The same for the same inputs, on any number of cores.
    """
    compile_kernels()
    reference, compensator = expectations or expectations_of(inputs)
    uncertain = inputs if inputs.uncertainty else None
    return Prepared(layout_of(inputs), pack(inputs, reference, compensator), uncertain)


def pack(
    inputs: ModelInputs, reference: ReferencePath, compensator: NDArray[np.float64]
) -> ModelParams:
    """Pack a study with what was expected of it."""
    market = pack_market(inputs.world, inputs.expected, inputs.horizon, reference, path=inputs.path)
    return pack_model(inputs, market, compensator)
