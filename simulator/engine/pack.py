"""From resolved terms to packed arrays: the last place that knows names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import (
    ModelInputs,
)
from simulator.engine.columns import indices
from simulator.engine.layout import layout_of
from simulator.engine.market import MarketParams
from simulator.engine.overlays import pack_overlays
from simulator.engine.pack_boxes import (
    pack_boxes,
    pack_collateral_of,
    pack_costs,
    pack_deliveries,
    pack_disposals,
    pack_sites,
    pack_utilisation,
)
from simulator.engine.pack_credit import pack_leases, pack_names
from simulator.engine.pack_debt import pack_sponsors, pack_tranches
from simulator.engine.state import ModelParams
from simulator.engine.structures import pack_structures, pool_commitment
from simulator.numerics.streams import stream_id_array


def pack_model(
    inputs: ModelInputs, market: MarketParams, compensator: NDArray[np.float64]
) -> ModelParams:
    """Pack a study.

    Parameters
    ----------
    market : MarketParams
        With the frozen reference path, see `engine.pack_market`.
    compensator : ndarray, shape (class, H + 1)
        See `engine.compensator`.
    """
    layout = layout_of(inputs)
    boxes = {b.id: b for b in inputs.book.boxes}
    return ModelParams(
        market=market,
        names=pack_names(inputs, layout, compensator),
        leases=pack_leases(inputs, layout),
        sites=pack_sites(inputs, layout),
        deliveries=pack_deliveries(inputs, layout),
        costs=pack_costs(inputs, layout),
        collateral=pack_collateral_of(inputs),
        boxes=pack_boxes(inputs, layout),
        tranches=pack_tranches(inputs, layout),
        disposals=pack_disposals(inputs, layout),
        sponsors=pack_sponsors(inputs, layout),
        structures=pack_structures(
            inputs.book.structures,
            [pool_commitment(one, layout.tranches) for one in inputs.book.structures],
            {tranche.id: row for row, tranche in enumerate(layout.tranches)},
        ),
        overlays=pack_overlays(inputs.book.overlays, layout.tranches, layout.boxes),
        asset_site=indices(layout.sites, [a.site for a in layout.assets]),
        utilisation_tables=pack_utilisation(inputs),
        box_generation=indices(layout.generations, [boxes[b].generation for b in layout.boxes]),
        utilisation_streams=stream_id_array([f"box.{b}.utilisation" for b in layout.boxes]),
        horizon=inputs.horizon,
    )
