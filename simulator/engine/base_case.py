"""The base case: the same kernels with every draw at its centre and no events.

The market runs as its reference path does, at the study's own parameters; customers pay, sites are
on time, leases that end are renewed if that is the likelier, pools and halls run at their mean.
What the boxes and sponsors then do is not fixed: a loan that cannot be served in the base case
defaults in it.

Model: docs/model.md §0 (centred mode).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs
from simulator.engine.compilation import compile_kernels
from simulator.engine.layout import layout_of
from simulator.engine.market_alone import reference_path
from simulator.engine.pack import pack_model
from simulator.engine.pack_credit import name_classes
from simulator.engine.pack_market import pack_market
from simulator.engine.prepare import Prepared

__all__ = ["prepare_base_case"]

EVENTS = ("policy", "counterparty_default", "integration", "renegotiation", "delivery")
"""Switches of what happens at the level of deals; the market has its own centred mode."""


def prepare_base_case(inputs: ModelInputs) -> Prepared:
    """Pack a study such that every path is the base case.

    Parameters
    ----------
    inputs : ModelInputs
        The study.

    Returns
    -------
    Prepared
        For a single path; seed and path number do not matter.
    """
    compile_kernels()
    calm = replace(inputs, switches={**inputs.switches, **dict.fromkeys(EVENTS, False)})
    horizon, reference = inputs.horizon, reference_path(inputs.expected, inputs.horizon)
    market = pack_market(
        calm.world, calm.expected, horizon, reference, path=calm.path, centred=True
    )
    classes, _ = name_classes(calm)
    params = pack_model(calm, market, np.zeros((max(1, len(classes)), inputs.horizon + 1)))
    p = inputs.parameters
    return Prepared(
        layout_of(inputs),
        params._replace(
            leases=params.leases._replace(centred=True),
            sites=params.sites._replace(
                curtailment_table=constant(params.sites.curtailment_table, p["pow.curtail"])
            ),
            collateral=params.collateral._replace(
                haircut_table=constant(params.collateral.haircut_table, p["gpu.fire_haircut"])
            ),
            boxes=params.boxes._replace(
                recovery_table=constant(params.boxes.recovery_table, p["cp.recovery_loan"])
            ),
            utilisation_tables=np.array(
                [
                    constant(table, p["gpu.util"] if g.occupancy is None else g.occupancy)
                    for table, g in zip(
                        params.utilisation_tables, inputs.book.generations, strict=True
                    )
                ]
            ),
        ),
    )


def constant(table: NDArray[np.float64], value: float) -> NDArray[np.float64]:
    """Return the quantile table of a law that always gives `value`."""
    return np.full_like(table, value)
