"""From text to model inputs: study files, deal tapes, parameters, stated rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.config.errors import ConfigError, NeoboxError, Problem
    from simulator.config.study import Study, load_study

__all__ = ["ConfigError", "NeoboxError", "Problem", "Study", "load_study"]

_HOMES = {
    "ConfigError": "errors",
    "NeoboxError": "errors",
    "Problem": "errors",
    "Study": "study",
    "load_study": "study",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: `terms` alone needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
