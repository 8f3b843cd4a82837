"""Monte Carlo risk simulator for portfolios of GPU loans.

Examples
--------
>>> import simulator
>>> study = simulator.load_study("configs/neocloud-2026.yaml")  # doctest: +SKIP
>>> run = simulator.simulate(study, paths=10_000, jobs=2, out="results/base")  # doctest: +SKIP
>>> run = simulator.open_run("results/base")  # doctest: +SKIP
>>> market = simulator.simulate_market(study)  # doctest: +SKIP
>>> simulator.size(study, facility="CRWV_DDTL5", target="EL <= 50bp")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator import results
    from simulator.analytics.limits import check_limits
    from simulator.api import simulate
    from simulator.config.errors import ConfigError, NeoboxError
    from simulator.config.pool_study import PoolStudy
    from simulator.config.study import Study, load_study
    from simulator.dataset.reading import open_run
    from simulator.market import simulate_market
    from simulator.rolling import roll
    from simulator.scenarios import compare_scenarios
    from simulator.sequential import simulate_until
    from simulator.sizing.solve import size
    from simulator.sweeps.opening import open_sweep
    from simulator.sweeps.run import sweep

    __version__: str

__all__ = [
    "ConfigError",
    "NeoboxError",
    "PoolStudy",
    "Study",
    "__version__",
    "check_limits",
    "compare_scenarios",
    "load_study",
    "open_run",
    "open_sweep",
    "results",
    "roll",
    "simulate",
    "simulate_market",
    "simulate_until",
    "size",
    "sweep",
]

_HOMES = {
    "ConfigError": "simulator.config.errors",
    "NeoboxError": "simulator.config.errors",
    "PoolStudy": "simulator.config.pool_study",
    "Study": "simulator.config.study",
    "check_limits": "simulator.analytics.limits",
    "compare_scenarios": "simulator.scenarios",
    "load_study": "simulator.config.study",
    "open_run": "simulator.dataset.reading",
    "open_sweep": "simulator.sweeps.opening",
    "roll": "simulator.rolling",
    "simulate": "simulator.api",
    "simulate_market": "simulator.market",
    "simulate_until": "simulator.sequential",
    "size": "simulator.sizing.solve",
    "sweep": "simulator.sweeps.run",
}

_MODULES = {"results"}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: the command line must start fast."""
    if name == "__version__":
        from importlib.metadata import version

        return version("neobox")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
