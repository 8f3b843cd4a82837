"""Systemic shocks: nine correlated normals a month, and the static factors they add up to.

The normals are drawn every month whatever is switched on, so that no switch shifts a draw.  The
static factors Z* (credit cycle), C* (AI credit) and S* (supply chain) are sums of the same monthly
draws: exactly standard normal, and correlated with the path's own demand, price and spread shocks.

Model: docs/model.md §1; correlations: design evidence table 11.A (judgement).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.steering import place_shocks
from simulator.numerics.jit import inner
from simulator.numerics.philox import fill_normal_pairs, fill_normals
from simulator.numerics.streams import stream_id_array

Z, C, D, P, M, S, E, W, R = range(9)
"""Rows: spread, AI credit, demand, price, memory, supply, efficiency, power, rates."""

FACTOR_MONTHS = 60
SUPPLY_FACTOR_MONTHS = 24


class ShockParams(NamedTuple):
    """Frozen inputs of the shock block."""

    cholesky: NDArray[np.float64]  # (9, 9), lower triangular; zeros on the reference path
    streams: NDArray[np.uint64]  # (5,), one per pair of normals
    rho_macro: float  # correlation of C* and Z*


def effective_correlations(
    correlations: NDArray[np.float64], rho_macro: float, link: bool, stressed_names: bool
) -> NDArray[np.float64]:
    """Return the correlation matrix without the dependence that the equations already carry.

    Parameters
    ----------
    correlations : ndarray, shape (9, 9)
        Matrix of the study in the order Z, C, D, P, M, S, E, W, R.
    rho_macro : float
        Correlation of the AI credit factor with the credit cycle (`cp.rho_macro`).
    link : bool
        Whether demand, memory, efficiency and supply move prices through tightness.
    stressed_names : bool
        Whether any name's default hazard loads on sector stress.
    """
    matrix = np.array(correlations, dtype=np.float64)
    reduced = {(C, Z): rho_macro}
    if link:
        reduced |= {(D, P): 0.15, (M, P): 0.10, (E, P): 0.0, (S, P): 0.0}
        if stressed_names:
            reduced |= {(C, D): 0.15, (C, P): 0.15}
    for (i, j), value in reduced.items():
        matrix[i, j] = matrix[j, i] = value
    return matrix


def pack_shocks(
    parameters: Mapping[str, float],
    correlations: NDArray[np.float64],
    *,
    structural_link: bool,
    stressed_names: bool,
    centred: bool = False,
) -> ShockParams:
    """Return the packed shock block; `centred` gives the reference path (no shock)."""
    rho_macro = parameters["cp.rho_macro"]
    matrix = effective_correlations(correlations, rho_macro, structural_link, stressed_names)
    return ShockParams(
        cholesky=np.zeros((9, 9)) if centred else np.linalg.cholesky(matrix).astype(np.float64),
        streams=stream_id_array(["market.ZC", "market.DP", "market.MS", "market.EW", "market.R"]),
        rho_macro=rho_macro,
    )


@inner
def draw_shocks(params, steering, seed, paths, coordinates, shocks, spare):
    """Write the correlated normals of all months of a block.

    Parameters
    ----------
    params : ShockParams
    steering : SteeringParams
    seed : uint64
    paths : (lane,) int64
    coordinates : (coordinate, lane), chosen ones; no rows if paths draw all themselves
    shocks : (month, 9, lane) float64, written
        Row t holds month t; row 0 is zero.
    spare : (lane,) float64, scratch
    """
    lanes = paths.shape[0]
    cholesky = params.cholesky
    shocks[0] = 0.0
    for month in range(1, shocks.shape[0]):
        row = shocks[month]
        for pair in range(4):
            fill_normal_pairs(
                seed, paths, params.streams[pair], month, row[2 * pair], row[2 * pair + 1]
            )
        fill_normals(seed, paths, params.streams[4], month, row[8], spare)
    place_shocks(steering, coordinates, shocks)
    for month in range(1, shocks.shape[0]):
        row = shocks[month]
        for i in range(8, -1, -1):  # from the last row, so that each row can be overwritten
            for lane in range(lanes):
                row[i, lane] = cholesky[i, i] * row[i, lane]
            for j in range(i):
                loading = cholesky[i, j]
                if loading != 0.0:
                    for lane in range(lanes):
                        row[i, lane] += loading * row[j, lane]


@inner
def static_factors(params, shocks, macro, ai_orthogonal, ai, supply):
    """Write the static factors Z*, C-orthogonal, C*, S* of a block, each (lane,).

    Z* and C* sum 60 months of shocks, S* 24, whatever the horizon is.
    """
    lanes = macro.shape[0]
    rho = params.rho_macro
    macro[:] = 0.0
    ai[:] = 0.0
    supply[:] = 0.0
    for month in range(1, FACTOR_MONTHS + 1):
        for lane in range(lanes):
            macro[lane] += shocks[month, Z, lane]
            ai[lane] += shocks[month, C, lane]
            if month <= SUPPLY_FACTOR_MONTHS:
                supply[lane] += shocks[month, S, lane]
    for lane in range(lanes):
        macro[lane] /= np.sqrt(60.0)
        ai[lane] /= np.sqrt(60.0)
        supply[lane] /= np.sqrt(24.0)
        ai_orthogonal[lane] = (ai[lane] - rho * macro[lane]) / np.sqrt(1.0 - rho * rho)
