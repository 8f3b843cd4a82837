"""Laws under which bad paths of a pool are common, and the likelihood ratios that undo them.

A path draws its factors from a mixture: plainly, with probability s_0, or shifted by mu_m, with
probability s_m. The normal of a t copula's mixing variable counts as one more factor. Given the
factors, names default independently; where less than a target loss x is then expected, shifted
paths draw defaults with the odds of each name multiplied by exp(theta c_j):

    q_j = p_j exp(theta c_j) / (1 + p_j (exp(theta c_j) - 1)),    sum_j c_j q_j = x

c_j is what a default of the name is expected to cost. The likelihood ratio of a path is

    1 / (s_0 + sum_m s_m exp(mu_m F - |mu_m|^2 / 2) exp(theta sum_j c_j D_j - psi(theta)))

with psi(theta) = sum_j log(1 + p_j (exp(theta c_j) - 1)): exact, and never above 1 / s_0. All that
a default changes beyond D_j - when it comes, what is recovered - keeps its own law. Names that are
many (`pool_granular`) are not twisted; what they lose given the factors is taken off x.

References
----------
P. Glasserman, J. Li (2005), "Importance sampling for portfolio credit risk", Management Science
51(11), 1643-1656.
T. Hesterberg (1995), "Weighted average importance sampling and defensive mixture distributions",
Technometrics 37(2), 185-194.
J. C. C. Chan, D. P. Kroese (2010), "Efficient estimation of large portfolio loss probabilities in
t-copula models", European Journal of Operational Research 205(2), 361-367.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.drivers.draws import uniforms
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inner
from simulator.numerics.normal import normal_cdf

STEPS = 60  # at most, of the search for a twist; six or so are taken
CLOSE = 1e-5  # of the target: any twist has an exact likelihood ratio, so that near is enough
LEAST_REST = 1e-9  # loading of a name's own normal where its factors explain it all


class PoolTilt(NamedTuple):
    """How paths are drawn; no laws: plainly, without likelihood ratios."""

    shares: NDArray[np.float64]  # (law,), probabilities; the first law is the plain one
    shifts: NDArray[np.float64]  # (law, factor), of the factors and the mixing normal; the first 0
    target: float  # loss that twisted defaults aim at, USD m; 0 = defaults are not twisted
    cost: NDArray[np.float64]  # (name,), what a default is expected to cost, USD m
    certain: NDArray[np.float64]  # (name,), what names that are many cost if all of them default
    largest_twist: float  # per USD m
    limits: NDArray[np.float64]  # (name, node), score above which no default is possible by H
    most_regime: float  # hazard of the common regime, integrated to H, at the last node
    stream: np.uint64  # of the choice among laws


def no_tilt() -> PoolTilt:
    """Return the terms of plain sampling."""
    none = np.zeros((0, 0))
    return PoolTilt(np.zeros(0), none, 0.0, np.zeros(0), np.zeros(0), 0.0, none, 0.0, np.uint64(0))


@inner
def shift_factors(tilt, seed, paths, factors, law_of, density):
    """Choose a law for each path, shift its factors, and write how likely they are.

    Parameters
    ----------
    factors : (factor, lane), standard normals; shifted
    law_of : (lane,), written: number of the law
    density : (lane,), written: sum of s_m times the density of law m over that of the plain one
    """
    month = 0
    last = tilt.shares.shape[0] - 1
    for lane in range(paths.shape[0]):
        left, _ = uniforms(seed, paths[lane], tilt.stream, month)
        law = 0
        while law < last and left >= tilt.shares[law]:
            left -= tilt.shares[law]
            law += 1
        law_of[lane] = law
        for k in range(factors.shape[0]):
            factors[k, lane] += tilt.shifts[law, k]
    add_densities(tilt, factors, density)


@inner
def add_densities(tilt, factors, density):
    """Write the densities of the shifted laws at factors (factor, lane), added up."""
    density[:] = 0.0
    for law in range(1, tilt.shares.shape[0]):
        for lane in range(density.shape[0]):
            exponent = 0.0
            for k in range(factors.shape[0]):
                shift = tilt.shifts[law, k]
                exponent += shift * (factors[k, lane] - 0.5 * shift)
            density[lane] += tilt.shares[law] * exp(exponent)


@inner
def write_chances(limits, most_regime, loadings, name, rest, factors, regime, mixing, chance):
    """Write the probability that a name may default by the horizon, given all that is common.

    With regimes the limit is that of the next node above their hazard: what lies between is no
    default, and is found to be none.

    Parameters
    ----------
    regime : (lane,), integrated hazard of the common regime
    mixing : (lane,), of the t copula
    chance : (lane,), written
    """
    nodes = limits.shape[1] - 1
    for lane in range(chance.shape[0]):
        systematic = 0.0
        for k in range(loadings.shape[0]):
            systematic += loadings[k, name] * factors[k, lane]
        node = 0
        if most_regime > 0.0:
            node = min(nodes, int(np.ceil(nodes * regime[lane] / most_regime)))
        chance[lane] = normal_cdf((limits[name, node] / mixing[lane] - systematic) / rest)


@inner
def solve_twists(tilt, chance, twist, low, high, mean, slope):
    """Find the twist at which the target is what a path expects to lose; 0 where it is anyway.

    Newton's method on the logarithm of the expectation, kept within a bracket. A lane that is
    close is left alone, so that no path depends on others of its block.

    Parameters
    ----------
    chance : (name, lane)
    twist : (lane,), written
    low, high, mean, slope : (lane,), scratch
    """
    lanes = twist.shape[0]
    twist[:] = 0.0
    low[:] = 0.0
    high[:] = tilt.largest_twist
    for _ in range(STEPS):
        mean[:] = 0.0
        slope[:] = 0.0
        for name in range(chance.shape[0]):
            cost, certain = tilt.cost[name], tilt.certain[name]
            for lane in range(lanes):
                growth = exp(twist[lane] * cost)
                p = chance[name, lane]
                q = p * growth / (1.0 + p * (growth - 1.0))
                mean[lane] += cost * q + certain * p
                slope[lane] += cost * cost * q * (1.0 - q)
        busy = 0
        for lane in range(lanes):
            gap = mean[lane] - tilt.target
            if abs(gap) <= CLOSE * tilt.target or (gap > 0.0 and twist[lane] == 0.0):
                continue
            if high[lane] - low[lane] <= CLOSE * CLOSE * tilt.largest_twist:
                continue  # a target beyond all that can be lost
            busy += 1
            if gap > 0.0:
                high[lane] = twist[lane]
            else:
                low[lane] = twist[lane]
            guess = high[lane]
            if slope[lane] > 0.0 and mean[lane] > 0.0:
                step = log(tilt.target / mean[lane]) * mean[lane] / slope[lane]
                guess = twist[lane] + step
            inside = guess > low[lane] and guess < high[lane]
            twist[lane] = guess if inside else 0.5 * (low[lane] + high[lane])
        if busy == 0:
            break


@inner
def twist_chances(cost, twist, chance, law_of, drawn, exponent):
    """Write the probabilities that a name is drawn with, and take its part of psi off.

    Parameters
    ----------
    cost : float, of its default
    twist, chance, law_of : (lane,)
    drawn : (lane,), written: twisted, but on paths of the plain law
    exponent : (lane,), less log(1 + p (exp(theta c) - 1)), whatever the law
    """
    for lane in range(twist.shape[0]):
        growth = exp(twist[lane] * cost)
        total = 1.0 + chance[lane] * (growth - 1.0)
        drawn[lane] = chance[lane] * (growth / total if law_of[lane] > 0.0 else 1.0)
        exponent[lane] -= log(total)
