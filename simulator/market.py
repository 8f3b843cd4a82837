"""The market of a study on its own: every path of every variable as one Dataset.

>>> import simulator
>>> market = simulator.simulate_market("study.yaml")  # doctest: +SKIP
>>> market.rental_price_contract.sel(generation="H100").quantile(0.05, "path")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.config.study import Study, load_book

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["simulate_market"]


def simulate_market(
    study: Study | str | Path,
    paths: int = 10_000,
    seed: int = 1,
    overrides: Mapping[str, Any] | None = None,
    scenarios: Sequence[str | Path] = (),
) -> xr.Dataset:
    """Simulate the market of a study without its deals.

    Path p of seed s is path p of seed s in a run of the study: what a run keeps of the market is
    the same here, except that no box sells GPUs.

    Parameters
    ----------
    study : Study or path
        A loaded study, or a study file.
    paths : int
        Number of paths, about 15 kB each for six years and eight generations.
    seed : int
        Of all random streams.
    overrides : mapping, optional
        Values by dotted key, as ``--set`` takes them; only with a study file.
    scenarios : sequence of path
        Overlays, later ones win; only with a study file.

    Returns
    -------
    xarray.Dataset
        Variables by (path, month), prices by (generation, path, month), rents by (hall, path,
        month) if there are halls, policy by (jurisdiction, path, month), each with ``units`` and
        ``long_name``; month 0 is t0.

    Examples
    --------
    >>> from simulator import simulate_market
    >>> market = simulate_market("configs/neocloud-2026.yaml", paths=1_000)  # doctest: +SKIP
    >>> market.tightness.sel(month=24).mean("path")  # doctest: +SKIP
    """
    import numpy as np
    import xarray as xr

    from simulator.dataset.build import DATE, month_ends
    from simulator.dataset.dims import DIMENSION_NAMES, GENERATION, HALL, MONTH, PATH
    from simulator.engine.market_paths import REFERENCE_DEVIATION, market_paths
    from simulator.engine.market_variables import JURISDICTION, MARKET_VARIABLES

    if not isinstance(study, Study):
        study = load_book(study, overrides, scenarios)
    elif overrides or scenarios:
        raise ValueError(
            "overrides and scenarios change a study file: give its path, not a loaded study"
        )
    if paths < 1:
        raise ValueError(f"paths must be at least 1, got {paths}")
    if not 0 <= seed < 1 << 63:
        raise ValueError(f"seed must be a whole number from 0 to 2^63 - 1, got {seed}")
    inputs = study.inputs
    found = market_paths(inputs, paths=paths, seed=seed)
    told = [one.variable for one in MARKET_VARIABLES if one.variable.name in found]
    variables = [*told, REFERENCE_DEVIATION]
    months = np.arange(inputs.horizon + 1, dtype=np.int32)
    start = str(study.resolved["study"]["start"])
    named = {**DIMENSION_NAMES, JURISDICTION: "jurisdiction of policy events"}
    ids = {
        PATH: np.arange(paths),
        MONTH: months,
        GENERATION: [one.name for one in inputs.book.generations if not one.is_hall],
        JURISDICTION: [name for name, _ in inputs.book.jurisdictions],
    }
    halls = [one.name for one in inputs.book.generations if one.is_hall]
    ids |= {HALL: halls} if halls else {}
    return xr.Dataset(
        {
            one.name: xr.Variable(
                (*one.dims[2:], *one.dims[:2]), found[one.name], one.attributes
            ).transpose(*one.dims)
            for one in variables
        },
        coords={
            **{dim: (dim, values, {"long_name": named[dim]}) for dim, values in ids.items()},
            "date": (MONTH, month_ends(start, months), DATE),
        },
        attrs={
            "Conventions": "CF-1.11",
            "title": f"{study.title}: the market without deals",
            "source": f"neobox {version('neobox')}",
            "paths": paths,
            "seed": seed,
            "start": start,
            "digest": study.digest,
        },
    )
