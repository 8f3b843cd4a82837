"""Draws that few lanes need: the same addresses as the block fillers, one path at a time.

Kept out of line on purpose: an event is rare, and a copy of the generator at each place that can
fire would only make the compiler slow.
"""

from __future__ import annotations

from simulator.numerics.jit import inner
from simulator.numerics.normal import normal_quantile
from simulator.numerics.philox import uniform_pair
from simulator.numerics.quantiles import interpolate_table

__all__ = ["beta_at_normal", "normals", "uniforms"]


@inner
def uniforms(seed: int, path: int, stream: int, month: int) -> tuple[float, float]:
    """Return the two uniforms of one path at (stream, month)."""
    return uniform_pair(seed, path, stream, month)


@inner
def normals(seed: int, path: int, stream: int, month: int) -> tuple[float, float]:
    """Return the two normals of one path at (stream, month)."""
    first, second = uniform_pair(seed, path, stream, month)
    return normal_quantile(first), normal_quantile(second)


@inner
def beta_at_normal(table, z):
    """Return a draw of a tabulated law at the normal score `z`, see `interpolate_table`."""
    return interpolate_table(table, z)
