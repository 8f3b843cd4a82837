"""Every path of every market variable, from the market without deals.

The kernels and draws are those of a run of the study: what a run keeps of the market is found here
again, number by number.

Model: docs/model.md §1-§9.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs, Site
from simulator.dataset.dims import GENERATION, HALL, MONTH
from simulator.dataset.variables import FRACTION, Variable
from simulator.engine.compilation import compile_kernels
from simulator.engine.layout import Layout, layout_of
from simulator.engine.market import MarketParams
from simulator.engine.market_alone import reference_path, run_market, without_deals
from simulator.engine.market_variables import JURISDICTION, MARKET_VARIABLES
from simulator.engine.pack_boxes import pack_sites
from simulator.engine.pack_market import pack_market
from simulator.engine.state import ModelParams, ModelState

__all__ = ["REFERENCE_DEVIATION", "market_paths"]

BLOCK: Final = 256

REFERENCE_DEVIATION: Final = Variable(
    "reference_price_deviation",
    (MONTH,),
    "float32",
    FRACTION,
    "The log deviation of rental prices that was expected at t0",
)


def market_paths(
    inputs: ModelInputs, *, paths: int, seed: int, block: int = BLOCK
) -> dict[str, NDArray[np.float32]]:
    """Simulate the market of a study without its deals.

    Parameters
    ----------
    inputs : ModelInputs
        The study; of its book the market feels the hyperscalers that may take work in house.
    paths : int
        How many, numbered from 0.
    seed : int
        Of all random streams.
    block : int
        Paths advanced side by side; no number depends on it.

    Returns
    -------
    dict of ndarray
        `MARKET_VARIABLES` by name, those of halls if there are any, (path, month) or (entity, path,
        month), months 0 (t0) to H, and the price deviation of the reference path, (month,).
    """
    compile_kernels()
    world, expected, horizon = inputs.world, inputs.expected, inputs.horizon
    reference = reference_path(expected, horizon)
    market = pack_market(world, expected, horizon, reference, path=inputs.path)
    params = with_a_site(inputs, market)
    layout = layout_of(inputs)
    found = allocate(layout, inputs.horizon, paths)
    of_kind = {GENERATION: layout.rows(halls=False), HALL: layout.rows(halls=True)}
    for first in range(0, paths, block):
        columns = slice(first, min(first + block, paths))
        numbers = np.arange(columns.start, columns.stop, dtype=np.int64)

        def watch(state: ModelState, month: int, columns: slice = columns) -> None:
            lanes = columns.stop - columns.start  # the rest fills up a pack
            for variable, read in MARKET_VARIABLES:
                if variable.name in found:
                    values = read(params, state, month)
                    rows = of_kind.get(variable.dims[-1])
                    kept = (values if rows is None else values[rows])[..., :lanes]
                    found[variable.name][..., month, columns] = kept

        run_market(params, seed, numbers, watch)
    by_path = {name: np.swapaxes(array, -1, -2) for name, array in found.items()}
    return by_path | {REFERENCE_DEVIATION.name: reference.price_deviation.astype(np.float32)}


def with_a_site(inputs: ModelInputs, market: MarketParams) -> ModelParams:
    """Pack the market with its hyperscalers and one ordinary site that has no power at t0."""
    site = Site(
        id="market",
        jurisdiction=inputs.book.jurisdictions[0][0],
        power_factor=1.0,
        energised=False,
        delay_factor=1.0,
        network_risk=False,
        fibre_probability=0.0,
    )
    sites = replace(inputs, book=replace(inputs.book, sites=(site,)))
    params = without_deals(inputs.world, inputs.expected, inputs.horizon, market)
    return params._replace(sites=pack_sites(sites, layout_of(sites)))


def allocate(layout: Layout, horizon: int, paths: int) -> dict[str, NDArray[np.float32]]:
    """Make room, paths innermost as the lanes of a block are; none for halls if there are none."""
    halls = len(layout.halls)
    sizes = {
        GENERATION: len(layout.generations) - halls,
        HALL: halls,
        JURISDICTION: len(layout.jurisdictions),
    }
    return {
        variable.name: np.empty(
            (*(sizes[dim] for dim in variable.dims[2:]), horizon + 1, paths), np.float32
        )
        for variable, _ in MARKET_VARIABLES
        if halls or HALL not in variable.dims
    }
